"""From events that should not alert to exceptions of their rule.

The search is that of :mod:`workbench.proposing`, over the events that the rule matches
alone: what it proposes is written as an exception, put into the rule, and measured.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any

import numpy as np

from workbench.condition.syntax.canonical import operand_text
from workbench.condition.syntax.nodes import (
    AndExpr,
    BinaryCheckExpr,
    ListExpr,
    OrExpr,
    ValueExpr,
)
from workbench.condition.syntax.parser import parse
from workbench.errors import WorkbenchError
from workbench.rules.model.model import Rule, RuleException

if TYPE_CHECKING:
    from collections.abc import Sequence

    from workbench.condition.syntax.nodes import Expr

__all__ = ["ExceptionProposal", "ExceptionProposals", "propose_exception"]

# Operators that read alike in conditions and exceptions; absence is none of them.
_OPERATORS = ("=", "in", "intersects", "startswith", "endswith", "contains", "glob")
# Conditions looked at for each exception wanted: not every one can be an exception.
_LOOKED_AT = 6


@dataclass(frozen=True, slots=True)
class ExceptionProposal:
    """An exception, and what it does on all events that the rule matches.

    ``taken``: of these, events that no longer alert; ``left``: that still do.
    ``chosen``: share of the chosen events among the taken, 0 to 1. ``kept``: whether
    all events that must alert still do. ``rule``: the rule with the exception.
    """

    exception: RuleException
    condition: str
    taken: int
    left: int
    chosen: float
    kept: bool
    rule: Rule

    @property
    def reason(self) -> str:
        """One sentence with the result."""
        total = self.taken + self.left
        text = f"{self.left:,} instead of {total:,} alerts"
        if self.chosen < 1:
            text += f"; {100 * self.chosen:.0f} % of the chosen events are covered"
        return text if self.kept else text + "; events that must alert are lost"

    def __str__(self) -> str:
        """Return the YAML of the exception."""
        return self.exception.to_yaml("")


class ExceptionProposals(list[ExceptionProposal]):
    """Proposals, best first; shows itself as a table."""

    def __repr__(self) -> str:
        from workbench.formatting.columns import fitted_columns
        from workbench.formatting.printable import printable

        if not self:
            return "no exceptions proposed"
        rows = [["exception", "result"]]
        rows += [[printable(p.condition, limit=120), p.reason] for p in self]
        return "\n".join(fitted_columns(rows))

    def _repr_html_(self) -> str:
        from workbench.formatting import html

        if not self:
            return html.tag("div", "no exceptions proposed")
        head = ["exception", "taken", "left", "result"]
        rows = [(p.condition, f"{p.taken:,}", f"{p.left:,}", p.reason) for p in self]
        return html.table(head, rows)


def propose_exception(
    rules: Any,
    name: str,
    events: Any,
    choice: tuple[Any, Any],
    *,
    limit: int,
    **options: Any,
) -> ExceptionProposals:
    """Return exceptions of rule ``name`` of a RuleSet, best first.

    ``choice``: events that should not alert, and events that must; None: by label.
    ``options``: of the search, see :func:`workbench.proposing.propose.propose`.
    """
    rule = rules.rules[name]
    own = events.by_source().get(rule.source)
    if own is None:
        raise WorkbenchError(f"there are no events of source {rule.source}")
    chosen, kept = _chosen(events, own, *choice)
    matched = _matched(rules, rule, own)
    if not (chosen & matched).any():
        raise WorkbenchError(
            f"rule '{name}' matches none of the chosen events, so no exception is "
            "needed; choose events that it alerts on, or label them with "
            "must_match=False"
        )
    hits = own[matched]
    numbers = own.table.column("evt.num").to_numpy()
    found = hits.propose(
        numbers[chosen & matched],
        numbers[kept & matched],
        allow=_OPERATORS,
        limit=_LOOKED_AT * limit,
        **options,
    )
    proposals = ExceptionProposals()
    seen: set[RuleException] = set()
    for proposal in found:
        exception = _exception(proposal.condition, rule)
        if exception is None or exception in seen:
            continue
        seen.add(exception)
        edited = replace(rule, exceptions=(*rule.exceptions, exception))
        after = _edited_matches(rules, edited, own)
        if after is None or not (matched & ~after & chosen).any():
            continue
        taken = matched & ~after
        proposals.append(
            ExceptionProposal(
                exception,
                proposal.condition,
                int(taken.sum()),
                int((matched & after).sum()),
                float((taken & chosen).sum() / (chosen & matched).sum()),
                not bool((taken & kept).any()),
                edited,
            )
        )
    return ExceptionProposals(proposals[:limit])


def _chosen(events: Any, own: Any, rows: Any, keep: Any) -> tuple[Any, Any]:
    """Return which of a source's events should not alert, and which must."""
    if rows is None:
        labels = events.labels
        rows = [number for number, must in labels.items() if not must]
        if keep is None:
            keep = [number for number, must in labels.items() if must]
    keep = () if keep is None else keep
    numbers = own.table.column("evt.num").to_numpy()
    wanted = (np.isin(numbers, events.numbers_of(one)) for one in (rows, keep))
    chosen, kept = wanted
    return chosen, kept


