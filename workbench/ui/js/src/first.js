// The first screen: what the plugin is, and how to begin.
import { btn, h } from "./dom.js";
import { printable } from "./text.js";

export function makeFirst(app) {
  const { bus } = app;

  function content() {
    const stream = bus.get("stream");
    const about = stream.about || {};
    const fields = (bus.get("fields").fields || []).length;
    const params = printable(stream.params || "");
    if (!stream.streams) {
      return [h("b", {}, "No events here"), h("p", { class: "wb-dim" }, "Load a plugin that sources events in the Plugin place."), h("div", { class: "wb-row-buttons" }, btn("Plugin", () => app.go && app.go("plugin"), { icon: "plug" }))];
    }
    const starting = stream.phase === "starting";
    return [
      h("p", {}, h("b", {}, `${printable(about.name || "")} ${printable(about.version || "")}`), " ", printable(about.desc || ""), ` ${fields} fields, no events yet.`),
      h("div", { class: "wb-first" },
        h("div", { class: "wb-first-card wb-first-main" }, btn(starting ? "Starting …" : "Start", () => app.appbar.act(), { icon: "play", pri: true }), h("span", { class: "wb-dim wb-clip", title: params }, params ? `${params}, the plugin's own example` : "with nothing to open")),
        h("div", { class: "wb-first-card" }, btn("Another source …", () => app.appbar.openSource(), { icon: "plug" }), h("span", { class: "wb-dim" }, "a path, a capture file, limits")),
      ),
      h("div", { class: "wb-skel" }, h("i", { style: { width: "92%" } }), h("i", { style: { width: "100%" } })),
      h("p", { class: "wb-dim" }, "Fields are listed at once; the condition can be typed and is checked before the first event."),
    ];
  }

  return {
    content,
    begin() {
      app.fields.forget();
    },
  };
}
