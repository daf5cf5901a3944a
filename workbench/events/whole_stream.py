"""Extraction from some events of a stream by plugins that must have seen all of it."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pyarrow.compute as pc

if TYPE_CHECKING:
    from collections.abc import Sequence

    import pyarrow as pa

    from workbench.events.columns import Extractor

__all__ = ["ReplayingExtractor", "keep_stream"]


class ReplayingExtractor:
    """A extractor that remembers the whole stream that some events were selected from.

    A plugin that keeps state answers for an event from all that came before it, so a
    further field is extracted from everything, and the rows asked for are picked.
    """

    def __init__(
        self, extractor: Extractor, raw: pa.ChunkedArray, numbers: pa.ChunkedArray
    ) -> None:
        """Ask ``extractor``, always about ``raw``."""
        self.extractor = extractor
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
        whole = self.extractor.extract_columns(self._raw, self._numbers, source, texts)
        places = pc.index_in(numbers, value_set=self._numbers.combine_chunks())
        if places.null_count:
            # Rows that are not of this stream can only be taken as they are.
            return self.extractor.extract_columns(raw, numbers, source, texts)
        return {name: column.take(places) for name, column in whole.items()}

    def __getattr__(self, name: str) -> Any:
        """Leave everything else to the extractor."""
        if name.startswith("__"):
            raise AttributeError(name)
        return getattr(self.extractor, name)


def keep_stream(
    extractor: Extractor | None, table: pa.Table, source: str
) -> Extractor | None:
    """Return ``extractor``, remembering the stream if its plugins keep state."""
    stateful = getattr(extractor, "stateful", None)
    if (
        extractor is None
        or isinstance(extractor, ReplayingExtractor)
        or "raw" not in table.column_names
        or stateful is None
        or not stateful(source)
    ):
        return extractor
    return ReplayingExtractor(extractor, table.column("raw"), table.column("evt.num"))
