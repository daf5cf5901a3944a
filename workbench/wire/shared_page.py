"""The shared page: what the plugin is doing, how it died, what it was asked.

The layout is that of ``native/src/host/shared_page.h``; its asserts hold the offsets.
"""

from __future__ import annotations

import struct

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Any

__all__ = ["PAGE_BYTES", "SharedPage", "TraceSlot"]

_STATE = struct.Struct("<IIQQQ")  # call, plugin, call_seq, enter_ns, event_number
_CRASH = struct.Struct(
    "<IiiIQQI"
)  # crashed, signal, code, call, address, event, thread
_HOT = struct.Struct("<QQQQ")
_SLOT = struct.Struct("<QQQIIiI")
_HOT_AT = 4096
_TRACE_AT = 16384
_SLOTS = 1024
_SLOT_BYTES = 320
_TEXT_BYTES = 128
_HOT_CALLS = 4
_HOT_PLUGINS = 64
_FAILED_AT = _TRACE_AT + _SLOTS * _SLOT_BYTES
_FAILED = struct.Struct("<QQ")  # events, number of the first; then its text
_FAILED_BYTES = 512
_FAILED_CALLS = 2
PAGE_BYTES = _FAILED_AT + _HOT_PLUGINS * _FAILED_CALLS * _FAILED_BYTES

IN_FLIGHT = 255

# One row of the trace ring: seq, start_ns, duration_ns, call, plugin, code, kind, args,
# text. kind: 0 nothing returned, 1 a code, 2 a text, 255 still running.
TraceSlot = tuple[int, int, int, int, int, int, int, str, str]


def _text(raw: bytes) -> str:
    return raw.partition(b"\0")[0].decode("utf-8", "replace")


class SharedPage:
    """A view of the page; ``memory`` is writable and outlives this object."""

    def __init__(self, memory: Any) -> None:
        """Look at ``memory``, the whole page."""
        self._memory = memory

    def state(self) -> tuple[int, int, int, int, int]:
        """Return call in flight (0: none), plugin, calls, enter ns, event number."""
        return _STATE.unpack_from(self._memory, 8)

    def counters(self) -> tuple[int, int]:
        """Return chunks sent and their cost in bytes."""
        chunks, cost = struct.unpack_from("<QQ", self._memory, 40)
        return chunks, cost

    def set_stop(self, on: int) -> None:
        """Ask the pump to end the capture at the next event."""
        struct.pack_into("<I", self._memory, 64, on)

    def waiting(self) -> bool:
        """Return whether the pump waits for the reader."""
        return bool(struct.unpack_from("<I", self._memory, 68)[0])

    def acknowledge(self, cost: int) -> None:
        """Acknowledge chunks of this cost in total."""
        struct.pack_into("<Q", self._memory, 72, cost)

    def exited(self) -> bool:
        """Whether the process left by exit, not by _exit or a signal."""
        return bool(struct.unpack_from("<I", self._memory, 80)[0])

    def crash(self) -> tuple[int, int, int, int, int, int, int]:
        """Return crashed, signal, code, call, fault address, event, other thread."""
        return _CRASH.unpack_from(self._memory, 88)

    def crash_plugin(self) -> int:
        """Return the index of the plugin that was called when the process died."""
        return int(struct.unpack_from("<I", self._memory, 144)[0])

    def stack_pointer(self) -> int:
        """Return where the stack was when it crashed, 0 if unknown."""
        return int(struct.unpack_from("<Q", self._memory, 152)[0])

    def lost(self) -> int:
        """Return the latest call when the process has lost its descriptors, else 0."""
        call, flag = struct.unpack_from("<II", self._memory, 160)
        return int(call) if flag else 0

    def log_dropped(self) -> int:
        """Count log lines that nobody read in time."""
        return int(struct.unpack_from("<Q", self._memory, 128)[0])

    def hot(self, plugin: int, which: int) -> tuple[int, int, int, int]:
        """Return calls, calls timed, their ns, and failures of a hot function."""
        index = min(plugin, _HOT_PLUGINS - 1) * _HOT_CALLS + which
        return _HOT.unpack_from(self._memory, _HOT_AT + index * _HOT.size)

    def failed(self, plugin: int, which: int) -> tuple[int, int, str]:
        """Return in how many events a call failed, and number and words of the first.

        ``which``: 0 extract, 1 parse. Counted since the latest capture began.
        """
        index = min(plugin, _HOT_PLUGINS - 1) * _FAILED_CALLS + which
        at = _FAILED_AT + index * _FAILED_BYTES
        events, first = _FAILED.unpack_from(self._memory, at)
        if not events:
            return 0, 0, ""
        raw = bytes(self._memory[at + _FAILED.size : at + _FAILED_BYTES])
        return events, first, _text(raw)

    def trace_since(self, seen: int) -> list[TraceSlot]:
        """Return the rows after number ``seen`` that are still in the ring."""
        head = struct.unpack_from("<Q", self._memory, 136)[0]
        rows = []
        for seq in range(max(seen, head - _SLOTS) + 1, head + 1):
            at = _TRACE_AT + (seq - 1) % _SLOTS * _SLOT_BYTES
            row = _SLOT.unpack_from(self._memory, at)
            if row[0] != seq:
                continue
            args = at + _SLOT.size
            raw = bytes(self._memory[args : args + 2 * _TEXT_BYTES])
            rows.append((*row, _text(raw[:_TEXT_BYTES]), _text(raw[_TEXT_BYTES:])))
        return rows
