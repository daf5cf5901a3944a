// The fields at the left: search, fill, distinct values, and the values themselves.
import { grouped, h, ib, lk, short, uid } from "./dom.js";
import { printable } from "./text.js";
import { icon } from "./icons.js";

const ROW = 22;
const SLACK = 10;
const TYPES = { string: "abc", uint64: "123", bool: "y/n", ipaddr: "ip", ipnet: "net", reltime: "dur", abstime: "time", time: "time" };

export function makeFields(app) {
  const { bus } = app;
  const id = uid("fields");
  const search = h("input", { class: "wb-find-in", type: "search", "aria-label": "Search fields", placeholder: "fields", tabIndex: -1 });
  const fold = ib("left", "Fold the fields", () => app.layout.fold(), { key: "1", tabIndex: -1 });
  const tree = h("div", { class: "wb-tree", role: "tree", "aria-label": "Fields", tabIndex: 0 });
  const node = h("div", { class: "wb-fields", "data-region": "fields" }, h("div", { class: "wb-fields-head" }, h("div", { class: "wb-find" }, icon("search"), search, h("kbd", {}, "/")), fold), tree);
  const railText = h("b", {});
  const rail = h("div", { class: "wb-rail" }, ib("left", "Fields", () => app.layout.openFields(), { key: "1" }), h("button", { type: "button", tabIndex: -1, "aria-hidden": "true", on: { click: () => app.layout.openFields() } }, h("span", {}, "Fields"), railText));
  const splitter = h("div", { class: "wb-splitter wb-split-fields", role: "separator", "aria-orientation": "vertical", "aria-label": "Width of the fields", tabIndex: -1, "data-region": "Width of the fields" });
  const stats = new Map();
  const open = new Map();
  let fields = [];
  let items = [];
  let active = 0;
  let version = -1;
  let asked = 0;

  // The list is virtual: 500 fields cost what twenty do.
  function build() {
    const needle = search.value.trim().toLowerCase();
    const shown = new Set(bus.get("table").shown || []);
    const known = fields.filter((field) => !needle || field.name.toLowerCase().includes(needle) || (field.desc || "").toLowerCase().includes(needle) || valueHit(field, needle));
    const first = known.filter((field) => shown.has(field.name));
    const rest = known.filter((field) => !shown.has(field.name));
    items = [];
    const add = (title, list) => {
      if (!list.length) return;
      items.push({ kind: "group", title, count: list.length });
      for (const field of list) {
        items.push({ kind: "field", field });
        const values = open.get(field.name);
        if (values) {
          const rows = values.rows || [];
          if (!values.rows) items.push({ kind: "wait" });
          rows.forEach((row, index) => items.push({ kind: "value", field, row, index, most: values.most }));
          if (values.rows) items.push({ kind: "more", field, values });
        }
      }
    };
    add("In the table", first);
    const prefixes = new Set(rest.map((field) => field.name.split(".")[0]));
    if (fields.length > 60 && prefixes.size > 1) for (const prefix of prefixes) add(prefix, rest.filter((field) => field.name.split(".")[0] === prefix));
    else add("Other", rest);
    search.placeholder = `${fields.length} fields`;
    railText.textContent = String(fields.length);
    active = Math.min(active, Math.max(0, items.length - 1));
    paint();
  }

  function valueHit(field, needle) {
    const values = open.get(field.name);
    return Boolean(values && values.rows && values.rows.some((row) => (row.text || "").toLowerCase().includes(needle)));
  }

  function paint() {
    const top = Math.max(0, Math.floor(tree.scrollTop / ROW) - SLACK);
    const end = Math.min(items.length, top + Math.ceil((tree.clientHeight || 600) / ROW) + 2 * SLACK);
    const had = tree.contains(document.activeElement) && document.activeElement !== tree;
    tree.replaceChildren(
      h("div", { style: { height: `${top * ROW}px` }, role: "presentation" }),
      ...items.slice(top, end).map((item, at) => draw(item, top + at)),
      h("div", { style: { height: `${Math.max(0, items.length - end) * ROW}px` }, role: "presentation" }),
    );
    if (had) tree.focus();
    tree.setAttribute("aria-activedescendant", `${id}-${active}`);
    want(items.slice(top, end).filter((item) => item.kind === "field").map((item) => item.field.name));
  }

  function draw(item, at) {
    const here = at === active ? " wb-here" : "";
    const props = { id: `${id}-${at}`, "data-at": String(at) };
    if (item.kind === "group") return h("div", { class: "wb-f wb-grp", role: "treeitem", "aria-level": "1", "aria-expanded": "true", ...props }, printable(item.title), " ", h("span", { class: "wb-dim" }, String(item.count)));
    if (item.kind === "wait") return h("div", { class: "wb-f wb-skel", role: "presentation", ...props }, h("i", {}));
    if (item.kind === "field") {
      const { field } = item;
      const known = stats.get(field.name);
      const expanded = open.has(field.name);
      const name = field.name.includes(".") ? field.name.slice(field.name.indexOf(".") + 1) : field.name;
      const sign = known && known.sampled ? "~" : "";
      return h("div", { class: `wb-f wb-field-row${here}`, role: "treeitem", "aria-level": "2", "aria-expanded": String(expanded), "aria-label": `${field.name}, ${field.type}${field.list ? " list" : ""}`, title: `${field.name}\n${printable(field.desc || "")}`, draggable: "true", ...props },
        icon(expanded ? "down" : "right"), h("span", { class: "wb-ty" }, field.list ? "[ ]" : TYPES[field.type] || field.type), h("span", { class: "wb-clip wb-grow" }, printable(name)),
        h("span", { class: "wb-fill", title: known ? `${Math.round(100 * known.fill)} % of the events have it` : "" }, h("i", { style: { width: known ? `${100 * known.fill}%` : "0" } })),
        h("span", { class: "wb-dc", title: "different values" }, known ? `${sign}${short(known.distinct)}` : ""));
    }
    if (item.kind === "value") {
      const { row, most } = item;
      const usable = Boolean(row.check);
      return h("div", { class: `wb-f wb-v${here}`, role: "treeitem", "aria-level": "3", title: printable(row.text || ""), ...props },
        h("span", { class: "wb-vb" }, h("i", { style: { width: `${(100 * row.count) / most}%` } }), row.matches ? h("u", { style: { width: `max(2px, ${(100 * row.matches) / most}%)` } }) : null),
        h("span", { class: `wb-mono wb-clip wb-grow wb-vt ${row.absent ? "wb-dim" : ""}` }, row.absent ? "absent" : printable(row.text) || '""'),
        h("span", { class: "wb-vc wb-num" }, grouped(row.count)),
        usable ? h("span", { class: "wb-va" }, small("plus", "Keep only", item, false), small("minus", "Hide", item, true)) : null);
    }
    const rest = item.values.distinct - item.values.rows.length;
    return h("div", { class: "wb-f wb-vmore", role: "presentation", ...props }, rest > 0 && item.values.rows.length < 60 ? lk(`${grouped(rest)} more`, () => fetch(item.field.name, 60), { tabIndex: -1 }) : h("span", {}), lk("Break down", () => app.table.breakdown(item.field.name), { tabIndex: -1 }));
  }

  function small(shape, label, item, negate) {
    return h("button", { type: "button", class: "wb-ib wb-mini", tabIndex: -1, title: `${label} ${printable(item.row.text || "absent")}`, "aria-label": `${label} ${printable(item.row.text || "absent")}`, on: { click: (event) => { event.stopPropagation(); chip(item, negate, event.shiftKey); } } }, icon(shape));
  }

  function chip(item, negate, asCheck) {
    bus.send("fields", asCheck ? "check" : "chip", { field: item.field.name, index: item.index, negate });
  }

  async function want(names) {
    const missing = names.filter((name) => !stats.has(name));
    if (!missing.length || !bus.get("table").events) return;
    const mine = (asked += 1);
    for (const name of missing) stats.set(name, null);
    const found = await bus.ask("fields", "stats", { names: missing });
    for (const [name, value] of Object.entries(found || {})) stats.set(name, value);
    for (const name of missing) if (!stats.get(name)) stats.delete(name);
    if (found && Object.keys(found).length && mine <= asked) paint();
  }

  async function fetch(name, count) {
    const values = await bus.ask("fields", "values", { name, count });
    if (!open.has(name) || !values) return;
    values.most = Math.max(1, ...values.rows.map((row) => row.count));
    open.set(name, values);
    build();
  }

  function toggle(name) {
    if (open.has(name)) open.delete(name);
    else {
      open.set(name, {});
      fetch(name, 12);
    }
    build();
  }

  function act(item, event) {
    if (!item) return;
    if (item.kind === "field") toggle(item.field.name);
    else if (item.kind === "value" && item.row.check) chip(item, false, event.shiftKey);
  }

  tree.addEventListener("click", (event) => {
    const row = event.target.closest("[data-at]");
    if (!row || event.target.closest("button")) return;
    active = Number(row.dataset.at);
    if (items[active].kind === "field") act(items[active], event);
    else paint();
  });
  tree.addEventListener("contextmenu", (event) => {
    const row = event.target.closest("[data-at]");
    const item = row && items[Number(row.dataset.at)];
    if (!item || !item.field) return;
    event.preventDefault();
    menu(item, { left: event.clientX, right: event.clientX, top: event.clientY, bottom: event.clientY });
  });

  function menu(item, anchor) {
    const { field } = item;
    const shown = bus.get("table").shown || [];
    const inTable = shown.includes(field.name);
    const list = [{ head: field.name }];
    if (item.kind === "value") list.push({ label: "Keep only this value", key: "+", run: () => chip(item, false) }, { label: "Hide this value", key: "−", run: () => chip(item, true) }, { label: "Add it as a check", key: "Shift", run: () => chip(item, false, true) }, { label: "Add it as a “not” check", run: () => chip(item, true, true) }, null);
    list.push({ label: inTable ? "Take out of the table" : "Show in the table", run: () => bus.send("table", "columns", { names: inTable ? shown.filter((name) => name !== field.name) : [...shown, field.name] }) }, { label: "Break down", key: "B", run: () => app.table.breakdown(field.name) }, { label: "Use in the condition", run: () => bus.send("plugin", "use_field", { name: field.name }) });
    app.layers.menu(list, anchor, { label: field.name });
  }

  tree.addEventListener("keydown", (event) => {
    const item = items[active];
    const step = { ArrowDown: 1, ArrowUp: -1, PageDown: 12, PageUp: -12 }[event.key];
    if (event.key === "ArrowUp" && active <= 1) search.focus();
    else if (step) move(active + step, Math.sign(step));
    else if (event.key === "Home") move(0, 1);
    else if (event.key === "End") move(items.length - 1, -1);
    else if (event.key === "ArrowRight" && item && item.kind === "field" && !open.has(item.field.name)) toggle(item.field.name);
    else if (event.key === "ArrowLeft" && item && item.field && open.has(item.field.name)) {
      const at = items.findIndex((each) => each.kind === "field" && each.field === item.field);
      active = at;
      toggle(item.field.name);
    } else if (event.key === "Enter" || (event.key === "+" && item && item.kind === "value")) act(item, event);
    else if ((event.key === "-" || event.key === "−") && item && item.kind === "value") chip(item, true, false);
    else if ((event.key === "b" || event.key === "B") && item && item.field) app.table.breakdown(item.field.name);
    else if (((event.key === "F10" && event.shiftKey) || event.key === "ContextMenu") && item && item.field) menu(item, document.getElementById(`${id}-${active}`) || tree);
    else return;
    event.preventDefault();
    event.stopPropagation();
  });

  function move(to, direction) {
    let at = Math.min(items.length - 1, Math.max(0, to));
    while (items[at] && ["group", "wait"].includes(items[at].kind) && items[at + direction]) at += direction;
    active = at;
    if (at * ROW < tree.scrollTop) tree.scrollTop = at * ROW;
    else if ((at + 1) * ROW > tree.scrollTop + tree.clientHeight) tree.scrollTop = (at + 1) * ROW - tree.clientHeight;
    paint();
  }

  let frame = 0;
  tree.addEventListener("scroll", () => {
    if (!frame) frame = requestAnimationFrame(() => { frame = 0; paint(); });
  });
  search.addEventListener("input", build);
  search.addEventListener("keydown", (event) => {
    if (event.key === "ArrowDown") {
      event.preventDefault();
      tree.focus();
    } else if (event.key === "Escape" && search.value) {
      search.value = "";
      build();
      event.stopPropagation();
    }
  });

  bus.watch("fields", "fields", (list) => {
    fields = list || [];
    stats.clear();
    build();
  });
  bus.watch("table", "shown", build);
  let soon = 0;
  bus.watch("fields", "version", (value) => {
    if (value === version) return;
    version = value;
    clearTimeout(soon);
    // Values follow the filters; what is open is counted again when typing pauses.
    soon = setTimeout(() => {
      for (const name of open.keys()) fetch(name, (open.get(name).rows || []).length > 14 ? 60 : 12);
      if (bus.get("table").events) paint();
    }, 150);
  });
  const observer = new ResizeObserver(() => paint());
  observer.observe(tree);
  app.release.push(() => {
    clearTimeout(soon);
    observer.disconnect();
  });

  return {
    node,
    rail,
    splitter,
    focus: () => search.focus(),
    forget() {
      stats.clear();
      paint();
    },
  };
}
