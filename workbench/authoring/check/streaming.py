"""Checks of a stream: open params, events, stopping, times of calls, the log."""

from __future__ import annotations

import time
from typing import TYPE_CHECKING

from workbench.authoring.check.report import first_line
from workbench.errors import (
    PluginCrashed,
    PluginHung,
    PluginOpenError,
    WorkbenchError,
)

if TYPE_CHECKING:
    from collections.abc import Sequence

    from workbench.authoring.check.report import CheckReport
    from workbench.events.events import Events
    from workbench.plugins.plugin import Plugin

__all__ = [
    "check_log",
    "check_open_params",
    "check_stop",
    "check_times",
    "stream_events",
]

MAX_EVENTS = 10_000
STREAM_SEC = 5.0
# Longer than this, one call stalls every rule.
SLOW_CALL_NS = 100_000_000


def check_open_params(report: CheckReport, plugin: Plugin) -> list[str]:
    """Open every suggested open param; give those that open."""
    working = []
    for param in plugin.open_params:
        try:
            with plugin.open(param.value, fields=[]):
                working.append(param.value)
        except PluginOpenError as error:
            subject = f"open param {param.value!r}"
            report.add("OPEN_FAILED", subject, first_line(error))
            if not error.last_error:
                report.add("NO_LAST_ERROR", subject, "failed without saying why")
        except (PluginCrashed, PluginHung) as error:
            report.add_crash(f"open param {param.value!r}", error)
    if not plugin.open_params:
        hint = "implement plugin_list_open_params"
        report.add("OPEN_NONE", "open params", "none suggested", hint)
    report.done.append("suggested open params")
    return working


def stream_events(
    report: CheckReport, plugin: Plugin, attempts: Sequence[str]
) -> Events | None:
    """Stream some events with the first params that open; None without any."""
    seen: WorkbenchError | None = None
    for params in attempts:
        begun = time.perf_counter()
        try:
            events = plugin.capture(
                params, max_events=MAX_EVENTS, timeout_sec=STREAM_SEC, progress=False
            )
        except PluginOpenError as error:
            seen = error
            continue
        except (PluginCrashed, PluginHung) as error:
            report.add_crash(f"streaming {params!r}", error)
            events = error.events
        except WorkbenchError as error:
            report.add("STREAM_FAILED", f"streaming {params!r}", str(error))
            events = error.events
        if events is not None and len(events):
            spent = time.perf_counter() - begun
            report.measured["events streamed"] = len(events)
            report.measured["events per second"] = len(events) / max(spent, 1e-9)
            report.done.append(f"streaming {params!r}")
            return events
    said = first_line(seen) if seen else "no events came"
    if not attempts:
        said = "no open params are suggested or given, so nothing was opened"
    hint = "name open params: --open '…' (--open '' for empty ones)"
    report.add("NOT_STREAMED", "stream", said, hint)
    return None


def check_stop(report: CheckReport, plugin: Plugin, params: str) -> None:
    """Measure how long it takes until a running stream has stopped."""
    try:
        with plugin.open(params, fields=[]) as capture:
            next(iter(capture), None)
            begun = time.perf_counter()
            capture.stop()
        spent = time.perf_counter() - begun
    except WorkbenchError as error:
        report.add("CHECK_FAILED", "stopping", first_line(error))
        return
    report.measured["seconds to stop"] = spent
    if spent > 1.0:
        said = f"stopping took {spent:.1f} s"
        report.add("SLOW_STOP", "plugin_next_batch", said, "return TIMEOUT sooner")


def check_times(report: CheckReport, plugin: Plugin) -> None:
    """Look for single calls that took long."""
    worst: dict[str, int] = {}
    for call in plugin.trace:
        longest = call.duration_ns // max(1, call.count)
        worst[call.function] = max(worst.get(call.function, 0), longest)
    for name, spent in sorted(worst.items()):
        if name not in ("plugin_next_batch", "plugin_init", "plugin_open"):
            report.measured[f"longest {name}, ms"] = spent / 1e6
            if spent > SLOW_CALL_NS:
                said = f"one call took {spent / 1e6:.0f} ms"
                report.add("SLOW_CALL", name, said)
    report.done.append("time per call")


def check_log(report: CheckReport, plugin: Plugin) -> None:
    """Look for text printed instead of logged, and for what the host complained of."""
    printed = [line for line in plugin.log if line.stream == "stdout"]
    if printed:
        said = f"printed {printed[0].message[:60]!r}"
        report.add("STDOUT", "standard output", said, "use the log function")
    for line in plugin.log:
        if "left out (said once)" in line.message:
            report.add("VALUE_REFUSED", "extraction", line.message)
