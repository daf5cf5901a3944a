"""Plugin: one loaded library, its fields, and the events it gives."""

from __future__ import annotations

import contextlib
import importlib
import os
import weakref
from typing import TYPE_CHECKING, Any

from workbench.arguments import (
    BYTES,
    CHOICE,
    CONFIG,
    FLAG,
    PATH,
    PATHS,
    SECONDS,
    TEXT,
    takes,
)
from workbench.errors import PluginLoadError, PluginOpenError, WorkbenchError
from workbench.formatting.html import escape, tag
from workbench.manifest import facts_html, fields_html, manifest_lines, plugin_title
from workbench.plugins.compatibility import known_sources, tell_of_falco
from workbench.plugins.group import PluginGroup
from workbench.plugins.init_config import prepare_config
from workbench.plugins.limits import FIELDS, PARAMS, checked_count, checked_seconds
from workbench.plugins.pool import LoadedPlugin, SessionPool
from workbench.session.interrupts import finishing, interruptible
from workbench.session.sandbox import sandbox_policy

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator, Mapping

    from workbench.events.events import Events
    from workbench.fields.declarations import FieldInfo, FieldTable
    from workbench.manifest import Manifest, OpenParam
    from workbench.plugins.capture import Capture
    from workbench.plugins.filtering import EventFilter, Where
    from workbench.plugins.trace import Trace
    from workbench.session.interface import Session

__all__ = ["Plugin", "inspect", "library_path", "load"]


def library_path(path: str | os.PathLike[str]) -> str:
    """Return the absolute path of a library; text without / and suffix is a name.

    Raises PluginLoadError that says what is wrong with it, or how to get it.
    """
    from workbench.artifacts.lookup import is_plugin_name, library_named

    if isinstance(path, str) and is_plugin_name(path):
        path = library_named(path)
    text = os.path.abspath(os.path.expanduser(os.fspath(path)))  # noqa: PTH100, PTH111
    if not os.path.lexists(text):
        raise PluginLoadError(
            f"cannot load plugin {text}: no such file; build it first, or correct "
            "the path",
            path=text,
            complaints=["no such file"],
        )
    if os.path.isdir(text):  # noqa: PTH112
        raise PluginLoadError(
            f"cannot load plugin {text}: this is a folder; name the library in it, "
            "such as lib….so",
            path=text,
            complaints=["is a folder"],
        )
    if not os.access(text, os.R_OK):
        raise PluginLoadError(
            f"cannot load plugin {text}: no permission to read it; check its mode "
            "and the folders above it",
            path=text,
            complaints=["no permission to read it"],
        )
    return text


@takes(path=PATH, sandbox=FLAG, sandbox_read=PATHS, sandbox_network=FLAG)
def inspect(
    path: str | os.PathLike[str],
    *,
    sandbox: bool = False,
    sandbox_read: Iterable[str | os.PathLike[str]] = (),
    sandbox_network: bool = False,
) -> Manifest:
    """Return what a library says of itself, without initialising it.

    ``path``: a file, or a name as for :func:`load`. Works on old and broken plugins
    too: ``.complaints`` holds everything that a loader would object to. ``sandbox…``:
    as for :func:`load`. Raises PluginLoadError when the file is no library at all,
    PluginCrashed or PluginHung when it dies on the way.
    """
    from workbench.session import inspect_library

    library = library_path(path)
    policy = sandbox_policy(sandbox, sandbox_read, network=sandbox_network)
    return inspect_library(library, policy.plan([library]) if policy else None)


@takes(
    path=PATH,
    config=CONFIG,
    call_timeout_sec=SECONDS,
    memory_limit_bytes=BYTES,
    sandbox=FLAG,
    sandbox_read=PATHS,
    sandbox_network=FLAG,
)
def load(
    path: str | os.PathLike[str],
    *,
    config: Mapping[str, Any] | str | None = None,
    isolation: str = "process",
    call_timeout_sec: float | None = None,
    memory_limit_bytes: int | None = None,
    sandbox: bool = False,
    sandbox_read: Iterable[str | os.PathLike[str]] = (),
    sandbox_network: bool = False,
) -> Plugin:
    """Load, check and initialise a plugin in a worker process of its own.

    ``path``: a library, or a name such as "k8saudit" that is looked up as
    ``libk8saudit.so`` in the folders of ``WORKBENCH_PLUGIN_PATH``, the user's plugin
    folder (which ``wb.get`` fills) and Falco's. ``config``: dict (sent as compact JSON,
    keys in the given order), text (verbatim) or None (empty). ``isolation``: "process",
    or "none" to run it in this process, where a crash ends everything.
    ``call_timeout_sec``: longest call; None means 30 s, and no limit for waiting on
    events. ``memory_limit_bytes``: of the worker; None means half of the memory
    available.

    ``sandbox``: for a plugin from a stranger; it may read system libraries, the paths
    of ``sandbox_read`` and those that open params name, write in a private folder, and
    use the Internet only with ``sandbox_network``. See ``Plugin.sandbox``. A path that
    is named for the first time needs another worker: the plugin is initialised again.

    Raises PluginLoadError (with ``.complaints``; also where this system cannot give
    all of the sandbox), PluginInitError, PluginCrashed, PluginHung.
    """
    policy = sandbox_policy(
        sandbox, sandbox_read, network=sandbox_network, isolation=isolation
    )
    pool = SessionPool(
        isolation=isolation,
        call_timeout_sec=call_timeout_sec,
        memory_limit_bytes=memory_limit_bytes,
        sandbox=policy,
    )
    with interruptible(undo=pool.discard):
        try:
            loaded = pool.add(library_path(path), config)
        except BaseException:
            pool.discard()
            raise
        tell_of_falco(loaded.manifest)
        return Plugin(pool, loaded)


