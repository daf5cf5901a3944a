"""Capture files in Falco's format, plain and gzip."""

from __future__ import annotations

import gzip
import struct
from typing import TYPE_CHECKING

from tests.captures.conftest import SECTION, async_event, event_block, plugin_event
from tests.fuzz.files import read_file
from tests.fuzz.mutation import damaged

if TYPE_CHECKING:
    from random import Random


def _block(dice: Random) -> bytes:
    payload = dice.randbytes(dice.randrange(40))
    number = dice.choice((0, 1, 999, 2**32 - 1))
    event = plugin_event(payload, time=dice.randrange(10), plugin_id=number)
    if dice.randrange(4) == 0:
        event = async_event(payload.replace(b"\0", b""), payload)
    if dice.randrange(3) == 0:
        return event_block(event, kind=0x216)
    kind = dice.choice((0x221, 0x222, 0x221, dice.getrandbits(12)))
    return event_block(event, kind=kind, flags=dice.choice((None, 0, 1)))


def make(dice: Random) -> bytes:
    data = SECTION + b"".join(_block(dice) for _ in range(dice.randrange(6)))
    if dice.randrange(8):
        data = damaged(dice, data, words=(SECTION, struct.pack("<I", 0x221)))
    if dice.randrange(4) == 0:
        data = gzip.compress(data, 1, mtime=0) * dice.choice((1, 1, 2))
        if dice.randrange(2):
            data = damaged(dice, data)
    return data


def check(data: bytes) -> None:
    read_file(data, ".scap")
