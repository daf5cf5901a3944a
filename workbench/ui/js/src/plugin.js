// Pick a plugin, see what it says of itself, configure it.
import { h, button, onInput, printable, printableLines, refill, setValue, uid, watcher } from "./dom.js";
import { schemaForm } from "./form.js";

export function pluginView(model, el) {
  const listId = uid("paths");
  const paths = h("datalist", { id: listId });
  const path = h("input", { class: "wb-input wb-grow wb-code", list: listId, placeholder: "path of a plugin (.so) or a falco.yaml", "aria-label": "Path of a plugin or a falco.yaml", spellcheck: "false", autocomplete: "off" });
  path.addEventListener("input", () => model.send({ do: "paths", prefix: path.value }));
  path.addEventListener("keydown", (event) => {
    if (event.key === "Enter") model.send({ do: "inspect", path: path.value });
  });
  const look = button("Inspect", () => model.send({ do: "inspect", path: path.value }));
  const load = button("Load", () => model.send({ do: "load", path: path.value }), { class: "wb-primary" });
  const samples = h("div", { class: "wb-chips", role: "group", "aria-label": "Plugins found" });
  const error = h("section", { class: "wb-card wb-crash", role: "alert", hidden: true });
  const about = h("section", { class: "wb-card" });
  const config = h("section", { class: "wb-card", hidden: true });
  const fields = h("section", { class: "wb-card", hidden: true });
  const log = h("section", { class: "wb-card", hidden: true });
  el.append(
    h("div", { class: "wb-bar" }, path, paths, look, load),
    samples,
    error,
    h("div", { class: "wb-columns" }, h("div", {}, about, config, log), fields),
  );

  let form = null;
  const state = watcher(model);
  state.watch("path", (text) => setValue(path, text));
  state.watch("paths", (list) => refill(paths, ...(list || []).map((each) => h("option", { value: each }))));
  state.watch("samples", (list) => {
    samples.hidden = !list || !list.length;
    refill(samples, ...(list || []).map((each) =>
        h("button", { type: "button", class: "wb-chip", title: printable(each.path), on: { click: () => ((path.value = each.path), model.send({ do: "inspect", path: each.path })) } }, printable(each.name)),
      ),
    );
  });
  state.watch("error", (text) => {
    error.hidden = !text;
    refill(error, h("h3", {}, "This did not work"), h("pre", { class: "wb-pre" }, printableLines(text || "")));
  });
  state.watch("about", drawAbout);
  state.watch(["schema", "config_serial"], drawConfig);
  state.watch("config_errors", (errors) => form && form.errors(errors || {}));
  state.watch("fields", drawFields);
  state.watch("log", (lines) => {
    log.hidden = !lines || !lines.length;
    refill(log, h("h3", {}, "Log"), h("pre", { class: "wb-pre wb-log-lines", tabIndex: 0, "aria-label": "Log of the plugin" }, printableLines((lines || []).join("\n"))));
  });

  function drawAbout(data) {
    about.hidden = !data;
    if (!data) return;
    refill(about, h("h3", {}, printable(data.name || "unnamed plugin"), " ", h("span", { class: "wb-muted" }, printable(data.version || ""))),
      h("p", {}, printable(data.description || "")),
      h("dl", { class: "wb-facts" }, data.facts.map(([key, value]) => [h("dt", {}, key), h("dd", {}, printable(value))])),
      h("ul", { class: "wb-caps", "aria-label": "Capabilities" }, data.capabilities.map((each) => h("li", {}, h("b", {}, each.name), " ", each.sentence))),
      data.complaints.length ? h("div", { class: "wb-complaint wb-error" }, h("ul", {}, data.complaints.map((each) => h("li", {}, printable(each))))) : null,
    );
  }

  function drawConfig(schema) {
    const current = model.get("state");
    config.hidden = !current.about;
    form = null;
    const raw = h("textarea", { class: "wb-input wb-area wb-code", rows: 4, spellcheck: "false", "aria-label": "Init config as text" });
    raw.value = current.config_text || "";
    onInput(raw, (value) => model.send({ do: "config_text", value }));
    const rawFold = h("details", { class: "wb-fold", open: !schema }, h("summary", {}, schema ? "As JSON text" : "Init config"), raw);
    if (schema) {
      form = schemaForm(schema, current.config_value || {}, (value) => {
        raw.value = JSON.stringify(value);
        model.send({ do: "config", value });
      });
      form.errors(current.config_errors || {});
    }
    refill(config, h("h3", {}, "Init config"), form ? form.node : h("p", { class: "wb-muted" }, "The plugin declares no schema: the text goes to it as it is."), rawFold);
  }

  function drawFields(list) {
    fields.hidden = !list || !list.length;
    if (fields.hidden) return;
    const search = h("input", { type: "search", class: "wb-input", placeholder: "Search fields", "aria-label": "Search fields" });
    const rows = list.map((each) => ({
      text: `${each.name} ${each.desc} ${each.display}`.toLowerCase(),
      node: h(
        "tr",
        {},
        h("td", {}, h("button", { type: "button", class: "wb-link wb-code", title: "Use in the condition", on: { click: () => model.send({ do: "use_field", name: each.name }) } }, printable(each.name))),
        h("td", { class: "wb-type" }, each.type + (each.is_list ? " list" : "")),
        h("td", {}, each.argument ? h("div", { class: "wb-muted" }, `${each.argument} argument`) : null, printable(each.desc || each.display || "")),
      ),
    }));
    const count = h("span", { class: "wb-muted", role: "status" }, `${rows.length} fields`);
    search.addEventListener("input", () => {
      const needle = search.value.toLowerCase();
      let shown = 0;
      for (const row of rows) {
        row.node.hidden = !row.text.includes(needle);
        if (!row.node.hidden) shown += 1;
      }
      count.textContent = needle ? `${shown} of ${rows.length} fields` : `${rows.length} fields`;
    });
    refill(fields, h("div", { class: "wb-bar" }, h("h3", {}, "Fields"), count, h("span", { class: "wb-grow" }), search),
      h("div", { class: "wb-scroll", tabIndex: 0, role: "region", "aria-label": "Fields" }, h("table", { class: "wb-grid-table" }, h("thead", {}, h("tr", {}, ["field", "type", "meaning"].map((each) => h("th", { scope: "col" }, each)))), h("tbody", {}, rows.map((row) => row.node)))),
    );
  }

  return () => state.stop();
}
