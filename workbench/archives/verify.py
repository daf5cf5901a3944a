"""Whether the files of an archive are whole: footers, rows, checksums."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Any

from workbench.archives.convert import checksum, notes_of
from workbench.archives.failures import Failure
from workbench.archives.reading import read_rows
from workbench.errors import WorkbenchError

if TYPE_CHECKING:
    from collections.abc import Callable

    from workbench.archives.parts import Part

__all__ = ["verify"]


def verify(
    archive: Any, *, watch: Callable[[Part], None] | None = None
) -> list[Failure]:
    """Read every file and return what is wrong, nothing when all are whole.

    Every row group is decoded and its rows are counted against the footer; what
    ``convert`` wrote is held against the checksums in its notes, too.
    """
    catalog = archive.catalog
    found = [
        Failure(file.path, "CaptureFileError", file.damage)
        for file in catalog.files
        if file.damage
    ]
    bad = {failure.path for failure in found}
    for part in archive.parts():
        if part.path in bad:
            continue
        failure = _wrong(part, catalog.storage_options)
        if failure is not None:
            found.append(failure)
            bad.add(part.path)
        if watch is not None:
            watch(part)
    for path in catalog.paths:
        if Path(path).is_dir():
            found += [f for f in _against_notes(Path(path)) if f.path not in bad]
    return found


def _wrong(part: Part, storage_options: Any) -> Failure | None:
    try:
        contents = read_rows(part, None, sources={}, storage_options=storage_options)
    except WorkbenchError as error:
        return Failure.of(part.path, error)
    rows = contents.table.num_rows
    if part.rows is not None and rows != part.rows:
        text = f"{rows:,} rows, where its footer says {part.rows:,}"
        return Failure(part.path, "CaptureFileError", text)
    return None


def _against_notes(folder: Path) -> list[Failure]:
    found = []
    for note in notes_of(folder):
        for output in note["outputs"]:
            path = folder / output["path"]
            if not path.is_file():
                text = f"is missing; convert {note['input']} again"
            elif checksum(path) != output["sha256"]:
                text = "is not what convert wrote: its checksum differs"
            else:
                continue
            found.append(Failure(str(path), "CaptureFileError", text))
    return found
