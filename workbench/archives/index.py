"""The index of an archive: footers read once, kept in a small file in the cache.

An entry holds as long as size and time of change of its file stay. The index is only
a copy: whatever is odd about it, the footers are read again.
"""

from __future__ import annotations

import contextlib
import hashlib
import json
from concurrent.futures import ThreadPoolExecutor
from functools import partial
from typing import TYPE_CHECKING, Any, Final

from workbench.archives.files import ArchiveFile, FileFacts, Group, read_footer
from workbench.fields.declarations import FieldInfo, FieldTable
from workbench.paths import user_cache_dir
from workbench.saving import save_text

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping, Sequence
    from pathlib import Path

    from workbench.archives.files import Found

__all__ = ["index_path", "listed"]

_LAYOUT: Final = 1
_READERS: Final = 16


def index_path(paths: Sequence[str]) -> Path | None:
    """Return the file that keeps the index of an archive; None without a home."""
    cache = user_cache_dir()
    if cache is None:
        return None
    mark = hashlib.sha256("\0".join(sorted(paths)).encode("utf-8", "replace"))
    return cache / "archives" / f"{mark.hexdigest()[:32]}.json"


def listed(
    found: Sequence[Found],
    index: Path | None,
    storage_options: Mapping[str, Any] | None,
) -> list[ArchiveFile]:
    """Return the files with what their footers tell, from the index where it holds."""
    known = {} if index is None else _load(index)
    files: dict[str, ArchiveFile] = {}
    fresh = []
    for one in found:
        kept = known.get(one.path)
        if kept and (kept.bytes, kept.changed) == (one.bytes, one.changed):
            files[one.path] = kept
        else:
            fresh.append(one)
    if fresh:
        read = partial(read_footer, storage_options=storage_options)
        with ThreadPoolExecutor(_READERS) as pool:
            files.update((f.path, f) for f in pool.map(read, fresh))
    if index is not None and (fresh or len(known) != len(files)):
        # A folder that cannot be written costs time at the next listing, no more.
        with contextlib.suppress(OSError, Exception):
            index.parent.mkdir(parents=True, exist_ok=True)
            _save(index, files.values())
    return [files[one.path] for one in found]


def _save(index: Path, files: Iterable[ArchiveFile]) -> None:
    facts: dict[str, int] = {}
    rows = []
    for file in files:
        if file.damage or not file.changed:
            continue
        text = json.dumps(_packed(file.facts))
        number = facts.setdefault(text, len(facts))
        groups = None
        if file.groups is not None:
            groups = [[g.rows, g.bytes, g.first_ns, g.last_ns] for g in file.groups]
        rows.append([file.path, file.bytes, file.changed, number, groups])
    shared = ",".join(facts)
    save_text(
        index, f'{{"layout":{_LAYOUT},"facts":[{shared}],"files":{json.dumps(rows)}}}'
    )


def _packed(facts: FileFacts) -> dict[str, Any]:
    fields = []
    for info in facts.fields.values():
        entry = info.to_dict()
        entry["properties"] = list(info.properties)
        entry["add_output"] = info.add_output
        fields.append(entry)
    return {
        "columns": list(facts.columns),
        "fields": fields,
        "sources": None if facts.sources is None else list(facts.sources),
        "plugin": facts.plugin,
        "plugin_version": facts.plugin_version,
    }


def _unpacked(entry: Mapping[str, Any]) -> FileFacts:
    sources = entry["sources"]
    return FileFacts(
        tuple(map(str, entry["columns"])),
        FieldTable(FieldInfo.from_json(e) for e in entry["fields"]),
        None if sources is None else tuple(map(str, sources)),
        entry["plugin"],
        entry["plugin_version"],
    )


def _load(index: Path) -> dict[str, ArchiveFile]:
    try:
        data = json.loads(index.read_text("utf-8"))
        if data["layout"] != _LAYOUT:
            return {}
        facts = [_unpacked(entry) for entry in data["facts"]]
        return {
            path: ArchiveFile(
                str(path),
                int(size),
                str(changed),
                facts[number],
                None if groups is None else tuple(Group(*g) for g in groups),
            )
            for path, size, changed, number, groups in data["files"]
        }
    except (OSError, ValueError, KeyError, TypeError, IndexError, AttributeError):
        return {}
