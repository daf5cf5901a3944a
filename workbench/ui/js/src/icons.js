// Icons: Lucide's shapes (ISC licence), read from its npm package when bundled.
import play_ from "lucide-static/icons/play.svg";
import pause_ from "lucide-static/icons/pause.svg";
import stop_ from "lucide-static/icons/square.svg";
import undo_ from "lucide-static/icons/undo-2.svg";
import redo_ from "lucide-static/icons/redo-2.svg";
import history_ from "lucide-static/icons/history.svg";
import search_ from "lucide-static/icons/search.svg";
import cross_ from "lucide-static/icons/x.svg";
import plus_ from "lucide-static/icons/plus.svg";
import minus_ from "lucide-static/icons/minus.svg";
import maximize_ from "lucide-static/icons/maximize.svg";
import minimize_ from "lucide-static/icons/minimize.svg";
import help_ from "lucide-static/icons/circle-question-mark.svg";
import columns_ from "lucide-static/icons/columns-3.svg";
import down_ from "lucide-static/icons/chevron-down.svg";
import right_ from "lucide-static/icons/chevron-right.svg";
import left_ from "lucide-static/icons/panel-left.svg";
import dock_ from "lucide-static/icons/panel-right.svg";
import drawer_ from "lucide-static/icons/panel-bottom.svg";
import terminal_ from "lucide-static/icons/terminal.svg";
import lightbulb_ from "lucide-static/icons/lightbulb.svg";
import format_ from "lucide-static/icons/text-align-start.svg";
import tail_ from "lucide-static/icons/arrow-down-to-line.svg";
import bars_ from "lucide-static/icons/chart-column.svg";
import check_ from "lucide-static/icons/check.svg";
import alert_ from "lucide-static/icons/triangle-alert.svg";
import copy_ from "lucide-static/icons/copy.svg";
import save_ from "lucide-static/icons/save.svg";
import more_ from "lucide-static/icons/ellipsis.svg";
import split_ from "lucide-static/icons/rows-2.svg";
import eye_ from "lucide-static/icons/eye.svg";
import plug_ from "lucide-static/icons/plug.svg";
import clock_ from "lucide-static/icons/clock.svg";
import filter_ from "lucide-static/icons/funnel.svg";
import shield_ from "lucide-static/icons/shield.svg";
import code_ from "lucide-static/icons/code.svg";

const SHAPES = { play: play_, pause: pause_, stop: stop_, undo: undo_, redo: redo_, history: history_, search: search_, cross: cross_, plus: plus_, minus: minus_, maximize: maximize_, minimize: minimize_, help: help_, columns: columns_, down: down_, right: right_, left: left_, dock: dock_, drawer: drawer_, terminal: terminal_, lightbulb: lightbulb_, format: format_, tail: tail_, bars: bars_, check: check_, alert: alert_, copy: copy_, save: save_, more: more_, split: split_, eye: eye_, plug: plug_, clock: clock_, filter: filter_, shield: shield_, code: code_ };

const parsed = new Map();

export function icon(name) {
  if (!parsed.has(name)) {
    const made = new DOMParser().parseFromString(SHAPES[name], "image/svg+xml").documentElement;
    made.setAttribute("class", "wb-icon");
    made.setAttribute("aria-hidden", "true");
    made.setAttribute("focusable", "false");
    for (const key of ["width", "height"]) made.removeAttribute(key);
    parsed.set(name, made);
  }
  return document.importNode(parsed.get(name), true);
}
