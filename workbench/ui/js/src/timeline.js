// Events and matches over time (or over any number), with a brush.
import { grouped, h, ib, s, short } from "./dom.js";
import { icon } from "./icons.js";
import { mark } from "./marks.js";

const LEFT = 4;
const LANE = 7;

function pad(value, size = 2) {
  return String(value).padStart(size, "0");
}

function clock(ms, span) {
  const date = new Date(ms);
  const day = `${date.getUTCFullYear()}-${pad(date.getUTCMonth() + 1)}-${pad(date.getUTCDate())}`;
  const time = `${pad(date.getUTCHours())}:${pad(date.getUTCMinutes())}`;
  if (span > 3 * 86400e3) return day;
  if (span > 86400e3) return `${day.slice(5)} ${time}`;
  if (span > 10 * 60e3) return time;
  const seconds = `${time}:${pad(date.getUTCSeconds())}`;
  if (span > 5e3) return seconds;
  if (span > 5) return `${seconds}.${pad(date.getUTCMilliseconds(), 3)}`;
  return `${seconds}.${pad(Math.floor((ms % 1000) * 1000), 6)}`;
}

function length(ms) {
  if (ms < 1) return `${Number((ms * 1000).toPrecision(3))} µs`;
  if (ms < 1000) return `${Number(ms.toPrecision(3))} ms`;
  if (ms < 120e3) return `${Number((ms / 1000).toPrecision(3))} s`;
  if (ms < 7200e3) return `${Number((ms / 60e3).toPrecision(3))} min`;
  return `${Number((ms / 3600e3).toPrecision(3))} h`;
}

function niceStep(span, kind, room) {
  const wanted = span / Math.max(2, Math.floor(room / 96));
  if (kind === "time") {
    const steps = [1, 2, 5, 10, 20, 50, 100, 200, 500, 1e3, 2e3, 5e3, 10e3, 15e3, 30e3, 60e3, 120e3, 300e3, 600e3, 900e3, 1800e3, 3600e3, 7200e3, 10800e3, 21600e3, 43200e3, 86400e3];
    for (const step of steps) if (step >= wanted) return step;
    return Math.ceil(wanted / 86400e3) * 86400e3;
  }
  const power = 10 ** Math.floor(Math.log10(wanted || 1));
  for (const factor of [1, 2, 5, 10]) if (factor * power >= wanted) return factor * power;
  return 10 * power;
}

