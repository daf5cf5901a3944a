"""Damage to bytes and to JSON documents; all of it follows from the dice."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Sequence
    from random import Random

_NUMBERS = (
    0,
    1,
    2,
    7,
    8,
    127,
    128,
    255,
    256,
    65535,
    2**31 - 1,
    2**31,
    2**32 - 1,
    2**63,
    2**64 - 1,
)
_TEXTS = (
    "",
    "a",
    "\0",
    "\ud800",
    "\udcff",
    "é\u202e\x1b[31m",
    "x" * 5_000,
    "<img src=x>",
    "%s",
    "a.b[0]",
)


def damaged(
    dice: Random, data: bytes, *, reach: int = 0, words: Sequence[bytes] = ()
) -> bytes:
    """Return ``data`` with a few changes within its first ``reach`` bytes (0: all)."""
    raw = bytearray(data)
    for _ in range(1 + dice.getrandbits(3)):
        size = min(len(raw), reach) if reach else len(raw)
        at = dice.randrange(size + 1)
        kind = dice.randrange(9 if words else 8)
        if kind <= 1 and size:
            raw[at % size] = dice.getrandbits(8)
        elif kind == 2 and size:
            raw[at % size] ^= 1 << dice.getrandbits(3)
        elif kind in (3, 4):
            width = dice.choice((1, 2, 4, 8))
            number = dice.choice(_NUMBERS) if kind == 3 else dice.randrange(300)
            number &= (1 << 8 * width) - 1
            raw[at : at + width] = number.to_bytes(
                width, dice.choice(("little", "big"))
            )
        elif kind == 5 and dice.getrandbits(1):
            del raw[at : at + 1 + dice.getrandbits(dice.randrange(8))]
        elif kind == 6:
            begin = dice.randrange(size + 1)
            piece = raw[begin : begin + dice.getrandbits(dice.randrange(8))]
            raw[at:at] = piece
        elif kind == 7 and dice.randrange(4) == 0:
            del raw[at:]
        elif kind == 8:
            raw[at:at] = dice.choice(words)
    return bytes(raw)


def soup(dice: Random, words: Sequence[bytes], most: int) -> bytes:
    """Return some of the ``words``, one after the other."""
    return b"".join(dice.choices(words, k=dice.randrange(most)))


def stray(dice: Random, depth: int = 0) -> Any:
    """Return a JSON value that nobody expects."""
    kind = dice.randrange(9)
    if kind < 2:
        return dice.choice(_NUMBERS) * dice.choice((1, 1, -1))
    if kind == 2:
        return dice.choice((None, True, False, 0.5, -1e300))
    if kind < 6 or depth > 3:
        return dice.choice(_TEXTS)
    if kind == 6:
        return [stray(dice, depth + 1) for _ in range(dice.randrange(4))]
    if kind == 7:
        return {
            dice.choice(_TEXTS): stray(dice, depth + 1)
            for _ in range(dice.randrange(3))
        }
    nested: Any = []
    for _ in range(dice.choice((3, 150, 400))):
        nested = [nested] if dice.getrandbits(1) else {"a": nested}
    return nested


def damaged_document(dice: Random, value: Any) -> Any:
    """Return a JSON value with one part replaced, doubled, or left out."""
    if isinstance(value, dict) and value and dice.randrange(4):
        key = dice.choice(list(value))
        changed = dict(value)
        kind = dice.randrange(8)
        if kind == 0:
            del changed[key]
        elif kind == 1:
            changed[dice.choice(_TEXTS)] = stray(dice)
        else:
            changed[key] = damaged_document(dice, value[key])
        return changed
    if isinstance(value, list) and value and dice.randrange(4):
        at = dice.randrange(len(value))
        kind = dice.randrange(8)
        if kind == 0:
            return value[:at] + value[at + 1 :]
        if kind == 1:
            return value + value[at:] * dice.choice((1, 2, 300))
        return [*value[:at], damaged_document(dice, value[at]), *value[at + 1 :]]
    return stray(dice)
