"""Which plugins are loaded together, and the hosts they run in.

A :class:`Roster` remembers what was loaded (path, init config, manifest); a
:class:`Seat` is one host that has these plugins initialised. The first seat serves
everything; while it streams one source, another source or a re-extraction gets a seat
of its own, as the real engine gives every source its own plugin states. A seat whose
plugin crashed is dropped, and the next call brings up another from memory.
"""

from __future__ import annotations

import contextlib
import threading
import warnings
import weakref
from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING, Any

from workbench.config import prepare_config
from workbench.errors import PluginCrashed, PluginHung, WorkbenchError
from workbench.hosts import new_session
from workbench.registration import check_registration
from workbench.state_tables import MAX_ROWS, StateTables

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping, Sequence

    from workbench.events import Events
    from workbench.manifest import Manifest
    from workbench.session.sandbox import Sandbox, SandboxPlan, SandboxPolicy
    from workbench.worker.session import (
        ColumnRequest,
        LogLine,
        Session,
        TraceCall,
    )

__all__ = ["Member", "Roster", "Seat"]

# Calls and log lines remembered of seats that are gone.
_REMEMBERED = 2000
# How long the end of a host waits for what another thread asks of it.
_QUESTION_SEC = 2.0


@dataclass(eq=False)
class Member:
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
class Seat:
    """One host and the members that are initialised in it, in their order.

    ``numbers``: how the session knows them, in the same order.
    """

    session: Session
    members: list[Member] = field(default_factory=list)
    numbers: list[int] = field(default_factory=list)
    lock: Any = field(default_factory=threading.RLock)
    # An open capture holds the seat for longer than a call; it is not kept alive here.
    taken: bool = False
    holder_ref: Any = None
    dead: bool = False
    # The capture ended while the plugin had not returned from next_batch.
    left_waiting: bool = False
    # What its worker is bound to, None for nothing.
    plan: SandboxPlan | None = None

    @property
    def holder(self) -> Any:
        """The open capture, None when there is none or nobody has it any more."""
        return self.holder_ref() if self.holder_ref is not None else None

    def take(self, holder: Any) -> None:
        """Keep the seat for ``holder`` until it is released."""
        self.taken = holder is not None
        self.holder_ref = weakref.ref(holder) if holder is not None else None

    def index(self, member: Member) -> int:
        """Give the number that the session knows ``member`` by."""
        return self.numbers[self.members.index(member)]

    def settle(self, member: Member, number: int) -> None:
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


