"""Checks that repeat: many events, many rounds of opening."""

from __future__ import annotations

import time
from pathlib import Path
from typing import TYPE_CHECKING

from workbench.authoring.check.feeding import field_texts
from workbench.authoring.check.running import note_death
from workbench.errors import PluginCrashed, PluginHung, WorkbenchError

if TYPE_CHECKING:
    import pyarrow as pa

    from workbench.authoring.check.feeding import Feeding
    from workbench.authoring.check.report import CheckReport
    from workbench.plugin import Plugin

__all__ = ["check_memory", "check_open_rounds"]

EVENTS = 1_000_000
ROUNDS = 200
# Growth per event that no cache explains once the plugin is warm, bytes.
_LEAK_BYTES_PER_EVENT = 8.0
_LEAK_BYTES_PER_ROUND = 4096.0
# How long feeding a million events may take; slow plugins get fewer.
_BUDGET_SEC = 8.0


def _private_bytes(plugin: Plugin) -> int:
    """Give the private memory of the plugin's process, bytes."""
    with plugin.roster.borrow() as seat:
        pid = seat.session.pid
    kilobytes = 0
    for line in Path(f"/proc/{pid}/smaps_rollup").read_text().splitlines():
        if line.startswith(("Private_Clean:", "Private_Dirty:")):
            kilobytes += int(line.split()[1])
    return kilobytes * 1024


def check_memory(report: CheckReport, feeding: Feeding, raw: pa.Array) -> None:
    """Extract from up to a million events and watch the process grow."""
    texts = field_texts(feeding.plugin.info)
    fed = 0
    marks: list[tuple[int, int]] = []
    begun = time.perf_counter()
    try:
        while fed < EVENTS and time.perf_counter() - begun < _BUDGET_SEC:
            feeding.columns(raw, texts)
            fed += len(raw)
            marks.append((fed, _private_bytes(feeding.plugin)))
    except (PluginCrashed, PluginHung) as error:
        note_death(report, "many events", error)
        return
    except (WorkbenchError, OSError) as error:
        report.add("CHECK_FAILED", "memory", str(error).splitlines()[0])
        return
    report.measured["events extracted"] = fed
    report.measured["extractions per second"] = fed / (time.perf_counter() - begun)
    if len(marks) >= 4:
        # The first half warms caches and arenas.
        (early, before), (late, after) = marks[len(marks) // 2], marks[-1]
        growth = (after - before) / max(1, late - early)
        report.measured["memory growth, bytes per event"] = growth
        if growth > _LEAK_BYTES_PER_EVENT:
            said = f"{growth:.0f} bytes more with every event, over {fed} events"
            report.add("MEMORY_GROWS", "extraction", said, "free what a call allocates")
    report.done.append(f"memory over {fed} events")


def check_open_rounds(report: CheckReport, plugin: Plugin, params: str) -> None:
    """Open, read a little and close many times; watch the process grow."""
    marks = []
    try:
        for number in range(ROUNDS):
            with plugin.open(params, fields=[]) as capture:
                next(iter(capture), None)
            if number in (ROUNDS // 4, ROUNDS - 1):
                marks.append(_private_bytes(plugin))
    except (PluginCrashed, PluginHung) as error:
        note_death(report, "opening again and again", error)
        return
    except WorkbenchError as error:
        said = f"round {number + 1}: {str(error).splitlines()[0]}"
        report.add("ROUNDS_FAILED", "open and close", said)
        return
    growth = (marks[1] - marks[0]) / (ROUNDS - ROUNDS // 4)
    report.measured["memory growth, bytes per open"] = growth
    if growth > _LEAK_BYTES_PER_ROUND:
        said = f"{growth:.0f} bytes more with every open and close"
        report.add("ROUNDS_LEAK", "open and close", said, "free the instance in close")
    report.done.append(f"{ROUNDS} rounds of open and close")
