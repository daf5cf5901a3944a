"""Field values as conditions write them.

What is written here is read back as the same value: quoted where it must be, and given
up where no literal says it.
"""

from __future__ import annotations

import ipaddress
import re
from typing import TYPE_CHECKING, Any

from workbench.fields.quoting import quote

if TYPE_CHECKING:
    from workbench.fields.declarations import FieldInfo

__all__ = ["check_text", "literal"]

# Most items of a list value that one check names.
_FEW = 24
# Longest value offered as a literal, in bytes: a condition should stay readable.
_MAX_TEXT = 200
_BARE = re.compile(rb"[A-Za-z_/][A-Za-z0-9_./:-]*")
_WORDS = frozenset({b"and", b"or", b"not", b"exists", b"in", b"intersects", b"pmatch"})


def literal(value: Any, info: FieldInfo | None) -> str | None:
    """Write a field value as a condition does, None when that is not possible."""
    kind = info.type if info else "string"
    if isinstance(value, bool):
        return "true" if value else "false"
    if isinstance(value, bytes) and kind in {"ipaddr", "ipnet"}:
        try:
            address = ipaddress.ip_address(value)
        except ValueError:
            return None
        # The engine compares networks with networks: one address is the smallest.
        size = f"/{address.max_prefixlen}" if kind == "ipnet" else ""
        return f"{address}{size}"
    if isinstance(value, str):
        value = value.encode("utf-8", "surrogateescape")
    if isinstance(value, bytes):
        if len(value) > _MAX_TEXT or b"\0" in value or value.endswith(b"\\"):
            return None
        if _BARE.fullmatch(value) and value not in _WORDS:
            return value.decode()
        try:
            return quote(value).decode("utf-8")
        except UnicodeDecodeError:
            return None
    if isinstance(value, int):
        return str(value)
    return None


def check_text(
    name: str, value: Any, info: FieldInfo | None, *, negate: bool = False
) -> str | None:
    """Write the check that this value passes; None when no literal says it.

    A list value gives an ``intersects`` of its items, None an ``exists``.
    """
    if value is None:
        return f"{name} exists" if negate else f"not {name} exists"
    if isinstance(value, list):
        items = [literal(item, info) for item in value[:_FEW]]
        if not items or any(item is None for item in items):
            return None
        check = f"{name} intersects ({', '.join(str(item) for item in items)})"
    else:
        text = literal(value, info)
        if text is None:
            return None
        listed = info is not None and info.is_list
        check = f"{name} intersects ({text})" if listed else f"{name} = {text}"
    return f"not {check}" if negate else check
