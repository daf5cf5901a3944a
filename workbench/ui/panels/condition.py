"""Condition editor and verdict: complaints, match count, funnel, near misses."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from workbench.ui.state import condition_queries as queries
from workbench.ui.widgets.widgets import Editor, StateWidget

if TYPE_CHECKING:
    from workbench.ui.state.model import LabModel

__all__ = ["ConditionPanel"]

_EXAMPLE = 'type a condition, such as  {field} contains "…"   (Ctrl+Space completes)'


class ConditionPanel:
    """Keeps the editor, the verdict panel and the model's condition in step."""

    def __init__(self, model: LabModel) -> None:
        self.model = model
        self.editor = Editor(
            words=queries.language_words(),
            label="Condition",
            placeholder=_EXAMPLE.format(field="a.field"),
        )
        self.verdict = StateWidget(view="funnel", state={"total": 0, "empty": True})
        self.near = StateWidget(view="near")
        for part in (self.editor, self.verdict, self.near):
            part.lock = model.lock
        self.editor.observe(self._on_text, ["text"])
        self.editor.handle("complete", self.complete)
        self.editor.handle("format", self.format)
        self.verdict.handle("format", self.format)
        self.verdict.handle("focus_check", self._focus)

    def _on_text(self, change: Any) -> None:
        with self.model.lock:
            self.model.set_condition(str(change["new"]))

    def complete(self, text: str, cursor: int, id: int = 0) -> None:  # noqa: A002 - the message's key
        """Send the candidates at ``cursor`` (UTF-16 units) of ``text``."""
        values = self.model.store.frequent_values()
        reply = queries.completions(text, cursor, self.model.fields, values)
        self.editor.send({"do": "completions", "id": id, **reply})

    def format(self) -> None:
        """Put the condition into its canonical form."""
        text = queries.formatted(self.model.condition, self.model.fields)
        if text is not None:
            self.set_text(text)

    def _focus(self, **span: Any) -> None:
        start, end = span.get("from"), span.get("to")
        if isinstance(start, int) and isinstance(end, int):
            self.editor.send({"do": "focus", "from": start, "to": end})

    def set_text(self, text: str) -> None:
        """Replace the condition, in Python and on screen."""
        self.model.set_condition(text)
        self.editor.set_text(text)

    def refresh(self, changes: set[str]) -> None:
        """Show what changed."""
        model, matcher = self.model, self.model.matcher
        if "source" in changes:
            names = [n for n, f in model.fields.items() if f.type == "string"]
            if names:
                self.editor.placeholder = _EXAMPLE.format(field=names[0])
        # Only what was not typed goes back: a key typed just now must not be undone.
        if "rewritten" in changes:
            self.editor.set_text(model.condition)
        if changes & {"condition", "source", "marks"}:
            found = list(matcher.diagnostics)
            if matcher.failure:
                found.append(queries.failure_diagnostic(matcher.failure, matcher.text))
            checked = {"text": matcher.text, "diagnostics": found}
            if checked != self.editor.checked:
                self.editor.checked = checked
        if changes & {"condition", "rows", "marks", "funnel", "view", "source"}:
            counts = model.counts()
            self.verdict.put(
                total=counts["all"],
                matches=counts["match"],
                valid=matcher.mask is not None,
                empty=matcher.empty,
                steps=matcher.steps,
            )
            self.near.put(near=matcher.near_list)
