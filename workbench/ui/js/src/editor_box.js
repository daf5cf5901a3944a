// A text box that becomes a code editor as soon as its script has come: keys typed in
// between are not lost. Without the script it stays a plain box.
import { h } from "./dom.js";
import { loadModule } from "./modules.js";
import { printable } from "./text.js";

export function editorBox(app, options) {
  const { label, placeholder, language, typed, complete } = options;
  const area = h("textarea", { class: "wb-plain-editor wb-mono", "aria-label": label, placeholder, spellcheck: "false", autocapitalize: "off", rows: 2 });
  const list = h("div", { class: "wb-candidates", role: "group", "aria-label": "Completions", hidden: true });
  const node = h("div", { class: "wb-editor-box" }, area, list);
  let rich = null;
  let silent = false;
  let gone = false;

  area.addEventListener("input", () => {
    typed(area.value);
    offer();
  });
  area.addEventListener("keydown", (event) => {
    if (event.key === "Escape" && !list.hidden) {
      list.hidden = true;
      event.stopPropagation();
    } else if (event.key === " " && event.ctrlKey) offer();
    else if (options.key && options.key(event)) event.preventDefault();
  });

  async function offer() {
    const cursor = area.selectionStart;
    const text = area.value;
    const found = await complete(text, cursor);
    if (rich || area.value !== text || !found) return;
    list.replaceChildren(...found.options.slice(0, 12).map((option) => h("button", { type: "button", class: "wb-chip", title: printable(option.info || ""), on: { click: () => {
      area.setRangeText(option.text, found.from, cursor, "end");
      area.focus();
      list.hidden = true;
      typed(area.value);
    } } }, printable(option.text))));
    list.hidden = !found.options.length;
  }

  loadModule(app.bus, "editor").then((module) => {
    if (!module || gone) return;
    const focused = document.activeElement === area;
    const [start, end] = [area.selectionStart, area.selectionEnd];
    rich = module.makeEditor({ ...options, parent: node, tooltips: app.layers.top, doc: area.value, typed: (text) => { if (!silent) typed(text); }, before: () => app.layers.raise() });
    area.remove();
    list.remove();
    rich.language(language());
    if (focused) {
      rich.focus();
      rich.select(start, end);
    }
    if (options.ready) options.ready();
  });

  return {
    node,
    get value() {
      return rich ? rich.value() : area.value;
    },
    set(text) {
      if (this.value === text) return;
      silent = true;
      if (rich) rich.set(text);
      else area.value = text;
      silent = false;
    },
    focus: () => (rich ? rich.focus() : area.focus()),
    select(from, to) {
      this.focus();
      if (rich) rich.select(from, to);
      else area.setSelectionRange(from, to);
    },
    insert(text) {
      if (rich) rich.insert(text);
      else {
        area.setRangeText(text, area.selectionStart, area.selectionEnd, "end");
        typed(area.value);
      }
    },
    diagnostics: (found) => rich && rich.diagnostics(found),
    struck: (ranges) => rich && rich.struck(ranges),
    refresh: () => rich && rich.language(language()),
    get completing() {
      return rich ? rich.completing() : !list.hidden;
    },
    destroy() {
      gone = true;
      if (rich) rich.destroy();
    },
  };
}
