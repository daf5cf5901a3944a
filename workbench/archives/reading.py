"""One part of an archive as Events: the one place that reads rows."""

from __future__ import annotations

import shutil
import tempfile
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Any

from workbench.archives.files import opened, size_now
from workbench.archives.loaded import plugins_of, source_ids
from workbench.arrow.types import column_info, column_type
from workbench.captures.contents import CaptureContents, undescribe
from workbench.errors import CaptureFileError
from workbench.events.builtin_columns import first_time
from workbench.events.columns import with_number_and_time
from workbench.events.events import Events
from workbench.events.origin import Origin
from workbench.events.source_names import only_source
from workbench.fields.builtin import BUILTIN_FIELDS
from workbench.formatting.printable import shortened

if TYPE_CHECKING:
    from collections.abc import Collection, Iterator, Mapping, Sequence

    from workbench.archives.loaded import Plugins
    from workbench.archives.parts import Part
    from workbench.fields.declarations import FieldTable

__all__ = ["ALWAYS", "part_events", "read_rows"]

# Columns that are read whatever is asked.
ALWAYS = ("evt.num", "evt.rawtime", "evt.time", "evt.source", "state_only")
# Built-in fields that are made from stored events.
_FROM_RAW = frozenset(
    ("evt.plugininfo", "evt.is_async", "evt.asynctype", "evt.pluginname", "payload")
)


def read_rows(
    part: Part,
    columns: Collection[str] | None,
    *,
    sources: Mapping[int, str],
    storage_options: Mapping[str, Any] | None = None,
) -> CaptureContents:
    """Return the rows of a part, of Parquet only ``columns`` (None: all).

    Raises CaptureFileError for damage, or a file that changed since it was listed.
    """
    import pyarrow as pa

    try:
        if part.groups is not None:
            return _parquet_rows(part, columns, storage_options)
        from workbench.captures import formats

        with _local(part.path, storage_options) as path:
            return formats.load(path, sources)
    except FileNotFoundError:
        raise _gone(part.path, "is no longer there") from None
    except (pa.ArrowException, OSError, MemoryError) as error:
        reason = shortened(str(error) or type(error).__name__)
        text = f"cannot read {shortened(part.path)}: {reason}"
        raise CaptureFileError(text, path=part.path) from None


def _parquet_rows(
    part: Part, columns: Collection[str] | None, options: Mapping[str, Any] | None
) -> CaptureContents:
    import pyarrow.parquet as pq

    from workbench.captures.soundness import sound

    size = size_now(part.path)
    if size is not None and size != part.bytes:
        raise _gone(part.path, "has changed")
    with opened(part.path, options) as source:
        if size is None and getattr(source, "size", part.bytes) != part.bytes:
            raise _gone(part.path, "has changed")
        file = pq.ParquetFile(source)
        schema = file.schema_arrow
        groups = list(part.groups or ())
        if groups and groups[-1] >= file.num_row_groups:
            raise _gone(part.path, "has changed")
        names = [n for n in schema.names if columns is None or n in columns]
        table = file.read_row_groups(groups, columns=names, use_threads=False)
    facts, _ = undescribe(schema.metadata)
    table = sound(table.replace_schema_metadata(None), part.path)
    return CaptureContents(table=table, **facts)


def _gone(path: str, what: str) -> CaptureFileError:
    return CaptureFileError(
        f"{shortened(path)} {what} since it was listed; call refresh() of the archive",
        path=path,
    )


@contextmanager
def _local(path: str, options: Mapping[str, Any] | None) -> Iterator[Path]:
    """Yield a path on this machine; what lies elsewhere is copied for the while."""
    if "://" not in path:
        yield Path(path)
        return
    with tempfile.TemporaryDirectory(prefix="workbench-") as folder:
        target = Path(folder) / path.rpartition("/")[2]
        with opened(path, options) as source, target.open("wb") as sink:
            shutil.copyfileobj(source, sink, 1 << 20)
        yield target


def part_events(
    part: Part,
    columns: Sequence[str] | None,
    *,
    fields: FieldTable,
    plugins: Plugins,
    storage_options: Mapping[str, Any] | None = None,
) -> Events:
    """Return the events of a part with ``columns``, or with all that the file has.

    Fields that the file lacks are extracted from its stored events where a plugin can,
    else they are absent. Events that only plugins see are there, too, in
    ``state_only``: see :func:`visible`.
    """
    loaded = plugins_of(plugins)
    wanted = None if columns is None else _physical(part, columns, extracts=plugins)
    contents = read_rows(
        part,
        wanted,
        sources=source_ids(loaded) if part.groups is None else {},
        storage_options=storage_options,
    )
    table = with_number_and_time(contents.table)
    start = contents.extra.get("start_ns")
    if not isinstance(start, int):
        known = part.start_ns
        start = first_time(table) if known is None else known
    origin = Origin(
        source=contents.source or only_source(table),
        plugin=contents.plugin,
        plugin_version=contents.plugin_version,
        hostname=contents.hostname or "",
        start_ns=(start or 0) % 2**64,
        notes=contents.notes,
        extra={"plugins": contents.extra.get("plugins")},
    )
    events = Events(table, fields=fields, origin=origin)
    if loaded:
        events = events.attach(*loaded)
    return _complete(events, columns or (), fields, loaded)


def _physical(part: Part, columns: Sequence[str], *, extracts: object) -> set[str]:
    """Return the columns to read for ``columns``."""
    lacking = [n for n in columns if n not in part.columns]
    own = [n for n in lacking if n not in BUILTIN_FIELDS]
    wanted = {*columns, *ALWAYS}
    if (extracts and own) or _FROM_RAW & set(lacking):
        wanted.add("raw")
    return wanted


def _complete(
    events: Events, columns: Sequence[str], fields: FieldTable, loaded: Sequence[Any]
) -> Events:
    """Add what the file lacks: extracted where a plugin knows it, else absent."""
    import pyarrow as pa

    table = events.table
    lacking = [
        n for n in columns if n not in table.column_names and n not in BUILTIN_FIELDS
    ]
    if loaded and "raw" in table.column_names:
        from workbench.events.extractor import extractor_of

        extractor = extractor_of(loaded)
        known = {n for s in events.sources for n in extractor.fields_of(s)}
        mine = [n for n in lacking if n == "payload" or n.partition("[")[0] in known]
        table = events.table_with(mine)
    for name in lacking:
        if name not in table.column_names:
            kind = column_type(column_info(name, fields))
            table = table.append_column(name, pa.nulls(table.num_rows, kind))
    return events.derive(table)


def visible(events: Events) -> Events:
    """Leave out the events that only plugins see."""
    import pyarrow.compute as pc

    table = events.table
    if "state_only" not in table.column_names:
        return events
    hidden = table.column("state_only")
    table = table.drop_columns("state_only")
    if pc.any(hidden).as_py():
        table = table.filter(pc.invert(hidden))
    return events.derive(table)
