"""When a worker has been silent for too long, whatever it claims to be doing.

Only time in which somebody waits counts, and little of it at once: a notebook that was
suspended finds its worker as it left it.
"""

from __future__ import annotations

import time
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

__all__ = ["DEFAULT_CALL_TIMEOUT_SEC", "Watchdog"]

DEFAULT_CALL_TIMEOUT_SEC = 30.0
_LONGEST_LOOK_SEC = 1.0
# A request makes several calls; each may take up to the limit. More calls than this
# come only with rows or rounds, which have an allowance of their own.
_CALLS_PER_REPLY = 10
_SEC_PER_VALUE = 0.01
# Between two calls the worker is at work itself, on a machine that may be busy.
_BETWEEN_CALLS_SEC = 5.0


class Watchdog:
    """Adds up waiting time: since the last sign of progress, and for one reply."""

    def __init__(self, limit_sec: float | None) -> None:
        """``limit_sec``: for each call; None for the default."""
        self._limit = DEFAULT_CALL_TIMEOUT_SEC if limit_sec is None else limit_sec
        self._looked = time.monotonic()
        self._number = -1
        self._still = 0.0
        self._asked = 0.0
        self._budget = 0.0
        self._data_ended = 0.0
        self._spent = 0.0

    def ask(self, op: str, request: Mapping[str, Any]) -> None:
        """Start the time of a reply."""
        count = int(request.get("count", 0))
        values = count * (1 + len(request.get("columns", ())))
        values *= 1 + int(request.get("threads", 0))
        rounds = count if op == "rounds" else 0
        calls = max(self._limit, _BETWEEN_CALLS_SEC) * (_CALLS_PER_REPLY + rounds)
        self._asked = self._still = 0.0
        self._budget = calls + _SEC_PER_VALUE * values

    def answered(self) -> None:
        """End the time of a reply."""
        self._asked = self._still = self._budget = 0.0

    def begin(self) -> None:
        """Begin to wait: what passed before does not count."""
        self._looked = time.monotonic()

    def exceeded(
        self, number: int, *, calling: bool, idle: bool, stopped: Callable[[], bool]
    ) -> float:
        """Count the time since the last look; return the limit that passed, or 0.

        As the page claims: ``number``, calls made so far; ``calling``: one is in
        flight; ``idle``: it is one that may rest for ever. ``stopped``: whether the
        kernel says that the process does not run, asked only when it seems so.
        """
        now = time.monotonic()
        self._spent = min(now - self._looked, _LONGEST_LOOK_SEC)
        self._looked = now
        if number != self._number:
            self._number, self._still = number, 0.0
        self._still += self._spent
        if self._budget:
            self._asked += self._spent
            if self._asked > self._budget:
                return self._budget
        if self._still <= self._limit:
            return 0.0
        rests = idle and not self._budget
        late = calling or self._still > max(self._limit, _BETWEEN_CALLS_SEC)
        return self._limit if (late and not rests) or stopped() else 0.0

    def data_ended_for(self, ended: bool, limit_sec: float) -> bool:  # noqa: FBT001
        """Whether the data socket has been at its end for longer than the limit."""
        self._data_ended = self._data_ended + self._spent if ended else 0.0
        return self._data_ended > limit_sec
