"""Plugin: one loaded library, its fields, and the events it gives."""

from __future__ import annotations

import contextlib
import os
import weakref
from typing import TYPE_CHECKING, Any, Self

from workbench.capture import Capture
from workbench.collect import collect
from workbench.config import prepare_config
from workbench.errors import PluginLoadError, PluginOpenError, WorkbenchError
from workbench.feeders import RosterFeeder
from workbench.registration import fields_of, known_sources
from workbench.roster import Member, Roster
from workbench.session.sandbox import sandbox_policy

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator, Mapping
    from types import TracebackType

    from workbench.events import Events
    from workbench.fields import FieldTable
    from workbench.manifest import Manifest, OpenParam
    from workbench.session.sandbox import Sandbox
    from workbench.worker.session import LogLine, Session

__all__ = ["Plugin", "inspect", "library_path", "load"]


def library_path(path: str | os.PathLike[str]) -> str:
    """Give the absolute path of a library, or say what is wrong with it."""
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


def inspect(
    path: str | os.PathLike[str],
    *,
    sandbox: bool = False,
    sandbox_read: Iterable[str | os.PathLike[str]] = (),
    sandbox_network: bool = False,
) -> Manifest:
    """Give what a library says of itself, without initialising it.

    Works on old and broken plugins too: ``.complaints`` holds everything that a loader
    would object to. ``sandbox…``: as for :func:`load`. Raises PluginLoadError when the
    file is no library at all, PluginCrashed or PluginHung when it dies on the way.
    """
    from workbench.hosts import inspect_library

    library = library_path(path)
    policy = sandbox_policy(sandbox, sandbox_read, network=sandbox_network)
    return inspect_library(library, policy.plan([library]) if policy else None)


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

    ``config``: dict (sent as compact JSON, keys in the given order), text (verbatim) or
    None (empty). ``isolation``: "process", or "none" to run it in this process, where a
    crash ends everything. ``call_timeout_sec``: longest call; None means 30 s, and no
    limit for waiting on events. ``memory_limit_bytes``: of the worker; None means half
    of the memory available.

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
    roster = Roster(
        isolation=isolation,
        call_timeout_sec=call_timeout_sec,
        memory_limit_bytes=memory_limit_bytes,
        sandbox=policy,
    )
    try:
        member = roster.add(library_path(path), config)
    except BaseException:
        with contextlib.suppress(WorkbenchError):
            roster.close()
        raise
    return Plugin(roster, member)


