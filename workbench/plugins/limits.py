"""Limits of a capture: that they are numbers, before anything is opened."""

from __future__ import annotations

import math
from numbers import Integral, Real
from typing import Any

from workbench.errors import WorkbenchError

__all__ = ["checked_count", "checked_seconds"]


def checked_count(name: str, value: Any) -> int | None:
    """Return a count from 0 on, or None. Raises WorkbenchError for anything else."""
    if value is None:
        return None
    whole = isinstance(value, Integral) and not isinstance(value, bool)
    if not whole or value < 0:
        raise WorkbenchError(f"{name} is a whole number from 0 on, not {value!r}")
    return int(value)


def checked_seconds(name: str, value: Any) -> float | None:
    """Return a time from 0 on, or None. Raises WorkbenchError for anything else."""
    if value is None:
        return None
    number = isinstance(value, Real) and not isinstance(value, bool)
    if not number or math.isnan(value) or value < 0:
        raise WorkbenchError(f"{name} is a number of seconds from 0 on, not {value!r}")
    return float(value)
