"""What a capture file held: a table and what is known about it."""

from __future__ import annotations

import json
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

from workbench.fields.declarations import FieldInfo, FieldTable
from workbench.fields.types import FIELD_TYPES

if TYPE_CHECKING:
    from collections.abc import Mapping

    import pyarrow as pa

__all__ = ["METADATA_KEY", "CaptureContents", "describe", "undescribe"]

# Key in Arrow and Parquet schema metadata; its value is JSON text.
METADATA_KEY = b"workbench"


@dataclass(frozen=True, slots=True)
class CaptureContents:
    """A table of events read from a file, in the condition layout.

    ``table``: ``evt.num``, ``evt.rawtime`` (uint64, ns), ``evt.source``, then ``raw``
    (whole 3.x events) and field columns, as far as the file has them. ``fields``: what
    the plugin declared. ``source``: event source of the rows, None when unknown or
    mixed. ``plugin``, ``plugin_version``, ``hostname``: None when the file does not
    tell. ``notes``: what a reader should know, such as skipped blocks; shown to people.
    ``skip_absent``: leave the keys of absent fields out of JSON lines when saving.
    """

    table: pa.Table
    fields: FieldTable = field(default_factory=FieldTable)
    source: str | None = None
    plugin: str | None = None
    plugin_version: str | None = None
    hostname: str | None = None
    notes: tuple[str, ...] = ()
    extra: dict[str, Any] = field(default_factory=dict)
    skip_absent: bool = False


def describe(
    *,
    fields: Mapping[str, FieldInfo],
    source: str | None,
    plugin: str | None,
    plugin_version: str | None,
    hostname: str | None = None,
    extra: Mapping[str, Any] | None = None,
) -> dict[bytes, bytes]:
    """Return the schema metadata that :func:`undescribe` reads back."""
    declared = []
    for info in fields.values():
        entry = info.to_dict()
        entry["properties"] = list(info.properties)
        entry["add_output"] = info.add_output
        declared.append(entry)
    facts = {
        "layout": 1,
        "fields": declared,
        "source": source,
        "plugin": plugin,
        "plugin_version": plugin_version,
        "hostname": hostname,
        "extra": dict(extra or {}),
    }
    return {
        METADATA_KEY: json.dumps(facts, ensure_ascii=False).encode("utf-8", "replace")
    }


def undescribe(metadata: Mapping[bytes, bytes] | None) -> tuple[dict[str, Any], bool]:
    """Read facts from schema metadata: (facts, whether they are there and sound).

    Files come from strangers: anything of the wrong shape is left out.
    """
    facts: dict[str, Any] = {"fields": FieldTable()}
    raw = (metadata or {}).get(METADATA_KEY)
    if raw is None:
        return facts, False
    try:
        data = json.loads(raw)
        # A lone half of a surrogate pair fits no file and no column.
        text = json.dumps(data, ensure_ascii=False)
        data = json.loads(text.encode("utf-8", "replace"))
        declared = [
            FieldInfo.from_json(entry)
            for entry in data.get("fields", ())
            if isinstance(entry, dict) and entry.get("type") in FIELD_TYPES
        ]
    except (ValueError, KeyError, TypeError, AttributeError, RecursionError):
        return facts, False
    facts["fields"] = FieldTable(declared)
    for name in ("source", "plugin", "plugin_version", "hostname"):
        value = data.get(name)
        facts[name] = value if isinstance(value, str) else None
    extra = data.get("extra")
    facts["extra"] = extra if isinstance(extra, dict) else {}
    return facts, True
