"""Extract from stored events through one plugin, past its crashes."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import pyarrow as pa

from workbench.errors import PluginCrashed, PluginHung
from workbench.plugins.extraction import PoolExtractor
from workbench.replay.compare import compare_events

if TYPE_CHECKING:
    from collections.abc import Sequence

    from workbench.errors import WorkbenchError
    from workbench.events.events import Events
    from workbench.manifest import Manifest
    from workbench.plugins.plugin import Plugin
    from workbench.replay.compare import ReplayReport

__all__ = [
    "ExtractionCrash",
    "Feeding",
    "compare_columns",
    "field_texts",
    "stored_events",
]

# After so many crashes the picture is clear.
_MAX_CRASHES = 5
_EXTREME_INDEXES = ("0", "1", "18446744073709551615")
_EXTREME_KEYS = ('""', "a", "%s%n", "/".join("x" * 50), '"' + "k" * 5000 + '"')


@dataclass(frozen=True, slots=True)
class ExtractionCrash:
    """A crash or hang during extraction, and the row of its event if it is known."""

    error: WorkbenchError
    row: int | None


def field_texts(manifest: Manifest, *, extreme: bool = False) -> list[str]:
    """Return the text of every field: bare if allowed, with arguments if it takes any.

    ``extreme``: with the arguments that authors forget to test, too.
    """
    texts = []
    for name, info in manifest.fields.items():
        if info.arg is None or not info.arg.required:
            texts.append(name)
        if info.arg is not None:
            arguments: tuple[str, ...] = ()
            if info.arg.key:
                arguments += _EXTREME_KEYS if extreme else ("a",)
            if info.arg.index:
                arguments += _EXTREME_INDEXES if extreme else ("1",)
            texts += [f"{name}[{argument}]" for argument in arguments]
    return texts


def stored_events(events: Events | None) -> pa.Array:
    """Return the stored 3.x events as one array, empty when there are none."""
    if events is None or not events.keeps_raw:
        return pa.array([], pa.binary())
    column = events.table.column("raw").combine_chunks()
    if isinstance(column, pa.ChunkedArray):
        column = pa.concat_arrays(column.chunks)
    return column


def compare_columns(
    left: pa.Table, right: pa.Table, labels: tuple[str, str] = ("before", "after")
) -> ReplayReport:
    """Compare columns extracted twice from the same events, row by row."""
    tables = [_numbered(table) for table in (left, right)]
    return compare_events(tables[0], tables[1], labels=labels)


def _numbered(table: pa.Table) -> pa.Table:
    number = pa.array(range(1, table.num_rows + 1), pa.uint64())
    return table.append_column("evt.num", number)


class Feeding:
    """Extracts fields from stored events through one plugin, past its crashes."""

    def __init__(self, plugin: Plugin) -> None:
        """Extract through ``plugin``, which may be in a Workbench with others."""
        self.plugin = plugin
        self.extractor = PoolExtractor(plugin.pool)
        manifest = plugin.info
        sources = [manifest.event_source, *manifest.extract_event_sources]
        self.source = next((s for s in sources if s), "any")

    def columns(
        self, raw: pa.Array, texts: Sequence[str]
    ) -> dict[str, pa.ChunkedArray]:
        """Return the columns named in ``texts``, one row per event.

        Raises PluginCrashed, PluginHung or PluginFailure.
        """
        numbers = pa.chunked_array([pa.array(range(1, len(raw) + 1), pa.uint64())])
        return self.extractor.extract_columns(
            pa.chunked_array([raw]), numbers, self.source, texts
        )

    def survive(self, raw: pa.Array, texts: Sequence[str]) -> list[ExtractionCrash]:
        """Extract from all events; after one that crashes the plugin, go on."""
        crashes: list[ExtractionCrash] = []
        start = 0
        while start < len(raw) and len(crashes) < _MAX_CRASHES:
            try:
                self.columns(raw[start:], texts)
                break
            except (PluginCrashed, PluginHung) as error:
                row = self._row_of(error, start, len(raw))
                crashes.append(ExtractionCrash(error, row))
                if row is None:
                    break
                start = row + 1
        return crashes

    @staticmethod
    def _row_of(error: WorkbenchError, start: int, rows: int) -> int | None:
        number = getattr(error, "event_number", None)
        if not number:
            return None
        row = start + int(number) - 1
        return row if start <= row < rows else None

    def texts_of_events(self, raw: pa.Array) -> list[ExtractionCrash]:
        """Make the one-line text of every event; return the crash, if any."""
        numbers = pa.chunked_array([pa.array(range(1, len(raw) + 1), pa.uint64())])
        try:
            self.extractor.event_strings(pa.chunked_array([raw]), numbers, self.source)
        except (PluginCrashed, PluginHung) as error:
            return [ExtractionCrash(error, self._row_of(error, 0, len(raw)))]
        return []
