"""JSON without the ``json`` package, whose import is half of a worker's start.

The C functions under it are used directly, with the package as fallback.
"""

from __future__ import annotations

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable
    from typing import Any

__all__ = ["decode", "encode"]


class _Context:
    """What the C scanner wants to know; control characters in texts pass."""

    strict = False
    object_hook = None
    object_pairs_hook = None
    parse_float = float
    parse_int = int
    parse_constant = float
    memo: dict[str, str]

    def __init__(self) -> None:
        self.memo = {}


def _refuse(value: Any) -> Any:
    raise TypeError(f"{type(value).__name__} is no JSON")


def _functions() -> tuple[Callable[..., Any], Callable[..., Any]]:
    try:
        import _json

        context: Any = _Context()
        scan = _json.make_scanner(context)
        make = _json.make_encoder(
            {},
            _refuse,
            _json.encode_basestring_ascii,
            None,
            ": ",
            ", ",
            False,
            False,
            False,
        )
        if "".join(make({"a": [1, "é"]}, 0)) == '{"a": [1, "\\u00e9"]}':
            return scan, make
    except (ImportError, AttributeError, TypeError):
        pass
    import json

    decoder: Any = json.JSONDecoder(strict=False)
    encoder = json.JSONEncoder(allow_nan=False)
    return decoder.scan_once, lambda value, _level: (encoder.encode(value),)


_SCAN, _MAKE = _functions()
_BLANK = " \t\r\n\ufeff"


def decode(text: str) -> Any:
    """Decode the first document in ``text``. Raises ValueError when there is none."""
    start = len(text) - len(text.lstrip(_BLANK))
    try:
        value, _ = _SCAN(text, start)
    except StopIteration:
        raise ValueError("there is no JSON document") from None
    except RecursionError:
        raise ValueError("nested too deeply") from None
    except SystemError:
        # The scanner has no words for what is wrong until json itself is imported.
        import json.decoder  # noqa: F401

        value, _ = _SCAN(text, start)
    return value


def encode(value: Any) -> str:
    """Return ``value`` as ASCII text."""
    return "".join(_MAKE(value, 0))
