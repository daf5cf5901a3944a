// The result beside the editor: how many match, how the labels fare, what to do next.
import { btn, disable, grouped, h, isOff, lk, share } from "./dom.js";
import { mark } from "./marks.js";

export function makeResult(app) {
  const { bus } = app;
  const count = h("b", {});
  const of = h("span", {});
  const percent = h("em", {});
  const bar = h("i", {});
  const labels = h("div", { class: "wb-l2 wb-labels" });
  const make = btn("Make a rule", () => app.dock.makeRule(), { icon: "shield", sm: true });
  const save = btn("Save", () => !isOff(save) && app.dock.save(), { sm: true, pri: true });
  const revert = btn("Revert", () => !isOff(revert) && bus.send("condition", "revert"), { sm: true });
  const actions = h("div", { class: "wb-l2" });
  const node = h("div", { class: "wb-result", role: "group", "aria-label": "Result", "data-region": "result" }, h("div", { class: "wb-big" }, count, of, percent), h("div", { class: "wb-bar" }, bar), labels, actions);
  let old = false;

  function draw() {
    const verdict = bus.get("condition").verdict;
    if (!verdict) return;
    const { total, matches, empty } = verdict;
    if (old) {
      node.classList.add("wb-old");
      return;
    }
    if (matches === null || matches === undefined) {
      if (!empty && !verdict.valid) {
        node.classList.add("wb-old");
        of.textContent = count.textContent && count.textContent !== "–" ? "before this" : "no count";
        if (!count.textContent) count.textContent = "–";
        return;
      }
      count.textContent = total || !empty ? grouped(total) : "–";
      of.textContent = total ? "events" : "no events yet";
      percent.textContent = "";
      bar.style.width = "0";
    } else {
      count.textContent = grouped(matches);
      of.textContent = `of ${grouped(total)} ${app.root.classList.contains("wb-narrow") ? "" : "events match"}`;
      percent.textContent = share(matches, total);
      bar.style.width = matches ? `max(2px, ${(100 * matches) / Math.max(1, total)}%)` : "0";
      app.status.announce(`${grouped(matches)} of ${grouped(total)} events match`);
    }
    node.classList.toggle("wb-old", false);
    node.classList.toggle("wb-blank", Boolean(empty));
    node.dataset.matches = matches === null || matches === undefined ? "" : String(matches);
    node.dataset.text = verdict.text;
  }

  bus.watch("condition", "verdict", () => draw());
  bus.watch("condition", ["labels", "tabs", "active"], (value, tabs, active) => {
    const tab = (tabs || []).find((each) => each.id === active);
    const wrong = value ? value.wrong : [];
    const parts = [];
    if (value && (value.must || value.not)) {
      parts.push(h("span", { class: "wb-dim wb-wide-only" }, "Labels"), mark("yes"), h("span", {}, `${value.must_right} of ${value.must}`), mark("not"), h("span", {}, `${value.not_right} of ${value.not}`), h("span", { class: "wb-grow" }));
      if (wrong.length) parts.push(lk(`${wrong.length} wrong`, () => app.table.reveal(wrong[0])));
    } else parts.push(h("span", { class: "wb-dim wb-clip" }, tab && tab.rule ? "" : "Label events with M and N to test it"));
    labels.replaceChildren(...parts);
    if (tab && tab.rule) {
      const effect = bus.get("rule").effect || {};
      const parts_ = [save, revert];
      if (effect.plus !== undefined && effect.saved !== null) parts_.push(h("span", { class: "wb-grow" }), lk(`+${grouped(effect.plus)} −${grouped(effect.minus)}`, () => app.table.show(["changed"])));
      actions.replaceChildren(...parts_);
      disable(save, tab.dirty ? "" : "nothing to save");
      disable(revert, tab.dirty ? "" : "nothing to revert");
    } else {
      actions.replaceChildren(make);
      disable(make, "");
    }
  });
  bus.watch("rule", "effect", () => {
    const now = bus.get("condition");
    const tab = (now.tabs || []).find((each) => each.id === now.active);
    if (!tab || !tab.rule) return;
    const effect = bus.get("rule").effect || {};
    const extra = effect.plus !== undefined && effect.saved !== null ? [h("span", { class: "wb-grow" }), lk(`+${grouped(effect.plus)} −${grouped(effect.minus)}`, () => app.table.show(["changed"]))] : [];
    actions.replaceChildren(save, revert, ...extra);
  });

  return {
    node,
    // Typing goes on: the last number stays, greyed.
    stale() {
      old = true;
      node.classList.add("wb-old");
    },
    fresh() {
      old = false;
      draw();
    },
  };
}
