// The menu of a cell: filters, checks, exceptions, labels, copies.
import { copyText, grouped } from "./dom.js";
import { printable } from "./text.js";

export function makeRowMenu(table) {
  const { app, bus } = table;

  async function open(cell, anchor) {
    const { position, column } = cell;
    const found = await bus.ask("table", "value", { position, column: column.name });
    if (!found) return;
    const count = Math.max(1, found.selected || 0);
    const off = found.check ? "" : "no check can say this value";
    const check = found.check || "";
    const shortened = check.length > 44 ? `${check.slice(0, 43)}…` : check;
    const name = column.head;
    const value = found.text === null ? "absent" : printable(found.text);
    const rule = app.condition.current && app.condition.current.rule;
    app.layers.menu([
      { head: `${name} = ${value}` },
      { label: "Keep only this value", key: "+", run: () => chip(cell, false), off },
      { label: "Hide this value", key: "−", run: () => chip(cell, true), off },
      { label: `Add “and ${printable(shortened)}”`, run: () => bus.send("condition", "insert", { text: check }), off },
      { label: `Add “and not ${printable(shortened)}”`, run: () => bus.send("condition", "insert", { text: check.startsWith("not ") ? check.slice(4) : `not ${check}` }), off },
      null,
      { label: count > 1 ? `Never alert on these ${grouped(count)} events …` : "Never alert on this event …", key: "X", run: () => app.dock.exception(), off: rule ? "" : "open or make a rule first" },
      { label: "Must match", key: "M", run: () => label("match") },
      { label: "Must not match", key: "N", run: () => label("not") },
      { label: "No label", key: "U", run: () => label("none") },
      null,
      { label: `Break down by ${name}`, key: "B", run: () => table.breakdown(column.name) },
      { label: "Copy value", key: "Ctrl+C", run: () => copyText(cell.text ?? "", () => app.status.say("copied the value")) },
      ...["tsv", "jsonl", "python"].map((kind) => ({ label: `Copy ${grouped(Math.min(count, 2000))} ${count === 1 ? "row" : "rows"} as ${{ tsv: "TSV", jsonl: "JSON lines", python: "Python filter" }[kind]}`, run: async () => copyText(await bus.ask("table", "copy", { kind }), () => app.status.say("copied")) })),
    ], anchor, { label: `${column.name} of event ${cell.number}` });
  }

  function chip(cell, negate) {
    bus.send("table", "chip", { column: cell.column.name, position: cell.position, negate });
  }

  function label(value) {
    table.grid.flush();
    bus.send("table", "label", { value });
  }

  return { open, chip, label };
}
