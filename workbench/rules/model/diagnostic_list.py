"""A list of diagnostics that displays itself well."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

from workbench.diagnostics import Diagnostic
from workbench.formatting.printable import marked

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping

    from workbench.rules.model.rule_diagnostic import RuleDiagnostic
    from workbench.yamlcpp import SourceText

__all__ = ["DiagnosticList"]

_ORDER = {"error": 0, "warning": 1, "hint": 2}
_WIDTH = 100
# What stands between a macro and who uses it, and how many of them are named.
_USED_BY = ", used by "
_MAX_USERS = 3


class DiagnosticList(list[Diagnostic]):
    """Diagnostics in the order of the files; prints one paragraph for each."""

    sources: Mapping[str, SourceText]

    @classmethod
    def of(
        cls, found: Iterable[RuleDiagnostic], sources: Mapping[str, SourceText]
    ) -> DiagnosticList:
        """Return the public form of what was found, sorted, without duplicates.

        What is said of a macro once for each rule that uses it becomes one diagnostic,
        which names the rules.
        """
        order = {name: number for number, name in enumerate(sources)}
        unique: dict[tuple[object, ...], Diagnostic] = {}
        users: dict[tuple[object, ...], dict[str, None]] = {}
        for diagnostic in found:
            item = diagnostic.public()
            key = (item.code, item.message, item.file, item.line, item.column)
            unique.setdefault(key, item)
            users.setdefault(key, {}).update(dict.fromkeys(_users(item)))

        def position(item: Diagnostic) -> tuple[int, int, int, int]:
            file = order.get(item.file or "", 0)
            return file, item.line or 0, item.column or 0, _ORDER[item.severity]

        grouped = [_grouped(item, list(users[key])) for key, item in unique.items()]
        result = cls(sorted(grouped, key=position))
        result.sources = sources
        return result

    @property
    def errors(self) -> list[Diagnostic]:
        """The errors alone."""
        return [d for d in self if d.severity == "error"]

    @property
    def warnings(self) -> list[Diagnostic]:
        """The warnings alone."""
        return [d for d in self if d.severity == "warning"]

    def snippet(self, item: Diagnostic) -> list[str]:
        """Return the source line of a diagnostic and a line with a caret."""
        source = getattr(self, "sources", {}).get(item.file or "")
        if source is None or not item.line or not item.column:
            return []
        line = source.line(item.line - 1).decode("utf-8", "replace").replace("\t", " ")
        column = item.column - 1
        first = max(0, column - _WIDTH // 2)
        visible = line[first : first + _WIDTH]
        if not visible.strip():
            return []
        return [marked(visible), " " * (column - first) + "^"]

    def __str__(self) -> str:
        """Return one paragraph for each diagnostic, with the line it is about."""
        paragraphs = []
        for item in self:
            lines = [str(item), *("    " + line for line in self.snippet(item))]
            paragraphs.append("\n".join(lines))
        return "\n".join(paragraphs)

    def __repr__(self) -> str:
        """Return the same, or "no complaints" when there is none."""
        return str(self) or "no complaints"

    def _repr_html_(self) -> str:
        from workbench.formatting import html

        if not self:
            return html.tag("p", "no complaints")
        rows = [
            (
                d.severity,
                d.code,
                ":".join(str(p) for p in (d.file, d.line, d.column) if p),
                d.message,
                ", ".join(d.context),
                d.hint or "",
            )
            for d in self
        ]
        return html.table(["", "code", "location", "message", "in", "hint"], rows)


def _users(item: Diagnostic) -> list[str]:
    """Return who uses the macro that a diagnostic is about."""
    return [text.partition(_USED_BY)[2] for text in item.context if _USED_BY in text]


def _grouped(item: Diagnostic, users: list[str]) -> Diagnostic:
    """Name all who use the macro, the first ones at least."""
    if len(users) < 2:
        return item
    shown = ", ".join(users[:_MAX_USERS])
    if len(users) > _MAX_USERS:
        shown += f" and {len(users) - _MAX_USERS} more"
    macro = item.context[0].partition(_USED_BY)[0]
    return replace(item, context=(f"{macro}{_USED_BY}{shown}", *item.context[1:]))
