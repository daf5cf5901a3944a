// The rule's form, what it comes to, and its file.
import { btn, disable, grouped, h, ib, isOff, labelled, lk, onInput, refill, seg, setValue } from "./dom.js";
import { printable } from "./text.js";
import { editorBox } from "./editor_box.js";
import { yamlLine } from "./highlight.js";
import { icon } from "./icons.js";
import { mark } from "./marks.js";

export function makeRule(app) {
  const { bus } = app;
  const set = (key) => (value) => bus.send("rule", "set", { key, value });
  const text = (key, props) => {
    const node_ = h("input", { class: "wb-in", type: "text", autocomplete: "off", spellcheck: "false", ...props });
    onInput(node_, set(key));
    return node_;
  };
  const name = text("name", { placeholder: "What happened, in a few words" });
  const desc = h("textarea", { class: "wb-in wb-area", rows: 2, placeholder: "Why it matters" });
  onInput(desc, set("desc"));
  const priority = h("select", { class: "wb-in" });
  priority.addEventListener("change", () => set("priority")(priority.value));
  const source = h("select", { class: "wb-in" });
  source.addEventListener("change", () => set("source")(source.value));
  const tags = text("tags", { placeholder: "network, web" });
  let outputTimer = 0;
  let outputPending = false;
  const output = editorBox(app, {
    label: "Output",
    placeholder: "what to say, with %fields in it",
    output: true,
    language: () => ({}),
    typed: (value) => {
      clearTimeout(outputTimer);
      outputPending = true;
      outputTimer = setTimeout(() => {
        outputPending = false;
        set("output")(value);
      }, 80);
    },
    complete: (value, cursor) => bus.latest("rule", "complete", { text: value, cursor }),
    key: (event) => app.keys.chord(event),
  });
  output.node.classList.add("wb-output-box");
  const exceptions = h("div", { class: "wb-exceptions" });
  const from = btn("From the selection", () => !isOff(from) && app.dock.exception(), { icon: "plus", sm: true });
  const effect = h("div", { class: "wb-effect", role: "group", "aria-label": "Effect" });
  const parts = h("div", { class: "wb-parts" });
  const alerts = h("div", { class: "wb-alerts" });
  const alertsText = h("span", { class: "wb-dim" });
  const fileText = h("span", { class: "wb-dim wb-clip" });
  const kinds = seg("File", [["change", "Change"], ["whole", "Whole"]], (value) => {
    kind = value;
    drawFile();
  }, { class: "wb-seg wb-seg-tiny" });
  const yaml = h("div", { class: "wb-yaml wb-mono", tabIndex: 0, role: "region", "aria-label": "Rule as YAML" });
  const verdict = h("div", { class: "wb-judged", role: "status" });
  const conflict = h("div", { class: "wb-conflict", role: "alert", hidden: true });
  const saved = h("div", { class: "wb-saved wb-dim", role: "status" });
  const row = (label, node_, help) => {
    const made = labelled(label, node_, help);
    made.classList.add("wb-fg");
    return made;
  };
  const outputRow = h("div", { class: "wb-fg" }, h("span", { class: "wb-fg-label" }, "Output"), output.node);
  const form = h("div", { class: "wb-rule-form", role: "form", "aria-label": "Rule" },
    row("Name", name),
    h("div", { class: "wb-two" }, row("Priority", priority), row("Tags", tags)),
    row("Source", source),
    row("Description", desc),
    outputRow,
    h("div", { class: "wb-fg" }, h("span", { class: "wb-fg-label" }, "Exceptions"), h("div", {}, exceptions, from)),
    effect);
  const content = h("div", { class: "wb-rule-content" },
    conflict,
    h("div", { class: "wb-pad" }, form),
    h("div", { class: "wb-section" }, h("div", { class: "wb-section-head" }, h("b", {}, "Alerts"), alertsText), alerts),
    h("div", { class: "wb-section" }, h("div", { class: "wb-section-head" }, h("b", {}, "File"), fileText, h("span", { class: "wb-grow" }), kinds.node), yaml, verdict, parts, saved));
  const nothing = h("div", { class: "wb-pad" }, h("p", { class: "wb-dim" }, "Scratch is no rule yet. Its condition can become one; it stays as it is."), h("div", { class: "wb-row-buttons" }, btn("Make a rule", () => app.dock.makeRule(), { icon: "shield", pri: true }), btn("New, empty", () => app.dock.newRule(), { icon: "plus" })));
  const node = h("div", { class: "wb-rule", role: "tabpanel", "aria-label": "Rule", tabIndex: 0 }, nothing, content);
  let kind = "change";
  let shownTab = "";
  let wantName = false;

  bus.watch("rule", ["rule", "priorities"], (rule, priorities) => {
    content.hidden = !rule;
    nothing.hidden = Boolean(rule);
    if (!rule) return;
    const moved = shownTab !== rule.tab;
    shownTab = rule.tab;
    for (const [input, key] of [[name, "name"], [desc, "desc"], [tags, "tags"]]) {
      if (moved) input.dataset.dirty = "0";
      setValue(input, rule[key]);
    }
    if (!outputPending || moved) output.set(rule.output);
    refill(priority, (priorities || []).map((each) => h("option", { value: each, selected: each === rule.priority }, each)));
    refill(source, (rule.sources || []).map((each) => h("option", { value: each, selected: each === rule.source }, printable(each))));
    if (wantName && moved) {
      wantName = false;
      name.focus({ preventScroll: true });
      name.select();
    }
  });

  bus.watch("rule", "effect", (found) => {
    if (!found) return;
    const per = (count) => (found.minutes > 0.05 && count !== null && count !== undefined ? `${(count / found.minutes).toFixed(1)}` : "–");
    const now = found.now === null || found.now === undefined ? "–" : grouped(found.now);
    const cells = found.saved === null || found.saved === undefined
      ? [h("span", { class: "wb-dim" }, "this draft"), h("span", {}), h("span", { class: "wb-dim" }, "alerts per minute"), h("b", { class: "wb-ok" }, now), h("span", {}), h("span", {}, per(found.now))]
      : [h("span", { class: "wb-dim" }, "saved"), h("span", {}), h("span", { class: "wb-ok" }, "this draft"), h("span", { class: "wb-dim" }, "alerts per minute"), h("b", {}, grouped(found.saved)), icon("right"), h("b", { class: "wb-ok" }, now), h("span", {}, `${per(found.saved)} → ${per(found.now)}`)];
    effect.classList.toggle("wb-effect-new", found.saved === null || found.saved === undefined);
    const changed = (found.plus || 0) + (found.minus || 0);
    const change = found.plus === undefined ? [] : [h("div", { class: "wb-effect-line" }, mark("gone"), `${grouped(found.minus)} no longer alert`, mark("fresh"), `${grouped(found.plus)} new`, h("span", { class: "wb-grow" }), changed ? lk(`Show the ${grouped(changed)}`, () => app.table.show(["changed"])) : "")];
    if (found.lost) change.push(h("div", { class: "wb-effect-line wb-err" }, icon("alert"), `${grouped(found.lost)} that must match no longer do`));
    refill(effect, cells, change);
  });

  bus.watch("rule", "exceptions", (list) => {
    refill(exceptions, (list || []).length ? list.map((item, index) => {
      const what = item.takes === null ? "" : item.everything ? "takes away everything" : `takes away ${grouped(item.takes)}`;
      return h("div", { class: "wb-exception" }, h("div", { class: "wb-grow" }, h("b", {}, printable(item.name)), " ", h("span", { class: "wb-dim" }, printable(item.text)), h("div", { class: item.everything || item.takes === 0 ? "wb-err" : "wb-dim" }, item.takes === 0 ? "takes away nothing" : what)), ib("cross", `Remove ${printable(item.name)}`, () => bus.send("rule", "remove_exception", { index }), { class: "wb-mini" }));
    }) : h("span", { class: "wb-dim" }, "none "));
  });
  bus.watch("table", "selected", (count) => {
    from.querySelector(".wb-btn-text").textContent = count ? `From ${grouped(count)} selected` : "From the selection";
    disable(from, count ? "" : "select the events that shall not alert");
  });

  bus.watch("rule", ["alerts", "alert_error"], (list, wrong) => {
    const now = (bus.get("rule").effect || {}).now;
    alertsText.textContent = wrong ? "" : now ? `${grouped(now)}, as Falco prints them` : "none";
    refill(alerts, wrong ? h("p", { class: "wb-err" }, printable(wrong)) : (list || []).map((item) => h("button", { type: "button", class: "wb-alert", title: printable(item.text), on: { click: () => app.table.reveal(item.num) } }, h("span", {}, printable(item.text)))));
  });

  function drawFile() {
    const now = bus.get("rule");
    kinds.set(kind);
    fileText.textContent = printable(now.file ? now.file.replace(/^.*\//, "") : "not in a file yet");
    fileText.title = printable(now.file || "");
    const lines = kind === "change" ? now.change || [] : (now.yaml || "").split("\n").map((line) => [" ", line]);
    refill(yaml, lines.map(([sign, line]) => h("div", { class: sign === "+" ? "wb-add" : sign === "-" ? "wb-del" : "" }, h("i", {}, sign === "-" ? "−" : sign), h("span", {}, yamlLine(line)))));
  }
  bus.watch("rule", ["change", "yaml", "file"], drawFile);

  bus.watch("rule", "diagnostics", (list) => {
    const found = list || [];
    const errors = found.filter((item) => item.severity === "error");
    refill(verdict, errors.length || found.length ? found.slice(0, 6).map((item) => h("div", { class: item.severity === "error" ? "wb-err" : "wb-hint" }, icon(item.severity === "error" ? "alert" : "lightbulb"), h("span", {}, printable(item.message), item.hint ? h("span", { class: "wb-dim" }, ` ${printable(item.hint)}`) : null))) : h("div", { class: "wb-ok" }, icon("check"), "Falco 0.44.1 loads it, no complaints"));
  });

  bus.watch("rule", ["parts", "rule"], (list, rule) => {
    const names = (rule && rule.fragments) || [];
    refill(parts, names.map((each) => h("div", { class: "wb-dim" }, `${each.kind} `, h("b", {}, printable(each.name)), " ", h("span", { class: "wb-mono" }, printable(each.text)))), (list || []).length ? h("details", { class: "wb-fold" }, h("summary", {}, `Take out as macro or list (${list.length})`), list.map((part, index) => {
      const input = h("input", { class: "wb-in", value: part.name, "aria-label": `Name of the ${part.kind}` });
      return h("div", { class: "wb-part" }, h("span", { class: "wb-mono wb-clip wb-grow", title: printable(part.text) }, printable(part.text)), input, btn(part.kind, () => bus.send("rule", "extract", { index, name: input.value }), { sm: true }));
    })) : null);
  });

  // ---- saving ----
  function save(options) {
    const rule = bus.get("rule").rule;
    if (!rule) {
      app.status.say("Scratch is no rule; make a rule of it first");
      return;
    }
    if (rule.origin || (options && options.path)) {
      bus.send("rule", "save", { path: "", ...(options || {}) });
      return;
    }
    askPath();
  }

  function askPath() {
    const path = h("input", { class: "wb-in wb-mono", value: bus.get("rule").path || "my_rules.yaml", spellcheck: "false", "data-first": "1" });
    const go = () => {
      layer.close();
      bus.send("rule", "save", { path: path.value });
    };
    path.addEventListener("keydown", (event) => event.key === "Enter" && go());
    const layer = app.layers.dialog("Save the rule", h("div", { class: "wb-form" }, labelled("Rules file to save", path, "A file that is there keeps its other rules; you are asked first."), h("div", { class: "wb-row-buttons" }, btn("Save", go, { icon: "save", pri: true }))), app.result.node, { width: 360, side: "right", kind: "save" });
    path.select();
  }

  bus.watch("rule", ["conflict", "refused", "outside"], (found, refused, outside) => {
    conflict.hidden = !found && !refused && !outside;
    if (conflict.hidden) return;
    app.dock.show("rule");
    const dismiss = ib("cross", "Dismiss", () => bus.send("rule", "dismiss"), { class: "wb-mini" });
    if (refused) {
      refill(conflict, h("div", { class: "wb-conflict-head" }, icon("alert"), h("b", {}, "Not saved: Falco would refuse it"), h("span", { class: "wb-grow" }), dismiss), h("ul", {}, refused.slice(0, 5).map((line) => h("li", {}, printable(line)))), h("div", { class: "wb-row-buttons" }, btn("Save as draft file …", () => askDraft(), { sm: true })));
    } else if (found) {
      const side = (title, text_) => h("div", { class: "wb-side" }, h("b", {}, title), h("pre", { class: "wb-mono", tabIndex: 0, "aria-label": title }, printable(text_ || "nothing").replace(/\\n/g, "\n")));
      refill(conflict, h("div", { class: "wb-conflict-head" }, icon("alert"), h("b", {}, printable(found.said)), h("span", { class: "wb-grow" }), dismiss),
        found.unread ? h("p", {}, found.disk ? "It holds a rule of this name already." : "Its other rules stay; this one is added at its end.") : h("div", { class: "wb-sides" }, side("Base", found.base), side("Disk", found.disk), side("Draft", found.draft)),
        h("div", { class: "wb-row-buttons" },
          found.merge ? btn("Merge", () => save({ path: found.path, choice: "merge" }), { sm: true, pri: true }) : null,
          btn(found.unread ? (found.disk ? "Replace it" : "Add to it") : "Keep mine", () => save({ path: found.path || found.file, choice: "mine" }), { sm: true }),
          found.unread ? btn("Another file …", askPath, { sm: true }) : btn("Take disk", () => bus.send("rule", "take_disk"), { sm: true })));
    } else {
      refill(conflict, h("div", { class: "wb-conflict-head" }, icon("alert"), h("b", {}, "The file was changed by another program"), h("span", { class: "wb-grow" }), lk("Take disk", () => bus.send("rule", "take_disk"))));
    }
  });

  function askDraft() {
    const path = h("input", { class: "wb-in wb-mono", value: "draft_rules.yaml", spellcheck: "false", "data-first": "1" });
    const layer = app.layers.dialog("Save as draft file", h("div", { class: "wb-form" }, labelled("Draft file", path, "Falco would refuse this file as it is."), h("div", { class: "wb-row-buttons" }, btn("Save all the same", () => { layer.close(); bus.send("rule", "save", { path: path.value, force: true }); }, {}))), conflict, { width: 340, side: "right" });
  }

  bus.watch("rule", "saved", (words) => {
    saved.textContent = printable(words || "");
    if (words) app.status.say(words);
  });
  // Another program may have written the file while the page was away.
  const back = () => bus.get("rule").rule && bus.send("rule", "check_disk");
  window.addEventListener("focus", back);
  app.release.push(() => {
    window.removeEventListener("focus", back);
    clearTimeout(outputTimer);
    output.destroy();
  });

  return {
    node,
    save,
    exceptionAnchor: from,
    focusName() {
      wantName = true;
    },
  };
}
