// The rule set: hits on the current events, overlap, import, comparison.
import { h, button, grouped, printable, refill, watcher } from "./dom.js";

export function rulesetView(model, el) {
  const file = h("input", { class: "wb-input wb-grow wb-code", placeholder: "rules file", "aria-label": "Rules file", spellcheck: "false", autocomplete: "off" });
  const table = h("section", { class: "wb-card" });
  const overlap = h("section", { class: "wb-card" });
  const compare = h("section", { class: "wb-card" });
  const complaints = h("div", {});
  const saved = h("div", { class: "wb-muted", role: "status" });
  el.append(
    h(
      "div",
      { class: "wb-bar" },
      file,
      button("Import", () => model.send({ do: "import", path: file.value })),
      button("Compare with", () => model.send({ do: "compare", path: file.value })),
      button("Save as", () => model.send({ do: "save", path: file.value })),
      button("Count hits", () => model.send({ do: "refresh" }), { quiet: true, icon: "restart" }),
    ),
    saved,
    complaints,
    table,
    overlap,
    compare,
  );
  const state = watcher(model);
  state.watch("message", (text) => {
    saved.textContent = printable(text || "");
  });
  state.watch("diagnostics", (list) => {
    refill(complaints, ...(list || []).slice(0, 20).map((each) => h("div", { class: `wb-complaint wb-${each.severity}` }, h("span", { class: "wb-sev" }, each.severity), h("span", {}, printable(each.text)))));
  });
  state.watch("rules", (list) => {
    const most = Math.max(1, ...(list || []).map((each) => each.hits || 0));
    refill(table, h("h3", {}, "Rules"),
      (list || []).length
        ? h(
            "table",
            { class: "wb-grid-table" },
            h("thead", {}, h("tr", {}, ["on", "rule", "priority", "source", "hits", ""].map((each) => h("th", { scope: "col", class: each === "hits" ? "wb-right" : null }, each)))),
            h(
              "tbody",
              {},
              list.map((each) =>
                h(
                  "tr",
                  {},
                  h("td", {}, h("input", { type: "checkbox", checked: each.enabled, "aria-label": `Enable ${printable(each.name)}`, on: { change: (event) => model.send({ do: "enable", name: each.name, on: event.target.checked }) } })),
                  h("td", {}, h("button", { type: "button", class: "wb-link", title: "Edit this rule", on: { click: () => model.send({ do: "edit", name: each.name }) } }, printable(each.name))),
                  h("td", {}, h("span", { class: `wb-priority wb-p-${each.priority}` }, each.priority)),
                  h("td", {}, printable(each.source)),
                  h("td", { class: "wb-right" }, h("span", { class: "wb-hit-bar", "aria-hidden": "true", style: { width: `${(60 * (each.hits || 0)) / most}px` } }), each.hits === null ? "–" : grouped(each.hits)),
                  h("td", {}, button("Remove", () => model.send({ do: "remove", name: each.name }), { icon: "cross", bare: true, quiet: true, "aria-label": `Remove ${printable(each.name)}` })),
                ),
              ),
            ),
          )
        : h("p", { class: "wb-muted wb-hint" }, "Empty. Add the rule you are writing, or import a rules file."),
    );
  });
  state.watch("overlap", (list) => {
    overlap.hidden = !list || !list.length;
    refill(overlap, h("h3", {}, "Overlap"),
      h("table", { class: "wb-grid-table" }, h("thead", {}, h("tr", {}, ["rule", "and", "events both match"].map((each) => h("th", { scope: "col", class: each.startsWith("events") ? "wb-right" : null }, each)))), h("tbody", {}, (list || []).map((each) => h("tr", {}, h("td", {}, printable(each.a)), h("td", {}, printable(each.b)), h("td", { class: "wb-right" }, `${grouped(each.both)} (${each.share})`))))),
    );
  });
  state.watch("compare", (data) => {
    compare.hidden = !data;
    if (!data) return;
    refill(compare, h("h3", {}, "Compared with ", printable(data.path)),
      h("table", { class: "wb-grid-table" }, h("thead", {}, h("tr", {}, data.columns.map((each) => h("th", { scope: "col" }, each)))), h("tbody", {}, data.rows.map((row) => h("tr", {}, row.map((each) => h("td", {}, printable(each))))))),
    );
  });
  return () => state.stop();
}
