"""Which plugins are loaded together, and the sessions they run in.

A :class:`SessionPool` remembers what was loaded (path, init config, manifest); a
:class:`PooledSession` is one session that has these plugins initialised. The first
serves everything; while it streams one source, another source or a re-extraction gets a
session of its own, as the real engine gives every source its own plugin states. One
whose plugin crashed is dropped, and the next call brings up another from memory.
"""

from __future__ import annotations

import contextlib
import os
import threading
import warnings
import weakref
from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING, Any

from workbench.arguments import wrong
from workbench.errors import PluginCrashed, PluginHung, WorkbenchError
from workbench.plugins.compatibility import check_registration
from workbench.plugins.init_config import prepare_config
from workbench.plugins.log import LogLines
from workbench.plugins.state_tables import MAX_ROWS, StateTables
from workbench.session import new_session
from workbench.session.forks import inherited_error, renew_in_forks
from workbench.session.interrupts import finaliser, finishing, interruptible, patiently

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping, Sequence

    from workbench.events.events import Events
    from workbench.manifest import Manifest
    from workbench.session.interface import Session
    from workbench.session.sandbox import Sandbox, SandboxPlan, SandboxPolicy
    from workbench.session.types import ColumnRequest, LogLine, TraceCall

__all__ = ["LoadedPlugin", "PooledSession", "SessionPool"]

# Calls and log lines remembered of sessions that are gone.
_REMEMBERED = 2000
# How long the end of a session waits for what another thread asks of it, in seconds.
_QUESTION_SEC = 2.0


@dataclass(eq=False)
class LoadedPlugin:
    """One loaded plugin: what to load and initialise it with, and what it said.

    ``one_field_per_call``: never ask it for two fields in one C call.
    """

    path: str
    config: str
    manifest: Manifest
    one_field_per_call: bool = False

    @property
    def name(self) -> str:
        """The plugin's own name."""
        return self.manifest.name


@dataclass(eq=False)
class PooledSession:
    """One session and the plugins that are initialised in it, in their order.

    ``numbers``: how the session knows them, in the same order.
    """

    session: Session
    loaded_plugins: list[LoadedPlugin] = field(default_factory=list)
    numbers: list[int] = field(default_factory=list)
    lock: Any = field(default_factory=threading.RLock)
    # An open capture holds the session for longer than a call; only a weak reference
    # to it is kept here.
    in_use: bool = False
    owner_ref: Any = None
    dead: bool = False
    # The capture ended while the plugin had not returned from next_batch.
    blocked_in_next_batch: bool = False
    # What its worker is bound to, None for nothing.
    plan: SandboxPlan | None = None

    @property
    def owner(self) -> Any:
        """The open capture; None when there is none or it was garbage-collected."""
        return self.owner_ref() if self.owner_ref is not None else None

    def take(self, owner: Any) -> None:
        """Keep the session for ``owner`` until it is released."""
        self.in_use = owner is not None
        self.owner_ref = weakref.ref(owner) if owner is not None else None

    def index(self, loaded: LoadedPlugin) -> int:
        """Return the number that the session knows ``loaded`` by."""
        return self.numbers[self.loaded_plugins.index(loaded)]

    def settle(self, loaded: LoadedPlugin, number: int) -> None:
        """Remember a plugin that is initialised here."""
        self.loaded_plugins.append(loaded)
        self.numbers.append(number)

    def numbered(self, requests: Sequence[ColumnRequest]) -> list[ColumnRequest]:
        """Return column requests with the numbers that the session knows."""
        return [replace(r, plugin=self.numbers[r.plugin]) for r in requests]

    @contextlib.contextmanager
    def calling(self, *, interruptible: bool = False) -> Iterator[Session]:
        """Yield the session for one call; what ends the host marks the session dead.

        ``interruptible``: Ctrl-C leaves no half-answered call behind.
        """
        try:
            yield self.session
        except KeyboardInterrupt:
            self.dead = self.dead or not interruptible
            raise
        except (PluginCrashed, PluginHung, EOFError, OSError):
            self.dead = True
            raise


