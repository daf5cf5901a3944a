"""Log lines: as the C host packs them (head, component, text), and kept, bounded."""

from __future__ import annotations

import struct
import time
from collections import deque

from workbench.session.types import LogLine

__all__ = ["LARGEST_LOG_PACKET", "KeptLines", "decode_log_packet"]

LARGEST_LOG_PACKET = 16_384
_HEAD = struct.Struct("<IiQII")  # plugin, severity, time ns, lengths of the two texts
# What is kept of one session's log: the newest lines.
_MOST_LINES = 10_000
_MOST_BYTES = 8 << 20
_SEVERITIES = {
    1: "fatal",
    2: "critical",
    3: "error",
    4: "warning",
    5: "notice",
    6: "info",
    7: "debug",
    8: "trace",
}


def decode_log_packet(packet: bytes) -> tuple[int, LogLine] | None:
    """Return the plugin's number and the line, None for a packet that is none."""
    if len(packet) < _HEAD.size:
        return None
    plugin, severity, time_ns, component, text = _HEAD.unpack_from(packet)
    body = packet[_HEAD.size :]
    words = body[component : component + text].decode("utf-8", "replace")
    line = LogLine(
        time_ns=time_ns,
        stream="log",
        severity=_SEVERITIES.get(severity, str(severity)),
        component=body[:component].decode("utf-8", "replace"),
        message=words.removesuffix("\n"),
    )
    return plugin, line


class KeptLines:
    """The newest lines of a session with their plugins, bounded in lines and size."""

    def __init__(self) -> None:
        """Begin empty."""
        self._lines: deque[tuple[int | None, LogLine]] = deque()
        self._size = 0

    def add(self, owner: int | None, line: LogLine) -> None:
        """Keep ``line``; the oldest ones go when there are too many."""
        self._lines.append((owner, line))
        self._size += _size(line)
        while len(self._lines) > _MOST_LINES or self._size > _MOST_BYTES:
            self._size -= _size(self._lines.popleft()[1])

    def of(self, plugin: int | None, lost: int = 0) -> list[LogLine]:
        """Return the lines of one plugin, of all for None, oldest first.

        ``lost``: lines that nobody read in time; the last line then says so.
        """
        entries = list(self._lines)
        found = [line for owner, line in entries if plugin in (None, owner)]
        if lost:
            text = f"{lost} log lines were lost: they came faster than they are read"
            found.append(LogLine(time.time_ns(), "log", "warning", "workbench", text))
        return found


def _size(line: LogLine) -> int:
    return len(line.component) + len(line.message)
