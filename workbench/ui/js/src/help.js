// Help: the keys, and what the marks mean.
import { btn, h } from "./dom.js";
import { mark } from "./marks.js";

const HELP = [
  ["F6, Shift+F6", "next, previous region"], ["Esc", "close the top layer; from the editor to the table"],
  ["C, T, /", "condition, table, field search"], ["1, 3, 4", "fields; dock; event and rule together"],
  ["Enter on a row", "open it in the dock"], ["arrows, PgUp, PgDn, Home, End", "cell and row; with Shift: select"],
  ["[ ]  { }", "previous, next match; near miss"], ["+ −", "keep only, hide the cell's value"],
  ["M N U", "must match, must not, no label"], ["B, O", "break down; mute a check"],
  ["X", "exception for the selection"], ["Shift+R", "new rule"],
  ["H, L, ?", "history; code and log; this help"], ["G, Shift+S", "follow the newest; stop the stream"],
  ["Shift+F", "full window"], ["Shift+F10", "menu of what has the focus"],
  ["Ctrl+S", "save the rule of this tab"], ["Ctrl+Z, Ctrl+Shift+Z", "undo, redo"],
  ["Ctrl+F", "find in rows"], ["Ctrl+Space", "complete; in the table: select one more"],
  ["Ctrl+Enter in the editor", "count now, show errors now"], ["Ctrl+Shift+F", "format"],
  ["Ctrl+A, Ctrl+C in the table", "select all shown; copy"],
];

export function openHelp(app, anchor) {
  const marks = [["match", "matches"], ["near", "near miss: one check short"], ["gone", "no longer matches"], ["fresh", "matches newly"], ["yes", "labelled: must match"], ["not", "labelled: must not match"]];
  app.layers.dialog("Help", h("div", { class: "wb-help" }, h("div", { class: "wb-help-keys" }, HELP.map(([keys, what]) => h("div", {}, h("kbd", {}, keys), " ", what))), h("div", { class: "wb-help-marks" }, marks.map(([name, what]) => h("div", {}, mark(name), " ", what))), h("p", { class: "wb-dim" }, "Notebooks 00, 03 and 04 show the lab at work, rules, and how Falco reads conditions."), app.go ? btn("Code and log", () => app.drawer.toggle(), { sm: true }) : null), anchor, { width: 620, kind: "help" });
}
