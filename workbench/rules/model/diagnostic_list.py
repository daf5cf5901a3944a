"""A list of complaints that shows itself well."""

from __future__ import annotations

from typing import TYPE_CHECKING

from workbench.diagnostics import Diagnostic

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping

    from workbench.rules.model.locations import RuleDiagnostic
    from workbench.yamlcpp import SourceText

__all__ = ["DiagnosticList"]

_ORDER = {"error": 0, "warning": 1, "hint": 2}
_WIDTH = 100


class DiagnosticList(list[Diagnostic]):
    """Diagnostics in the order of the files; prints one paragraph for each."""

    sources: Mapping[str, SourceText]

    @classmethod
    def of(
        cls, problems: Iterable[RuleDiagnostic], sources: Mapping[str, SourceText]
    ) -> DiagnosticList:
        """Make the public form of problems, duplicates dropped."""
        order = {name: number for number, name in enumerate(sources)}
        made: dict[tuple[object, ...], Diagnostic] = {}
        for problem in problems:
            item = problem.diagnostic()
            key = (item.code, item.message, item.file, item.line, item.column)
            made.setdefault(key, item)
        result = cls(
            sorted(
                made.values(),
                key=lambda d: (
                    order.get(d.file or "", 0),
                    d.line or 0,
                    d.column or 0,
                    _ORDER[d.severity],
                ),
            )
        )
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
        """Give the source line of a complaint and a line with a caret."""
        source = getattr(self, "sources", {}).get(item.file or "")
        if source is None or not item.line or not item.column:
            return []
        line = source.line(item.line - 1).decode("utf-8", "replace").replace("\t", " ")
        column = item.column - 1
        first = max(0, column - _WIDTH // 2)
        shown = line[first : first + _WIDTH]
        if not shown.strip():
            return []
        safe = "".join(
            c if c.isprintable() else "\N{REPLACEMENT CHARACTER}" for c in shown
        )
        return [safe, " " * (column - first) + "^"]

    def __str__(self) -> str:
        """Give one paragraph for each complaint, with the line it is about."""
        paragraphs = []
        for item in self:
            lines = [str(item), *("    " + line for line in self.snippet(item))]
            paragraphs.append("\n".join(lines))
        return "\n".join(paragraphs)

    def __repr__(self) -> str:
        """Give the same, or say that there is nothing."""
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
        return html.table(["", "code", "place", "message", "in", "hint"], rows)
