// The columns: widths that fit what is in them, sorting, the chooser, the head's menu.
import { h } from "./dom.js";
import { printable } from "./text.js";

const LEAST = 44;
const MOST = 280;
const TEXT_LEAST = 96;
const GUTTER = 42;

export function makeHead(table) {
  const { app, bus } = table;
  const node = h("div", { role: "row", class: "wb-tr wb-th", "aria-rowindex": "1" });
  let fitted = [];
  let cell = 7.3;

  function measure() {
    const probe = h("span", { class: "wb-mono wb-probe" }, "0".repeat(40));
    (table.grid ? table.grid.node : document.body).append(probe);
    const wide = probe.getBoundingClientRect().width / 40;
    probe.remove();
    if (wide > 3) cell = wide;
  }

  const known = () => new Map((bus.get("table").columns || []).map((column) => [column.name, column]));

  function natural(column) {
    const own = (bus.get("table").widths || {})[column.name];
    if (own) return own;
    const head = column.head.length * 7.9 + 26;
    const text = Math.min(column.chars || 8, 40) * cell + 14;
    return Math.round(Math.max(LEAST, Math.min(MOST, Math.max(head, text))));
  }

  // Natural widths; long texts give way first, then the last columns leave. The widest
  // text takes the rest. Columns chosen by hand scroll instead.
  function fit() {
    const all = known();
    let list = (bus.get("table").shown || []).map((name) => all.get(name)).filter(Boolean);
    const room = table.grid.width() - GUTTER;
    const widths = new Map(list.map((column) => [column, natural(column)]));
    const sum = () => list.reduce((total, column) => total + widths.get(column), 0);
    const own = bus.get("table").widths || {};
    const texts = list.filter((column) => column.type === "string" && !own[column.name]);
    for (const column of [...texts].sort((a, b) => widths.get(b) - widths.get(a))) {
      const over = sum() - room;
      if (over > 0) widths.set(column, Math.max(TEXT_LEAST, widths.get(column) - over));
    }
    const byHand = bus.get("table").by_hand;
    while (!byHand && list.length > 3 && sum() > room) list = list.slice(0, -1);
    const widest = texts.filter((column) => list.includes(column)).sort((a, b) => (b.chars || 0) - (a.chars || 0))[0];
    fitted = list;
    const rest = room - sum();
    const taker = widest || list[list.length - 1];
    if (rest > 0 && taker) widths.set(taker, widths.get(taker) + rest);
    const parts = list.map((column) => `${widths.get(column)}px`);
    table.grid.node.style.setProperty("--wb-cols", `${GUTTER}px ${parts.join(" ")}`);
  }

  function draw() {
    fit();
    const sort = bus.get("table").sort || [];
    node.replaceChildren(h("div", { role: "columnheader", class: "wb-td wb-gutter", "aria-colindex": "1" }, h("span", { class: "wb-offscreen" }, "marks")), ...fitted.map((column, at) => one(column, at, sort)));
    table.grid.grid.setAttribute("aria-colcount", String(fitted.length + 1));
  }

  function one(column, at, sort) {
    const here = sort[0] === column.name;
    const word = here ? (sort[1] ? "descending" : "ascending") : "none";
    const grip = h("span", { class: "wb-grip", "aria-hidden": "true" });
    grip.addEventListener("pointerdown", (event) => resize(event, column));
    grip.addEventListener("dblclick", (event) => {
      event.stopPropagation();
      bus.send("table", "width", { column: column.name, width: natural({ ...column, chars: (column.chars || 8) + 2 }) });
    });
    grip.addEventListener("click", (event) => event.stopPropagation());
    const unit = column.type === "time" ? " UTC" : "";
    return h("div", { role: "columnheader", class: `wb-td ${column.right ? "wb-right" : ""}`, "aria-sort": word, "aria-colindex": String(at + 2), title: `${column.name}${unit}\n${printable(column.desc || "")}`, "aria-label": column.name, "data-column": column.name, on: { click: () => order(column), contextmenu: (event) => menu(event, column) } }, h("span", { class: "wb-clip" }, column.head), here ? h("span", { class: "wb-arrow", "aria-hidden": "true" }, sort[1] ? "▼" : "▲") : null, grip);
  }

  function order(column) {
    const sort = bus.get("table").sort || [];
    if (sort[0] !== column.name) bus.send("table", "sort", { column: column.name, descending: false });
    else if (!sort[1]) bus.send("table", "sort", { column: column.name, descending: true });
    else bus.send("table", "sort", {});
  }

  function resize(event, column) {
    event.preventDefault();
    event.stopPropagation();
    const start = event.clientX;
    const before = event.target.parentElement.getBoundingClientRect().width;
    let width = before;
    const grip = event.target;
    grip.setPointerCapture(event.pointerId);
    const move = (e) => {
      width = Math.max(40, Math.round(before + e.clientX - start));
      bus.state.table.widths = { ...(bus.get("table").widths || {}), [column.name]: width };
      fit();
    };
    grip.addEventListener("pointermove", move);
    grip.addEventListener("pointerup", () => {
      grip.removeEventListener("pointermove", move);
      if (width !== before) bus.send("table", "width", { column: column.name, width });
    }, { once: true });
  }

  function hide(name) {
    bus.send("table", "columns", { names: (bus.get("table").shown || []).filter((each) => each !== name) });
  }

  function menu(event, column) {
    event.preventDefault();
    const shown = bus.get("table").shown || [];
    app.layers.menu([
      { head: column.name },
      { label: "Sort up", run: () => bus.send("table", "sort", { column: column.name, descending: false }) },
      { label: "Sort down", run: () => bus.send("table", "sort", { column: column.name, descending: true }) },
      { label: "As they came", run: () => bus.send("table", "sort", {}) },
      null,
      { label: "Move to the left", run: () => bus.send("table", "columns", { names: [column.name, ...shown.filter((each) => each !== column.name)] }) },
      { label: "Hide", run: () => hide(column.name) },
      { label: "Break down", key: "B", run: () => table.breakdown(column.name) },
      null,
      { label: "What is this field?", run: () => app.status.say(`${column.name} (${column.type}): ${column.desc || "no description"}`) },
    ], event.currentTarget, { label: column.name });
  }

  function chooser(anchor) {
    const shown = new Set(bus.get("table").shown || []);
    const search = h("input", { type: "search", class: "wb-in", placeholder: "Find a column", "aria-label": "Find a column" });
    const rows = (bus.get("table").columns || []).map((column) => {
      const box = h("input", { type: "checkbox", checked: shown.has(column.name) });
      box.addEventListener("change", () => {
        if (box.checked) shown.add(column.name);
        else if (shown.size > 1) shown.delete(column.name);
        else box.checked = true;
        const order_ = (bus.get("table").columns || []).map((each) => each.name);
        bus.send("table", "columns", { names: order_.filter((name) => shown.has(name)) });
      });
      return h("label", { class: "wb-check", title: printable(column.desc || "") }, box, h("span", { class: "wb-clip wb-grow" }, column.name), h("span", { class: "wb-dim" }, column.type));
    });
    search.addEventListener("input", () => {
      for (const row of rows) row.hidden = !row.textContent.toLowerCase().includes(search.value.toLowerCase());
    });
    app.layers.dialog("Columns", h("div", { class: "wb-form" }, search, h("div", { class: "wb-column-list" }, rows)), anchor, { width: 300, side: "right", kind: "columns" });
  }

  bus.watch("table", ["columns", "shown", "widths", "sort"], () => {
    if (!table.grid) return;
    measure();
    draw();
    table.grid.redraw();
  });
  return {
    node,
    draw,
    chooser,
    order,
    menu,
    get columns() {
      return fitted;
    },
    places() {
      const shown = bus.get("table").shown || [];
      return fitted.map((column) => shown.indexOf(column.name));
    },
  };
}
