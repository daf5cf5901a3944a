// One field broken down, in the table's place: bars, over time, or as a table.
import { btn, copyText, grouped, h, ib, seg, share } from "./dom.js";
import { printable } from "./text.js";

export function makeBreakdown(table) {
  const { app, bus } = table;
  const title = h("b", {});
  const kinds = seg("Kind", [["bars", "Bars"], ["time", "Over time"], ["table", "Table"]], (kind) => set(kind));
  const close = ib("cross", "Back to the rows", () => hide(), { key: "Esc" });
  const copy = btn("Copy as Python", () => copyText(now ? now.code : "", () => app.status.say("copied the pandas line")), { sm: true });
  const body = h("div", { class: "wb-break-body", tabIndex: 0, role: "region", "aria-label": "Breakdown" });
  const foot = h("div", { class: "wb-break-foot wb-dim" }, "Grey: events. Lower bar: matches, same scale. Click keeps, Shift+click hides.");
  const node = h("div", { class: "wb-break", hidden: true }, h("div", { class: "wb-break-head" }, title, h("span", { class: "wb-dim" }, "by events"), h("span", { class: "wb-grow" }), kinds.node, copy, close), body, foot);
  let field = "";
  let kind = "bars";
  let now = null;

  async function load() {
    const found = await bus.latest("fields", "breakdown", { field, by: kind === "time" ? "time" : "events" });
    if (!found || node.hidden) return;
    now = found;
    draw();
  }

  function draw() {
    title.textContent = printable(field);
    kinds.set(kind);
    const most = Math.max(1, ...now.rows.filter((row) => row.check).map((row) => row.count));
    if (kind === "time") body.replaceChildren(...now.rows.slice(0, 6).map((row, index) => series(row, (now.series || [])[index] || [])));
    else if (kind === "table") {
      body.replaceChildren(h("table", { class: "wb-data" }, h("thead", {}, h("tr", {}, ["value", "events", "share", "matches"].map((each, at) => h("th", { scope: "col", class: at ? "wb-right" : "" }, each)))), h("tbody", {}, now.rows.map((row) => h("tr", {}, h("td", { class: "wb-mono" }, label(row)), h("td", { class: "wb-right" }, grouped(row.count)), h("td", { class: "wb-right" }, share(row.count, now.total)), h("td", { class: "wb-right" }, row.matches === null ? "" : grouped(row.matches)))))));
    } else body.replaceChildren(...now.rows.map((row, index) => bar(row, index, most)));
  }

  const label = (row) => (row.absent ? "absent" : printable(row.text) || '""');

  function bar(row, index, most) {
    const inside = [h("span", { class: "wb-mono wb-clip" }, label(row)), h("span", { class: "wb-hbar" }, h("i", { style: { width: `${Math.min(100, (100 * row.count) / most)}%` } }), row.matches ? h("u", { style: { width: `max(2px, ${(100 * row.matches) / most}%)` } }) : null), h("span", { class: "wb-num" }, grouped(row.count)), h("span", { class: "wb-num wb-match-num" }, row.matches ? grouped(row.matches) : "")];
    if (!row.check) return h("div", { class: "wb-bd" }, inside);
    return h("button", { type: "button", class: "wb-bd", title: `${printable(row.check)}: click keeps, Shift+click hides`, on: { click: (event) => { bus.send("fields", "chip", { field, index, negate: event.shiftKey }); } } }, inside);
  }

  function series(row, counts) {
    const most = Math.max(1, ...counts);
    return h("div", { class: "wb-series" }, h("span", { class: "wb-mono wb-clip" }, label(row)), h("div", { class: "wb-series-bars", role: "img", "aria-label": `${label(row)} over time` }, counts.map((count) => h("i", { style: { height: `${(100 * count) / most}%` } }))), h("span", { class: "wb-num" }, grouped(row.count)));
  }

  function set(next) {
    kind = next;
    load();
  }

  function hide() {
    if (node.hidden) return false;
    node.hidden = true;
    table.grid.node.inert = false;
    table.focus();
    return true;
  }

  node.addEventListener("keydown", (event) => {
    if (event.key === "Escape" && hide()) event.stopPropagation();
  });
  let soon = 0;
  bus.watch("fields", "version", () => {
    clearTimeout(soon);
    soon = setTimeout(() => !node.hidden && load(), 150);
  });
  app.release.push(() => clearTimeout(soon));

  return {
    node,
    hide,
    open(name) {
      field = name;
      node.hidden = false;
      table.grid.node.inert = true;
      load();
      body.focus({ preventScroll: true });
    },
  };
}
