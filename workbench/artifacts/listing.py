"""What plugins lie where: each library asked, in a worker, what it says of itself."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from workbench.artifacts.asking import Asker
from workbench.artifacts.folders import libraries, plugin_folders, plugin_name
from workbench.artifacts.records import Record, read_records
from workbench.errors import WorkbenchError

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from pathlib import Path

__all__ = ["FoundPlugin", "found_plugins", "installed_rules"]


@dataclass(frozen=True, slots=True)
class FoundPlugin:
    """One library on the search path.

    ``name``: what finds it. ``calls_itself``: its own name. ``fields``: how many.
    ``record``: how ``workbench get`` installed it, or None. ``hidden_by``: the library
    that the name finds instead. ``complaints``: what a loader would object to.
    """

    name: str
    path: Path
    calls_itself: str = ""
    version: str = ""
    event_source: str = ""
    fields: int = 0
    record: Record | None = None
    hidden_by: Path | None = None
    complaints: tuple[str, ...] = ()

    def to_dict(self) -> dict[str, Any]:
        """Return the JSON form of ``workbench plugins --json``."""
        record = self.record
        return {
            "name": self.name,
            "path": str(self.path),
            "calls_itself": self.calls_itself,
            "version": self.version,
            "event_source": self.event_source,
            "fields": self.fields,
            "installed": None if record is None else record_dict(record),
            "hidden_by": None if self.hidden_by is None else str(self.hidden_by),
            "complaints": list(self.complaints),
        }


def record_dict(record: Record) -> dict[str, Any]:
    """Return the JSON form of how something was installed."""
    return {
        "name": record.name,
        "version": record.version,
        "reference": record.reference,
        "digest": record.digest,
        "installed": record.installed,
        "needs": record.needs,
        "files": [str(path) for path in record.paths],
        "unchanged": record.whole,
    }


def found_plugins(notify: Callable[[str], None]) -> Iterator[FoundPlugin]:
    """Yield the libraries of the search path in its order, each inspected.

    ``notify``: told when that cannot be done in a sandbox. One that cannot be loaded
    at all is yielded with the reason as its complaint.
    """
    owners = {path: r for r in read_records() for path in r.paths}
    first: dict[str, Path] = {}
    ask = Asker(notify)
    for folder in plugin_folders():
        # lib….so is found before ….so
        paths = libraries(folder)
        for path in sorted(paths, key=lambda p: (plugin_name(p), -len(p.name))):
            name = plugin_name(path)
            winner = first.setdefault(name, path)
            yield _inspected(
                ask, name, path, owners.get(path), None if winner == path else winner
            )


def _inspected(
    ask: Asker, name: str, path: Path, record: Record | None, hidden_by: Path | None
) -> FoundPlugin:
    complaints: list[str] = []
    if record is not None and not record.whole:
        complaints.append("the file was changed since workbench get installed it")
    try:
        manifest = ask(str(path))
    except WorkbenchError as error:
        complaints += getattr(error, "complaints", None) or str(error).splitlines()[:1]
        return FoundPlugin(
            name,
            path,
            record=record,
            hidden_by=hidden_by,
            complaints=tuple(complaints),
        )
    return FoundPlugin(
        name,
        path,
        manifest.name,
        manifest.version,
        manifest.event_source,
        len(manifest.fields),
        record,
        hidden_by,
        (*complaints, *manifest.complaints),
    )


def installed_rules() -> list[Record]:
    """Return the rules files that ``workbench get`` installed, by name."""
    return [record for record in read_records() if record.kind == "rulesfile"]
