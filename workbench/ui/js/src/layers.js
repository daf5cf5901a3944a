// What lies over the lab: menus, popovers, tooltips of the editor. Layers live in one
// element of the top layer, so that nothing cuts them off, in the full window too.
import { h, ib } from "./dom.js";

export function makeLayers(root) {
  const top = h("div", { class: "wb wb-top", popover: "manual" });
  const stack = [];
  root.append(top);

  function raise() {
    if (!top.isConnected || !top.showPopover) return;
    if (top.matches(":popover-open")) top.hidePopover();
    top.showPopover();
  }

  // Whoever takes the lab out of the page and back closes what is open: open it again.
  top.addEventListener("toggle", (event) => {
    if (event.newState === "closed" && top.isConnected && (stack.length || top.querySelector(".cm-tooltip"))) raise();
  });

  function place(node, anchor, side) {
    const box = anchor.getBoundingClientRect ? anchor.getBoundingClientRect() : anchor;
    const wide = node.offsetWidth;
    const tall = node.offsetHeight;
    const below = box.bottom + 4;
    let y = below + tall <= window.innerHeight - 6 ? below : box.top - tall - 4;
    if (y < 6) y = Math.max(6, Math.min(below, window.innerHeight - tall - 6));
    let x = side === "right" ? box.right - wide : box.left;
    x = Math.max(6, Math.min(x, window.innerWidth - wide - 6));
    node.style.left = `${Math.round(x)}px`;
    node.style.top = `${Math.round(y)}px`;
  }

  function close(layer) {
    const at = stack.indexOf(layer);
    if (at < 0) return;
    for (const above of stack.splice(at)) {
      above.node.remove();
      if (above.closed) above.closed();
    }
    const back = layer.back;
    if (layer.hadFocus() && back && back.isConnected) back.focus({ preventScroll: true });
  }

  // Open a layer at an anchor (element or box). The focus goes in, and back when closed.
  function open(node, anchor, options) {
    const { side, closed, focus = true, kind = "" } = options || {};
    const same = stack.find((layer) => kind && layer.kind === kind);
    if (same) close(same);
    const active = document.activeElement;
    const layer = { node, closed, kind, anchor, back: root.contains(active) ? active : null, hadFocus: () => true };
    let inside = false;
    node.addEventListener("focusin", () => (inside = true));
    node.addEventListener("focusout", () => (inside = node.isConnected && node.contains(document.activeElement)));
    layer.hadFocus = () => inside || document.activeElement === document.body;
    node.classList.add("wb-layer");
    if (!top.matches || !top.showPopover || !top.matches(":popover-open")) raise();
    top.append(node);
    stack.push(layer);
    place(node, anchor, side);
    layer.place = () => place(node, anchor, side);
    if (focus) {
      const first = node.querySelector("[data-first], input, select, textarea, [role=menuitem], button:not(.wb-close)");
      (first || node).focus({ preventScroll: true });
    }
    return { close: () => close(layer), place: layer.place, node };
  }

  // A popover with a head: title, close button, body.
  function dialog(title, body, anchor, options) {
    let layer = null;
    const head = h("div", { class: "wb-dialog-head" }, title, h("span", { class: "wb-grow" }), ib("cross", "Close", () => layer.close(), { key: "Esc", class: "wb-close" }));
    const words = typeof title === "string" ? title : title.textContent;
    const node = h("div", { class: "wb-dialog", role: "dialog", "aria-label": words, tabIndex: -1, style: options && options.width ? { width: `${options.width}px` } : {} }, head, h("div", { class: "wb-dialog-body" }, body));
    layer = open(node, anchor, options);
    return layer;
  }

  // A menu: [{label, key, icon, run, off, head}] or null for a line.
  function menu(items, anchor, options) {
    const node = h("div", { class: "wb-menu", role: "menu", tabIndex: -1, "aria-label": (options && options.label) || "Menu" });
    let layer = null;
    for (const item of items) {
      if (!item) node.append(h("div", { class: "wb-menu-line", role: "separator" }));
      else if (item.head) node.append(h("div", { class: "wb-menu-title" }, item.head));
      else {
        const run = () => {
          if (item.off) return;
          layer.close();
          item.run();
        };
        node.append(h("button", { type: "button", role: item.checked === undefined ? "menuitem" : "menuitemcheckbox", "aria-checked": item.checked === undefined ? null : String(item.checked), "aria-disabled": item.off ? "true" : null, title: item.off || null, tabIndex: -1, on: { click: run } }, item.mark || h("span", { class: "wb-menu-gap" }, item.checked ? "✓" : ""), h("span", { class: "wb-grow wb-clip" }, item.label), item.key ? h("kbd", {}, item.key) : null));
      }
    }
    node.addEventListener("keydown", (event) => {
      const all = [...node.querySelectorAll("[role^=menuitem]")];
      const at = all.indexOf(document.activeElement);
      const to = { ArrowDown: at + 1, ArrowUp: at - 1, Home: 0, End: all.length - 1 }[event.key];
      if (to === undefined) return;
      event.preventDefault();
      event.stopPropagation();
      all[(to + all.length) % all.length].focus();
    });
    layer = open(node, anchor, { kind: "menu", ...(options || {}) });
    return layer;
  }

  function outside(event) {
    const path = event.composedPath();
    while (stack.length) {
      const layer = stack[stack.length - 1];
      if (path.includes(layer.node) || (layer.anchor instanceof Node && path.includes(layer.anchor))) return;
      close(layer);
    }
  }
  document.addEventListener("pointerdown", outside, true);

  return {
    top,
    open,
    dialog,
    menu,
    raise,
    get any() {
      return stack.length > 0;
    },
    // Close the top layer; whether there was one.
    escape() {
      if (!stack.length) return false;
      const layer = stack[stack.length - 1];
      const back = layer.back;
      close(layer);
      if (back && back.isConnected) back.focus({ preventScroll: true });
      return true;
    },
    stop() {
      document.removeEventListener("pointerdown", outside, true);
      for (const layer of stack.splice(0)) layer.node.remove();
      top.remove();
    },
  };
}
