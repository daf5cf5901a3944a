"""The trace: API calls as the board recorded them, kept beyond the ring's length."""

from __future__ import annotations

from collections import deque
from typing import TYPE_CHECKING

from workbench.worker.protocol.board import IN_FLIGHT
from workbench.worker.session import TraceCall

if TYPE_CHECKING:
    from collections.abc import Sequence

    from workbench.worker.protocol.board import Board, TraceSlot

__all__ = ["Tracer"]

_MOST_CALLS = 20_000
# Hot functions, in the order of shared_page.h; counted, not listed.
_HOT = (
    "plugin_next_batch",
    "plugin_extract_fields",
    "plugin_event_to_string",
    "plugin_parse_event",
)
_CODES = {
    0: "SUCCESS",
    1: "FAILURE",
    -1: "TIMEOUT",
    2: "EOF",
    3: "NOT_SUPPORTED",
}


class Tracer:
    """Reads the board's ring now and then, and gives :class:`TraceCall` rows."""

    def __init__(self, board: Board) -> None:
        """Start with nothing seen."""
        self._board = board
        self._seen = 0
        self._calls: deque[tuple[int, TraceCall]] = deque(maxlen=_MOST_CALLS)
        # What happened before, such as by the bench that loaded the plugin.
        self.names: Sequence[str] = ()
        self.plugins: dict[int, str] = {}

    def drain(self) -> None:
        """Keep the finished calls that are in the ring."""
        for slot in self._board.trace_since(self._seen):
            if slot[6] == IN_FLIGHT:
                break
            self._seen = slot[0]
            self._calls.append((slot[4], self._call(slot)))

    def _name(self, call: int) -> str:
        return self.names[call] if 0 <= call < len(self.names) else f"call {call}"

    def _call(self, slot: TraceSlot) -> TraceCall:
        seq, start, duration, call, plugin, code, kind, args, text = slot
        answer = text
        if kind == 1:
            answer = _CODES.get(code, str(code)) + (f", {text}" if text else "")
        elif kind == IN_FLIGHT:
            answer = "(did not return)"
        name = self.plugins.get(plugin, str(plugin))
        return TraceCall(seq, name, self._name(call), args, answer, start, duration)

    def calls(self, plugin: int | None, *, dead: bool = False) -> list[TraceCall]:
        """Give the calls, oldest first, then the hot functions with their counts.

        ``dead``: the host is gone, so a call in flight never returned.
        """
        self.drain()
        rows = list(self._calls)
        if dead:
            left = self._board.trace_since(self._seen)
            rows += [(slot[4], self._call(slot)) for slot in left]
        calls = [call for owner, call in rows if plugin is None or owner == plugin]
        for index in sorted(self.plugins):
            if plugin is None or index == plugin:
                calls += self._hot_calls(index)
        return calls

    def _hot_calls(self, plugin: int) -> list[TraceCall]:
        calls = []
        for which, name in enumerate(_HOT):
            count, timed, timed_ns, failures = self._board.hot(plugin, which)
            if not count:
                continue
            spent = timed_ns * count // timed if timed else 0
            answer = f"{failures} failed" if failures else ""
            calls.append(
                TraceCall(0, self.plugins[plugin], name, "", answer, 0, spent, count)
            )
        return calls
