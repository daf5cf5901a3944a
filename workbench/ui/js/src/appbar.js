// The bar on top: what it is about, its stream, the places.
import { btn, bytes, grouped, h, ib, labelled, seg, short } from "./dom.js";
import { printable } from "./text.js";
import { icon } from "./icons.js";

const WORDS = {
  none: "no plugin", idle: "ready", starting: "starting", running: "live", waiting: "waiting",
  paused: "paused", stopping: "stopping", ended: "ended", failed: "failed",
};

export function makeAppbar(app) {
  const { bus } = app;
  const name = h("b", { class: "wb-name" });
  const pill = h("span", { class: "wb-pill" }, h("i", { class: "wb-dot" }), h("span", {}));
  const sourceText = h("span", { class: "wb-clip" });
  const source = h("button", { type: "button", class: "wb-src", "aria-haspopup": "dialog", on: { click: () => openSource() } }, icon("plug"), sourceText, icon("down"));
  const run = btn("Start", () => act(), { class: "wb-run" });
  const stop = ib("stop", "Stop", () => bus.send("stream", "stop"), { key: "Shift+S", class: "wb-stop" });
  const counter = h("span", { class: "wb-counter" });
  const extra = h("span", { class: "wb-counter wb-dim" });
  const places = seg("Place", [["events", "Events"], ["rules", "Rules"], ["plugin", "Plugin"]], (place) => app.go(place));
  const console_ = ib("terminal", "Code and log", () => app.drawer.toggle(), { key: "L", class: "wb-console" });
  const help = ib("help", "Help and keys", () => app.keys.help(help), { key: "?" });
  const full = ib("maximize", "Full window", () => app.layout.full(), { key: "Shift+F", class: "wb-full" });
  const node = h("div", { class: "wb-appbar", role: "toolbar", "aria-label": "Stream and places", "data-region": "app bar" }, name, pill, source, run, stop, counter, extra, h("span", { class: "wb-grow" }), places.node, console_, help, full);
  let action = "start";

  function act() {
    if (run.getAttribute("aria-disabled") === "true") return;
    if (action === "pause") bus.send("stream", "pause");
    else {
      app.first.begin();
      bus.send("stream", "start", {});
    }
  }

  bus.watch("stream", "about", (about) => {
    name.replaceChildren(printable((about && about.name) || "No plugin"), " ", h("span", { class: "wb-dim wb-version" }, printable((about && about.version) || "")));
    name.title = about ? printable(about.desc || "") : "";
  });
  bus.watch("stream", ["phase", "note"], (phase, note) => {
    node.dataset.phase = phase;
    pill.dataset.phase = phase;
    pill.lastChild.textContent = WORDS[phase] || phase;
    pill.title = note ? printable(note) : "";
    const busy = ["running", "waiting", "paused", "starting", "stopping"].includes(phase);
    action = phase === "paused" || busy ? "pause" : "start";
    const begun = ["ended", "failed"].includes(phase) && bus.get("stream").count;
    const label = phase === "paused" ? "Resume" : busy ? "Pause" : begun ? "Start again" : "Start";
    run.replaceChildren(icon(phase === "starting" ? "clock" : busy && phase !== "paused" ? "pause" : "play"), h("span", { class: "wb-btn-text" }, phase === "starting" ? "Start" : label));
    run.classList.toggle("wb-busy", phase === "starting");
    stop.hidden = !busy;
  });
  bus.watch("stream", ["streams", "params", "suggestions"], (streams, params) => {
    source.hidden = run.hidden = !streams;
    const words = printable(params || "choose a source");
    sourceText.textContent = words.replace(/^.*\/(?=[^/]+$)/, "");
    source.title = words;
    source.setAttribute("aria-label", `Source: ${words}`);
  });
  bus.watch("stream", ["count", "memory", "rate", "phase", "progress"], (count, memory, rate, phase, progress) => {
    counter.replaceChildren(h("b", {}, grouped(count || 0)), ` event${count === 1 ? "" : "s"}`);
    const parts = [];
    if (memory) parts.push(bytes(memory));
    if (rate) parts.push(`${short(rate)}/s`);
    if (progress && progress.percent !== null && progress.percent !== undefined) parts.push(`${Math.round(progress.percent)} %`);
    extra.textContent = parts.join(" · ");
    counter.title = extra.textContent;
  });
  bus.watch("rules", "count", (count) => {
    const one = places.buttons.get("rules");
    one.words.replaceChildren("Rules ", h("span", { class: "wb-num" }, count ? grouped(count) : ""));
  });

  function openSource() {
    const now = bus.get("stream");
    const live = ["running", "waiting", "paused"].includes(now.phase);
    const params = h("input", { class: "wb-in wb-mono", value: now.params || "", spellcheck: "false", autocomplete: "off", readOnly: live, "data-first": "1" });
    const set = () => bus.send("stream", "set", { key: "params", value: params.value });
    params.addEventListener("change", set);
    const list = (now.suggestions || []).map((each) => h("button", { type: "button", class: "wb-suggestion", on: { click: () => { params.value = each.value; set(); } } }, h("span", { class: "wb-mono wb-clip" }, printable(each.value || "(nothing)")), h("span", { class: "wb-dim" }, printable(each.desc || ""))));
    const limit = (key, label, unit) => {
      const node_ = h("input", { class: "wb-in wb-number", type: "number", min: "1", value: String((now.limits || {})[key] ?? ""), "aria-label": `${label}, ${unit}` });
      node_.addEventListener("change", () => bus.send("stream", "limit", { key, value: Number(node_.value) }));
      return h("label", { class: "wb-limit" }, h("span", { class: "wb-dim" }, label), node_, h("span", { class: "wb-dim" }, unit));
    };
    const sources = now.sources || [];
    const which = sources.length > 1 ? h("select", { class: "wb-in", on: { change: (event) => bus.send("stream", "set", { key: "source", value: event.target.value }) } }, sources.map((each) => h("option", { value: each, selected: each === now.source }, printable(each)))) : null;
    const body = h("div", { class: "wb-form" },
      labelled("Open params", params),
      list.length ? h("div", { class: "wb-suggestions" }, list) : null,
      which ? labelled("Event source", which) : null,
      h("div", { class: "wb-sub" }, "Stop at the first of"),
      h("div", { class: "wb-limits" }, limit("events", "events", "rows"), limit("seconds", "time", "s"), limit("mebibytes", "memory", "MiB")),
      live ? h("p", { class: "wb-dim" }, "Stop the stream to open something else.") : btn("Start", () => { set(); layer.close(); app.first.begin(); bus.send("stream", "start", { params: params.value }); }, { icon: "play", pri: true }));
    const layer = app.layers.dialog("Source", body, source, { width: 420, kind: "source" });
    params.addEventListener("keydown", (event) => {
      if (event.key !== "Enter" || live) return;
      set();
      layer.close();
      app.first.begin();
      bus.send("stream", "start", { params: params.value });
    });
  }

  return {
    node,
    full,
    act,
    openSource,
    place: (place) => places.set(place),
    stop: () => bus.send("stream", "stop"),
  };
}
