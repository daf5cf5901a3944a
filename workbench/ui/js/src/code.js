// The cell that does the same, and the plugin's log.
import { h, button, copyText, printableLines, refill, watcher } from "./dom.js";

export function codeView(model, el) {
  const code = h("section", { class: "wb-card" });
  const log = h("section", { class: "wb-card" });
  el.append(code, log);
  const state = watcher(model);
  state.watch("code", (text) => {
    refill(code, h("div", { class: "wb-bar" }, h("h3", {}, "The cell that does the same"), h("span", { class: "wb-grow" }), button("Copy", () => copyText(text || ""), { icon: "copy", quiet: true, "aria-label": "Copy the code" })),
      h("pre", { class: "wb-pre", tabIndex: 0, "aria-label": "Python code", dir: "ltr" }, printableLines(text || "")),
    );
  });
  state.watch("log", (lines) => {
    refill(log, h("h3", {}, "Plugin log"), (lines || []).length ? h("pre", { class: "wb-pre wb-log-lines", tabIndex: 0, "aria-label": "Log of the plugin", dir: "ltr" }, printableLines(lines.join("\n"))) : h("p", { class: "wb-muted wb-hint" }, "Nothing was logged."));
  });
  return () => state.stop();
}
