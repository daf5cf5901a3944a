"""Run all checks of one plugin, in order, each whatever the others found."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from workbench.authoring.check.endurance import (
    check_memory,
    check_open_rounds,
)
from workbench.authoring.check.feeding import Feeding, stored_events
from workbench.authoring.check.hostile import check_hostile_input
from workbench.authoring.check.initialising import check_init
from workbench.authoring.check.payloads import plugin_events
from workbench.authoring.check.report import CheckReport, first_line
from workbench.authoring.check.states import (
    check_init_as_falco,
    check_init_rounds,
    check_numbers,
    check_threads,
)
from workbench.authoring.check.static import check_manifest, registry_entry
from workbench.authoring.check.streaming import (
    check_log,
    check_open_params,
    check_stop,
    check_times,
    stream_events,
)
from workbench.authoring.check.values import check_columns, check_values
from workbench.errors import (
    PluginCrashed,
    PluginHung,
    PluginLoadError,
    WorkbenchError,
)
from workbench.manifest import Manifest
from workbench.plugins.plugin import inspect, load

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping, Sequence

    import pyarrow as pa

    from workbench.events.events import Events
    from workbench.plugins.plugin import Plugin

__all__ = ["check_plugin"]

# Events whose values are compared; enough to see what differs.
_SAMPLE_EVENTS = 2000


def check_plugin(
    path: str,
    *,
    config: Any = None,
    params: str | None = None,
    companions: Sequence[str] = (),
    events: Events | None = None,
    options: Mapping[str, Any] | None = None,
    progress: Callable[[str], None] | None = None,
) -> CheckReport:
    """Check one plugin and return the report.

    ``config``: init config, None for an empty one. ``params``: open params, None to use
    what the plugin suggests: where it suggests nothing, nothing is opened, because
    empty params may well mean a service on the network. ``companions``: libraries of
    sources whose events an extractor is checked against. ``events``: stored events to
    use instead of a stream. ``options``: further keywords of ``load``, such as
    ``sandbox``. ``progress``: called with the name of each step. A file that is not a
    library gets a report, too.
    """
    say = progress or (lambda _step: None)
    say("inspecting")
    try:
        manifest = inspect(path, **(options or {}))
    except (PluginLoadError, PluginCrashed, PluginHung) as error:
        report = CheckReport(path, Manifest(path=path))
        code = "LOAD" if isinstance(error, PluginLoadError) else "CRASH"
        report.add(code, "loading", first_line(error))
        return report
    report = CheckReport(path, manifest)
    check_manifest(report)
    if manifest.name:
        report.registry_entry = registry_entry(manifest)
    if manifest.complaints:
        return report
    say("initialising")
    plugin = check_init(report, path, config, options or {})
    if plugin is None:
        return report
    with plugin:
        _check_initialised(
            report,
            plugin,
            params=params,
            companions=companions,
            events=events,
            options=options or {},
            say=say,
        )
    report.done.append("done")
    return report


def _check_initialised(
    report: CheckReport,
    plugin: Plugin,
    *,
    params: str | None,
    companions: Sequence[str],
    events: Events | None,
    options: Mapping[str, Any],
    say: Callable[[str], None],
) -> None:
    capabilities = plugin.info.capabilities
    if "sourcing" in capabilities:
        raw = _check_source(report, plugin, params=params, events=events, say=say)
    else:
        found = events or _companion_events(report, companions, params, options)
        raw = stored_events(found)
    say("initialising as Falco does")
    check_init_as_falco(report, plugin)
    say("initialising again")
    check_init_rounds(report, plugin)
    if "extraction" in capabilities:
        _check_extraction(report, plugin, raw, options, say)
    check_times(report, plugin)
    check_log(report, plugin)


def _check_source(
    report: CheckReport,
    plugin: Plugin,
    *,
    params: str | None,
    events: Events | None,
    say: Callable[[str], None],
) -> pa.Array:
    """Check opening, streaming and stopping; return the stored events."""
    say("opening")
    suggested = check_open_params(report, plugin)
    attempts = [params] if params is not None else suggested
    say("streaming")
    stored = events or stream_events(report, plugin, attempts)
    if stored is not None:
        check_columns(report, stored.table, empty=False)
    if stored is not None and events is None:
        say("opening again and again")
        check_open_rounds(report, plugin, attempts[0])
        check_stop(report, plugin, attempts[0])
    return stored_events(stored)


def _check_extraction(
    report: CheckReport,
    plugin: Plugin,
    raw: pa.Array,
    options: Mapping[str, Any],
    say: Callable[[str], None],
) -> None:
    feeding = Feeding(plugin)
    if len(raw):
        sample = raw[:_SAMPLE_EVENTS]
        say("comparing values")
        check_values(report, feeding, sample, options)
        say("showing events under one number")
        check_numbers(report, feeding, sample)
        say("extracting in several threads")
        check_threads(report, feeding, sample)
    elif "sourcing" not in plugin.info.capabilities:
        hint = "name a source: --with LIBRARY, or a capture: --events FILE"
        report.add("NOT_STREAMED", "extraction", "no events to extract from", hint)
    say("extracting from damaged events")
    check_hostile_input(report, feeding, raw)
    say("extracting from many events")
    check_memory(report, feeding, raw if len(raw) else _plain_events())


def _companion_events(
    report: CheckReport,
    companions: Sequence[str],
    params: str | None,
    options: Mapping[str, Any],
) -> Events | None:
    """Stream events of the sources that an extractor is checked against."""
    for library in companions:
        try:
            with load(library, **options) as source:
                suggested = [param.value for param in source.open_params]
                attempts = [params] if params is not None else suggested
                found = stream_events(report, source, attempts)
        except WorkbenchError as error:
            report.add("CHECK_FAILED", library, first_line(error))
            continue
        if found is not None:
            return found
    return None


def _plain_events() -> pa.Array:
    return plugin_events([b'{"a": %d}' % n for n in range(1000)], 999)
