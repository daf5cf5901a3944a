"""The rule in the dock: its form, its effect, its alerts, its file."""

from __future__ import annotations

import difflib
from typing import TYPE_CHECKING, Any

import numpy as np

from workbench.errors import WorkbenchError
from workbench.ui.data.error_card import error_text
from workbench.ui.state import condition_queries as queries
from workbench.ui.state import rule_queries
from workbench.ui.state.exceptions import ExceptionPlan
from workbench.ui.state.rule_draft import (
    RuleDraft,
    fragment_state,
    nameable_fragments,
)
from workbench.ui.state.rule_library import FileChanged, RuleRefused

if TYPE_CHECKING:
    from pathlib import Path

    from workbench.ui.state.desk import Desk
    from workbench.ui.widgets.part import Part

__all__ = ["RulePanel"]

_TEXTS = frozenset({"name", "desc", "output", "priority", "source", "tags"})
_MAX_ALERTS = 50


class RulePanel:
    """Keeps the dock's form in step with the tab's draft; saves it."""

    def __init__(self, part: Part, desk: Desk) -> None:
        self.part, self.desk, self.model = part, desk, desk.model
        self.target: Any = None
        self.plan: ExceptionPlan | None = None
        self.path = "my_rules.yaml"
        self._conflict: FileChanged | None = None
        part.put(rule=None, priorities=rule_queries.priority_keys(), path=self.path)
        part.handle(
            set=self._on_set,
            complete=self.complete,
            plan=self.plan_exception,
            effect=self._on_effect,
            gone=self._on_gone,
            add_exception=self.add_exception,
            remove_exception=self._on_remove,
            extract=self._on_extract,
            save=self._on_save,
            take_disk=self._on_take_disk,
            check_disk=self.check_disk,
            dismiss=self._on_dismiss,
            open=self.open_rule,
        )

    # -- the form ----

    @property
    def rules_target(self) -> Any:
        """What the rule is checked against: the events, else the target."""
        return self.model.events if self.model.events is not None else self.target

    def _on_set(self, key: str, value: Any) -> None:
        if key in _TEXTS:
            tab = self.desk.tab
            label = f"{key} of {tab.name}"
            self.desk.edit_draft(label, key=f"{key} {tab.id}", **{key: str(value)})

    def complete(self, text: str, cursor: int) -> dict[str, Any]:
        """Return the fields that continue the ``%name`` before the cursor."""
        return queries.output_completions(text, cursor, self.model.fields)

    def open_rule(self, name: str) -> None:
        """Open a rule of the rule set as a tab."""
        rule = self.desk.library.rule(name)
        if rule is None:
            raise WorkbenchError(f"no rule {name!r} in the rule set")
        self.desk.open_rule(rule)

    # -- exceptions ----

    def plan_exception(self) -> dict[str, Any]:
        """Propose an exception for the selected rows, with what it takes away."""
        tab = self.desk.tab
        if tab.draft is None:
            raise WorkbenchError(
                "an exception belongs to a rule: make or open one first"
            )
        positions = self.model.selected_positions(200)
        if not len(positions):
            raise WorkbenchError("select the events that shall not alert")
        if not self.model.matcher.count:
            raise WorkbenchError("the rule matches nothing: there is nothing to except")
        self.plan = ExceptionPlan(self.model, positions.tolist())
        return {"rule": tab.name, **self.plan.to_state()}

    def _on_effect(self, fields: list[str]) -> dict[str, Any]:
        return {} if self.plan is None else self.plan.effect([str(f) for f in fields])

    def _on_gone(self, fields: list[str]) -> None:
        """Select the alerts that an exception would take away."""
        if self.plan is not None:
            found = self.plan.gone([str(f) for f in fields])
            self.model.select([(p, p) for p in found[:10_000]])

    def add_exception(self, name: str, fields: list[str]) -> None:
        """Add the exception to the rule."""
        tab = self.desk.tab
        if self.plan is None or tab.draft is None:
            return
        made = self.plan.exception(name.strip(), [str(f) for f in fields])
        taken = {e.name for e in tab.draft.exceptions}
        if made.name in taken:
            raise WorkbenchError(f"the rule has an exception {made.name!r} already")
        kept = [*tab.draft.exceptions, made]
        self.desk.edit_draft(f"exception {made.name}", exceptions=kept)
        self.plan = None

    def _on_remove(self, index: int) -> None:
        tab = self.desk.tab
        if tab.draft is not None and 0 <= index < len(tab.draft.exceptions):
            kept = list(tab.draft.exceptions)
            gone = kept.pop(index)
            self.desk.edit_draft(f"remove exception {gone.name}", exceptions=kept)

    def _on_extract(self, index: int, name: str) -> None:
        tab, condition = self.desk.tab, self.model.condition
        found = nameable_fragments(condition)
        if tab.draft is None or not 0 <= index < len(found) or not name.strip():
            return
        draft = tab.draft.changed()
        try:
            draft.name_fragment(name.strip(), found[index], condition)
        except ValueError as error:
            raise WorkbenchError(str(error)) from error
        label = f"take out {name.strip()}"
        self.desk.edit_draft(label, fragments=draft.fragments)

    # -- saving ----

    def save(
        self,
        path: str = "",
        choice: str = "",
        force: bool = False,  # noqa: FBT001, FBT002 - the message's key
    ) -> Path:
        """Write the tab's rule into its file; a new one into ``path``.

        Nothing is written for a rule that Falco refuses (unless ``force``), nor over a
        file that changed since it was read (unless ``choice`` is "mine" or "merge"):
        raises RuleRefused, FileChanged, WorkbenchError and OSError.
        """
        desk, tab = self.desk, self.desk.tab
        draft = tab.draft
        if draft is None:
            raise WorkbenchError("Scratch is no rule; make a rule of it first")
        self.part.put(refused=None, conflict=None, saved="")
        rule = draft.rule(tab.text)
        rule.to_yaml()
        goal = desk.library.save_rule(
            rule,
            draft.used_items(tab.text),
            path=path,
            origin=tab.origin,
            choice=choice,
            target=self.rules_target,
            force=bool(force),
        )
        self.path = str(goal)
        self._after_save(goal)
        return goal

    def _on_save(self, path: str = "", **options: Any) -> None:
        """Save, and show what stands against it where the rule is."""
        try:
            self.save(path, **options)
        except FileChanged as changed:
            self._show_conflict(changed, path)
        except RuleRefused as refused:
            self.part.put(refused=refused.lines, saved="")
        except (WorkbenchError, OSError) as error:
            self.part.put(saved=f"Not saved: {error_text(error)}")

    def _after_save(self, goal: Path) -> None:
        from dataclasses import replace

        desk, tab = self.desk, self.desk.tab
        saved = desk.library.rule(tab.draft.name.strip()) if tab.draft else None
        if saved is not None and tab.draft is not None:
            draft = RuleDraft.of(saved)
            draft.fragments = dict(tab.draft.fragments) if tab.draft.fragments else {}
            text = tab.text if draft.fragments else saved.condition
            doc = desk.doc.with_tab(tab.id, draft=draft, origin=saved.name, text=text)
            desk.settle(replace(doc, active=tab.id))
        desk.sync_condition()
        desk.note = f"Saved to {goal}"
        self.part.put(saved=f"Saved to {goal}", path=str(goal))
        self.model.touch("rules", "document", "rule")

    def _show_conflict(self, changed: FileChanged, path: str) -> None:
        self._conflict = changed
        draft = self.desk.rule_of(self.desk.tab)

        def text(rule: Any) -> str:
            return "" if rule is None else str(rule.to_yaml())

        mergeable = changed.base is not None and changed.disk is not None
        if mergeable and draft is not None:
            from workbench.ui.state.rule_library import merged

            try:
                merged(changed.base, changed.disk, draft)  # type: ignore[arg-type]
            except WorkbenchError:
                mergeable = False
        self.part.put(
            conflict={
                "file": str(changed.path),
                "path": path,
                "unread": changed.unread,
                "base": text(changed.base),
                "disk": text(changed.disk),
                "draft": text(draft),
                "merge": mergeable,
                "said": str(changed),
            },
            saved="",
        )

    def check_disk(self) -> None:
        """Say when another program changed the file of the rule."""
        tab = self.desk.tab
        if tab.origin and self.part.state.get("conflict") is None:
            self.part.put(outside=self.desk.library.disk_changed(tab.origin))

    def _on_take_disk(self) -> None:
        tab = self.desk.tab
        found = self.desk.library.disk_rule(tab.origin) if tab.origin else None
        self.part.put(conflict=None, outside=False)
        if found is not None:
            doc = self.desk.doc.with_tab(
                tab.id, draft=RuleDraft.of(found), text=found.condition
            )
            self.desk.edit(f"take {tab.name} from the file", doc)
        self.model.touch("rules", "document", "rule")

    def _on_dismiss(self) -> None:
        self.part.put(conflict=None, refused=None, saved="")

    # -- showing ----

    def yaml(self) -> str:
        """Return the tab's rule with the macros and lists taken out of it."""
        tab = self.desk.tab
        if tab.draft is None:
            return ""
        items = [*tab.draft.used_items(tab.text), tab.draft.rule(tab.text)]
        return "\n".join(item.to_yaml() for item in items)

    def refresh(self, changes: set[str]) -> None:
        """Show the form, at once."""
        if not changes & {"document", "rule", "source", "rules"}:
            return
        tab = self.desk.tab
        draft = tab.draft
        if draft is None:
            self.part.put(rule=None)
            return
        self.part.put(
            rule={
                "tab": tab.id,
                "origin": tab.origin,
                "name": draft.name,
                "desc": draft.desc,
                "output": draft.output,
                "priority": draft.priority,
                "source": draft.source,
                "tags": draft.tags,
                "sources": sorted(
                    {self.model.source or draft.source, draft.source} - {""}
                ),
                "dirty": self.desk.dirty(tab),
                "fragments": [
                    {"name": n, "kind": f.kind, "text": f.text}
                    for n, f in draft.fragments.items()
                ],
            }
        )

    def refine(self, changes: set[str]) -> None:
        """Show what the rule comes to: effect, alerts, complaints, YAML."""
        wanted = {
            "rule",
            "document",
            "condition",
            "funnel",
            "source",
            "labels",
            "ended",
            "rules",
            "marks",
        }
        if not changes & wanted:
            return
        tab = self.desk.tab
        if tab.draft is None:
            return
        if self.model.live and changes <= {"funnel", "marks", "rows"}:
            return
        self.part.put(**self._result(tab))

    def _result(self, tab: Any) -> dict[str, Any]:
        model, draft = self.model, tab.draft
        out: dict[str, Any] = {
            "effect": self._effect(tab),
            "exceptions": self._exceptions(draft),
            "parts": [
                fragment_state(f, model.condition)
                for f in nameable_fragments(model.condition)
            ],
            "alerts": [],
            "alert_error": "",
        }
        try:
            rule = draft.rule(tab.text)
            text = self.yaml()
        except WorkbenchError as error:
            found = rule_queries.diagnostics_of(None, None, error_text(error))
            return {**out, "yaml": "", "change": [], "diagnostics": found}
        items = draft.used_items(tab.text)
        rules = model.items.rule_set(rule) if not items else draft.rule_set(tab.text)
        diagnostics = rule_queries.diagnostics_of(rules, self.rules_target)
        if model.events is not None and model.matcher.mask is not None:
            out["alerts"], out["alert_error"] = self._alerts(rules)
        return {
            **out,
            "yaml": text,
            "file": self._place(tab),
            "change": self._change(tab, text),
            "diagnostics": diagnostics,
        }

    def _alerts(self, rules: Any) -> tuple[list[dict[str, Any]], str]:
        model = self.model
        events, mask = model.events, model.matcher.mask
        if events is None or mask is None:
            return [], ""
        rows = np.flatnonzero(mask[: len(events)])[:_MAX_ALERTS]
        texts, wrong, _ = rule_queries.preview(rules, events, mask, limit=_MAX_ALERTS)
        clocks = model.store.texts(rows, "evt.time") if len(rows) else []
        return [
            {"text": text, "num": int(model.store.numbers[at]), "time": clock or ""}
            for text, at, clock in zip(texts, rows, clocks, strict=False)
        ], wrong

    def _place(self, tab: Any) -> str:
        if not tab.origin:
            return ""
        found = self.desk.library.lines_of([tab.origin]).get(tab.origin)
        return (
            f"{found[0]}, line {found[1]}"
            if found
            else self.desk.library.file_of(tab.origin)
        )

    def _change(self, tab: Any, text: str) -> list[list[str]]:
        saved = self.desk.saved_rule(tab)
        before = "" if saved is None else saved.to_yaml()
        lines = difflib.ndiff(before.splitlines(), text.splitlines())
        return [[line[0], line[2:]] for line in lines if line[0] != "?"][:400]

    def _effect(self, tab: Any) -> dict[str, Any]:
        model = self.model
        now = model.matcher.mask
        saved = model.saved.mask if model.saved is not None else None
        times = model.store.times
        minutes = float(times.max() - times.min()) / 60e9 if len(times) else 0.0
        out: dict[str, Any] = {
            "new": not tab.origin,
            "now": model.matcher.count,
            "saved": model.saved.count if model.saved is not None else None,
            "minutes": minutes,
        }
        if saved is not None and now is not None:
            size = min(len(saved), len(now))
            out["plus"] = int(np.count_nonzero(now[:size] & ~saved[:size]))
            out["minus"] = int(np.count_nonzero(saved[:size] & ~now[:size]))
            out["lost"] = self._lost(saved[:size] & ~now[:size])
        return out

    def _lost(self, gone: np.ndarray) -> int:
        """Count events that must match and no longer do."""
        must = [n for n, verdict in self.model.labels.items() if verdict]
        if not must:
            return 0
        numbers = self.model.store.numbers[: len(gone)]
        return int(np.count_nonzero(gone & np.isin(numbers, np.array(must, np.uint64))))

    def _exceptions(self, draft: Any) -> list[dict[str, Any]]:
        cells = [c for c in self.model.matcher.cells if c.index < 0]
        counted = {c.text.removeprefix("exception "): c for c in cells}
        out = []
        for item in draft.exceptions:
            cell = counted.get(item.name)
            takes = None if cell is None else cell.reached - cell.passed
            everything = cell is not None and cell.reached > 0 and cell.passed == 0
            out.append(
                {
                    "name": item.name,
                    "text": rule_queries.exception_text(item),
                    "takes": takes,
                    "everything": everything,
                }
            )
        return out
