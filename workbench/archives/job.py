"""What is asked of every part: which rows, which columns, and what to do with them."""

from __future__ import annotations

from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING, Any, Protocol

from workbench.archives.failures import Failure
from workbench.archives.loaded import Plugins
from workbench.archives.reading import part_events, visible
from workbench.errors import WorkbenchError
from workbench.fields.declarations import FieldTable

if TYPE_CHECKING:
    from collections.abc import Mapping

    from workbench.archives.parts import Part
    from workbench.condition.execution.compile import CompiledCondition
    from workbench.events.events import Events

__all__ = ["Done", "Job", "Task", "View", "run_part"]


class Task(Protocol):
    """Something to do with the events of one part; it travels to other processes."""

    @property
    def columns(self) -> tuple[str, ...] | None:
        """The columns that it needs, None for all that are captured."""

    def __call__(self, events: Events, part: Part) -> Any:
        """Return the result for the chosen events of one part."""


@dataclass(frozen=True, slots=True)
class View:
    """The rows of an archive that count.

    ``start_ns``, ``end_ns``: first moment, and the first one after it (ns since the
    epoch). ``source``: event source, None for all.
    """

    start_ns: int | None = None
    end_ns: int | None = None
    source: str | None = None
    conditions: tuple[CompiledCondition, ...] = ()

    @property
    def whole(self) -> bool:
        """Whether every row counts."""
        return self == View()

    @property
    def columns(self) -> tuple[str, ...]:
        """Columns that the conditions need."""
        return tuple(dict.fromkeys(n for c in self.conditions for n in c.columns))

    def narrowed(self, start_ns: int | None, end_ns: int | None) -> View:
        """Return the view of what lies in both times."""
        starts = [t for t in (self.start_ns, start_ns) if t is not None]
        ends = [t for t in (self.end_ns, end_ns) if t is not None]
        return replace(
            self, start_ns=max(starts, default=None), end_ns=min(ends, default=None)
        )

    def apply(self, events: Events) -> Events:
        """Return the events that count."""
        events = self._timed(events)
        if self.source is not None:
            events = _of_source(events, self.source)
        for condition in self.conditions:
            if condition.source:
                events = _of_source(events, condition.source)
            table = events.table_with(condition.columns)
            matches = condition.mask(table) if len(events) else []
            events = events[matches] if len(events) else events
        return events

    def _timed(self, events: Events) -> Events:
        import pyarrow as pa
        import pyarrow.compute as pc

        times = events.table.column("evt.rawtime")
        for bound, keep in (
            (self.start_ns, pc.greater_equal),
            (self.end_ns, pc.less),
        ):
            if bound is not None and len(events):
                flags = keep(times, pa.scalar(bound, pa.uint64()))
                if not pc.all(flags).as_py():
                    events = events.derive(events.table.filter(flags))
                    times = events.table.column("evt.rawtime")
        return events


def _of_source(events: Events, source: str) -> Events:
    if events.source == source:
        return events
    if events.source:
        return events[:0]
    return events.by_source().get(source) or events[:0]


@dataclass(frozen=True)
class Job:
    """A task with all that a worker needs for it, the same for every part."""

    task: Task
    view: View = View()
    fields: FieldTable = field(default_factory=FieldTable)
    plugins: Plugins = field(default_factory=Plugins)
    storage_options: Mapping[str, Any] | None = None
    collect: bool = False

    @property
    def columns(self) -> list[str] | None:
        """The columns to read, None for all."""
        if self.task.columns is None:
            return None
        return list(dict.fromkeys([*self.view.columns, *self.task.columns]))


@dataclass(frozen=True, slots=True)
class Done:
    """The result for one part, or why there is none."""

    value: Any = None
    failure: Failure | None = None


def run_part(job: Job, part: Part) -> Done:
    """Do a job for one part. Raises ArchiveError unless failures are collected."""
    import pyarrow as pa

    try:
        events = part_events(
            part,
            job.columns,
            fields=job.fields,
            plugins=job.plugins,
            storage_options=job.storage_options,
        )
        events = job.view.apply(visible(events))
        return Done(job.task(events, part))
    except (
        WorkbenchError,
        pa.ArrowException,
        OSError,
        KeyError,  # of a column that is needed and cannot be made
        TypeError,  # of a column that cannot hold its field
        MemoryError,
    ) as error:
        failure = Failure.of(part.path, error)
        if job.collect:
            return Done(failure=failure)
        raise failure.error() from error
