"""Plugins written in notebook cells: build, load, look; again after every edit.

A :class:`PluginCell` remembers for each name what the last build extracted from which
stored events. When the cell runs again, the new build is loaded into a new worker and
extracts from the same events: the difference shows what the edit did.
"""

from __future__ import annotations

import contextlib
import tempfile
import time
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pyarrow as pa

from workbench.authoring.builder import BuildResult, build_project
from workbench.authoring.check.feeding import (
    Feeding,
    compare_columns,
    field_texts,
    stored_events,
)
from workbench.authoring.languages import named_language
from workbench.authoring.scaffold import write_project
from workbench.errors import WorkbenchError
from workbench.formatting.html import escape, table, tag
from workbench.plugins.plugin import load

if TYPE_CHECKING:
    from workbench.diagnostics import Diagnostic
    from workbench.events.events import Events
    from workbench.plugins.plugin import Plugin
    from workbench.replay.compare import ReplayReport

__all__ = ["CellResult", "ColumnsDiff", "PluginCell"]

MAX_EVENTS = 1000
TIMEOUT_SEC = 2.0


@dataclass(frozen=True, slots=True)
class ColumnsDiff:
    """What an edit changed on the same stored events.

    ``added``, ``removed``: fields. ``values``: the comparison of those in both builds.
    """

    added: tuple[str, ...]
    removed: tuple[str, ...]
    values: ReplayReport

    @property
    def same(self) -> bool:
        """Whether the edit changed nothing that can be seen."""
        return not (self.added or self.removed or self.values.differences)

    def rows(self) -> list[tuple[str, str, str, str, str]]:
        """Return one row per change: field, what, event, before, after."""
        rows = [(name, "added", "", "", "") for name in self.added]
        rows += [(name, "removed", "", "", "") for name in self.removed]
        for difference in self.values.differences:
            what = f"{difference.count} of {self.values.events} values changed"
            for value in difference.first[:3]:
                before, after = _shown(value.left), _shown(value.right)
                number = str(value.event_number)
                rows.append((difference.field, what, number, before, after))
                what = ""
        return rows

    def __repr__(self) -> str:
        """Return one line per change."""
        if self.same:
            return f"no field changed on {self.values.events} stored events"
        lines = []
        for name, what, number, before, after in self.rows():
            example = f"event {number}: {before} → {after}" if number else ""
            lines.append(f"{name}: {what} {example}".rstrip())
        return "\n".join(lines)

    def _repr_html_(self) -> str:
        if self.same:
            return tag("p", escape(repr(self)))
        return table(("field", "change", "event", "before", "after"), self.rows())


def _shown(value: Any) -> str:
    if value is None:
        return "absent"
    if isinstance(value, bytes):
        return repr(value.decode("utf-8", "replace"))
    return repr(value)


@dataclass(slots=True)
class CellResult:
    """The result of running a plugin cell.

    ``plugin``: loaded in a new worker. ``events``: streamed with this build, None
    when the plugin has no source or nothing opened (``note``: the reason). ``diff``:
    against the build before, None the first time. ``build_sec``, ``total_sec``: times.
    """

    plugin: Plugin
    events: Events | None = None
    diff: ColumnsDiff | None = None
    diagnostics: list[Diagnostic] = field(default_factory=list)
    note: str = ""
    build_sec: float = 0.0
    total_sec: float = 0.0

    def __repr__(self) -> str:
        """Return the build's time, its warnings, the difference and the first rows."""
        parts = [self._headline(), *map(str, self.diagnostics)]
        if self.note:
            parts.append(self.note)
        if self.diff is not None:
            parts.append(repr(self.diff))
        if self.events is not None:
            parts.append(self.events.frame.head(5).to_string())
        return "\n".join(parts)

    def _headline(self) -> str:
        info = self.plugin.info
        return (
            f"{info.name} {info.version}: built in {self.build_sec:.2f} s, "
            f"{len(info.fields)} fields, ready after {self.total_sec:.2f} s"
        )

    def _repr_html_(self) -> str:
        parts = [tag("p", escape(self._headline()))]
        parts += [tag("p", escape(str(d))) for d in self.diagnostics]
        if self.note:
            parts.append(tag("p", escape(self.note)))
        if self.diff is not None:
            parts.append(self.diff._repr_html_())
        if self.events is not None:
            frame = self.events.frame.head(5)
            rows = [tuple(map(str, row)) for row in frame.itertuples(index=False)]
            parts.append(table([str(c) for c in frame.columns], rows))
        return "".join(parts)


