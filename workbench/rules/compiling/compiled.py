"""What compiling gives: conditions, rules, and everything around them."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from workbench.rules.compiling.list_substitution import ListTable
from workbench.rules.compiling.macros import MacroTable

if TYPE_CHECKING:
    from collections.abc import Callable

    from workbench.condition.binding.bind import BoundCondition
    from workbench.condition.syntax.nodes import Expr
    from workbench.rules.compiling.source_map import SourceMap
    from workbench.rules.model.entries import RuleEntry
    from workbench.rules.model.locations import Location
    from workbench.rules.outputs.output import Output

__all__ = ["Compilation", "CompiledRule", "Parsed"]


@dataclass(slots=True)
class Parsed:
    """A condition on its way: its text after lists, and how the text came about.

    ``written``: the text before lists, with exceptions.
    """

    text: bytes
    tree: Expr | None
    retrace: Callable[[], SourceMap]
    place: Location
    written: bytes


@dataclass(slots=True)
class CompiledRule:
    """A rule that runs. ``bound``: None for sources that are not evaluated here."""

    entry: RuleEntry
    parsed: Parsed
    tree: Expr
    bound: BoundCondition | None
    output: Output | None
    output_text: str


@dataclass(slots=True)
class Compilation:
    """Everything compiled. ``rules``: in definition order, without skipped ones."""

    rules: list[CompiledRule] = field(default_factory=list)
    macros: dict[str, Parsed] = field(default_factory=dict)
    lists: ListTable = field(default_factory=lambda: ListTable([]))
    table: MacroTable = field(default_factory=MacroTable)
    used_lists: set[str] = field(default_factory=set)
    used_macros: set[str] = field(default_factory=set)
