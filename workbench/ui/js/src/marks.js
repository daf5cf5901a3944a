// The marks of rows and labels: told by shape, never by colour alone.
import { s } from "./dom.js";

const DRAWN = {
  match: ["wb-mk wb-m", () => [s("circle", { cx: 6, cy: 6, r: 4, fill: "currentColor" })]],
  near: ["wb-mk wb-n", () => [s("circle", { cx: 6, cy: 6, r: 3.6, fill: "none", stroke: "currentColor", "stroke-width": 1.6 }), s("path", { d: "M6 2.4a3.6 3.6 0 0 0 0 7.2z", fill: "currentColor" })]],
  gone: ["wb-mk wb-g", () => [s("path", { d: "M2 6h8", stroke: "currentColor", "stroke-width": 2.2 })]],
  fresh: ["wb-mk wb-m", () => [s("path", { d: "M2 6h8M6 2v8", stroke: "currentColor", "stroke-width": 2.2 })]],
  yes: ["wb-mk wb-y", () => [s("rect", { x: 1, y: 1, width: 10, height: 10, rx: 2, fill: "none", stroke: "currentColor", "stroke-width": 1.4 }), s("path", { d: "m3.400 6.100 1.900 1.900 3.500-3.900", fill: "none", stroke: "currentColor", "stroke-width": 1.6 })]],
  not: ["wb-mk wb-x", () => [s("rect", { x: 1, y: 1, width: 10, height: 10, rx: 2, fill: "none", stroke: "currentColor", "stroke-width": 1.4 }), s("path", { d: "m3.700 3.700 4.600 4.600M8.300 3.700 3.700 8.300", fill: "none", stroke: "currentColor", "stroke-width": 1.6 })]],
};

export function mark(name) {
  const [classes, shapes] = DRAWN[name];
  return s("svg", { class: classes, viewBox: "0 0 12 12", "aria-hidden": "true", focusable: "false" }, shapes());
}

// Number of a row's mark → class, words, shape.
export const ROW_MARKS = {
  0: ["", "", ""],
  1: ["wb-match", "match", "match"],
  2: ["wb-near", "near miss", "near"],
  3: ["wb-gone", "no longer matches", "gone"],
  4: ["wb-match wb-new", "matches newly", "fresh"],
};
