// Small helpers over the DOM. Text from events reaches the page as text nodes only.

// Control, bidirectional and invisible characters, spelled instead of acted upon.
// As in workbench/formatting/printable.py: what fonts may ignore, blanks but the space.
const HIDDEN = new RegExp(
  "[\\p{C}\\p{Zl}\\p{Zp}\\u00ad\\u034f\\u061c\\u115f\\u1160\\u17b4\\u17b5\\u180b-\\u180f\\u200b-\\u200f"
  + "\\u202a-\\u202e\\u2060-\\u206f\\u2800\\u3164\\ufe00-\\ufe0f\\ufeff\\uffa0\\ufff0-\\ufffb"
  + "\\u{1bca0}-\\u{1bca3}\\u{1d173}-\\u{1d17a}\\u{e0000}-\\u{e0fff}]|(?! )\\p{Zs}",
  "gu",
);

export function printable(text) {
  return String(text).replace(HIDDEN, (c) => {
    const code = c.codePointAt(0);
    if (code === 10) return "\\n";
    if (code === 13) return "\\r";
    if (code === 9) return "\\t";
    if (code < 256) return "\\x" + code.toString(16).padStart(2, "0");
    return "\\u{" + code.toString(16) + "}";
  });
}

// Like printable, line breaks kept: for blocks shown with their lines.
export function printableLines(text) {
  return String(text).split("\n").map((line) => printable(line.replace(/\t/g, "    "))).join("\n");
}

const PROPERTIES = new Set(["value", "checked", "disabled", "selected", "indeterminate", "readOnly", "hidden", "tabIndex"]);

function fill(node, props, children) {
  for (const [key, value] of Object.entries(props || {})) {
    if (value === null || value === undefined || value === false) {
      if (PROPERTIES.has(key) && value === false) node[key] = false;
      continue;
    }
    if (key === "on") {
      for (const [type, listener] of Object.entries(value)) node.addEventListener(type, listener);
    } else if (key === "style") {
      for (const [name, part] of Object.entries(value)) node.style.setProperty(name, part);
    } else if (PROPERTIES.has(key)) node[key] = value;
    else node.setAttribute(key, value === true ? "" : String(value));
  }
  for (const child of children.flat(Infinity)) {
    if (child === null || child === undefined || child === false) continue;
    node.append(child instanceof Node ? child : document.createTextNode(String(child)));
  }
  return node;
}

export function h(tag, props, ...children) {
  return fill(document.createElement(tag), props, children);
}

export function s(tag, props, ...children) {
  return fill(document.createElementNS("http://www.w3.org/2000/svg", tag), props, children);
}

// Replace what is inside a node; null and false leave nothing.
export function refill(node, ...children) {
  node.replaceChildren();
  return fill(node, {}, children);
}

export function button(label, action, props) {
  const { icon: shape, quiet, bare, ...rest } = props || {};
  const classes = ["wb-button", quiet ? "wb-quiet" : "", bare ? "wb-bare" : "", rest.class || ""].join(" ").trim();
  return h(
    "button",
    { type: "button", "aria-label": bare ? label : null, title: bare ? label : null, ...rest, class: classes, on: { click: action } },
    shape ? icon(shape) : null,
    bare ? null : label,
  );
}

const ICONS = {
  play: "M4 2.5v11l9-5.5z",
  pause: "M4 3h3v10H4zM9 3h3v10H9z",
  stop: "M3.5 3.5h9v9h-9z",
  restart: "M8 3a5 5 0 1 0 4.9 6h-1.6A3.5 3.5 0 1 1 8 4.5c.9 0 1.7.3 2.3.900L8.5 7.200H13V2.700l-1.6 1.600A5 5 0 0 0 8 3z",
  cross: "M4.2 3.2 8 7l3.8-3.8 1 1L9 8l3.8 3.8-1 1L8 9l-3.8 3.8-1-1L7 8 3.2 4.200z",
  plus: "M7.2 3h1.600v4.200H13v1.600H8.800V13H7.200V8.800H3V7.200h4.200z",
  columns: "M2.5 3h11v10h-11zM4 4.500v7h2v-7zm3.2 0v7h1.800v-7zm3.2 0v7H12v-7z",
  copy: "M5 2h8v9h-2v3H3V5h2zm1.5 1.500V5H11v4.500h.5v-6zM4.5 6.500v6h5v-6z",
  down: "M7.2 2.500h1.600v6.200l2.3-2.3 1.1 1.100L8 11.7 3.8 7.500l1.1-1.1 2.3 2.300zM3 12.500h10V14H3z",
  tail: "M7.2 2h1.600v7l2.6-2.6 1.1 1.100L8 12 3.5 7.500l1.1-1.100L7.2 9zM3 13h10v1.500H3z",
};

