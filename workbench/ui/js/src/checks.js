// The checks strip: what each part of the condition lets through and takes away.
import { btn, grouped, h, lk } from "./dom.js";
import { printable } from "./text.js";
import { tokens } from "./highlight.js";
import { mark } from "./marks.js";

export function makeChecks(app) {
  const { bus } = app;
  const list = h("div", { class: "wb-cells" });
  const total = h("div", { class: "wb-ck wb-ck-near" });
  const node = h("div", { class: "wb-cks", role: "toolbar", "aria-label": "Checks", "data-region": "checks" }, list, total);
  let cells = [];
  let drawn = "";

  function fit() {
    const narrow = app.root.classList.contains("wb-narrow");
    const room = Math.max(1, Math.floor((node.clientWidth - (narrow ? 112 : 172)) / (narrow ? 120 : 150)));
    return Math.max(1, room);
  }

  function draw() {
    const verdict = bus.get("condition").verdict;
    if (!verdict) return;
    const key = JSON.stringify([verdict.cells, verdict.near, verdict.counted, verdict.empty, fit(), app.root.classList.contains("wb-narrow")]);
    if (key === drawn) {
      node.classList.toggle("wb-old", !verdict.empty && !verdict.cells.length);
      return;
    }
    drawn = key;
    if (verdict.empty) {
      cells = [];
      list.replaceChildren(h("div", { class: "wb-ck wb-dim" }, h("div", { class: "wb-c1" }, "Each check of the condition shows here"), h("div", { class: "wb-c2" }, "what it lets through and what it takes away")));
      total.replaceChildren();
      node.classList.remove("wb-old");
      return;
    }
    if (!verdict.cells.length) {
      node.classList.add("wb-old");
      return;
    }
    node.classList.remove("wb-old");
    cells = verdict.cells;
    const room = fit();
    const shown = cells.length > room ? cells.slice(0, room - 1) : cells;
    const rest = cells.slice(shown.length);
    list.replaceChildren(...shown.map((cell, at) => draw1(cell, at, verdict)), rest.length ? more(rest, verdict) : "");
    const near = verdict.near;
    total.replaceChildren(
      h("div", { class: "wb-c1" }, mark("near"), h("b", { class: "wb-clip" }, near === null ? "…" : near ? `${grouped(near)} near` : "no near miss"), near ? h("span", { class: "wb-wide-only wb-clip" }, `miss${near === 1 ? "" : "es"}`) : ""),
      h("div", { class: "wb-c2" }, h("span", { class: "wb-dim wb-clip" }, near ? "one check short" : ""), near ? lk("Show", () => bus.send("condition", "show_near", {})) : ""),
    );
  }

  function draw1(cell, at, verdict) {
    const muted = cell.muted;
    const head = h("button", {
      type: "button", class: "wb-ck-text wb-mono wb-clip", title: `${printable(cell.text)}\nclick selects its text, O mutes it, the menu has more`, "data-index": String(at),
      on: { click: (event) => (event.altKey ? act(cell, "mute") : cell.index >= 0 && app.condition.select(cell.from, cell.to)), contextmenu: (event) => menu(event, cell), keydown: (event) => onKey(event, cell) },
    }, muted ? h("s", {}, printable(cell.text)) : tokens(cell.text, bus.get("condition").words));
    const passes = cell.reached ? cell.passed / cell.reached : 0;
    const line = [h("span", { class: "wb-fb" }, h("i", { style: { width: cell.passed ? `max(1px, ${100 * passes}%)` : "0" } })), h("b", {}, grouped(cell.passed)), h("span", { class: "wb-dim wb-wide-only" }, `of ${grouped(cell.reached)}`)];
    if (!verdict.counted) line.splice(0, line.length, h("span", { class: "wb-dim" }, "…"));
    else if (muted) line.push(h("span", { class: "wb-dim wb-end" }, "muted"));
    else if (cell.near) {
      line.push(h("button", { type: "button", class: "wb-nearb", title: `${grouped(cell.near)} events fail only here`, on: { click: (event) => openNear(cell, event.currentTarget) } }, mark("near"), grouped(cell.near), h("span", { class: "wb-wide-only" }, " fail only here")));
    } else if (verdict.near !== null) line.push(h("span", { class: "wb-dim wb-end" }, cell.index && cell.reached && cell.passed === cell.reached ? "removes nothing" : "no near miss"));
    return h("div", { class: `wb-ck ${muted ? "wb-ck-muted" : ""}` }, h("div", { class: "wb-c1" }, cell.op ? h("span", { class: "wb-cop" }, cell.op) : null, head, cell.group ? h("span", { class: "wb-dim wb-nowrap wb-wide-only" }, cell.group) : null), h("div", { class: "wb-c2" }, line));
  }

  function more(rest, verdict) {
    const one = btn(`+${rest.length}`, () => app.layers.dialog(`${rest.length} more checks`, h("div", { class: "wb-more-cells" }, rest.map((cell, at) => draw1(cell, cells.length - rest.length + at, verdict))), one, { width: 340, side: "right" }), { sm: true, "aria-label": `${rest.length} more checks` });
    return h("div", { class: "wb-ck wb-ck-more" }, one);
  }

  function act(cell, what) {
    if (cell.index >= 0) bus.send("condition", "check", { index: cell.index, what });
  }

  function menu(event, cell) {
    event.preventDefault();
    const off = cell.index < 0 ? "an exception is changed in the rule" : "";
    app.layers.menu([
      { head: printable(cell.text).slice(0, 60) },
      { label: cell.muted ? "Count with it again" : "Mute", key: "O", run: () => act(cell, "mute"), off },
      { label: "Negate", run: () => act(cell, "negate"), off },
      { label: "Only this check", run: () => act(cell, "only"), off },
      { label: "Delete", run: () => act(cell, "delete"), off },
      null,
      { label: "Show near misses", run: () => bus.send("condition", "show_near", { index: cells.indexOf(cell) }), off: cell.near ? "" : "it has none" },
    ], event.currentTarget, { label: "Check" });
  }

  function onKey(event, cell) {
    if (event.key === "o" || event.key === "O") act(cell, "mute");
    else if ((event.key === "F10" && event.shiftKey) || event.key === "ContextMenu") menu(event, cell);
    else return;
    event.preventDefault();
    event.stopPropagation();
  }

  async function openNear(cell, anchor) {
    const index = cells.indexOf(cell);
    const found = await bus.latest("condition", "near", { index });
    if (!found) return;
    const most = Math.max(1, ...found.rows.map((row) => row.count));
    const rows = found.rows.map((row) => h("div", { class: "wb-near-row" }, h("span", { class: "wb-mono wb-clip", title: printable(row.text) }, printable(row.text || "absent")), h("span", { class: "wb-hbar" }, h("i", { style: { width: `${(100 * row.count) / most}%` } })), h("span", { class: "wb-num" }, grouped(row.count))));
    const buttons = [btn(`Show the ${grouped(found.count)}`, () => { layer.close(); bus.send("condition", "show_near", { index }); }, { pri: true })];
    if (found.without !== null && cell.index >= 0) buttons.push(btn(`Drop this check: ${grouped(found.without)} match`, () => { layer.close(); act(cell, "delete"); }));
    const layer = app.layers.dialog(h("span", {}, `${grouped(found.count)} fail only `, h("span", { class: "wb-mono" }, printable(cell.text))), h("div", { class: "wb-form" }, rows, h("div", { class: "wb-row-buttons" }, buttons)), anchor, { width: 400, side: "right", kind: "near" });
  }

  bus.watch("condition", "verdict", () => {
    if (!node.classList.contains("wb-stale")) draw();
  });
  return {
    node,
    draw,
    stale: () => node.classList.add("wb-old", "wb-stale"),
    fresh() {
      node.classList.remove("wb-stale");
      draw();
    },
  };
}