class SessionPool:
    """Plugins loaded together; every call acquires a session of them."""

    def __init__(
        self,
        *,
        isolation: str = "process",
        call_timeout_sec: float | None = None,
        memory_limit_bytes: int | None = None,
        sandbox: SandboxPolicy | None = None,
    ) -> None:
        """Remember how to make sessions; none is made before it is needed."""
        if not isinstance(isolation, str) or isolation not in {"process", "none"}:
            raise wrong("load", "isolation", '"process" or "none"', isolation)
        self.isolation = isolation
        self.call_timeout_sec = call_timeout_sec
        self.memory_limit_bytes = memory_limit_bytes
        self.sandbox = sandbox
        self.loaded_plugins: list[LoadedPlugin] = []
        self.closed = False
        # What the latest capture had read when it was interrupted or failed.
        self.last_events: Events | None = None
        # Errors of calls that stderr has shown: once each, whichever capture met them.
        self.told_errors: set[tuple[str, str, str]] = set()
        self._sessions: list[PooledSession] = []
        self._lock = threading.RLock()
        # One plugin at a time is loaded: sessions have all of them in one order.
        self._loading = threading.RLock()
        # Sessions may end in several threads at once.
        self._remembering = threading.Lock()
        self._process = os.getpid()
        renew_in_forks(self)
        self._retiring: list[threading.Thread] = []
        self._old_trace: list[tuple[str, TraceCall]] = []
        self._old_log: list[tuple[str, LogLine]] = []

    @property
    def inherited(self) -> bool:
        """Whether this process is a fork of the one that the plugins belong to."""
        return os.getpid() != self._process

    def renew_locks(self) -> None:
        """Forget in a fork who held the locks."""
        self._lock = threading.RLock()
        self._loading = threading.RLock()
        self._remembering = threading.Lock()
        for pooled in self._sessions:
            pooled.lock = threading.RLock()

    def _check_open(self) -> None:
        if self.inherited:
            raise inherited_error()
        if self.closed:
            raise WorkbenchError("this plugin is closed; call wb.load() again")

    # -- plugins ---------------------------------------------------------------------

    def add(self, path: str, config: Mapping[str, Any] | str | None) -> LoadedPlugin:
        """Load, check and initialise a library beside those already here.

        Raises PluginLoadError, PluginInitError, PluginCrashed or PluginHung; the
        other plugins are then as they were.
        """
        with interruptible():
            patiently(self._loading)
            try:
                return self._add(path, config)
            finally:
                self._loading.release()

    def _add(self, path: str, config: Mapping[str, Any] | str | None) -> LoadedPlugin:
        with self.acquire(library=path) as pooled:
            with pooled.calling() as session:
                number, manifest = session.load(path)
            done = False
            try:
                check_registration([m.manifest for m in self.loaded_plugins], manifest)
                text = prepare_config(manifest, config)
                with pooled.calling() as session:
                    params = session.init(number, text)
                done = True
            finally:
                if not done:
                    # A loaded plugin cannot leave a session: the session ends.
                    pooled.dead = True
            loaded = LoadedPlugin(path, text, manifest.with_open_params(params))
            pooled.settle(loaded, number)
            self.loaded_plugins.append(loaded)
        return loaded

    def remove(self, loaded: LoadedPlugin) -> None:
        """Forget a plugin; the sessions it runs in end, those streaming when done.

        Raises PluginCrashed or PluginHung when a plugin dies while it is destroyed.
        """
        with finishing():
            with self._lock:
                if loaded in self.loaded_plugins:
                    self.loaded_plugins.remove(loaded)
                for pooled in self._sessions:
                    if loaded in pooled.loaded_plugins:
                        owner = pooled.owner
                        if owner is not None and owner.loaded is loaded:
                            owner.close()
                        pooled.dead = True
            self._raise_first(self._sweep())

    # -- sessions --------------------------------------------------------------------

    @contextlib.contextmanager
    def acquire(self, owner: Any = None, library: str = "") -> Iterator[PooledSession]:
        """Yield a free session with every plugin initialised, for the calls inside.

        With ``owner`` the session stays in use until :meth:`release`. ``library``: what
        is to be loaded there besides.
        """
        with interruptible():
            pooled = self._take(self.plan(library))
            try:
                self._bring_up(pooled)
                yield pooled
                pooled.take(owner)
            finally:
                pooled.lock.release()
                self._sweep()

    @contextlib.contextmanager
    def dedicated(self) -> Iterator[PooledSession]:
        """Yield a new session whose plugins saw no event yet; it ends afterwards."""
        with interruptible():
            with self._lock:
                self._check_open()
                pooled = self._new_pooled(self.plan())
            try:
                self._bring_up(pooled)
                yield pooled
            finally:
                self._retire(pooled)

    def release(self, pooled: PooledSession) -> None:
        """Release a session that an owner held."""
        with interruptible():
            pooled.take(None)
            pooled.blocked_in_next_batch = bool(pooled.session.waiting_call())
            self._sweep()

    def read_named(self, loaded: LoadedPlugin, params: str) -> None:
        """Let a sandbox read what the open params of ``loaded`` name.

        Raises PluginOpenError where the params are the plugin's own suggestion.
        """
        if self.sandbox is not None:
            suggested = [p.value for p in loaded.manifest.open_params or ()]
            self.sandbox.read_named(params, suggested=params in suggested)

    def plan(self, library: str = "") -> SandboxPlan | None:
        """Return what a worker is bound to that has the plugins and ``library``."""
        if self.sandbox is None:
            return None
        libraries = [m.path for m in self.loaded_plugins]
        return self.sandbox.plan([*libraries, library] if library else libraries)

    def _take(self, plan: SandboxPlan | None) -> PooledSession:
        """Return a session that nobody uses and that may do all of ``plan``, locked."""
        with self._lock:
            self._check_open()
            for pooled in list(self._sessions):
                if pooled.blocked_in_next_batch and not pooled.in_use:
                    pooled.blocked_in_next_batch = False
                    if pooled.session.waiting_call():
                        # Not worth waiting for, neither its return nor its end.
                        self._sessions.remove(pooled)
                        self._retire_aside(pooled)
                if pooled.in_use and pooled.owner is None:
                    # Its capture is gone, and could not say so.
                    pooled.take(None)
                    pooled.dead = True
                bound = pooled.plan
                if plan and bound and not pooled.in_use and not bound.includes(plan):
                    # What binds a worker cannot be loosened: another takes over.
                    pooled.dead = True
            self._sweep()
            for pooled in self._sessions:
                if pooled.dead or pooled.in_use:
                    continue
                if pooled.lock.acquire(blocking=False):
                    return pooled
            pooled = self._new_pooled(plan)
            pooled.lock.acquire()
            self._sessions.append(pooled)
            return pooled

    def _new_pooled(self, plan: SandboxPlan | None) -> PooledSession:
        session = new_session(
            self.isolation,
            call_timeout_sec=self.call_timeout_sec,
            memory_limit_bytes=self.memory_limit_bytes,
            plan=plan,
        )
        if self.sandbox is not None:
            self.sandbox.facts = getattr(session, "sandbox", {})
        return PooledSession(session, plan=plan)

    def _bring_up(self, pooled: PooledSession) -> None:
        """Load and initialise the plugins that this session does not have yet."""
        for loaded in self.loaded_plugins[len(pooled.loaded_plugins) :]:
            done = False
            try:
                with pooled.calling() as session:
                    number, _ = session.load(loaded.path)
                    session.init(number, loaded.config)
                done = True
            finally:
                if not done:
                    pooled.dead = True
            pooled.settle(loaded, number)

    def _sweep(self) -> list[WorkbenchError]:
        """End the sessions that are of no use any more, keeping their history."""
        with self._lock:
            gone = [s for s in self._sessions if s.dead and not s.in_use]
            gone = [s for s in gone if s.lock.acquire(blocking=False)]
            self._sessions = [s for s in self._sessions if s not in gone]
        return [error for error in map(self._retire, gone) if error is not None]

    def _retire_aside(self, pooled: PooledSession) -> None:
        """End a session whose plugin does not return, without waiting for it."""
        thread = threading.Thread(target=self._retire, args=(pooled,), daemon=True)
        thread.start()
        self._retiring = [t for t in self._retiring if t.is_alive()] + [thread]

    def _retire(self, pooled: PooledSession) -> WorkbenchError | None:
        """End a session; return the error of a plugin that died on the way."""
        # A question of another thread may still be on its way.
        held = pooled.lock.acquire(timeout=_QUESTION_SEC)
        try:
            return self._end(pooled)
        finally:
            if held:
                pooled.lock.release()

    def _end(self, pooled: PooledSession) -> WorkbenchError | None:
        try:
            pooled.session.close()
        except WorkbenchError as error:
            return error
        except OSError:
            return None
        finally:
            # What plugins do and print while they are destroyed belongs to it.
            trace, log = self._history_of(pooled)
            with self._remembering:
                self._old_trace = (self._old_trace + trace)[-_REMEMBERED:]
                self._old_log = (self._old_log + log)[-_REMEMBERED:]
        return None

    @staticmethod
    def _raise_first(errors: list[WorkbenchError]) -> None:
        if errors:
            raise errors[0]

    # -- history of calls and log lines ----------------------------------------------

    def _history_of(
        self, pooled: PooledSession
    ) -> tuple[list[tuple[str, TraceCall]], list[tuple[str, LogLine]]]:
        """Return trace and log of a session, by plugin name; less of a dead one."""
        trace: list[tuple[str, TraceCall]] = []
        log: list[tuple[str, LogLine]] = []
        with contextlib.suppress(WorkbenchError, OSError, EOFError):
            trace = [(call.plugin, call) for call in pooled.session.trace()]
        with contextlib.suppress(WorkbenchError, OSError, EOFError):
            log = [(line.component, line) for line in pooled.session.log()]
        return trace, log

    def trace(self, name: str | None = None) -> list[TraceCall]:
        """Return the API calls of all sessions, session by session, oldest first."""
        calls = list(self._old_trace)
        for pooled in list(self._sessions):
            calls += self._history_of(pooled)[0]
        return [call for owner, call in calls if name is None or owner == name]

    def log(self) -> list[LogLine]:
        """Return the log lines of all sessions, oldest first."""
        lines = list(self._old_log)
        for pooled in list(self._sessions):
            lines += self._history_of(pooled)[1]
        ordered = sorted((line for _, line in lines), key=lambda line: line.time_ns)
        return LogLines(ordered)

    def sandbox_shown(self) -> Sandbox | None:
        """Return what binds the plugins and what they were denied; None for nothing."""
        if self.sandbox is None:
            return None
        from workbench.session.sandbox import sandbox_shown

        return sandbox_shown(self.sandbox, self.log())

    def tables(self) -> StateTables:
        """Return the state tables of the session that streams, else of the first."""
        for pooled in list(self._sessions):
            owner = pooled.owner
            if owner is None:
                continue
            with owner.held() as held:
                if held is not None:
                    with held.calling() as session:
                        return StateTables(session.tables(MAX_ROWS))
        with self.acquire() as pooled, pooled.calling() as session:
            return StateTables(session.tables(MAX_ROWS))

    # -- the end ---------------------------------------------------------------------

    def close(self) -> None:
        """End every session, open captures included (idempotent).

        Raises PluginCrashed or PluginHung, when everything is ended, if a plugin died
        while it was closed or destroyed.
        """
        with finishing():
            with self._lock:
                if self.closed:
                    return
                self.closed = True
                sessions, self._sessions = self._sessions, []
            errors: list[WorkbenchError] = []
            for pooled in sessions:
                owner = pooled.owner
                if owner is not None:
                    try:
                        owner.close()
                    except WorkbenchError as error:
                        errors.append(error)
                died = self._retire(pooled)
                if died is not None:
                    errors.append(died)
            for thread in self._retiring:
                thread.join()
            self._raise_first(errors)

    def discard(self) -> None:
        """End every session; how they end does not matter to anybody."""
        with contextlib.suppress(WorkbenchError):
            self.close()

    def __del__(self) -> None:
        with finaliser():
            if getattr(self, "closed", True) or not self._sessions or self.inherited:
                return
            try:
                warnings.warn(
                    "a plugin was not closed: call close(), or use it in a with "
                    "statement",
                    ResourceWarning,
                    stacklevel=2,
                    source=self,
                )
            finally:
                with contextlib.suppress(Exception):
                    self.close()
