// What the rule will be: its output on real events, its YAML, complaints, tests.
import { h, button, copyText, grouped, onInput, printable, printableLines, refill, setValue, watcher } from "./dom.js";

export function resultView(model, el) {
  const preview = h("section", { class: "wb-card" });
  const yaml = h("section", { class: "wb-card" });
  const tests = h("section", { class: "wb-card" });
  const file = h("input", { class: "wb-input wb-grow wb-code", "aria-label": "Rules file to save", spellcheck: "false", autocomplete: "off" });
  onInput(file, (value) => model.send({ do: "set", key: "path", value }));
  const saved = h("div", { class: "wb-muted", role: "status" });
  const actions = h(
    "div",
    { class: "wb-card wb-actions" },
    h(
      "div",
      { class: "wb-bar" },
      button("Add to rule set", () => model.send({ do: "add" }), { class: "wb-primary", icon: "plus" }),
      file,
      button("Save", () => model.send({ do: "save", path: file.value })),
      button("Download", download, { icon: "down", bare: true }),
    ),
    saved,
  );
  el.append(preview, yaml, actions, tests);

  const state = watcher(model);
  state.watch(["outputs", "output_error", "matches"], (list, error, matches) => {
    refill(preview, h("h3", {}, "Alerts it would raise ", h("span", { class: "wb-muted" }, matches === null || matches === undefined ? "" : grouped(matches))),
      error ? h("div", { class: "wb-complaint wb-error" }, h("span", { class: "wb-sev" }, "error"), h("span", {}, printable(error))) : null,
      h("ul", { class: "wb-outputs wb-code", dir: "ltr" }, (list || []).map((each) => h("li", {}, printable(each)))),
      !error && !(list || []).length ? h("p", { class: "wb-muted wb-hint" }, "No event matches yet.") : "",
    );
  });
  state.watch(["yaml", "diagnostics"], (text, diagnostics) => {
    refill(yaml, h("div", { class: "wb-bar" }, h("h3", {}, "As it will be exported"), h("span", { class: "wb-grow" }), button("Copy", () => copyText(text || ""), { icon: "copy", quiet: true, "aria-label": "Copy the YAML" })),
      h("pre", { class: "wb-pre wb-yaml", tabIndex: 0, "aria-label": "YAML of the rule", dir: "ltr" }, paintYaml(text || "")),
      (diagnostics || []).map((each) => h("div", { class: `wb-complaint wb-${each.severity}` }, h("span", { class: "wb-sev" }, each.severity), h("span", {}, printable(`${each.line ? `line ${each.line}: ` : ""}${each.message}`)), each.hint ? h("span", { class: "wb-muted" }, printable(each.hint)) : null)),
      text && !(diagnostics || []).length ? h("div", { class: "wb-complaint wb-fine" }, h("span", { class: "wb-sev" }, "ok"), h("span", {}, "No complaints.")) : "",
    );
  });
  state.watch("path", (value) => setValue(file, value));
  state.watch("saved", (text) => {
    saved.textContent = printable(text || "");
  });
  state.watch("tests", drawTests);

  function drawTests(data) {
    tests.hidden = !data;
    if (!data) return;
    refill(tests, h("div", { class: "wb-bar" }, h("h3", {}, "Tests"), h("span", { class: "wb-muted" }, `${grouped(data.must)} must match, ${grouped(data.not)} must not`)),
      data.must + data.not === 0 ? h("p", { class: "wb-muted wb-hint" }, "Label rows “must match” or “must not” under the event's detail; they are checked here while you type.") : "",
      h(
        "ul",
        { class: "wb-plain" },
        (data.failures || []).map((each) => h("li", { class: "wb-complaint wb-error" }, h("span", { class: "wb-sev" }, "fails"), h("button", { type: "button", class: "wb-link", on: { click: () => model.send({ do: "reveal", position: each.position }) } }, `event ${each.num}`), h("span", {}, printable(each.why)))),
      ),
      data.must + data.not > 0 && !(data.failures || []).length ? h("div", { class: "wb-complaint wb-fine" }, h("span", { class: "wb-sev" }, "pass"), h("span", {}, "Every label holds.")) : "",
    );
  }

  // Colours for keys only; the text itself is put in as text.
  function paintYaml(text) {
    return text.split("\n").flatMap((line) => {
      const key = line.match(/^(\s*(?:- )?)([A-Za-z_]+)(:)(.*)$/);
      if (!key) return [printableLines(line), "\n"];
      return [key[1], h("span", { class: "wb-tok-keyword" }, key[2]), key[3], printableLines(key[4]), "\n"];
    });
  }

  function download() {
    const text = (model.get("state") || {}).yaml || "";
    const link = h("a", { download: "rules.yaml" });
    link.href = URL.createObjectURL(new Blob([text], { type: "text/yaml" }));
    link.click();
    setTimeout(() => URL.revokeObjectURL(link.href), 1000);
  }

  return () => state.stop();
}
