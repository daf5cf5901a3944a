"""The events of the vectors as those of a real plugin: tests/support/plugins/serving.c."""

from __future__ import annotations

import json
import struct

from tests.conformance.probe import plain

_NONE = 0xFFFFFFFF


def text(value: bytes) -> bytes:
    return struct.pack("<I", len(value)) + value + b"\0"


def item(value) -> bytes:
    return text(value if isinstance(value, bytes) else struct.pack("<Q", int(value)))


def written(info, argument, value) -> bytes:
    """Write one value of an event."""
    values = value if isinstance(value, list) else [value]
    head = text(argument.encode()) if argument is not None else struct.pack("<I", _NONE)
    items = [item(plain(info.type, one)) for one in values]
    return head + struct.pack("<I", len(items)) + b"".join(items)


def event(row, fields) -> bytes:
    numbers = {name: number for number, name in enumerate(fields)}
    values = [
        struct.pack("<I", numbers["probe.initconfig"])
        + written(fields["probe.initconfig"], None, "{}")
    ]
    for column, value in row["fields"].items():
        name, bracket, rest = column.partition("[")
        argument = rest[:-1] if bracket else None
        head = struct.pack("<I", numbers[name])
        values.append(head + written(fields[name], argument, value))
    info = text(f"row {row['event']}: {row['note']}".encode())
    body = info + struct.pack("<I", len(values)) + b"".join(values)
    whole = struct.pack("<Q", row["ts"]) + body
    return struct.pack("<I", len(whole)) + whole


def write_table(path, declarations, fields, rows) -> None:
    """Write what the plugin serves."""
    body = b"".join(event(row, fields) for row in rows)
    head = text(json.dumps(declarations).encode())
    path.write_bytes(head + struct.pack("<I", len(rows)) + body)
