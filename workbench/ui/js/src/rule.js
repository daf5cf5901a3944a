// The rule form: everything but condition and output, which have their editors.
import { h, button, grouped, labelled, onInput, printable, refill, setValue, uid, watcher } from "./dom.js";

export function ruleView(model, el) {
  const send = (key) => (value) => model.send({ do: "set", key, value });
  const text = (key, props) => {
    const node = h("input", { class: "wb-input", type: "text", autocomplete: "off", spellcheck: "false", ...props });
    onInput(node, send(key));
    return node;
  };
  const name = text("name", { placeholder: "What happened, in a few words" });
  const desc = h("textarea", { class: "wb-input wb-area", rows: 2, placeholder: "Why it matters" });
  onInput(desc, send("desc"));
  const priority = h("select", { class: "wb-input" });
  priority.addEventListener("change", () => send("priority")(priority.value));
  const source = h("select", { class: "wb-input" });
  source.addEventListener("change", () => send("source")(source.value));
  const tags = text("tags", { placeholder: "network, web" });
  el.append(h("div", { class: "wb-form" }, labelled("Name", name), labelled("Description", desc), h("div", { class: "wb-three" }, labelled("Priority", priority), labelled("Source", source), labelled("Tags", tags))));

  const state = watcher(model);
  state.watch("name", (value) => setValue(name, value));
  state.watch("desc", (value) => setValue(desc, value));
  state.watch("tags", (value) => setValue(tags, value));
  state.watch(["priorities", "priority"], (list, value) => {
    refill(priority, ...(list || []).map((each) => h("option", { value: each, selected: each === value }, each)));
  });
  state.watch(["sources", "source"], (list, value) => {
    refill(source, ...(list || []).map((each) => h("option", { value: each, selected: each === value }, printable(each))));
  });
  return () => state.stop();
}

// Below the output: exceptions made from rows, and parts of the condition with a name.
export function partsView(model, el) {
  const exceptions = h("div", {});
  const extract = h("div", {});
  el.append(exceptions, extract);
  const state = watcher(model);
  state.watch(["exceptions", "proposal", "selected"], drawExceptions);
  state.watch("parts", drawParts);

  function drawExceptions(list, proposal, selected) {
    const rows = (list || []).map((each, index) =>
      h(
        "li",
        { class: "wb-exception" },
        h("div", {}, h("b", {}, printable(each.name)), " ", h("span", { class: "wb-muted" }, printable(each.text))),
        button("Remove", () => model.send({ do: "remove_exception", index }), { icon: "cross", bare: true, quiet: true, "aria-label": `Remove exception ${printable(each.name)}` }),
      ),
    );
    const never = button(selected ? `Never alert on ${selected === 1 ? "this event" : `these ${grouped(selected)} events`}` : "Never alert on the selected rows", () => model.send({ do: "propose" }), { quiet: true, disabled: !selected });
    refill(exceptions, h("fieldset", { class: "wb-group" }, h("legend", {}, "Exceptions"), rows.length ? h("ul", { class: "wb-plain" }, rows) : h("p", { class: "wb-muted wb-hint" }, "Select rows that must not alert, then:"), never, proposal ? drawProposal(proposal) : null),
    );
  }

  function drawProposal(proposal) {
    const nameInput = h("input", { class: "wb-input", value: proposal.name });
    const boxes = proposal.fields.map((each) => {
      const box = h("input", { type: "checkbox", checked: each.chosen });
      return { box, each, node: h("label", { class: "wb-check" }, box, h("span", { class: "wb-code" }, printable(each.field)), h("span", { class: "wb-muted" }, printable(each.note))) };
    });
    return h(
      "div",
      { class: "wb-proposal" },
      h("div", { class: "wb-help" }, "Compare these fields:"),
      labelled("Exception name", nameInput),
      boxes.map((each) => each.node),
      h(
        "div",
        { class: "wb-bar" },
        button("Add exception", () => model.send({ do: "accept", name: nameInput.value, fields: boxes.filter(({ box }) => box.checked).map(({ each }) => each.field) }), { class: "wb-primary" }),
        button("Cancel", () => model.send({ do: "cancel_proposal" }), { quiet: true }),
      ),
    );
  }

  function drawParts(parts) {
    if (!parts || !parts.length) {
      refill(extract);
      return;
    }
    const part = h("select", { class: "wb-input wb-code", id: uid("part") }, parts.map((each, index) => h("option", { value: String(index) }, printable(`${each.kind}: ${each.text}`))));
    const partName = h("input", { class: "wb-input", placeholder: "name" });
    const suggest = () => {
      partName.value = parts[Number(part.value)].name;
    };
    part.addEventListener("change", suggest);
    suggest();
    refill(extract, h(
        "fieldset",
        { class: "wb-group" },
        h("legend", {}, "Macros and lists"),
        h("div", { class: "wb-three wb-two" }, labelled("Part of the condition", part), labelled("Name", partName)),
        button("Extract", () => model.send({ do: "extract", index: Number(part.value), name: partName.value }), { quiet: true }),
      ),
    );
  }

  return () => state.stop();
}
