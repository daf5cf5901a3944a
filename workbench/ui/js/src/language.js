// Tokens of the condition language and of output formats, for highlighting only:
// what is right or wrong is said by Python.
import { StreamLanguage } from "@codemirror/language";
import { tags } from "@lezer/highlight";

const WORD = /^[A-Za-z_][\w.:-]*/;
const NUMBER = /^-?(0x[0-9a-fA-F]+|\d[\d.:a-fA-F/]*)/;

export function conditionLanguage(words) {
  const operators = new Set(words.operators || []);
  const transformers = new Set(words.transformers || []);
  const macros = new Set(words.macros || []);
  return StreamLanguage.define({
    name: "falco-condition",
    startState: () => ({ quote: null }),
    token(stream, state) {
      if (state.quote) return quoted(stream, state);
      if (stream.eatSpace()) return null;
      const next = stream.peek();
      if (next === '"' || next === "'") {
        state.quote = stream.next();
        return quoted(stream, state);
      }
      if (stream.match(/^(<=|>=|!=|==|=|<|>)/)) return "operator";
      if (stream.match(/^[()]/)) return "paren";
      if (stream.match(/^\[[^\]]*\]/)) return "argument";
      if (stream.match(/^,/)) return "punctuation";
      const number = stream.match(NUMBER, false);
      const word = stream.match(WORD);
      if (word) {
        const text = word[0];
        if (text === "and" || text === "or" || text === "not") return "keyword";
        if (operators.has(text)) return "operator";
        if (transformers.has(text) && stream.peek() === "(") return "transformer";
        if (macros.has(text)) return "macro";
        return text.includes(".") ? "field" : "value";
      }
      if (number && stream.match(NUMBER)) return "number";
      stream.next();
      return null;
    },
    tokenTable: TABLE,
  });
}

function quoted(stream, state) {
  while (!stream.eol()) {
    const c = stream.next();
    if (c === "\\") stream.next();
    else if (c === state.quote) {
      state.quote = null;
      break;
    }
  }
  return "string";
}

export function outputLanguage() {
  return StreamLanguage.define({
    name: "falco-output",
    startState: () => ({}),
    token(stream) {
      if (stream.match(/^\*?%[A-Za-z_][\w.]*(\[[^\]]*\])?/)) return "field";
      stream.next();
      stream.eatWhile((c) => c !== "%" && c !== "*");
      return null;
    },
    tokenTable: TABLE,
  });
}

const TABLE = {
  keyword: tags.keyword,
  operator: tags.operator,
  transformer: tags.function(tags.variableName),
  macro: tags.macroName,
  field: tags.propertyName,
  value: tags.literal,
  string: tags.string,
  number: tags.number,
  argument: tags.attributeName,
  paren: tags.paren,
  punctuation: tags.punctuation,
};
