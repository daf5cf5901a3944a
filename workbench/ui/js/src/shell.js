// The lab's root: which parts there are, and what they share.
import { makeAppbar } from "./appbar.js";
import { makeChecks } from "./checks.js";
import { makeCondition } from "./condition.js";
import { makeDock } from "./dock.js";
import { h } from "./dom.js";
import { makeDrawer } from "./drawer.js";
import { makeFields } from "./fields.js";
import { makeFirst } from "./first.js";
import { watchKernel } from "./kernel.js";
import { makeKeys } from "./keys.js";
import { makeLayers } from "./layers.js";
import { makeLayout } from "./layout.js";
import { loadModule } from "./modules.js";
import { makeResult } from "./result.js";
import { makeStatus } from "./status.js";
import { makeTable } from "./table.js";
import { makeTimeline } from "./timeline.js";

const KEPT = ["keydown", "keyup", "keypress", "copy", "cut", "paste"];

export function makeShell(model, bus, el, view) {
  const root = h("div", { class: `wb wb-lab ${view ? `wb-only wb-only-${view}` : ""}`, role: "region", "aria-label": "Falco Plugin Workbench", "data-lm-suppress-shortcuts": "true", "data-ready": "0" });
  el.append(root);
  const release = [];
  const app = { model, bus, root, view, el, release, stopAll: () => release.splice(0).forEach((done) => done()) };
  // Keys pressed in the lab are no shortcuts of the notebook.
  const keep = (event) => event.stopPropagation();
  for (const type of KEPT) root.addEventListener(type, keep);
  // A menu of ours is not followed by the notebook's.
  root.addEventListener("contextmenu", (event) => event.defaultPrevented && event.stopPropagation());
  app.layers = makeLayers(root);
  app.layers.top.addEventListener("keydown", keep);
  app.status = makeStatus(app);
  app.condition = makeCondition(app);
  app.result = makeResult(app);
  app.checks = makeChecks(app);
  app.fields = makeFields(app);
  app.timeline = makeTimeline(app);
  app.table = makeTable(app);
  app.dock = makeDock(app);
  app.appbar = makeAppbar(app);
  app.drawer = makeDrawer(app);
  app.first = makeFirst(app);

  if (view) root.append(alone(app, view));
  else whole(app);
  app.keys = makeKeys(app);
  app.layout = makeLayout(app);
  watchKernel(app);

  return {
    started() {
      root.dataset.ready = "1";
      app.layout.restore();
      app.condition.load();
    },
    stop() {
      app.stopAll();
      app.layers.stop();
      for (const type of KEPT) root.removeEventListener(type, keep);
      root.remove();
    },
  };
}

// A part by itself: the same modules, without what is around them.
function alone(app, view) {
  if (view === "table") return h("div", { class: "wb-main" }, app.table.bar, app.table.node);
  if (view === "timeline") return app.timeline.node;
  if (view === "condition") return h("div", {}, h("div", { class: "wb-cond" }, app.condition.node, app.result.node), app.checks.node);
  return app.dock.alone();
}

function whole(app) {
  const { root } = app;
  app.main = h("div", { class: "wb-main" }, app.timeline.node, app.table.bar, app.table.node, app.drawer.node);
  app.body = h("div", { class: "wb-body" }, app.fields.rail, app.fields.node, app.fields.splitter, app.main, app.dock.splitter, app.dock.node);
  app.events = h("div", { class: "wb-place wb-place-events" }, h("div", { class: "wb-cond" }, app.condition.node, app.result.node), app.checks.node, app.body);
  const rules = h("div", { class: "wb-place", hidden: true });
  const plugin = h("div", { class: "wb-place", hidden: true });
  root.append(app.appbar.node, app.events, rules, plugin, app.status.node);
  let asked = null;
  const load = () => {
    asked = asked || loadModule(app.bus, "later").then((module) => {
      if (!module) return;
      rules.append(module.default.makeRules(app).node);
      plugin.append(module.default.makePlugin(app).node);
    });
  };
  app.show = (place) => {
    root.dataset.place = place;
    app.events.hidden = place !== "events";
    rules.hidden = place !== "rules";
    plugin.hidden = place !== "plugin";
    if (place !== "events") load();
    app.appbar.place(place);
  };
  app.bus.watch("lab", "place", (place) => app.show(place));
  app.go = (place) => {
    app.show(place);
    app.bus.send("lab", "place", { place });
  };
}
