// The status line: what is selected, what was done, how it is kept; the live region.
import { btn, grouped, h, lk } from "./dom.js";
import { printable } from "./text.js";

const CALM = 1000;
const LEAST = 3000;

export function makeStatus(app) {
  const { bus } = app;
  const selected = h("span", { class: "wb-status-part" });
  const row = h("span", { class: "wb-status-part" });
  const said = h("span", { class: "wb-status-part wb-said wb-clip" });
  const kept = h("span", { class: "wb-status-part wb-status-kept" });
  const live = h("span", { class: "wb-offscreen", role: "status", "aria-live": "polite" });
  const alarm = h("span", { class: "wb-offscreen", role: "alert" });
  const help = btn("? keys", () => app.keys.help(help), { class: "wb-plain", tabIndex: -1 });
  const node = h("div", { class: "wb-status" }, selected, row, said, h("span", { class: "wb-grow" }), kept, help, live, alarm);
  let timer = 0;
  let saidTimer = 0;
  let last = 0;

  // Screen readers hear a count after a second of quiet, at most every three.
  function announce(text) {
    clearTimeout(timer);
    timer = setTimeout(() => {
      last = performance.now();
      live.textContent = text;
    }, Math.max(CALM, LEAST - (performance.now() - last)));
  }

  function say(text) {
    said.textContent = printable(text);
    said.title = printable(text);
    clearTimeout(saidTimer);
    saidTimer = setTimeout(() => (said.textContent = ""), 8000);
    announce(printable(text));
  }

  bus.watch("table", ["selected", "total", "narrowed", "current"], (count, total, narrowed) => {
    const words = count ? [h("b", {}, grouped(count)), " selected"] : ["nothing selected"];
    selected.replaceChildren(...words);
    row.textContent = narrowed ? `${grouped(total)} rows shown` : "";
    if (!count && !narrowed) row.textContent = "Enter opens an event, Shift+F10 its menu";
  });
  bus.on("lab", "said", say);
  bus.watch("condition", ["tabs", "active"], (tabs) => {
    const dirty = (tabs || []).filter((tab) => tab.dirty).length;
    kept.textContent = dirty ? `${dirty} unsaved rule${dirty === 1 ? "" : "s"}` : "";
  });
  bus.watch("lab", "restored", (at) => {
    if (!at) return;
    said.replaceChildren(`Restored from ${printable(at)} · `, lk("Start fresh", () => {
      bus.send("lab", "fresh");
      said.textContent = "";
    }));
  });
  app.release.push(() => {
    clearTimeout(timer);
    clearTimeout(saidTimer);
  });
  return {
    node,
    say,
    announce,
    alarm(text) {
      alarm.textContent = text;
    },
  };
}
