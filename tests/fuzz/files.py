"""A file from a stranger, opened as a user would."""

from __future__ import annotations

import os
from pathlib import Path

import workbench as wb

_LONGEST_TEXT = 4_000


def read_file(data: bytes, suffix: str) -> None:
    """Open ``data`` as events and look at them: one typed error, or all can be used."""
    link = Path(f"/dev/shm/fuzz-{os.getpid()}{suffix}")
    try:
        link.write_bytes(data)
        events = wb.open_events(link)
        repr(events)
        events._repr_html_()
        events.table.validate(full=True)
        events.frame.to_dict("list")
    except wb.WorkbenchError as error:
        assert len(str(error)) < _LONGEST_TEXT, len(str(error))
        repr(error)
    finally:
        link.unlink(missing_ok=True)
