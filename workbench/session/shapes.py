"""The shape of every message that a worker sends: one table, and its check.

A shape is a type or a small object that checks one value. What does not fit is an
InvalidDataError; what fits can be used without looking again.
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from workbench.wire.messages import LARGEST_BODY

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

__all__ = ["END_SHAPE", "ERROR_SHAPE", "REPLIES", "InvalidDataError", "Reply", "check"]

# A deep document would exhaust the stack of whoever walks through it later.
_DEEPEST = 200
_U64 = 2**64 - 1
_I64 = 2**63


class InvalidDataError(ValueError):
    """What came from the worker is not what a worker sends."""


def _text(limit: int = LARGEST_BODY) -> Callable[[Any], bool]:
    return lambda value: isinstance(value, str) and len(value) <= limit


def _number(low: int, high: int) -> Callable[[Any], bool]:
    return lambda value: type(value) is int and low <= value <= high


def _flag(value: Any) -> bool:
    return isinstance(value, bool)


def _nothing(value: Any) -> bool:
    return value is None


def _amount(value: Any) -> bool:
    """Whether ``value`` is a finite number of a sensible size."""
    if type(value) is int:
        return -_I64 <= value <= _U64
    return isinstance(value, float) and math.isfinite(value)


def _either(*shapes: Callable[[Any], bool]) -> Callable[[Any], bool]:
    return lambda value: any(shape(value) for shape in shapes)


def _list(shape: Callable[[Any], bool], most: int = 1 << 20) -> Callable[[Any], bool]:
    return lambda value: (
        isinstance(value, list) and len(value) <= most and all(map(shape, value))
    )


def _object(
    shapes: Mapping[str, Callable[[Any], bool]],
    optional: Mapping[str, Callable[[Any], bool]] | None = None,
) -> Callable[[Any], bool]:
    every = {**shapes, **(optional or {})}

    def fits(value: Any) -> bool:
        return (
            isinstance(value, dict)
            and value.keys() <= every.keys()
            and shapes.keys() <= value.keys()
            and all(every[key](item) for key, item in value.items())
        )

    return fits


def _document(value: Any) -> bool:
    """Whether ``value`` is an object that is not nested too deeply."""
    level: list[dict[str, Any] | list[Any]] = []
    if isinstance(value, dict):
        level.append(value)
    depth = 0
    while level and depth < _DEEPEST:
        depth += 1
        level = [
            item
            for node in level
            for item in (node.values() if isinstance(node, dict) else node)
            if isinstance(item, dict | list)
        ]
    return depth > 0 and not level


_NAME = _text(4096)
_SHORT = _text(64 << 10)
_TEXTS = _list(_text())

_FIELD = _object(
    {"name": _text(), "type": _NAME},
    {
        "desc": _text(),
        "display": _text(),
        "id": _number(0, 2**32 - 1),
        "isList": _flag,
        "arg": _object({}, dict.fromkeys(("isRequired", "isIndex", "isKey"), _flag)),
        "properties": _TEXTS,
        "addOutput": _flag,
    },
)
_OPEN_PARAMS = _list(
    _object({"value": _text()}, {"desc": _text(), "separator": _text()})
)
_MANIFEST = _object(
    {
        **dict.fromkeys(("path", "name", "version", "description", "contact"), _text()),
        **dict.fromkeys(("event_source", "required_api_version"), _text()),
        "id": _number(0, 2**32 - 1),
        "fields": _list(_FIELD),
        "init_schema": _either(_nothing, _document),
        "open_params": _either(_nothing, _OPEN_PARAMS),
    },
    {
        **dict.fromkeys(("capabilities", "complaints", "symbols"), _TEXTS),
        **dict.fromkeys(("extract_event_sources", "parse_event_sources"), _TEXTS),
        **dict.fromkeys(("async_event_sources", "async_events"), _TEXTS),
        "family": _NAME,
    },
)
ERROR_SHAPE = _object(
    {"kind": _NAME, "message": _text()},
    {
        "facts": _object(
            {},
            {
                **dict.fromkeys(
                    ("plugin", "params", "last_error", "call", "path", "config_path"),
                    _either(_nothing, _text()),
                ),
                **dict.fromkeys(
                    ("return_code", "event_number"),
                    _either(_nothing, _number(-_I64, _U64)),
                ),
                "complaints": _either(_nothing, _TEXTS),
            },
        )
    },
)
END_SHAPE = _object(
    {
        "end": lambda value: value in ("eof", "limit", "cancelled", "failure"),
        "error": _either(_nothing, ERROR_SHAPE),
    },
    {
        "ways": _list(
            _object(
                {
                    "order": _number(1, 3),
                    "staged": _flag,
                    "events": _number(0, _U64),
                    "ns": _amount,
                }
            ),
            16,
        )
    },
)
# What a worker says of its sandbox, before it has loaded anything.
_SANDBOX = _object(
    {
        "guard": _number(1, 2**31 - 1),
        "landlock": _number(1, 1000),
        "told": _flag,
        "readable": _TEXTS,
        "error": _either(_nothing, ERROR_SHAPE),
    }
)
_METRIC = _object({"name": _text(), "type": _NAME, "value": _amount})
_SIZES = _list(_number(0, 1 << 48))
_COLUMNS = _list(_SHORT, 1 << 16)


@dataclass(frozen=True, slots=True)
class Reply:
    """What answers one request: the shape of ``ok``, the number of descriptors."""

    shape: Callable[[Any], bool]
    descriptors: int = 0


# Request → what its reply must be. "hello" is what a worker says first.
REPLIES: dict[str, Reply] = {
    "hello": Reply(
        _object(
            {
                "calls": _list(_text(100), 500),
                "sandbox": _either(_nothing, _SANDBOX),
            }
        )
    ),
    "load": Reply(_object({"plugin": _number(0, 1 << 20), "manifest": _MANIFEST})),
    "init": Reply(
        _object(
            {"open_params": _OPEN_PARAMS}, {"complaint": _either(_nothing, _text())}
        )
    ),
    "open": Reply(_object({"source": _text(), "columns": _COLUMNS}), 1),
    "close_capture": Reply(_nothing),
    "progress": Reply(
        _either(
            _nothing,
            _object({"hundredths": _number(-_I64, _U64), "text": _text()}),
        )
    ),
    "set_config": Reply(_flag),
    "metrics": Reply(_list(_METRIC)),
    "tables": Reply(_nothing, 1),
    "dump_state": Reply(_SIZES, 1),
    "live_objects": Reply(_amount),
    "extract": Reply(_object({"sizes": _SIZES, "columns": _COLUMNS}), 1),
    "threads": Reply(_object({"runs": _list(_SIZES, 4096), "columns": _COLUMNS}), 1),
    "event_strings": Reply(_nothing, 1),
    "rounds": Reply(
        _object(
            {
                "done": _number(0, 1 << 40),
                "failed": _either(_nothing, _text()),
                "growth": _amount,
            }
        )
    ),
    "close": Reply(_nothing),
}


def check(shape: Callable[[Any], bool], value: Any, what: str) -> Any:
    """Return ``value`` when it has the shape, else raise InvalidDataError."""
    if not shape(value):
        raise InvalidDataError(f"a malformed {what}")
    return value
