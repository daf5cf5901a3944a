"""Large files of events opened without reading their rows."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from workbench.captures.formats import suffix_of
from workbench.captures.soundness import sound
from workbench.captures.stored import FORMS, open_stored
from workbench.events.columns import source_rows
from workbench.events.origin import Origin
from workbench.events.stored_events import StoredEvents
from workbench.events.stored_rows import StoredRows
from workbench.events.stored_selection import Selection

if TYPE_CHECKING:
    from pathlib import Path

    from workbench.captures.contents import CaptureContents

__all__ = ["open_stored_events"]

# Smaller files are read at once, which takes no longer than looking at them.
_SMALL_BYTES: Final = 1 << 20


def open_stored_events(path: Path, max_bytes: int | None) -> StoredEvents | None:
    """Return the events of a large file, None for one that has to be read whole.

    Those are small or damaged files, ones with columns that no capture has, and ones
    whose events come from several sources. Raises CaptureFileError for a file that
    holds no events.
    """
    form = FORMS.get(suffix_of(path))
    if form is None or path.name.lower().endswith(".gz"):
        return None
    try:
        if path.stat().st_size < _SMALL_BYTES:
            return None
    except (OSError, ValueError):
        return None
    file = open_stored(path, form, max_bytes=max_bytes)
    if file is None or not file.schema.names or "state_only" in file.schema.names:
        return None
    sound(file.schema.empty_table(), path)
    rows = StoredRows(file)
    contents = file.contents()
    source = contents.source or _only_source(rows)
    if source is None:
        return None
    origin = _origin(contents, source, rows)
    return StoredEvents(Selection(rows, origin), fields=contents.fields, origin=origin)


def _origin(contents: CaptureContents, source: str, rows: StoredRows) -> Origin:
    start = contents.extra.get("start_ns")
    if not isinstance(start, int):
        start = rows.first_time()
    return Origin(
        source=source,
        plugin=contents.plugin,
        plugin_version=contents.plugin_version,
        hostname=contents.hostname or "",
        start_ns=start % 2**64,
        end_reason=None,
        notes=contents.notes,
        extra={"plugins": contents.extra.get("plugins")},
    )


def _only_source(rows: StoredRows) -> str | None:
    """Return the one source that the rows name, "" for none, None for several."""
    found: set[str] = set()
    if "evt.source" in rows.names:
        for part in rows.parts():
            for table in rows.read(part, ["evt.source"]):
                found.update(source_rows(table))
            if len(found) > 1:
                return None
    return found.pop() if found else ""
