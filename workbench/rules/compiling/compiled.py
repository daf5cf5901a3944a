"""What compiling makes: conditions, rules, and everything around them."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from workbench.rules.compiling.list_substitution import ListTable
from workbench.rules.compiling.macros import MacroTable
from workbench.rules.compiling.source_map import SourceMap
from workbench.rules.model.locations import SourcePoint

if TYPE_CHECKING:
    from workbench.condition.binding.bind import BoundCondition
    from workbench.condition.syntax.nodes import Expr
    from workbench.rules.compiling.exceptions import ExceptionText
    from workbench.rules.compiling.list_substitution import Substitution
    from workbench.rules.model.entries import Piece, RuleEntry
    from workbench.rules.outputs.output import Output

__all__ = ["Compilation", "CompiledRule", "Parsed"]


@dataclass(slots=True)
class Parsed:
    """A condition's text, its tree if it could be parsed, and how it came about.

    ``written``: the text before lists, with exceptions; ``text``: after lists.
    ``pieces``: what stands in the files. ``added``: what exceptions add, None for an
    item that has none.
    """

    pieces: list[Piece]
    added: list[ExceptionText] | None
    lists: ListTable
    written: bytes
    text: bytes
    tree: Expr | None = None

    def source_map(self) -> SourceMap:
        """Follow every byte of the text back to the file that it came from."""
        made = SourceMap()
        first = None
        if self.pieces:
            first = SourcePoint(self.pieces[0].source, self.pieces[0].node.start)
        if self.added is not None:
            made.add_made(1, first)
        for number, piece in enumerate(self.pieces):
            if number:
                made.add_made(1, SourcePoint(piece.source, piece.node.start))
            made.add_piece(piece)
        if self.added is not None:
            made.add_made(1, first)
        for text, exception, operand in self.added or ():
            location = exception.location
            pos = location.pos if operand is None else operand[1].start
            made.add_made(len(text), SourcePoint(location.source, pos))
        log: list[Substitution] = []
        self.lists.substitute(self.written, set(), log)
        for change in log:
            made.replace(change)
        return made


@dataclass(slots=True)
class CompiledRule:
    """A rule that runs. ``bound``: None for sources that are not evaluated here."""

    entry: RuleEntry
    parsed: Parsed
    tree: Expr
    bound: BoundCondition | None
    output: Output | None


@dataclass(slots=True)
class Compilation:
    """Everything compiled. ``rules``: in definition order, without skipped ones."""

    rules: list[CompiledRule] = field(default_factory=list)
    macros: dict[str, Parsed] = field(default_factory=dict)
    lists: ListTable = field(default_factory=lambda: ListTable([]))
    table: MacroTable = field(default_factory=MacroTable)
    used_lists: set[str] = field(default_factory=set)
    used_macros: set[str] = field(default_factory=set)
