// Banners over the first rows: crash and failure, errors of ours, no kernel; and the pill
// that counts newer rows. They never move what is under them.
import { btn, copyText, grouped, h, ib, lk, refill } from "./dom.js";
import { printable, printableLines } from "./text.js";
import { icon } from "./icons.js";

export function watchKernel(app) {
  const { bus, root } = app;
  const crash = h("div", { class: "wb-ban wb-ban-bad", role: "alert", hidden: true });
  const notice = h("div", { class: "wb-ban wb-ban-warn", role: "alert", hidden: true });
  const gone = h("div", { class: "wb-ban wb-ban-warn wb-ban-gone", role: "alert", hidden: true });
  const stopped = h("div", { class: "wb-ban wb-ban-warn", role: "status", hidden: true });
  app.table.banner.append(gone, crash, stopped, notice);

  bus.watch("stream", "card", (card) => {
    crash.hidden = !card;
    if (!card) return;
    const facts = Object.fromEntries(card.facts || []);
    const at = facts["at event"] ? ` at event ${facts["at event"]}` : "";
    const about = [facts.signal, facts["in call"]].filter(Boolean).join(" in ");
    const details = lk("Details", () => app.layers.dialog(card.title, h("div", { class: "wb-form" }, h("p", { class: "wb-card-text" }, printableLines(card.message)), h("dl", { class: "wb-facts" }, (card.facts || []).map(([key, value]) => [h("dt", {}, key), h("dd", {}, printable(value))])), card.backtrace ? h("pre", { class: "wb-pre wb-mono", tabIndex: 0, "aria-label": "Backtrace" }, printableLines(card.backtrace)) : null, card.log ? h("pre", { class: "wb-pre wb-mono", tabIndex: 0, "aria-label": "Log" }, printableLines(card.log)) : null), details, { width: 560, kind: "crash" }));
    refill(crash, icon("alert"), h("b", {}, `${printable(card.title)}${at}`), h("span", { class: "wb-clip wb-grow" }, about || printable(card.message.split("\n")[0])), details, btn("Start again", () => bus.send("stream", "restart"), { icon: "play", sm: true }), ib("cross", "Dismiss", () => bus.send("stream", "dismiss"), { class: "wb-mini" }));
  });

  bus.watch("lab", "notice", (text) => {
    notice.hidden = !text;
    if (text) refill(notice, icon("alert"), h("span", { class: "wb-clip wb-grow", title: printableLines(text) }, printable(text)), ib("cross", "Dismiss", () => bus.send("lab", "notice"), { class: "wb-mini" }));
  });

  bus.watch("stream", ["note", "phase", "limits", "count"], (note, phase, limits, count) => {
    const reached = phase === "ended" && /^limit of/.test(note || "");
    stopped.hidden = !reached;
    if (!reached) return;
    const key = /MiB/.test(note) ? "mebibytes" : /seconds/.test(note) ? "seconds" : "events";
    const more = (limits || {})[key] * 2;
    refill(stopped, icon("alert"), h("b", {}, `Stopped at the ${printable(note)}`), h("span", { class: "wb-clip wb-grow" }, `${grouped(count)} events kept`), lk(`Raise to ${grouped(more)}`, () => {
      bus.send("stream", "limit", { key, value: more });
      app.status.say(`the limit is ${grouped(more)} now; start again to read further`);
      stopped.hidden = true;
    }), ib("cross", "Dismiss", () => (stopped.hidden = true), { class: "wb-mini" }));
  });

  // Rows that came while somebody reads further up.
  let held = null;
  bus.watch("table", ["follow", "total"], (follow, total) => {
    const live = ["running", "waiting", "paused"].includes(bus.get("stream").phase);
    if (follow || !live) held = null;
    else if (held === null) held = total;
    const newer = held === null ? 0 : total - held;
    app.table.pill.hidden = newer <= 0;
    if (newer > 0) app.table.pill.querySelector(".wb-btn-text").textContent = `${grouped(newer)} newer rows`;
  });

  // A restart or the end of the kernel: its status says so, and in some places a class.
  let dead = false;
  const kernel = app.model.widget_manager && app.model.widget_manager.kernel;
  const heard = (_sender, status) => {
    if (["restarting", "autorestarting", "terminating", "dead"].includes(status)) dead = true;
    check();
  };
  if (kernel && kernel.statusChanged) kernel.statusChanged.connect(heard);

  function check() {
    const lost = dead || Boolean(app.el.closest(".jupyter-widgets-disconnected")) || app.el.classList.contains("jupyter-widgets-disconnected");
    if (lost === !gone.hidden) return;
    gone.hidden = !lost;
    root.classList.toggle("wb-gone-kernel", lost);
    for (const node of root.querySelectorAll(".wb-appbar .wb-btn, .wb-result .wb-btn, .wb-tbar input, .wb-rule input, .wb-rule textarea, .wb-rule select")) {
      if (lost) node.setAttribute("disabled", "");
      else node.removeAttribute("disabled");
      if (lost) node.title = "no kernel behind this lab";
    }
    if (lost) refill(gone, icon("plug"), h("b", {}, "No kernel behind this lab"), h("span", { class: "wb-clip wb-grow" }, "Run its cell to go on; what is shown can be read and copied."), btn("Copy condition", () => copyText(app.condition.box.value, () => app.status.say("copied the condition")), { icon: "copy", sm: true }));
  }
  const observer = new MutationObserver(check);
  observer.observe(app.el, { attributes: true, attributeFilter: ["class"] });
  app.model.on("comm_live_update", check);
  // The class may stand on an element around ours that did not exist yet.
  const timer = setInterval(check, 1000);
  app.release.push(() => {
    observer.disconnect();
    clearInterval(timer);
    app.model.off("comm_live_update", check);
    if (kernel && kernel.statusChanged) kernel.statusChanged.disconnect(heard);
  });
  check();
}
