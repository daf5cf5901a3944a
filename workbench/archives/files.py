"""The files of an archive: what their footers tell, without reading any row."""

from __future__ import annotations

from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final

from workbench.captures.contents import undescribe
from workbench.errors import CaptureFileError, WorkbenchError
from workbench.fields.declarations import FieldTable
from workbench.formatting.printable import shortened

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping

    import pyarrow as pa

__all__ = ["ArchiveFile", "FileFacts", "Found", "Group", "find_files", "read_footer"]

FORMATS: Final = (".parquet", ".scap", ".scap.gz")


@dataclass(frozen=True, slots=True)
class Found:
    """A file as a file system lists it. ``changed``: what tells another version."""

    path: str
    bytes: int
    changed: str


@dataclass(frozen=True, slots=True)
class Group:
    """A row group: rows, bytes when decoded, and its event times (ns) if known."""

    rows: int
    bytes: int
    first_ns: int | None = None
    last_ns: int | None = None


@dataclass(frozen=True, slots=True)
class FileFacts:
    """What files of one origin share.

    ``columns``: those that the files hold; ``fields``: what the plugin declared;
    ``sources``: event sources of the rows, None where only reading would tell.
    """

    columns: tuple[str, ...] = ()
    fields: FieldTable = field(default_factory=FieldTable)
    sources: tuple[str, ...] | None = None
    plugin: str | None = None
    plugin_version: str | None = None


@dataclass(frozen=True, slots=True)
class ArchiveFile:
    """One file. ``rows``, ``first_ns``, ``last_ns``: None where no footer tells.

    ``damage``: why its footer cannot be read, "" if it can.
    """

    path: str
    bytes: int
    changed: str
    facts: FileFacts
    groups: tuple[Group, ...] | None = None
    damage: str = ""

    @property
    def rows(self) -> int | None:
        """Number of events."""
        return None if self.groups is None else sum(g.rows for g in self.groups)

    @property
    def first_ns(self) -> int | None:
        """Time of the earliest event, ns since the epoch."""
        return _least(self.groups, "first_ns", min)

    @property
    def last_ns(self) -> int | None:
        """Time of the latest event, ns since the epoch."""
        return _least(self.groups, "last_ns", max)


def _least(groups: tuple[Group, ...] | None, name: str, choose: Any) -> int | None:
    known = [getattr(g, name) for g in groups or () if g.rows]
    if not known or None in known:
        return None
    found: int = choose(known)
    return found


def _is_capture(path: str) -> bool:
    return path.lower().endswith(FORMATS)


def find_files(
    paths: Iterable[str], storage_options: Mapping[str, Any] | None
) -> list[Found]:
    """Return the capture files that paths, globs, folders and URLs name, by path.

    Raises WorkbenchError where one names nothing.
    """
    found: dict[str, Found] = {}
    for path in paths:
        here = _found(path, dict(storage_options or {}))
        if not here:
            kinds = ", ".join(FORMATS)
            raise WorkbenchError(f"{shortened(path)}: no capture files here ({kinds})")
        found.update((f.path, f) for f in here)
    return [found[path] for path in sorted(found)]


def _found(path: str, options: dict[str, Any]) -> list[Found]:
    from fsspec.core import url_to_fs

    try:
        files, root = url_to_fs(path, **options)
        files.invalidate_cache()  # a listing is of now
        if any(c in root for c in "*?["):
            listed = files.glob(root, detail=True)
        elif files.isdir(root):
            listed = files.find(root, detail=True)
        else:
            listed = {root: files.info(root)}
    except (OSError, ValueError, ImportError) as error:
        reason = getattr(error, "strerror", None) or str(error) or type(error).__name__
        raise WorkbenchError(f"{shortened(path)}: {shortened(reason)}") from None
    return [
        Found(_named(files, name), int(info.get("size") or 0), _version(info))
        for name, info in listed.items()
        if info.get("type") == "file" and _is_capture(name)
    ]


def _named(files: Any, name: str) -> str:
    """Return a path as open takes it: plain for local files, else a URL."""
    kinds = files.protocol if isinstance(files.protocol, tuple) else (files.protocol,)
    return name if "file" in kinds else str(files.unstrip_protocol(name))


def _version(info: Mapping[str, Any]) -> str:
    for key in ("ETag", "etag", "mtime", "LastModified", "updated", "last_modified"):
        if info.get(key):
            return str(info[key])
    return ""


def opened(path: str, storage_options: Mapping[str, Any] | None) -> Any:
    """Return a file of bytes, open for reading; local ones by their path."""
    if "://" not in path:
        return Path(path).open("rb")
    import fsspec

    return fsspec.open(path, "rb", **dict(storage_options or {})).open()


def read_footer(
    found: Found, storage_options: Mapping[str, Any] | None = None
) -> ArchiveFile:
    """Return what the footer of a Parquet file tells; other formats have none.

    A footer that cannot be read becomes ``damage``.
    """
    plain = ArchiveFile(found.path, found.bytes, found.changed, FileFacts())
    if not found.path.lower().endswith(".parquet"):
        return plain
    import pyarrow as pa

    try:
        return _read_footer(found, storage_options)
    except (pa.ArrowException, CaptureFileError, OSError, ValueError) as error:
        text = shortened(str(error) or type(error).__name__)
        return ArchiveFile(
            found.path, found.bytes, found.changed, FileFacts(), None, text
        )


def _read_footer(found: Found, options: Mapping[str, Any] | None) -> ArchiveFile:
    import pyarrow.parquet as pq

    with opened(found.path, options) as source:
        file = pq.ParquetFile(source)
        told = file.metadata
        schema: pa.Schema = file.schema_arrow
        facts, _ = undescribe(schema.metadata)
        names = tuple(schema.names)
        groups = _groups(told)
        kept = FileFacts(
            names,
            facts["fields"],
            _sources(file, facts.get("source"), names),
            facts.get("plugin"),
            facts.get("plugin_version"),
        )
    return ArchiveFile(found.path, found.bytes, found.changed, kept, groups)


def _sources(
    file: Any, source: str | None, names: tuple[str, ...]
) -> tuple[str, ...] | None:
    """Return the event sources; of mixed files their one short column is read."""
    if source:
        return (source,)
    if "evt.source" not in names:
        return ()
    from workbench.events.columns import source_rows

    return tuple(source_rows(file.read(columns=["evt.source"])))


def _groups(told: Any) -> tuple[Group, ...]:
    at = next(
        (
            n
            for n in range(told.num_columns)
            if told.schema.column(n).path == "evt.rawtime"
        ),
        None,
    )
    found = []
    for number in range(told.num_row_groups):
        group = told.row_group(number)
        low = high = None
        if at is not None:
            known = group.column(at).statistics
            if known is not None and known.has_min_max:
                low, high = known.min, known.max
        plain = isinstance(low, int) and isinstance(high, int)
        found.append(
            Group(
                group.num_rows,
                group.total_byte_size,
                low if plain else None,
                high if plain else None,
            )
        )
    return tuple(found)


def size_now(path: str) -> int | None:
    """Return the size of a local file now; None for a URL, or when it is gone."""
    if "://" in path:
        return None
    try:
        return Path(path).stat().st_size
    except OSError:
        return None
