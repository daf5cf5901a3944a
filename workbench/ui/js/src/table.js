// The virtual event table. Only visible rows exist here; the first visible row is an
// absolute row number, so nothing drifts while rows arrive.
import { h, host, button, printable, grouped, onInput, copyText, uid } from "./dom.js";

const ROW = 24;
const AHEAD = 60;
const GUTTER = 44;
const MARKS = [
  ["", ""],
  ["wb-match", "matches"],
  ["wb-near", "near miss"],
];

function render({ model, el }) {
  const release = host(el, "table");
  const id = uid("table");
  let first = 0;
  let cache = new Map();
  let version = model.get("version");
  let waiting = null;
  let active = null;
  let activeColumn = 0;
  let origin = null;
  let painted = 0;
  const known = new Map();

  // ---- the bar above -------------------------------------------------------------
  const show = h("div", { class: "wb-segment", role: "group", "aria-label": "Rows to show" });
  const showButtons = [
    ["all", "All"],
    ["match", "Matches"],
    ["near", "Near misses"],
  ].map(([value, label]) => {
    const count = h("span", { class: "wb-count" });
    const node = h("button", { type: "button", class: "wb-seg", on: { click: () => put("show", value) } }, label, " ", count);
    show.append(node);
    return { value, node, count };
  });
  const quick = h("input", { type: "search", class: "wb-input wb-quick", placeholder: "Quick filter", "aria-label": "Quick filter: rows that contain this text" });
  onInput(quick, (value) => put("quick", value), 150);
  const status = h("span", { class: "wb-muted wb-rows", role: "status" });
  const follow = button("Follow", () => put("follow", !model.get("follow")), { icon: "tail", bare: true, class: "wb-toggle", title: "Follow: keep the newest rows in view" });
  const menu = h("div", { class: "wb-menu", role: "group", "aria-label": "Columns", hidden: true });
  const columnsButton = button("Columns", () => toggleMenu(), { icon: "columns", bare: true, "aria-expanded": "false", "aria-haspopup": "true" });
  el.append(
    h("div", { class: "wb-bar" }, show, quick, status, h("span", { class: "wb-grow" }), follow, h("span", { class: "wb-anchor" }, columnsButton, menu)),
  );

  // ---- the grid --------------------------------------------------------------------
  const head = h("div", { class: "wb-row wb-head", role: "row", "aria-rowindex": "1" });
  const body = h("div", { class: "wb-body", role: "rowgroup" });
  const grid = h("div", { class: "wb-grid", role: "grid", tabIndex: 0, "aria-label": "Events", "aria-multiselectable": "true" }, h("div", { role: "rowgroup" }, head), body);
  const thumb = h("div", { class: "wb-thumb" });
  const track = h("div", { class: "wb-track", role: "scrollbar", "aria-label": "Scroll events", "aria-orientation": "vertical", "aria-controls": id }, thumb);
  grid.id = id;
  const empty = h("div", { class: "wb-empty", hidden: true });
  const live = h("div", { class: "wb-offscreen", "aria-live": "polite" });
  const frame = h("div", { class: "wb-frame" }, grid, track, empty, live);
  el.append(frame);

  const total = () => model.get("total");
  const pageRows = () => Math.max(1, Math.floor((frame.clientHeight - ROW - 2) / ROW));
  const maxFirst = () => Math.max(0, total() - pageRows());
  const selected = () => new Set(model.get("selected"));

  function put(key, value) {
    model.set(key, value);
    model.save_changes();
  }

  function columns() {
    const all = new Map(model.get("columns").map((column) => [column.name, column]));
    return model.get("shown").map((name) => all.get(name)).filter(Boolean);
  }

  function widthOf(column) {
    return (model.get("widths") || {})[column.name] || column.width || 140;
  }

  function template() {
    const widths = columns().map((column) => `${widthOf(column)}px`);
    const last = widths.length ? widths.pop().replace("px", "") : "140";
    return `${GUTTER}px ${widths.join(" ")} minmax(${last}px, 1fr)`;
  }

  // ---- heads: sort, resize -------------------------------------------------------
  function drawHead() {
    const [by, direction] = model.get("sort") || [];
    head.replaceChildren(h("div", { class: "wb-cell wb-gutter", role: "columnheader", "aria-label": "Mark" }));
    columns().forEach((column, index) => {
      const order = by === column.name ? direction : "";
      const grip = h("span", {
        class: "wb-grip",
        role: "separator",
        "aria-orientation": "vertical",
        "aria-label": `Width of ${column.name}`,
        "aria-valuenow": String(widthOf(column)),
        tabIndex: 0,
        on: { pointerdown: (event) => resize(event, column), keydown: (event) => nudge(event, column) },
      });
      const sorter = h(
        "button",
        { type: "button", class: "wb-sort", title: column.desc || column.name, on: { click: () => cycle(column.name) } },
        h("span", { class: "wb-clip" }, column.name),
        h("span", { class: "wb-arrow", "aria-hidden": "true" }, order === "asc" ? "▲" : order === "desc" ? "▼" : ""),
      );
      head.append(
        h(
          "div",
          {
            class: "wb-cell",
            role: "columnheader",
            "aria-colindex": index + 2,
            "aria-sort": order === "asc" ? "ascending" : order === "desc" ? "descending" : "none",
          },
          sorter,
          grip,
        ),
      );
    });
    grid.style.setProperty("--wb-columns", template());
    grid.setAttribute("aria-colcount", String(columns().length + 1));
  }

  function cycle(name) {
    const [by, direction] = model.get("sort") || [];
    if (by !== name) put("sort", [name, "asc"]);
    else if (direction === "asc") put("sort", [name, "desc"]);
    else put("sort", []);
  }

  function resize(event, column) {
    event.preventDefault();
    const start = event.clientX;
    const before = event.target.parentElement.getBoundingClientRect().width;
    const grip = event.target;
    grip.setPointerCapture(event.pointerId);
    const move = (e) => {
      const widths = { ...(model.get("widths") || {}) };
      widths[column.name] = Math.max(48, Math.round(before + e.clientX - start));
      model.set("widths", widths);
      grid.style.setProperty("--wb-columns", template());
    };
    const up = () => {
      grip.removeEventListener("pointermove", move);
      model.save_changes();
    };
    grip.addEventListener("pointermove", move);
    grip.addEventListener("pointerup", up, { once: true });
    grip.addEventListener("pointercancel", up, { once: true });
  }

  function nudge(event, column) {
    const step = { ArrowLeft: -16, ArrowRight: 16 }[event.key];
    if (!step) return;
    event.preventDefault();
    put("widths", { ...(model.get("widths") || {}), [column.name]: Math.max(48, widthOf(column) + step) });
  }

  // ---- rows ------------------------------------------------------------------------
  function paint() {
    painted = 0;
    if (waiting && waiting.version !== version) waiting = null;
    const count = pageRows() + 1;
    const start = Math.floor(first);
    const end = Math.min(total(), start + count);
    const shown = columns();
    const chosen = selected();
    while (body.children.length > end - start) body.lastChild.remove();
    let missing = false;
    for (let index = start; index < end; index += 1) {
      const row = cache.get(index);
      if (!row) missing = true;
      let node = body.children[index - start];
      if (!node) {
        node = h("div", { role: "row", class: "wb-row" });
        body.append(node);
      }
      paintRow(node, index, row, shown, chosen);
    }
    body.style.transform = `translateY(${-(first - start) * ROW}px)`;
    const room = frame.clientHeight - ROW - 4;
    const need = total() > pageRows();
    track.hidden = !need;
    if (need) {
      const size = Math.max(28, (room * pageRows()) / total());
      thumb.style.height = `${size}px`;
      thumb.style.transform = `translateY(${maxFirst() ? ((room - size) * first) / maxFirst() : 0}px)`;
      track.setAttribute("aria-valuemin", "0");
      track.setAttribute("aria-valuemax", String(maxFirst()));
      track.setAttribute("aria-valuenow", String(start));
    }
    grid.setAttribute("aria-rowcount", String(total() + 1));
    empty.hidden = total() > 0;
    if (!empty.hidden) empty.textContent = model.get("empty");
    if (missing) ask();
    el.dataset.first = String(start);
    el.dataset.ready = missing ? "0" : "1";
  }

  function paintRow(node, index, row, shown, chosen) {
    const position = row ? row[0] : null;
    const mark = row ? row[1] : 0;
    const label = row ? row[2] : 0;
    const isChosen = position !== null && chosen.has(position);
    const isActive = active === index;
    const key = row ? `${index}|${row.join("\u0000")}|${isChosen}|${isActive && activeColumn}|${shown.length}` : `${index}|-`;
    if (node.dataset.key === key) return;
    node.dataset.key = key;
    node.dataset.index = String(index);
    node.id = `${id}-${index}`;
    node.className = `wb-row ${MARKS[mark][0]} ${isChosen ? "wb-chosen" : ""} ${isActive ? "wb-active" : ""} ${row ? "" : "wb-pending"} ${index % 2 ? "wb-odd" : ""}`;
    node.setAttribute("aria-rowindex", String(index + 2));
    node.setAttribute("aria-selected", String(isChosen));
    const sign = mark === 1 ? "●" : mark === 2 ? "○" : "";
    const flag = label === 1 ? "✓" : label === 2 ? "✗" : "";
    const words = [MARKS[mark][1], label === 1 ? "labelled must match" : label === 2 ? "labelled must not match" : ""].filter(Boolean).join(", ");
    const cells = [h("div", { class: "wb-cell wb-gutter", role: "gridcell", title: words || null, "aria-label": words || "no mark" }, h("span", { class: "wb-sign" }, sign), h("span", { class: `wb-flag wb-flag-${label}` }, flag))];
    shown.forEach((column, at) => {
      const text = row ? row[3 + at] : "";
      const absent = text === null || text === undefined;
      cells.push(
        h(
          "div",
          {
            class: `wb-cell ${column.right ? "wb-right" : ""} ${absent ? "wb-absent" : ""} ${isActive && at === activeColumn ? "wb-here" : ""}`,
            role: "gridcell",
            "aria-colindex": at + 2,
            dir: "ltr",
          },
          absent ? "–" : printable(text),
        ),
      );
    });
    node.replaceChildren(...cells);
  }

  function schedule() {
    if (!painted) painted = requestAnimationFrame(paint);
  }

  function ask() {
    const now = performance.now();
    if (waiting && now - waiting.at < 1500) return;
    const start = Math.max(0, Math.floor(first) - AHEAD);
    const end = Math.min(total(), Math.floor(first) + pageRows() + 1 + AHEAD);
    waiting = { at: now, version };
    model.send({ do: "rows", first: start, count: end - start, version });
    setTimeout(() => {
      if (waiting && waiting.at === now) schedule();
    }, 1600);
  }

  function receive(message) {
    if (!message || !message.rows) return;
    if (message.version !== version) {
      if (message.version < version) return;
      version = message.version;
      cache = new Map();
    }
    if (!message.push) waiting = null;
    if (cache.size > 4000) cache = new Map();
    message.rows.forEach((row, offset) => cache.set(message.first + offset, row));
    const late = active !== null && known.get(active);
    if (late && cache.has(active)) {
      known.clear();
      choose(cache.get(active)[0], late.extend, late.toggle);
    }
    if (message.total !== undefined && message.total !== total()) model.set("total", message.total);
    if (model.get("follow")) first = maxFirst();
    schedule();
  }

  // ---- moving ------------------------------------------------------------------------
  function moveTo(value) {
    const next = Math.min(maxFirst(), Math.max(0, value));
    if (next === first) return false;
    first = next;
    if (model.get("follow") && first < maxFirst() - 0.5) put("follow", false);
    paint();
    return true;
  }

  body.addEventListener(
    "wheel",
    (event) => {
      if (Math.abs(event.deltaX) > Math.abs(event.deltaY)) return;
      const unit = event.deltaMode === 1 ? 1 : event.deltaMode === 2 ? pageRows() : 1 / ROW;
      if (moveTo(first + event.deltaY * unit)) event.preventDefault();
    },
    { passive: false },
  );

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
  body.addEventListener("touchstart", (event) => {
    touch = event.touches[0].clientY;
  }, { passive: true });
  body.addEventListener("touchmove", (event) => {
    const y = event.touches[0].clientY;
    if (moveTo(first + (touch - y) / ROW)) event.preventDefault();
    touch = y;
  }, { passive: false });

  function activate(index, { extend = false, toggle = false } = {}) {
    if (!total()) return;
    active = Math.min(total() - 1, Math.max(0, index));
    if (active < first) moveTo(active);
    else if (active > first + pageRows() - 1) moveTo(active - pageRows() + 1);
    grid.setAttribute("aria-activedescendant", `${id}-${active}`);
    const row = cache.get(active);
    if (row) choose(row[0], extend, toggle);
    else known.set(active, { extend, toggle });
    schedule();
  }

  let chooseTimer = 0;
  function choose(position, extend, toggle) {
    let next = [position];
    if (toggle) {
      const chosen = selected();
      if (chosen.has(position)) chosen.delete(position);
      else chosen.add(position);
      next = [...chosen];
    } else if (extend && origin !== null) {
      const [low, high] = [Math.min(origin, active), Math.max(origin, active)];
      next = [];
      for (let index = low; index <= high && next.length < 1000; index += 1) {
        const row = cache.get(index);
        if (row) next.push(row[0]);
      }
    }
    if (!extend) origin = active;
    model.set("selected", next);
    if (model.get("follow")) model.set("follow", false);
    clearTimeout(chooseTimer);
    chooseTimer = setTimeout(() => model.save_changes(), 40);
    schedule();
  }

  body.addEventListener("click", (event) => {
    const node = event.target.closest(".wb-row");
    if (!node) return;
    const cell = event.target.closest(".wb-cell");
    activeColumn = Math.max(0, [...node.children].indexOf(cell) - 1);
    grid.focus({ preventScroll: true });
    activate(Number(node.dataset.index), { extend: event.shiftKey, toggle: event.ctrlKey || event.metaKey });
    tellColumn();
  });

  function tellColumn() {
    const column = columns()[activeColumn];
    if (column && column.name !== model.get("active_column")) put("active_column", column.name);
  }

  grid.addEventListener("keydown", (event) => {
    if (event.target !== grid) return;
    const here = active === null ? Math.floor(first) - 1 : active;
    const extend = event.shiftKey;
    const moves = {
      ArrowDown: () => activate(here + 1, { extend }),
      ArrowUp: () => activate(here - 1, { extend }),
      PageDown: () => activate(here + pageRows(), { extend }),
      PageUp: () => activate(here - pageRows(), { extend }),
      Home: () => activate(0, { extend }),
      End: () => activate(total() - 1, { extend }),
      ArrowRight: () => sideways(1),
      ArrowLeft: () => sideways(-1),
      " ": () => activate(Math.max(0, here), { toggle: event.ctrlKey }),
      Enter: () => model.send({ do: "open" }),
      Escape: () => choose0(),
    };
    if ((event.ctrlKey || event.metaKey) && event.key === "c") {
      const row = active === null ? null : cache.get(active);
      if (row) copyText(String(row[3 + activeColumn] ?? ""));
    } else if (moves[event.key]) moves[event.key]();
    else return;
    event.preventDefault();
  });

  function choose0() {
    active = null;
    origin = null;
    put("selected", []);
    schedule();
  }

  function sideways(step) {
    activeColumn = Math.min(columns().length - 1, Math.max(0, activeColumn + step));
    schedule();
    tellColumn();
    const name = columns()[activeColumn];
    if (name) live.textContent = `column ${name.name}`;
    const cell = body.querySelector(".wb-here");
    if (cell) cell.scrollIntoView({ block: "nearest", inline: "nearest" });
  }

  // ---- column chooser --------------------------------------------------------------
  function toggleMenu(open = menu.hidden) {
    menu.hidden = !open;
    columnsButton.setAttribute("aria-expanded", String(open));
    if (!open) return;
    const shown = new Set(model.get("shown"));
    const search = h("input", { type: "search", class: "wb-input", placeholder: "Find a column", "aria-label": "Find a column" });
    const list = h("div", { class: "wb-menu-list" });
    const items = model.get("columns").map((column) => {
      const box = h("input", { type: "checkbox", checked: shown.has(column.name), on: { change: () => pick(column.name, box.checked) } });
      const node = h("label", { class: "wb-check", title: column.desc || "" }, box, h("span", {}, column.name), h("span", { class: "wb-type" }, column.type));
      return { node, name: column.name.toLowerCase() };
    });
    search.addEventListener("input", () => {
      for (const item of items) item.node.hidden = !item.name.includes(search.value.toLowerCase());
    });
    list.append(...items.map((item) => item.node));
    menu.replaceChildren(search, list);
    search.focus();
  }

  function pick(name, on) {
    const order = model.get("columns").map((column) => column.name);
    const shown = new Set(model.get("shown"));
    if (on) shown.add(name);
    else if (shown.size > 1) shown.delete(name);
    put("shown", order.filter((each) => shown.has(each)));
  }

  menu.addEventListener("keydown", (event) => {
    if (event.key !== "Escape") return;
    toggleMenu(false);
    columnsButton.focus();
  });
  const away = (event) => {
    if (!menu.hidden && !menu.parentElement.contains(event.target)) toggleMenu(false);
  };
  document.addEventListener("pointerdown", away);

  // ---- reactions to Python -------------------------------------------------------
  function refreshBar() {
    const counts = model.get("counts") || {};
    for (const { value, node, count } of showButtons) {
      node.setAttribute("aria-pressed", String(model.get("show") === value));
      count.textContent = counts[value] === undefined || counts[value] === null ? "" : grouped(counts[value]);
    }
    follow.setAttribute("aria-pressed", String(model.get("follow")));
    status.textContent = model.get("note");
    if (quick.dataset.dirty !== "1" && quick.value !== model.get("quick")) quick.value = model.get("quick");
  }

  function reset() {
    version = model.get("version");
    cache = new Map();
    known.clear();
    waiting = null;
    first = model.get("follow") ? maxFirst() : Math.min(first, maxFirst());
    schedule();
  }

  const reactions = {
    "change:version": reset,
    "change:total": () => {
      if (model.get("follow")) first = maxFirst();
      first = Math.min(first, maxFirst());
      schedule();
    },
    "change:columns": () => {
      drawHead();
      reset();
    },
    "change:shown": () => {
      drawHead();
      reset();
    },
    "change:widths": () => grid.style.setProperty("--wb-columns", template()),
    "change:sort": drawHead,
    "change:selected": schedule,
    "change:counts": refreshBar,
    "change:show": refreshBar,
    "change:note": refreshBar,
    "change:quick": refreshBar,
    "change:empty": schedule,
    "change:reveal": () => {
      const at = model.get("reveal");
      if (at < 0) return;
      active = at;
      if (at < first || at > first + pageRows() - 1) moveTo(at - Math.floor(pageRows() / 3));
      schedule();
    },
    "change:follow": () => {
      refreshBar();
      if (model.get("follow")) {
        first = maxFirst();
        schedule();
      }
    },
    "msg:custom": receive,
  };
  for (const [name, reaction] of Object.entries(reactions)) model.on(name, reaction);

  const observer = new ResizeObserver(schedule);
  observer.observe(frame);
  frame.style.height = `${model.get("height")}px`;
  drawHead();
  refreshBar();
  if (model.get("follow")) first = maxFirst();
  schedule();
  return () => {
    for (const [name, reaction] of Object.entries(reactions)) model.off(name, reaction);
    document.removeEventListener("pointerdown", away);
    observer.disconnect();
    release();
  };
}

export default { render };
