"""Checks that repeat: many events, many rounds of opening."""

from __future__ import annotations

import time
from pathlib import Path
from typing import TYPE_CHECKING

import pyarrow as pa

from workbench.authoring.check.feeding import field_texts
from workbench.authoring.check.report import first_line
from workbench.errors import PluginCrashed, PluginHung, WorkbenchError

if TYPE_CHECKING:
    from workbench.authoring.check.feeding import Feeding
    from workbench.authoring.check.report import CheckReport
    from workbench.plugins.plugin import Plugin

__all__ = ["check_memory", "check_open_rounds"]

EVENTS = 1_000_000
ROUNDS = 200
_SERIES = 4
# Growth per event that no cache explains once the plugin is warm, bytes.
_LEAK_BYTES_PER_EVENT = 8.0
_LEAK_BYTES_PER_ROUND = 4096.0
# Growth below this in all is a heap that settles, not a leak.
_SETTLING_BYTES = 8 << 20
# How long extracting from many events may take; slow plugins get fewer.
_BUDGET_SEC = 8.0
# Events in one call, at least.
_AT_ONCE = 2000


def _private_bytes(plugin: Plugin) -> int:
    """Return the private memory of the plugin's process, bytes."""
    with plugin.pool.acquire() as pooled:
        pid = pooled.session.pid
    kilobytes = 0
    for line in Path(f"/proc/{pid}/smaps_rollup").read_text().splitlines():
        if line.startswith(("Private_Clean:", "Private_Dirty:")):
            kilobytes += int(line.split()[1])
    return kilobytes * 1024


def check_memory(report: CheckReport, feeding: Feeding, raw: pa.Array) -> None:
    """Extract from up to a million events and watch the process grow."""
    texts = field_texts(feeding.plugin.info)
    # Few events are repeated in one call: the request must cost less than the work.
    raw = pa.concat_arrays([raw] * max(1, _AT_ONCE // len(raw)))
    extracted = 0
    marks: list[tuple[int, int]] = []
    begun = time.perf_counter()
    try:
        while extracted < EVENTS and time.perf_counter() - begun < _BUDGET_SEC:
            feeding.columns(raw, texts)
            extracted += len(raw)
            marks.append((extracted, _private_bytes(feeding.plugin)))
    except (PluginCrashed, PluginHung) as error:
        report.add_crash("many events", error)
        return
    except (WorkbenchError, OSError) as error:
        report.add("CHECK_FAILED", "memory", first_line(error))
        return
    report.measured["events extracted"] = extracted
    report.measured["extractions per second"] = extracted / (
        time.perf_counter() - begun
    )
    if len(marks) >= 4:
        # The first half warms caches and arenas.
        (early, before), (late, after) = marks[len(marks) // 2], marks[-1]
        growth = (after - before) / max(1, late - early)
        report.measured["memory growth, bytes per event"] = growth
        leaks = after - before > _SETTLING_BYTES
        if leaks and growth > _LEAK_BYTES_PER_EVENT:
            said = f"{growth:.0f} bytes more with every event, over {extracted} events"
            report.add("MEMORY_GROWS", "extraction", said, "free what a call allocates")
    report.done.append(f"memory over {extracted} events")


def check_open_rounds(report: CheckReport, plugin: Plugin, params: str) -> None:
    """Open, read a little and close many times; watch the process grow.

    Only growth that does not end counts: a heap that settles is not a leak.
    """
    done = 0
    for _ in range(_SERIES):
        try:
            growth = _growth_of_rounds(plugin, params)
        except (PluginCrashed, PluginHung) as error:
            report.add_crash("opening again and again", error)
            return
        except WorkbenchError as error:
            said = f"after {done} rounds and more: {first_line(error)}"
            report.add("ROUNDS_FAILED", "open and close", said)
            return
        done += ROUNDS
        if growth <= _LEAK_BYTES_PER_ROUND:
            break
    report.measured["memory growth, bytes per open"] = growth
    if growth > _LEAK_BYTES_PER_ROUND:
        said = f"{growth:.0f} bytes more with every open and close"
        report.add("ROUNDS_LEAK", "open and close", said, "free the instance in close")
    report.done.append(f"{done} rounds of open and close")


def _growth_of_rounds(plugin: Plugin, params: str) -> float:
    """Return the growth per round, bytes, over the last three quarters of a series."""
    warm = ROUNDS // 4
    before = 0
    for number in range(ROUNDS):
        with plugin.open(params, fields=[]) as capture:
            next(iter(capture), None)
        if number == warm:
            before = _private_bytes(plugin)
    return (_private_bytes(plugin) - before) / (ROUNDS - warm)
