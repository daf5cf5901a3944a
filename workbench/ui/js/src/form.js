// A form made from a JSON schema, which Python resolved and bounded (form_schema.py).
// Validation is Python's; errors come back by pointer.
import { btn, h, ib, uid } from "./dom.js";
import { printable } from "./text.js";

const DEEPEST = 8;

function kind(schema) {
  if (Array.isArray(schema.enum) && schema.enum.length) return "enum";
  const type = Array.isArray(schema.type) ? schema.type.find((each) => each !== "null") : schema.type;
  if (type === "object" || (!type && schema.properties)) return schema.properties ? "object" : "raw";
  if (type === "array") return schema.items && !Array.isArray(schema.items) ? "array" : "raw";
  return ["string", "integer", "number", "boolean"].includes(type) ? type : "raw";
}

function pointer(path, key) {
  return `${path}/${String(key).replace(/~/g, "~0").replace(/\//g, "~1")}`;
}

function range(schema) {
  const words = [];
  if (schema.minimum !== undefined && schema.maximum !== undefined) words.push(`${schema.minimum} to ${schema.maximum}`);
  else if (schema.minimum !== undefined) words.push(`at least ${schema.minimum}`);
  else if (schema.maximum !== undefined) words.push(`at most ${schema.maximum}`);
  if (schema.pattern) words.push(`like ${schema.pattern}`);
  if (schema.default !== undefined) words.push(`default ${JSON.stringify(schema.default)}`);
  return words.join(", ");
}

// Build the form; give {node, errors(map), value()}.
export function schemaForm(root, initial, report) {
  let value = initial;
  const slots = new Map();

  function changed(next) {
    value = next;
    report(next);
  }

  function errorSlot(path) {
    const node = h("div", { class: "wb-form-error", role: "alert", id: uid("e"), hidden: true });
    slots.set(path, node);
    return node;
  }

  function build(schema, path, current, put, title, required, depth) {
    const type = depth > DEEPEST ? "raw" : kind(schema);
    const name = schema.title || title;
    const label = printable(name) + (required ? " *" : "");
    const help = [schema.description ? printable(schema.description) : "", printable(range(schema))].filter(Boolean).join(" · ");
    const slot = errorSlot(path);
    if (type === "object") return group(schema, path, current, put, path ? label : "", help, slot, depth);
    if (type === "array") return list(schema, path, current, put, label, help, slot, depth);
    const control = { enum: choice, boolean: box, integer: number, number, string: text, raw }[type](schema, current, put, slot);
    const input = control.matches("input,select,textarea") ? control : control.querySelector("input,select,textarea");
    input.id = uid("f");
    input.dataset.pointer = path || "/";
    input.setAttribute("aria-describedby", slot.id);
    if (required) input.setAttribute("aria-required", "true");
    return h("div", { class: type === "boolean" ? "wb-field wb-check-line" : "wb-field" }, h("label", { for: input.id }, label), control, help ? h("div", { class: "wb-help" }, help) : null, slot);
  }

  function group(schema, path, current, put, label, help, slot, depth) {
    const now = current && typeof current === "object" && !Array.isArray(current) ? { ...current } : {};
    const needed = new Set(schema.required || []);
    const children = Object.entries(schema.properties).map(([key, sub]) =>
      build(sub, pointer(path, key), now[key], (next) => {
        if (next === undefined) delete now[key];
        else now[key] = next;
        put(Object.keys(now).length || needed.size || !path ? { ...now } : undefined);
      }, key, needed.has(key), depth + 1),
    );
    if (!label) return h("div", { class: "wb-form" }, children, slot);
    return h("fieldset", { class: "wb-group" }, h("legend", {}, label), help ? h("div", { class: "wb-help" }, help) : null, children, slot);
  }

  function list(schema, path, current, put, label, help, slot, depth) {
    let items = Array.isArray(current) ? [...current] : [];
    const rows = h("div", { class: "wb-list" });
    const send = () => put(items.length ? [...items] : undefined);
    function draw() {
      rows.replaceChildren(
        ...items.map((item, index) =>
          h(
            "div",
            { class: "wb-list-row" },
            build(schema.items, pointer(path, index), item, (next) => {
              items[index] = next === undefined ? null : next;
              send();
            }, `${index + 1}`, false, depth + 1),
            ib("cross", `Remove ${label} ${index + 1}`, () => {
              items = items.filter((_, at) => at !== index);
              draw();
              send();
            }, { class: "wb-mini" }),
          ),
        ),
      );
    }
    draw();
    const add = btn("Add", () => {
      const sub = schema.items;
      items.push(sub.default !== undefined ? sub.default : { object: {}, array: [], boolean: false, string: "" }[kind(sub)] ?? null);
      draw();
      send();
    }, { icon: "plus", sm: true, "aria-label": `Add to ${label}` });
    return h("fieldset", { class: "wb-group" }, h("legend", {}, label), help ? h("div", { class: "wb-help" }, help) : null, rows, add, slot);
  }

  function choice(schema, current, put) {
    const options = schema.enum.map((each, index) => h("option", { value: String(index), selected: JSON.stringify(each) === JSON.stringify(current) }, printable(typeof each === "string" ? each : JSON.stringify(each))));
    const node = h("select", { class: "wb-in" }, h("option", { value: "" }, "—"), options);
    node.addEventListener("change", () => put(node.value === "" ? undefined : schema.enum[Number(node.value)]));
    return node;
  }

  function box(schema, current, put) {
    const node = h("input", { type: "checkbox", checked: Boolean(current ?? schema.default) });
    node.addEventListener("change", () => put(node.checked));
    return h("div", { class: "wb-check" }, node);
  }

  function number(schema, current, put) {
    const node = h("input", { class: "wb-in", type: "number", step: kind(schema) === "integer" ? "1" : "any", min: schema.minimum, max: schema.maximum, placeholder: schema.default !== undefined ? String(schema.default) : null });
    if (current !== undefined && current !== null) node.value = String(current);
    node.addEventListener("input", () => put(node.value === "" ? undefined : Number(node.value)));
    return node;
  }

  function text(schema, current, put) {
    const node = h("input", { class: "wb-in", type: schema.writeOnly || schema.format === "password" ? "password" : "text", placeholder: schema.default !== undefined ? String(schema.default) : null, autocomplete: "off" });
    node.value = current ?? "";
    node.addEventListener("input", () => put(node.value === "" ? undefined : node.value));
    return node;
  }

  function raw(schema, current, put, slot) {
    const node = h("textarea", { class: "wb-in wb-area wb-mono", rows: 3, spellcheck: "false", placeholder: "JSON" });
    node.value = current === undefined ? "" : JSON.stringify(current, null, 2);
    node.addEventListener("input", () => {
      try {
        const next = node.value.trim() === "" ? undefined : JSON.parse(node.value);
        slot.hidden = true;
        put(next);
      } catch (error) {
        slot.hidden = false;
        slot.textContent = `not JSON: ${error.message}`;
      }
    });
    return node;
  }

  const node = build(root || {}, "", value, (next) => changed(next === undefined ? {} : next), "configuration", false, 0);
  return {
    node,
    errors(map) {
      for (const [path, slot] of slots) {
        const message = map[path];
        slot.hidden = !message;
        slot.textContent = message ? printable(message) : "";
      }
    },
  };
}
