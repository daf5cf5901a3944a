"""Parquet files: footer and its metadata, pages, dictionaries."""

from __future__ import annotations

import io
import struct
from typing import TYPE_CHECKING

import pyarrow.parquet as pq

from tests.fuzz.files import read_file
from tests.fuzz.mutation import damaged
from tests.fuzz.targets.arrow_files import described, table

if TYPE_CHECKING:
    from random import Random


def make(dice: Random) -> bytes:
    made = described(dice, table())
    names = list(made.column_names)
    made = made.select(dice.sample(names, k=dice.randrange(1, len(names) + 1)))
    sink = io.BytesIO()
    packed = dice.choice(("none", "snappy", "zstd", "gzip"))
    pq.write_table(made, sink, compression=packed, row_group_size=dice.choice((7, 100)))
    data = sink.getvalue()
    size = struct.unpack_from("<I", data, len(data) - 8)[0]
    at = len(data) - 8 - size
    kind = dice.randrange(8)
    if kind < 4:
        # The metadata alone, its length told rightly.
        footer = damaged(dice, data[at:-8])
        return data[:at] + footer + struct.pack("<I", len(footer)) + b"PAR1"
    return damaged(dice, data) if kind < 7 else data


def check(data: bytes) -> None:
    read_file(data, ".parquet")
