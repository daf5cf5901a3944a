// Small helpers over the DOM. Text from events reaches the page as text nodes only.
import { icon } from "./icons.js";

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

// The three kinds of controls: a button with text, an icon button, a link.
export function btn(label, action, props) {
  const { icon: shape, pri, sm, ...rest } = props || {};
  const classes = ["wb-btn", pri ? "wb-pri" : "", sm ? "wb-sm" : "", rest.class || ""].filter(Boolean).join(" ");
  return h("button", { type: "button", ...rest, class: classes, on: { click: action } }, shape ? icon(shape) : null, h("span", { class: "wb-btn-text" }, label));
}

export function ib(shape, label, action, props) {
  const { key, ...rest } = props || {};
  const title = key ? `${label} (${key})` : label;
  return h("button", { type: "button", "aria-label": title, title, ...rest, class: `wb-ib ${rest.class || ""}`.trim(), on: { click: action } }, icon(shape));
}

export function lk(label, action, props) {
  return h("button", { type: "button", ...(props || {}), class: "wb-lk", on: { click: action } }, label);
}

// A choice: [[value, label, icon]]; gives {node, set(value), texts(map)}.
export function seg(label, options, pick, props) {
  const node = h("div", { class: "wb-seg", role: "group", "aria-label": label, ...(props || {}) });
  const buttons = new Map();
  for (const [value, text, mark] of options) {
    const words = h("span", {}, text);
    const one = h("button", { type: "button", "aria-pressed": "false", on: { click: () => pick(value) } }, mark || null, words);
    buttons.set(value, { one, words });
    node.append(one);
  }
  return {
    node,
    buttons,
    set(value) {
      for (const [key, { one }] of buttons) one.setAttribute("aria-pressed", String(value instanceof Set ? value.has(key) : key === value));
    },
  };
}

// A control that cannot be used now says why, and stays reachable.
export function disable(node, why) {
  if (why) {
    node.setAttribute("aria-disabled", "true");
    if (node.dataset.title === undefined) node.dataset.title = node.title || "";
    node.title = why;
  } else if (node.hasAttribute("aria-disabled")) {
    node.removeAttribute("aria-disabled");
    node.title = node.dataset.title;
    delete node.dataset.title;
  }
}

export const isOff = (node) => node.getAttribute("aria-disabled") === "true";

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

// One style of numbers everywhere: 21,457; from a million on in narrow places 1.20M.
export function grouped(number) {
  if (number === null || number === undefined) return "–";
  return Math.round(Number(number)).toString().replace(/\B(?=(\d{3})+(?!\d))/g, ",");
}

export function short(number) {
  if (number === null || number === undefined) return "–";
  const value = Number(number);
  if (Math.abs(value) < 1e6) return grouped(value);
  for (const [size, unit] of [[1e12, "T"], [1e9, "G"], [1e6, "M"]]) {
    if (Math.abs(value) >= size) {
      const shown = value / size;
      return `${shown.toFixed(shown < 10 ? 2 : shown < 100 ? 1 : 0)}${unit}`;
    }
  }
  return grouped(value);
}

export function share(part, whole) {
  if (!whole || part === null || part === undefined) return "";
  const percent = (100 * part) / whole;
  if (part && percent < 0.1) return "< 0.1 %";
  return `${percent.toFixed(percent < 10 ? 1 : 0)} %`;
}

export function plural(count, noun) {
  return `${grouped(count)} ${noun}${count === 1 ? "" : "s"}`;
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
  return `${value < 10 && step ? value.toFixed(1) : Math.round(value)} ${units[step]}`;
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
