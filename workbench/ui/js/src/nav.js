// The title line and the pages. Switching happens in the browser alone, so that it
// works while the kernel is busy.
import { h, refill, watcher } from "./dom.js";

export function navView(model, el) {
  const list = h("div", { class: "wb-tabs", role: "tablist", "aria-label": "Parts of the workbench" });
  const title = h("span", { class: "wb-brand" });
  const notice = h("div", { class: "wb-notice", role: "alert", hidden: true });
  el.append(h("div", { class: "wb-bar wb-nav-bar" }, title, list), notice);
  const tabs = new Map();

  function mark(page) {
    const lab = el.closest(".wb-lab");
    if (lab) lab.dataset.page = page;
    for (const [id, node] of tabs) {
      node.setAttribute("aria-selected", String(id === page));
      node.tabIndex = id === page ? 0 : -1;
    }
    return Boolean(lab);
  }

  function select(page) {
    mark(page);
    if (model.get("page") !== page) {
      model.set("page", page);
      model.save_changes();
    }
  }

  const state = watcher(model);
  state.watch("pages", (pages) => {
    tabs.clear();
    refill(list);
    for (const { id, label, badge } of pages || []) {
      const node = h("button", { type: "button", role: "tab", class: "wb-tab", on: { click: () => select(id) } }, label, badge ? h("span", { class: "wb-badge" }, badge) : null);
      tabs.set(id, node);
      list.append(node);
    }
    mark(model.get("page"));
  });
  state.watch("title", (text) => {
    title.textContent = text || "";
  });
  state.watch("notice", (text) => {
    notice.hidden = !text;
    notice.textContent = text || "";
  });
  list.addEventListener("keydown", (event) => {
    const ids = [...tabs.keys()];
    const step = { ArrowRight: 1, ArrowLeft: -1 }[event.key];
    if (!step) return;
    const next = ids[(ids.indexOf(model.get("page")) + step + ids.length) % ids.length];
    select(next);
    tabs.get(next).focus();
    event.preventDefault();
  });
  const changed = () => mark(model.get("page"));
  model.on("change:page", changed);
  // The host is put into the page after this call.
  const observer = new ResizeObserver(() => {
    if (mark(model.get("page"))) observer.disconnect();
  });
  observer.observe(el);
  return () => {
    observer.disconnect();
    model.off("change:page", changed);
    state.stop();
  };
}
