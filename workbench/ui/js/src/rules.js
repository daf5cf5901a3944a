// The Rules place: files, rules with their counts, macros and lists, import, comparison.
import { btn, disable, grouped, h, ib, isOff, lk, refill } from "./dom.js";
import { printable } from "./text.js";
import { icon } from "./icons.js";

export function makeRules(app) {
  const { bus } = app;
  const make = btn("New rule", () => { app.go("events"); app.dock.newRule(); }, { icon: "plus" });
  const take = btn("Import …", () => ask("Import a rules file", "Rules file to import", "Import", (path) => bus.send("rules", "import", { path }), take));
  const all = btn("Save all", () => !isOff(all) && saveAll(), { icon: "save" });
  const compare = btn("Compare with …", () => ask("Compare with another version", "Rules file to compare with", "Compare", (path) => bus.send("rules", "compare", { path }), compare));
  const overlap = btn("Overlap", () => showOverlap());
  const search = h("input", { class: "wb-in wb-search", type: "search", placeholder: "Search rules", "aria-label": "Search rules" });
  const message = h("div", { class: "wb-place-message", role: "status" });
  const files = h("div", { class: "wb-files" });
  const items = h("div", { class: "wb-items" });
  const table = h("div", { class: "wb-scroll", tabIndex: 0, role: "region", "aria-label": "Rules" });
  const compared = h("div", { class: "wb-compared" });
  const node = h("div", { class: "wb-place wb-place-rules", "data-region": "rules" },
    h("div", { class: "wb-place-bar" }, make, take, all, compare, overlap, h("span", { class: "wb-grow" }), search),
    message,
    h("div", { class: "wb-place-body" }, h("div", { class: "wb-place-left" }, h("div", { class: "wb-sub" }, "Files"), files, h("div", { class: "wb-sub" }, "Macros and lists"), items), h("div", { class: "wb-place-main" }, table, compared)));

  function ask(title, label, verb, done, anchor) {
    const path = h("input", { class: "wb-in wb-mono", placeholder: "path of a rules file", "aria-label": label, spellcheck: "false", "data-first": "1" });
    const go = () => {
      layer.close();
      done(path.value);
    };
    path.addEventListener("keydown", (event) => event.key === "Enter" && go());
    const layer = app.layers.dialog(title, h("div", { class: "wb-form" }, h("label", { class: "wb-inline wb-dim" }, label), path, h("div", { class: "wb-row-buttons" }, btn(verb, go, { pri: true }))), anchor, { width: 380 });
  }

  function saveAll() {
    const nameless = (bus.get("rules").files || []).some((file) => file.unsaved && file.name === "rules.yaml");
    if (nameless) ask("Save the rules", "Rules file to save", "Save", (path) => bus.send("rules", "save_all", { path }), all);
    else bus.send("rules", "save_all", {});
  }

  async function showOverlap() {
    const pairs = await bus.latest("rules", "overlap");
    if (!pairs) return;
    app.layers.dialog("Rules that match the same events", pairs.length ? h("table", { class: "wb-data" }, h("tbody", {}, pairs.map((pair) => h("tr", {}, h("td", {}, printable(pair.a)), h("td", {}, printable(pair.b)), h("td", { class: "wb-right wb-num" }, grouped(pair.both)), h("td", { class: "wb-dim" }, pair.share))))) : h("p", { class: "wb-dim" }, "No two rules match the same event."), overlap, { width: 520 });
  }

  function drawRules() {
    const list = bus.get("rules").rules || [];
    const needle = search.value.trim().toLowerCase();
    const shown = list.filter((rule) => !needle || rule.name.toLowerCase().includes(needle)).slice(0, 500);
    const most = Math.max(1, ...shown.map((rule) => rule.matched || 0));
    const events = bus.get("table").events || 0;
    if (!list.length) {
      refill(table, h("div", { class: "wb-pad" }, h("p", { class: "wb-dim" }, "No rules yet. Import a rules file, or make a rule of a condition.")));
      return;
    }
    const heads = ["on", "name", "priority", "source", "matched", "alerted", "file", ""];
    refill(table, h("table", { class: "wb-data wb-rules-table" }, h("caption", { class: "wb-dim" }, `Counted on all ${grouped(events)} events. Matched: the rule alone; alerted: as Falco runs them, the first match of an event alone.`), h("thead", {}, h("tr", {}, heads.map((each) => h("th", { scope: "col", class: ["matched", "alerted"].includes(each) ? "wb-right" : "" }, each || h("span", { class: "wb-offscreen" }, "actions"))))), h("tbody", {}, shown.map((rule) => row(rule, most)))), shown.length < list.length ? h("p", { class: "wb-dim wb-pad" }, `${grouped(shown.length)} of ${grouped(list.length)} rules; search to see others`) : null);
  }

  function row(rule, most) {
    const on = h("input", { type: "checkbox", checked: rule.enabled, "aria-label": `${rule.name} is on` });
    on.addEventListener("change", () => bus.send("rules", "enable", { name: rule.name, on: on.checked }));
    const open = () => {
      bus.send("rule", "open", { name: rule.name });
      app.go("events");
      app.dock.show("rule");
    };
    const bar = rule.matched ? h("span", { class: "wb-hit-bar", style: { width: `${Math.max(2, (60 * rule.matched) / most)}px` } }) : null;
    const count = rule.problem ? h("td", { class: "wb-err", colspan: "2" }, icon("alert"), " ", printable(rule.problem)) : rule.other ? h("td", { class: "wb-dim", colspan: "2" }, `other source: ${printable(rule.other)}`) : null;
    return h("tr", {}, h("td", {}, on), h("td", {}, lk(printable(rule.name), open), rule.dirty ? h("span", { class: "wb-dirty", title: "unsaved" }, h("span", { class: "wb-offscreen" }, " unsaved")) : null), h("td", {}, rule.priority), h("td", {}, printable(rule.source)),
      count || [h("td", { class: "wb-right wb-num" }, bar, rule.matched === undefined ? "" : grouped(rule.matched)), h("td", { class: "wb-right wb-num" }, rule.alerted === undefined ? "" : grouped(rule.alerted))],
      h("td", { class: "wb-dim" }, rule.file ? `${printable(rule.file)}:${rule.line}` : ""), h("td", {}, ib("cross", `Remove ${printable(rule.name)}`, () => bus.send("rules", "remove", { name: rule.name }), { class: "wb-mini" })));
  }

  async function editItem(item, anchor) {
    const found = await bus.latest("rules", "item", { kind: item.kind, name: item.name });
    if (!found) return;
    const text = h("textarea", { class: "wb-in wb-area wb-mono", rows: 5, spellcheck: "false", "aria-label": item.kind === "macro" ? "Condition of the macro" : "Items of the list, with commas between" });
    text.value = found.text;
    const layer = app.layers.dialog(`${item.kind} ${printable(item.name)}`, h("div", { class: "wb-form" }, text, found.count === null ? null : h("p", { class: "wb-dim" }, `true for ${grouped(found.count)} events`), h("div", { class: "wb-row-buttons" }, btn("Change", () => { layer.close(); bus.send("rules", "set_item", { kind: item.kind, name: item.name, text: text.value }); }, { pri: true }))), anchor, { width: 460 });
  }

  bus.watch("rules", "rules", drawRules);
  search.addEventListener("input", drawRules);
  bus.watch("rules", "files", (list) => {
    const unsaved = (list || []).filter((file) => file.unsaved).length;
    refill(files, (list || []).length ? list.map((file) => h("div", { class: "wb-file", title: printable(file.name) }, h("span", { class: "wb-clip wb-grow" }, printable(file.name.replace(/^.*\//, ""))), file.unsaved ? h("span", { class: "wb-dirty", title: "unsaved" }) : null)) : h("div", { class: "wb-dim" }, "none"));
    all.querySelector(".wb-btn-text").textContent = unsaved ? `Save all (${unsaved})` : "Save all";
    disable(all, unsaved ? "" : "nothing to save");
  });
  bus.watch("rules", "macros", (list) => {
    refill(items, (list || []).slice(0, 400).map((item) => {
      const one = h("button", { type: "button", class: "wb-item", on: { click: () => editItem(item, one) } }, h("span", { class: "wb-ty" }, item.kind === "macro" ? "mac" : "list"), h("span", { class: "wb-clip" }, printable(item.name)));
      return one;
    }), (list || []).length ? null : h("div", { class: "wb-dim" }, "none"));
  });
  bus.watch("rules", ["message", "failed"], (words, failed) => {
    message.hidden = !words;
    message.classList.toggle("wb-err", Boolean(failed));
    refill(message, printable(words || ""), words ? ib("cross", "Dismiss", () => bus.send("rules", "dismiss"), { class: "wb-mini" }) : null);
  });
  bus.watch("rules", "compare", (found) => {
    if (!found) {
      refill(compared);
      return;
    }
    refill(compared, h("div", { class: "wb-sub" }, `Against ${printable(found.path)} `, ib("cross", "Dismiss", () => bus.send("rules", "dismiss"), { class: "wb-mini" })), found.rows.length ? h("div", { class: "wb-scroll", tabIndex: 0, role: "region", "aria-label": "Comparison" }, h("table", { class: "wb-data" }, h("thead", {}, h("tr", {}, found.columns.map((each) => h("th", { scope: "col" }, printable(each))))), h("tbody", {}, found.rows.map((line) => h("tr", {}, line.map((cell) => h("td", {}, printable(cell)))))))) : h("p", { class: "wb-dim" }, "The same alerts."));
  });
  return { node };
}
