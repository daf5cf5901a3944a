"""Checks of further states of one library: many in a row, several at once."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pyarrow as pa

from workbench.authoring.check.feeding import field_texts
from workbench.authoring.check.running import CALL_TIMEOUT_SEC, note_death
from workbench.captures.replay import compare_events
from workbench.errors import PluginCrashed, PluginHung, WorkbenchError
from workbench.hosts import new_session

if TYPE_CHECKING:
    from workbench.authoring.check.feeding import Feeding
    from workbench.authoring.check.report import CheckReport
    from workbench.plugin import Plugin
    from workbench.worker.session import Session

__all__ = ["check_init_rounds", "check_threads"]

ROUNDS = 200
THREADS = 4
# Enough events that threads meet, whatever the scheduler does.
_EVENTS = 20_000
_EVENT_BYTES = 16 << 20
_LEAK_BYTES_PER_ROUND = 4096.0
# Nothing but a leak grows so fast.
_CERTAIN_BYTES_PER_ROUND = 48 << 10
_MORE = 2
# The promise that states may be used from several threads came with this plugin API.
_PROMISED_SINCE = 2


def _session(plugin: Plugin) -> Session:
    plan = plugin.roster.plan()
    return new_session("process", call_timeout_sec=CALL_TIMEOUT_SEC, plan=plan)


def check_init_rounds(report: CheckReport, plugin: Plugin) -> None:
    """Initialise and destroy many states in one process; watch it grow."""
    subject = "init and destroy"
    session = _session(plugin)
    try:
        index, _ = session.load(plugin.path)
        answer = session.rounds(index, plugin.config, ROUNDS)
        # Memory that a garbage collector gives back some time is no leak.
        for _ in range(_MORE):
            if not _LEAK_BYTES_PER_ROUND < answer["growth"] < _CERTAIN_BYTES_PER_ROUND:
                break
            answer = session.rounds(index, plugin.config, 4 * ROUNDS)
    except (PluginCrashed, PluginHung) as error:
        note_death(report, "initialising again and again", error)
        return
    except WorkbenchError as error:
        report.add("CHECK_FAILED", subject, str(error).splitlines()[0])
        return
    finally:
        session.close()
    if answer["failed"] is not None:
        said = f"round {answer['done'] + 1}: {answer['failed'].splitlines()[0]}"
        report.add("ROUNDS_FAILED", subject, said, "release everything in destroy")
        return
    growth = float(answer["growth"])
    report.measured["memory growth, bytes per init"] = growth
    if growth > _LEAK_BYTES_PER_ROUND:
        said = f"{growth:.0f} bytes more with every init and destroy"
        report.add("ROUNDS_LEAK", subject, said, "free the state in destroy")
    report.done.append(f"{ROUNDS} rounds of init and destroy")


def check_threads(report: CheckReport, feeding: Feeding, raw: pa.Array) -> None:
    """Extract in several threads, a state each, and compare with one that is alone."""
    plugin = feeding.plugin
    major = plugin.info.required_api_version.split(".")[0]
    texts = field_texts(plugin.info)
    if not major.isdigit() or int(major) < _PROMISED_SINCE or not texts:
        return
    requests = feeding.feeder.requests(feeding.source, texts)
    subject = f"{THREADS} threads"
    hint = "keep what calls write in the plugin state, not in globals"
    session = _session(plugin)
    try:
        index, _ = session.load(plugin.path)
        alone, *others = session.threads(
            index, plugin.config, _many(raw), feeding.source, requests, count=THREADS
        )
    except PluginCrashed as error:
        said = f"{str(error).splitlines()[0]}, but not in one thread"
        report.add("THREADS_BROKEN", subject, said, hint)
        return
    except WorkbenchError as error:
        report.add("THREADS_BROKEN", subject, str(error).splitlines()[0], hint)
        return
    finally:
        session.close()
    _compare(report, alone, others, hint)
    report.done.append(f"{THREADS} threads with a state each")


def _many(raw: pa.Array) -> pa.Array:
    """Repeat events until there are enough of them."""
    size = max(1, raw.nbytes)
    times = min(_EVENTS // max(1, len(raw)), _EVENT_BYTES // size)
    return pa.concat_arrays([raw] * max(1, times))


def _compare(
    report: CheckReport,
    alone: pa.RecordBatch,
    others: list[pa.RecordBatch],
    hint: str,
) -> None:
    number = pa.array(range(1, alone.num_rows + 1), pa.uint64())
    left = pa.table(alone).append_column("evt.num", number)
    for other in others:
        if other.equals(alone):
            continue
        right = pa.table(other).append_column("evt.num", number)
        result = compare_events(left, right, labels=("alone", "in a thread"))
        for difference in result.differences:
            value = difference.first[0]
            said = (
                f"{difference.count} of {alone.num_rows} events; event "
                f"{value.event_number}: {value.left!r} alone, {value.right!r} in a "
                "thread beside others"
            )
            report.add("THREADS_BROKEN", f"field {difference.field}", said, hint)
        if result.differences:
            return
