"""The Rules place: files, rules with their counts, import, overlap, comparison."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

from workbench.errors import WorkbenchError
from workbench.ui.data.error_card import error_text
from workbench.ui.state import rule_queries
from workbench.ui.state.rule_library import FileChanged

if TYPE_CHECKING:
    from workbench.rules import Macro, RuleList, RuleSet
    from workbench.ui.state.desk import Desk
    from workbench.ui.widgets.part import Part

__all__ = ["RuleSetPanel"]

_MAX_SHOWN = 3000


class RuleSetPanel:
    """Shows the library's rule set, counted on the current events."""

    def __init__(self, part: Part, desk: Desk) -> None:
        self.part, self.desk, self.model = part, desk, desk.model
        self._counts: dict[str, dict[str, Any]] = {}
        self._counted_for: tuple[int, int] = (-1, -1)
        self._shown_for = -1
        self._seen = False
        part.put(rules=[], files=[], macros=[], message="")
        part.handle(
            enable=self._on_enable,
            remove=self.remove,
            compare=self.compare,
            save_all=self.save_all,
            seen=self._on_seen,
            overlap=self.overlap,
            item=self._on_item,
            set_item=self.set_item,
            dismiss=lambda: self.part.put(message="", compare=None),
        )
        part.handle(**{"import": self.import_file})

    @property
    def rules(self) -> RuleSet:
        """The rule set of the lab."""
        return self.desk.library.rules

    # -- from the browser ----

    def _on_seen(self, on: bool = True) -> None:  # noqa: FBT001, FBT002 - the message's key
        """Count only while the place is looked at."""
        self._seen = bool(on)
        self.model.touch("rules")

    def import_file(self, path: str) -> None:
        """Take in all rules of a rules file."""
        try:
            count = self.desk.library.open(path)
        except (WorkbenchError, OSError) as error:
            self.part.put(message=f"Not imported: {error_text(error)}", failed=True)
            return
        self.desk.sync_condition()
        noun = "rule" if count == 1 else "rules"
        self.part.put(message=f"Imported {count:,} {noun} from {path}", failed=False)
        self.model.touch("rules", "document")

    def _on_enable(self, name: str, on: bool) -> None:  # noqa: FBT001 - the message's key
        rule = self.desk.library.rule(name)
        if rule is not None:
            self.desk.library.put([replace(rule, enabled=bool(on))])
            self.model.touch("rules", "document")

    def remove(self, name: str) -> None:
        """Take a rule out of the set, in memory."""
        self.desk.library.remove(name)
        self.model.touch("rules", "document")

    def save_all(self, path: str = "") -> None:
        """Write every file that differs from what was read."""
        try:
            written = self.desk.library.save_all(path)
        except (FileChanged, WorkbenchError, OSError) as error:
            self.part.put(message=f"Not saved: {error_text(error)}", failed=True)
            return
        names = ", ".join(p.name for p in written) or "nothing: all is saved"
        self.part.put(message=f"Saved {names}", failed=False)
        self.model.touch("rules", "document")

    def compare(self, path: str) -> None:
        """Compare with another version on the current events."""
        try:
            found = self._comparison(path)
        except (WorkbenchError, OSError) as error:
            self.part.put(message=f"Not compared: {error_text(error)}", failed=True)
            return
        self.part.put(compare={"path": path, **found}, message="")

    def _comparison(self, path: str) -> dict[str, Any]:
        from workbench.rules import load_rules

        events = self.model.events
        if events is None:
            raise WorkbenchError("there are no events yet to compare the rules on")
        target = Path(path.strip()).expanduser()
        if not path.strip() or not target.is_file():
            raise WorkbenchError(f"no such file: {path or 'give its path'}")
        return rule_queries.comparison(load_rules(target), self.rules, events)

    def overlap(self) -> list[dict[str, Any]]:
        """Return the pairs of rules that share events."""
        events = self.model.events
        if events is None:
            return []
        return rule_queries.matches_and_overlap(self.rules, events)[1]

    def _on_item(self, kind: str, name: str) -> dict[str, Any]:
        """Return a macro's condition or a list's items, and its count."""
        found: Any = self._item(kind, name)
        if kind == "list":
            return {"text": ", ".join(found.items), "count": None}
        events, count = self.model.events, None
        if events is not None:
            compiled, _ = self.model.items.compile_text(
                found.condition, self.model.fields, source=self.model.source
            )
            if compiled is not None:
                count = int(events.mask(compiled).sum())
        return {"text": found.condition, "count": count}

    def _item(self, kind: str, name: str) -> Any:
        held: Any = self.rules.macros if kind == "macro" else self.rules.lists
        return held[name]

    def set_item(self, kind: str, name: str, text: str) -> None:
        """Change a macro's condition or a list's items."""
        from workbench.rules import Macro, RuleList

        if kind == "macro":
            item: Macro | RuleList = Macro(name, text.strip())
        else:
            item = RuleList(
                name, tuple(t.strip() for t in text.split(",") if t.strip())
            )
        self.desk.library.put([item])
        self.desk.sync_condition()
        self.part.put(
            message=f"Changed {kind} {name}; Save all writes it", failed=False
        )
        self.model.touch("rules", "document")

    # -- showing ----

    def refine(self, changes: set[str]) -> None:
        """Count the rules and show them, when somebody looks."""
        if not changes & {"rules", "ended", "source", "document"}:
            return
        version = self.desk.library.version
        if version != self._shown_for:
            self._list_files()
        if self._seen and (version, len(self.model.store)) != self._counted_for:
            self._counted_for = (version, len(self.model.store))
            self._counts = {}
            if self.model.events is not None:
                self._counts = rule_queries.rule_counts(self.rules, self.model.events)
        self._show()

    def _list_files(self) -> None:
        self._shown_for = self.desk.library.version
        self.part.put(
            macros=[
                *({"kind": "macro", "name": n} for n in self.rules.macros.keys()),  # noqa: SIM118
                *({"kind": "list", "name": n} for n in self.rules.lists.keys()),  # noqa: SIM118
            ][:_MAX_SHOWN]
        )

    def _show(self) -> None:
        library = self.desk.library
        rules = rule_queries.rules_of(self.rules)[:_MAX_SHOWN]
        places = library.lines_of([r.name for r in rules])
        tabs = {t.origin: t for t in self.desk.doc.tabs if t.origin}
        unsaved = set(library.unsaved())
        self.part.put(
            count=len(rules),
            files=[{"name": f, "unsaved": f in unsaved} for f in library.rules.files],
            rules=[
                {
                    "name": rule.name,
                    "priority": rule.priority,
                    "source": rule.source,
                    "enabled": rule.enabled,
                    "file": Path(places[rule.name][0]).name
                    if rule.name in places
                    else "",
                    "line": places[rule.name][1] if rule.name in places else None,
                    "dirty": rule.name in tabs and self.desk.dirty(tabs[rule.name]),
                    **self._counted(rule),
                }
                for rule in rules
            ],
        )

    def _counted(self, rule: Any) -> dict[str, Any]:
        found = dict(self._counts.get(rule.name, {}))
        if "problem" in found:
            _, said = self.model.items.compile_text(
                rule.condition,
                self.model.fields,
                source=rule.source,
                exceptions=rule.exceptions,
            )
            errors = [d["message"] for d in said if d["severity"] == "error"]
            found["problem"] = errors[0] if errors else found["problem"]
        return found
