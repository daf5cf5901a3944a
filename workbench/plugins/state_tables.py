"""State tables for people: DataFrames of what plugins keep, at one moment."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import TYPE_CHECKING, Final

from workbench.formatting.html import table as html_table

if TYPE_CHECKING:
    from collections.abc import Sequence

    import pandas as pd

    from workbench.session.types import TableSnapshot

__all__ = ["MAX_ROWS", "StateTables", "table_frame"]

# Entries shown of one table unless asked for more.
MAX_ROWS: Final = 100_000

# Type in the plugin API → pandas dtype that also holds "unreadable".
_DTYPES: Final = {
    **{f"{sign}int{bits}": f"{sign.upper()}Int{bits}"
       for sign in ("", "u") for bits in (8, 16, 32, 64)},
    "bool": "boolean",
    "table": "UInt64",
}  # fmt: skip


class StateTables(Mapping[str, "pd.DataFrame"]):
    """Name → DataFrame of the entries, as they were when asked.

    The index is the entry's key where it is known. Strings that are not UTF-8 show
    U+FFFD; a sub-table shows as the number of its entries.
    """

    def __init__(self, snapshots: Sequence[TableSnapshot]) -> None:
        """Keep ``snapshots`` in their order."""
        self._tables = {table.name: table for table in snapshots}

    def __getitem__(self, name: str) -> pd.DataFrame:
        """Return one table's entries."""
        return table_frame(self._tables[name])

    def __iter__(self) -> Iterator[str]:
        return iter(self._tables)

    def __len__(self) -> int:
        return len(self._tables)

    def snapshot(self, name: str) -> TableSnapshot:
        """Return one table with its types and owner."""
        return self._tables[name]

    @property
    def fields(self) -> pd.DataFrame:
        """One row per field of every table: table, field, type, read_only."""
        import pandas as pd

        rows = [
            (table.name, name, kind, name in table.read_only)
            for table in self._tables.values()
            for name, kind in table.fields.items()
        ]
        return pd.DataFrame(rows, columns=["table", "field", "type", "read_only"])

    def to_pandas(self) -> pd.DataFrame:
        """Return one row per table: name, owner, key type, entries, fields, note."""
        import pandas as pd

        rows = [
            (
                table.name,
                table.owner or "built-in",
                table.key_type,
                table.size,
                len(table.fields),
                table.note,
            )
            for table in self._tables.values()
        ]
        names = ["table", "owner", "key_type", "entries", "fields", "note"]
        frame = pd.DataFrame(rows, columns=names)
        frame["entries"] = frame["entries"].astype("UInt64")
        return frame

    def _ipython_key_completions_(self) -> list[str]:
        return list(self._tables)

    def __repr__(self) -> str:
        lines = []
        for table in self._tables.values():
            size = "?" if table.size is None else table.size
            owner = f" of {table.owner}" if table.owner else ""
            line = f"{table.name!r}{owner}: {size} entries, {len(table.fields)} fields"
            lines.append(f"{line} ({table.note})" if table.note else line)
        return "state tables\n  " + "\n  ".join(lines)

    def _repr_html_(self) -> str:
        frame = self.to_pandas()
        return html_table(list(frame.columns), frame.itertuples(index=False))


def table_frame(table: TableSnapshot) -> pd.DataFrame:
    """Return the entries of one table as a DataFrame, fields in their order."""
    import pandas as pd

    columns = {}
    for name, kind in table.fields.items():
        values = table.columns[name]
        if kind == "string":
            values = [
                None if v is None else v.decode("utf-8", "replace") for v in values
            ]
        columns[name] = pd.Series(values, dtype=_DTYPES.get(kind, "object"))
    frame = pd.DataFrame(columns, columns=list(table.fields))
    if table.keys and None not in table.keys:
        frame.index = pd.Index(table.keys, name="key")
    return frame
