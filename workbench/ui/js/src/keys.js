// Keys: chords work everywhere in the lab, single keys where no text is typed.
import { loadModule } from "./modules.js";

const REGIONS = ["app bar", "tabs", "editor", "checks", "fields", "timeline", "table bar", "table", "dock", "Width of the fields", "Width of the dock", "rules", "plugin"];

export function makeKeys(app) {
  const { bus, root } = app;

  function typing(target) {
    return target.closest("input:not([type=checkbox]), textarea, select, [contenteditable=true]");
  }

  // Chords, from the editor too; whether the event was one.
  function chord(event) {
    const ctrl = event.ctrlKey || event.metaKey;
    const key = event.key.toLowerCase();
    if (event.key === "F6") region(event.shiftKey ? -1 : 1);
    else if (ctrl && key === "s") app.dock.save();
    else if (ctrl && event.shiftKey && key === "z") redo();
    else if (ctrl && key === "y") redo();
    else if (ctrl && key === "z") undo();
    else if (ctrl && event.shiftKey && key === "f") bus.send("condition", "format");
    else if (ctrl && key === "f") app.table.find();
    else if (ctrl && event.key === "Enter") app.condition.now();
    else if (event.key === "Escape") return escape(event);
    else return false;
    event.preventDefault();
    event.stopPropagation();
    return true;
  }

  function undo() {
    app.condition.flush();
    bus.send("condition", "undo");
  }

  function redo() {
    app.condition.flush();
    bus.send("condition", "redo");
  }

  function escape(event) {
    const inEditor = app.condition.editor.contains(event.target);
    if (inEditor && app.condition.box.completing) return false;
    if (app.layers.escape()) return true;
    if (app.table.breaks.hide()) return true;
    if (inEditor) {
      app.table.focus();
      return true;
    }
    if (app.dock.node.contains(event.target)) {
      if (app.root.classList.contains("wb-dock-over")) app.dock.hide();
      else app.table.focus();
      return true;
    }
    if (app.root.classList.contains("wb-dock-over") && app.dock.hide()) return true;
    if (app.root.classList.contains("wb-fields-over")) {
      app.layout.closeOver();
      return true;
    }
    if (app.layout.isFull) {
      app.layout.full(false);
      return true;
    }
    return false;
  }

  function chip(negate) {
    const here = app.table.grid.here;
    if (here && here.column) app.table.menu.chip(here, negate);
  }

  const singles = {
    c: () => app.condition.focus(),
    t: () => app.table.focus(),
    "/": () => app.layout.openFields(true),
    1: () => app.layout.fold(),
    3: () => app.dock.toggle(),
    4: () => app.dock.both(),
    "[": () => app.table.grid.jump("previous match"),
    "]": () => app.table.grid.jump("next match"),
    "{": () => app.table.grid.jump("previous near"),
    "}": () => app.table.grid.jump("next near"),
    "+": () => chip(false),
    "-": () => chip(true),
    "−": () => chip(true),
    m: () => app.table.menu.label("match"),
    n: () => app.table.menu.label("not"),
    u: () => app.table.menu.label("none"),
    b: () => app.table.breakdown(),
    x: () => app.dock.exception(),
    h: () => app.condition.history(),
    l: () => app.drawer.toggle(),
    g: () => bus.send("table", "follow", { on: !bus.get("table").follow }),
    "?": () => help(app.root.querySelector(".wb-appbar")),
  };
  const shifted = {
    R: () => app.dock.newRule(),
    F: () => app.layout.full(),
    S: () => app.appbar.stop(),
  };

  root.addEventListener("keydown", (event) => {
    if (event.defaultPrevented) return;
    if (chord(event)) {
      event.preventDefault();
      return;
    }
    if (typing(event.target) || event.ctrlKey || event.metaKey || event.altKey) return;
    if (root.dataset.place && root.dataset.place !== "events" && !["?", "F"].includes(event.key)) return;
    const run = (event.shiftKey && shifted[event.key]) || (!(event.shiftKey && /^[a-z]$/i.test(event.key)) && singles[event.key]);
    if (!run) return;
    event.preventDefault();
    run();
  });
  app.layers.top.addEventListener("keydown", (event) => {
    if (event.key === "Escape" && app.layers.escape()) event.preventDefault();
  });

  // ---- regions ----
  function entry(name) {
    const node = root.querySelector(`[data-region="${name}"]`);
    if (!node || !node.offsetParent && getComputedStyle(node).position !== "fixed") return null;
    if (!node.getClientRects().length) return null;
    if (name === "editor") return { node, focus: () => app.condition.focus() };
    if (name === "table") return { node, focus: () => app.table.focus() };
    if (name.startsWith("Width")) return { node, focus: () => node.focus() };
    if (name === "dock") return { node, focus: () => app.dock.focus() };
    const first = [...node.querySelectorAll("button, input, select, [tabindex='0']")].find((one) => one.tabIndex >= 0 && one.getClientRects().length);
    return first ? { node, focus: () => first.focus() } : null;
  }

  function region(step) {
    const all = REGIONS.map(entry).filter(Boolean);
    const active = document.activeElement;
    let at = all.findIndex((each) => each.node.contains(active));
    if (at < 0) at = step > 0 ? -1 : 0;
    all[(at + step + all.length) % all.length].focus();
  }

  // One stop of Tab for what belongs together; arrows move inside.
  function rove(nodes, selector = "button, input, [data-rove]") {
    const list = () => nodes.flatMap((node) => (node.matches(selector) ? [node] : [...node.querySelectorAll(selector)])).filter((one) => one.getClientRects().length);
    let kept = null;
    const settle = (chosen) => {
      kept = chosen;
      for (const one of list()) if (one.tabIndex !== (one === chosen ? 0 : -1)) one.tabIndex = one === chosen ? 0 : -1;
    };
    const reset = () => {
      const all = list();
      if (!all.length) return;
      const chosen = all.find((one) => one.getAttribute("aria-selected") === "true");
      settle(all.includes(kept) ? kept : chosen || all[0]);
    };
    for (const node of nodes) {
      node.addEventListener("focusin", (event) => list().includes(event.target) && settle(event.target));
      node.addEventListener("keydown", (event) => {
        const step = { ArrowRight: 1, ArrowLeft: -1 }[event.key];
        const all = list();
        const at = all.indexOf(event.target);
        if (!step || at < 0 || event.shiftKey || event.ctrlKey) return;
        if (event.target.matches("input") && event.target.value) return;
        event.preventDefault();
        event.stopPropagation();
        all[(at + step + all.length) % all.length].focus();
      });
      new MutationObserver(reset).observe(node, { childList: true, subtree: true, attributes: true, attributeFilter: ["hidden"] });
    }
    reset();
    return reset;
  }
  const tabBar = app.condition.node.querySelector(".wb-tabs");
  const resets = [rove([app.appbar.node]), rove([tabBar]), rove([app.result.node, app.checks.node]), rove([app.timeline.node, app.table.bar], "button, input, .wb-plot-frame")];

  async function help(anchor) {
    const later = await loadModule(bus, "later");
    if (later) later.default.openHelp(app, anchor);
  }

  return { chord, help, refresh: () => resets.forEach((reset) => reset()) };
}
