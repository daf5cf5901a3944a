// One event: its fields, why it matches or not, its bytes; and the values of a field.
import { h, button, copyText, grouped, printable, printableLines, refill, watcher } from "./dom.js";

const PAGES = [
  ["fields", "Event"],
  ["why", "Why?"],
  ["payload", "Payload"],
  ["values", "Values"],
];

export function detailView(model, el) {
  const title = h("div", { class: "wb-title wb-clip", role: "status" });
  const labels = h("div", { class: "wb-segment", role: "group", "aria-label": "Label of the selected rows" });
  const labelButtons = [["match", "✓ must match"], ["not", "✗ must not"], ["none", "no label"]].map(([value, label]) => {
    const node = h("button", { type: "button", class: "wb-seg", on: { click: () => model.send({ do: "label", value }) } }, label);
    labels.append(node);
    return { value, node };
  });
  const tabs = h("div", { class: "wb-tabs wb-small-tabs", role: "tablist", "aria-label": "Detail" });
  const area = h("div", { class: "wb-detail-area", role: "tabpanel", tabIndex: 0 });
  el.append(h("div", { class: "wb-bar" }, title), h("div", { class: "wb-bar" }, tabs), area, h("div", { class: "wb-bar wb-detail-foot" }, labels));
  let page = "fields";
  let hovered = null;

  for (const [id, label] of PAGES) tabs.append(h("button", { type: "button", role: "tab", class: "wb-tab", "data-id": id, on: { click: () => go(id) } }, label));
  tabs.addEventListener("keydown", (event) => {
    const step = { ArrowRight: 1, ArrowLeft: -1 }[event.key];
    if (!step) return;
    const at = PAGES.findIndex(([id]) => id === page);
    go(PAGES[(at + step + PAGES.length) % PAGES.length][0]);
    tabs.querySelector('[aria-selected="true"]').focus();
    event.preventDefault();
  });

  function go(id) {
    page = id;
    model.send({ do: "page", page: id });
    draw();
  }

  const state = watcher(model);
  state.watch(["title", "label"], (text, label) => {
    title.textContent = text ? printable(text) : "No event selected";
    for (const { value, node } of labelButtons) {
      node.disabled = !text;
      node.setAttribute("aria-pressed", String((label || "none") === value));
    }
    labels.hidden = !text;
  });
  state.watch(["serial", "text", "explain", "values", "offsets"], draw);
  state.watch("page", (id) => {
    if (id && id !== page) {
      page = id;
      draw();
    }
  });

  function draw() {
    for (const node of tabs.children) {
      const here = node.dataset.id === page;
      node.setAttribute("aria-selected", String(here));
      node.tabIndex = here ? 0 : -1;
    }
    const now = model.get("state") || {};
    const build = { fields: drawFields, why: drawWhy, payload: drawPayload, values: drawValues }[page];
    const parts = (page !== "values" && !now.title ? [hint("Select a row to see everything about it.")] : build(now)).filter(Boolean);
    refill(area, ...parts);
  }

  function hint(text) {
    return h("p", { class: "wb-muted wb-hint" }, text);
  }

  function drawFields(now) {
    const rows = (now.fields || []).map((each) =>
      h(
        "div",
        {
          class: `wb-pair ${each.absent ? "wb-absent" : ""}`,
          on: { mouseenter: () => (hovered = each.name), mouseleave: () => (hovered = null) },
        },
        h("div", { class: "wb-pair-name" }, h("button", { type: "button", class: "wb-link wb-code", title: "Show the values of this field", on: { click: () => (model.send({ do: "values", field: each.name }), go("values")) } }, printable(each.name)), h("span", { class: "wb-type" }, each.type)),
        h(
          "div",
          { class: "wb-pair-value" },
          h("span", { class: "wb-value wb-code", dir: "ltr" }, each.absent ? "absent" : printable(each.text)),
          each.cut ? h("span", { class: "wb-muted" }, ` … ${grouped(each.size)} bytes in all`) : null,
          each.check
            ? h(
                "span",
                { class: "wb-pair-tools" },
                button("Add to the condition", () => model.send({ do: "add_check", field: each.name, negate: false }), { icon: "plus", bare: true, quiet: true, "aria-label": `Add ${each.name} to the condition`, title: each.check }),
                button("Copy", () => copyText(each.text), { icon: "copy", bare: true, quiet: true, "aria-label": `Copy ${each.name}`, title: "Copy" }),
              )
            : null,
        ),
      ),
    );
    return [now.text ? h("div", { class: "wb-event-text wb-code", dir: "ltr" }, printable(now.text)) : null, h("div", { class: "wb-pairs" }, rows)];
  }

  function drawWhy(now) {
    const given = now.explain;
    if (!given) return [hint("Type a condition to see how this event fares.")];
    return [
      h("div", { class: `wb-answer ${given.matches ? "wb-yes" : "wb-no"}`, role: "status" }, given.summary),
      h(
        "ul",
        { class: "wb-tree", "aria-label": "Each part of the condition" },
        given.rows.map((row) =>
          h(
            "li",
            { class: `wb-node wb-${row.verdict}`, style: { "--wb-depth": String(row.depth) } },
            h("span", { class: "wb-node-sign", "aria-label": { yes: "true", no: "false", skipped: "not evaluated" }[row.verdict] }, { yes: "✓", no: "✗", skipped: "·" }[row.verdict]),
            h("span", { class: "wb-code wb-node-text" }, printable(row.text)),
            row.value !== null && row.value !== undefined ? h("span", { class: "wb-node-value wb-code", dir: "ltr" }, printable(row.value)) : null,
            row.note ? h("span", { class: "wb-muted wb-node-note" }, printable(row.note)) : null,
          ),
        ),
      ),
    ];
  }

  // The payload as text, JSON or hexadecimal; bytes of the hovered field are marked.
  let shape = "text";
  function drawPayload(now) {
    const payload = now.payload;
    if (!payload) return [hint(now.payload_hint || "The payload of this event was not kept.")];
    const choose = h(
      "div",
      { class: "wb-segment", role: "group", "aria-label": "Show the payload as" },
      ["text", "json", "hex"].map((each) =>
        h("button", { type: "button", class: "wb-seg", disabled: each === "json" && !payload.json, "aria-pressed": String(shape === each), on: { click: () => ((shape = each), draw()) } }, { text: "Text", json: "JSON", hex: "Hex" }[each]),
      ),
    );
    if (shape === "json" && !payload.json) shape = "text";
    const spans = now.offsets || {};
    const names = Object.keys(spans);
    const pick = h(
      "div",
      { class: "wb-chips", role: "group", "aria-label": "Fields found in the payload" },
      names.map((name) =>
        h("button", { type: "button", class: "wb-chip", "aria-pressed": String(hovered === name), on: { mouseenter: () => light(name), focus: () => light(name), mouseleave: () => light(null), click: () => light(name) } }, printable(name)),
      ),
    );
    const frame = h("div", { class: "wb-payload" });
    function light(name) {
      hovered = name;
      refill(frame, body(payload, name ? spans[name] || [] : []));
    }
    light(hovered);
    return [h("div", { class: "wb-bar" }, choose, h("span", { class: "wb-muted" }, `${grouped(payload.size)} bytes${payload.cut ? `, first ${grouped(payload.shown)} shown` : ""}`)), names.length ? pick : null, frame];
  }

  function body(payload, spans) {
    if (shape === "json" && payload.json) return h("pre", { class: "wb-pre", dir: "ltr" }, printableLines(payload.json));
    const data = payload.hex.match(/../g) || [];
    const marked = new Uint8Array(data.length);
    for (const [start, length] of spans) marked.fill(1, start, Math.min(data.length, start + length));
    return shape === "hex" ? hexBody(data, marked) : textBody(data, marked);
  }

  function textBody(data, marked) {
    const raw = Uint8Array.from(data, (pair) => parseInt(pair, 16));
    const decoder = new TextDecoder("utf-8");
    const pieces = [];
    let start = 0;
    for (let at = 1; at <= raw.length; at += 1) {
      if (at < raw.length && marked[at] === marked[start]) continue;
      const text = printableLines(decoder.decode(raw.subarray(start, at)));
      pieces.push(marked[start] ? h("mark", { class: "wb-lit" }, text) : text);
      start = at;
    }
    return h("pre", { class: "wb-pre", dir: "ltr" }, pieces);
  }

  function hexBody(data, marked) {
    const lines = [];
    for (let at = 0; at < data.length; at += 16) {
      const row = data.slice(at, at + 16);
      const cells = row.map((pair, index) => [h("span", { class: marked[at + index] ? "wb-lit" : null }, pair), index === 7 ? "  " : " "]);
      const text = row.map((pair, index) => {
        const code = parseInt(pair, 16);
        return h("span", { class: marked[at + index] ? "wb-lit" : null }, code >= 32 && code < 127 ? String.fromCharCode(code) : "·");
      });
      lines.push(h("span", { class: "wb-muted" }, at.toString(16).padStart(6, "0"), "  "), cells, " ".repeat(Math.max(0, 16 - row.length) * 3 + (row.length < 8 ? 1 : 0) + 1), text, "\n");
    }
    return h("pre", { class: "wb-pre wb-hex", dir: "ltr" }, lines);
  }

  function drawValues(now) {
    const given = now.values;
    const picker = h("select", { class: "wb-input", "aria-label": "Field" }, (now.value_fields || []).map((name) => h("option", { value: name, selected: given && given.field === name }, printable(name))));
    picker.addEventListener("change", () => model.send({ do: "values", field: picker.value }));
    if (!given) return [h("div", { class: "wb-bar" }, picker), hint("Pick a field to see its values.")];
    const most = Math.max(1, ...given.rows.map((row) => row.count));
    return [
      h("div", { class: "wb-bar" }, picker, h("span", { class: "wb-muted" }, given.note)),
      h(
        "ul",
        { class: "wb-values", "aria-label": `Values of ${given.field}` },
        given.rows.map((row, index) =>
          h(
            "li",
            { class: row.absent ? "wb-absent" : null },
            h(
              "button",
              { type: "button", class: "wb-value-row", disabled: !row.check, title: row.check ? `Add: ${printable(row.check)}` : null, on: { click: (event) => model.send({ do: "add_value", field: given.field, index, negate: event.altKey || event.shiftKey }) } },
              h("span", { class: "wb-value-bar", "aria-hidden": "true" }, h("span", { class: "wb-value-all", style: { width: `${(100 * row.count) / most}%` } }), h("span", { class: "wb-value-match", style: { width: `${(100 * (row.matches || 0)) / most}%` } })),
              h("span", { class: "wb-value-text wb-code", dir: "ltr" }, row.absent ? "absent" : printable(row.text)),
              h("span", { class: "wb-value-count" }, grouped(row.count)),
            ),
          ),
        ),
      ),
      h("p", { class: "wb-muted wb-hint" }, "Click adds the value to the condition, Shift+click excludes it."),
    ];
  }

  draw();
  return () => state.stop();
}