export function icon(name) {
  return s(
    "svg",
    { class: "wb-icon", viewBox: "0 0 16 16", "aria-hidden": "true", focusable: "false" },
    s("path", { d: ICONS[name], "fill-rule": "evenodd" }),
  );
}

let serial = 0;

export function uid(prefix) {
  serial += 1;
  return `wb-${prefix}-${serial}`;
}

// A labelled control: the label is always a real <label>.
export function labelled(text, control, help) {
  const id = control.id || uid("c");
  control.id = id;
  const helpId = help ? uid("h") : null;
  if (helpId) control.setAttribute("aria-describedby", helpId);
  return h(
    "div",
    { class: "wb-field" },
    h("label", { for: id }, text),
    control,
    help ? h("div", { class: "wb-help", id: helpId }, help) : null,
  );
}

// Prepare the host element: class, theme hooks, and no shortcuts leaking to Jupyter.
export function host(el, name) {
  el.classList.add("wb", `wb-${name}`);
  el.setAttribute("data-lm-suppress-shortcuts", "true");
  const stop = (event) => event.stopPropagation();
  for (const type of ["keydown", "keyup", "keypress", "copy", "cut", "paste"]) el.addEventListener(type, stop);
  return () => {
    for (const type of ["keydown", "keyup", "keypress", "copy", "cut", "paste"]) el.removeEventListener(type, stop);
  };
}

// Call update(state[key]) now and whenever that part of the state really changed.
export function watcher(model, trait = "state") {
  const entries = [];
  const run = () => {
    const state = model.get(trait) || {};
    for (const entry of entries) {
      const text = JSON.stringify(entry.keys.map((key) => state[key]));
      if (text !== entry.seen) {
        entry.seen = text;
        entry.update(...entry.keys.map((key) => state[key]));
      }
    }
  };
  model.on(`change:${trait}`, run);
  return {
    watch(keys, update) {
      const entry = { keys: [].concat(keys), update, seen: null };
      entries.push(entry);
      const state = model.get(trait) || {};
      entry.seen = JSON.stringify(entry.keys.map((key) => state[key]));
      update(...entry.keys.map((key) => state[key]));
    },
    stop() {
      model.off(`change:${trait}`, run);
    },
  };
}

// Give an input a value from Python unless the person is typing in it.
export function setValue(input, value) {
  const text = value === null || value === undefined ? "" : value;
  if (input.getRootNode().activeElement === input && input.value !== "" && input.dataset.dirty === "1") return;
  if (input.type === "checkbox") input.checked = Boolean(text);
  else if (input.value !== String(text)) input.value = String(text);
}

// Report typing after a pause, and at once on change; never on programmatic changes.
export function onInput(input, report, wait = 120) {
  let timer = 0;
  const flush = () => {
    clearTimeout(timer);
    if (input.dataset.dirty !== "1") return;
    input.dataset.dirty = "0";
    report(input.type === "checkbox" ? input.checked : input.value);
  };
  input.addEventListener("input", () => {
    input.dataset.dirty = "1";
    clearTimeout(timer);
    timer = setTimeout(flush, wait);
  });
  input.addEventListener("change", flush);
  input.addEventListener("blur", flush);
}

const SCALE = ["", "k", "M", "G", "T"];

export function short(number) {
  if (number === null || number === undefined) return "–";
  let value = Number(number);
  let step = 0;
  if (Math.abs(value) < 100000) return grouped(value);
  while (Math.abs(value) >= 1000 && step < SCALE.length - 1) {
    value /= 1000;
    step += 1;
  }
  return `${value.toFixed(value < 10 ? 2 : value < 100 ? 1 : 0)}\u202f${SCALE[step]}`;
}

export function grouped(number) {
  if (number === null || number === undefined) return "–";
  return Math.round(Number(number)).toString().replace(/\B(?=(\d{3})+(?!\d))/g, "\u202f");
}

export function bytes(number) {
  if (number === null || number === undefined) return "–";
  let value = Number(number);
  const units = ["B", "KiB", "MiB", "GiB", "TiB"];
  let step = 0;
  while (value >= 1024 && step < units.length - 1) {
    value /= 1024;
    step += 1;
  }
  return `${value < 10 && step ? value.toFixed(1) : Math.round(value)}\u202f${units[step]}`;
}

export function copyText(text, done) {
  const ok = () => done && done();
  if (navigator.clipboard && window.isSecureContext) navigator.clipboard.writeText(text).then(ok, () => {});
  else {
    const area = h("textarea", { class: "wb-offscreen", "aria-hidden": "true" });
    area.value = text;
    document.body.append(area);
    area.select();
    document.execCommand("copy");
    area.remove();
    ok();
  }
}
