"""Constants: from the bytes written in a condition to typed values, per field type.

The rules are the engine's, odd ones included: numbers are read as C's ``scanf`` reads
them, an address with a dot is IPv4, a prefix length is cut to eight bits. What looks
wrong but is legal comes back as a :class:`ValueWarning`, for the binder to warn about.
"""

from __future__ import annotations

import re
import socket
from dataclasses import dataclass
from functools import lru_cache
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Callable

__all__ = [
    "MAX_TEXT_BYTES",
    "Network",
    "ValueFault",
    "ValueWarning",
    "compile_regex",
    "cut_at_nul",
    "read_value",
]

MAX_TEXT_BYTES = 255
_MAX_UINT64 = 2**64 - 1
_NUMBER = re.compile(rb"[ \t\n\v\f\r]*([+-]?)([0-9]+)")


@dataclass(frozen=True, slots=True)
class Network:
    """An ipnet constant: ``address`` (4 or 16 bytes, host bits zero) and ``prefix``."""

    address: bytes
    prefix: int


Value = bytes | int | bool | Network


class ValueFault(ValueError):
    """A constant that the engine refuses; ``hint``: a correction or None."""

    def __init__(self, code: str, message: str, hint: str | None = None) -> None:
        super().__init__(code, message, hint)
        self.code = code
        self.message = message
        self.hint = hint


@dataclass(frozen=True, slots=True)
class ValueWarning:
    """A constant that is legal but hardly means what it says."""

    code: str
    message: str
    hint: str


def cut_at_nul(value: bytes) -> bytes:
    """Return ``value`` up to its first NUL, as C reads text."""
    end = value.find(b"\0")
    return value if end < 0 else value[:end]


def _shown(value: bytes) -> str:
    return value[:80].decode("utf-8", "backslashreplace")


def _read_text(value: bytes, _oddities: list[ValueWarning]) -> bytes:
    text = cut_at_nul(value)
    if len(text) > MAX_TEXT_BYTES:
        raise ValueFault(
            "value-too-long",
            f"the value has {len(text)} bytes, {MAX_TEXT_BYTES} are allowed:"
            f" {_shown(text[:40])}…",
            "split it into several checks, or match a part of it",
        )
    return text


def _scan_number(text: bytes) -> tuple[int, bool] | None:
    """Read digits as ``scanf("%lu")`` does: the value modulo 2^64, and "overflowed"."""
    found = _NUMBER.fullmatch(text)
    if found is None:
        return None
    digits = found.group(2).lstrip(b"0")
    if len(digits) > 20 or int(digits or b"0") > _MAX_UINT64:
        return _MAX_UINT64, True
    number = int(digits or b"0")
    return (-number if found.group(1) == b"-" else number) & _MAX_UINT64, False


def _read_number(value: bytes, oddities: list[ValueWarning]) -> int:
    text = cut_at_nul(value)
    scanned = _scan_number(text)
    if scanned is None:
        raise ValueFault(
            "bad-number",
            f"'{_shown(value)}' is not a number",
            "numbers are decimal digits with an optional sign: no hex, fraction,"
            " exponent, unit or date; times are nanoseconds",
        )
    number, overflowed = scanned
    if overflowed:
        oddities.append(
            ValueWarning(
                "number-too-large",
                f"{_shown(value)} is beyond 64 bits and means {_MAX_UINT64}",
                f"write {_MAX_UINT64}, or a smaller number",
            )
        )
    elif b"-" in text and number:
        oddities.append(
            ValueWarning(
                "negative-number",
                f"{_shown(value)} wraps round and means {number}, as the field has"
                " no sign",
                f"write {number}, or compare with a number from 0 up",
            )
        )
    return number


def _read_bool(value: bytes, _oddities: list[ValueWarning]) -> bool:
    text = cut_at_nul(value)
    if text not in (b"true", b"false"):
        raise ValueFault(
            "bad-bool",
            f"'{_shown(value)}' is neither true nor false",
            "write true or false, in lower case",
        )
    return text == b"true"


def _pton(family: int, text: bytes) -> bytes | None:
    try:
        return socket.inet_pton(family, cut_at_nul(text).decode("ascii"))
    except (OSError, ValueError):
        return None


