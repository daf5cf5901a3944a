"""Warnings of ours that a comment in the rules file switches off.

``# workbench: ignore[empty-set]`` or ``ignore[empty-set, redefined]``: at the end of a
line or alone above it, for that line; at or above the first line of an item, for the
whole item. ``# workbench: ignore-file[…]`` anywhere: for the file. Errors, and what
Falco itself would say (codes that begin with ``LOAD_``), stay.
"""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

from workbench.rules.model.locations import Location

if TYPE_CHECKING:
    from collections.abc import Container, Iterable, Iterator, Mapping

    from workbench.rules.loading.files import RulesFile
    from workbench.rules.model.rule_diagnostic import RuleDiagnostic

__all__ = ["without_ignored"]

_COMMENT = re.compile(
    rb"(?:^|[ \t])#[ \t]*workbench:[ \t]*ignore(-file)?\[([^\]\n]*)\]", re.MULTILINE
)


def without_ignored(
    found: Iterable[RuleDiagnostic],
    files: Iterable[RulesFile],
    ignore: Container[str] = (),
) -> Iterator[RuleDiagnostic]:
    """Yield the diagnostics that no comment in ``files`` switches off.

    ``ignore``: further codes to leave out.
    """
    comments: dict[str, _Comments] = {}
    for file in files:
        made = _Comments(file)
        if made.lines or made.codes:
            comments[file.source.name] = made
    for item in found:
        ours = item.severity != "error" and not item.code.startswith("LOAD_")
        if not ours or (item.code not in ignore and not _ignored(item, comments)):
            yield item


def _ignored(item: RuleDiagnostic, comments: Mapping[str, _Comments]) -> bool:
    if not comments:
        return False
    point = item.location.source_point()
    places = [(point.source.name, point.pos)]
    places += [
        (link.source.name, link.pos)
        for link in item.location.chain()
        if isinstance(link, Location) and link.kind in ("rule", "macro", "list")
    ]
    return any(
        name in comments and comments[name].cover(pos, item.code)
        for name, pos in places
    )


class _Comments:
    """The comments of one file. ``lines``: line (from 0) → codes; ``codes``: of all."""

    def __init__(self, file: RulesFile) -> None:
        self._source = file.source
        self.lines: dict[int, set[str]] = {}
        self.codes: set[str] = set()
        data = file.source.data
        for match in _COMMENT.finditer(data):
            codes = {
                word.strip().decode("utf-8", "replace") for word in match[2].split(b",")
            }
            if match[1]:
                self.codes |= codes
                continue
            line = data.count(b"\n", 0, match.start(2))
            self.lines.setdefault(line, set()).update(codes)
        self._starts = sorted(
            item.start
            for document in (file.documents if self.lines else ())
            for item in document.items
        )

    def cover(self, pos: int, code: str) -> bool:
        """Whether ``code`` is ignored at a byte of the file."""
        if code in self.codes:
            return True
        starts = [start for start in self._starts if start <= pos]
        return any(
            code in self.lines.get(line, ())
            for at in (pos, *starts[-1:])
            for line in self._lines_of(at)
        )

    def _lines_of(self, pos: int) -> Iterator[int]:
        """Yield the line of a byte and those above it that hold a comment alone."""
        data = self._source.data
        line = data.count(b"\n", 0, pos)
        yield line
        start = data.rfind(b"\n", 0, pos) + 1
        while start:
            end, start = start - 1, data.rfind(b"\n", 0, start - 1) + 1
            line -= 1
            if not data[start:end].lstrip().startswith(b"#"):
                return
            yield line
