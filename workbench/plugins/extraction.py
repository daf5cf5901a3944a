"""Asking plugins about stored events: further fields, and one-line texts."""

from __future__ import annotations

from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import TYPE_CHECKING

from workbench.arrow.dictionaries import join_batches
from workbench.arrow.types import column_type
from workbench.fields.reference import resolve_column
from workbench.lazy import lazy_module
from workbench.plugins.call_errors import ErrorCounts
from workbench.plugins.compatibility import fields_of, source_name
from workbench.plugins.selection import select_columns

if TYPE_CHECKING:
    import weakref
    from collections.abc import Iterable, Sequence

    import pyarrow as pa

    from workbench.fields.declarations import FieldTable
    from workbench.fields.reference import ResolvedField
    from workbench.manifest import Manifest
    from workbench.plugins.pool import SessionPool
    from workbench.plugins.selection import Selection
    from workbench.session.interface import Session
    from workbench.session.types import ColumnRequest
else:
    pa = lazy_module("pyarrow")

__all__ = ["Captured", "PoolExtractor"]


@dataclass(frozen=True)
class Captured:
    """The session that captured some events, and the base of their numbers there."""

    session: weakref.ref[Session]
    number_base: int | None


@dataclass(frozen=True)
class PoolExtractor:
    """Feeds stored events to the plugins of one pool, in stream order.

    ``pool``: may restart when one of its plugins crashed. ``dedicated``: always ask
    plugins that have seen no event yet. ``captured``: where the events were captured,
    so that plugins see them under the numbers of then.
    """

    pool: SessionPool
    dedicated: bool = False
    captured: Captured | None = field(default=None, compare=False)
    _errors: ErrorCounts = field(init=False, compare=False, repr=False)

    def __post_init__(self) -> None:
        """Count errors of its own; each is told once for the whole pool."""
        object.__setattr__(self, "_errors", ErrorCounts(self.pool.told_errors))

    @property
    def notes(self) -> tuple[str, ...]:
        """How often extract and parse failed for the events asked about, and why."""
        loaded = self.pool.loaded_plugins
        return self._errors.notes(loaded[0].name if len(loaded) == 1 else "")

    def fields_of(self, source: str) -> FieldTable:
        """Return the fields usable for events of ``source``."""
        return fields_of([m.manifest for m in self.pool.loaded_plugins], source)[0]

    def stateful(self, source: str) -> bool:
        """Whether values depend on the events before: plugins parse this source."""
        return any(
            "parsing" in m.manifest.capabilities
            and (
                not m.manifest.parse_event_sources
                or source in m.manifest.parse_event_sources
            )
            for m in self.pool.loaded_plugins
        )

    @property
    def plugin_versions(self) -> dict[str, str]:
        """Name → version of the plugins asked."""
        return {m.name: m.manifest.version for m in self.pool.loaded_plugins}

    @property
    def libraries(self) -> list[tuple[str, str]]:
        """Name or path and init config of the plugins asked, as ``wb.load`` takes them.

        The name of those that are found by it.
        """
        from workbench.artifacts.folders import find_plugin, plugin_name

        found = []
        for loaded in self.pool.loaded_plugins:
            path = Path(loaded.path).resolve()
            name = plugin_name(path)
            known = find_plugin(name)
            by_name = known is not None and known.resolve() == path
            found.append((name if by_name else str(path), loaded.config))
        return found

    def extract_columns(
        self,
        raw: pa.ChunkedArray,
        numbers: pa.ChunkedArray,
        source: str,
        texts: Sequence[str],
    ) -> dict[str, pa.ChunkedArray]:
        """Feed stored events again; give the columns by name, one row per event.

        Raises ConditionError for unknown fields, and what plugins end with.
        """
        resolved, selection = self._select(source, texts)
        batches = [
            batch.select(list(selection.columns))
            for batch in self._feed(raw, numbers, source, selection.requests)
        ]
        schema = pa.schema([(r.column, column_type(r.info)) for r in resolved])
        joined = join_batches(batches, schema)
        return {name: joined.column(name) for name in selection.columns}

    def places(
        self,
        raw: pa.ChunkedArray,
        numbers: pa.ChunkedArray,
        source: str,
        texts: Sequence[str],
    ) -> dict[str, pa.ChunkedArray]:
        """Return where in the events values were found: ``…#start`` and ``…#len``.

        Plugins older than API 3.11 cannot tell; their fields are left out.
        """
        loaded_plugins = self.pool.loaded_plugins
        selection = self._select(source, texts)[1]
        requests = [
            replace(r, offsets=True)
            for r in selection.requests
            if _tells_places(loaded_plugins[r.plugin].manifest)
        ]
        if not requests:
            return {}
        joined = join_batches(self._feed(raw, numbers, source, requests))
        return {n: joined.column(n) for n in joined.column_names if "#" in n}

    def requests(self, source: str, texts: Sequence[str]) -> list[ColumnRequest]:
        """Return what to ask a session for, plugins numbered as in the pool."""
        return list(self._select(source, texts)[1].requests)

    def _select(
        self, source: str, texts: Sequence[str]
    ) -> tuple[list[ResolvedField], Selection]:
        manifests = [m.manifest for m in self.pool.loaded_plugins]
        table, _ = fields_of(manifests, source)
        resolved = [resolve_column(text, table) for text in texts]
        return resolved, select_columns(resolved, manifests, source)

    def _feed(
        self,
        raw: pa.ChunkedArray,
        numbers: pa.ChunkedArray,
        source: str,
        requests: Sequence[ColumnRequest],
    ) -> list[pa.RecordBatch]:
        # State comes from the events alone: a plugin that keeps some starts anew.
        anew = self.dedicated or self.stateful(source)
        batches = []
        with self.pool.dedicated() if anew else self.pool.acquire() as pooled:
            loaded = self.pool.loaded_plugins
            names = {pooled.index(one): one.name for one in loaded}
            for events, numbered in _pairs(raw, numbers):
                with pooled.calling() as session:
                    batch = session.extract(
                        events,
                        numbered,
                        source,
                        pooled.numbered(requests),
                        number_base=self._number_base(session),
                    )
                    self._errors.update(session.call_errors(), names)
                    self._errors.finish()
                batches.append(batch)
        return batches

    def _number_base(self, session: Session) -> int | None:
        captured = self.captured
        known = captured is not None and captured.session() is session
        return captured.number_base if captured is not None and known else None

    def event_strings(
        self, raw: pa.ChunkedArray, numbers: pa.ChunkedArray, source: str
    ) -> pa.ChunkedArray | None:
        """Return the plugin's text per event (null: none), None without a plugin."""
        for loaded in self.pool.loaded_plugins:
            manifest = loaded.manifest
            if "sourcing" in manifest.capabilities and source_name(manifest) == source:
                break
        else:
            return None
        with self.pool.acquire() as pooled:
            chunks = []
            for events, numbered in _pairs(raw, numbers):
                with pooled.calling() as session:
                    chunks.append(
                        session.event_strings(pooled.index(loaded), events, numbered)
                    )
        return pa.chunked_array(chunks, pa.binary() if not chunks else None)


def _tells_places(manifest: Manifest) -> bool:
    """Return whether a plugin's API version knows value offsets."""
    parts = manifest.required_api_version.split(".")
    if not (len(parts) > 1 and parts[0].isdigit() and parts[1].isdigit()):
        return False
    return (int(parts[0]), int(parts[1])) >= (3, 11)


def _pairs(
    raw: pa.ChunkedArray, numbers: pa.ChunkedArray
) -> Iterable[tuple[pa.Array, pa.Array]]:
    """Yield both columns in pieces of the same length."""
    start = 0
    for chunk in raw.chunks:
        part = numbers.slice(start, len(chunk)).combine_chunks()
        if isinstance(part, pa.ChunkedArray):
            part = pa.concat_arrays(part.chunks)
        start += len(chunk)
        if len(chunk):
            yield chunk, part.cast(pa.uint64())
