"""Who extracts further fields of stored events: the plugins they came from.

:class:`Extractor` is what a set of plugins offers; several are chained, and plugins
that keep state see the whole stream again.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Protocol

import pyarrow as pa
import pyarrow.compute as pc

from workbench.arguments import wrong
from workbench.arrow.rows import take_rows
from workbench.fields.declarations import FieldTable

if TYPE_CHECKING:
    from collections.abc import Sequence

    import pyarrow as pa

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Sequence

    import pyarrow as pa

if TYPE_CHECKING:
    from collections.abc import Sequence


__all__ = [
    "ChainedExtractor",
    "Extractor",
    "ReplayingExtractor",
    "extractor_of",
    "keep_stream",
]


class Extractor(Protocol):
    """What can answer for fields that a table lacks: the plugins it came from."""

    def fields_of(self, source: str) -> FieldTable:
        """Return the fields usable for events of ``source``."""

    def extract_columns(
        self,
        raw: pa.ChunkedArray,
        numbers: pa.ChunkedArray,
        source: str,
        texts: Sequence[str],
    ) -> dict[str, pa.ChunkedArray]:
        """Feed stored events again; give the columns by name, one row per event."""

    def places(
        self,
        raw: pa.ChunkedArray,
        numbers: pa.ChunkedArray,
        source: str,
        texts: Sequence[str],
    ) -> dict[str, pa.ChunkedArray]:
        """Return where in the events values were found: ``…#start`` and ``…#len``."""

    def event_strings(
        self, raw: pa.ChunkedArray, numbers: pa.ChunkedArray, source: str
    ) -> pa.ChunkedArray | None:
        """Return the plugin's text per event (null: none), None without a plugin."""


class ChainedExtractor:
    """Asks several extractors; the first that knows a field answers for it."""

    def __init__(self, extractors: Iterable[Extractor]) -> None:
        """Keep ``extractors`` in their order."""
        self.extractors = list(extractors)

    def fields_of(self, source: str) -> FieldTable:
        """Return the fields of all extractors."""
        return FieldTable(
            info for f in self.extractors for info in f.fields_of(source).values()
        )

    def stateful(self, source: str) -> bool:
        """Whether values depend on the events before, for any extractor."""
        asks = (getattr(f, "stateful", None) for f in self.extractors)
        return any(ask(source) for ask in asks if ask is not None)

    @property
    def plugin_versions(self) -> dict[str, str]:
        """Name → version of the plugins asked."""
        found: dict[str, str] = {}
        for extractor in self.extractors:
            found |= getattr(extractor, "plugin_versions", {})
        return found

    @property
    def libraries(self) -> list[tuple[str, str]]:
        """Name or path and init config of the plugins asked."""
        return [
            found
            for extractor in self.extractors
            for found in getattr(extractor, "libraries", ())
        ]

    @property
    def notes(self) -> tuple[str, ...]:
        """What people should know of the answers so far."""
        return tuple(n for f in self.extractors for n in getattr(f, "notes", ()))

    def extract_columns(
        self,
        raw: pa.ChunkedArray,
        numbers: pa.ChunkedArray,
        source: str,
        texts: Sequence[str],
    ) -> dict[str, pa.ChunkedArray]:
        """Feed stored events to whoever declares the fields."""
        found: dict[str, pa.ChunkedArray] = {}
        for extractor, mine in self._shares(source, texts):
            found |= extractor.extract_columns(raw, numbers, source, mine)
        return found

    def places(
        self,
        raw: pa.ChunkedArray,
        numbers: pa.ChunkedArray,
        source: str,
        texts: Sequence[str],
    ) -> dict[str, pa.ChunkedArray]:
        """Ask whoever declares the fields where their values lie."""
        found: dict[str, pa.ChunkedArray] = {}
        for extractor, mine in self._shares(source, texts):
            found |= extractor.places(raw, numbers, source, mine)
        return found

    def _shares(
        self, source: str, texts: Sequence[str]
    ) -> Iterator[tuple[Extractor, list[str]]]:
        """Yield each extractor with the fields it knows, the last with the rest."""
        rest = list(texts)
        for number, extractor in enumerate(self.extractors):
            known = extractor.fields_of(source)
            last = number == len(self.extractors) - 1
            mine = [t for t in rest if last or t.partition("[")[0] in known]
            rest = [t for t in rest if t not in mine]
            if mine:
                yield extractor, mine

    def event_strings(
        self, raw: pa.ChunkedArray, numbers: pa.ChunkedArray, source: str
    ) -> pa.ChunkedArray | None:
        """Ask the first extractor that has a plugin for ``source``."""
        for extractor in self.extractors:
            texts = extractor.event_strings(raw, numbers, source)
            if texts is not None:
                return texts
        return None


def extractor_of(plugins: Iterable[Any]) -> Extractor:
    """Return one extractor for Plugin and Workbench objects, in registration order."""
    extractors: list[Extractor] = []
    for plugin in plugins:
        extractor = getattr(plugin, "extractor", None)
        if extractor is None:
            raise wrong("attach", "plugins", "Plugin or Workbench objects", plugin)
        if extractor not in extractors:
            extractors.append(extractor)
    return extractors[0] if len(extractors) == 1 else ChainedExtractor(extractors)


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
        return {name: take_rows(column, places) for name, column in whole.items()}

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
