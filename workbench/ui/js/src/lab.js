// The one script of the lab, and of its parts standing alone.
import { makeBus } from "./bus.js";
import { makeShell } from "./shell.js";

function render({ model, el }) {
  const bus = makeBus(model);
  const view = (model.get("config") || {}).view || "";
  const shell = makeShell(model, bus, el, view);
  bus.start(shell.started);
  return () => {
    bus.stop();
    shell.stop();
  };
}

export default { render };
