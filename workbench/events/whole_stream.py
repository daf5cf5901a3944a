"""Extraction from some events of a stream by plugins that must have seen all of it."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pyarrow.compute as pc

if TYPE_CHECKING:
    from collections.abc import Sequence

    import pyarrow as pa

    from workbench.events.columns import Feeder

__all__ = ["WholeStream", "keep_stream"]


class WholeStream:
    """A feeder that remembers the whole stream that some events were selected from.

    A plugin that keeps state answers for an event from all that came before it, so a
    further field is extracted from everything, and the rows asked for are picked.
    """

    def __init__(
        self, feeder: Feeder, raw: pa.ChunkedArray, numbers: pa.ChunkedArray
    ) -> None:
        """Ask ``feeder``, always about ``raw``."""
        self.feeder = feeder
        self._raw = raw
        self._numbers = numbers

    def extract_columns(
        self,
        raw: pa.ChunkedArray,
        numbers: pa.ChunkedArray,
        source: str,
        texts: Sequence[str],
    ) -> dict[str, pa.ChunkedArray]:
        """Extract from the whole stream; give the rows of ``numbers``."""
        whole = self.feeder.extract_columns(self._raw, self._numbers, source, texts)
        places = pc.index_in(numbers, value_set=self._numbers.combine_chunks())
        if places.null_count:
            # Rows that are not of this stream can only be taken as they are.
            return self.feeder.extract_columns(raw, numbers, source, texts)
        return {name: column.take(places) for name, column in whole.items()}

    def __getattr__(self, name: str) -> Any:
        """Leave everything else to the feeder."""
        if name.startswith("__"):
            raise AttributeError(name)
        return getattr(self.feeder, name)


def keep_stream(feeder: Feeder | None, table: pa.Table, source: str) -> Feeder | None:
    """Give ``feeder``, remembering the stream ``table`` if its plugins keep state."""
    stateful = getattr(feeder, "stateful", None)
    if (
        feeder is None
        or isinstance(feeder, WholeStream)
        or "raw" not in table.column_names
        or stateful is None
        or not stateful(source)
    ):
        return feeder
    return WholeStream(feeder, table.column("raw"), table.column("evt.num"))
