// Text for the page: what is hidden or acts is spelled.

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
