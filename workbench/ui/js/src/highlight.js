// Coloured words of a condition outside of the editor: for the checks and YAML.
import { h } from "./dom.js";
import { printable } from "./text.js";

const TOKEN = /"(?:\\.|[^"\\])*"?|'(?:\\.|[^'\\])*'?|[A-Za-z_][\w.:-]*(?:\[[^\]]*\])?|-?\d[\w.:/]*|<=|>=|!=|==|=|<|>|\s+|./gsu;

export function tokens(text, words) {
  const operators = new Set((words && words.operators) || []);
  const macros = new Set((words && words.macros) || []);
  const out = [];
  for (const part of String(text).slice(0, 2000).match(TOKEN) || []) {
    const shown = printable(part);
    let kind = "";
    if (/^["']/.test(part)) kind = "wb-t-str";
    else if (/^(and|or|not)$/.test(part)) kind = "wb-t-kw";
    else if (/^[<>=!]/.test(part) || operators.has(part)) kind = "wb-t-op";
    else if (macros.has(part)) kind = "wb-t-mac";
    else if (/^[A-Za-z_]/.test(part)) kind = part.includes(".") ? "wb-t-field" : "wb-t-str";
    else if (/^-?\d/.test(part)) kind = "wb-t-num";
    out.push(kind ? h("span", { class: kind }, shown) : shown);
  }
  return out;
}

// One line of YAML: its key apart.
export function yamlLine(text) {
  const found = /^(\s*(?:- )?)([\w-]+)(:)(.*)$/s.exec(text);
  if (!found) return [printable(text)];
  return [found[1], h("span", { class: "wb-t-kw" }, found[2]), found[3], printable(found[4])];
}
