"""Checks that initialise the plugin and stream events as Falco would."""

from __future__ import annotations

import json
import time
from typing import TYPE_CHECKING, Any

import pyarrow as pa
import pyarrow.compute as pc

from workbench.authoring.check.feeding import field_texts
from workbench.captures.replay import compare_events
from workbench.errors import (
    PluginCrashed,
    PluginHung,
    PluginInitError,
    PluginOpenError,
    WorkbenchError,
)
from workbench.plugin import load

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping

    from workbench.authoring.check.feeding import Feeding
    from workbench.authoring.check.report import CheckReport
    from workbench.events import Events
    from workbench.plugin import Plugin

__all__ = [
    "check_columns",
    "check_init",
    "check_log",
    "check_open_params",
    "check_stop",
    "check_times",
    "check_values",
    "stream_events",
]

MAX_EVENTS = 10_000
STREAM_SEC = 5.0
CALL_TIMEOUT_SEC = 10.0
# Longer than this, one call stalls every rule.
SLOW_CALL_NS = 100_000_000


def note_death(report: CheckReport, subject: str, error: WorkbenchError) -> None:
    """Note a crash or a hang, with the call and the event that the error names."""
    code = "HANG" if isinstance(error, PluginHung) else "CRASH"
    report.add(code, subject, str(error).splitlines()[0])


def check_init(
    report: CheckReport, path: str, config: Any, options: Mapping[str, Any]
) -> Plugin | None:
    """Initialise the plugin; None when that cannot be done.

    ``options``: further keywords of ``load``.
    """
    manifest = report.manifest
    options = {**options, "call_timeout_sec": CALL_TIMEOUT_SEC}
    configs = [config]
    if config is None and manifest.init_schema is not None:
        configs.append(example_config(manifest.init_schema))
    plugin = None
    for attempt in configs:
        try:
            plugin = load(path, config=attempt, **options)
            break
        except PluginInitError as error:
            if attempt is not configs[-1]:
                said = str(error).splitlines()[0]
                report.add("INIT_NEEDS_CONFIG", "init config", said)
                continue
            said = str(error).splitlines()[0]
            hint = "give a config that works: --config '…'"
            report.add("INIT_FAILED", "init", said, hint)
            if not error.last_error and not error.config_path:
                report.add("NO_LAST_ERROR", "init", "failed without saying why")
        except (PluginCrashed, PluginHung) as error:
            note_death(report, "init", error)
            break
        except WorkbenchError as error:
            report.add("LOAD", "library", str(error).splitlines()[0])
            break
    report.done.append("initialising")
    if plugin is not None and manifest.init_schema is not None:
        _check_junk_config(report, path, options)
    return plugin


def _check_junk_config(
    report: CheckReport, path: str, options: Mapping[str, Any]
) -> None:
    """See whether a config with a key nobody knows is refused."""
    junk = {"no_such_option_anywhere": 1}
    try:
        load(path, config=junk, **options).close()
    except PluginInitError:
        return
    except (PluginCrashed, PluginHung) as error:
        note_death(report, f"init with {json.dumps(junk)}", error)
        return
    except WorkbenchError:
        return
    hint = 'add "additionalProperties": false to the schema'
    report.add("INIT_ACCEPTS_JUNK", "init schema", "an unknown key is accepted", hint)


def example_config(schema: dict[str, Any], depth: int = 0) -> Any:
    """Make a config that a schema accepts, as far as defaults and types tell."""
    for key in ("default", "const"):
        if key in schema:
            return schema[key]
    for key in ("enum", "examples"):
        if isinstance(schema.get(key), list) and schema[key]:
            return schema[key][0]
    kind = schema.get("type")
    kind = kind[0] if isinstance(kind, list) and kind else kind
    if kind == "object" or "properties" in schema:
        properties = schema.get("properties") or {}
        needed = schema.get("required") or []
        if depth > 10 or not isinstance(properties, dict):
            return {}
        return {
            name: example_config(properties.get(name) or {}, depth + 1)
            for name in needed
        }
    plain: dict[Any, Any] = {"array": [], "boolean": False, "string": "example"}
    if kind in ("integer", "number"):
        return schema.get("minimum", 1)
    return plain.get(kind)


