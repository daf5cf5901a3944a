"""The texts of some rows, made once for all rules that print them.

A batch of alerts is often small and its rules are many: what a column says is worked
out for all rows when the first rule asks, and the others pick theirs.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, TypeVar

from workbench.arrow.rows import take_rows
from workbench.rules.target.value_text import json_texts, text_values

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Sequence

    import pyarrow as pa

    from workbench.fields.declarations import FieldInfo

__all__ = ["RowTexts"]

_T = TypeVar("_T")
# Of more rows, few are better worked out by themselves.
_MANY_ROWS = 4096
_FEW = 8


def _column(table: pa.Table, name: str) -> Any:
    if name not in table.column_names:
        known = ", ".join(table.column_names[:20])
        raise KeyError(f"the table has no column {name!r}; it has {known}")
    return table.column(name)


class RowTexts:
    """A table whose columns are wanted as texts; ``num_rows``: of it."""

    def __init__(self, table: pa.Table) -> None:
        """Work nothing out yet."""
        self._table = table
        self._known: dict[Any, list[Any]] = {}
        self.num_rows: int = table.num_rows

    def pick(self, at: Sequence[int]) -> RowTexts:
        """Return the same for the rows numbered ``at``."""
        if len(at) == self.num_rows:
            return self
        if self.num_rows > _MANY_ROWS and len(at) * _FEW < self.num_rows:
            return _Taken(self._table, at)
        return _Picked(self, at)

    def table(self, columns: Iterable[str]) -> pa.Table:
        """Return some columns themselves. Raises KeyError for one that is missing."""
        names = list(columns)
        for name in names:
            _column(self._table, name)
        # Any one keeps the number of rows.
        return self._table.select(names or self._table.column_names[:1])

    def texts(self, column: str, info: FieldInfo) -> list[str | None]:
        """Return one text per row, None where the value is absent.

        Raises KeyError naming a column that is missing.
        """
        key = ("text", column, info.name, info.type, info.is_list)
        return self.made(
            key,
            lambda table: text_values(
                _column(table, column), info.name, info.type, is_list=info.is_list
            ),
        )

    def json_texts(self, column: str, kind: str, *, is_list: bool) -> list[str]:
        """Return one JSON text per row. Raises as :meth:`texts`."""
        return self.made(
            ("json", column, kind, is_list),
            lambda table: json_texts(_column(table, column), kind, is_list=is_list),
        )

    def made(self, key: Any, make: Callable[[pa.Table], list[_T]]) -> list[_T]:
        """Return what ``make`` gives for the table, made once for each ``key``."""
        known = self._known.get(key)
        if known is None:
            known = self._known[key] = make(self._table)
        return known


class _Picked(RowTexts):
    """Some rows of others."""

    def __init__(self, others: RowTexts, at: Sequence[int]) -> None:
        self._others = others
        self._at = at
        self.num_rows = len(at)

    def table(self, columns: Iterable[str]) -> pa.Table:
        """Return some columns of the picked rows."""
        import pyarrow as pa

        return take_rows(self._others.table(columns), pa.array(self._at, pa.int64()))

    def made(self, key: Any, make: Callable[[pa.Table], list[_T]]) -> list[_T]:
        """Pick from what is made for all rows."""
        every = self._others.made(key, make)
        return [every[i] for i in self._at]


class _Taken(RowTexts):
    """Few rows of many: their values are taken column by column, when asked for."""

    def __init__(self, table: pa.Table, at: Sequence[int]) -> None:
        import pyarrow as pa

        super().__init__(table)
        self._at = pa.array(at, pa.int64())
        self.num_rows = len(at)

    def table(self, columns: Iterable[str]) -> pa.Table:
        """Return some columns of the picked rows."""
        return take_rows(super().table(columns), self._at)

    def texts(self, column: str, info: FieldInfo) -> list[str | None]:
        """Return one text per row, None where the value is absent."""
        taken = self.table([column]).column(column)
        return text_values(taken, info.name, info.type, is_list=info.is_list)

    def json_texts(self, column: str, kind: str, *, is_list: bool) -> list[str]:
        """Return one JSON text per row."""
        taken = self.table([column]).column(column)
        return json_texts(taken, kind, is_list=is_list)
