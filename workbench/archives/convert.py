"""Capture files → Parquet by source and day, sorted by time, file by file.

Each input becomes ``SOURCE/DAY/NAME.parquet`` in the target, and a note in the folder
``.done`` once all of its output is there. Running again goes on with the files that
have no note, or that changed since. Notes hold rows and checksums for ``verify``.
"""

from __future__ import annotations

import hashlib
import json
import re
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final

import numpy as np

from workbench.archives.failures import Failure, tell_failures
from workbench.archives.job import Done
from workbench.archives.loaded import close_loaded
from workbench.archives.parts import Part
from workbench.archives.reading import part_events, visible
from workbench.archives.scheduling import map_parts
from workbench.captures.parquet import write_parquet
from workbench.errors import WorkbenchError
from workbench.events.columns import source_rows
from workbench.saving import save_text

if TYPE_CHECKING:
    import os
    from collections.abc import Callable, Mapping

    from workbench.archives.loaded import Plugins
    from workbench.events.events import Events
    from workbench.fields.declarations import FieldTable

__all__ = ["Converted", "convert", "notes_of"]

_DAY_NS: Final = 86_400 * 10**9
_DONE: Final = ".done"


@dataclass(frozen=True, slots=True)
class Converted:
    """What a conversion did: files written, files that were there, those that failed.

    ``rows``: events written now.
    """

    written: int
    kept: int
    rows: int
    failures: tuple[Failure, ...] = ()


@dataclass(frozen=True)
class _Job:
    """The same for every file."""

    target: str
    fields: Mapping[str, FieldTable]
    every: FieldTable
    plugins: Plugins
    storage_options: Mapping[str, Any] | None
    keep_events: bool
    collect: bool


def convert(
    archive: Any,
    target: str | os.PathLike[str],
    *,
    keep_events: bool = False,
    watch: Callable[[Part], None] | None = None,
) -> Converted:
    """Write the files of an archive as Parquet into the folder ``target``.

    All fields that need no argument are extracted by the archive's plugins.
    ``keep_events``: write the stored events, too, for further fields. Interrupted, it
    goes on where it was. Raises ArchiveError for a file that fails, unless the archive
    collects failures.
    """
    catalog = archive.catalog
    folder = Path(target)
    (folder / _DONE).mkdir(parents=True, exist_ok=True)
    parts, kept = [], 0
    for number, file in enumerate(catalog.files):
        groups = None if file.groups is None else tuple(range(len(file.groups)))
        columns = file.facts.columns
        if _is_done(folder, file.path, file.bytes, file.changed):
            kept += 1
        else:
            part = Part(number, file.path, file.bytes, groups, file.rows)
            parts.append((_with(part, columns), file.changed))
    job = _Job(
        str(folder.resolve()),
        {source: catalog.fields_of(source) for source in catalog.sources},
        catalog.fields,
        catalog.plugins,
        catalog.storage_options,
        keep_events,
        catalog.collect,
    )
    try:
        done: list[Done] = map_parts(
            _convert,
            job,
            parts,
            client=catalog.client,
            watch=None if watch is None else lambda pair: watch(pair[0]),
        )
    finally:
        if catalog.plugins:
            close_loaded()
            if catalog.client is not None:
                catalog.client.run(close_loaded)
    failures = tuple(d.failure for d in done if d.failure is not None)
    tell_failures(failures)
    rows = sum(d.value for d in done if d.failure is None)
    return Converted(len(done) - len(failures), kept, rows, failures)


def _with(part: Part, columns: tuple[str, ...]) -> Part:
    from dataclasses import replace

    return replace(part, columns=columns)


def _note(folder: Path, path: str) -> Path:
    return folder / _DONE / f"{_name(path)}.json"


def _name(path: str) -> str:
    """Return a file name for an input: its own, and a mark that tells its folder."""
    own = re.sub(r"[^A-Za-z0-9._-]", "_", path.rpartition("/")[2])[:80]
    mark = hashlib.sha256(path.encode("utf-8", "replace")).hexdigest()[:10]
    return f"{own}-{mark}"


def _is_done(folder: Path, path: str, size: int, changed: str) -> bool:
    note = _read_note(_note(folder, path))
    return (
        note is not None
        and (note["bytes"], note["changed"]) == (size, changed)
        and all((folder / out["path"]).is_file() for out in note["outputs"])
    )


