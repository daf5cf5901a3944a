// The event table: its bar of filters, its grid, breakdowns in its place.
import { btn, disable, grouped, h, ib, isOff, onInput, seg, setValue, short } from "./dom.js";
import { printable } from "./text.js";
import { makeEmpty } from "./empty.js";
import { makeGrid } from "./grid.js";
import { makeHead } from "./head.js";
import { icon } from "./icons.js";
import { mark } from "./marks.js";
import { loadModule } from "./modules.js";
import { makeRowMenu } from "./row_menu.js";

export function makeTable(app) {
  const { bus } = app;
  const table = { app, bus };
  const shows = seg("Rows", [["all", "All"], ["match", "Matches", mark("match")], ["near", "Near", mark("near")], ["changed", "Changed", h("span", { class: "wb-pm", "aria-hidden": "true" }, "±")]], (value) => toggleShow(value));
  const chips = h("div", { class: "wb-chips", role: "group", "aria-label": "Filters" });
  const find = h("input", { type: "search", class: "wb-find-in", placeholder: "Find in rows", "aria-label": "Find in rows", autocomplete: "off", spellcheck: "false" });
  const follow = ib("tail", "Follow the newest", () => bus.send("table", "follow", { on: !bus.get("table").follow }), { key: "G", class: "wb-follow", "aria-pressed": "false" });
  const columns = ib("columns", "Columns", () => table.head.chooser(columns), { "aria-haspopup": "dialog" });
  const bars = ib("bars", "Break down", () => breakdown(), { key: "B" });
  const dock = ib("dock", "Event and rule", () => app.dock.toggle(), { key: "3", class: "wb-dock-tool" });
  table.bar = h("div", { class: "wb-tbar", role: "toolbar", "aria-label": "Rows shown", "data-region": "table bar" }, shows.node, chips, h("label", { class: "wb-find wb-find-rows" }, icon("search"), find), h("span", { class: "wb-grow" }), follow, columns, bars, dock);
  table.pill = btn("newer rows", () => bus.send("table", "follow", { on: true }), { icon: "tail", class: "wb-pill-new", hidden: true });
  table.banner = h("div", { class: "wb-banners" });
  table.head = makeHead(table);
  table.grid = makeGrid(table);
  table.menu = makeRowMenu(table);
  table.empty = makeEmpty(table);
  const breaks = h("div", { class: "wb-break-slot" });
  let broken = null;
  table.breaks = { hide: () => Boolean(broken) && broken.hide() };
  table.node = h("div", { class: "wb-table", "data-region": "table" }, table.grid.node, table.empty.node, breaks, table.banner, table.pill);

  function toggleShow(value) {
    const one = shows.buttons.get(value).one;
    if (isOff(one)) return;
    if (value === "all") return show([]);
    const now = new Set(bus.get("table").show || []);
    if (now.has(value)) now.delete(value);
    else now.add(value);
    show([...now]);
  }

  function show(names) {
    // The next press may come before Python has answered.
    if (bus.state.table) bus.state.table.show = names;
    bus.send("table", "show", { show: names });
  }

  function breakdown(name) {
    const column = name || table.grid.column || (bus.get("table").shown || []).find((each) => !each.startsWith("evt."));
    if (column) {
      loadModule(bus, "later").then((later) => {
        if (!later) return;
        if (!broken) {
          broken = later.default.makeBreakdown(table);
          breaks.append(broken.node);
        }
        broken.open(column);
      });
    }
  }

  onInput(find, (text) => bus.send("table", "find", { text }), 120);
  find.addEventListener("keydown", (event) => {
    if (event.key === "Escape" || event.key === "Enter") {
      event.stopPropagation();
      table.grid.focus();
    }
  });

  bus.watch("table", ["counts", "show"], (counts, show_) => {
    const now = new Set(show_ && show_.length ? show_ : ["all"]);
    shows.set(now);
    const words = { all: "All", match: "Matches", near: "Near", changed: "Changed" };
    for (const [key, { one, words: node }] of shows.buttons) {
      const count = (counts || {})[key];
      node.replaceChildren(h("span", { class: key === "all" ? "" : "wb-seg-word" }, words[key]), " ", h("span", { class: "wb-num" }, count === null || count === undefined ? "" : short(count)));
      one.title = count === null || count === undefined ? "" : `${words[key]}: ${grouped(count)}`;
      one.setAttribute("aria-label", `${words[key]} ${count === null || count === undefined ? "" : grouped(count)}`.trim());
      if (key === "match" || key === "near") disable(one, count === null || count === undefined ? "no condition" : "");
      if (key === "changed") one.hidden = count === null || count === undefined;
    }
  });
  bus.watch("table", "chips", (list) => {
    chips.replaceChildren(...(list || []).map((chip, index) => draw(chip, index)));
    chips.hidden = !(list || []).length;
  });

  function draw(chip, index) {
    const text = h("button", { type: "button", class: "wb-chip-text", title: `${printable(chip.check)}\nclick flips it`, on: { click: () => bus.send("table", "chips", flip(index)), contextmenu: (event) => menu(event, index) } }, printable(chip.field), chip.not ? h("b", {}, " not ") : " ", h("span", { class: "wb-mono" }, printable(chip.value)));
    const remove = h("button", { type: "button", class: "wb-ib wb-mini", title: "Remove this filter", "aria-label": `Remove the filter ${printable(chip.field)} ${printable(chip.value)}`, on: { click: () => change("remove", index) } }, icon("cross"));
    const node = h("span", { class: "wb-chip", draggable: "true" }, text, remove);
    node.addEventListener("dragstart", (event) => {
      event.dataTransfer.setData("text/plain", chip.not ? `not (${chip.check})` : chip.check);
    });
    return node;
  }

  const flip = (index) => ({ act: "flip", index });
  function change(act, index) {
    bus.send("table", "chips", { act, index: index || 0 });
  }

  function menu(event, index) {
    event.preventDefault();
    app.layers.menu([
      { label: "Flip", run: () => change("flip", index) },
      { label: "Remove", run: () => change("remove", index) },
      null,
      { label: "Filters to the condition", run: () => change("condition") },
      { label: "Remove all filters", run: () => change("clear") },
    ], event.currentTarget, { label: "Filter" });
  }

  bus.watch("table", "find", (text) => setValue(find, text || ""));
  bus.watch("table", "follow", (on) => follow.setAttribute("aria-pressed", String(Boolean(on))));
  bus.watch("stream", ["phase"], (phase) => {
    follow.hidden = !["running", "waiting", "paused", "starting"].includes(phase);
  });
  // A filter dropped on the editor becomes a check.
  app.condition.editor.addEventListener("dragover", (event) => event.preventDefault());
  app.condition.editor.addEventListener("drop", (event) => {
    const text = event.dataTransfer.getData("text/plain");
    if (!text) return;
    event.preventDefault();
    bus.send("condition", "insert", { text });
  });

  table.show = show;
  table.breakdown = breakdown;
  table.find = () => find.focus();
  table.focus = () => table.grid.focus();
  // Bring an event into view by its number, and select it.
  table.reveal = async (number) => {
    const at = await bus.ask("table", "index_of", { number });
    if (at >= 0) table.grid.go(at);
    else {
      show([]);
      const again = await bus.ask("table", "index_of", { number });
      if (again >= 0) table.grid.go(again);
      else app.status.say(`event ${number} is hidden by the filters`);
    }
  };
  table.chips = change;
  return table;
}
