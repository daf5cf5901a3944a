"""Whether what a learner typed is the answer, however it was typed."""

from __future__ import annotations

from collections.abc import Iterable
from numbers import Integral, Real
from typing import Any

__all__ = ["same_answer", "same_kind", "spoken"]

# Nobody types more; a whole frame by mistake must not be read to its end.
_MOST = 10_000


def _plain(value: Any) -> Any:
    """Return one value so that equal answers are equal: 7, "7 " and numpy's 7."""
    if isinstance(value, bool) or type(value).__name__ in {"bool", "bool_"}:
        return bool(value)
    if isinstance(value, Integral):
        return int(value)
    if isinstance(value, Real):
        return float(value)
    if isinstance(value, bytes):
        value = value.decode("utf-8", "replace")
    if not isinstance(value, str):
        return value
    text = " ".join(value.split()).casefold().strip("`'\". ")
    if text in {"true", "yes"}:
        return True
    if text in {"false", "no"}:
        return False
    number = text.replace(",", "").replace("_", "")
    return int(number) if number.isdecimal() and len(number) <= 18 else text


def _several(value: Any) -> list[Any] | None:
    """Return what is in a list, set, array or column; None for a single value."""
    if isinstance(value, str | bytes) or not isinstance(value, Iterable):
        return None
    found = []
    for item in value:
        found.append(_plain(item))
        if len(found) > _MOST:
            break
    return found


def same_kind(expected: Any, given: Any) -> bool:
    """Whether an answer is one value or several, as expected."""
    return (_several(expected) is None) == (_several(given) is None)


def same_answer(expected: Any, given: Any, *, ordered: bool = False) -> bool:
    """Whether ``given`` says the same as ``expected``.

    Case, blanks and quotes around a text do not matter, nor whether a number was typed
    as text; the order of several values only with ``ordered``.
    """
    wanted, found = _several(expected), _several(given)
    if wanted is None or found is None:
        return wanted is found and _equal(_plain(expected), _plain(given))
    if not ordered:
        wanted, found = (sorted(v, key=_sorting) for v in (wanted, found))
    return len(wanted) == len(found) and all(map(_equal, wanted, found))


def _equal(one: Any, other: Any) -> bool:
    if isinstance(one, bool) != isinstance(other, bool):
        return False
    try:
        return bool(one == other)
    except (TypeError, ValueError):  # whatever was given has its own idea of equality
        return False


def _sorting(value: Any) -> tuple[str, str]:
    return type(value).__name__, f"{value!r:.200}"


def spoken(value: Any) -> str:
    """Return an answer as one line of text."""
    several = _several(value)
    if several is None:
        return str(_plain(value))
    return ", ".join(map(str, several)) or "none"
