// Instead of an empty grid: why there is nothing, and what to do.
import { btn, grouped, h, refill } from "./dom.js";
import { printable } from "./text.js";

export function makeEmpty(table) {
  const { app, bus } = table;
  const node = h("div", { class: "wb-empty", hidden: true });

  function draw() {
    const { total, empty, events } = bus.get("table");
    const why = (empty || {}).why;
    node.hidden = Boolean(total) || !why;
    if (node.hidden) return;
    if (why === "start") refill(node, ...app.first.content());
    else if (why === "waiting") refill(node, h("div", { class: "wb-skel" }, h("i", {}), h("i", {}), h("i", {}), h("i", {})), h("p", { class: "wb-dim" }, "Waiting for events …"));
    else if (why === "filters") {
      const chips = bus.get("table").chips || [];
      refill(node, h("b", {}, `0 of ${grouped(events)} pass the filters`), h("div", { class: "wb-row-buttons" }, chips.map((chip, index) => btn(`${chip.field}${chip.not ? " not" : ""} ${printable(chip.value)}`, () => table.chips("remove", index), { icon: "cross", sm: true })), btn("Remove all filters", () => { table.chips("clear"); bus.send("timeline", "brush", { range: null }); }, { sm: true }), btn("Undo", () => bus.send("condition", "undo"), { icon: "undo", sm: true })));
    } else if (why === "match") {
      const verdict = bus.get("condition").verdict || {};
      const blocks = empty.checks;
      const near = verdict.near;
      refill(node, 
        h("b", {}, `0 of ${grouped(events)} events match`),
        blocks ? h("p", { class: "wb-dim" }, h("span", { class: "wb-mono" }, printable(blocks.text)), ` passes none of the ${grouped(blocks.reached)} that reach it.`) : null,
        h("div", { class: "wb-row-buttons" }, near ? btn(`Show ${grouped(near)} near misses`, () => bus.send("condition", "show_near", {}), { icon: "eye", sm: true }) : null, btn("Undo", () => bus.send("condition", "undo"), { icon: "undo", sm: true })),
      );
    } else refill(node, h("b", {}, "No event is of this kind"), h("div", { class: "wb-row-buttons" }, btn("Show all", () => table.show([]), { sm: true })));
  }

  bus.watch("table", ["total", "empty", "chips", "events"], draw);
  bus.watch("stream", ["streams", "about", "params", "phase"], draw);
  return { node, draw };
}
