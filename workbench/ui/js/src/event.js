// One event: why it matches or not, its label, its fields, its bytes.
import { bytes, copyText, h, lk, refill, seg } from "./dom.js";
import { printable, printableLines } from "./text.js";
import { tokens } from "./highlight.js";
import { icon } from "./icons.js";
import { mark } from "./marks.js";

const LATE = 80;

export function makeEvent(app) {
  const { bus } = app;
  const node = h("div", { class: "wb-event", role: "tabpanel", "aria-label": "Event", tabIndex: 0 });
  const payloadKind = { value: "text" };
  const open = { fields: true, payload: true };
  let now = null;
  let timer = 0;
  let wanted = 0;
  let bytesNode = null;
  let lit = null;

  const labels = seg("Label", [["match", "must match", mark("yes")], ["not", "must not", mark("not")], ["none", "no label"]], (value) => {
    if (now) bus.send("table", "label", { value, position: now.position });
  }, { class: "wb-seg wb-seg-small" });

  async function load() {
    clearTimeout(timer);
    const mine = (wanted += 1);
    const found = await bus.ask("event", "event");
    if (mine !== wanted) return;
    now = found;
    draw();
  }

  function later() {
    if (node.hidden || app.dock === undefined || !app.dock.open) return;
    clearTimeout(timer);
    timer = setTimeout(load, LATE);
  }

  function draw() {
    if (!now) {
      refill(node, h("p", { class: "wb-dim wb-pad" }, "Select a row to see everything about it."));
      return;
    }
    const top = node.scrollTop;
    labels.set(bus.get("event").label || "none");
    refill(node, h("div", { class: "wb-pad" }, why(), h("div", { class: "wb-label-line" }, h("span", { class: "wb-dim" }, "Label"), labels.node)), fields(), payload());
    node.scrollTop = top;
  }

  // ---- why ----
  function why() {
    const found = now.why;
    const state = bus.get("event").mark;
    if (!found) return h("div", { class: "wb-ver wb-dim" }, "No condition to hold it against.");
    const checks = found.rows.filter((row) => !/^(all of|any of|not)$/.test(row.text));
    const hold = checks.filter((row) => row.verdict === "yes").length;
    const shape = found.matches ? mark("match") : state === 2 ? mark("near") : state === 3 ? mark("gone") : null;
    const head = h("div", { class: "wb-ver", role: "status" }, shape, h("b", {}, found.matches ? "Matches" : state === 2 ? "Near miss" : "Does not match"), h("span", { class: "wb-dim" }, `${hold} of ${checks.length} checks hold`));
    return h("div", {}, head, h("div", { class: "wb-why" }, found.rows.filter((row) => checks.length < 2 || row.depth > 0 || found.rows.length === 1).map(line)));
  }

  function line(row) {
    const sign = row.verdict === "yes" ? icon("check") : row.verdict === "no" ? icon("cross") : h("span", { class: "wb-icon" }, "·");
    sign.classList.add(row.verdict === "yes" ? "wb-ok" : row.verdict === "no" ? "wb-no" : "wb-dim");
    const words = row.verdict === "yes" ? "holds" : row.verdict === "no" ? "fails" : "not looked at";
    return h("div", { class: "wb-why-line", style: { "--wb-depth": String(Math.max(0, row.depth - 1)) } }, sign, h("span", { class: "wb-mono wb-why-text" }, h("span", { class: "wb-offscreen" }, `${words}: `), tokens(row.text, bus.get("condition").words)), row.value ? h("em", { class: "wb-mono", title: printable(row.value) }, h("span", { class: "wb-ui" }, "has "), printable(row.value)) : null, row.note ? h("em", {}, printable(row.note)) : null);
  }

  // ---- fields ----
  function section(name, title, extra, inside) {
    const body = h("div", { hidden: !open[name] }, inside);
    const head = h("button", { type: "button", class: "wb-fold-button", "aria-expanded": String(open[name]), on: { click: () => {
      open[name] = !open[name];
      draw();
    } } }, icon(open[name] ? "down" : "right"), h("b", {}, title), h("span", { class: "wb-dim" }, extra.text));
    return h("div", { class: "wb-section" }, h("div", { class: "wb-section-head" }, head, h("span", { class: "wb-grow" }), extra.tools || null), body);
  }

  function fields() {
    const filled = now.fields.filter((field) => !field.absent);
    const rows = [...filled, ...now.fields.filter((field) => field.absent)].map(pair);
    return section("fields", "Fields", { text: `${filled.length} of ${now.fields.length} have a value` }, h("dl", { class: "wb-pairs" }, rows));
  }

  function pair(field) {
    const name = field.name.includes(".") ? field.name.slice(field.name.indexOf(".") + 1) : field.name;
    const value = h("dd", { class: `wb-mono ${field.absent ? "wb-dim" : ""}`, title: field.cut ? "" : printable(field.text).slice(0, 400) }, field.absent ? "–" : printable(field.text) || '""');
    const tools = h("dd", { class: "wb-pair-tools" });
    if (field.check) tools.append(tool("plus", "Keep only", field, false), tool("minus", "Hide", field, true));
    if (!field.absent) tools.append(h("button", { type: "button", class: "wb-ib wb-mini", title: `Copy ${name}`, "aria-label": `Copy ${name}`, on: { click: () => copyText(field.raw || field.text, () => app.status.say(`copied ${name}`)) } }, icon("copy")));
    const one = h("div", { class: "wb-pair", on: { mouseenter: () => light(field.name), mouseleave: () => light(null), focusin: () => light(field.name) } }, h("dt", { title: `${field.name} (${field.type})\n${printable(field.desc || "")}` }, printable(name)), value, tools);
    if (field.cut) {
      let end = 4000;
      const more = lk(`Show all ${bytes(field.size)}`, async () => {
        const piece = await bus.ask("event", "more", { position: now.position, field: field.name, start: end });
        if (!piece) return;
        value.append(printable(piece.text));
        end = piece.end;
        if (piece.end >= piece.size) more.remove();
        else more.textContent = `64 KiB more of ${bytes(piece.size)}`;
      });
      value.classList.add("wb-wrap");
      value.after(h("dd", { class: "wb-more" }, more));
    }
    return one;
  }

  function tool(shape, label, field, negate) {
    return h("button", { type: "button", class: "wb-ib wb-mini", title: `${label} this value`, "aria-label": `${label} ${field.name}`, on: { click: () => bus.send("table", "chip", { column: field.name, position: now.position, negate }) } }, icon(shape));
  }

  // ---- payload ----
  function payload() {
    const data = now.payload;
    if (!data) return section("payload", "Payload", { text: "not kept" }, h("p", { class: "wb-dim wb-pad" }, "These events came without their bytes."));
    const kinds = seg("Payload as", [["text", "Text"], ["hex", "Hex"], ...(data.json ? [["json", "JSON"]] : [])], (value) => {
      payloadKind.value = value;
      draw();
    }, { class: "wb-seg wb-seg-tiny" });
    const kind = payloadKind.value === "json" && !data.json ? "text" : payloadKind.value;
    kinds.set(kind);
    bytesNode = h("pre", { class: `wb-pay wb-mono ${kind === "hex" ? "wb-hex" : ""}`, tabIndex: 0, "aria-label": "Payload" });
    fillPayload(kind, data);
    return section("payload", "Payload", { text: bytes(data.size).replace(" B", " bytes"), tools: kinds.node }, h("div", { class: "wb-pad-x" }, bytesNode, data.shown < data.size ? h("p", { class: "wb-dim" }, `the first ${bytes(data.shown)}`) : null));
  }

  function raw(data) {
    const out = new Uint8Array(data.hex.length / 2);
    for (let at = 0; at < out.length; at += 1) out[at] = parseInt(data.hex.slice(2 * at, 2 * at + 2), 16);
    return out;
  }

  function fillPayload(kind, data) {
    if (kind === "json") {
      bytesNode.textContent = printableLines(data.json);
      return;
    }
    const all = raw(data);
    const spans = lit && now.offsets[lit] ? now.offsets[lit].map(([start, size]) => [start, start + size]) : [];
    const cuts = [...new Set([0, all.length, ...spans.flat().filter((at) => at <= all.length)])].sort((a, b) => a - b);
    const decoder = new TextDecoder("utf-8");
    const parts = [];
    cuts.slice(0, -1).forEach((from, index) => {
      const piece = all.slice(from, cuts[index + 1]);
      const text = kind === "hex" ? hex(piece) : printableLines(decoder.decode(piece));
      const inside = spans.some(([low, high]) => from >= low && from < high);
      parts.push(inside ? h("mark", { class: "wb-rng" }, text) : text);
    });
    refill(bytesNode, parts);
  }

  function hex(piece) {
    return Array.from(piece, (byte) => byte.toString(16).padStart(2, "0")).join(" ").concat(" ");
  }

  function light(name) {
    if (lit === name || !now || !bytesNode || !now.payload) return;
    lit = name;
    if (payloadKind.value !== "json") fillPayload(payloadKind.value, now.payload);
  }

  bus.watch("event", ["position", "version"], later);
  bus.watch("event", "label", (value) => labels.set(value || "none"));
  app.release.push(() => clearTimeout(timer));
  return { node, load };
}

