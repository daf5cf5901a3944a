"""Compare two JSON schemas of an init config: whether old configs still work."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Literal

from workbench.schemas.resolving import resolve_schema

if TYPE_CHECKING:
    from collections.abc import Iterator

__all__ = ["schema_changes"]

_Level = Literal["patch", "minor", "major"]
# Limits where a larger number refuses more, and where a smaller one does.
_LOWER_LIMITS = (
    "minimum",
    "exclusiveMinimum",
    "minLength",
    "minItems",
    "minProperties",
)
_UPPER_LIMITS = (
    "maximum",
    "exclusiveMaximum",
    "maxLength",
    "maxItems",
    "maxProperties",
)
_WORDS = ("title", "description", "examples", "$comment", "$schema", "$id")
# Deeper than any real config; a hostile schema may nest without end.
_MAX_DEPTH = 40


def schema_changes(
    old: dict[str, Any] | None, new: dict[str, Any] | None
) -> list[tuple[str, _Level]]:
    """List the differences of two schemas, each with the version change it needs.

    Both are compared resolved: moving a part into the definitions changes nothing.
    """
    if old == new:
        return []
    if old is None:
        return [("a schema now validates the config", "major")]
    if new is None:
        return [("no schema validates the config any more", "minor")]
    return list(_compare("config", resolve_schema(old), resolve_schema(new), 0))


def _compare(path: str, old: Any, new: Any, depth: int) -> Iterator[tuple[str, _Level]]:
    if old == new:
        return
    if not isinstance(old, dict) or not isinstance(new, dict) or depth > _MAX_DEPTH:
        yield f"{path}: changed", "major"
        return
    for key in sorted({*old, *new}):
        if old.get(key) == new.get(key):
            continue
        a, b = old.get(key), new.get(key)
        if key == "properties":
            yield from _properties(path, old, new, depth)
        elif key == "items" and isinstance(a, dict) and isinstance(b, dict):
            yield from _compare(f"{path}[]", a, b, depth + 1)
        else:
            yield _keyword(path, key, a, b)


def _properties(
    path: str, old: dict[str, Any], new: dict[str, Any], depth: int
) -> Iterator[tuple[str, _Level]]:
    was, now = old.get("properties") or {}, new.get("properties") or {}
    if not isinstance(was, dict) or not isinstance(now, dict):
        yield f"{path}: properties changed", "major"
        return
    for name in was:
        if name not in now:
            yield f"{path}.{name}: removed", "major"
        else:
            yield from _compare(f"{path}.{name}", was[name], now[name], depth + 1)
    for name in now:
        if name not in was:
            yield f"{path}.{name}: added", "minor"


def _keyword(path: str, key: str, a: Any, b: Any) -> tuple[str, _Level]:
    """Judge one changed keyword; None stands for a missing one."""
    what = f"{path}: {key} {a!r} → {b!r}"
    if key in _WORDS:
        return f"{path}: {key} changed", "patch"
    if key == "default":
        return what, "minor"
    if key in _LOWER_LIMITS or key in _UPPER_LIMITS:
        if b is None:
            return what, "minor"
        grew = a is None or _larger(b, a)
        tighter = grew if key in _LOWER_LIMITS else a is None or not grew
        return what, "major" if tighter else "minor"
    if key in ("enum", "type", "required"):
        return what, _set_change(key, a, b)
    if key == "additionalProperties":
        return what, "major" if b is False else "minor"
    # pattern, format, oneOf …: whether fewer configs pass cannot be decided.
    return what, "minor" if b is None else "major"


def _larger(a: Any, b: Any) -> bool:
    try:
        return bool(a > b)
    except TypeError:
        return True


def _set_change(key: str, a: Any, b: Any) -> _Level:
    was = a if isinstance(a, list) else [] if a is None else [a]
    now = b if isinstance(b, list) else [] if b is None else [b]
    if key == "required":
        return "major" if [n for n in now if n not in was] else "minor"
    if not now:
        return "minor"
    return "minor" if was and all(value in now for value in was) else "major"
