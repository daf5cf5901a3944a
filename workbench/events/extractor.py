"""Several plugins of different hosts, asked about the same stored events."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from workbench.fields.declarations import FieldTable

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Sequence

    import pyarrow as pa

    from workbench.events.columns import Feeder

__all__ = ["JointFeeder", "feeder_of"]


class JointFeeder:
    """Asks several feeders; the first that knows a field answers for it."""

    def __init__(self, feeders: Iterable[Feeder]) -> None:
        """Keep ``feeders`` in their order."""
        self.feeders = list(feeders)

    def fields_of(self, source: str) -> FieldTable:
        """Give the fields of all feeders."""
        return FieldTable(
            info for f in self.feeders for info in f.fields_of(source).values()
        )

    def stateful(self, source: str) -> bool:
        """Whether values depend on the events before, for any feeder."""
        asks = (getattr(f, "stateful", None) for f in self.feeders)
        return any(ask(source) for ask in asks if ask is not None)

    @property
    def plugin_versions(self) -> dict[str, str]:
        """Name → version of the plugins asked."""
        found: dict[str, str] = {}
        for feeder in self.feeders:
            found |= getattr(feeder, "plugin_versions", {})
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
        for feeder, mine in self._shares(source, texts):
            found |= feeder.extract_columns(raw, numbers, source, mine)
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
        for feeder, mine in self._shares(source, texts):
            found |= feeder.places(raw, numbers, source, mine)
        return found

    def _shares(
        self, source: str, texts: Sequence[str]
    ) -> Iterator[tuple[Feeder, list[str]]]:
        """Give each feeder with the fields it answers for; the last gets the rest."""
        rest = list(texts)
        for number, feeder in enumerate(self.feeders):
            known = feeder.fields_of(source)
            last = number == len(self.feeders) - 1
            mine = [t for t in rest if last or t.partition("[")[0] in known]
            rest = [t for t in rest if t not in mine]
            if mine:
                yield feeder, mine

    def event_strings(
        self, raw: pa.ChunkedArray, numbers: pa.ChunkedArray, source: str
    ) -> pa.ChunkedArray | None:
        """Ask the first feeder that has a plugin for ``source``."""
        for feeder in self.feeders:
            texts = feeder.event_strings(raw, numbers, source)
            if texts is not None:
                return texts
        return None


def feeder_of(plugins: Iterable[Any]) -> Feeder:
    """Give one feeder for Plugin and Workbench objects, in registration order."""
    feeders: list[Feeder] = []
    for plugin in plugins:
        feeder = getattr(plugin, "feeder", None)
        if feeder is None:
            kind = type(plugin).__name__
            raise TypeError(f"plugins are Plugin or Workbench objects, not {kind}")
        if feeder not in feeders:
            feeders.append(feeder)
    return feeders[0] if len(feeders) == 1 else JointFeeder(feeders)
