"""The document, the model and the rules together: every action a person takes.

An action makes a new :class:`Document`; :meth:`Desk.apply` gives the model what is
different. Nothing here knows a widget.
"""

from __future__ import annotations

import re
from dataclasses import replace
from typing import TYPE_CHECKING, Any

from workbench.condition.analysis.fragments import add_check
from workbench.errors import RulesError, WorkbenchError
from workbench.ui.state.document import SCRATCH, Chip, Document, Edits, Tab
from workbench.ui.state.rule_draft import RuleDraft
from workbench.ui.state.rule_library import RuleLibrary

if TYPE_CHECKING:
    from workbench.rules import Rule, RuleSet
    from workbench.ui.state.model import LabModel

__all__ = ["Desk"]

_WORD = re.compile(r"[A-Za-z_][A-Za-z0-9_.]*(?:\[[^\]]*\])?")
_MAX_OUTPUT_FIELDS = 5
_MAX_CLOSED = 50


class Desk:
    """What a person works on: the document with its undo, over model and rules."""

    def __init__(self, model: LabModel) -> None:
        self.model = model
        self.library = RuleLibrary()
        self.edits = Edits()
        self.note = ""
        self._number = 0
        self._known = -1

    @property
    def doc(self) -> Document:
        """The document as it is now."""
        return self.edits.document

    @property
    def tab(self) -> Tab:
        """The tab being edited."""
        return self.doc.tab

    # -- changing ----

    def edit(self, label: str, after: Document, *, key: str = "") -> None:
        """Take a new document as one step that undo can take back."""
        before = self.doc
        if self.edits.change(label, after, key=key):
            self.apply(before)

    def settle(self, after: Document) -> None:
        """Take a new document without a step."""
        before = self.doc
        self.edits.settle(after)
        self.apply(before)

    def undo(self) -> str:
        """Go back one step; returns what it was."""
        before = self.doc
        label = self.edits.undo()
        if label:
            self.apply(before)
            self.note = f"Undone: {label}"
        return label

    def redo(self) -> str:
        """Do again what was taken back; returns what it was."""
        before = self.doc
        label = self.edits.redo()
        if label:
            self.apply(before)
            self.note = f"Done again: {label}"
        return label

    def apply(self, before: Document) -> None:
        """Give the model what differs from ``before``."""
        doc, model = self.doc, self.model
        self.sync_condition()
        if doc.chips != before.chips:
            model.set_filters([chip.condition for chip in doc.chips])
        if doc.find != before.find:
            model.set_view(find=doc.find)
        if doc.show != before.show:
            model.set_view(show=doc.show)
            if "near" not in doc.show:
                model.set_near(None)
        if doc.sort != before.sort:
            model.set_view(sort=doc.sort)
        if doc.axis != before.axis:
            model.set_axis(doc.axis)
        if doc.brush != before.brush or doc.axis != before.axis:
            model.set_brush(doc.brush)
        if doc.labels is not before.labels:
            model.set_labels(doc.labels)
        model.touch("document", "rule")

    def sync_condition(self) -> None:
        """Let the model evaluate the tab being edited, and what it was as saved."""
        tab, model = self.tab, self.model
        if self._known != self.library.version:
            self._known = self.library.version
            model.know(self.library.rules)
        rule: dict[str, Any] = {}
        if tab.muted:
            rule["muted"] = tab.muted
        if tab.draft is not None:
            rule["source"] = tab.draft.source
            if tab.draft.exceptions:
                rule["exceptions"] = tuple(tab.draft.exceptions)
        model.set_condition(tab.text, **rule)
        saved = self.saved_rule(tab)
        if saved is None:
            model.set_saved(None)
            return
        kept: dict[str, Any] = {"source": saved.source}
        if saved.exceptions:
            kept["exceptions"] = saved.exceptions
        model.set_saved(saved.condition, **kept)

    # -- conditions ----

    def set_text(
        self, tab_id: str, text: str, *, label: str = "", key: str = ""
    ) -> None:
        """Change the condition of a tab; typing gives ``key``, so that a run is one."""
        tab = self.doc.tab_of(tab_id)
        if tab is None or tab.text == text:
            return
        muted = tuple(m for m in tab.muted if m in text)
        after = self.doc.with_tab(tab_id, text=text, muted=muted)
        self.edit(label or "typing", replace(after, active=tab_id), key=key)

    def set_condition(self, text: str, label: str = "set the condition") -> None:
        """Change the condition of the tab being edited."""
        self.set_text(self.tab.id, text, label=label)

    def add_check(self, check: str, *, label: str = "") -> None:
        """Add a check to the condition with ``and``."""
        text = add_check(self.tab.text, check)
        self.set_condition(text, label or f"add {_short(check)}")

    def mute(self, check: str) -> None:
        """Count without a check, or with it again."""
        tab = self.tab
        on = check in tab.muted
        muted = tuple(m for m in tab.muted if m != check) if on else (*tab.muted, check)
        words = "count with" if on else "mute"
        self.edit(f"{words} {_short(check)}", self.doc.with_tab(tab.id, muted=muted))

    # -- filters and labels ----

    def add_chip(self, chip: Chip) -> None:
        """Narrow the view by one more filter."""
        if chip in self.doc.chips:
            return
        # A value asked for takes the place of the same value hidden.
        kept = tuple(c for c in self.doc.chips if c.check != chip.check)
        words = "hide" if chip.negate else "keep only"
        label = f"{words} {chip.field} {chip.value}"
        self.edit(label, replace(self.doc, chips=(*kept, chip)))

    def label(self, numbers: list[int], verdict: bool | None) -> None:  # noqa: FBT001 - three states
        """Label events: must match, must not match, or no label."""
        labels = {n: v for n, v in self.doc.labels.items() if n not in set(numbers)}
        if verdict is not None:
            labels.update(dict.fromkeys(numbers, verdict))
        words = {True: "must match", False: "must not match", None: "no label"}[verdict]
        count = len(numbers)
        noun = "event" if count == 1 else "events"
        label = f"{words} on {count:,} {noun}"
        self.edit(label, replace(self.doc, labels=labels))

    # -- rules and tabs ----

    def saved_rule(self, tab: Tab) -> Rule | None:
        """Return the rule as the rule set holds it, None for a new one."""
        return self.library.rule(tab.origin) if tab.origin else None

    def rule_of(self, tab: Tab) -> Rule | None:
        """Return the tab's rule as it is now; None for Scratch, and without a text."""
        if tab.draft is None:
            return None
        try:
            return tab.draft.rule(tab.text)
        except RulesError:
            return None

    def dirty(self, tab: Tab) -> bool:
        """Whether a tab's rule differs from what is saved."""
        if tab.draft is None:
            return False
        saved, now = self.saved_rule(tab), self.rule_of(tab)
        if saved is None or now is None:
            return True
        plain = replace(
            saved,
            desc=saved.desc.strip(),
            condition=saved.condition.strip(),
            output=saved.output.strip(),
        )
        return now != plain

    def make_rule(self, text: str | None = None) -> Tab:
        """Open a new rule: with Scratch's condition, or with ``text``."""
        scratch = self.doc.tab_of(SCRATCH)
        condition = (scratch.text if scratch else "") if text is None else text
        names = {tab.name for tab in self.doc.tabs} | set(
            self.library.rules.rules.keys()
        )
        number = 1
        while f"New rule {number}" in names:
            number += 1
        name = f"New rule {number}"
        draft = RuleDraft(
            name=name,
            source=self.model.source,
            output=self._proposed_output(name, condition),
        )
        return self._open(Tab(self._new_id(), condition, draft), f"make {name}")

    def _proposed_output(self, name: str, condition: str) -> str:
        fields = [w for w in _WORD.findall(condition) if w in self.model.fields]
        chosen = list(dict.fromkeys(fields))
        plain = [n for n, f in self.model.fields.items() if f.arg is None]
        chosen += [n for n in plain if n not in chosen][: max(0, 3 - len(chosen))]
        shown = [f"{n.split('.')[-1]}=%{n}" for n in chosen[:_MAX_OUTPUT_FIELDS]]
        return f"{name} ({' '.join(shown)})" if shown else name

    def open_rule(self, rule: Rule) -> Tab:
        """Open a rule as a tab, or go to the tab that has it."""
        for tab in self.doc.tabs:
            if tab.origin == rule.name:
                self.go(tab.id)
                return tab
        held = self.library.rule(rule.name)
        origin = rule.name if held is not None else ""
        draft = RuleDraft.of(rule)
        if self.model.source and draft.source in {"", "syscall"} and not origin:
            draft.source = self.model.source
        made = Tab(self._new_id(), rule.condition, draft, origin)
        return self._open(made, f"open {rule.name}")

    def duplicate(self, tab: Tab) -> None:
        """Open a copy of a rule under another name."""
        if tab.draft is not None:
            draft = tab.draft.changed(name=f"{tab.draft.name} copy", base=None)
            copy = replace(tab, id=self._new_id(), draft=draft, origin="")
            self._open(copy, f"duplicate {tab.name}")

    def _open(self, tab: Tab, label: str) -> Tab:
        self.edit(label, replace(self.doc, tabs=(*self.doc.tabs, tab), active=tab.id))
        return tab

    def _new_id(self) -> str:
        taken = {tab.id for tab in (*self.doc.tabs, *self.doc.closed)}
        while f"t{self._number}" in taken:
            self._number += 1
        self._number += 1
        return f"t{self._number}"

    def go(self, tab_id: str) -> None:
        """Edit another tab; no step of undo."""
        if self.doc.tab_of(tab_id) is not None:
            self.edits.end_run()
            self.settle(replace(self.doc, active=tab_id))

    def close_tab(self, tab_id: str) -> None:
        """Close a rule's tab; an unsaved draft stays among the closed ones."""
        tab = self.doc.tab_of(tab_id)
        if tab is None or tab.draft is None:
            return
        tabs = tuple(t for t in self.doc.tabs if t.id != tab_id)
        closed = self.doc.closed
        if self.dirty(tab):
            closed = (*closed, tab)[-_MAX_CLOSED:]
        active = self.doc.active if self.doc.active != tab_id else tabs[-1].id
        after = replace(self.doc, tabs=tabs, closed=closed, active=active)
        self.edit(f"close {tab.name}", after)

    def reopen(self, tab_id: str) -> None:
        """Open a closed draft again."""
        found = next((t for t in self.doc.closed if t.id == tab_id), None)
        if found is not None:
            closed = tuple(t for t in self.doc.closed if t.id != tab_id)
            after = replace(
                self.doc,
                tabs=(*self.doc.tabs, found),
                closed=closed,
                active=found.id,
            )
            self.edit(f"open {found.name}", after)

    def edit_draft(self, label: str, *, key: str = "", **changes: Any) -> None:
        """Change the form of the tab's rule."""
        tab = self.tab
        if tab.draft is None:
            raise WorkbenchError("open or make a rule first")
        draft = tab.draft.changed(**changes)
        if draft != tab.draft:
            self.edit(label, self.doc.with_tab(tab.id, draft=draft), key=key)

    def revert(self, tab: Tab) -> None:
        """Go back to the rule as saved."""
        saved = self.saved_rule(tab)
        if saved is not None:
            after = self.doc.with_tab(
                tab.id, text=saved.condition, draft=RuleDraft.of(saved), muted=()
            )
            self.edit(f"revert {tab.name}", after)

    def take_rules(self, rules: RuleSet) -> None:
        """Know another rule set: its macros in every condition."""
        self.library.take(rules)
        self.sync_condition()
        self.model.touch("rules", "document")


def _short(text: str, limit: int = 40) -> str:
    line = " ".join(text.split())
    return line if len(line) <= limit else line[: limit - 1] + "…"
