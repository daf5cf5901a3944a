// The editor for conditions and outputs: CodeMirror 6, with completion and complaints
// from Python. Every complaint belongs to one text; late ones are dropped.
import { autocompletion, acceptCompletion, closeBrackets, closeBracketsKeymap, completionKeymap } from "@codemirror/autocomplete";
import { defaultKeymap, history, historyKeymap } from "@codemirror/commands";
import { bracketMatching, HighlightStyle, syntaxHighlighting } from "@codemirror/language";
import { forceLinting, lintKeymap, setDiagnostics } from "@codemirror/lint";
import { Compartment, EditorState } from "@codemirror/state";
import { EditorView, drawSelection, highlightSpecialChars, keymap, placeholder, tooltips } from "@codemirror/view";
import { tags } from "@lezer/highlight";
import { host } from "./dom.js";
import { conditionLanguage, outputLanguage } from "./language.js";
import { checkedLine, textChannel } from "./text.js";

const colours = HighlightStyle.define([
  { tag: tags.keyword, class: "wb-tok-keyword" },
  { tag: tags.operator, class: "wb-tok-operator" },
  { tag: tags.function(tags.variableName), class: "wb-tok-transformer" },
  { tag: tags.macroName, class: "wb-tok-macro" },
  { tag: tags.propertyName, class: "wb-tok-field" },
  { tag: tags.literal, class: "wb-tok-value" },
  { tag: tags.string, class: "wb-tok-string" },
  { tag: tags.number, class: "wb-tok-number" },
  { tag: tags.attributeName, class: "wb-tok-argument" },
]);

function render({ model, el }) {
  const release = host(el, "editor");
  el.classList.toggle("wb-low", model.get("language") === "output");
  const channel = textChannel(model);
  const language = new Compartment();
  const currentLanguage = () => (model.get("language") === "output" ? outputLanguage() : conditionLanguage(model.get("words") || {}));

  function source(context) {
    const before = context.matchBefore(model.get("language") === "output" ? /%[\w.[\]]*/ : /[^\s()=<>!,"']+/);
    if (!before && !context.explicit) return null;
    const text = context.state.doc.toString();
    return channel.complete(text, context.pos).then((reply) => {
      if (!reply || !reply.options.length || context.aborted) return null;
      return {
        from: reply.from,
        to: context.pos,
        filter: false,
        options: reply.options.map((option) => ({
          label: option.text,
          displayLabel: option.label || option.text,
          type: option.kind,
          detail: option.detail || undefined,
          info: option.info || undefined,
          apply: option.text,
        })),
      };
    });
  }

  const view = new EditorView({
    parent: el,
    state: EditorState.create({
      doc: model.get("text"),
      extensions: [
        history(),
        drawSelection(),
        highlightSpecialChars(),
        bracketMatching(),
        closeBrackets(),
        EditorView.lineWrapping,
        EditorView.contentAttributes.of({ "aria-label": model.get("label"), spellcheck: "false", autocapitalize: "off" }),
        placeholder(model.get("placeholder")),
        tooltips({ parent: document.body, position: "fixed" }),
        autocompletion({ override: [source], activateOnTypingDelay: 60, interactionDelay: 30, icons: false }),
        keymap.of([
          { key: "Tab", run: acceptCompletion },
          { key: "Shift-Alt-f", run: () => (model.send({ do: "format" }), true) },
          ...closeBracketsKeymap,
          ...completionKeymap,
          ...historyKeymap,
          ...lintKeymap,
          ...defaultKeymap.filter((binding) => binding.key !== "Escape"),
        ]),
        language.of(currentLanguage()),
        syntaxHighlighting(colours),
        EditorView.updateListener.of((update) => {
          if (update.docChanged) channel.typed(update.state.doc.toString());
        }),
      ],
    }),
  });

  const line = checkedLine();
  el.append(line.node);

  function showChecked() {
    const checked = model.get("checked") || {};
    const text = view.state.doc.toString();
    if (checked.text !== text) return;
    const clip = (at) => Math.max(0, Math.min(text.length, at));
    const found = (checked.diagnostics || []).map((item) => ({
      from: clip(item.from),
      to: Math.max(clip(item.from), clip(item.to)),
      severity: item.severity === "hint" ? "hint" : item.severity,
      message: item.hint ? `${item.message}\n${item.hint}` : item.message,
    }));
    view.dispatch(setDiagnostics(view.state, found));
    line.show(checked.diagnostics || []);
  }

  channel.onText((text) => {
    if (text === view.state.doc.toString()) return;
    view.dispatch({ changes: { from: 0, to: view.state.doc.length, insert: text } });
  });
  const relanguage = () => view.dispatch({ effects: language.reconfigure(currentLanguage()) });
  const focus = (message) => {
    if (!message || message.do !== "focus") return;
    view.focus();
    if (message.from !== undefined) view.dispatch({ selection: { anchor: message.from, head: message.to }, scrollIntoView: true });
  };
  model.on("change:checked", showChecked);
  model.on("change:words", relanguage);
  model.on("msg:custom", focus);
  showChecked();
  forceLinting(view);
  return () => {
    model.off("change:checked", showChecked);
    model.off("change:words", relanguage);
    model.off("msg:custom", focus);
    channel.stop();
    view.destroy();
    release();
  };
}

export default { render };
