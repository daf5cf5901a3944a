// Condition tabs, the one editor, and its message line of reserved height.
import { disable, h, ib, isOff, lk } from "./dom.js";
import { printable } from "./text.js";
import { editorBox } from "./editor_box.js";
import { icon } from "./icons.js";

const LATE = 600;
const PAUSE = 20;

export function makeCondition(app) {
  const { bus } = app;
  const tabs = h("div", { class: "wb-tablist", role: "tablist", "aria-label": "Conditions" });
  const plus = ib("plus", "New rule", () => app.dock.newRule(), { key: "Shift+R", class: "wb-tab-plus" });
  const undo = ib("undo", "Undo", () => !isOff(undo) && bus.send("condition", "undo"), { key: "Ctrl+Z" });
  const redo = ib("redo", "Redo", () => !isOff(redo) && bus.send("condition", "redo"), { key: "Ctrl+Shift+Z" });
  const past = ib("history", "History of conditions", () => openHistory(), { key: "H" });
  const format = ib("format", "Format", () => bus.send("condition", "format"), { key: "Ctrl+Shift+F" });
  const code = ib("code", "Code and log", () => app.drawer.toggle(), { key: "L", class: "wb-code-tool" });
  const tools = h("div", { class: "wb-tools", role: "toolbar", "aria-label": "Condition tools" }, undo, redo, past, format, code);
  const bar = h("div", { class: "wb-tabs", "data-region": "tabs" }, tabs, plus, h("span", { class: "wb-grow" }), tools);
  const message = h("div", { class: "wb-msg" });
  let words = {};
  let pending = 0;
  let late = 0;
  let urgent = false;
  let shownTab = "";

  const box = editorBox(app, {
    label: "Condition",
    placeholder: "type a condition; Ctrl+Space completes",
    language: () => words,
    typed,
    complete: (text, cursor) => bus.latest("condition", "complete", { text, cursor }),
    key: (event) => app.keys.chord(event),
    ready: () => showVerdict(),
  });
  const editor = h("div", { class: "wb-editor", "data-region": "editor" }, box.node);
  const node = h("div", { class: "wb-cond-left" }, bar, editor, message);

  function typed(text) {
    clearTimeout(pending);
    urgent = false;
    pending = setTimeout(() => {
      pending = 0;
      bus.send("condition", "text", { tab: shownTab, text, by: bus.view });
    }, PAUSE);
    waitForCalm();
    app.result.stale();
    app.checks.stale();
  }

  // Half a condition is always wrong: words wait for a pause in typing.
  function waitForCalm() {
    clearTimeout(late);
    late = setTimeout(() => {
      late = 0;
      showVerdict();
    }, LATE);
    showVerdict();
  }

  function now() {
    clearTimeout(late);
    late = 0;
    urgent = true;
    showVerdict();
  }

  editor.addEventListener("focusout", () => late && now());
  editor.addEventListener("focusin", () => editor.classList.add("wb-grown"));
  editor.addEventListener("focusout", (event) => !editor.contains(event.relatedTarget) && editor.classList.remove("wb-grown"));

  // ---- tabs ----
  function drawTabs(list, active) {
    const had = tabs.contains(document.activeElement);
    tabs.replaceChildren(...(list || []).map((tab) => {
      const here = tab.id === active;
      const one = h("button", {
        type: "button", role: "tab", class: "wb-tab", "aria-selected": String(here), tabIndex: here ? 0 : -1, "data-id": tab.id, title: tab.dirty ? `${printable(tab.name)} (unsaved)` : printable(tab.name),
        on: { click: () => go(tab.id), contextmenu: (event) => tabMenu(event, tab), auxclick: (event) => event.button === 1 && tab.rule && bus.send("condition", "close", { tab_id: tab.id }) },
      }, icon(tab.rule ? "shield" : "filter"), h("span", { class: "wb-clip" }, printable(tab.name)), tab.dirty ? h("span", { class: "wb-dirty", title: "unsaved" }, h("span", { class: "wb-offscreen" }, " unsaved")) : null);
      return one;
    }));
    if (had) tabs.querySelector("[aria-selected=true]")?.focus();
  }

  function go(id) {
    bus.send("condition", "tab", { tab_id: id });
    const tab = (bus.get("condition").tabs || []).find((each) => each.id === id);
    if (tab && tab.rule) app.dock.show("rule");
  }

  tabs.addEventListener("keydown", (event) => {
    const all = [...tabs.children];
    const at = all.indexOf(document.activeElement);
    if (event.key === "Delete" && at > 0) bus.send("condition", "close", { tab_id: all[at].dataset.id });
    else if ((event.key === "F10" && event.shiftKey) || event.key === "ContextMenu") {
      const tab = (bus.get("condition").tabs || [])[at];
      if (tab) tabMenu(event, tab);
    }
  });

  function tabMenu(event, tab) {
    event.preventDefault();
    if (!tab.rule) return;
    const send = (what) => () => bus.send("condition", what, { tab: tab.id });
    app.layers.menu([
      { label: "Save", key: "Ctrl+S", run: () => { go(tab.id); app.dock.save(); } },
      { label: "Revert", run: send("revert"), off: tab.dirty ? "" : "nothing to revert" },
      { label: "Duplicate", run: send("duplicate") },
      { label: "Show file change", run: () => { go(tab.id); app.dock.show("rule"); } },
      null,
      { label: "Close", key: "Delete", run: () => bus.send("condition", "close", { tab_id: tab.id }) },
    ], event.currentTarget, { label: `Rule ${printable(tab.name)}` });
  }

  // ---- the message line: one message, the rest behind a link ----
  function showVerdict() {
    const verdict = bus.get("condition").verdict;
    if (!verdict) return;
    const own = verdict.text === box.value && verdict.tab === shownTab;
    const errors = own ? verdict.diagnostics.filter((item) => item.severity === "error") : [];
    const waits = !own || (errors.length > 0 && late && !urgent);
    message.className = "wb-msg";
    if (waits) {
      message.replaceChildren("…");
      box.diagnostics([]);
      return;
    }
    box.diagnostics(verdict.diagnostics);
    const found = verdict.diagnostics.length ? verdict.diagnostics : (verdict.hints || []).map((hint) => ({ ...hint, severity: "hint", hint: "" }));
    if (verdict.empty) message.replaceChildren(h("span", { class: "wb-clip" }, "Every event is shown. Type a condition, or take a value from the fields."));
    else if (!found.length) {
      message.replaceChildren(h("span", { class: "wb-ok" }, icon("check")), "Valid for Falco 0.44.1", verdict.ms === null ? "" : h("span", { class: "wb-dim" }, `· ${verdict.ms} ms`), h("span", { class: "wb-grow" }), h("span", { class: "wb-dim wb-wide-only" }, "Ctrl+Space completes"));
    } else drawFound(found, verdict);
    app.result.fresh();
    app.checks.fresh();
  }

  function place(item) {
    if (item.from === undefined) return "";
    const before = box.value.slice(0, item.from);
    const line = before.split("\n").length;
    return `${line}:${item.from - before.lastIndexOf("\n")} `;
  }

  function drawFound(found, verdict) {
    const first = found[0];
    const kind = first.severity === "error" ? "wb-err" : "wb-hint";
    message.classList.add(kind);
    const text = `${place(first)}${printable(first.message)}${first.hint ? ` · ${printable(first.hint)}` : ""}`;
    const use = correction(first, verdict);
    const more = found.length > 1 ? lk(`${found.length - 1} more`, () => openAll(found, more)) : lk("all", () => openAll(found, more));
    message.replaceChildren(icon(first.severity === "error" ? "alert" : "lightbulb"), h("span", { class: "wb-clip wb-msg-text", title: text }, text), use ? lk(use.label, use.run) : "", h("span", { class: "wb-grow" }), more);
  }

  // The one correction that a message names, as something to click.
  function correction(item, verdict) {
    if (item.action) return { label: item.action, run: () => bus.send("condition", "check", { index: item.index, what: "delete" }) };
    const meant = /did you mean ([^\s?,]+)/.exec(item.hint || "");
    const fixed = meant ? meant[1] : operatorMeant(item);
    if (!fixed) return null;
    return {
      label: "Use it",
      run: () => {
        const text = verdict.text;
        const wrong = wordAt(text, item, meant ? meant[1] : "");
        replaceText(text.slice(0, wrong[0]) + fixed + text.slice(wrong[1]));
      },
    };
  }

  function wordAt(text, item, meant) {
    let [from, to] = [item.from, item.to];
    // A whole check is marked for an unknown field: the field is what is wrong.
    const quoted = /(?:field|macro|list) '?([\w.]+)/.exec(item.message);
    if (quoted && meant) {
      const at = text.indexOf(quoted[1], from);
      if (at >= 0) return [at, at + quoted[1].length];
    }
    while (from > 0 && /[\w.]/.test(text[from - 1])) from -= 1;
    while (to < text.length && /[\w.]/.test(text[to])) to += 1;
    return [from, to];
  }

  function operatorMeant(item) {
    const wanted = /^one of (.+)$/.exec(item.hint || "");
    const found = /found '([^']+)'/.exec(item.message);
    if (!wanted || !found) return "";
    const given = found[1].toLowerCase();
    return wanted[1].split(" ").find((each) => each.startsWith(given) || each.includes(given)) || "";
  }

  function replaceText(text) {
    box.set(text);
    clearTimeout(late);
    late = 0;
    bus.send("condition", "text", { tab: shownTab, text, by: bus.view });
    box.focus();
    box.select(text.length, text.length);
  }

  function openAll(found, anchor) {
    app.layers.dialog("Messages", h("ul", { class: "wb-messages" }, found.map((item) => h("li", { class: `wb-${item.severity === "error" ? "err" : "hint"}` }, h("b", {}, `${place(item)}${printable(item.message)}`), item.hint ? h("div", { class: "wb-dim" }, printable(item.hint)) : null))), anchor, { width: 420, side: "right" });
  }

  // ---- history ----
  async function openHistory() {
    const list = await bus.ask("condition", "history");
    const search = h("input", { class: "wb-in", type: "search", placeholder: "Search", "aria-label": "Search the history" });
    const rows = (list || []).map((item) => h("button", { type: "button", class: "wb-past", on: { click: () => { layer.close(); bus.send("condition", "restore", { text: item.text }); } } }, h("span", { class: "wb-mono wb-past-text" }, printable(item.text)), h("span", { class: "wb-num" }, item.count.toLocaleString("en")), h("span", { class: "wb-dim" }, item.at)));
    search.addEventListener("input", () => {
      for (const row of rows) row.hidden = !row.textContent.toLowerCase().includes(search.value.toLowerCase());
    });
    const body = h("div", { class: "wb-form" }, search, rows.length ? h("div", { class: "wb-pasts" }, rows) : h("p", { class: "wb-dim" }, "Conditions that stood two seconds are kept here."));
    const drafts = bus.get("condition").drafts || [];
    if (drafts.length) body.append(h("div", { class: "wb-sub" }, "Closed drafts"), ...drafts.map((tab) => h("button", { type: "button", class: "wb-past", on: { click: () => { layer.close(); bus.send("condition", "reopen", { tab_id: tab.id }); } } }, h("span", { class: "wb-past-text" }, printable(tab.name)))));
    const layer = app.layers.dialog("Conditions", body, past, { width: 460, side: "right", kind: "history" });
  }

  // ---- what Python says ----
  bus.watch("condition", "words", (value) => {
    words = value || {};
    box.refresh();
  });
  bus.watch("condition", ["tabs", "active"], (list, active) => {
    drawTabs(list, active);
    const tab = (list || []).find((each) => each.id === active);
    if (!tab) return;
    const moved = shownTab !== active;
    shownTab = active;
    // An echo of what was typed here must not undo later keys.
    const echo = bus.get("condition").by === bus.view && !moved;
    if (!echo && !pending) box.set(tab.text);
    editor.classList.toggle("wb-in-rule", Boolean(tab.rule));
    if (moved) now();
  });
  bus.watch("condition", ["undo", "redo"], (back, forth) => {
    for (const [one, label, word, key] of [[undo, back, "Undo", "Ctrl+Z"], [redo, forth, "Redo", "Ctrl+Shift+Z"]]) {
      disable(one, label ? "" : `nothing to ${word.toLowerCase()}`);
      if (label) {
        one.title = `${word}: ${printable(label)} (${key})`;
        one.setAttribute("aria-label", one.title);
      }
    }
  });
  bus.watch("condition", "verdict", (verdict) => {
    if (verdict && verdict.text === box.value) {
      box.struck((verdict.cells || []).filter((cell) => cell.muted).map((cell) => [cell.from, cell.to]));
    }
    showVerdict();
  });
  app.release.push(() => {
    clearTimeout(pending);
    clearTimeout(late);
    box.destroy();
  });

  return {
    node,
    box,
    editor,
    load() {},
    now,
    focus: () => box.focus(),
    select: (from, to) => box.select(from, to),
    history: openHistory,
    flush() {
      if (!pending) return;
      clearTimeout(pending);
      pending = 0;
      bus.send("condition", "text", { tab: shownTab, text: box.value, by: bus.view });
    },
    get current() {
      return (bus.get("condition").tabs || []).find((tab) => tab.id === shownTab) || null;
    },
  };
}
