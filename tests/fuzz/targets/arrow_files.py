"""Arrow files: footer, schema, dictionaries and buffers."""

from __future__ import annotations

import io
import json
from functools import cache
from typing import TYPE_CHECKING, Any

import pyarrow as pa

from tests.fuzz.files import read_file
from tests.fuzz.mutation import damaged, damaged_document

if TYPE_CHECKING:
    from random import Random

FACTS: dict[str, Any] = {
    "source": "test",
    "plugin": "test",
    "plugin_version": "1.0.0",
    "hostname": "host",
    "fields": [
        {"name": "t.text", "type": "string", "desc": "a"},
        {"name": "t.tags", "type": "string", "isList": True, "desc": "b"},
        {"name": "t.ip", "type": "ipaddr", "arg": {"isRequired": True, "isKey": True}},
    ],
    "extra": {"a": [1, None]},
}


@cache
def table() -> pa.Table:
    """Return events with a column of every layout."""
    rows = 20
    texts = pa.array([f"text {n % 3}" for n in range(rows)])
    return pa.table(
        {
            "evt.num": pa.array(range(1, rows + 1), pa.uint64()),
            "evt.rawtime": pa.array(range(rows), pa.timestamp("ns")),
            "evt.source": texts.dictionary_encode(),
            "t.text": texts,
            "t.tags": pa.array([["a"] * (n % 3) for n in range(rows)]),
            "t.dict": texts.dictionary_encode(),
            "t.ip": pa.array([b"\x0a\0\0\1", None] * (rows // 2), pa.binary()),
            "t.flag": pa.array([True, False] * (rows // 2)),
            "raw": pa.array([bytes(n) for n in range(rows)], pa.binary()),
        }
    )


def described(dice: Random, made: pa.Table) -> pa.Table:
    """Return ``made`` with what a file says of itself, damaged now and then."""
    facts = FACTS if dice.randrange(3) else damaged_document(dice, FACTS)
    text = json.dumps(facts).encode()
    if dice.randrange(6) == 0:
        text = damaged(dice, text)
    return made.replace_schema_metadata({"workbench": text})


def make(dice: Random) -> bytes:
    made = described(dice, table())
    names = list(made.column_names)
    made = made.select(dice.sample(names, k=dice.randrange(1, len(names) + 1)))
    sink = io.BytesIO()
    packed = dice.choice((None, None, "lz4", "zstd"))
    options = pa.ipc.IpcWriteOptions(compression=packed)
    with pa.ipc.new_file(sink, made.schema, options=options) as writer:
        writer.write_table(made, max_chunksize=dice.choice((5, 100)))
    return damaged(dice, sink.getvalue()) if dice.randrange(8) else sink.getvalue()


def check(data: bytes) -> None:
    read_file(data, ".arrow")
