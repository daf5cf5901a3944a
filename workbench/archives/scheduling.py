"""Where jobs run: on threads of this process, or on the workers of a Dask client.

Dask does the work: it schedules, retries lost workers and moves results. The job, with
its compiled conditions, travels as one object that workers hand to each other.
"""

from __future__ import annotations

import threading
from functools import partial
from typing import TYPE_CHECKING, Any

from workbench.archives.failures import Failure
from workbench.archives.job import Done, run_part
from workbench.archives.loaded import close_loaded

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from workbench.archives.job import Job
    from workbench.archives.parts import Part

__all__ = ["map_parts", "run_job"]


def run_job(
    job: Job,
    parts: Sequence[Part],
    *,
    client: Any = None,
    watch: Callable[[Part], None] | None = None,
) -> list[Done]:
    """Return what a job gives for each part, in the order of ``parts``.

    ``client``: of dask.distributed, None for threads of this process. ``watch``: called
    with each part that is done. Raises ArchiveError for the first file that fails,
    unless the job collects failures.
    """
    try:
        return map_parts(run_part, job, parts, client=client, watch=watch)
    finally:
        if job.plugins:
            close_loaded()
            if client is not None:
                client.run(close_loaded)


def map_parts(
    function: Callable[[Any, Any], Any],
    job: Any,
    parts: Sequence[Any],
    *,
    client: Any = None,
    watch: Callable[[Any], None] | None = None,
) -> list[Any]:
    """Call ``function(job, part)`` for every part; return the results in order."""
    if not parts:
        return []
    if client is None:
        return _on_threads(partial(function, job), parts, watch)
    return _on_cluster(function, job, parts, client, watch)


def _on_threads(
    function: Callable[[Any], Any],
    parts: Sequence[Any],
    watch: Callable[[Any], None] | None,
) -> list[Any]:
    import dask

    told = threading.Lock()

    def step(at: int) -> Any:
        done = function(parts[at])
        if watch is not None:
            with told:
                watch(parts[at])
        return done

    graph = [dask.delayed(step, pure=False)(at) for at in range(len(parts))]
    found = dask.compute(*graph, scheduler="threads", optimize_graph=False)
    return list(found)


def _same(job: Any) -> Any:
    """Return the job: so Dask can make it again when its workers are lost."""
    return job


def _on_cluster(
    function: Callable[[Any, Any], Any],
    job: Any,
    parts: Sequence[Any],
    client: Any,
    watch: Callable[[Any], None] | None,
) -> list[Any]:
    from distributed import as_completed

    shipped = client.submit(_same, job, pure=False)
    futures = client.map(partial(_swapped, function), parts, job=shipped, pure=False)
    try:
        if watch is not None:
            number = {future.key: at for at, future in enumerate(futures)}
            for future in as_completed(futures):
                watch(parts[number[future.key]])
        found: list[Any] = (
            list(map(_result, futures, parts))
            if getattr(job, "collect", False)
            else client.gather(futures)
        )
    except BaseException:
        client.cancel(futures)
        raise
    return found


def _swapped(function: Callable[[Any, Any], Any], part: Any, *, job: Any) -> Any:
    return function(job, part)


def _result(future: Any, part: Any) -> Any:
    """Return a result; of a part that ends every worker, the failure."""
    from distributed import KilledWorker

    try:
        return future.result()
    except KilledWorker as error:
        return Done(failure=Failure.of(part.path, error))
