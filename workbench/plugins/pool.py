"""Which plugins are loaded together, and the hosts they run in.

A :class:`SessionPool` remembers what was loaded (path, init config, manifest); a
:class:`PooledSession` is one session that has these plugins initialised. The first
serves everything; while it streams one source, another source or a re-extraction gets a
session of its own, as the real engine gives every source its own plugin states. One
whose plugin crashed is dropped, and the next call brings up another from memory.
"""

from __future__ import annotations

import contextlib
import threading
import warnings
import weakref
from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING, Any

from workbench.errors import PluginCrashed, PluginHung, WorkbenchError
from workbench.plugins.compatibility import check_registration
from workbench.plugins.init_config import prepare_config
from workbench.plugins.state_tables import MAX_ROWS, StateTables
from workbench.session import new_session

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping, Sequence

    from workbench.events.events import Events
    from workbench.manifest import Manifest
    from workbench.session.interface import (
        ColumnRequest,
        LogLine,
        Session,
        TraceCall,
    )

__all__ = ["LoadedPlugin", "PooledSession", "SessionPool"]

# Calls and log lines remembered of seats that are gone.
_REMEMBERED = 2000
# How long the end of a host waits for what another thread asks of it.
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
    """One host and the members that are initialised in it, in their order.

    ``numbers``: how the session knows them, in the same order.
    """

    session: Session
    members: list[LoadedPlugin] = field(default_factory=list)
    numbers: list[int] = field(default_factory=list)
    lock: Any = field(default_factory=threading.RLock)
    # An open capture holds the seat for longer than a call; it is not kept alive here.
    in_use: bool = False
    holder_ref: Any = None
    dead: bool = False
    # The capture ended while the plugin had not returned from next_batch.
    blocked_in_next_batch: bool = False

    @property
    def owner(self) -> Any:
        """The open capture, None when there is none or nobody has it any more."""
        return self.holder_ref() if self.holder_ref is not None else None

    def take(self, owner: Any) -> None:
        """Keep the seat for ``owner`` until it is released."""
        self.in_use = owner is not None
        self.holder_ref = weakref.ref(owner) if owner is not None else None

    def index(self, member: LoadedPlugin) -> int:
        """Give the number that the session knows ``member`` by."""
        return self.numbers[self.members.index(member)]

    def settle(self, member: LoadedPlugin, number: int) -> None:
        """Remember a member that is initialised here."""
        self.members.append(member)
        self.numbers.append(number)

    def numbered(self, requests: Sequence[ColumnRequest]) -> list[ColumnRequest]:
        """Give column requests with the numbers that the session knows."""
        return [replace(r, plugin=self.numbers[r.plugin]) for r in requests]

    @contextlib.contextmanager
    def calling(self, *, interruptible: bool = False) -> Iterator[Session]:
        """Give the session for one call; what ends the host marks the seat dead.

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
    """Plugins loaded together; every call that needs a host borrows a seat."""

    def __init__(
        self,
        *,
        isolation: str = "process",
        call_timeout_sec: float | None = None,
        memory_limit_bytes: int | None = None,
    ) -> None:
        """Remember how to make hosts; none is made before it is needed."""
        if isolation not in {"process", "none"}:
            raise ValueError(f'isolation is "process" or "none", not {isolation!r}')
        self.isolation = isolation
        self.call_timeout_sec = call_timeout_sec
        self.memory_limit_bytes = memory_limit_bytes
        self.members: list[LoadedPlugin] = []
        self.closed = False
        # What the latest capture had read when it was interrupted or failed.
        self.last_events: Events | None = None
        self._seats: list[PooledSession] = []
        self._lock = threading.RLock()
        self._retiring: list[threading.Thread] = []
        self._old_trace: list[tuple[str, TraceCall]] = []
        self._old_log: list[tuple[str, LogLine]] = []

    # -- members ---------------------------------------------------------------------

    def add(self, path: str, config: Mapping[str, Any] | str | None) -> LoadedPlugin:
        """Load, check and initialise a library beside those already here.

        Raises PluginLoadError, PluginInitError, PluginCrashed or PluginHung; the
        members are then as they were.
        """
        with self.acquire() as seat:
            with seat.calling() as session:
                number, manifest = session.load(path)
            done = False
            try:
                check_registration([m.manifest for m in self.members], manifest)
                text = prepare_config(manifest, config)
                with seat.calling() as session:
                    params = session.init(number, text)
                done = True
            finally:
                if not done:
                    # A plugin that is loaded cannot leave a host: the host goes.
                    seat.dead = True
            member = LoadedPlugin(path, text, manifest.with_open_params(params))
            seat.settle(member, number)
            self.members.append(member)
        return member

    def remove(self, member: LoadedPlugin) -> None:
        """Forget a member; the hosts it runs in end, those streaming when done.

        Raises PluginCrashed or PluginHung when a plugin dies while it is destroyed.
        """
        with self._lock:
            if member in self.members:
                self.members.remove(member)
            for seat in self._seats:
                if member in seat.members:
                    owner = seat.owner
                    if owner is not None and owner.member is member:
                        owner.close()
                    seat.dead = True
        self._raise_first(self._sweep())

    # -- seats -----------------------------------------------------------------------

    @contextlib.contextmanager
    def acquire(self, owner: Any = None) -> Iterator[PooledSession]:
        """Give a free seat with every member initialised, for the calls inside.

        With ``owner`` the seat stays in_use until :meth:`release`.
        """
        seat = self._take()
        try:
            with seat.lock:
                self._bring_up(seat)
                yield seat
                seat.take(owner)
        finally:
            seat.lock.release()
            self._sweep()

    @contextlib.contextmanager
    def dedicated(self) -> Iterator[PooledSession]:
        """Give a new seat whose plugins have seen no event yet; it ends afterwards."""
        with self._lock:
            if self.closed:
                raise WorkbenchError("this was closed: load the plugin again")
            seat = PooledSession(self._new_session())
        try:
            self._bring_up(seat)
            yield seat
        finally:
            self._retire(seat)

    def release(self, seat: PooledSession) -> None:
        """Give back a seat that was in_use with a owner."""
        seat.take(None)
        seat.blocked_in_next_batch = bool(seat.session.waiting_call())
        self._sweep()

    def _take(self) -> PooledSession:
        """Give a seat that nobody uses, its lock held."""
        with self._lock:
            if self.closed:
                raise WorkbenchError("this was closed: load the plugin again")
            for seat in list(self._seats):
                if seat.blocked_in_next_batch and not seat.in_use:
                    seat.blocked_in_next_batch = False
                    if seat.session.waiting_call():
                        # Not worth waiting for, neither its return nor its end.
                        self._seats.remove(seat)
                        self._retire_aside(seat)
            self._sweep()
            for seat in self._seats:
                if not seat.in_use and seat.lock.acquire(blocking=False):
                    return seat
            seat = PooledSession(self._new_session())
            seat.lock.acquire()
            self._seats.append(seat)
            return seat

    def _new_session(self) -> Session:
        return new_session(
            self.isolation,
            call_timeout_sec=self.call_timeout_sec,
            memory_limit_bytes=self.memory_limit_bytes,
        )

    def _bring_up(self, seat: PooledSession) -> None:
        """Load and initialise the members that this seat does not have yet."""
        for member in self.members[len(seat.members) :]:
            done = False
            try:
                with seat.calling() as session:
                    number, _ = session.load(member.path)
                    session.init(number, member.config)
                done = True
            finally:
                if not done:
                    seat.dead = True
            seat.settle(member, number)

    def _sweep(self) -> list[WorkbenchError]:
        """End the hosts that are of no use any more, remembering what they told."""
        with self._lock:
            gone = [s for s in self._seats if s.dead and not s.in_use]
            gone = [s for s in gone if s.lock.acquire(blocking=False)]
            self._seats = [s for s in self._seats if s not in gone]
        return [error for error in map(self._retire, gone) if error is not None]

    def _retire_aside(self, seat: PooledSession) -> None:
        """End a host whose plugin does not return, without waiting for it."""
        thread = threading.Thread(target=self._retire, args=(seat,), daemon=True)
        thread.start()
        self._retiring = [t for t in self._retiring if t.is_alive()] + [thread]

    def _retire(self, seat: PooledSession) -> WorkbenchError | None:
        """End a host; give the error of a plugin that died on the way."""
        # A question of another thread may still be on its way.
        held = seat.lock.acquire(timeout=_QUESTION_SEC)
        try:
            return self._end(seat)
        finally:
            if held:
                seat.lock.release()

    def _end(self, seat: PooledSession) -> WorkbenchError | None:
        trace, log = self._history_of(seat)
        self._old_trace = (self._old_trace + trace)[-_REMEMBERED:]
        self._old_log = (self._old_log + log)[-_REMEMBERED:]
        try:
            seat.session.close()
        except WorkbenchError as error:
            return error
        except OSError:
            return None
        return None

    @staticmethod
    def _raise_first(errors: list[WorkbenchError]) -> None:
        if errors:
            raise errors[0]

    # -- what hosts tell -------------------------------------------------------------

    def _history_of(
        self, seat: PooledSession
    ) -> tuple[list[tuple[str, TraceCall]], list[tuple[str, LogLine]]]:
        """Give trace and log of a seat, by plugin name; a dead host tells less."""
        trace: list[tuple[str, TraceCall]] = []
        log: list[tuple[str, LogLine]] = []
        with contextlib.suppress(WorkbenchError, OSError, EOFError):
            trace = [(call.plugin, call) for call in seat.session.trace()]
        with contextlib.suppress(WorkbenchError, OSError, EOFError):
            log = [(line.component, line) for line in seat.session.log()]
        return trace, log

    def trace(self, name: str | None = None) -> list[TraceCall]:
        """Give the API calls made in all hosts: host by host, each oldest first."""
        told = list(self._old_trace)
        for seat in list(self._seats):
            told += self._history_of(seat)[0]
        return [call for owner, call in told if name is None or owner == name]

    def log(self) -> list[LogLine]:
        """Give the log lines of all hosts, oldest first."""
        told = list(self._old_log)
        for seat in list(self._seats):
            told += self._history_of(seat)[1]
        return sorted((line for _, line in told), key=lambda line: line.time_ns)

    def tables(self) -> StateTables:
        """Give the state tables of the host that streams, else of the first one."""
        for seat in list(self._seats):
            owner = seat.owner
            if owner is not None and not owner.closed:
                with owner.calling() as held, held.calling() as session:
                    return StateTables(session.tables(MAX_ROWS))
        with self.acquire() as seat, seat.calling() as session:
            return StateTables(session.tables(MAX_ROWS))

    # -- the end ---------------------------------------------------------------------

    def close(self) -> None:
        """End every host, open captures included (idempotent).

        Raises PluginCrashed or PluginHung, when everything is ended, if a plugin died
        while it was closed or destroyed.
        """
        with self._lock:
            if self.closed:
                return
            self.closed = True
            seats, self._seats = self._seats, []
        errors: list[WorkbenchError] = []
        for seat in seats:
            owner = seat.owner
            if owner is not None:
                try:
                    owner.close()
                except WorkbenchError as error:
                    errors.append(error)
            died = self._retire(seat)
            if died is not None:
                errors.append(died)
        for thread in self._retiring:
            thread.join()
        self._raise_first(errors)

    def __del__(self) -> None:
        if not getattr(self, "closed", True) and self._seats:
            warnings.warn(
                "a plugin was not closed: call close(), or use it in a with statement",
                ResourceWarning,
                stacklevel=2,
                source=self,
            )
            with contextlib.suppress(Exception):
                self.close()
