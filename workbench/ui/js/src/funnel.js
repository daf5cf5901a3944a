// How many events match, and what each check lets through.
import { h, button, grouped, printable, refill, watcher } from "./dom.js";

export function funnelView(model, el) {
  const figure = h("span", { class: "wb-figure" });
  const caption = h("span", { class: "wb-muted" });
  const steps = h("ol", { class: "wb-steps", "aria-label": "What each check lets through" });
  const tools = h(
    "div",
    { class: "wb-bar" },
    button("Format", () => model.send({ do: "format" }), { quiet: true, title: "Shift+Alt+F" }),
    button("Make a rule", () => model.send({ do: "make_rule" }), { quiet: true }),
    button("Show code", () => model.send({ do: "show_code" }), { quiet: true }),
  );
  el.append(h("div", { class: "wb-verdict", role: "status" }, figure, caption), steps, tools);

  const state = watcher(model);
  state.watch(["matches", "total", "valid", "empty"], (matches, total, valid, empty) => {
    el.dataset.valid = String(Boolean(valid));
    el.dataset.matches = matches === null ? "" : String(matches);
    if (empty) {
      figure.textContent = grouped(total);
      caption.textContent = "events; type a condition to filter them";
    } else if (!valid) {
      figure.textContent = "–";
      caption.textContent = "not yet a condition";
    } else {
      const share = total ? (100 * matches) / total : 0;
      figure.textContent = grouped(matches);
      caption.textContent = `of ${grouped(total)} events match${total ? ` (${share === 0 || share >= 0.1 ? share.toFixed(1) : "< 0.1"} %)` : ""}`;
    }
  });
  state.watch("steps", (list) => {
    const most = Math.max(1, ...(list || []).map((each) => each.rows), model.get("state").total || 0);
    refill(steps, ...(list || []).map((each) =>
        h(
          "li",
          { class: "wb-step", style: { "--wb-depth": String(each.depth || 0) } },
          h("button", { type: "button", class: "wb-link wb-code wb-step-text", title: printable(each.text), disabled: each.from === null, on: { click: () => model.send({ do: "focus_check", from: each.from, to: each.to }) } }, printable(each.text)),
          h("span", { class: "wb-step-bar", "aria-hidden": "true" }, h("span", { style: { width: `${(100 * each.rows) / most}%` } })),
          h("span", { class: "wb-step-rows", title: each.alone === null || each.alone === undefined ? null : `${grouped(each.alone)} events pass this check alone` }, grouped(each.rows), each.alone !== null && each.alone !== undefined && each.alone !== each.rows ? h("span", { class: "wb-muted" }, ` (alone ${grouped(each.alone)})`) : null),
        ),
      ),
    );
  });
  return () => state.stop();
}

// Which events would match but for one check; it stands below the editor.
export function nearView(model, el) {
  const near = h("div", { class: "wb-near-list", hidden: true });
  el.append(near);
  const state = watcher(model);
  state.watch("near", (list) => {
    near.hidden = !list || !list.length;
    refill(
      near,
      h("div", { class: "wb-sub" }, "Near misses: one check away from matching"),
      h(
        "ul",
        {},
        (list || []).map((each) =>
          h(
            "li",
            {},
            h("b", {}, grouped(each.count)),
            each.verdict ? " because of " : " fail ",
            h("code", {}, printable(each.check)),
            each.seen ? [h("span", { class: "wb-muted" }, " seen: "), h("code", { dir: "ltr" }, printable(each.seen))] : "",
            h("span", { class: "wb-muted" }, " · event "),
            each.events.map((event, index) => [index ? ", " : "", h("button", { type: "button", class: "wb-link", "aria-label": `Show event ${event.num}`, on: { click: () => model.send({ do: "reveal", position: event.position }) } }, event.num)]),
          ),
        ),
      ),
    );
  });
  return () => state.stop();
}
