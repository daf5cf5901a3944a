"""Payloads that no author expects, and events made of them."""

from __future__ import annotations

import random
from typing import TYPE_CHECKING

import pyarrow as pa

from workbench.authoring.facts.event_header import PAYLOAD_OFFSET, event_header

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

__all__ = ["hostile_payloads", "payload_of", "plugin_events"]

_HUGE = 1 << 20

_PLAIN = (
    b"",
    b"\x00",
    b" ",
    b"\n",
    b"0",
    b"-1",
    b"null",
    b"{}",
    b"[]",
    b'""',
    b"%s%n%x" * 20,
    b"\xff" * 64,
    b"\x00" * 4096,
    b"\xc3",
    b"\xed\xa0\x80\xf4\x90\x80\x80",
    b"9" * 400,
    b"18446744073709551616",
    b"1e999999",
    b"<script>alert(1)</script>",
    b"../" * 500 + b"etc/passwd",
    b"\x1b[2J\x07",
    b"{" * 5000,
    b"[" * 100_000,
    b'{"a":' * 20_000 + b"1" + b"}" * 20_000,
    b'{"a": "\\ud800", "a": 1e400, "": null}',
    b"a" * _HUGE,
    b"\x80" * _HUGE,
)


def plugin_events(
    payloads: Sequence[bytes], plugin_id: int, *, time_ns: int = 1_700_000_000 * 10**9
) -> pa.Array:
    """Return events (binary, one per payload) as Falco stores them."""
    return pa.array(
        [
            event_header(time_ns + number, len(data), plugin_id) + data
            for number, data in enumerate(payloads)
        ],
        pa.binary(),
    )


def payload_of(raw: bytes) -> bytes:
    """Return the payload of a stored plugin event."""
    return raw[PAYLOAD_OFFSET:]


def hostile_payloads(
    known: Sequence[bytes], *, count: int, seed: int = 0
) -> Iterator[bytes]:
    """Yield payloads: fixed ones, random bytes, and mutants of ``known`` ones.

    ``count``: how many random ones and mutants together. The same ``seed`` yields the
    same payloads.
    """
    yield from _PLAIN
    dice = random.Random(seed)  # noqa: S311 - repeatable on purpose
    for number in range(count):
        if known and number % 4:
            yield _mutant(dice, dice.choice(known), dice.choice(known))
        else:
            yield dice.randbytes(dice.choice((1, 7, 38, 200, 1000)))


def _mutant(dice: random.Random, data: bytes, other: bytes) -> bytes:
    """Damage ``data`` in one of the ways that parsers fall over."""
    kind = dice.randrange(7)
    place = dice.randrange(len(data) + 1)
    if kind == 0:
        return data[:place]
    if kind == 1:
        return data[place:]
    if kind == 2 and data:
        flipped = bytearray(data)
        for _ in range(dice.randrange(1, 9)):
            flipped[dice.randrange(len(flipped))] ^= 1 << dice.randrange(8)
        return bytes(flipped)
    if kind == 3:
        return data[:place] + dice.randbytes(dice.randrange(1, 20)) + data[place:]
    if kind == 4:
        return data[:place] + other[dice.randrange(len(other) + 1) :]
    if kind == 5:
        end = min(len(data), place + dice.randrange(1, 30))
        return data[:place] + data[place:end] * dice.randrange(2, 200) + data[end:]
    return data.replace(b'"', b"").replace(b" ", b"\x00")