class Plugin(PluginGroup):
    """One plugin, loaded and initialised; :func:`load` and ``Workbench.load`` give it.

    When its process dies the next call starts another and initialises it again.
    """

    def __init__(
        self, pool: SessionPool, loaded: LoadedPlugin, *, owned: bool = True
    ) -> None:
        """Face ``loaded`` of ``pool``; ``owned``: closing this closes the pool."""
        super().__init__(pool)
        self._loaded = loaded
        self._owned = owned
        self._closed = False
        # Who opened it keeps it: a capture that nobody has is closed.
        self._capture: Callable[[], Capture | None] = lambda: None

    # -- what it says of itself ------------------------------------------------------

    @property
    def info(self) -> Manifest:
        """Name, version, id, event source, capabilities …, as the library says."""
        return self._loaded.manifest

    @property
    def name(self) -> str:
        """The plugin's own name."""
        return self._loaded.name

    @property
    def path(self) -> str:
        """The library it was loaded from."""
        return self._loaded.path

    @property
    def fields(self) -> FieldTable:
        """Name → FieldInfo of the fields it declares, in declared order."""
        return self.info.fields

    @property
    def init_schema(self) -> dict[str, Any] | None:
        """JSON schema of its init config, None when it has none."""
        return self.info.init_schema

    @property
    def config(self) -> str:
        """The init config as the plugin got it."""
        return self._loaded.config

    @property
    def open_params(self) -> list[OpenParam]:
        """What the plugin suggests for ``open``."""
        return list(self.info.open_params or ())

    # -- what rules and conditions are checked against -------------------------------

    @property
    def sources(self) -> list[str]:
        """The event sources of this plugin: one or none."""
        return known_sources([self.info])

    # -- events ----------------------------------------------------------------------

    @property
    def one_field_per_call(self) -> bool:
        """Whether captures ask for one field per C call, as Falco does.

        Off by default: fields are asked for together where that gives the same values.
        Turn it on for a plugin that mixes up fields asked for together.
        """
        return self._loaded.one_field_per_call

    @one_field_per_call.setter
    def one_field_per_call(self, on: bool) -> None:
        self._loaded.one_field_per_call = bool(on)

    @takes(params=PARAMS, fields=FIELDS, keep_events=FLAG)
    def open(
        self,
        params: str | os.PathLike[str] = "",
        *,
        fields: Iterable[str] | None = None,
        keep_events: bool = False,
        where: Where | None = None,
    ) -> Capture:
        """Open the event source: iterating gives one DataFrame per record batch.

        ``fields``: texts such as ``"probe.kv[key]"``; None means every declared field
        that needs no argument, [] none. ``keep_events``: add the events themselves as
        a column ``raw`` of the record batches. ``where``: a condition, or several of
        which one is enough; only events that match leave the plugin's process, and
        ``seen`` of the capture counts all.

        Raises ConditionError for ``where``, PluginOpenError, also while another capture
        of this plugin is open.
        """
        return self.start(params, fields, keep_events=keep_events, where=where)

    @takes(params=PARAMS, fields=FIELDS, progress=CHOICE, keep_events=FLAG)
    def capture(
        self,
        params: str | os.PathLike[str] = "",
        *,
        fields: Iterable[str] | None = None,
        max_events: int | None = None,
        timeout_sec: float | None = None,
        max_bytes: int | None = None,
        progress: bool | None = None,
        keep_events: bool = True,
        where: Where | None = None,
    ) -> Events:
        """Open the event source and collect its events.

        ``max_events``, ``timeout_sec``: stop there; None reads to the end.
        ``max_bytes``: stop when the events need more memory; None means half of what
        is available. ``origin.notes`` tell when that was the end.
        ``progress``: True, False, or None for a bar when somebody watches and it takes
        long. ``keep_events``: keep the events themselves, for further fields, ``.scap``
        and replay. ``where``: collect only events that match this condition, or one of
        several; ``seen`` of the Events counts all. ``max_events`` counts all, too: it
        is what is read, matching or not. An error on the way, Ctrl-C included, carries
        what was read as ``.events``; ``last_events`` has it too.
        """
        from workbench.plugins.collect import collect

        timeout_sec = checked_seconds("timeout_sec", timeout_sec)
        max_bytes = checked_count("max_bytes", max_bytes)
        found: list[Events] = []

        def keep() -> None:
            self.pool.last_events = found[0]

        with interruptible(undo=keep):
            capture = self.start(
                params,
                fields,
                keep_events=keep_events,
                max_events=max_events,
                where=where,
            )
            events = collect(
                capture, timeout_sec=timeout_sec, max_bytes=max_bytes, progress=progress
            )
            found.append(events)
        return events

    def start(
        self,
        params: str | os.PathLike[str],
        fields: Iterable[str] | None,
        *,
        keep_events: bool,
        max_events: int | None = None,
        where: Where | EventFilter | None = None,
    ) -> Capture:
        """Open as :meth:`open` does, with a limit of events."""
        # Not before somebody opens: it takes Arrow, which inspecting does not. And not
        # where Ctrl-C may strike: it would leave modules half made.
        importlib.import_module("workbench.plugins.capture")
        with interruptible(undo=self._close_capture):
            return self._start(
                params,
                fields,
                keep_events=keep_events,
                max_events=max_events,
                where=where,
            )

    def _start(
        self,
        params: str | os.PathLike[str],
        fields: Iterable[str] | None,
        *,
        keep_events: bool,
        max_events: int | None,
        where: Where | EventFilter | None,
    ) -> Capture:
        from workbench.plugins.capture import Capture
        from workbench.plugins.filtering import of_rules

        self._check_open()
        running = self._capture()
        if running is not None and not running.closed:
            raise PluginOpenError(
                f"plugin {self.name} has an open capture already ({running!r}); "
                "close() it or read it to its end first",
                plugin=self.name,
                params=os.fspath(params),
            )
        where, fields = of_rules(where, fields, self)
        capture = Capture(
            self.pool,
            self._loaded,
            params,
            fields=fields,
            keep_events=keep_events,
            max_events=max_events,
            where=where,
        )
        self._capture = weakref.ref(capture)
        return capture

    # -- while it runs ---------------------------------------------------------------

    @property
    def trace(self) -> Trace:
        """The API calls made so far, oldest first: a list that draws itself."""
        from workbench.plugins.trace import Trace

        return Trace(self.pool.trace(self.name))

    @property
    def metrics(self) -> list[dict[str, Any]]:
        """The plugin's metrics: name, type, value."""
        with self._calling() as (session, index):
            return session.metrics(index)

    @takes(config=CONFIG)
    def set_config(self, config: Mapping[str, Any] | str | None) -> bool:
        """Hand over a new config while the plugin runs (plugin API 3.4 or newer).

        Returns False when the plugin does not take it. Raises PluginInitError when it
        does not fit the init schema.
        """
        text = prepare_config(self.info, config)
        with self._calling() as (session, index):
            taken = session.set_config(index, text)
        if taken:
            self._loaded.config = text
        return taken

    @contextlib.contextmanager
    def _calling(self) -> Iterator[tuple[Session, int]]:
        """Yield the host of the open capture, else any, and the plugin's number."""
        self._check_open()
        capture = self._capture()
        if capture is not None:
            with capture.held() as pooled:
                if pooled is not None:
                    with pooled.calling() as session:
                        yield session, pooled.index(self._loaded)
                    return
        with self.pool.acquire() as pooled, pooled.calling() as session:
            yield session, pooled.index(self._loaded)

    # -- the end ---------------------------------------------------------------------

    def _check_open(self) -> None:
        if self._closed or self.pool.closed:
            raise WorkbenchError(f"plugin {self.name} is closed; load it again")

    @property
    def closed(self) -> bool:
        """Whether :meth:`close` was called."""
        return self._closed or self.pool.closed

    def close(self) -> None:
        """End the plugin, an open capture included (idempotent).

        Raises PluginCrashed or PluginHung, when all is ended, if it died meanwhile.
        """
        with finishing():
            if self._closed:
                return
            self._closed = True
            try:
                self._close_capture()
            finally:
                if self._owned:
                    self.pool.close()
                else:
                    self.pool.remove(self._loaded)

    def _close_capture(self) -> None:
        capture = self._capture()
        if capture is not None:
            capture.close()

    def __repr__(self) -> str:
        state = " (closed)" if self.closed else ""
        lines = [f"Plugin {plugin_title(self.info)}{state}", *manifest_lines(self.info)]
        if "sourcing" in self.info.capabilities and not self.closed:
            lines.append("  next: plugin.capture(max_events=1000).frame")
        return "\n".join(lines)

    def _repr_html_(self) -> str:
        state = " (closed)" if self.closed else ""
        title = tag("b", "Plugin " + escape(plugin_title(self.info) + state))
        return tag("div", title, facts_html(self.info), fields_html(self.info))

    def _ipython_key_completions_(self) -> list[str]:
        return list(self.fields)

    @takes(name=TEXT)
    def __getitem__(self, name: str) -> FieldInfo:
        """Return the declaration of a field: ``plugin["probe.str"]``."""
        return self.fields[name]