export function makeTimeline(app) {
  const { bus } = app;
  const fieldName = h("span", { class: "wb-clip" });
  const field = h("button", { type: "button", class: "wb-axis-field", "aria-haspopup": "menu", title: "What the timeline counts over", on: { click: () => pick() } }, fieldName, icon("down"));
  const width_ = h("div", { class: "wb-dim" });
  const most = h("div", { class: "wb-dim wb-tl-most" });
  const svg = s("svg", { class: "wb-plot", role: "img", "aria-label": "Events and matches over time" });
  const tip = h("div", { class: "wb-tip", hidden: true });
  const low = handle("Start of the range");
  const high = handle("End of the range");
  const clear = ib("cross", "Clear the range", () => brush(null), { class: "wb-mini" });
  const chipText = h("span", {});
  const chip = h("div", { class: "wb-range-chip", hidden: true }, chipText, clear);
  const plot = h("div", { class: "wb-plot-frame", tabIndex: 0, role: "group", "aria-label": "Timeline: Enter chooses a range" }, svg, low, high, chip, tip);
  const node = h("div", { class: "wb-timeline", "data-region": "timeline" }, h("div", { class: "wb-tl-side" }, field, width_, most), plot);
  let width = 600;
  let height = 58;
  let drag = null;

  function handle(label) {
    return h("div", { class: "wb-handle", role: "slider", tabIndex: 0, "aria-label": label, hidden: true, on: { keydown: onKey } });
  }

  const data = () => bus.get("timeline").data || {};
  const bins = () => (data().counts || []).length;
  const foot = () => (height < 40 ? 0 : 15);
  const x = (bin) => LEFT + (bin * (width - 2 * LEFT)) / Math.max(1, bins());
  const binAt = (px) => Math.min(bins(), Math.max(0, ((px - LEFT) * bins()) / Math.max(1, width - 2 * LEFT)));
  const range = () => drag || data().brush || null;

  function value(bin) {
    const d = data();
    const at = d.start + bin * d.width;
    return d.kind === "time" ? clock(at, Math.min(d.width * bins(), 500e3)) : short(at);
  }

  function brush(pair) {
    drag = null;
    bus.send("timeline", "brush", { range: pair, version: data().version });
    if (!pair) drawBrush();
  }

  function pick() {
    const now = bus.get("timeline");
    app.layers.menu((now.fields || []).map((name) => ({ label: name, checked: name === now.field, run: () => bus.send("timeline", "field", { name }) })), field, { label: "Axis" });
  }

  // One path for all bars: cheap to draw ten times a second.
  function bars(counts, top, base, room) {
    const wide = (width - 2 * LEFT) / Math.max(1, counts.length);
    const gap = wide > 4 ? 1 : 0;
    let path = "";
    counts.forEach((count, bin) => {
      if (!count) return;
      const tall = Math.max(1.5, (room * count) / top);
      path += `M${x(bin).toFixed(2)} ${base}v${(-tall).toFixed(2)}h${Math.max(0.6, wide - gap).toFixed(2)}v${tall.toFixed(2)}z`;
    });
    return path;
  }

  const allPath = s("path", { class: "wb-bars-all" });
  const matchPath = s("path", { class: "wb-bars-match" });
  const ticks = s("g", { class: "wb-ticks" });
  const outLeft = s("rect", { class: "wb-out", y: 0 });
  const outRight = s("rect", { class: "wb-out", y: 0 });
  const shade = s("rect", { class: "wb-brush", y: 0 });
  svg.append(allPath, matchPath, ticks, outLeft, outRight, shade);

  function draw() {
    const d = data();
    const counts = d.counts || [];
    const matches = d.matches || [];
    svg.setAttribute("width", String(width));
    svg.setAttribute("height", String(height));
    const base = height - foot();
    const room = base - LANE - 6;
    const peak = Math.max(0, ...matches);
    allPath.setAttribute("d", bars(counts, Math.max(1, ...counts), base - LANE - 2, room));
    matchPath.setAttribute("d", peak ? bars(matches, peak, base, LANE) : "");
    drawTicks(d, counts.length, base);
    drawBrush();
    const name = bus.get("timeline").field || "";
    fieldName.textContent = name === "evt.time" ? "time" : name.slice(name.indexOf(".") + 1);
    width_.textContent = counts.length ? `${d.kind === "time" ? length(d.width) : short(d.width)} bars` : "";
    most.replaceChildren(...(peak ? [mark("match"), ` max ${short(peak)}`] : []));
    svg.setAttribute("aria-label", counts.length ? `${grouped(counts.reduce((a, b) => a + b, 0))} events from ${value(0)} to ${value(counts.length)}` : "No events yet");
  }

  function drawTicks(d, count, base) {
    ticks.replaceChildren();
    if (!count || !foot()) return;
    const span = d.width * count;
    const step = niceStep(span, d.kind, width);
    for (let at = Math.ceil(d.start / step) * step; at <= d.start + span; at += step) {
      const px = x((at - d.start) / d.width);
      if (px < 24 || px > width - 24) continue;
      ticks.append(s("line", { x1: px, x2: px, y1: base, y2: base + 3, class: "wb-axis" }), s("text", { x: px, y: height - 3, "text-anchor": "middle" }, d.kind === "time" ? clock(at, step >= 60e3 ? Math.max(span, 601e3) : Math.max(span / 8, step)) : short(at)));
    }
  }

  function drawBrush() {
    const pair = range();
    const base = height - foot();
    chip.hidden = !pair;
    for (const one of [shade, outLeft, outRight]) {
      one.setAttribute("visibility", pair ? "visible" : "hidden");
      one.setAttribute("height", String(base));
    }
    for (const [one, at] of [[low, pair && pair[0]], [high, pair && pair[1]]]) {
      one.hidden = !pair;
      if (!pair) continue;
      one.style.left = `${x(at)}px`;
      one.setAttribute("aria-valuemin", "0");
      one.setAttribute("aria-valuemax", String(bins()));
      one.setAttribute("aria-valuenow", at.toFixed(1));
      one.setAttribute("aria-valuetext", value(at));
    }
    if (!pair) return;
    const [from, to] = [x(pair[0]), x(pair[1])];
    shade.setAttribute("x", String(from));
    shade.setAttribute("width", String(Math.max(1, to - from)));
    outLeft.setAttribute("x", "0");
    outLeft.setAttribute("width", String(Math.max(0, from)));
    outRight.setAttribute("x", String(to));
    outRight.setAttribute("width", String(Math.max(0, width - to)));
    const inside = drag ? "" : data().inside;
    chipText.textContent = `${value(pair[0])} – ${value(pair[1])}${inside !== "" && inside !== null && inside !== undefined ? ` · ${grouped(inside)} events` : ""}`;
    const wide = chip.offsetWidth || 180;
    const room = to + 6 + wide < width ? to + 6 : Math.max(0, from - wide - 6);
    chip.style.left = `${room}px`;
  }

  function onKey(event) {
    const pair = range();
    if (!pair) return;
    const which = event.target === high || event.shiftKey ? 1 : 0;
    const step = { ArrowLeft: -1, ArrowDown: -1, ArrowRight: 1, ArrowUp: 1, PageUp: 10, PageDown: -10 }[event.key];
    if (event.key === "Delete") brush(null);
    else if (step) {
      const next = [...pair];
      next[which] = Math.min(bins(), Math.max(0, Math.round(next[which]) + step));
      if (next[1] - next[0] >= 1) brush(next);
    } else return;
    event.preventDefault();
    event.stopPropagation();
  }

  plot.addEventListener("keydown", (event) => {
    if (event.target !== plot || event.key !== "Enter" || !bins()) return;
    event.preventDefault();
    if (!range()) brush([0, bins()]);
    low.hidden = false;
    low.focus();
  });

  svg.addEventListener("pointerdown", (event) => {
    if (!bins() || event.button !== 0) return;
    event.preventDefault();
    const box = svg.getBoundingClientRect();
    const from = binAt(event.clientX - box.left);
    const before = range();
    const near = (at) => before && Math.abs(x(at) - (event.clientX - box.left)) < 6;
    const mode = near(before && before[0]) ? "low" : near(before && before[1]) ? "high" : before && from > before[0] && from < before[1] ? "move" : "draw";
    let moved = false;
    svg.setPointerCapture(event.pointerId);
    const move = (e) => {
      const to = binAt(e.clientX - box.left);
      if (Math.abs(x(to) - x(from)) > 3) moved = true;
      if (!moved) return;
      if (mode === "draw") drag = [Math.min(from, to), Math.max(from, to)];
      else if (mode === "low") drag = [Math.min(to, before[1] - 0.5), before[1]];
      else if (mode === "high") drag = [before[0], Math.max(to, before[0] + 0.5)];
      else {
        const by = Math.max(-before[0], Math.min(bins() - before[1], to - from));
        drag = [before[0] + by, before[1] + by];
      }
      drawBrush();
    };
    const up = () => {
      svg.removeEventListener("pointermove", move);
      if (moved) brush(drag);
    };
    svg.addEventListener("pointermove", move);
    svg.addEventListener("pointerup", up, { once: true });
    svg.addEventListener("pointercancel", up, { once: true });
  });
  svg.addEventListener("dblclick", () => range() && brush(null));
  svg.addEventListener("contextmenu", (event) => {
    event.preventDefault();
    const has = range() ? "" : "drag to choose a range first";
    app.layers.menu([
      { label: "Clear the range", run: () => brush(null), off: has },
      { label: "Range of the matches", run: () => aroundMatches(), off: Math.max(0, ...(data().matches || [])) ? "" : "nothing matches" },
      null,
      ...(bus.get("timeline").fields || []).slice(0, 20).map((name) => ({ label: `Count over ${name}`, checked: name === bus.get("timeline").field, run: () => bus.send("timeline", "field", { name }) })),
    ], { left: event.clientX, right: event.clientX, top: event.clientY, bottom: event.clientY }, { label: "Timeline" });
  });

  function aroundMatches() {
    const hits = (data().matches || []).map((count, bin) => (count ? bin : -1)).filter((bin) => bin >= 0);
    if (hits.length) brush([hits[0], hits[hits.length - 1] + 1]);
  }

  svg.addEventListener("pointermove", (event) => {
    const d = data();
    const bin = Math.floor(binAt(event.clientX - svg.getBoundingClientRect().left));
    if (!bins() || bin >= bins() || drag) {
      tip.hidden = true;
      return;
    }
    tip.hidden = false;
    tip.textContent = `${value(bin)} · ${grouped(d.counts[bin])} events · ${grouped((d.matches || [])[bin] || 0)} matches`;
    tip.style.left = `${Math.min(Math.max(x(bin), 110), width - 110)}px`;
  });
  svg.addEventListener("pointerleave", () => (tip.hidden = true));

  let frame = 0;
  const later = () => {
    if (!frame) {
      frame = requestAnimationFrame(() => {
        frame = 0;
        draw();
      });
    }
  };
  const observer = new ResizeObserver(() => {
    if (plot.clientWidth) width = plot.clientWidth;
    if (plot.clientHeight) height = plot.clientHeight;
    later();
  });
  observer.observe(plot);
  bus.watch("timeline", ["data", "field"], later);
  app.release.push(() => observer.disconnect());
  return { node, focus: () => plot.focus() };
}
