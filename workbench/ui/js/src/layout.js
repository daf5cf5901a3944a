// Heights and widths: what fits where, what folds by itself, what a person chose.
const FIELDS = 196;
const RAIL = 30;
const LEAST_MAIN = 520;
const LEAST_TABLE = 440;

export function makeLayout(app) {
  const { bus, root } = app;
  const chosen = { fields: FIELDS, dock: 0, folded: false, height: 0 };
  let full = false;
  let timer = 0;
  let restored = false;

  // ---- height ----
  function pane() {
    const outer = app.el.closest(".jp-WindowedPanel-outer") || app.el.closest(".jp-NotebookPanel-notebook");
    return outer && outer.clientHeight > 200 ? outer : null;
  }

  function height() {
    if (app.view) return;
    const outer = pane();
    const room = outer ? outer.clientHeight - 32 : Math.round(window.innerHeight * 0.8);
    const tall = chosen.height || Math.min(1000, Math.max(480, room));
    root.style.setProperty("--wb-height", `${tall}px`);
    root.classList.toggle("wb-low", !full && tall < 620);
  }

  // ---- widths ----
  function refit() {
    const wide = root.clientWidth;
    if (!wide) return;
    const dock = chosen.dock || (wide >= 1400 ? 400 : 312);
    const narrow = wide < 700;
    const open = app.dock.open && !app.view;
    const over = open && wide - RAIL - dock < LEAST_TABLE;
    root.classList.toggle("wb-narrow", narrow);
    root.classList.toggle("wb-dock-over", over);
    const beside = open && !over ? dock : 0;
    const room = wide - chosen.fields - beside;
    const showFields = !chosen.folded && room >= LEAST_MAIN;
    if (showFields) root.classList.remove("wb-fields-over");
    const overlaid = root.classList.contains("wb-fields-over");
    app.fields.node.hidden = !showFields && !overlaid;
    app.fields.rail.hidden = showFields;
    app.fields.splitter.hidden = !showFields;
    app.dock.splitter.hidden = !open || over;
    root.style.setProperty("--wb-fields", `${chosen.fields}px`);
    root.style.setProperty("--wb-dock", over ? `${Math.min(340, wide - 60)}px` : `${dock}px`);
    root.style.setProperty("--wb-result", narrow ? "196px" : `${Math.min(dock, 400)}px`);
    root.classList.toggle("wb-tight", wide - (showFields ? chosen.fields : RAIL) - beside < 640);
    app.checks.draw();
    app.keys.refresh();
  }

  const observer = new ResizeObserver(() => {
    height();
    refit();
  });
  observer.observe(root);
  const outer = pane();
  if (outer) observer.observe(outer);
  const resized = () => height();
  window.addEventListener("resize", resized);
  height();

  // ---- splitters ----
  function splitter(node, least, most, standard, get, put) {
    const clamp = (value) => Math.round(Math.min(most, Math.max(least, value)));
    const apply = (value) => {
      put(clamp(value));
      node.setAttribute("aria-valuenow", String(get()));
      refit();
      keep();
    };
    node.setAttribute("aria-valuemin", String(least));
    node.setAttribute("aria-valuemax", String(most));
    node.setAttribute("aria-valuenow", String(standard()));
    const sign = node.classList.contains("wb-split-main") ? -1 : 1;
    node.addEventListener("pointerdown", (event) => {
      event.preventDefault();
      const start = event.clientX;
      const before = get();
      node.setPointerCapture(event.pointerId);
      const move = (e) => apply(before + sign * (e.clientX - start));
      node.addEventListener("pointermove", move);
      node.addEventListener("pointerup", () => node.removeEventListener("pointermove", move), { once: true });
    });
    node.addEventListener("keydown", (event) => {
      const to = { ArrowLeft: get() - 16 * sign, ArrowRight: get() + 16 * sign, Home: least, End: most }[event.key];
      if (to === undefined) return;
      event.preventDefault();
      event.stopPropagation();
      apply(to);
    });
    node.addEventListener("dblclick", () => apply(standard()));
  }
  const dockStandard = () => (root.clientWidth >= 1400 ? 400 : 312);
  splitter(app.fields.splitter, 160, 320, () => FIELDS, () => chosen.fields, (value) => (chosen.fields = value));
  splitter(app.dock.splitter, 280, 560, dockStandard, () => chosen.dock || dockStandard(), (value) => (chosen.dock = value));

  // The lower edge: a person's own height.
  const grip = document.createElement("div");
  grip.className = "wb-height-grip";
  grip.title = "Height of the lab; double click for what fits";
  if (!app.view) root.append(grip);
  grip.addEventListener("pointerdown", (event) => {
    event.preventDefault();
    const start = event.clientY;
    const before = root.getBoundingClientRect().height;
    grip.setPointerCapture(event.pointerId);
    const move = (e) => {
      chosen.height = Math.round(Math.min(2000, Math.max(480, before + e.clientY - start)));
      height();
    };
    grip.addEventListener("pointermove", move);
    grip.addEventListener("pointerup", () => {
      grip.removeEventListener("pointermove", move);
      keep();
    }, { once: true });
  });
  grip.addEventListener("dblclick", () => {
    chosen.height = 0;
    height();
    keep();
  });

  // ---- full window: the root in the top layer, no node moved ----
  function setFull(on = !full) {
    full = on;
    if (on) {
      root.setAttribute("popover", "manual");
      root.showPopover();
    } else {
      root.hidePopover();
      root.removeAttribute("popover");
    }
    root.classList.toggle("wb-fullwindow", on);
    app.layers.raise();
    height();
    refit();
  }

  function keep() {
    if (!restored || app.view) return;
    clearTimeout(timer);
    timer = setTimeout(() => bus.send("lab", "layout", { layout: { ...chosen, shown: app.dock.state } }), 400);
  }

  app.release.push(() => {
    clearTimeout(timer);
    observer.disconnect();
    window.removeEventListener("resize", resized);
    if (full && root.hidePopover) root.hidePopover();
  });

  return {
    refit,
    keep,
    full: setFull,
    get isFull() {
      return full;
    },
    restore() {
      const kept = bus.get("lab").layout || {};
      for (const key of Object.keys(chosen)) if (kept[key] !== undefined) chosen[key] = kept[key];
      app.dock.restore(kept.shown);
      restored = true;
      height();
      refit();
    },
    // Fold or unfold the fields by hand; folded by itself they come as an overlay.
    fold() {
      if (app.fields.node.hidden) return this.openFields();
      if (root.classList.contains("wb-fields-over")) return this.closeOver();
      chosen.folded = true;
      refit();
      keep();
    },
    openFields(search) {
      if (app.fields.node.hidden) {
        chosen.folded = false;
        refit();
        if (app.fields.node.hidden) {
          root.classList.add("wb-fields-over");
          refit();
        }
        keep();
      }
      if (search) app.fields.focus();
    },
    closeOver() {
      root.classList.remove("wb-fields-over");
      refit();
      app.table.focus();
    },
  };
}
