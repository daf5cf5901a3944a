"""The rule set: rules with hits on the current events, overlap, import, comparison."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

from workbench.errors import WorkbenchError
from workbench.ui.data.error_card import error_text
from workbench.ui.state import rule_queries
from workbench.ui.widgets.widgets import StateWidget

if TYPE_CHECKING:
    from workbench.rules import Rule, RuleSet
    from workbench.ui.panels.rule import RulePanel
    from workbench.ui.state.model import LabModel

__all__ = ["RuleSetPanel"]


class RuleSetPanel:
    """Holds a RuleSet and shows it."""

    def __init__(self, model: LabModel, rule_panel: RulePanel) -> None:
        from workbench.rules import RuleSet

        self.model = model
        self.rule_panel = rule_panel
        self.rules: RuleSet = RuleSet()
        self._matches: dict[str, int] | None = None
        self.widget = StateWidget(view="ruleset")
        self.widget.lock = model.lock
        self.widget.handle("import", self._on_import)
        self.widget.handle_all(
            compare=self.compare,
            save=self.save,
            refresh=self.count,
            enable=self._on_enable,
            remove=self.remove,
        )
        self._show()

    def rule(self, name: str) -> Rule:
        """Return a rule by name; raises KeyError."""
        for rule in rule_queries.rules_of(self.rules):
            if rule.name == name:
                return rule
        raise KeyError(f"no rule {name!r} in the rule set")

    def add(self, rule: Rule) -> None:
        """Add a rule, with the macros and lists of the draft; replaces its namesake."""
        used = self.rule_panel.draft.used_items(self.model.condition)
        items: list[Any] = [*used, rule]
        rule_queries.put_items(self.rules, items)
        self.count()

    def take(self, rules: RuleSet) -> None:
        """Go on with a rule set built elsewhere."""
        self.rules = rules
        self.count()

    def remove(self, name: str) -> None:
        """Take a rule out."""
        self.rules.remove("rule", name)
        self.count()

    def _on_enable(self, name: str, on: bool) -> None:  # noqa: FBT001 - the message's key
        rule = replace(self.rule(name), enabled=bool(on))
        rule_queries.put_items(self.rules, [rule])
        self.count()

    def _on_import(self, path: str) -> None:
        self.import_file(path)

    def import_file(self, path: str) -> None:
        """Take in all rules of a rules file."""
        from workbench.rules import load_rules

        try:
            loaded = load_rules(Path(path).expanduser())
        except (WorkbenchError, OSError) as error:
            self.widget.put(message="", diagnostics=rule_queries.error_lines(error))
            return
        if rule_queries.items_of(self.rules):
            rule_queries.put_items(self.rules, rule_queries.items_of(loaded))
        else:
            # The first file keeps its comments, order and quoting.
            self.rules = loaded
        self.widget.put(message=f"Imported {path}", diagnostics=[])
        self.count()

    def save(self, path: str) -> None:
        """Write what changed since an import; all of it to an imported file itself."""
        target = Path(path or "rules.yaml").expanduser().resolve()
        whole = target in [Path(name).resolve() for name in self.rules.files]
        try:
            self.rules.save(target, whole=whole)
        except (WorkbenchError, OSError) as error:
            self.widget.put(message=f"Not saved: {error_text(error)}")
            return
        self.widget.put(message=f"Saved to {target}")

    def compare(self, path: str) -> None:
        """Compare with another version on the current events."""
        from workbench.rules import load_rules

        events = self.model.events
        if events is None:
            self.widget.put(message="There are no events yet to compare the rules on.")
            return
        try:
            other = load_rules(Path(path).expanduser())
            found = rule_queries.comparison(other, self.rules, events)
        except (WorkbenchError, OSError) as error:
            self.widget.put(message="", diagnostics=rule_queries.error_lines(error))
            return
        self.widget.put(compare={"path": path, **found}, message="")

    def count(self) -> None:
        """Run the rules over the current events: matches and overlap."""
        events = self.model.events
        self._matches = None
        overlap: list[dict[str, Any]] = []
        diagnostics: list[dict[str, Any]] = []
        if events is not None and rule_queries.rules_of(self.rules):
            try:
                self._matches, overlap = rule_queries.matches_and_overlap(
                    self.rules, events
                )
            except WorkbenchError as error:
                diagnostics = rule_queries.error_lines(error)
        self.widget.put(overlap=overlap, diagnostics=diagnostics)
        self._show()

    def _show(self) -> None:
        matches = self._matches
        self.widget.put(
            rules=[
                {
                    "name": rule.name,
                    "priority": rule.priority.lower(),
                    "source": rule.source,
                    "enabled": rule.enabled,
                    "hits": None if matches is None else matches.get(rule.name, 0),
                }
                for rule in rule_queries.rules_of(self.rules)
            ]
        )

    def refresh(self, changes: set[str]) -> None:
        """Count again when the events are complete."""
        if changes & {"ended", "source"} and rule_queries.rules_of(self.rules):
            self.count()
