// Code for what is on screen, and the plugins' log, over the lower part of the table.
import { btn, copyText, h, ib, seg } from "./dom.js";
import { printableLines } from "./text.js";

export function makeDrawer(app) {
  const { bus } = app;
  const kinds = seg("Kind", [["code", "Code"], ["log", "Log"]], (value) => {
    kind = value;
    draw();
  });
  const text = h("pre", { class: "wb-pre wb-mono", tabIndex: 0, "aria-label": "Code" });
  const copy = btn("Copy", () => copyText(now.code || "", () => app.status.say("copied the code")), { icon: "copy", sm: true });
  const node = h("div", { class: "wb-drawer", hidden: true, role: "region", "aria-label": "Code and log", "data-region": "drawer" }, h("div", { class: "wb-drawer-head" }, kinds.node, h("span", { class: "wb-dim" }, "the cell that does what is on screen"), h("span", { class: "wb-grow" }), copy, ib("cross", "Close", () => toggle(false), { key: "L" })), text);
  let kind = "code";
  let now = {};

  function draw() {
    kinds.set(kind);
    copy.hidden = kind !== "code";
    text.textContent = printableLines(kind === "code" ? now.code || "" : (now.log || []).join("\n") || "The plugins have logged nothing.");
    text.setAttribute("aria-label", kind === "code" ? "Code" : "Log");
  }

  async function load() {
    const found = await bus.latest("lab", "code");
    if (found) {
      now = found;
      draw();
    }
  }

  function toggle(on = node.hidden) {
    if (on && app.go && app.root.dataset.place !== "events") app.go("events");
    node.hidden = !on;
    if (on) {
      load();
      text.focus({ preventScroll: true });
    } else app.table.focus();
  }

  let soon = 0;
  bus.watch("condition", "verdict", () => {
    clearTimeout(soon);
    soon = setTimeout(() => !node.hidden && load(), 300);
  });
  app.release.push(() => clearTimeout(soon));
  return { node, toggle };
}
