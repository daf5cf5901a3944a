"""An archive as a Dask DataFrame: one partition per part, columns read by need."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any

from workbench.archives.job import run_part

if TYPE_CHECKING:
    from collections.abc import Sequence

    import dask.dataframe as dd
    import pandas as pd

    from workbench.archives.job import Job
    from workbench.archives.parts import Part
    from workbench.events.events import Events

__all__ = ["dask_frame"]

_FIRST = ("evt.num", "evt.time", "evt.source")


@dataclass(frozen=True, slots=True)
class FrameOf:
    """Return the events of a part as a frame with these field columns."""

    columns: tuple[str, ...] | None = ()

    def __call__(self, events: Events, part: Part) -> pd.DataFrame:
        """Return the frame, with number, time and source first."""
        del part
        names = list(self.columns or ())
        shown = events.derive(events.table_with(["evt.source"]))
        return shown.to_pandas()[[*_FIRST, *names]]


class PartFrames:
    """Reads one part as a frame; Dask hands it from worker to worker."""

    def __init__(self, job: Job, names: Sequence[str]) -> None:
        """Read the field columns ``names``, or fewer."""
        self.job = job
        self.names = list(names)

    def __call__(self, part: Part, columns: Sequence[str] | None = None) -> Any:
        """Return the frame of ``part``; ``columns``: those that are needed, or all."""
        asked = [*_FIRST, *self.names] if columns is None else list(columns)
        fields = tuple(name for name in asked if name not in _FIRST)
        done = run_part(replace(self.job, task=FrameOf(fields)), part)
        # Of a file that is left out, no rows.
        frame = _no_rows(self.job, fields) if done.failure else done.value
        return frame[asked]


def _no_rows(job: Job, names: Sequence[str]) -> pd.DataFrame:
    """Return a frame without rows, with the dtypes that every partition has."""
    import pyarrow as pa

    from workbench.arrow.types import column_info, column_type
    from workbench.events.from_table import events_from_table

    columns = {n: pa.array([], column_type(column_info(n, job.fields))) for n in names}
    table = pa.table({"evt.num": pa.array([], pa.uint64()), **columns})
    events = events_from_table(table, fields=job.fields, source="")
    return events.to_pandas()[[*_FIRST, *names]]


def dask_frame(job: Job, names: Sequence[str], parts: Sequence[Part]) -> dd.DataFrame:
    """Return a Dask DataFrame over ``parts`` with the field columns ``names``."""
    import dask.dataframe as dd

    meta = _no_rows(job, names)
    if not parts:
        return dd.from_pandas(meta, npartitions=1)
    return dd.from_map(PartFrames(job, names), list(parts), meta=meta)
