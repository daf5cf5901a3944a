"""Conditions that name macros and lists of a rule set, and rules with exceptions.

A condition is compiled as Falco would compile the rule: with the macros and lists that
it names, and with the rule's exceptions.
"""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Any

from workbench.ui.state import condition_queries as queries

if TYPE_CHECKING:
    from collections.abc import Mapping

    from workbench.condition.execution.compile import CompiledCondition
    from workbench.fields.declarations import FieldInfo
    from workbench.rules import Rule, RuleException, RuleSet

__all__ = ["KnownItems"]

_WORD = re.compile(r"[A-Za-z_][A-Za-z0-9_.:-]*")
_RULE = "condition of the lab"


class KnownItems:
    """Compiles conditions with the macros and lists of a rule set."""

    def __init__(self, rules: RuleSet | None = None) -> None:
        self._texts: dict[str, tuple[int, str, str]] = {}
        self.take(rules)

    def take(self, rules: RuleSet | None) -> None:
        """Know the macros and lists of another rule set, as they are now."""
        self._texts = {}
        if rules is None:
            return
        items: list[Any] = [*rules.lists.values(), *rules.macros.values()]
        for at, item in enumerate(items):
            self._texts[item.name] = (at, type(item).__name__, item.to_yaml())

    @property
    def macros(self) -> list[str]:
        """Names of the macros."""
        return [n for n, (_, kind, _text) in self._texts.items() if kind == "Macro"]

    @property
    def names(self) -> list[str]:
        """Names of macros and lists."""
        return list(self._texts)

    def named_in(self, text: str) -> list[str]:
        """Return the items that ``text`` needs, themselves included, in file order."""
        found: set[str] = set()
        waiting = [text]
        while waiting and self._texts:
            for word in _WORD.findall(waiting.pop()):
                if word in self._texts and word not in found:
                    found.add(word)
                    waiting.append(self._texts[word][2])
        return sorted(found, key=lambda name: self._texts[name][0])

    def rule_set(self, rule: Rule) -> RuleSet:
        """Return a rule set of one rule and the items that it needs."""
        from workbench.rules import parse_rules

        # An item's own text names it: only what the rule itself names begins.
        needed = self.named_in(rule.to_yaml())
        texts = [self._texts[name][2] for name in needed]
        return parse_rules("\n".join([*texts, rule.to_yaml()]))

    def compile_text(
        self,
        text: str,
        fields: Mapping[str, FieldInfo],
        *,
        source: str = "",
        exceptions: tuple[RuleException, ...] = (),
    ) -> tuple[CompiledCondition | None, list[dict[str, Any]]]:
        """Return what to evaluate (None: the text has errors), and all diagnostics."""
        compiled, found = queries.compile_text(text, fields)
        unknown = [d for d in found if d["code"] == "unknown-macro"]
        others = [d for d in found if d["severity"] == "error" and d not in unknown]
        if others or (unknown and not self.named_in(text)):
            return None, found
        if not unknown and not exceptions and not self.named_in(text):
            return compiled, found
        return self._as_rule(text, fields, source, exceptions, found)

    def _as_rule(
        self,
        text: str,
        fields: Mapping[str, FieldInfo],
        source: str,
        exceptions: tuple[RuleException, ...],
        found: list[dict[str, Any]],
    ) -> tuple[CompiledCondition | None, list[dict[str, Any]]]:
        from workbench.condition.execution.compile import CompiledCondition
        from workbench.condition.syntax.canonical import canonical
        from workbench.rules import Rule
        from workbench.rules.target.target import Target

        rule = Rule(
            name=_RULE,
            condition=text,
            output="-",
            priority="DEBUG",
            source=source or "any",
            exceptions=exceptions,
        )
        target = Target({rule.source: fields}, versions_known=False)
        loaded = self.rule_set(rule).loaded(target)
        made = next(
            (r for r in loaded.compilation.rules if r.entry.name == _RULE), None
        )
        kept = [d for d in found if d["code"] != "unknown-macro"]
        if made is None or made.bound is None or not loaded.successful:
            errors = [d for d in loaded.diagnostics if d.severity == "error"]
            return None, kept + [_placed(d.message, d.hint, text) for d in errors]
        written = made.parsed.text.decode("utf-8", "surrogateescape")
        compiled = CompiledCondition.from_bound(
            made.bound, text=written, ast=canonical(made.tree), fields=fields
        )
        return compiled, kept


def _placed(message: str, hint: str | None, text: str) -> dict[str, Any]:
    """Return an engine's complaint at the name that it quotes."""
    quoted = re.search(r"'([^']+)'", message)
    at = text.find(quoted[1]) if quoted else -1
    start, end = (at, at + len(quoted[1])) if quoted and at >= 0 else (0, len(text))
    return {
        "from": start,
        "to": max(end, start + 1),
        "severity": "error",
        "message": message,
        "hint": hint or "",
        "code": "rule",
    }
