// An exception from chosen events: what to compare, and what it takes away.
import { btn, disable, grouped, h, isOff, lk, refill } from "./dom.js";
import { printable } from "./text.js";
import { icon } from "./icons.js";
import { mark } from "./marks.js";

export function makeException(app, rule) {
  const { bus } = app;

  async function open() {
    const plan = await bus.latest("rule", "plan");
    if (!plan) return;
    const chosen = new Set(plan.fields.filter((item) => item.on).map((item) => item.field));
    const name = h("input", { class: "wb-in", value: plan.name, "aria-label": "Name of the exception", spellcheck: "false" });
    const result = h("div", { class: "wb-plan-effect", role: "status" });
    const add = btn("Add", () => {
      if (isOff(add)) return;
      bus.send("rule", "add_exception", { name: name.value, fields: [...chosen] });
      layer.close();
      app.dock.show("rule");
    }, { pri: true });
    const rows = plan.fields.map((item) => {
      const box = h("input", { type: "checkbox", checked: item.on, "aria-label": `Compare ${item.field}` });
      box.addEventListener("change", () => {
        if (box.checked) chosen.add(item.field);
        else chosen.delete(item.field);
        ask();
      });
      return h("tr", {}, h("td", {}, h("label", { class: "wb-check" }, box, h("span", { class: "wb-nowrap", title: printable(item.field) }, printable(item.field.replace(/^[^.]*\./, ""))))), h("td", { class: "wb-mono wb-plan-value", title: printable(item.value) }, printable(item.value)), h("td", { class: "wb-right wb-num" }, grouped(item.takes)));
    });
    let last = plan.effect;

    async function ask() {
      const found = await bus.latest("rule", "effect", { fields: [...chosen] });
      if (!found) return;
      last = found;
      draw();
    }

    function draw() {
      const severe = last.severe && chosen.size > 0;
      refill(result,
        h("div", { class: "wb-plan-line" }, h("span", { class: "wb-dim" }, "before"), h("b", {}, grouped(plan.before)), icon("right"), h("span", { class: "wb-dim" }, "with it"), h("b", { class: "wb-ok" }, grouped(last.after)), h("span", { class: "wb-grow" }), h("span", { class: "wb-dim" }, "lost that must match"), mark("yes"), h("span", {}, `${(last.lost || []).length} of ${last.must || 0}`)),
        h("div", { class: `wb-plan-line ${severe ? "wb-err" : "wb-hint"}` }, icon("alert"), h("span", { class: "wb-grow" }, chosen.size ? `Takes away ${grouped(last.takes)} alert${last.takes === 1 ? "" : "s"}, ${grouped(last.more)} more than the ${plan.rows} chosen` : "Choose at least one field"), last.takes ? lk("Show them", () => bus.send("rule", "gone", { fields: [...chosen] })) : ""));
      add.querySelector(".wb-btn-text").textContent = severe ? "Add anyway" : "Add";
      add.classList.toggle("wb-pri", !severe);
      disable(add, chosen.size ? "" : "choose at least one field to compare");
    }

    const idle = plan.idle.length ? h("p", { class: "wb-dim" }, `${plan.idle.length} of the ${plan.rows} chosen do not match the rule anyway: ${plan.idle.slice(0, 8).join(", ")}`) : null;
    const body = h("div", { class: "wb-form" }, idle, h("div", { class: "wb-plan-table" }, h("table", { class: "wb-data" }, h("thead", {}, h("tr", {}, h("th", { scope: "col" }, "compare"), h("th", { scope: "col" }, plan.rows === 1 ? "its value" : `value in the ${plan.rows}`), h("th", { scope: "col", class: "wb-right" }, "alerts it takes away"))), h("tbody", {}, rows))), result, h("div", { class: "wb-row-buttons" }, h("label", { class: "wb-inline" }, h("span", { class: "wb-dim" }, "Name"), name), add));
    const anchor = rule.exceptionAnchor.offsetParent ? rule.exceptionAnchor : app.table.node;
    const layer = app.layers.dialog(h("span", {}, `Exception for ${printable(plan.rule)}`), body, anchor, { width: 430, side: "right", kind: "exception" });
    // Enter adds what does little harm; the rest has to be meant.
    layer.node.addEventListener("keydown", (event) => {
      if (event.key === "Enter" && event.target.tagName === "INPUT" && !last.severe) add.click();
    });
    draw();
  }

  return { open };
}
