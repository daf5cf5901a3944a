// Events and matches over time (or over any number), with a brush.
import { h, s, host, button, grouped, short } from "./dom.js";

const HEIGHT = 92;
const FOOT = 18;
const LEFT = 4;

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
  if (ms < 1) return `${(ms * 1000).toPrecision(3)} µs`;
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

function render({ model, el }) {
  const release = host(el, "timeline");
  const legend = (name, label) => h("span", { class: `wb-key ${name}` }, label);
  const field = h("select", { class: "wb-input wb-small", "aria-label": "Field on the axis" });
  field.addEventListener("change", () => {
    model.set("field", field.value);
    model.save_changes();
  });
  const text = h("span", { class: "wb-muted", role: "status" });
  const clear = button("Clear range", () => brush(null), { icon: "cross", quiet: true, hidden: true });
  const svg = s("svg", { class: "wb-plot", height: HEIGHT, role: "img", "aria-label": "Events and matches over time" });
  const tip = h("div", { class: "wb-tip", hidden: true });
  const low = handle("Start of the range");
  const high = handle("End of the range");
  const plot = h("div", { class: "wb-plot-frame" }, svg, low, high, tip);
  el.append(h("div", { class: "wb-bar" }, h("span", { class: "wb-title" }, "Timeline"), field, legend("wb-key-all", "events"), legend("wb-key-match", "matches"), text, h("span", { class: "wb-grow" }), clear), plot);

  let width = 600;
  let drag = null;

  function handle(label) {
    return h("div", { class: "wb-handle", role: "slider", tabIndex: 0, "aria-label": label, hidden: true, on: { keydown: onKey } });
  }

  const data = () => model.get("data") || {};
  const bins = () => (data().counts || []).length;
  const x = (bin) => LEFT + (bin * (width - 2 * LEFT)) / Math.max(1, bins());
  const binAt = (px) => Math.min(bins(), Math.max(0, ((px - LEFT) * bins()) / Math.max(1, width - 2 * LEFT)));
  const range = () => drag || data().brush || null;

  function value(bin) {
    const d = data();
    const at = d.start + bin * d.width;
    return d.kind === "time" ? clock(at, d.width * bins()) : short(at);
  }

  function brush(pair) {
    drag = null;
    model.send({ do: "brush", range: pair, version: data().version });
  }

  // One path for all bars: cheap to draw ten times a second.
  function bars(counts, top) {
    const room = HEIGHT - FOOT - 4;
    const wide = (width - 2 * LEFT) / Math.max(1, counts.length);
    const gap = wide > 4 ? 1 : 0;
    let path = "";
    counts.forEach((count, bin) => {
      if (!count) return;
      const tall = Math.max(1.5, (room * count) / top);
      path += `M${x(bin).toFixed(2)} ${HEIGHT - FOOT}v${(-tall).toFixed(2)}h${Math.max(0.6, wide - gap).toFixed(2)}v${tall.toFixed(2)}z`;
    });
    return path;
  }

  const allPath = s("path", { class: "wb-bars-all" });
  const matchPath = s("path", { class: "wb-bars-match" });
  const base = s("line", { class: "wb-axis" });
  const ticks = s("g", { class: "wb-ticks" });
  const shade = s("rect", { class: "wb-brush", y: 0, height: HEIGHT - FOOT });
  svg.append(allPath, matchPath, base, ticks, shade);

  function draw() {
    const d = data();
    const counts = d.counts || [];
    svg.setAttribute("width", String(width));
    const top = Math.max(1, ...counts);
    allPath.setAttribute("d", bars(counts, top));
    matchPath.setAttribute("d", bars(d.matches || [], top));
    for (const [key, amount] of Object.entries({ x1: 0, x2: width, y1: HEIGHT - FOOT + 0.5, y2: HEIGHT - FOOT + 0.5 })) base.setAttribute(key, String(amount));
    drawTicks(d, counts.length);
    drawBrush();
    text.textContent = counts.length ? `${d.kind === "time" ? `${length(d.width)} per bar` : `${short(d.width)} per bar`}` : "";
    svg.setAttribute("aria-label", counts.length ? `${grouped(counts.reduce((a, b) => a + b, 0))} events from ${value(0)} to ${value(counts.length)}` : "No events yet");
  }

  function drawTicks(d, count) {
    ticks.replaceChildren();
    if (!count) return;
    const span = d.width * count;
    const step = niceStep(span, d.kind, width);
    for (let at = Math.ceil(d.start / step) * step; at <= d.start + span; at += step) {
      const px = x((at - d.start) / d.width);
      if (px < 24 || px > width - 24) continue;
      ticks.append(
        s("line", { x1: px, x2: px, y1: HEIGHT - FOOT, y2: HEIGHT - FOOT + 4, class: "wb-axis" }),
        s("text", { x: px, y: HEIGHT - 3, "text-anchor": "middle" }, d.kind === "time" ? clock(at, Math.max(span / 8, step)) : short(at)),
      );
    }
  }

  function drawBrush() {
    const pair = range();
    clear.hidden = !pair;
    shade.setAttribute("visibility", pair ? "visible" : "hidden");
    for (const [node, at] of [[low, pair && pair[0]], [high, pair && pair[1]]]) {
      node.hidden = !pair;
      if (!pair) continue;
      node.style.left = `${x(at)}px`;
      node.setAttribute("aria-valuemin", "0");
      node.setAttribute("aria-valuemax", String(bins()));
      node.setAttribute("aria-valuenow", at.toFixed(1));
      node.setAttribute("aria-valuetext", value(at));
    }
    if (!pair) return;
    shade.setAttribute("x", String(x(pair[0])));
    shade.setAttribute("width", String(Math.max(1, x(pair[1]) - x(pair[0]))));
  }

  function onKey(event) {
    const pair = range();
    if (!pair) return;
    const which = event.target === low ? 0 : 1;
    const step = { ArrowLeft: -1, ArrowDown: -1, ArrowRight: 1, ArrowUp: 1, PageUp: 10, PageDown: -10 }[event.key];
    if (event.key === "Escape") brush(null);
    else if (step) {
      const next = [...pair];
      next[which] = Math.min(bins(), Math.max(0, Math.round(next[which]) + step));
      if (next[1] - next[0] >= 1) brush(next);
    } else return;
    event.preventDefault();
  }

  svg.addEventListener("keydown", (event) => {
    if (event.key !== "Enter" || !bins()) return;
    brush([0, bins()]);
    low.hidden = false;
    low.focus();
  });
  svg.setAttribute("tabindex", "0");

  svg.addEventListener("pointerdown", (event) => {
    if (!bins() || event.button !== 0) return;
    event.preventDefault();
    const box = svg.getBoundingClientRect();
    const from = binAt(event.clientX - box.left);
    let moved = false;
    svg.setPointerCapture(event.pointerId);
    const move = (e) => {
      const to = binAt(e.clientX - box.left);
      if (Math.abs(x(to) - x(from)) > 3) moved = true;
      if (moved) drag = [Math.min(from, to), Math.max(from, to)];
      drawBrush();
    };
    const up = () => {
      svg.removeEventListener("pointermove", move);
      brush(moved ? drag : null);
    };
    svg.addEventListener("pointermove", move);
    svg.addEventListener("pointerup", up, { once: true });
    svg.addEventListener("pointercancel", up, { once: true });
  });

  svg.addEventListener("pointermove", (event) => {
    const d = data();
    const bin = Math.floor(binAt(event.clientX - svg.getBoundingClientRect().left));
    if (!bins() || bin >= bins()) return;
    tip.hidden = false;
    tip.textContent = `${value(bin)} · ${grouped(d.counts[bin])} events · ${grouped((d.matches || [])[bin] || 0)} matches`;
    const at = x(bin);
    tip.style.left = `${Math.min(Math.max(at, 90), width - 90)}px`;
  });
  svg.addEventListener("pointerleave", () => {
    tip.hidden = true;
  });

  function drawFields() {
    const chosen = model.get("field");
    field.replaceChildren(...(model.get("fields") || []).map((name) => h("option", { value: name, selected: name === chosen }, name)));
    field.value = chosen;
  }

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
    later();
  });
  observer.observe(plot);
  model.on("change:data", later);
  model.on("change:field", drawFields);
  model.on("change:fields", drawFields);
  drawFields();
  draw();
  return () => {
    model.off("change:data", later);
    model.off("change:field", drawFields);
    model.off("change:fields", drawFields);
    observer.disconnect();
    release();
  };
}

export default { render };
