// The code editor: CodeMirror 6, with completion and complaints from Python. It is a
// module of its own, fetched after the first paint.
import { acceptCompletion, autocompletion, closeBrackets, closeBracketsKeymap, completionKeymap, completionStatus } from "@codemirror/autocomplete";
import { defaultKeymap } from "@codemirror/commands";
import { bracketMatching, HighlightStyle, syntaxHighlighting } from "@codemirror/language";
import { setDiagnostics } from "@codemirror/lint";
import { Compartment, EditorState, StateEffect, StateField } from "@codemirror/state";
import { Decoration, drawSelection, EditorView, highlightSpecialChars, keymap, placeholder, tooltips } from "@codemirror/view";
import { tags } from "@lezer/highlight";
import { conditionLanguage, outputLanguage } from "./language.js";

const colours = HighlightStyle.define([
  { tag: tags.keyword, class: "wb-t-kw" },
  { tag: tags.operator, class: "wb-t-op" },
  { tag: tags.function(tags.variableName), class: "wb-t-fn" },
  { tag: tags.macroName, class: "wb-t-mac" },
  { tag: tags.propertyName, class: "wb-t-field" },
  { tag: tags.literal, class: "wb-t-str" },
  { tag: tags.string, class: "wb-t-str" },
  { tag: tags.number, class: "wb-t-num" },
  { tag: tags.attributeName, class: "wb-t-num" },
]);

const strike = StateEffect.define();
const struckField = StateField.define({
  create: () => Decoration.none,
  update(marks, transaction) {
    let next = marks.map(transaction.changes);
    for (const effect of transaction.effects) if (effect.is(strike)) next = effect.value;
    return next;
  },
  provide: (field) => EditorView.decorations.from(field),
});

export function makeEditor(options) {
  const language = new Compartment();
  const word = options.output ? /%[\w.[\]]*/ : /[^\s()=<>!,"']+/;

  function source(context) {
    const before = context.matchBefore(word);
    if (!before && !context.explicit) return null;
    if (before && !context.explicit && !options.output && before.text.length < 2 && !/[.\d]/.test(before.text)) return null;
    const text = context.state.doc.toString();
    return options.complete(text, context.pos).then((reply) => {
      if (!reply || !reply.options.length || context.aborted) return null;
      options.before();
      return {
        from: reply.from,
        to: context.pos,
        filter: false,
        options: reply.options.map((option) => ({ label: option.text, type: option.kind, detail: option.detail || undefined, info: option.info || undefined, apply: option.text })),
      };
    });
  }

  const view = new EditorView({
    parent: options.parent,
    state: EditorState.create({
      doc: options.doc,
      extensions: [
        drawSelection(),
        highlightSpecialChars(),
        bracketMatching(),
        closeBrackets(),
        EditorView.lineWrapping,
        EditorView.contentAttributes.of({ "aria-label": options.label, spellcheck: "false", autocapitalize: "off" }),
        placeholder(options.placeholder),
        tooltips({ parent: options.tooltips, position: "fixed" }),
        autocompletion({ override: [source], activateOnTypingDelay: 60, interactionDelay: 30, icons: false }),
        keymap.of([
          { any: (_view, event) => (options.key ? options.key(event) : false) },
          { key: "Tab", run: acceptCompletion },
          ...closeBracketsKeymap,
          ...completionKeymap,
          ...defaultKeymap.filter((binding) => binding.key !== "Escape" && binding.key !== "Mod-Enter"),
        ]),
        language.of([]),
        struckField,
        syntaxHighlighting(colours),
        EditorView.updateListener.of((update) => {
          if (update.docChanged) options.typed(update.state.doc.toString());
        }),
      ],
    }),
  });
  const clip = (at) => Math.max(0, Math.min(view.state.doc.length, at));

  return {
    value: () => view.state.doc.toString(),
    set(text) {
      const head = Math.min(view.state.selection.main.head, text.length);
      view.dispatch({ changes: { from: 0, to: view.state.doc.length, insert: text }, selection: { anchor: view.hasFocus ? (text.length < view.state.doc.length ? head : text.length) : 0 } });
    },
    focus: () => view.focus(),
    select: (from, to) => view.dispatch({ selection: { anchor: clip(from), head: clip(to) }, scrollIntoView: true }),
    insert(text) {
      view.dispatch(view.state.replaceSelection(text));
    },
    diagnostics(found) {
      const shown = found.map((item) => ({ from: clip(item.from), to: Math.max(clip(item.from), clip(item.to)), severity: item.severity, message: item.hint ? `${item.message}\n${item.hint}` : item.message }));
      view.dispatch(setDiagnostics(view.state, shown));
    },
    struck(ranges) {
      const marks = ranges.map(([from, to]) => Decoration.mark({ class: "wb-muted-text" }).range(clip(from), Math.max(clip(from) + 1, clip(to))));
      view.dispatch({ effects: strike.of(Decoration.set(marks, true)) });
    },
    language: (words) => view.dispatch({ effects: language.reconfigure(options.output ? outputLanguage() : conditionLanguage(words || {})) }),
    completing: () => completionStatus(view.state) === "active",
    destroy: () => view.destroy(),
  };
}
