"""Parts of an archive: what one job reads at a time, a few row groups of one file."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Final

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from workbench.archives.files import ArchiveFile, Group

__all__ = ["Part", "parts_of"]

# What bounds the memory of a worker: rows and decoded bytes of one part.
_PART_ROWS: Final = 262_144
_PART_BYTES: Final = 96 << 20


@dataclass(frozen=True, slots=True)
class Part:
    """Some row groups of a file; ``groups`` None: all of a file without row groups.

    ``file``: its number in the archive. ``rows``: None when only reading tells.
    """

    file: int
    path: str
    bytes: int
    groups: tuple[int, ...] | None = None
    rows: int | None = None
    first_ns: int | None = None
    columns: tuple[str, ...] = ()
    start_ns: int | None = None


def parts_of(
    files: Sequence[ArchiveFile],
    *,
    start_ns: int | None = None,
    end_ns: int | None = None,
    source: str | None = None,
    whole: bool = False,
) -> list[Part]:
    """Cut files into parts, without what lies outside of the time or the source.

    ``start_ns``, ``end_ns``: first moment, and the first one after it (ns), None: no
    bound. ``whole``: never cut a file, for plugins that keep state.
    """
    found: list[Part] = []
    for number, file in enumerate(files):
        sources = file.facts.sources
        if source is not None and sources and source not in sources:
            continue
        if file.groups is None:
            found.append(Part(number, file.path, file.bytes))
            continue
        chosen = [
            at
            for at, group in enumerate(file.groups)
            if group.rows and _overlaps(group, start_ns, end_ns)
        ]
        if not chosen:
            continue
        cuts = [list(range(len(file.groups)))] if whole else _cuts(file, chosen)
        for cut in cuts:
            times = [file.groups[at].first_ns for at in cut]
            known = [t for t in times if t is not None]
            found.append(
                Part(
                    number,
                    file.path,
                    file.bytes,
                    tuple(cut),
                    sum(file.groups[at].rows for at in cut),
                    min(known) if len(known) == len(times) else None,
                    file.facts.columns,
                    file.groups[0].first_ns,
                )
            )
    return found


def _overlaps(group: Group, start_ns: int | None, end_ns: int | None) -> bool:
    if start_ns is not None and group.last_ns is not None and group.last_ns < start_ns:
        return False
    return end_ns is None or group.first_ns is None or group.first_ns < end_ns


def _cuts(file: ArchiveFile, chosen: list[int]) -> Iterator[list[int]]:
    groups = file.groups or ()
    cut: list[int] = []
    rows = size = 0
    for at in chosen:
        group = groups[at]
        full = rows + group.rows > _PART_ROWS or size + group.bytes > _PART_BYTES
        if cut and full:
            yield cut
            cut, rows, size = [], 0, 0
        cut.append(at)
        rows += group.rows
        size += group.bytes
    yield cut
