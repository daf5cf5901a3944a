// The virtual rows: only what is seen is drawn; what is near is kept ready.
import { copyText, grouped, h, uid } from "./dom.js";
import { printable } from "./text.js";
import { hits } from "./hits.js";
import { mark, ROW_MARKS } from "./marks.js";

const AHEAD = 60;
const MOST_KEPT = 2000;
const CALM = 300;

export function makeGrid(table) {
  const { app, bus } = table;
  const id = uid("grid");
  const body = h("div", { class: "wb-rows", role: "presentation" });
  const node = h("div", { class: "wb-grid", role: "grid", tabIndex: 0, "aria-label": "Events", "aria-multiselectable": "true" }, table.head.node, body);
  const thumb = h("div", { class: "wb-thumb" });
  const track = h("div", { class: "wb-track", "aria-hidden": "true" }, thumb);
  const frame = h("div", { class: "wb-grid-frame" }, node, track);
  let cache = new Map();
  let version = -1;
  let first = 0;
  let active = null;
  let column = 0;
  let inHead = false;
  let origin = null;
  let local = null;
  let waiting = null;
  let painted = 0;
  let ROW = 22;
  let lit = null;

  const state = () => bus.get("table");
  const total = () => state().total || 0;
  const pageRows = () => Math.max(1, Math.floor((node.clientHeight - 24 - 1) / ROW));
  const maxFirst = () => Math.max(0, total() - pageRows());
  const columns = () => table.head.columns;

  function isChosen(index, position) {
    if (local) return index >= local[0] && index <= local[1];
    return (state().ranges || []).some(([low, high]) => position >= low && position <= high);
  }

  // ---- painting ----
  function paint() {
    painted = 0;
    if (!node.clientHeight) return;
    const start = Math.floor(first);
    const end = Math.min(total(), start + pageRows() + 1);
    const places = table.head.places();
    if (!lit) lit = hits((bus.get("condition").verdict || {}).cells || []);
    while (body.children.length > end - start) body.lastChild.remove();
    let missing = false;
    for (let index = start; index < end; index += 1) {
      const row = cache.get(index);
      if (!row) missing = true;
      let one = body.children[index - start];
      if (!one) {
        one = h("div", { role: "row", class: "wb-tr" });
        body.append(one);
      }
      paintRow(one, index, row, places);
    }
    body.style.transform = `translateY(${-(first - start) * ROW}px)`;
    scrollbar(start);
    node.setAttribute("aria-rowcount", String(total() + 1));
    if (active !== null && active >= start && active < end) node.setAttribute("aria-activedescendant", `${id}-${active}`);
    else node.removeAttribute("aria-activedescendant");
    if (missing) ask();
    node.dataset.first = String(start);
    node.dataset.rows = String(Math.max(0, Math.min(end - start, pageRows())));
    node.dataset.ready = missing ? "0" : "1";
  }

  function scrollbar(start) {
    const room = node.clientHeight - 28;
    const need = total() > pageRows();
    track.hidden = !need;
    if (!need) return;
    const size = Math.max(28, (room * pageRows()) / total());
    thumb.style.height = `${size}px`;
    thumb.style.transform = `translateY(${maxFirst() ? ((room - size) * first) / maxFirst() : 0}px)`;
    track.dataset.start = String(start);
  }

  function paintRow(one, index, row, places) {
    const position = row ? row[0] : null;
    const chosen = row ? isChosen(index, position) : false;
    const here = active === index && !inHead;
    const key = row ? `${index}|${version}|${row[1]}|${row[2]}|${chosen}|${here && column}|${places}|${row[0]}` : `${index}|-${places.length}`;
    if (one.dataset.key === key) return;
    one.dataset.key = key;
    one.dataset.index = String(index);
    one.id = `${id}-${index}`;
    const [markClass, markWords, shape] = ROW_MARKS[row ? row[1] : 0];
    one.className = `wb-tr ${markClass} ${chosen ? "wb-sel" : ""} ${here ? "wb-cur" : ""} ${row ? "" : "wb-wait"} ${index % 2 ? "" : "wb-odd"}`;
    one.setAttribute("aria-rowindex", String(index + 2));
    one.setAttribute("aria-selected", String(chosen));
    const label = row ? row[2] : 0;
    const words = [markWords, label === 1 ? "must match" : label === 2 ? "must not match" : ""].filter(Boolean).join(", ");
    const gutter = h("div", { class: "wb-td wb-gutter", role: "gridcell", "aria-colindex": "1", title: words || null, "aria-label": words || "no mark" }, shape ? mark(shape) : h("span", { class: "wb-mk" }), label ? mark(label === 1 ? "yes" : "not") : null);
    const cells = places.map((place, at) => {
      const text = row ? row[4 + place] : "";
      const absent = text === null || text === undefined;
      const info = columns()[at];
      const inside = !row ? h("i", { class: "wb-skel-bar" }) : absent ? "–" : row[1] ? lit(info.name, text, row[1]) : printable(text);
      return h("div", { class: `wb-td ${info.right ? "wb-right" : ""} ${absent ? "wb-absent" : ""} ${here && at === column ? "wb-here" : ""}`, role: "gridcell", "aria-colindex": String(at + 2), dir: "ltr" }, inside);
    });
    one.replaceChildren(gutter, ...cells);
  }

  function schedule() {
    if (!painted) painted = requestAnimationFrame(paint);
  }

  function ask() {
    const now = performance.now();
    if (waiting && waiting.version === version && now - waiting.at < 1500 && Math.abs(waiting.first - first) < AHEAD / 2) return;
    const start = Math.max(0, Math.floor(first) - AHEAD / 2);
    const count = Math.min(total() - start, pageRows() + 1 + AHEAD);
    const mine = { at: now, version, first };
    waiting = mine;
    bus.latest("table", "rows", { first: start, count, version }).then((piece) => {
      if (waiting === mine) waiting = null;
      if (piece) take(piece);
    });
    setTimeout(() => waiting === mine && schedule(), 1600);
  }

  function take(piece) {
    if (piece.version !== version) {
      if (piece.version < version) return;
      version = piece.version;
      cache = new Map();
    }
    if (cache.size > MOST_KEPT) cache = new Map();
    piece.rows.forEach((row, offset) => cache.set(piece.first + offset, row));
    schedule();
  }

  // ---- moving ----
  function moveTo(value) {
    const next = Math.min(maxFirst(), Math.max(0, value));
    if (next === first) return false;
    first = next;
    if (state().follow && first < maxFirst() - 0.5) {
      state().follow = false;
      bus.send("table", "follow", { on: false });
    }
    paint();
    return true;
  }

  // A gesture that began over the notebook stays with it; at an end the notebook gets
  // the wheel only after a pause.
  let outside = 0;
  let ended = 0;
  let wheeled = 0;
  const elsewhere = (event) => {
    if (!frame.contains(event.target)) outside = performance.now();
  };
  document.addEventListener("wheel", elsewhere, { passive: true, capture: true });
  app.release.push(() => document.removeEventListener("wheel", elsewhere, { capture: true }));
  frame.addEventListener("wheel", (event) => {
    if (Math.abs(event.deltaX) > Math.abs(event.deltaY) || event.ctrlKey) return;
    const now = performance.now();
    if (now - outside < 150) {
      outside = now;
      return;
    }
    const unit = event.deltaMode === 1 ? 1 : event.deltaMode === 2 ? pageRows() : 1 / ROW;
    if (moveTo(first + event.deltaY * unit)) {
      event.preventDefault();
      ended = 0;
    } else if (total() > pageRows()) {
      if (!ended || now - wheeled < CALM) {
        ended = ended || now;
        event.preventDefault();
      }
    }
    wheeled = now;
  }, { passive: false });

  track.addEventListener("pointerdown", (event) => {
    event.preventDefault();
    const box = track.getBoundingClientRect();
    const size = thumb.offsetHeight;
    const inside = event.target === thumb ? event.clientY - thumb.getBoundingClientRect().top : size / 2;
    const go = (e) => moveTo(Math.round((maxFirst() * (e.clientY - box.top - inside)) / Math.max(1, box.height - size)));
    go(event);
    track.setPointerCapture(event.pointerId);
    track.addEventListener("pointermove", go);
    track.addEventListener("pointerup", () => track.removeEventListener("pointermove", go), { once: true });
  });

  let touch = null;
  body.addEventListener("touchstart", (event) => (touch = event.touches[0].clientY), { passive: true });
  body.addEventListener("touchmove", (event) => {
    const y = event.touches[0].clientY;
    if (moveTo(first + (touch - y) / ROW)) event.preventDefault();
    touch = y;
  }, { passive: false });

  // ---- selecting ----
  function activate(index, mode) {
    if (!total()) return;
    inHead = false;
    active = Math.min(total() - 1, Math.max(0, index));
    if (active < first) moveTo(active);
    else if (active > first + pageRows() - 1) moveTo(active - pageRows() + 1);
    if (state().follow) bus.send("table", "follow", { on: false });
    if (mode === "toggle") {
      origin = active;
      local = null;
      tell("select", { ranges: [[active, active]], mode: "toggle" });
    } else {
      if (mode !== "extend" || origin === null) origin = active;
      local = [Math.min(origin, active), Math.max(origin, active)];
      tell("select", { ranges: [local], mode: "set" });
    }
    schedule();
  }

  let telling = 0;
  let told = null;
  function tell(what, values) {
    told = [what, values];
    clearTimeout(telling);
    telling = setTimeout(flush, 30);
  }
  function flush() {
    clearTimeout(telling);
    if (told) bus.send("table", ...told);
    told = null;
  }

  body.addEventListener("click", (event) => {
    const one = event.target.closest(".wb-tr");
    if (!one || one.dataset.index === undefined) return;
    const cell = event.target.closest(".wb-td");
    const at = [...one.children].indexOf(cell);
    column = Math.max(0, at - 1);
    node.focus({ preventScroll: true });
    const gutter = at === 0;
    activate(Number(one.dataset.index), event.shiftKey ? "extend" : event.ctrlKey || event.metaKey || gutter ? "toggle" : "set");
  });
  body.addEventListener("dblclick", () => app.dock.show("event"));
  body.addEventListener("contextmenu", (event) => {
    const one = event.target.closest(".wb-tr");
    if (!one) return;
    event.preventDefault();
    const index = Number(one.dataset.index);
    const row = cache.get(index);
    column = Math.max(0, [...one.children].indexOf(event.target.closest(".wb-td")) - 1);
    if (row && !isChosen(index, row[0])) activate(index, "set");
    active = index;
    flush();
    openMenu({ left: event.clientX, right: event.clientX, top: event.clientY, bottom: event.clientY });
  });

  function openMenu(anchor) {
    const row = active === null ? null : cache.get(active);
    const info = columns()[column];
    if (row && info) table.menu.open({ position: row[0], number: row[3], column: info, text: row[4 + table.head.places()[column]] }, anchor || document.getElementById(`${id}-${active}`) || node);
  }

  node.addEventListener("keydown", (event) => {
    if (event.target !== node) return;
    const here = active === null ? Math.floor(first) - 1 : active;
    const mode = event.shiftKey ? "extend" : "set";
    const ctrl = event.ctrlKey || event.metaKey;
    if (inHead) return headKey(event);
    const moves = {
      ArrowDown: () => activate(here + 1, mode),
      ArrowUp: () => (here <= 0 && mode === "set" ? toHead() : activate(here - 1, mode)),
      PageDown: () => activate(here + pageRows(), mode),
      PageUp: () => activate(here - pageRows(), mode),
      Home: () => (ctrl ? activate(0, mode) : sideways(-1e6)),
      End: () => (ctrl ? activate(total() - 1, mode) : sideways(1e6)),
      ArrowRight: () => sideways(1),
      ArrowLeft: () => sideways(-1),
    };
    if (ctrl && event.key === " ") activate(Math.max(0, here), "toggle");
    else if (ctrl && event.key.toLowerCase() === "a") selectAll();
    else if (ctrl && event.key.toLowerCase() === "c") copy();
    else if (event.key === "Enter") app.dock.show("event", true);
    else if ((event.key === "F10" && event.shiftKey) || event.key === "ContextMenu") openMenu();
    else if (moves[event.key] && !event.altKey) moves[event.key]();
    else return;
    event.preventDefault();
    event.stopPropagation();
  });

  function toHead() {
    inHead = true;
    schedule();
    markHead();
  }

  function markHead() {
    for (const one of table.head.node.children) one.classList.remove("wb-here");
    const one = inHead && table.head.node.children[column + 1];
    if (one) {
      one.classList.add("wb-here");
      app.status.announce(`column ${one.dataset.column}, sorted ${one.getAttribute("aria-sort")}`);
    }
  }

  function headKey(event) {
    const info = columns()[column];
    if (event.key === "ArrowDown" || event.key === "Escape") inHead = false;
    else if (event.key === "Enter" && info) table.head.order(info);
    else if (event.key.startsWith("Arrow") && event.shiftKey && info) {
      const now = table.head.node.children[column + 1].offsetWidth;
      bus.send("table", "width", { column: info.name, width: now + (event.key === "ArrowRight" ? 16 : -16) });
    } else if (event.key === "ArrowRight" || event.key === "ArrowLeft") column = Math.min(columns().length - 1, Math.max(0, column + (event.key === "ArrowRight" ? 1 : -1)));
    else return;
    event.preventDefault();
    event.stopPropagation();
    markHead();
    schedule();
  }

  function sideways(step) {
    column = Math.min(columns().length - 1, Math.max(0, column + step));
    if (active === null) active = Math.floor(first);
    schedule();
  }

  function selectAll() {
    local = total() ? [0, total() - 1] : null;
    bus.send("table", "select_all");
    schedule();
  }

  async function copy() {
    const count = state().selected || 0;
    const row = active === null ? null : cache.get(active);
    if (count > 1) {
      flush();
      const text = await bus.ask("table", "copy", { kind: "tsv" });
      copyText(text, () => app.status.say(`copied ${grouped(Math.min(count, 2000))} rows`));
    } else if (row) copyText(String(row[4 + table.head.places()[column]] ?? ""), () => app.status.say("copied the cell"));
  }

  // ---- what Python says ----
  bus.watch("table", ["version", "total"], (now) => {
    if (now !== version) {
      version = now;
      cache = new Map();
      waiting = null;
      local = null;
    }
    lit = null;
    first = state().follow ? maxFirst() : Math.min(first, maxFirst());
    schedule();
  });
  bus.watch("condition", "verdict", () => {
    lit = null;
  });
  bus.on("table", "rows", (piece) => take(piece));
  bus.watch("table", "ranges", () => {
    local = null;
    schedule();
  });
  bus.watch("table", "follow", (on) => {
    if (on) {
      first = maxFirst();
      schedule();
    }
  });
  bus.on("table", "top", () => {
    first = 0;
    schedule();
  });
  bus.on("table", "reveal", (at) => {
    if (at < 0) return;
    active = at;
    show(at);
  });

  function show(at) {
    if (at < first || at > first + pageRows() - 1) moveTo(at - Math.floor(pageRows() / 3));
    schedule();
  }

  const observer = new ResizeObserver(() => {
    const probe = body.firstChild;
    if (probe && probe.offsetHeight) ROW = probe.offsetHeight;
    first = Math.min(first, maxFirst());
    table.head.draw();
    schedule();
  });
  observer.observe(node);
  app.release.push(() => {
    clearTimeout(telling);
    observer.disconnect();
  });

  return {
    node: frame,
    grid: node,
    width: () => node.clientWidth || 600,
    focus() {
      node.focus({ preventScroll: true });
      if (active === null && total()) {
        active = Math.floor(first);
        schedule();
      }
    },
    redraw: schedule,
    flush,
    go(at) {
      activate(at, "set");
      show(at);
    },
    async jump(what) {
      const at = await bus.latest("table", "jump", { row: active === null ? -1 : active, what });
      if (at !== null && at >= 0) this.go(at);
      else if (at === -1) app.status.say("no further one");
    },
    get column() {
      return columns()[column] ? columns()[column].name : "";
    },
    get here() {
      const row = active === null ? null : cache.get(active);
      return row ? { position: row[0], number: row[3], column: columns()[column] } : null;
    },
    get last() {
      return first >= maxFirst() - 0.5;
    },
  };
}
