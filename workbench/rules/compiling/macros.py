"""Macros: parsed once, inserted as trees, looked up where they are visible."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from workbench.condition.syntax.nodes import (
    AndExpr,
    IdentifierExpr,
    MacroExpr,
    NotExpr,
    OrExpr,
    postorder,
)

if TYPE_CHECKING:
    from workbench.condition.syntax.nodes import Expr
    from workbench.diagnostics import Span

__all__ = ["MAX_CHECKS", "MacroFault", "MacroTable", "identifiers"]

# Checks in one condition with all macros in place: far above any real rule.
MAX_CHECKS = 100_000


@dataclass(frozen=True, slots=True)
class MacroFault:
    """Why a name cannot be replaced.

    ``reason``: "unknown", "loop", "invisible" or "large". ``name``: of the macro.
    ``span``: of the name; ``inside``: the macros it stands in, outermost first (then
    the span counts in the text of the last).
    """

    reason: str
    name: str
    span: Span
    inside: tuple[str, ...] = ()


@dataclass(slots=True)
class _Macro:
    """A macro: its own tree, and once resolved the tree with others in place."""

    tree: Expr
    index: int
    expanded: Expr | None = None
    newest: int = -1
    checks: int = 0


def identifiers(root: Expr) -> list[IdentifierExpr]:
    """Return the names that stand where a check may stand, in reading order."""
    return [node for node in postorder(root) if isinstance(node, IdentifierExpr)]


class MacroTable:
    """Macros by name. Conditions are resolved against those visible to them."""

    def __init__(self) -> None:
        """Start empty."""
        self._macros: dict[str, _Macro] = {}
        self._broken: dict[str, int] = {}
        # macros whose contents are noted as used
        self._marked: set[str] = set()

    def add(self, name: str, index: int, tree: Expr | None) -> None:
        """Add a macro; ``tree`` None: its condition could not be read."""
        if tree is None:
            self._broken[name] = index
        else:
            self._macros[name] = _Macro(tree, index)

    def names(self) -> list[str]:
        """Return the names of all macros."""
        return [*self._macros, *self._broken]

    def visible(self, name: str, before: int | None) -> bool:
        """Whether a macro is defined where ``before`` limits the view."""
        known = self._macros.get(name)
        index = known.index if known else self._broken.get(name)
        return index is not None and (before is None or index < before)

    def resolve(
        self, tree: Expr, before: int | None, used: set[str]
    ) -> tuple[Expr | None, list[MacroFault]]:
        """Put macros in place of their names.

        ``before``: only macros of a lower index are visible; None: all. ``used``:
        receives every name replaced; always the same set. The tree is None when there
        are faults, or when a macro that is used is itself broken, which has been
        reported elsewhere.
        """
        names = identifiers(tree)
        if not names:
            return tree, []
        faults: list[MacroFault] = []
        complete = True
        for node in names:
            complete &= self._settle(node, before, faults, used)
        if faults or not complete:
            return None, faults
        result, checks = self._insert(tree)
        if checks > MAX_CHECKS:
            return None, [MacroFault("large", names[0].name, names[0].span)]
        return result, []

    def _settle(
        self,
        node: IdentifierExpr,
        before: int | None,
        faults: list[MacroFault],
        used: set[str],
    ) -> bool:
        """Expand the macro that ``node`` names, depth first; False if it cannot be."""
        good = True
        visited: set[str] = set()
        # (macro, its identifiers still to visit), outermost first; "" stands for node
        path = [("", iter([node]))]
        while path:
            name, pending = path[-1]
            current = next(pending, None)
            if current is None:
                path.pop()
                visited.add(name)
                if name and good and not self._expand(name):
                    faults.append(MacroFault("large", name, node.span))
                    return False
                continue
            inside = tuple(step for step, _ in path[1:])
            reason = self._refusal(current.name, before, inside)
            if reason:
                faults.append(MacroFault(reason, current.name, current.span, inside))
                good = False
                continue
            used.add(current.name)
            macro = self._macros.get(current.name)
            if current.name in visited:
                continue
            if macro is None:
                good = False
            elif macro.expanded is not None and (
                before is None or macro.newest < before
            ):
                self._mark(current.name, used)
            else:
                path.append((current.name, iter(identifiers(macro.tree))))
        return good

    def _refusal(self, name: str, before: int | None, inside: tuple[str, ...]) -> str:
        """Return why a name cannot be replaced here, "" when it can."""
        if name in inside:
            return "loop"
        if self.visible(name, before):
            return ""
        return (
            "invisible" if name in self._macros or name in self._broken else "unknown"
        )

    def _expand(self, name: str) -> bool:
        """Put the macros inside a macro in place; False when it grows too large."""
        macro = self._macros[name]
        macro.expanded, macro.checks = self._insert(macro.tree)
        inner = [i.name for i in identifiers(macro.tree) if i.name in self._macros]
        macro.newest = max([macro.index, *(self._macros[n].newest for n in inner)])
        return macro.checks <= MAX_CHECKS

    def _mark(self, name: str, used: set[str]) -> None:
        """Note every macro that a resolved one contains."""
        todo = [name]
        while todo:
            current = todo.pop()
            if current in self._marked:
                continue
            self._marked.add(current)
            for node in identifiers(self._macros[current].tree):
                used.add(node.name)
                if node.name in self._macros:
                    todo.append(node.name)

    def _insert(self, tree: Expr) -> tuple[Expr, int]:
        """Rebuild a tree with resolved macros in place; count its checks."""
        stack: list[Expr] = []
        checks = 0
        for node in postorder(tree):
            if isinstance(node, AndExpr | OrExpr):
                count = len(node.children)
                children = tuple(stack[-count:])
                del stack[-count:]
                same = all(a is b for a, b in zip(children, node.children, strict=True))
                stack.append(node if same else type(node)(children, node.span))
            elif isinstance(node, NotExpr):
                child = stack.pop()
                same = child is node.child
                stack.append(node if same else NotExpr(child, node.span))
            elif isinstance(node, IdentifierExpr):
                macro = self._macros[node.name]
                checks += macro.checks
                inner = macro.tree if macro.expanded is None else macro.expanded
                stack.append(MacroExpr(node.name, inner, node.span))
            else:
                checks += 1
                stack.append(node)
        return stack[0], checks
