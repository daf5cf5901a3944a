// The same editor over a plain text area, for a package built without Node.
import { h, host, printable } from "./dom.js";
import { checkedLine, textChannel } from "./text.js";

function render({ model, el }) {
  const release = host(el, "editor");
  const channel = textChannel(model);
  const area = h("textarea", { class: "wb-input wb-area wb-code", rows: model.get("language") === "output" ? 2 : 3, spellcheck: "false", placeholder: model.get("placeholder"), "aria-label": model.get("label") });
  area.value = model.get("text");
  const list = h("div", { class: "wb-candidates", role: "group", "aria-label": "Completions" });
  const line = checkedLine();
  el.append(area, list, line.node);
  let asked = 0;

  function ask() {
    const cursor = area.selectionStart;
    asked += 1;
    const mine = asked;
    channel.complete(area.value, cursor).then((reply) => {
      if (mine !== asked || !reply) return;
      const options = reply.options.slice(0, 12);
      list.replaceChildren(
        ...options.map((option) =>
          h("button", {
            type: "button",
            class: "wb-chip",
            title: option.info || "",
            on: {
              click: () => {
                area.setRangeText(option.text, reply.from, cursor, "end");
                area.focus();
                list.replaceChildren();
                channel.typed(area.value);
              },
            },
          }, printable(option.label || option.text)),
        ),
      );
    });
  }

  area.addEventListener("input", () => {
    channel.typed(area.value);
    ask();
  });
  area.addEventListener("keydown", (event) => {
    if (event.key === " " && event.ctrlKey) ask();
    else if (event.key === "Escape") list.replaceChildren();
  });
  channel.onText((text) => {
    if (area.value !== text) area.value = text;
  });
  const showChecked = () => {
    const checked = model.get("checked") || {};
    if (checked.text === area.value) line.show(checked.diagnostics || []);
  };
  model.on("change:checked", showChecked);
  showChecked();
  return () => {
    model.off("change:checked", showChecked);
    channel.stop();
    release();
  };
}

export default { render };
