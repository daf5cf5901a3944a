"""Several plugins of different hosts, asked about the same stored events."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from workbench.fields.declarations import FieldTable

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Sequence

    import pyarrow as pa

    from workbench.events.columns import Extractor

__all__ = ["ChainedExtractor", "extractor_of"]


class ChainedExtractor:
    """Asks several extractors; the first that knows a field answers for it."""

    def __init__(self, extractors: Iterable[Extractor]) -> None:
        """Keep ``extractors`` in their order."""
        self.extractors = list(extractors)

    def fields_of(self, source: str) -> FieldTable:
        """Give the fields of all extractors."""
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
        """Yield each extractor with the fields it answers for, the last with the rest."""
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
    """Give one extractor for Plugin and Workbench objects, in registration order."""
    extractors: list[Extractor] = []
    for plugin in plugins:
        extractor = getattr(plugin, "extractor", None)
        if extractor is None:
            kind = type(plugin).__name__
            raise TypeError(f"plugins are Plugin or Workbench objects, not {kind}")
        if extractor not in extractors:
            extractors.append(extractor)
    return extractors[0] if len(extractors) == 1 else ChainedExtractor(extractors)
