// A line of text above a control that is a widget of its own.
import { h, watcher } from "./dom.js";

export function captionView(model, el) {
  const line = h("div", { class: "wb-help wb-caption" });
  el.append(line);
  const state = watcher(model);
  state.watch("text", (text) => {
    line.textContent = text || "";
  });
  return () => state.stop();
}