class Roster:
    """Plugins loaded together; every call that needs a host borrows a seat."""

    def __init__(
        self,
        *,
        isolation: str = "process",
        call_timeout_sec: float | None = None,
        memory_limit_bytes: int | None = None,
        sandbox: SandboxPolicy | None = None,
    ) -> None:
        """Remember how to make hosts; none is made before it is needed."""
        if isolation not in {"process", "none"}:
            raise ValueError(f'isolation is "process" or "none", not {isolation!r}')
        self.isolation = isolation
        self.call_timeout_sec = call_timeout_sec
        self.memory_limit_bytes = memory_limit_bytes
        self.sandbox = sandbox
        self.members: list[Member] = []
        self.closed = False
        # What the latest capture had read when it was interrupted or failed.
        self.last_events: Events | None = None
        self._seats: list[Seat] = []
        self._lock = threading.RLock()
        self._retiring: list[threading.Thread] = []
        self._old_trace: list[tuple[str, TraceCall]] = []
        self._old_log: list[tuple[str, LogLine]] = []

    # -- members ---------------------------------------------------------------------

    def add(self, path: str, config: Mapping[str, Any] | str | None) -> Member:
        """Load, check and initialise a library beside those already here.

        Raises PluginLoadError, PluginInitError, PluginCrashed or PluginHung; the
        members are then as they were.
        """
        with self.borrow(library=path) as seat:
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
            member = Member(path, text, manifest.with_open_params(params))
            seat.settle(member, number)
            self.members.append(member)
        return member

    def remove(self, member: Member) -> None:
        """Forget a member; the hosts it runs in end, those streaming when done.

        Raises PluginCrashed or PluginHung when a plugin dies while it is destroyed.
        """
        with self._lock:
            if member in self.members:
                self.members.remove(member)
            for seat in self._seats:
                if member in seat.members:
                    holder = seat.holder
                    if holder is not None and holder.member is member:
                        holder.close()
                    seat.dead = True
        self._raise_first(self._sweep())

    # -- seats -----------------------------------------------------------------------

    @contextlib.contextmanager
    def borrow(self, holder: Any = None, library: str = "") -> Iterator[Seat]:
        """Give a free seat with every member initialised, for the calls inside.

        With ``holder`` the seat stays taken until :meth:`release`. ``library``: what
        is to be loaded there besides.
        """
        seat = self._take(self.plan(library))
        try:
            with seat.lock:
                self._bring_up(seat)
                yield seat
                seat.take(holder)
        finally:
            seat.lock.release()
            self._sweep()

    @contextlib.contextmanager
    def fresh(self) -> Iterator[Seat]:
        """Give a new seat whose plugins have seen no event yet; it ends afterwards."""
        with self._lock:
            if self.closed:
                raise WorkbenchError("this was closed: load the plugin again")
            seat = self._new_seat(self.plan())
        try:
            self._bring_up(seat)
            yield seat
        finally:
            self._retire(seat)

    def release(self, seat: Seat) -> None:
        """Give back a seat that was taken with a holder."""
        seat.take(None)
        seat.left_waiting = bool(seat.session.waiting_call())
        self._sweep()

    def read_named(self, member: Member, params: str) -> None:
        """Let a sandbox read what the open params of ``member`` name.

        Raises PluginOpenError where these are the plugin's own words.
        """
        if self.sandbox is not None:
            suggested = [p.value for p in member.manifest.open_params or ()]
            self.sandbox.read_named(params, suggested=params in suggested)

    def plan(self, library: str = "") -> SandboxPlan | None:
        """Give what a worker is bound to that has the members and ``library``."""
        if self.sandbox is None:
            return None
        libraries = [m.path for m in self.members] + ([library] if library else [])
        return self.sandbox.plan(libraries)

    def _take(self, plan: SandboxPlan | None) -> Seat:
        """Give a seat that nobody uses and that may do all of ``plan``, lock held."""
        with self._lock:
            if self.closed:
                raise WorkbenchError("this was closed: load the plugin again")
            for seat in list(self._seats):
                if seat.left_waiting and not seat.taken:
                    seat.left_waiting = False
                    if seat.session.waiting_call():
                        # Not worth waiting for, neither its return nor its end.
                        self._seats.remove(seat)
                        self._retire_aside(seat)
                bound = seat.plan
                if plan and bound and not seat.taken and not bound.includes(plan):
                    # What binds a worker cannot be loosened: another takes over.
                    seat.dead = True
            self._sweep()
            for seat in self._seats:
                if seat.dead or seat.taken:
                    continue
                if seat.lock.acquire(blocking=False):
                    return seat
            seat = self._new_seat(plan)
            seat.lock.acquire()
            self._seats.append(seat)
            return seat

    def _new_seat(self, plan: SandboxPlan | None) -> Seat:
        session = new_session(
            self.isolation,
            call_timeout_sec=self.call_timeout_sec,
            memory_limit_bytes=self.memory_limit_bytes,
            plan=plan,
        )
        if self.sandbox is not None:
            self.sandbox.facts = getattr(session, "sandbox", {})
        return Seat(session, plan=plan)

    def _bring_up(self, seat: Seat) -> None:
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
            gone = [s for s in self._seats if s.dead and not s.taken]
            gone = [s for s in gone if s.lock.acquire(blocking=False)]
            self._seats = [s for s in self._seats if s not in gone]
        return [error for error in map(self._retire, gone) if error is not None]

    def _retire_aside(self, seat: Seat) -> None:
        """End a host whose plugin does not return, without waiting for it."""
        thread = threading.Thread(target=self._retire, args=(seat,), daemon=True)
        thread.start()
        self._retiring = [t for t in self._retiring if t.is_alive()] + [thread]

    def _retire(self, seat: Seat) -> WorkbenchError | None:
        """End a host; give the error of a plugin that died on the way."""
        # A question of another thread may still be on its way.
        held = seat.lock.acquire(timeout=_QUESTION_SEC)
        try:
            return self._end(seat)
        finally:
            if held:
                seat.lock.release()

    def _end(self, seat: Seat) -> WorkbenchError | None:
        trace, log = self._told(seat)
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

    def _told(
        self, seat: Seat
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
            told += self._told(seat)[0]
        return [call for owner, call in told if name is None or owner == name]

    def log(self) -> list[LogLine]:
        """Give the log lines of all hosts, oldest first."""
        told = list(self._old_log)
        for seat in list(self._seats):
            told += self._told(seat)[1]
        return sorted((line for _, line in told), key=lambda line: line.time_ns)

    def sandbox_shown(self) -> Sandbox | None:
        """Give what binds the members and what they were denied; None for nothing."""
        if self.sandbox is None:
            return None
        from workbench.session.sandbox import sandbox_shown

        return sandbox_shown(self.sandbox, self.log())

    def tables(self) -> StateTables:
        """Give the state tables of the host that streams, else of the first one."""
        for seat in list(self._seats):
            holder = seat.holder
            if holder is not None and not holder.closed:
                with holder.calling() as held, held.calling() as session:
                    return StateTables(session.tables(MAX_ROWS))
        with self.borrow() as seat, seat.calling() as session:
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
            holder = seat.holder
            if holder is not None:
                try:
                    holder.close()
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
