"""Moments and units of time, as people give them."""

from __future__ import annotations

from typing import Any, Final

from workbench.arguments import described
from workbench.errors import ArgumentError

__all__ = ["UNITS", "fitting_unit", "moment_ns"]

_SEC: Final = 10**9
# Unit → ns.
UNITS: Final = {
    "second": _SEC,
    "minute": 60 * _SEC,
    "hour": 3600 * _SEC,
    "day": 86_400 * _SEC,
}
_MOST_UNITS: Final = 200


def moment_ns(moment: Any) -> int | None:
    """Return ns since the epoch; None stays. Raises ArgumentError for anything else.

    A text or time without a zone is UTC.
    """
    if moment is None:
        return None
    if isinstance(moment, int) and not isinstance(moment, bool):
        found = moment
    else:
        import pandas as pd

        try:
            time = pd.Timestamp(moment)
            zoned = time.tz_localize("UTC") if time.tzinfo is None else time
            found = int(zoned.as_unit("ns").value)
        except (ValueError, TypeError, OverflowError):
            raise ArgumentError(
                "between takes times: ns since the epoch, or a text such as "
                f"'2024-05-01 12:00', not {described(moment)}",
                argument="start",
            ) from None
    if not 0 <= found < 2**64:
        raise ArgumentError(
            f"between takes times since 1970, not {described(moment)}",
            argument="start",
        )
    return found


def fitting_unit(first_ns: int, last_ns: int) -> str:
    """Return the smallest unit that cuts a time range in few pieces."""
    span = last_ns - first_ns
    return next((n for n, ns in UNITS.items() if span <= ns * _MOST_UNITS), "day")