def _read_address(value: bytes, _oddities: list[ValueWarning]) -> bytes:
    hint = None
    if b"/" in value:
        hint = "this field takes single addresses; networks need a field of type ipnet"
    if b"." in value:
        packed = _pton(socket.AF_INET, value)
        if b":" in value:
            hint = "write the last four bytes in hex groups, such as ::ffff:a00:1"
        kind = "an IPv4 address"
    else:
        packed = _pton(socket.AF_INET6, value)
        kind = "an IP address"
    if packed is None:
        raise ValueFault(
            "bad-address", f"'{_shown(value)}' is not {kind}", hint or "e.g. 10.0.0.1"
        )
    return packed


def _read_network(value: bytes, oddities: list[ValueWarning]) -> Network:
    family, bits = (socket.AF_INET, 32) if b"." in value else (socket.AF_INET6, 128)
    text = cut_at_nul(value)
    address, slash, mask = text.partition(b"/")
    if not slash:
        single = _pton(family, address) is not None
        raise ValueFault(
            "bad-network",
            f"'{_shown(value)}' is not a network in CIDR form",
            f"for the single address write {_shown(value)}/{bits}"
            if single
            else "e.g. 10.0.0.0/8",
        )
    packed = _pton(family, address)
    if packed is None:
        raise ValueFault(
            "bad-address",
            f"'{_shown(address)}' in '{_shown(value)}' is not an address",
            "write IPv6 in hex groups only" if b":" in address else "e.g. 10.0.0.0/8",
        )
    if bits == 128:
        mask = mask.partition(b"\n")[0]
    scanned = _scan_number(mask)
    if scanned is None:
        raise ValueFault(
            "bad-number",
            f"the prefix length '{_shown(mask)}' is not a number",
            f"write the number of leading bits, 1 to {bits}",
        )
    prefix = scanned[0] & 0xFF
    if prefix > bits or (bits == 128 and prefix == 0):
        lowest = 0 if bits == 32 else 1
        raise ValueFault(
            "bad-prefix",
            f"the prefix length {_shown(mask)} is out of range",
            f"{lowest} to {bits} bits are allowed",
        )
    if scanned[0] != prefix:
        oddities.append(
            ValueWarning(
                "prefix-wraps",
                f"the prefix length {_shown(mask)} is cut to eight bits and means"
                f" /{prefix}",
                f"write /{prefix}",
            )
        )
    keep = (1 << bits) - (1 << (bits - prefix))
    masked = int.from_bytes(packed) & keep
    return Network(masked.to_bytes(bits // 8), prefix)


_READERS: dict[str, Callable[[bytes, list[ValueWarning]], Value]] = {
    "string": _read_text,
    "uint64": _read_number,
    "reltime": _read_number,
    "abstime": _read_number,
    "bool": _read_bool,
    "ipaddr": _read_address,
    "ipnet": _read_network,
}


def read_value(type_: str, value: bytes, oddities: list[ValueWarning]) -> Value:
    """Read a constant for a field of ``type_``; strings byte for byte, up to a NUL.

    Oddities are appended to ``oddities``. Raises ValueFault.
    """
    return _READERS[type_](value, oddities)


@lru_cache(maxsize=128)
def compile_regex(pattern: bytes) -> Any:
    """Compile a pattern with the engine's RE2 and options; use its ``fullmatch``.

    Raises ValueFault when RE2 does not accept it in POSIX syntax.
    """
    import re2

    options = re2.Options()
    options.posix_syntax = True
    options.longest_match = True
    options.one_line = False
    options.log_errors = False
    try:
        return re2.compile(pattern, options=options)
    except re2.error as fault:
        reason = fault.args[0] if fault.args else ""
        if isinstance(reason, bytes):
            reason = reason.decode("utf-8", "backslashreplace")
        raise ValueFault(
            "bad-regex",
            f"'{_shown(pattern)}' is not a regular expression: {reason}",
            "patterns are POSIX: write [0-9] for \\d, [[:alnum:]_] for \\w,"
            " [[:space:]] for \\s; no (?…)",
        ) from None
