// What both editors share: text to and from Python, completion requests, complaints.
import { h, printable } from "./dom.js";

const PAUSE = 20;
const CALM = 450;

export function textChannel(model) {
  let timer = 0;
  let serial = 0;
  let current = model.get("text");
  let sent = [];
  let listener = () => {};
  const waiting = new Map();

  function typed(text) {
    if (text === current) return;
    current = text;
    clearTimeout(timer);
    timer = setTimeout(() => {
      sent.push(text);
      sent = sent.slice(-20);
      model.set("text", text);
      model.save_changes();
    }, PAUSE);
  }

  // A late echo of something typed earlier must not undo later keys.
  function changed() {
    const text = model.get("text");
    if (text === current) return;
    if (sent.includes(text)) return;
    current = text;
    listener(text);
  }

  function receive(message) {
    if (!message) return;
    if (message.do === "text") {
      sent = [];
      current = message.text;
      listener(message.text);
    } else if (message.do === "completions") {
      const done = waiting.get(message.id);
      waiting.delete(message.id);
      if (done) done(message);
    }
  }

  function complete(text, cursor) {
    serial += 1;
    const id = serial;
    return new Promise((resolve) => {
      waiting.set(id, resolve);
      setTimeout(() => {
        if (waiting.delete(id)) resolve(null);
      }, 8000);
      model.send({ do: "complete", id, text, cursor });
    });
  }

  model.on("change:text", changed);
  model.on("msg:custom", receive);
  return {
    typed,
    complete,
    onText(callback) {
      listener = callback;
    },
    stop() {
      clearTimeout(timer);
      model.off("change:text", changed);
      model.off("msg:custom", receive);
    },
  };
}

// The first complaints in words under the editor, announced to screen readers.
export function checkedLine() {
  const node = h("div", { class: "wb-complaints", role: "status", "aria-live": "polite" });
  let timer = 0;
  let last = "";
  return {
    node,
    // Half a condition is always wrong: words wait for a pause in typing.
    show(items) {
      const text = JSON.stringify(items);
      if (text === last) return;
      last = text;
      clearTimeout(timer);
      timer = setTimeout(() => this.draw(items), items.length ? CALM : 0);
    },
    draw(items) {
      node.replaceChildren(
        ...items.slice(0, 4).map((item) =>
          h(
            "div",
            { class: `wb-complaint wb-${item.severity}` },
            h("span", { class: "wb-sev" }, item.severity),
            h("span", {}, printable(item.message)),
            item.hint ? h("span", { class: "wb-muted" }, printable(item.hint)) : null,
          ),
        ),
        items.length > 4 ? h("div", { class: "wb-muted" }, `and ${items.length - 4} more`) : "",
      );
    },
  };
}
