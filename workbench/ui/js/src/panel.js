// All panels in one bundle; `view` says which one a widget is.
import { host } from "./dom.js";
import { navView } from "./nav.js";
import { streamView } from "./stream.js";
import { pluginView } from "./plugin.js";
import { funnelView, nearView } from "./funnel.js";
import { detailView } from "./detail.js";
import { partsView, ruleView } from "./rule.js";
import { resultView } from "./result.js";
import { rulesetView } from "./ruleset.js";
import { codeView } from "./code.js";
import { captionView } from "./caption.js";

const VIEWS = { nav: navView, stream: streamView, plugin: pluginView, funnel: funnelView, near: nearView, detail: detailView, rule: ruleView, parts: partsView, result: resultView, ruleset: rulesetView, code: codeView, caption: captionView };

function render({ model, el }) {
  const name = model.get("view");
  const release = host(el, name);
  const stop = VIEWS[name](model, el);
  return () => {
    if (stop) stop();
    release();
  };
}

export default { render };
