"""Workbench: several plugins together, as one Falco would load them."""

from __future__ import annotations

import contextlib
import os
import warnings
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING, Any, Protocol

from workbench.arguments import (
    BYTES,
    CHOICE,
    CONFIG,
    FLAG,
    PATH,
    PATHS,
    SECONDS,
    TEXT,
    Kind,
    either,
    takes,
)
from workbench.errors import PluginLoadError, PluginOpenError, WorkbenchError
from workbench.formatting.html import escape, table, tag
from workbench.formatting.printable import printable
from workbench.formatting.units import counted
from workbench.manifest import plugin_title
from workbench.plugins.compatibility import (
    known_sources,
    shares_source,
    source_name,
    tell_of_falco,
    unused,
)
from workbench.plugins.group import PluginGroup
from workbench.plugins.limits import FIELDS, PARAMS, checked_count, checked_seconds
from workbench.plugins.plugin import Plugin, library_path
from workbench.plugins.pool import SessionPool
from workbench.session.interrupts import interruptible
from workbench.session.sandbox import sandbox_policy

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping

    from workbench.events.events import Events
    from workbench.falco_config import FalcoConfig
    from workbench.plugins.capture import Capture
    from workbench.plugins.filtering import EventFilter, Where
    from workbench.plugins.state_tables import StateTables
    from workbench.plugins.trace import Trace

__all__ = ["Workbench", "load_plugins"]

_PARAMS = either(PARAMS, None)
_SOURCE = either(TEXT, None)
_BY_SOURCE = Kind(
    "a dict of event sources and their open params", lambda v: isinstance(v, dict)
)
# A note on a falco.yaml, characters.
_MAX_NOTE = 500


class SavedRules(Protocol):
    """Rules that are in files, such as a RuleSet."""

    def falco_config(self) -> FalcoConfig:
        """Return the part of a falco.yaml that runs them."""


