"""Checks of further states of one library: as Falco makes them, many, several."""

from __future__ import annotations

import contextlib
from dataclasses import replace
from typing import TYPE_CHECKING

import pyarrow as pa

from workbench.authoring.check.feeding import compare_columns, field_texts
from workbench.authoring.check.initialising import CALL_TIMEOUT_SEC
from workbench.authoring.check.report import first_line
from workbench.errors import (
    PluginCrashed,
    PluginHung,
    PluginInitError,
    WorkbenchError,
)
from workbench.session import new_session

if TYPE_CHECKING:
    from workbench.authoring.check.feeding import Feeding
    from workbench.authoring.check.report import CheckReport
    from workbench.plugins.plugin import Plugin
    from workbench.session.interface import Session

__all__ = [
    "check_init_as_falco",
    "check_init_rounds",
    "check_numbers",
    "check_threads",
]

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
# One event cannot meet the number of another one.
_FEWEST_EVENTS = 2
# Fields with these findings differ for other reasons than the number.
_UNSTEADY = ("NOT_REPEATABLE", "NOT_REPLAYABLE")


def _session() -> Session:
    return new_session("process", call_timeout_sec=CALL_TIMEOUT_SEC)


def check_init_as_falco(report: CheckReport, plugin: Plugin) -> None:
    """Initialise once exactly as Falco does, in a process to throw away.

    Falco gives state tables only to plugins that extract or parse; for others the
    pointer is NULL, and reading through it ends Falco. Our host always gives them.
    """
    session = _session()
    said = ""
    try:
        index, _ = session.load(plugin.path)
        session.init(index, plugin.config, as_falco=True)
    except (PluginCrashed, PluginHung, PluginInitError) as error:
        said = first_line(error)
    except WorkbenchError as error:
        report.add("CHECK_FAILED", "init as Falco calls it", first_line(error))
        return
    finally:
        with contextlib.suppress(PluginCrashed, PluginHung):
            session.close()
    if said:
        said += (
            "; Falco passes no state tables (in->tables is NULL) to a plugin that "
            "neither extracts nor parses, and this one works only with them"
        )
        hint = (
            "check in->tables before you use it; with an SDK that reads it always, add "
            "the extraction or parsing capability"
        )
        report.add("INIT_AS_FALCO", "plugin_init", said, hint)
    report.done.append("initialising as Falco does")


def check_numbers(report: CheckReport, feeding: Feeding, raw: pa.Array) -> None:
    """Show events under one number and see whether their values are still their own.

    Two new states each extract from the same events, one with the numbers that events
    have, one with a number that stays. What differs is kept by event number.
    """
    plugin = feeding.plugin
    texts = field_texts(plugin.info)
    if len(raw) < _FEWEST_EVENTS or not texts:
        return
    subject = "event numbers"
    requests = feeding.extractor.requests(feeding.source, texts)
    numbers = pa.array(range(1, len(raw) + 1), pa.uint64())
    tables = []
    for one_number in (False, True):
        session = _session()
        try:
            index, _ = session.load(plugin.path)
            session.init(index, plugin.config)
            numbered = [replace(request, plugin=index) for request in requests]
            batch = session.extract(
                raw, numbers, feeding.source, numbered, one_number=one_number
            )
            tables.append(pa.table(batch.select([r.column for r in numbered])))
        except WorkbenchError as error:
            report.add("CHECK_FAILED", subject, first_line(error))
            return
        finally:
            with contextlib.suppress(PluginCrashed, PluginHung):
                session.close()
    _report_cached(report, tables)
    report.done.append(subject)


def _report_cached(report: CheckReport, tables: list[pa.Table]) -> None:
    """Report the fields whose values followed the number instead of the event."""
    unsteady = {f.subject for f in report.findings if f.code in _UNSTEADY}
    result = compare_columns(tables[0], tables[1], ("own number", "one number"))
    for difference in result.differences:
        subject = f"field {difference.field}"
        if subject in unsteady:
            continue
        value = difference.first[0]
        said = (
            f"values depend on the event number alone: of {tables[0].num_rows} events "
            f"shown under one number {difference.count} had another event's value; "
            f"event {value.event_number}: {value.right!r} instead of {value.left!r}"
        )
        hint = (
            "nothing to do while numbers do not repeat, as in one Falco and here; to "
            "be safe elsewhere, compare the event's time and payload too"
        )
        report.add("NUMBER_CACHED", subject, said, hint)


def check_init_rounds(report: CheckReport, plugin: Plugin) -> None:
    """Initialise and destroy many states in one process; watch it grow."""
    subject = "init and destroy"
    session = _session()
    try:
        index, _ = session.load(plugin.path)
        answer = session.rounds(index, plugin.config, ROUNDS)
        # Memory that a garbage collector returns at some point is not a leak.
        for _ in range(_MORE):
            if not _LEAK_BYTES_PER_ROUND < answer["growth"] < _CERTAIN_BYTES_PER_ROUND:
                break
            answer = session.rounds(index, plugin.config, 4 * ROUNDS)
    except (PluginCrashed, PluginHung) as error:
        report.add_crash("initialising again and again", error)
        return
    except WorkbenchError as error:
        report.add("CHECK_FAILED", subject, first_line(error))
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
    requests = feeding.extractor.requests(feeding.source, texts)
    subject = f"{THREADS} threads"
    hint = "keep what calls write in the plugin state, not in globals"
    session = _session()
    try:
        index, _ = session.load(plugin.path)
        alone, *others = session.threads(
            index, plugin.config, _many(raw), feeding.source, requests, count=THREADS
        )
    except PluginCrashed as error:
        said = f"{first_line(error)}, but not in one thread"
        report.add("THREADS_BROKEN", subject, said, hint)
        return
    except WorkbenchError as error:
        report.add("THREADS_BROKEN", subject, first_line(error), hint)
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
    left = pa.table(alone)
    for other in others:
        if other.equals(alone):
            continue
        result = compare_columns(left, pa.table(other), ("alone", "in a thread"))
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
