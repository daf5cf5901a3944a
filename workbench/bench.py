"""Workbench: several plugins together, as one Falco would load them."""

from __future__ import annotations

import contextlib
import os
from types import SimpleNamespace
from typing import TYPE_CHECKING, Any, Self

from workbench.errors import PluginLoadError, PluginOpenError, WorkbenchError
from workbench.feeders import RosterFeeder
from workbench.plugin import Plugin, library_path
from workbench.registration import fields_of, known_sources, source_name, unused
from workbench.roster import Roster
from workbench.session.sandbox import sandbox_policy

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping
    from types import TracebackType

    from workbench.capture import Capture
    from workbench.events import Events
    from workbench.fields import FieldTable
    from workbench.manifest import Manifest
    from workbench.session.sandbox import Sandbox
    from workbench.state_tables import StateTables
    from workbench.worker.session import LogLine

__all__ = ["Workbench"]


class Workbench:
    """Plugins that share a host and its state tables, under the framework's rules.

    Load event sources and extractors in the order of Falco's configuration, then open
    or capture a source; its events get the fields of every compatible plugin.
    """

    def __init__(
        self,
        *,
        isolation: str = "process",
        call_timeout_sec: float | None = None,
        memory_limit_bytes: int | None = None,
        sandbox: bool = False,
        sandbox_read: Iterable[str | os.PathLike[str]] = (),
        sandbox_network: bool = False,
    ) -> None:
        """Take what ``load`` of the package takes; it holds for all plugins here."""
        policy = sandbox_policy(
            sandbox, sandbox_read, network=sandbox_network, isolation=isolation
        )
        self.roster = Roster(
            sandbox=policy,
            isolation=isolation,
            call_timeout_sec=call_timeout_sec,
            memory_limit_bytes=memory_limit_bytes,
        )
        self._plugins: dict[str, Plugin] = {}
        # Open params by plugin name: as a falco.yaml gave them, and as used last.
        self.default_params: dict[str, str] = {}
        self._used_params: dict[str, str] = {}

    # -- plugins ---------------------------------------------------------------------

    def load(
        self,
        path: str | os.PathLike[str],
        *,
        config: Mapping[str, Any] | str | None = None,
    ) -> Plugin:
        """Load, check and initialise a plugin beside those already here.

        Raises PluginLoadError when the framework would refuse it beside the others
        (same name, same id, overlapping fields …), and what ``wb.load`` raises; the
        others stay as they were.
        """
        member = self.roster.add(library_path(path), config)
        plugin = Plugin(self.roster, member, owned=False)
        self._plugins[member.name] = plugin
        return plugin

    @property
    def plugins(self) -> dict[str, Plugin]:
        """Name → Plugin, in loading order."""
        self._plugins = {n: p for n, p in self._plugins.items() if not p.closed}
        return dict(self._plugins)

    @property
    def manifests(self) -> list[Manifest]:
        """What the plugins say of themselves, in loading order."""
        return [m.manifest for m in self.roster.members]

    @property
    def sources(self) -> list[str]:
        """The event sources that can be opened, in loading order."""
        return known_sources(self.manifests)

    def fields_of(self, source: str) -> FieldTable:
        """Give the fields usable for events of ``source``, without ``evt.*``."""
        return fields_of(self.manifests, source)[0]

    @property
    def plugin_versions(self) -> dict[str, str]:
        """Name → version of the plugins here."""
        return {m.name: m.version for m in self.manifests}

    @property
    def feeder(self) -> RosterFeeder:
        """What answers for fields of stored events."""
        return RosterFeeder(self.roster)

    # -- events ----------------------------------------------------------------------

    def _source_plugin(self, source: str | None) -> Plugin:
        """Give the plugin to open for ``source``: the first loaded that has it."""
        sources = self.sources
        if not sources:
            raise PluginOpenError(
                "no event source is loaded here; load a plugin that is one first"
            )
        if source is None:
            if len(sources) > 1:
                raise PluginOpenError(
                    f"several event sources are loaded ({', '.join(sources)}): say "
                    "which one with source=, or use capture_all"
                )
            source = sources[0]
        idle = unused(self.manifests)
        if idle:
            names = idle[0].name
            raise PluginLoadError(
                f"Plugin '{names}' is loaded but unused as not compatible with any "
                f"known event source\nit extracts from "
                f"{', '.join(idle[0].extract_event_sources)}; load a plugin with that "
                f"event source, or close {names}",
                path=idle[0].path,
            )
        for plugin in self.plugins.values():
            info = plugin.info
            if "sourcing" in info.capabilities and source_name(info) == source:
                return plugin
        raise PluginOpenError(
            f"unknown event source {source!r}; loaded are {', '.join(sources)}"
        )

    def open(
        self,
        params: str | os.PathLike[str] | None = None,
        *,
        source: str | None = None,
        fields: Iterable[str] | None = None,
        keep_events: bool = False,
    ) -> Capture:
        """Open an event source: as ``Plugin.open``, with the fields of all plugins.

        ``params``: None means those of the falco.yaml loaded, else "". ``source`` may
        be left out while there is only one.
        """
        plugin = self._source_plugin(source)
        text = self._params(plugin, params)
        return plugin.open(text, fields=fields, keep_events=keep_events)

    def capture(
        self,
        params: str | os.PathLike[str] | None = None,
        *,
        source: str | None = None,
        fields: Iterable[str] | None = None,
        max_events: int | None = None,
        timeout_sec: float | None = None,
        progress: bool | None = None,
        keep_events: bool = True,
    ) -> Events:
        """Open an event source and collect its events: as ``Plugin.capture``."""
        plugin = self._source_plugin(source)
        return plugin.capture(
            self._params(plugin, params),
            fields=fields,
            max_events=max_events,
            timeout_sec=timeout_sec,
            progress=progress,
            keep_events=keep_events,
        )

    def capture_all(
        self,
        params: Mapping[str, str],
        *,
        fields: Mapping[str, Iterable[str] | None] | None = None,
        max_events: int | None = None,
        timeout_sec: float | None = None,
        keep_events: bool = True,
    ) -> dict[str, Events]:
        """Open several sources at once, as Falco does; give their Events by source.

        ``params``: event source → open params. ``fields``: event source → field texts.
        ``max_events`` and ``timeout_sec`` hold for each. Every source has a host and an
        event count of its own. An error of one stops the others; it carries what was
        read, by source, as ``.events``.
        """
        from workbench.capture_all import collect_all

        captures: dict[str, Capture] = {}
        with contextlib.ExitStack() as stack:
            for name, text in params.items():
                plugin = self._source_plugin(name)
                capture = plugin.start(
                    self._params(plugin, text),
                    (fields or {}).get(name),
                    keep_events=keep_events,
                    max_events=max_events,
                )
                captures[name] = stack.enter_context(capture)
            return collect_all(captures, timeout_sec=timeout_sec)

    def _params(self, plugin: Plugin, params: str | os.PathLike[str] | None) -> str:
        if params is None:
            return self.default_params.get(plugin.name, "")
        text = os.fspath(params)
        self._used_params[plugin.name] = text
        return text

    @property
    def last_events(self) -> Events | None:
        """What the latest capture had read when it was interrupted or failed."""
        return self.roster.last_events

    # -- what plugins tell -----------------------------------------------------------

    @property
    def tables(self) -> StateTables:
        """The state tables: name → DataFrame of its entries at this moment.

        Those of the host that streams, or streamed last.
        """
        return self.roster.tables()

    @property
    def trace(self) -> Any:
        """The API calls of all plugins so far, oldest first."""
        from workbench.trace import Trace

        return Trace(self.roster.trace())

    @property
    def sandbox(self) -> Sandbox | None:
        """What binds the plugins and what they were denied; None outside a sandbox."""
        return self.roster.sandbox_shown()

    @property
    def log(self) -> list[LogLine]:
        """What the plugins logged and printed so far, oldest first, bounded."""
        return self.roster.log()

    # -- falco.yaml ------------------------------------------------------------------

    def to_falco_yaml(self) -> str:
        """Give the plugins section of a falco.yaml that loads the same plugins.

        Open params are those of the falco.yaml loaded, else those used last.
        """
        from workbench.falco_config import to_falco_yaml

        params = {**self._used_params, **self.default_params}
        return to_falco_yaml(SimpleNamespace(roster=self.roster, default_params=params))

    @classmethod
    def from_falco_yaml(cls, path: str | os.PathLike[str], **options: Any) -> Workbench:
        """Load the plugins that a falco.yaml loads, with their configs and params."""
        from workbench.falco_config import from_falco_yaml

        bench: Workbench = from_falco_yaml(path, bench_class=cls, **options)
        return bench

    # -- the end ---------------------------------------------------------------------

    @property
    def closed(self) -> bool:
        """Whether :meth:`close` was called."""
        return self.roster.closed

    def close(self) -> None:
        """End all plugins, open captures included (idempotent)."""
        self.roster.close()

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        try:
            self.close()
        except WorkbenchError:
            if error is None:  # else what went wrong inside is the news
                raise

    def __getitem__(self, name: str) -> Plugin:
        """Give a plugin by name."""
        return self.plugins[name]

    def _ipython_key_completions_(self) -> list[str]:
        return list(self._plugins)

    def __repr__(self) -> str:
        from workbench.reprs import bench_text

        return bench_text(self)

    def _repr_html_(self) -> str:
        from workbench.reprs import bench_html

        return bench_html(self)