class Workbench(PluginGroup):
    """Plugins that share a host and its state tables, under the framework's rules.

    Load event sources and extractors in the order of Falco's configuration, then open
    or capture a source; its events get the fields of every compatible plugin.
    """

    @takes(
        call_timeout_sec=SECONDS,
        memory_limit_bytes=BYTES,
        sandbox=FLAG,
        sandbox_read=PATHS,
        sandbox_network=FLAG,
    )
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
        super().__init__(
            SessionPool(
                isolation=isolation,
                call_timeout_sec=call_timeout_sec,
                memory_limit_bytes=memory_limit_bytes,
                sandbox=policy,
            )
        )
        self._plugins: dict[str, Plugin] = {}
        # Open params by plugin name: as a falco.yaml gave them, and as used last.
        self.default_params: dict[str, str] = {}
        self._used_params: dict[str, str] = {}
        # What the falco.yaml has that is odd, with file and line.
        self.notes: tuple[str, ...] = ()

    # -- plugins ---------------------------------------------------------------------

    @takes(path=PATH, config=CONFIG)
    def load(
        self,
        path: str | os.PathLike[str],
        *,
        config: Mapping[str, Any] | str | None = None,
    ) -> Plugin:
        """Load, check and initialise a plugin beside those already here.

        Raises PluginLoadError when the framework would refuse it beside the others
        (same name, same id, overlapping fields …), and what ``wb.load`` raises; the
        others stay as they were. Warns when another one has the same event source.
        """
        with interruptible():
            loaded = self.pool.add(library_path(path), config)
            plugin = Plugin(self.pool, loaded, owned=False)
            tell_of_falco(plugin.info)
            self._warn_of_shared_source(plugin)
            self._plugins[loaded.name] = plugin
        return plugin

    def _warn_of_shared_source(self, newest: Plugin) -> None:
        """Warn when a plugin's event source is that of an earlier one."""
        for other in self.plugins.values():
            if shares_source(other.info, newest.info):
                source = source_name(newest.info)
                warnings.warn(
                    f"{other.name} and {newest.name} both open the event source "
                    f"{source}: open(source={source!r}) takes {other.name}, which was "
                    f"loaded first; to open {newest.name}, call its own open or "
                    "capture, or load it into a Workbench of its own",
                    UserWarning,
                    stacklevel=4,
                )
                return

    @property
    def plugins(self) -> dict[str, Plugin]:
        """Name → Plugin, in loading order."""
        self._plugins = {n: p for n, p in self._plugins.items() if not p.closed}
        return dict(self._plugins)

    @property
    def sources(self) -> list[str]:
        """The event sources that can be opened, in loading order."""
        return known_sources(self.manifests)

    # -- events ----------------------------------------------------------------------

    def _source_plugin(self, source: str | None) -> Plugin:
        """Return the plugin to open for ``source``: the first loaded that has it."""
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

    @takes(params=_PARAMS, source=_SOURCE, fields=FIELDS, keep_events=FLAG)
    def open(
        self,
        params: str | os.PathLike[str] | None = None,
        *,
        source: str | None = None,
        fields: Iterable[str] | None = None,
        keep_events: bool = False,
        max_events: int | None = None,
        where: Where | EventFilter | None = None,
    ) -> Capture:
        """Open an event source: as ``Plugin.open``, with the fields of all plugins.

        ``params``: None means those of the falco.yaml loaded, else "". ``source`` may
        be left out while there is only one. ``max_events``: stop after reading so many,
        matching or not.
        """
        plugin = self._source_plugin(source)
        text = self._params(plugin, params)
        from workbench.plugins.filtering import of_rules

        where, fields = of_rules(where, fields, self, source_name(plugin.info))
        return plugin.start(
            text,
            fields,
            keep_events=keep_events,
            max_events=max_events,
            where=where,
        )

    @takes(
        params=_PARAMS,
        source=_SOURCE,
        fields=FIELDS,
        progress=CHOICE,
        keep_events=FLAG,
    )
    def capture(
        self,
        params: str | os.PathLike[str] | None = None,
        *,
        source: str | None = None,
        fields: Iterable[str] | None = None,
        max_events: int | None = None,
        timeout_sec: float | None = None,
        max_bytes: int | None = None,
        progress: bool | None = None,
        keep_events: bool = True,
        where: Where | None = None,
    ) -> Events:
        """Open an event source and collect its events: as ``Plugin.capture``."""
        plugin = self._source_plugin(source)
        from workbench.plugins.filtering import of_rules

        where, fields = of_rules(where, fields, self, source_name(plugin.info))
        return plugin.capture(
            self._params(plugin, params),
            fields=fields,
            max_events=max_events,
            timeout_sec=timeout_sec,
            max_bytes=max_bytes,
            progress=progress,
            keep_events=keep_events,
            where=where,
        )

    @takes(params=_BY_SOURCE, keep_events=FLAG)
    def capture_all(
        self,
        params: Mapping[str, str],
        *,
        fields: Mapping[str, Iterable[str] | None] | None = None,
        max_events: int | None = None,
        timeout_sec: float | None = None,
        max_bytes: int | None = None,
        keep_events: bool = True,
    ) -> dict[str, Events]:
        """Open several sources at once, as Falco does; give their Events by source.

        ``params``: event source → open params. ``fields``: event source → field texts.
        ``max_events`` and ``timeout_sec`` hold for each, ``max_bytes`` for all. Every
        source has a host and an event count of its own. An error of one stops the
        others; it carries what was read, by source, as ``.events``.
        """
        from workbench.plugins.collect import collect_all

        timeout_sec = checked_seconds("timeout_sec", timeout_sec)
        max_bytes = checked_count("max_bytes", max_bytes)
        captures: dict[str, Capture] = {}
        with interruptible(), contextlib.ExitStack() as stack:
            for name, text in params.items():
                plugin = self._source_plugin(name)
                capture = plugin.start(
                    self._params(plugin, text),
                    (fields or {}).get(name),
                    keep_events=keep_events,
                    max_events=max_events,
                )
                captures[name] = stack.enter_context(capture)
            return collect_all(captures, timeout_sec=timeout_sec, max_bytes=max_bytes)

    def _params(self, plugin: Plugin, params: str | os.PathLike[str] | None) -> str:
        if params is None:
            return self.default_params.get(plugin.name, "")
        text = os.fspath(params)
        self._used_params[plugin.name] = text
        return text

    # -- what plugins tell -----------------------------------------------------------

    @property
    def tables(self) -> StateTables:
        """The state tables: name → DataFrame of its entries at this moment.

        Those of the host that streams, or streamed last.
        """
        return self.pool.tables()

    @property
    def trace(self) -> Trace:
        """The API calls of all plugins so far, oldest first."""
        from workbench.plugins.trace import Trace

        return Trace(self.pool.trace())

    # -- falco.yaml ------------------------------------------------------------------

    def to_falco_yaml(self, rules: SavedRules | None = None) -> str:
        """Return a falco.yaml that loads the same plugins.

        ``rules``: a RuleSet that is in files; then it is a whole falco.yaml, with
        rules_files in order, the selection of rules, and outputs. Without: the plugins
        section alone. Open params are those of the falco.yaml loaded, else those used
        last. Raises WorkbenchError for rules that were changed and not saved since.
        """
        from workbench.falco_config import PluginEntry
        from workbench.falco_config_yaml import falco_yaml, plugins_yaml

        params = {**self._used_params, **self.default_params}
        entries = [
            PluginEntry(
                loaded.name,
                str(Path(loaded.path).resolve()),
                loaded.config,
                params.get(loaded.name, ""),
            )
            for loaded in self.pool.loaded_plugins
        ]
        if rules is None:
            return plugins_yaml(entries)
        return falco_yaml(replace(rules.falco_config(), plugins=entries))

    @classmethod
    @takes(path=PATH, plugin_dir=either(PATH, None))
    def from_falco_yaml(
        cls,
        path: str | os.PathLike[str],
        *,
        plugin_dir: str | os.PathLike[str] | None = None,
        **options: Any,
    ) -> Workbench:
        """Load the plugins that a falco.yaml loads, with their configs and params.

        ``plugin_dir``: where a relative ``library_path`` begins; default: Falco's own.
        ``options``: for the constructor. What is odd in the file, such as an unknown
        key with its line, is warned about and kept as ``notes``. Raises WorkbenchError
        with the position when Falco would refuse the file, and what :meth:`load`
        raises.
        """
        from workbench.falco_config import read_falco_yaml

        config = read_falco_yaml(path, plugin_dir=plugin_dir)
        workbench = cls(**options)
        try:
            load_plugins(config, workbench)
        except WorkbenchError as error:
            workbench.close()
            if config.notes:
                note = "; ".join(config.notes)
                error.args = (f"{error}; {note}", *error.args[1:])
                error.message = error.args[0]
            raise
        except BaseException:
            workbench.close()
            raise
        workbench.notes = tuple(config.notes)
        for note in workbench.notes:
            text = printable(note, limit=_MAX_NOTE)
            warnings.warn(text, UserWarning, stacklevel=3)
        return workbench

    # -- the end ---------------------------------------------------------------------

    @property
    def closed(self) -> bool:
        """Whether :meth:`close` was called."""
        return self.pool.closed

    def close(self) -> None:
        """End all plugins, open captures included (idempotent)."""
        self.pool.close()

    @takes(name=TEXT)
    def __getitem__(self, name: str) -> Plugin:
        """Return a plugin by name."""
        return self.plugins[name]

    def _ipython_key_completions_(self) -> list[str]:
        return list(self._plugins)

    def __repr__(self) -> str:
        if self.closed:
            return "Workbench (closed)"
        plugins = list(self.plugins.values())
        if not plugins:
            return "Workbench: no plugins yet; next: bench.load(path)"
        lines = [f"Workbench: {counted(len(plugins), 'plugin')}"]
        for plugin in plugins:
            capabilities = ", ".join(plugin.info.capabilities)
            lines.append(f"  {plugin_title(plugin.info)} ({capabilities})")
        sources = ", ".join(self.sources)
        if sources:
            lines.append(f"  event sources: {printable(sources, limit=200)}")
        lines += [f"  note: {printable(n, limit=_MAX_NOTE)}" for n in self.notes]
        return "\n".join(lines)

    def _repr_html_(self) -> str:
        if self.closed or not self.plugins:
            return tag("div", escape(repr(self)))
        rows = [
            (
                p.info.name,
                p.info.version,
                ", ".join(p.info.capabilities),
                p.info.event_source or ", ".join(p.info.extract_event_sources) or "any",
                len(p.fields),
            )
            for p in self.plugins.values()
        ]
        header = ("plugin", "version", "capabilities", "event source", "fields")
        shown = table(header, rows)
        notes = [tag("div", escape("note: " + n, limit=_MAX_NOTE)) for n in self.notes]
        return tag("div", tag("b", "Workbench"), shown, *notes)


def load_plugins(config: FalcoConfig, workbench: Workbench) -> None:
    """Load the plugins of ``config`` into ``workbench``, with their open params.

    Raises PluginOpenError for an entry whose name is not the plugin's own: Falco loads
    it and then cannot open it.
    """
    for entry in config.plugins:
        plugin = workbench.load(entry.library_path, config=entry.init_config)
        own = plugin.info.name
        if own != entry.name:
            raise PluginOpenError(
                f"plugin {entry.name} does not exist: {entry.library_path} calls "
                f"itself {own!r}; write 'name: {own}'",
                plugin=entry.name,
                params=entry.open_params,
            )
        workbench.default_params[own] = entry.open_params
