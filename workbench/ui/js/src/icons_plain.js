// Icons as characters, for a package built without Node.
const SIGNS = {
  play: "▶", pause: "⏸", stop: "■", undo: "↶", redo: "↷", history: "⟲", search: "⌕", cross: "×", plus: "+", minus: "−",
  maximize: "⤢", minimize: "⤡", help: "?", columns: "▥", down: "▾", right: "▸", left: "◧", dock: "◨", drawer: "⬓",
  terminal: ">_", lightbulb: "💡", format: "≡", tail: "↧", bars: "▟", check: "✓", alert: "⚠", copy: "⧉", save: "💾",
  more: "…", split: "⊟", eye: "◉", plug: "⏚", clock: "◷", filter: "⏷", shield: "⛨", code: "<>",
};

export function icon(name) {
  const node = document.createElement("span");
  node.className = "wb-icon wb-icon-plain";
  node.setAttribute("aria-hidden", "true");
  node.textContent = SIGNS[name] || "•";
  return node;
}
