"""The trace: API calls as the shared page recorded them, kept longer than its ring."""

from __future__ import annotations

import threading
from collections import deque
from typing import TYPE_CHECKING

from workbench.session.forks import renew_in_forks
from workbench.session.types import CallErrors, TraceCall
from workbench.wire.shared_page import IN_FLIGHT

if TYPE_CHECKING:
    from collections.abc import Sequence

    from workbench.wire.shared_page import SharedPage, TraceSlot

__all__ = ["Tracer"]

_MAX_CALLS = 20_000
_I64 = 2**63 - 1
# Hot functions, in the order of shared_page.h; counted, not listed.
_HOT = (
    "plugin_next_batch",
    "plugin_extract_fields",
    "plugin_event_to_string",
    "plugin_parse_event",
)
# Calls whose errors are counted by event, in the order of shared_page.h.
_FAILING = ("extract", "parse")
# Calls that come after everything a plugin does with events.
_LAST = ("plugin_close", "plugin_destroy", "plugin_capture_close", "dlclose")
_CODES = {
    0: "SUCCESS",
    1: "FAILURE",
    -1: "TIMEOUT",
    2: "EOF",
    3: "NOT_SUPPORTED",
}


class Tracer:
    """Reads the shared page's ring now and then, and gives :class:`TraceCall` rows."""

    def __init__(self, shared_page: SharedPage) -> None:
        """Start with nothing seen."""
        self._shared_page = shared_page
        # A reader of the trace and the reader of a capture drain the same ring.
        self._lock = threading.RLock()
        renew_in_forks(self)
        self._seen = 0
        self._slots: deque[TraceSlot] = deque(maxlen=_MAX_CALLS)
        # Names are looked up late: a plugin tells its own after its first calls.
        self.names: Sequence[str] = ()
        self.plugins: dict[int, str] = {}

    def renew_locks(self) -> None:
        """Forget in a fork who held the lock."""
        self._lock = threading.RLock()

    def drain(self) -> None:
        """Keep the finished calls that are in the ring."""
        with self._lock:
            for slot in self._shared_page.trace_since(self._seen):
                if slot[6] == IN_FLIGHT:
                    break
                self._seen = slot[0]
                self._slots.append(slot)

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
        function = self._name(call)
        return TraceCall(
            *(seq & _I64, name, function, args, answer, start & _I64, duration & _I64)
        )

    def calls(self, plugin: int | None, *, dead: bool = False) -> list[TraceCall]:
        """Return the calls, oldest first; hot functions stand once, with their counts.

        ``dead``: the worker is gone, so a call in flight never returned.
        """
        with self._lock:
            self.drain()
            slots = list(self._slots)
            if dead:
                slots += self._shared_page.trace_since(self._seen)
        calls = [self._call(s) for s in slots if plugin is None or s[4] == plugin]
        for index in sorted(self.plugins):
            if plugin is None or index == plugin:
                at = _end_of_streaming(calls, self.plugins[index])
                calls[at:at] = self._hot_calls(index)
        return calls

    def errors(self) -> list[CallErrors]:
        """Return in how many events of the latest capture a call failed."""
        found = []
        for plugin in sorted(self.plugins):
            for which, call in enumerate(_FAILING):
                events, first, text = self._shared_page.failed(plugin, which)
                if events:
                    found.append(CallErrors(plugin, call, events, first, text))
        return found

    def _hot_calls(self, plugin: int) -> list[TraceCall]:
        calls = []
        for which, name in enumerate(_HOT):
            count, timed, timed_ns, failures = self._shared_page.hot(plugin, which)
            if not count:
                continue
            spent = timed_ns * count // timed if timed else 0
            answer = f"{failures} failed" if failures else ""
            plugin_name = self.plugins[plugin]
            # A plugin that writes over the page writes numbers that no column holds.
            counted = (min(spent, _I64), min(count, _I64))
            calls.append(TraceCall(0, plugin_name, name, "", answer, 0, *counted))
        return calls


def _end_of_streaming(calls: Sequence[TraceCall], name: str) -> int:
    """Return where the calls begin that end what ``name`` did last."""
    at = len(calls)
    while at and (calls[at - 1].plugin != name or calls[at - 1].function in _LAST):
        at -= 1
    return at or len(calls)
