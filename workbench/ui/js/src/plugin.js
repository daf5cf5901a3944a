// The Plugin place: pick a plugin, see what it says of itself, configure it, ask it.
import { btn, h, onInput, refill, setValue, uid } from "./dom.js";
import { printable, printableLines } from "./text.js";
import { schemaForm } from "./form.js";

export function makePlugin(app) {
  const { bus } = app;
  const send = (what, values) => bus.send("plugin", what, values);
  const listId = uid("paths");
  const paths = h("datalist", { id: listId });
  const path = h("input", { class: "wb-in wb-grow wb-mono", list: listId, placeholder: "path of a plugin (.so) or a falco.yaml", "aria-label": "Path of a plugin or a falco.yaml", spellcheck: "false", autocomplete: "off" });
  path.addEventListener("input", () => send("paths", { prefix: path.value }));
  path.addEventListener("keydown", (event) => {
    if (event.key === "Enter") send("inspect", { path: path.value });
  });
  const look = btn("Inspect", () => send("inspect", { path: path.value }));
  const load = btn("Load", () => send("load", { path: path.value }), { pri: true });
  const samples = h("div", { class: "wb-samples", role: "group", "aria-label": "Plugins found" });
  const error = h("section", { class: "wb-card wb-card-bad", role: "alert", hidden: true });
  const about = h("section", { class: "wb-card" });
  const config = h("section", { class: "wb-card", hidden: true });
  const fields = h("section", { class: "wb-card wb-card-fields", hidden: true });
  const said = h("p", { class: "wb-dim", role: "status" });
  const tables = h("div", {});
  const ask = h("section", { class: "wb-card" }, h("h3", {}, "What it keeps and counts"), h("div", { class: "wb-row-buttons" }, btn("State tables", () => bus.send("state", "tables")), btn("Metrics", () => bus.send("state", "metrics")), btn("Set config live", () => bus.send("state", "config"))), said, tables);
  const node = h("div", { class: "wb-place wb-place-plugin", "data-region": "plugin" },
    h("div", { class: "wb-place-bar" }, path, paths, look, load),
    h("div", { class: "wb-plugin-scroll", tabIndex: 0, role: "region", "aria-label": "Plugin" }, samples, error, h("div", { class: "wb-plugin-columns" }, h("div", {}, about, config, ask), fields)));

  let form = null;
  bus.watch("plugin", "path", (text) => setValue(path, text));
  bus.watch("plugin", "paths", (list) => refill(paths, ...(list || []).map((each) => h("option", { value: each }))));
  bus.watch("plugin", "samples", (list) => {
    samples.hidden = !list || !list.length;
    refill(samples, ...(list || []).map((each) =>
        h("button", { type: "button", class: "wb-btn wb-sm", title: printable(each.path), on: { click: () => ((path.value = each.path), send("inspect", { path: each.path })) } }, printable(each.name)),
      ),
    );
  });
  bus.watch("plugin", "error", (text) => {
    error.hidden = !text;
    refill(error, h("h3", {}, "This did not work"), h("pre", { class: "wb-pre" }, printableLines(text || "")));
  });
  bus.watch("plugin", "about", drawAbout);
  bus.watch("plugin", ["schema", "config_serial"], drawConfig);
  bus.watch("plugin", "config_errors", (errors) => form && form.errors(errors || {}));
  bus.watch("plugin", "fields", drawFields);
  bus.watch("state", ["said", "tables"], (words, list) => {
    said.textContent = printable(words || "");
    refill(tables, (list || []).map((table) => h("div", {}, h("h4", {}, printable(table.title)), h("div", { class: "wb-scroll wb-short", tabIndex: 0, role: "region", "aria-label": printable(table.title) }, h("table", { class: "wb-data" }, h("thead", {}, h("tr", {}, table.columns.map((each) => h("th", { scope: "col" }, printable(each))))), h("tbody", {}, table.rows.map((row) => h("tr", {}, row.map((cell) => h("td", { class: "wb-mono" }, printable(cell)))))))))));
  });

  function drawAbout(data) {
    about.hidden = !data;
    if (!data) return;
    refill(about, h("h3", {}, printable(data.name || "unnamed plugin"), " ", h("span", { class: "wb-dim" }, printable(data.version || ""))),
      h("p", {}, printable(data.description || "")),
      h("dl", { class: "wb-facts" }, data.facts.map(([key, value]) => [h("dt", {}, key), h("dd", {}, printable(value))])),
      h("ul", { class: "wb-caps", "aria-label": "Capabilities" }, data.capabilities.map((each) => h("li", {}, h("b", {}, each.name), " ", each.sentence))),
      data.complaints.length ? h("div", { class: "wb-complaint wb-error" }, h("ul", {}, data.complaints.map((each) => h("li", {}, printable(each))))) : null,
    );
  }

  function drawConfig(schema) {
    const current = bus.get("plugin");
    config.hidden = !current.about;
    form = null;
    const raw = h("textarea", { class: "wb-in wb-area wb-mono", rows: 4, spellcheck: "false", "aria-label": "Init config as text" });
    raw.value = current.config_text || "";
    onInput(raw, (value) => send("config_text", { value }));
    const rawFold = h("details", { class: "wb-fold", open: !schema }, h("summary", {}, schema ? "As JSON text" : "Init config"), raw);
    if (schema) {
      form = schemaForm(schema, current.config_value || {}, (value) => {
        raw.value = JSON.stringify(value);
        send("config", { value });
      });
      form.errors(current.config_errors || {});
    }
    refill(config, h("h3", {}, "Init config"), form ? form.node : h("p", { class: "wb-dim" }, "The plugin declares no schema: the text goes to it as it is."), rawFold);
  }

  function drawFields(list) {
    fields.hidden = !list || !list.length;
    if (fields.hidden) return;
    const search = h("input", { type: "search", class: "wb-in", placeholder: "Search fields", "aria-label": "Search fields" });
    const rows = list.map((each) => ({
      text: `${each.name} ${each.desc} ${each.display}`.toLowerCase(),
      node: h(
        "tr",
        {},
        h("td", {}, h("button", { type: "button", class: "wb-lk wb-mono", title: "Use in the condition", on: { click: () => send("use_field", { name: each.name }) } }, printable(each.name))),
        h("td", { class: "wb-type" }, each.type + (each.is_list ? " list" : "")),
        h("td", {}, each.argument ? h("div", { class: "wb-dim" }, `${each.argument} argument`) : null, printable(each.desc || each.display || "")),
      ),
    }));
    const count = h("span", { class: "wb-dim", role: "status" }, `${rows.length} fields`);
    search.addEventListener("input", () => {
      const needle = search.value.toLowerCase();
      let shown = 0;
      for (const row of rows) {
        row.node.hidden = !row.text.includes(needle);
        if (!row.node.hidden) shown += 1;
      }
      count.textContent = needle ? `${shown} of ${rows.length} fields` : `${rows.length} fields`;
    });
    refill(fields, h("div", { class: "wb-card-head" }, h("h3", {}, "Fields"), count, h("span", { class: "wb-grow" }), search),
      h("div", { class: "wb-scroll", tabIndex: 0, role: "region", "aria-label": "Fields" }, h("table", { class: "wb-data" }, h("thead", {}, h("tr", {}, ["field", "type", "meaning"].map((each) => h("th", { scope: "col" }, each)))), h("tbody", {}, rows.map((row) => row.node)))),
    );
  }

  return { node };
}
