// Start, pause, stop; what flows; what went wrong.
import { h, button, bytes, grouped, onInput, printable, printableLines, refill, setValue, short, uid, watcher } from "./dom.js";

const PHASES = {
  none: "no plugin",
  idle: "ready",
  starting: "starting",
  running: "live",
  waiting: "waiting for events",
  paused: "paused",
  stopping: "stopping",
  ended: "ended",
  failed: "failed",
};

export function streamView(model, el) {
  const listId = uid("params");
  const name = h("span", { class: "wb-title" });
  const chip = h("span", { class: "wb-chip-state", role: "status" });
  const suggestions = h("datalist", { id: listId });
  const params = h("input", { class: "wb-input wb-grow", list: listId, placeholder: "open params", "aria-label": "Open params", spellcheck: "false", autocomplete: "off" });
  onInput(params, (value) => model.send({ do: "set", key: "params", value }));
  const source = h("select", { class: "wb-input", "aria-label": "Event source" });
  source.addEventListener("change", () => model.send({ do: "set", key: "source", value: source.value }));
  const start = button("Start", () => model.send({ do: "start", params: params.value }), { icon: "play", class: "wb-primary" });
  const pause = button("Pause", () => model.send({ do: "pause" }), { icon: "pause" });
  const stop = button("Stop", () => model.send({ do: "stop" }), { icon: "stop" });
  const limits = h("details", { class: "wb-limits" });
  const meters = h("dl", { class: "wb-meters" });
  const bar = h("progress", { class: "wb-progress", max: 100, "aria-label": "Progress", hidden: true });
  const card = h("section", { class: "wb-card wb-crash", role: "alert", hidden: true });
  const note = h("span", { class: "wb-muted" });
  el.append(
    h("div", { class: "wb-bar" }, name, chip, source, params, suggestions, start, pause, stop, limits),
    h("div", { class: "wb-bar wb-meter-bar" }, meters, bar, note),
    card,
  );

  const values = {};
  for (const [key, label] of [["count", "events"], ["rate", "per second"], ["matches", "matches"], ["memory", "memory"], ["elapsed", "elapsed"]]) {
    values[key] = h("dd", {}, "–");
    meters.append(h("div", {}, values[key], h("dt", {}, label)));
  }

  const state = watcher(model);
  state.watch("name", (text) => {
    name.textContent = printable(text || "Events");
  });
  state.watch(["phase", "streams"], (phase, streams) => {
    const live = ["running", "waiting", "paused", "starting", "stopping"].includes(phase);
    chip.textContent = PHASES[phase] || phase;
    chip.dataset.phase = phase;
    el.dataset.phase = phase;
    for (const node of [params, start, pause, stop, limits]) node.hidden = !streams;
    start.disabled = live;
    params.disabled = live;
    pause.disabled = !["running", "waiting", "paused"].includes(phase);
    pause.lastChild.textContent = phase === "paused" ? "Resume" : "Pause";
    stop.disabled = !live || phase === "stopping";
  });
  state.watch("params", (text) => setValue(params, text));
  state.watch("sources", (list) => {
    source.hidden = !list || list.length < 2;
    refill(source, ...(list || []).map((each) => h("option", { value: each }, printable(each))));
  });
  state.watch("source", (text) => {
    if (text) source.value = text;
  });
  state.watch("suggestions", (list) => {
    refill(suggestions, ...(list || []).map((each) => h("option", { value: each.value }, printable(each.desc || ""))));
  });
  state.watch("count", (value) => {
    values.count.textContent = grouped(value);
  });
  state.watch("rate", (value) => {
    values.rate.textContent = value === null ? "–" : short(value);
  });
  state.watch("matches", (value) => {
    values.matches.textContent = grouped(value);
  });
  state.watch("memory", (value) => {
    values.memory.textContent = bytes(value);
  });
  state.watch("elapsed", (value) => {
    values.elapsed.textContent = value === null || value === undefined ? "–" : `${Number(value).toFixed(value < 10 ? 1 : 0)}\u202fs`;
  });
  state.watch("progress", (progress) => {
    const known = progress && progress.percent !== null && progress.percent !== undefined;
    bar.hidden = !known;
    if (known) bar.value = progress.percent;
  });
  state.watch(["note", "progress"], (text, progress) => {
    note.textContent = printable([progress && progress.text, text].filter(Boolean).join(" · "));
  });
  state.watch("limits", (given) => drawLimits(given || {}));
  state.watch("card", drawCard);

  function drawLimits(given) {
    const inputs = [["events", "Events", 1], ["seconds", "Seconds", 1], ["mebibytes", "MiB in memory", 1]].map(([key, label, least]) => {
      const input = h("input", { class: "wb-input wb-small", type: "number", min: least, id: uid("limit") });
      input.value = String(given[key]);
      input.addEventListener("change", () => model.send({ do: "limit", key, value: Number(input.value) }));
      return h("div", { class: "wb-field" }, h("label", { for: input.id }, label), input);
    });
    const open = limits.open;
    refill(limits, h("summary", { class: "wb-button" }, "Limits"), h("div", { class: "wb-menu" }, h("div", { class: "wb-help" }, "The stream stops at the first limit it reaches."), inputs));
    limits.open = open;
  }

  function drawCard(data) {
    card.hidden = !data;
    if (!data) return;
    const block = (label, text) => (text ? h("details", { class: "wb-fold" }, h("summary", {}, label), h("pre", { class: "wb-pre" }, printableLines(text))) : null);
    refill(card, h("h3", {}, printable(data.title)),
      h("p", {}, printable(data.message)),
      h("dl", { class: "wb-facts" }, (data.facts || []).map(([key, value]) => [h("dt", {}, key), h("dd", {}, printable(value))])),
      block("Native backtrace", data.backtrace),
      block("Last lines of the plugin's log", data.log),
      h(
        "div",
        { class: "wb-bar" },
        data.restart ? button("Restart", () => model.send({ do: "restart" }), { icon: "restart", class: "wb-primary" }) : null,
        button("Dismiss", () => model.send({ do: "dismiss" }), { quiet: true }),
      ),
    );
  }

  const outside = (event) => {
    if (limits.open && !limits.contains(event.target)) limits.open = false;
  };
  document.addEventListener("pointerdown", outside);
  return () => {
    document.removeEventListener("pointerdown", outside);
    state.stop();
  };
}