def check_open_params(report: CheckReport, plugin: Plugin) -> list[str]:
    """Open every suggested open param; give those that open."""
    working = []
    for param in plugin.open_params:
        try:
            with plugin.open(param.value, fields=[]):
                working.append(param.value)
        except PluginOpenError as error:
            subject = f"open param {param.value!r}"
            report.add("OPEN_FAILED", subject, str(error).splitlines()[0])
            if not error.last_error:
                report.add("NO_LAST_ERROR", subject, "failed without saying why")
        except (PluginCrashed, PluginHung) as error:
            note_death(report, f"open param {param.value!r}", error)
    if not plugin.open_params:
        hint = "implement plugin_list_open_params"
        report.add("OPEN_NONE", "open params", "none suggested", hint)
    report.done.append("suggested open params")
    return working


def stream_events(
    report: CheckReport, plugin: Plugin, attempts: Iterable[str]
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
            note_death(report, f"streaming {params!r}", error)
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
    said = str(seen).splitlines()[0] if seen else "no events came"
    report.add("NOT_STREAMED", "stream", said, "name open params: --open '…'")
    return None


def check_values(
    report: CheckReport,
    feeding: Feeding,
    raw: pa.Array,
    options: Mapping[str, Any],
) -> None:
    """Extract every field twice here and once in a new process, and compare."""
    plugin, manifest = feeding.plugin, feeding.plugin.info
    options = {**options, "call_timeout_sec": CALL_TIMEOUT_SEC}
    texts = field_texts(manifest)
    try:
        first = pa.table(feeding.columns(raw, texts))
        again = pa.table(feeding.columns(raw, texts))
    except (PluginCrashed, PluginHung) as error:
        note_death(report, "extraction", error)
        return
    except WorkbenchError as error:
        report.add("EXTRACT_FAILED", "extraction", str(error).splitlines()[0])
        return
    check_columns(report, first)
    _compare(report, "NOT_REPEATABLE", first, again, "let fields depend on events only")
    try:
        with load(plugin.path, config=plugin.config, **options) as fresh:
            other = type(feeding)(fresh)
            other.source = feeding.source
            replayed = pa.table(other.columns(raw, texts))
        hint = "put what a field needs into the event, or rebuild state when parsing"
        _compare(report, "NOT_REPLAYABLE", first, replayed, hint)
    except WorkbenchError as error:
        report.add("CHECK_FAILED", "replay", str(error).splitlines()[0])
    report.done.append(f"values of {len(texts)} fields in {len(raw)} events")


def check_columns(report: CheckReport, table: pa.Table, *, empty: bool = True) -> None:
    """Look at the values of each string field; with ``empty`` at absent ones, too."""
    fields = report.manifest.fields
    for name in table.column_names:
        info = fields.get(name.partition("[")[0])
        column = table.column(name)
        if info is None:
            continue
        if column.null_count == len(column):
            if empty:
                said = "absent in every event seen"
                report.add("FIELD_EMPTY", f"field {name}", said)
        elif info.type == "string" and not info.is_list:
            _check_bytes(report, name, column)


def _check_bytes(report: CheckReport, name: str, column: pa.ChunkedArray) -> None:
    for value in pc.unique(column[:5000]).drop_null().to_pylist():
        try:
            value.decode("utf-8")
        except UnicodeDecodeError:
            said = f"a value is not UTF-8: {value[:40]!r}"
            report.add("NOT_UTF8", f"field {name}", said)
            return


def _compare(
    report: CheckReport, code: str, left: pa.Table, right: pa.Table, hint: str
) -> None:
    number = pa.array(range(1, left.num_rows + 1), pa.uint64())
    result = compare_events(
        left.append_column("evt.num", number), right.append_column("evt.num", number)
    )
    for difference in result.differences:
        value = difference.first[0]
        said = (
            f"{difference.count} of {left.num_rows} events; event "
            f"{value.event_number}: {value.left!r}, then {value.right!r}"
        )
        report.add(code, f"field {difference.field}", said, hint)


def check_stop(report: CheckReport, plugin: Plugin, params: str) -> None:
    """Measure how long it takes until a running stream has stopped."""
    try:
        with plugin.open(params, fields=[]) as capture:
            next(iter(capture), None)
            begun = time.perf_counter()
            capture.stop()
        spent = time.perf_counter() - begun
    except WorkbenchError as error:
        report.add("CHECK_FAILED", "stopping", str(error).splitlines()[0])
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