def _matched(rules: Any, rule: Rule, events: Any) -> Any:
    """Return on which events a rule matches, as one flag each."""
    from workbench.rules.running.match import condition_table

    engine = rules.engines(events)[rule.source]
    for at, one in enumerate(engine.rules):
        if one.name == rule.name:
            table = condition_table(engine, events)
            mask = engine.conditions[at].mask(table)
            return mask.to_numpy(zero_copy_only=False)
    raise WorkbenchError(f"rule '{rule.name}' is disabled; enable it first")


def _edited_matches(rules: Any, edited: Rule, events: Any) -> Any | None:
    """Return the matches of an edited rule, None where Falco would refuse it."""
    from workbench.errors import RulesError

    copy = type(rules)()
    for item in (*rules.lists, *rules.macros, edited):
        copy.add(item)
    try:
        return _matched(copy, edited, events)
    except RulesError:
        return None


def _exception(condition: str, rule: Rule) -> RuleException | None:
    """Write a condition as an exception; None for one that exceptions cannot say.

    A disjunction can where all its parts ask the same of the same fields.
    """
    tree = parse(condition.encode("utf-8", "surrogateescape"))
    rows = [_row(part) for part in _parts(tree, OrExpr)]
    if any(row is None for row in rows):
        return None
    shapes = {tuple((field, op) for field, op, _ in row or ()) for row in rows}
    if len(shapes) != 1:
        return None
    (shape,) = shapes
    fields = tuple(field for field, _ in shape)
    comps = tuple(op for _, op in shape)
    values = tuple(tuple(value for _, _, value in row or ()) for row in rows)
    return RuleException(_name(fields, rule), fields, comps, values)


def _parts(tree: Expr, kind: type[AndExpr | OrExpr]) -> Sequence[Expr]:
    return tree.children if isinstance(tree, kind) else (tree,)


def _row(tree: Expr) -> list[tuple[str, str, str | tuple[str, ...]]] | None:
    row: list[tuple[str, str, str | tuple[str, ...]]] = []
    for check in _parts(tree, AndExpr):
        if not isinstance(check, BinaryCheckExpr) or check.modifier:
            return None
        right = check.right
        value: str | tuple[str, ...]
        if isinstance(right, ListExpr):
            value = tuple(_text(item.value) for item in right.items)
        elif isinstance(right, ValueExpr):
            value = _text(right.value)
        else:
            return None
        row.append(
            (operand_text(check.left).decode("utf-8", "replace"), check.op, value)
        )
    return sorted(row)


def _text(value: bytes) -> str:
    """Write a value as an exception holds it: it becomes condition text as it is."""
    from workbench.fields.quoting import quote

    plain = value.replace(b"_", b"").replace(b"-", b"").replace(b".", b"")
    raw = value if plain.replace(b"/", b"").isalnum() else quote(value)
    return raw.decode("utf-8", "surrogateescape")


def _name(fields: Sequence[str], rule: Rule) -> str:
    """Return a name that the rule has no exception of yet."""
    words = "_".join(name.partition("[")[0].rpartition(".")[2] for name in fields)
    taken = {exception.name for exception in rule.exceptions}
    name, number = f"known_{words}", 2
    while name in taken:
        name, number = f"known_{words}_{number}", number + 1
    return name