class Plugin:
    """One plugin, loaded and initialised; :func:`load` and ``Workbench.load`` give it.

    When its process dies the next call starts another and initialises it again.
    """

    def __init__(self, roster: Roster, member: Member, *, owned: bool = True) -> None:
        """Face ``member`` of ``roster``; ``owned``: closing this closes the roster."""
        self.roster = roster
        self._member = member
        self._owned = owned
        self._closed = False
        # Who opened it keeps it: a capture that nobody has is closed.
        self._capture: Callable[[], Capture | None] = lambda: None

    # -- what it says of itself ------------------------------------------------------

    @property
    def info(self) -> Manifest:
        """Name, version, id, event source, capabilities …, as the library says."""
        return self._member.manifest

    @property
    def name(self) -> str:
        """The plugin's own name."""
        return self._member.name

    @property
    def path(self) -> str:
        """The library it was loaded from."""
        return self._member.path

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
        return self._member.config

    @property
    def open_params(self) -> list[OpenParam]:
        """What the plugin suggests for ``open``."""
        return list(self.info.open_params or ())

    @property
    def manifests(self) -> list[Manifest]:
        """What this and the plugins loaded beside it say of themselves."""
        return [m.manifest for m in self.roster.members]

    @property
    def feeder(self) -> RosterFeeder:
        """What answers for fields of stored events."""
        return RosterFeeder(self.roster)

    # -- what rules and conditions are checked against -------------------------------

    @property
    def sources(self) -> list[str]:
        """The event sources of this plugin: one or none."""
        return known_sources([self.info])

    def fields_of(self, source: str) -> FieldTable:
        """Give the fields usable in rules of ``source``, without ``evt.*``."""
        return fields_of(self.manifests, source)[0]

    @property
    def plugin_versions(self) -> dict[str, str]:
        """Name → version."""
        return {m.name: m.version for m in self.manifests}

    # -- events ----------------------------------------------------------------------

    @property
    def one_field_per_call(self) -> bool:
        """Whether captures ask for one field per C call, as Falco does.

        Off by default: fields are asked for together where that gives the same values.
        Turn it on for a plugin that mixes up fields asked for together.
        """
        return self._member.one_field_per_call

    @one_field_per_call.setter
    def one_field_per_call(self, on: bool) -> None:
        self._member.one_field_per_call = bool(on)

    def open(
        self,
        params: str | os.PathLike[str] = "",
        *,
        fields: Iterable[str] | None = None,
        keep_events: bool = False,
    ) -> Capture:
        """Open the event source: iterating gives one DataFrame per record batch.

        ``fields``: texts such as ``"probe.kv[key]"``; None means every declared field
        that needs no argument, [] none. ``keep_events``: add the events themselves as
        a column ``raw`` of the record batches.

        Raises PluginOpenError, also while another capture of this plugin is open.
        """
        return self.start(params, fields, keep_events=keep_events)

    def capture(
        self,
        params: str | os.PathLike[str] = "",
        *,
        fields: Iterable[str] | None = None,
        max_events: int | None = None,
        timeout_sec: float | None = None,
        progress: bool | None = None,
        keep_events: bool = True,
    ) -> Events:
        """Open the event source and collect its events.

        ``max_events``, ``timeout_sec``: stop there; None reads to the end.
        ``progress``: True, False, or None for a bar when somebody watches and it takes
        long. ``keep_events``: keep the events themselves, for further fields, ``.scap``
        and replay. An error on the way, Ctrl-C included, carries what was read as
        ``.events``; ``last_events`` has it too.
        """
        capture = self.start(
            params, fields, keep_events=keep_events, max_events=max_events
        )
        return collect(capture, timeout_sec=timeout_sec, progress=progress)

    def start(
        self,
        params: str | os.PathLike[str],
        fields: Iterable[str] | None,
        *,
        keep_events: bool,
        max_events: int | None = None,
    ) -> Capture:
        """Open as :meth:`open` does, with a limit of events."""
        self._check_open()
        running = self._capture()
        if running is not None and not running.closed:
            raise PluginOpenError(
                f"plugin {self.name} has an open capture already ({running!r}); "
                "close() it or read it to its end first",
                plugin=self.name,
                params=os.fspath(params),
            )
        capture = Capture(
            self.roster,
            self._member,
            params,
            fields=fields,
            keep_events=keep_events,
            max_events=max_events,
        )
        self._capture = weakref.ref(capture)
        return capture

    @property
    def last_events(self) -> Events | None:
        """What the latest capture had read when it was interrupted or failed."""
        return self.roster.last_events

    # -- while it runs ---------------------------------------------------------------

    @property
    def trace(self) -> Any:
        """The API calls made so far, oldest first: a list that draws itself."""
        from workbench.trace import Trace

        return Trace(self.roster.trace(self.name))

    @property
    def log(self) -> list[LogLine]:
        """What the plugin logged and printed so far, oldest first, bounded."""
        return self.roster.log()

    @property
    def sandbox(self) -> Sandbox | None:
        """What binds the plugin and what it was denied; None outside a sandbox."""
        return self.roster.sandbox_shown()

    @property
    def metrics(self) -> list[dict[str, Any]]:
        """The plugin's metrics: name, type, value."""
        with self._calling() as (session, index):
            return session.metrics(index)

    def set_config(self, config: Mapping[str, Any] | str | None) -> bool:
        """Hand over a new config while the plugin runs (plugin API 3.4 or newer).

        Gives False when the plugin does not take it. Raises PluginInitError when it
        does not fit the init schema.
        """
        text = prepare_config(self.info, config)
        with self._calling() as (session, index):
            taken = session.set_config(index, text)
        if taken:
            self._member.config = text
        return taken

    @contextlib.contextmanager
    def _calling(self) -> Iterator[tuple[Session, int]]:
        """Give the host of the open capture, else any, and the plugin's number."""
        self._check_open()
        capture = self._capture()
        if capture is not None and not capture.closed:
            with capture.calling() as seat, seat.calling() as session:
                yield session, seat.index(self._member)
            return
        with self.roster.borrow() as seat, seat.calling() as session:
            yield session, seat.index(self._member)

    # -- the end ---------------------------------------------------------------------

    def _check_open(self) -> None:
        if self._closed or self.roster.closed:
            raise WorkbenchError(f"plugin {self.name} is closed; load it again")

    @property
    def closed(self) -> bool:
        """Whether :meth:`close` was called."""
        return self._closed or self.roster.closed

    def close(self) -> None:
        """End the plugin, an open capture included (idempotent).

        Raises PluginCrashed or PluginHung, when all is ended, if it died meanwhile.
        """
        if self._closed:
            return
        self._closed = True
        try:
            capture = self._capture()
            if capture is not None:
                capture.close()
        finally:
            if self._owned:
                self.roster.close()
            else:
                self.roster.remove(self._member)

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

    def __repr__(self) -> str:
        from workbench.reprs import plugin_text

        return plugin_text(self)

    def _repr_html_(self) -> str:
        from workbench.reprs import plugin_html

        return plugin_html(self)

    def _ipython_key_completions_(self) -> list[str]:
        return list(self.fields)

    def __getitem__(self, name: str) -> Any:
        """Give the declaration of a field: ``plugin["probe.str"]``."""
        return self.fields[name]
