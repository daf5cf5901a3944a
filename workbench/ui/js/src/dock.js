// The dock at the right: the event and the rule, one of them or both.
import { h, ib } from "./dom.js";
import { makeEvent } from "./event.js";
import { loadModule } from "./modules.js";
import { makeRule } from "./rule.js";

export function makeDock(app) {
  const { bus } = app;
  const eventName = h("span", {}, "Event");
  const ruleDot = h("span", { class: "wb-dirty", hidden: true, title: "unsaved" });
  const tab = (id, ...inside) => h("button", { type: "button", role: "tab", class: "wb-dock-tab", "data-id": id, "aria-selected": "false", on: { click: () => show(id) } }, inside);
  const tabs = h("div", { class: "wb-dock-tabs", role: "tablist", "aria-label": "Dock" }, tab("event", eventName), tab("rule", h("span", {}, "Rule"), ruleDot));
  const both = ib("split", "Event and rule together", () => together(!split), { key: "4", "aria-pressed": "false" });
  const close = ib("cross", "Close the dock", () => hide(), { key: "3" });
  const event = makeEvent(app);
  const rule = makeRule(app);
  const inner = h("div", { class: "wb-splitter wb-split-dock", role: "separator", "aria-orientation": "horizontal", "aria-label": "Event and rule", tabIndex: 0, hidden: true });
  const body = h("div", { class: "wb-dock-body" }, event.node, inner, rule.node);
  const node = h("div", { class: "wb-dock", hidden: true, role: "region", "aria-label": "Event and rule", "data-region": "dock" }, h("div", { class: "wb-dock-head" }, tabs, h("span", { class: "wb-grow" }), both, close), body);
  const splitter = h("div", { class: "wb-splitter wb-split-main", role: "separator", "aria-orientation": "vertical", "aria-label": "Width of the dock", tabIndex: -1, "data-region": "Width of the dock", hidden: true });
  let exception = null;
  let page = "event";
  let split = false;
  let ratio = 0.45;

  function draw() {
    for (const one of tabs.children) {
      const here = split || one.dataset.id === page;
      one.setAttribute("aria-selected", String(one.dataset.id === page));
      one.classList.toggle("wb-also", here);
      one.tabIndex = one.dataset.id === page ? 0 : -1;
    }
    both.setAttribute("aria-pressed", String(split));
    event.node.hidden = !split && page !== "event";
    rule.node.hidden = !split && page !== "rule";
    inner.hidden = !split;
    body.style.setProperty("--wb-ratio", `${100 * ratio}%`);
    body.classList.toggle("wb-both", split);
    if (!event.node.hidden && !node.hidden) event.load();
  }

  function together(on) {
    split = on;
    draw();
    app.layout.keep();
  }

  // Show a page; the focus stays where it is.
  function show(id) {
    page = id;
    if (node.hidden) {
      node.hidden = false;
      app.layout.refit();
      app.layout.keep();
    }
    draw();
  }

  function hide() {
    if (node.hidden) return false;
    const had = node.contains(document.activeElement);
    node.hidden = true;
    app.layout.refit();
    app.layout.keep();
    if (had) app.table.focus();
    return true;
  }

  tabs.addEventListener("keydown", (e) => {
    if (e.key !== "ArrowRight" && e.key !== "ArrowLeft") return;
    e.preventDefault();
    show(page === "event" ? "rule" : "event");
    tabs.querySelector("[aria-selected=true]").focus();
  });

  const drag = (e) => {
    const box = body.getBoundingClientRect();
    ratio = Math.min(0.85, Math.max(0.15, (e.clientY - box.top) / box.height));
    draw();
  };
  inner.addEventListener("pointerdown", (e) => {
    inner.setPointerCapture(e.pointerId);
    inner.addEventListener("pointermove", drag);
    inner.addEventListener("pointerup", () => inner.removeEventListener("pointermove", drag), { once: true });
  });
  inner.addEventListener("keydown", (e) => {
    const step = { ArrowUp: -0.04, ArrowDown: 0.04 }[e.key];
    if (!step) return;
    e.preventDefault();
    ratio = Math.min(0.85, Math.max(0.15, ratio + step));
    draw();
  });
  inner.addEventListener("dblclick", () => {
    ratio = 0.45;
    draw();
  });

  bus.watch("event", "number", (number) => {
    eventName.textContent = number === null || number === undefined ? "Event" : `Event ${number}`;
  });
  bus.watch("rule", "rule", (value) => {
    ruleDot.hidden = !(value && value.dirty);
  });

  return {
    node,
    splitter,
    show,
    hide,
    toggle: () => (node.hidden ? show(page) : hide()),
    both: () => {
      show(page);
      together(!split);
    },
    get open() {
      return !node.hidden;
    },
    get state() {
      return { open: !node.hidden, page, split };
    },
    restore(kept) {
      if (!kept) return;
      page = kept.page || "event";
      split = Boolean(kept.split);
      node.hidden = !kept.open;
      draw();
    },
    load: () => event.load(),
    focus() {
      if (node.hidden) return false;
      (node.querySelector("[aria-selected=true]") || node).focus();
      return true;
    },
    makeRule() {
      app.condition.flush();
      bus.send("condition", "make_rule");
      show("rule");
      rule.focusName();
    },
    newRule() {
      bus.send("condition", "new_rule");
      show("rule");
      app.condition.focus();
    },
    save: () => {
      app.condition.flush();
      rule.save();
    },
    async exception() {
      app.table.grid.flush();
      const later = await loadModule(bus, "later");
      if (!later) return;
      exception = exception || later.default.makeException(app, rule);
      exception.open();
    },
    alone() {
      page = "rule";
      node.hidden = false;
      draw();
      return h("div", { class: "wb-alone-rule" }, h("div", { class: "wb-cond" }, app.condition.node, app.result.node), rule.node);
    },
  };
}