@dataclass(slots=True)
class _Build:
    """The last build of one name: its plugin, stored events, and their values."""

    plugin: Plugin
    raw: pa.Array
    values: pa.Table


class PluginCell:
    """Builds the cells of one notebook; a folder for each name, kept between runs."""

    def __init__(self) -> None:
        """Work in a temporary folder, removed when the process ends."""
        self._folder = tempfile.TemporaryDirectory(prefix="workbench-cells-")
        self._builds: dict[str, _Build] = {}

    def run(
        self,
        language: str,
        name: str,
        source: str,
        *,
        config: Any = None,
        params: str | None = None,
        max_events: int = MAX_EVENTS,
    ) -> CellResult:
        """Build ``source``, load it, stream a little, compare with the build before.

        ``params``: open params, None for what the plugin suggests first.
        Raises BuildError with diagnostics at the cell's lines, and what loading raises.
        """
        begun = time.perf_counter()
        built = self.build(language, name, source)
        build_sec = time.perf_counter() - begun
        plugin = load(built.library, config=config)
        result = CellResult(plugin, diagnostics=built.diagnostics, build_sec=build_sec)
        earlier = self._builds.pop(name, None)
        try:
            self._look(result, params, max_events)
            raw = earlier.raw if earlier else stored_events(result.events)
            if "extraction" in plugin.info.capabilities and len(raw):
                values = pa.table(
                    Feeding(plugin).columns(raw, field_texts(plugin.info))
                )
                if earlier is not None:
                    result.diff = _difference(earlier.values, values)
                raw = stored_events(result.events) if earlier is None else raw
                self._builds[name] = _Build(plugin, raw, values)
        finally:
            if earlier is not None:
                earlier.plugin.close()
        result.total_sec = time.perf_counter() - begun
        return result

    def build(self, language: str, name: str, source: str) -> BuildResult:
        """Compile the text of a cell; return the library and the warnings."""
        row = named_language(language)
        folder = Path(self._folder.name) / f"{name}-{row.word}" / name
        if not folder.exists():
            write_project(folder, row, name)
        main = folder / row.main
        if not main.exists() or main.read_text(encoding="utf-8") != source:
            main.write_text(source, encoding="utf-8")
        return build_project(folder)

    def _look(self, result: CellResult, params: str | None, max_events: int) -> None:
        """Stream a few events, with what was asked for or the first suggestion."""
        plugin = result.plugin
        if "sourcing" not in plugin.info.capabilities:
            return
        suggested = [p.value for p in plugin.open_params[:1]]
        for attempt in [params] if params is not None else [*suggested, ""]:
            try:
                result.events = plugin.capture(
                    attempt,
                    max_events=max_events,
                    timeout_sec=TIMEOUT_SEC,
                    progress=False,
                )
                result.note = ""
                break
            except WorkbenchError as error:
                result.events = error.events
                result.note = str(error)

    def forget(self, name: str | None = None) -> None:
        """Close the plugin of ``name``, or of every cell; drop its stored events."""
        for known in [name] if name else list(self._builds):
            earlier = self._builds.pop(known, None)
            if earlier is not None:
                with contextlib.suppress(WorkbenchError):
                    earlier.plugin.close()


def _difference(before: pa.Table, after: pa.Table) -> ColumnsDiff:
    old, new = set(before.column_names), set(after.column_names)
    both = [name for name in after.column_names if name in old]
    return ColumnsDiff(
        added=tuple(n for n in after.column_names if n not in old),
        removed=tuple(n for n in before.column_names if n not in new),
        values=compare_columns(before.select(both), after.select(both)),
    )