def _read_note(path: Path) -> dict[str, Any] | None:
    try:
        note = json.loads(path.read_text("utf-8"))
        outputs = [
            {"path": str(o["path"]), "rows": int(o["rows"]), "sha256": str(o["sha256"])}
            for o in note["outputs"]
        ]
        return {
            "input": str(note["input"]),
            "bytes": int(note["bytes"]),
            "changed": str(note["changed"]),
            "outputs": outputs,
        }
    except (OSError, ValueError, KeyError, TypeError):
        return None


def notes_of(folder: Path) -> list[dict[str, Any]]:
    """Return the notes of a converted folder: input, and path, rows, sha256 of outputs.

    Notes that cannot be read are left out.
    """
    found = [_read_note(path) for path in sorted((folder / _DONE).glob("*.json"))]
    return [note for note in found if note is not None]


def _convert(job: _Job, given: tuple[Part, str]) -> Done:
    part, changed = given
    try:
        return Done(_write(job, part, changed))
    except (WorkbenchError, OSError, KeyError, TypeError, MemoryError) as error:
        failure = Failure.of(part.path, error)
        if job.collect:
            return Done(failure=failure)
        raise failure.error() from error


def _columns(job: _Job, part: Part) -> list[str]:
    declared = [
        name for name, info in job.every.items() if not (info.arg and info.arg.required)
    ]
    own = [n for n in part.columns if n not in ("raw", "state_only")]
    return list(dict.fromkeys([*own, *declared, "evt.source"]))


def _write(job: _Job, part: Part, changed: str) -> int:
    """Write one file's events by source and day; return their number."""
    events = visible(
        part_events(
            part,
            [*_columns(job, part), *(["raw"] if job.keep_events else [])],
            fields=job.every,
            plugins=job.plugins,
            storage_options=job.storage_options,
        )
    )
    folder = Path(job.target)
    outputs = []
    for source, own in _by_source(events).items():
        table = own.table.take(
            np.argsort(own.table.column("evt.rawtime").to_numpy(), kind="stable")
        )
        if not job.keep_events and "raw" in table.column_names:
            table = table.drop_columns("raw")
        fields = job.fields.get(source, job.every)
        absent = [n for n in table.column_names if _is_absent(table, n, fields)]
        table = table.drop_columns(absent)
        days = table.column("evt.rawtime").to_numpy() // np.uint64(_DAY_NS)
        for day in np.unique(days):
            rows = np.flatnonzero(days == day)
            some = table.slice(int(rows[0]), len(rows))
            name = _output(source, int(day), part.path)
            target = folder / name
            target.parent.mkdir(parents=True, exist_ok=True)
            write_parquet(target, some, **_facts(own, source, fields))
            outputs.append(
                {"path": name, "rows": len(some), "sha256": checksum(target)}
            )
    note = {
        "input": part.path,
        "bytes": part.bytes,
        "changed": changed,
        "outputs": outputs,
    }
    save_text(_note(folder, part.path), json.dumps(note))
    return len(events)


def _is_absent(table: Any, name: str, fields: FieldTable) -> bool:
    """Whether a column is a field of another source, without any value here."""
    if name.startswith("evt.") or name == "raw" or name.partition("[")[0] in fields:
        return False
    return bool(table.column(name).null_count == len(table))


def _by_source(events: Events) -> Mapping[str, Events]:
    if events.source or not source_rows(events.table):
        return {events.source: events} if len(events) else {}
    return events.by_source()


def _output(source: str, day: int, path: str) -> str:
    folder = re.sub(r"[^A-Za-z0-9._-]", "_", source).strip(".") or "unknown"
    date = np.datetime64(day, "D")
    return f"{folder}/{date}/{_name(path)}.parquet"


def _facts(events: Events, source: str, fields: FieldTable) -> dict[str, Any]:
    origin = events.origin
    return {
        "fields": fields,
        "source": source or None,
        "plugin": origin.plugin,
        "plugin_version": origin.plugin_version,
        "hostname": origin.hostname,
        "extra": {"start_ns": origin.start_ns, "plugins": events.plugin_versions},
    }


def checksum(path: Path) -> str:
    """Return the SHA-256 of a file."""
    with path.open("rb") as source:
        return hashlib.file_digest(source, "sha256").hexdigest()
