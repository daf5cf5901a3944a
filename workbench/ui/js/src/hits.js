// What in a cell made its row match, or nearly: shown under the text.
import { h } from "./dom.js";
import { printable } from "./text.js";

const CHECK = /([A-Za-z_][\w.]*(?:\[[^\]]*\])?)\s+(icontains|contains|startswith|endswith|==|=|!=|<=|>=|<|>|in|pmatch)\s+(\((?:[^()"']|"(?:\\.|[^"])*"|'(?:\\.|[^'])*')*\)|"(?:\\.|[^"\\])*"|'(?:\\.|[^'\\])*'|[^\s()]+)/g;

function plain(text) {
  const bare = text.trim();
  if (/^(["']).*\1$/s.test(bare)) return bare.slice(1, -1).replace(/\\(.)/g, "$1");
  return bare;
}

function values(right) {
  if (!right.startsWith("(")) return [plain(right)];
  return (right.slice(1, -1).match(/"(?:\\.|[^"\\])*"|'(?:\\.|[^'\\])*'|[^\s,]+/g) || []).map(plain);
}

function holds(op, wanted, text) {
  const number = Number(text.replace(/,/g, ""));
  const limit = Number(wanted[0]);
  if (op === "=" || op === "==") return text === wanted[0] || text === `"${wanted[0]}"`;
  if (op === "!=") return text !== wanted[0];
  if (["<", "<=", ">", ">="].includes(op)) return { "<": number < limit, "<=": number <= limit, ">": number > limit, ">=": number >= limit }[op];
  if (op === "icontains") return wanted.some((each) => text.toLowerCase().includes(each.toLowerCase()));
  if (op === "startswith") return text.startsWith(wanted[0]);
  if (op === "endswith") return text.endsWith(wanted[0]);
  if (op === "in") return wanted.includes(text);
  return wanted.some((each) => text.includes(each));
}

// A function (column, text, mark) → what to show: matched pieces marked, failing values
// of near misses dotted.
export function hits(cells) {
  const checks = new Map();
  for (const cell of cells.slice(0, 40)) {
    for (const [, field, op, right] of cell.text.slice(0, 4000).matchAll(CHECK)) {
      if (!checks.has(field)) checks.set(field, []);
      checks.get(field).push({ op, wanted: values(right).slice(0, 50), near: cell.near > 0 });
    }
  }
  return (column, text, mark) => {
    const found = checks.get(column);
    const shown = printable(text);
    if (!found) return shown;
    if (mark === 2) {
      const fails = found.some((check) => check.near && !holds(check.op, check.wanted, text));
      return fails ? h("span", { class: "wb-miss" }, shown) : shown;
    }
    if (mark === 3) return shown;
    const needles = found.filter((check) => ["contains", "icontains", "startswith", "endswith", "pmatch"].includes(check.op)).flatMap((check) => check.wanted).map(printable).filter(Boolean);
    return needles.length ? pieces(shown, needles) : shown;
  };
}

function pieces(text, needles) {
  const out = [];
  const lower = text.toLowerCase();
  let at = 0;
  while (at < text.length && out.length < 40) {
    let best = null;
    for (const needle of needles) {
      const where = lower.indexOf(needle.toLowerCase(), at);
      if (where >= 0 && (!best || where < best[0])) best = [where, needle.length];
    }
    if (!best) break;
    if (best[0] > at) out.push(text.slice(at, best[0]));
    out.push(h("mark", { class: "wb-hit" }, text.slice(best[0], best[0] + best[1])));
    at = best[0] + best[1];
  }
  out.push(text.slice(at));
  return out;
}
