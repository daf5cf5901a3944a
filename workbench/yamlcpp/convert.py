"""Scalar text → values, as the engine's YAML reader converts them."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from workbench.yamlcpp.nodes import Node

__all__ = ["as_bool", "as_float", "as_int", "as_uint32", "plain_json"]

_TRUE = frozenset(("y", "yes", "true", "on"))
_FALSE = frozenset(("n", "no", "false", "off"))

# C++ stream extraction with the base taken from the prefix, nothing but blanks after.
_INTEGER = re.compile(r"([+-]?)(0[xX][0-9a-fA-F]+|[0-9]+)[ \t\n\v\f\r]*\Z")
_MAX_DIGITS = 1000
_FLOAT = re.compile(
    r"[+-]?(?:[0-9]+\.?[0-9]*|\.[0-9]+)(?:[eE][+-]?[0-9]+)?[ \t\n\v\f\r]*\Z"
)
_SPECIAL_FLOATS = {
    **dict.fromkeys((".inf", ".Inf", ".INF", "+.inf", "+.Inf", "+.INF"), "inf"),
    **dict.fromkeys(("-.inf", "-.Inf", "-.INF"), "-inf"),
    **dict.fromkeys((".nan", ".NaN", ".NAN"), "nan"),
}


def as_bool(text: str) -> bool | None:
    """Read a YAML 1.1 truth word in lower, upper or capitalised form."""
    if not text.isascii():
        return None
    if text not in (text.lower(), text.upper(), text.lower().capitalize()):
        return None
    word = text.lower()
    if word in _TRUE:
        return True
    return False if word in _FALSE else None


def _integer(text: str) -> int | None:
    hit = _INTEGER.match(text)
    if hit is None:
        return None
    sign, digits = hit.groups()
    if len(digits) > _MAX_DIGITS:
        # Beyond every type, and Python reads decimal digits up to a limit.
        return None
    if digits[:2] in ("0x", "0X"):
        value = int(digits, 16)
    elif len(digits) > 1 and digits[0] == "0":
        if "8" in digits or "9" in digits:
            return None
        value = int(digits, 8)
    else:
        value = int(digits)
    return -value if sign == "-" else value


def as_uint32(text: str) -> int | None:
    """Read an unsigned 32-bit number: decimal, ``0x`` hex or leading-zero octal."""
    if text.startswith("-"):
        return None
    value = _integer(text)
    return value if value is not None and 0 <= value < 1 << 32 else None


def as_int(text: str, *, bits: int = 32) -> int | None:
    """Read a signed number of ``bits`` bits: decimal, hex or octal."""
    value = _integer(text)
    if value is None or not -(1 << (bits - 1)) <= value < 1 << (bits - 1):
        return None
    return value


def as_float(text: str) -> float | None:
    """Read a number with optional fraction and exponent, or ``.inf``, ``.nan``."""
    special = _SPECIAL_FLOATS.get(text)
    if special is not None:
        return float(special)
    return float(text) if _FLOAT.match(text) else None


def plain_json(node: Node) -> Any:
    """Turn a node into dicts, lists, text and None; scalars stay text.

    Of duplicate keys the first counts. The parser's bound on aliases is what keeps
    the result finite.
    """
    if node.kind == "scalar":
        return node.text
    if node.kind == "sequence":
        return [plain_json(item) for item in node.items]
    if node.kind == "mapping":
        result: dict[str, Any] = {}
        for key, value in node.pairs:
            if key.kind in ("scalar", "null"):
                result.setdefault(key.text, plain_json(value))
        return result
    return None
