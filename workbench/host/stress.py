"""What a plugin must bear besides one state: many in a row, and several at once.

A second handle shares the library and its globals and has a state, a host and tables
of its own, as the framework's streams have.
"""

from __future__ import annotations

from workbench.host.event_block import feed_chunks
from workbench.wire.messages import HostError

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Any

    from workbench.host.plugin_host import PluginHost

__all__ = ["rounds", "threads"]

# How much longer than alone a thread may take, and how long at least, seconds.
_PATIENCE = 20.0


def private_bytes() -> int:
    """Return the private memory of this process, bytes."""
    kilobytes = 0
    with open("/proc/self/smaps_rollup", encoding="ascii") as lines:  # noqa: PTH123
        for line in lines:
            if line.startswith(("Private_Clean:", "Private_Dirty:")):
                kilobytes += int(line.split()[1])
    return kilobytes * 1024


def rounds(
    plugin_host: PluginHost, index: int, config: str, count: int
) -> dict[str, Any]:
    """Initialise and destroy ``count`` times, after a first quarter that warms up.

    Returns ``done``: rounds that went well; ``failed``: the next one's error, or None;
    ``growth``: bytes of private memory that each round left behind.
    """
    warm = count // 4
    before = after = 0
    done = 0
    while done < count:
        second_handle = plugin_host.second_handle(index)
        try:
            second_handle.init(0, config)
        except HostError as error:
            return {"done": done, "failed": str(error), "growth": 0.0}
        finally:
            second_handle.close()
        done += 1
        if done == warm:
            before = private_bytes()
    after = private_bytes()
    return {
        "done": done,
        "failed": None,
        "growth": (after - before) / max(1, count - warm),
    }


def threads(
    plugin_host: PluginHost, request: dict[str, Any], blocks: list[tuple[Any, Any, Any]]
) -> tuple[list[list[Any]], list[str]]:
    """Extract in one state alone, then in one state per thread at once.

    ``blocks``: for each state the parts of the same stored events, its own copy. Gives
    the chunks of each state, the lone one first, and the names of the columns.
    """
    import threading
    import time

    columns = [{**column, "plugin": 0} for column in request["columns"]]
    request = {**request, "columns": columns}
    results: list[Any] = [None] * len(blocks)
    failures: list[BaseException] = []
    ready = threading.Barrier(max(1, len(blocks) - 1))
    second_handles: list[PluginHost] = []

    def run(place: int) -> None:
        try:
            if place:
                ready.wait(_PATIENCE)
            results[place] = feed_chunks(second_handles[place], request, *blocks[place])
        except BaseException as error:  # noqa: BLE001 - raised by the one who waits
            failures.append(error)

    for _ in blocks:
        second_handle = plugin_host.second_handle(int(request["plugin"]))
        second_handles.append(second_handle)
        second_handle.init(0, request["config"])
    begun = time.monotonic()
    run(0)
    alone = time.monotonic() - begun
    workers = [
        threading.Thread(target=run, args=(place,), daemon=True)
        for place in range(1, len(blocks))
    ]
    for worker in workers:
        worker.start()
    deadline = time.monotonic() + _PATIENCE * (1 + alone * len(blocks))
    for worker in workers:
        worker.join(max(0.0, deadline - time.monotonic()))
    stuck = sum(worker.is_alive() for worker in workers)
    if stuck:
        # Their states stay: they are in use.
        raise HostError(
            "PluginFailure",
            f"{stuck} of {len(workers)} threads did not come back from extraction",
            call="plugin_extract_fields",
        )
    for second_handle in second_handles:
        second_handle.close()
    if failures:
        raise failures[0]
    return [chunks for chunks, _ in results], results[0][1]
