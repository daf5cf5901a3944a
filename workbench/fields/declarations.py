"""Fields: what a plugin declares, and how a field's type looks in Arrow.

``get_fields`` JSON → :class:`FieldInfo` → columns of a table named as the field is
written (``probe.str``, ``probe.kv[key]``), values as the engine sees them.
"""

from __future__ import annotations

import itertools
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from workbench.arguments import wrong
from workbench.formatting.columns import aligned, column_widths
from workbench.formatting.html import table
from workbench.formatting.printable import printable
from workbench.formatting.units import counted

if TYPE_CHECKING:
    from collections.abc import Iterable

    import pandas as pd

__all__ = ["ArgInfo", "FieldInfo", "FieldTable", "as_field_table"]


@dataclass(frozen=True, slots=True)
class ArgInfo:
    """What a field accepts in brackets: required, by index, by key (or both)."""

    required: bool = False
    index: bool = False
    key: bool = False

    def to_dict(self) -> dict[str, bool]:
        """Return the JSON form of the command line."""
        return {"required": self.required, "index": self.index, "key": self.key}


@dataclass(frozen=True, slots=True)
class FieldInfo:
    """One declared field.

    ``type``: a key of ``FIELD_TYPES``. ``arg``: None when no argument is allowed.
    ``properties``: the words hidden, info, conversation. ``add_output``: the plugin
    suggests the field for every output.
    """

    name: str
    type: str
    is_list: bool = False
    arg: ArgInfo | None = None
    desc: str = ""
    display: str = ""
    properties: tuple[str, ...] = ()
    add_output: bool = False

    @classmethod
    def from_json(cls, entry: Mapping[str, Any]) -> FieldInfo:
        """Read one decoded ``get_fields`` entry, leniently (loaders check first)."""
        arg = entry.get("arg")
        info: ArgInfo | None = None
        if isinstance(arg, Mapping):
            index = bool(arg.get("isIndex", arg.get("index", False)))
            key = bool(arg.get("isKey", arg.get("key", False)))
            required = bool(arg.get("isRequired", arg.get("required", False)))
            if index or key:
                info = ArgInfo(required, index, key)
        return cls(
            name=str(entry["name"]),
            type=str(entry["type"]),
            is_list=bool(entry.get("isList", entry.get("is_list", False))),
            arg=info,
            desc=str(entry.get("desc") or ""),
            display=str(entry.get("display") or ""),
            properties=tuple(str(p) for p in entry.get("properties") or ()),
            add_output=bool(entry.get("addOutput", entry.get("add_output", False))),
        )

    def to_dict(self) -> dict[str, Any]:
        """Return the JSON form of ``workbench inspect --json``."""
        return {
            "name": self.name,
            "type": self.type,
            "is_list": self.is_list,
            "arg": self.arg.to_dict() if self.arg else None,
            "desc": self.desc,
            "display": self.display,
        }


class FieldTable(Mapping[str, FieldInfo]):
    """The fields of a plugin or a table: name → FieldInfo in declared order.

    Of several fields with one name the first counts, as in the real framework.
    """

    def __init__(
        self, fields: Iterable[FieldInfo] = (), ids: Iterable[int] | None = None
    ) -> None:
        """Keep ``fields`` in their order; ``ids``: their field ids if not 0, 1, 2 …."""
        self._fields: dict[str, FieldInfo] = {}
        self._ids: dict[str, int] = {}
        numbers = iter(ids) if ids is not None else itertools.count()
        for field, number in zip(fields, numbers, strict=False):
            self._fields.setdefault(field.name, field)
            self._ids.setdefault(field.name, number)

    def __getitem__(self, name: str) -> FieldInfo:
        """Return the field called ``name``."""
        return self._fields[name]

    def get(self, name: str, default: Any = None) -> Any:
        """Return the field called ``name``, or ``default``; no exception needed."""
        return self._fields.get(name, default)

    def __iter__(self) -> Iterator[str]:
        """Iterate over the names in declared order."""
        return iter(self._fields)

    def __len__(self) -> int:
        """Count the fields."""
        return len(self._fields)

    def field_id(self, name: str) -> int:
        """Return the index of a field in its plugin's get_fields, doubles counted."""
        return self._ids[name]

    def _ipython_key_completions_(self) -> list[str]:
        return list(self._fields)

    def __repr__(self) -> str:
        """Return one line per field: name, type, argument, description."""
        rows = _rows(self)
        if not rows:
            return "FieldTable: no fields"
        widths = [*column_widths([row[:3] for row in rows], limit=40), 0]
        return "\n".join(
            [f"FieldTable: {counted(len(rows), 'field')}"]
            + [aligned(row, widths) for row in rows]
        )

    def _repr_html_(self) -> str:
        return table(("name", "type", "argument", "description"), _rows(self))

    def to_pandas(self) -> pd.DataFrame:
        """Return one row per field: name, type, is_list, argument, display, desc."""
        import pandas as pd

        rows = [
            {
                "name": f.name,
                "type": f.type,
                "is_list": f.is_list,
                "argument": describe_argument(f.arg),
                "display": f.display,
                "desc": f.desc,
            }
            for f in self._fields.values()
        ]
        columns = ["name", "type", "is_list", "argument", "display", "desc"]
        return pd.DataFrame(rows, columns=columns)


def _rows(fields: FieldTable) -> list[tuple[str, str, str, str]]:
    """Return what a repr shows of each field; names and texts come from plugins."""
    return [
        (
            printable(f.name, limit=80),
            f"list of {f.type}" if f.is_list else f.type,
            describe_argument(f.arg),
            printable(f.desc, limit=160),
        )
        for f in fields.values()
    ]


def describe_argument(arg: ArgInfo | None) -> str:
    """Return in words what argument a field takes, "" for none."""
    if arg is None:
        return ""
    kinds = [word for word, on in (("key", arg.key), ("index", arg.index)) if on]
    return f"{'required' if arg.required else 'optional'} {' or '.join(kinds)}"


_FIELDS = "a mapping of FieldInfo, or the decoded JSON of get_fields"
_FIELD = "a FieldInfo, or its decoded JSON"


def as_field_table(
    fields: Mapping[str, FieldInfo] | Iterable[FieldInfo | Mapping[str, Any]],
) -> FieldTable:
    """Accept what users hand over as fields: a mapping, FieldInfos, get_fields JSON."""
    if isinstance(fields, FieldTable):
        return fields
    items: Iterable[Any] = fields.values() if isinstance(fields, Mapping) else fields
    if isinstance(items, str | bytes) or not hasattr(type(items), "__iter__"):
        raise wrong("fields", "the fields", _FIELDS, fields)
    items = list(items)
    for item in items:
        if not isinstance(item, FieldInfo | Mapping):
            raise wrong("fields", "each of the fields", _FIELD, item)
    return FieldTable(
        item if isinstance(item, FieldInfo) else FieldInfo.from_json(item)
        for item in items
    )
