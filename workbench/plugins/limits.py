"""Arguments of a capture: that they are what they must be, before it is opened."""

from __future__ import annotations

import math
from numbers import Integral, Real
from typing import Any

from workbench.arguments import PATH, Kind, either, several
from workbench.errors import WorkbenchError

__all__ = ["FIELDS", "PARAMS", "checked_count", "checked_seconds"]


def _is_field(value: Any) -> bool:
    return isinstance(value, str) or hasattr(value, "column")


# Open params are often a path.
PARAMS = Kind("a text without NUL, or a Path", PATH.fits)
FIELDS = either(Kind("a list of field texts", several(_is_field)), None)


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
