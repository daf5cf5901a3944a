"""Frames and their columns as they show themselves: nothing acts, hides or forges.

They are pandas' own in everything else. Values stay as they are; only what ``repr`` and
the notebook show is spelled, as everywhere (``formatting.printable``).
"""

from __future__ import annotations

from typing import Any

import pandas as pd
import pyarrow as pa
import pyarrow.compute as pc

from workbench.formatting.printable import printable, visible

__all__ = ["EventFrame", "EventSeries"]


def _is_plain(dtype: Any) -> bool:
    """Whether values of ``dtype`` show as digits and the like."""
    test = pd.api.types
    return bool(
        test.is_numeric_dtype(dtype)
        or test.is_datetime64_any_dtype(dtype)
        or test.is_timedelta64_dtype(dtype)
    )


def _spelled(value: Any) -> str:
    return printable(str(value))


class EventSeries(pd.Series):  # type: ignore[misc] # pandas has no types here
    """A column of an :class:`EventFrame`."""

    @property
    def _constructor(self) -> Any:
        return EventSeries

    @property
    def _constructor_expanddim(self) -> Any:
        return EventFrame

    def __repr__(self) -> str:
        """Show what pandas shows, in printable characters and one line per value."""
        return visible(repr(_on_one_line(pd.Series(self))))


class EventFrame(pd.DataFrame):  # type: ignore[misc] # pandas has no types here
    """A frame of events: pandas' own, shown in printable characters."""

    @property
    def _constructor(self) -> Any:
        return EventFrame

    @property
    def _constructor_sliced(self) -> Any:
        return EventSeries

    def to_string(self, buf: Any = None, **options: Any) -> Any:
        """Return what pandas does, values spelled; see :class:`pandas.DataFrame`."""
        if options.get("formatters") is None:
            options["formatters"] = {
                name: _spelled
                for name, dtype in self.dtypes.items()
                if not _is_plain(dtype)
            }
        return super().to_string(buf, **options)

    def __repr__(self) -> str:
        """Show what pandas shows, in printable characters and one line per row."""
        return visible(super().__repr__())

    def _repr_html_(self) -> str | None:
        """Show what pandas shows, in printable characters."""
        shown = super()._repr_html_()
        return None if shown is None else visible(shown)


def _on_one_line(column: pd.Series) -> pd.Series:
    """Spell the line breaks in texts."""
    if isinstance(column.dtype, pd.CategoricalDtype):
        texts = [_spelled(text) for text in column.cat.categories]
        if len(set(texts)) == len(texts) and not _is_plain(column.cat.categories.dtype):
            return column.cat.rename_categories(texts)
        return column
    if isinstance(column.dtype, pd.ArrowDtype) and pa.types.is_string(
        column.dtype.pyarrow_dtype
    ):
        texts = pa.array(column)
        for char, word in (("\n", "\\n"), ("\r", "\\r")):
            texts = pc.replace_substring(texts, char, word)
        return pd.Series(
            pd.arrays.ArrowExtensionArray(texts), index=column.index, name=column.name
        )
    return column
