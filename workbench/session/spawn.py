"""Start a worker: bare Python plus the extension, its sockets, pages and pipes."""

from __future__ import annotations

import fcntl
import mmap
import os
import secrets
import select
import signal
import socket
import subprocess
import sys
import time
from contextlib import ExitStack, suppress
from importlib.util import find_spec
from pathlib import Path
from typing import TYPE_CHECKING

from workbench.errors import WorkbenchError
from workbench.session.interrupts import deferring, undisturbed
from workbench.session.lasting_thread import run_in_lasting_thread
from workbench.session.private_folder import (
    make_private_folder,
    remove_private_folder,
)
from workbench.session.process_tree import ProcessTree, process_state
from workbench.session.worker_memory import held_bytes
from workbench.wire.limits import refusal_text
from workbench.wire.shared_page import PAGE_BYTES, SharedPage

if TYPE_CHECKING:
    from collections.abc import Sequence

    from workbench.session.sandbox import SandboxPlan

__all__ = ["WorkerProcess"]

# Isolated (-I) and without site (-S): nothing of the user's runs, nothing is scanned.
_BOOT = (
    "import sys; sys.path[:0] = sys.argv[8:]; "
    "from workbench.host.serve import main; main(sys.argv[1:8])"
)
_SOCKET_BUFFER_BYTES = 1 << 20
# In the environment of a worker and of all its children, wherever they go.
_MARK = "WORKBENCH_WORKER"
# How long an ended process may take to go; a debugger can hold it for ever.
_REAP_SEC = 5.0
_AT_ONCE_SEC = 0.2
_LAST_STANDARD = 2
# A process that is killed may still be in a file system that does not answer.
_GUARD_MS = 1000


def _import_roots() -> list[str]:
    """Return the folders that the worker must import from: ours, and cffi's backend."""
    roots = [str(Path(__file__).resolve().parents[2])]
    backend = find_spec("_cffi_backend")
    if backend is not None and backend.origin not in (None, "built-in"):
        folder = str(Path(str(backend.origin)).parent)
        if folder not in roots:
            roots.append(folder)
    return roots


# Up to so many cores, Go plugins are told to run on one; see _environment.
_FEW_CORES = 2


def _environment() -> dict[str, str]:
    """Return the worker's environment.

    The Go SDK hands every extraction to a goroutine that spins on a core of its own.
    With two cores that core is taken from the plugin's caller, and each event costs ten
    times more than with GOMAXPROCS=1, where the SDK does without. A value of the user's
    own is left alone.
    """
    environment = dict(os.environ)
    if len(os.sched_getaffinity(0)) <= _FEW_CORES:
        environment.setdefault("GOMAXPROCS", "1")
    return environment


def _make_page() -> int:
    """Return a shared page that nobody can cut off under its readers."""
    page = os.memfd_create("workbench-page", os.MFD_CLOEXEC | os.MFD_ALLOW_SEALING)
    os.ftruncate(page, PAGE_BYTES)
    fixed = fcntl.F_SEAL_SHRINK | fcntl.F_SEAL_GROW | fcntl.F_SEAL_SEAL
    fcntl.fcntl(page, fcntl.F_ADD_SEALS, fixed)
    return page


def _fill_standard(held: ExitStack) -> None:
    """Hold the numbers 0 to 2 where they are free: a worker's own go there."""
    while (null := os.open(os.devnull, os.O_RDWR | os.O_CLOEXEC)) <= _LAST_STANDARD:
        held.callback(os.close, null)
    os.close(null)


class WorkerProcess:
    """A running worker and our ends of everything it shares with us.

    ``control``, ``data``, ``log``: sockets. ``stdout``, ``stderr``: descriptors of
    pipes. ``shared_page``: the page both sides see. ``death``: a descriptor readable
    when the process ended, or -1 where the system has none.
    """

    def __init__(self, plan: SandboxPlan | None = None) -> None:
        """Start the process. Raises WorkbenchError when that fails.

        ``plan``: what it is to bind itself to before it loads anything.
        """
        if sys.platform != "linux":
            text = f"plugins run on Linux only; this is {sys.platform}"
            raise WorkbenchError(text)
        self._owned = ExitStack()
        self._owner = os.getpid()
        # Descriptors that came from it, to close with it at the latest.
        self._kept: set[int] = set()
        # Of the process that the worker started beside itself; -1 for none.
        self._guard = -1
        with undisturbed():
            try:
                self._start(plan)
            except OSError as error:
                self._owned.close()
                text = f"cannot start a worker process: {refusal_text(error)}"
                raise WorkbenchError(text) from error
            except BaseException:
                self._owned.close()
                raise

    def _start(self, plan: SandboxPlan | None) -> None:
        kind = socket.SOCK_SEQPACKET | socket.SOCK_CLOEXEC
        with ExitStack() as theirs:
            _fill_standard(theirs)
            self.control, control = socket.socketpair(socket.AF_UNIX, kind)
            self._owned.callback(self.control.close)
            theirs.callback(control.close)
            self.data, data = socket.socketpair(socket.AF_UNIX, kind)
            self._owned.callback(self.data.close)
            theirs.callback(data.close)
            self.log, log = socket.socketpair(socket.AF_UNIX, kind)
            self._owned.callback(self.log.close)
            theirs.callback(log.close)
            for ours in (self.data, self.log):
                ours.setblocking(False)
            for end in (control, data, log, self.control):
                with suppress(OSError):
                    end.setsockopt(
                        socket.SOL_SOCKET, socket.SO_SNDBUF, _SOCKET_BUFFER_BYTES
                    )
            shared_page = _make_page()
            theirs.callback(os.close, shared_page)
            self._page = mmap.mmap(shared_page, PAGE_BYTES)
            self.shared_page = SharedPage(self._page)
            self.crash_text = os.memfd_create("workbench-crash", os.MFD_CLOEXEC)
            self._owned.callback(os.close, self.crash_text)
            inherited = [
                control.fileno(),
                data.fileno(),
                log.fileno(),
                shared_page,
                self.crash_text,
            ]
            environment = _environment()
            if plan is None:
                plan_fd = -1
            else:
                folder = make_private_folder()
                self._owned.callback(self._remove_folder, folder)
                environment = plan.environment(folder, environment)
                plan_fd = os.memfd_create("workbench-plan", os.MFD_CLOEXEC)
                theirs.callback(os.close, plan_fd)
                os.write(plan_fd, plan.to_wire(folder))
            mark = secrets.token_hex(16)
            environment[_MARK] = mark
            self._process = run_in_lasting_thread(
                lambda: _popen(inherited, plan_fd, environment)
            )
            self._owned.callback(self._reap)
        self.pid = self._process.pid
        self._exit_code: int | None = None
        self._tree = ProcessTree(self.pid, f"{_MARK}={mark}".encode())
        assert self._process.stdout is not None  # noqa: S101 - PIPE was asked for
        assert self._process.stderr is not None  # noqa: S101 - PIPE was asked for
        self._owned.callback(self._process.stdout.close)
        self._owned.callback(self._process.stderr.close)
        self.stdout = self._process.stdout.fileno()
        self.stderr = self._process.stderr.fileno()
        self.death = -1
        with suppress(OSError):  # not everywhere: the sockets tell as well
            self.death = os.pidfd_open(self.pid)
            self._owned.callback(os.close, self.death)

    @property
    def inherited(self) -> bool:
        """Whether this process is a fork of the one that the worker belongs to."""
        return os.getpid() != self._owner

    def _remove_folder(self, folder: str) -> None:
        if not self.inherited:
            remove_private_folder(folder)

    def _reap(self) -> None:
        """End it with all its children and collect it; never wait long."""
        if self.inherited:
            self._process.poll()  # says that there is no such child
            return
        self.kill()
        # While it was not collected, its number is nobody else's.
        self._tree.end(by_session=self._uncollected())
        with suppress(subprocess.TimeoutExpired):
            self._process.wait(_REAP_SEC)

    def _uncollected(self) -> bool:
        try:
            os.waitid(os.P_PID, self.pid, os.WEXITED | os.WNOHANG | os.WNOWAIT)
        except OSError:
            return False
        return True

    def adopt(self, guard: int) -> None:
        """Take over the child ``guard`` that the worker made: to end and wait for."""
        with suppress(OSError):  # gone, and waited for by somebody else
            self._guard = os.pidfd_open(guard)
            self._owned.callback(os.close, self._guard)
            self._owned.callback(self._reap_guard)

    def _reap_guard(self) -> None:
        """End the guard; it would end by itself as well, but later."""
        if self.inherited:
            return
        with suppress(OSError):
            signal.pidfd_send_signal(self._guard, signal.SIGKILL)
        poller = select.poll()
        poller.register(self._guard, select.POLLIN)
        poller.poll(_GUARD_MS)
        with suppress(OSError):
            os.waitid(os.P_PIDFD, self._guard, os.WEXITED | os.WNOHANG)

    def exit_code(self, wait_sec: float = 0.0) -> int | None:
        """Return the exit status, negative for a signal; None while it runs.

        It is collected in :meth:`close`: until then its session is known by its number.
        """
        deadline = time.monotonic() + wait_sec
        while self._exit_code is None:
            try:
                told = os.waitid(
                    os.P_PID, self.pid, os.WEXITED | os.WNOHANG | os.WNOWAIT
                )
            except ChildProcessError:
                self._exit_code = 0  # somebody else collected it
                break
            if told is not None:
                ended = told.si_code == os.CLD_EXITED
                self._exit_code = told.si_status if ended else -told.si_status
                break
            if (left := deadline - time.monotonic()) <= 0:
                break
            self._wait_a_bit(min(left, 0.05))
        return self._exit_code

    def _wait_a_bit(self, timeout_sec: float) -> None:
        poller = select.poll()
        if self.death >= 0:
            poller.register(self.death, select.POLLIN)
        if poller.poll(timeout_sec * 1000) and self._exit_code is None:
            time.sleep(0.0005)  # its status follows at once

    def wait_dead(self, timeout_sec: float) -> bool:
        """Wait for its end; return whether it came."""
        return self.exit_code(timeout_sec) is not None

    def stopped(self) -> bool:
        """Whether it is stopped, by a signal or by a debugger."""
        return process_state(self.pid) in ("T", "t")

    def held_bytes(self, limit: int) -> int:
        """Return the memory it and its children hold; exact beyond ``limit``."""
        return held_bytes([self.pid, *self._tree.below()], limit)

    @deferring
    def kill(self) -> None:
        """End it at once, and the children that hang below it (idempotent)."""
        if self.inherited or self.exit_code() is not None:
            return
        children = self._tree.below()
        with suppress(ProcessLookupError):
            os.kill(self.pid, signal.SIGKILL)
        if children or self.exit_code(_AT_ONCE_SEC) is None:
            # One of them may hold it with ptrace.
            self._tree.end(by_session=True)

    def keep(self, fd: int) -> None:
        """Own a descriptor until :meth:`drop` or the end."""
        self._kept.add(fd)

    def drop(self, fd: int) -> None:
        """Close a descriptor that was kept (idempotent)."""
        if fd in self._kept:
            self._kept.discard(fd)
            os.close(fd)

    def close(self) -> None:
        """End it and give everything back (idempotent)."""
        with undisturbed():
            for fd in list(self._kept):
                self.drop(fd)
            self._owned.close()


def _popen(
    inherited: Sequence[int], plan_fd: int, environment: dict[str, str]
) -> subprocess.Popen[bytes]:
    numbers = (*inherited, plan_fd, os.getpid())
    arguments = [*map(str, numbers), *_import_roots()]
    try:
        return subprocess.Popen(  # noqa: S603 - our own interpreter
            [sys.executable, "-I", "-S", "-c", _BOOT, *arguments],
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            bufsize=0,
            pass_fds=[fd for fd in (*inherited, plan_fd) if fd >= 0],
            start_new_session=True,
            close_fds=True,
            env=environment,
        )
    except OSError as error:
        said = refusal_text(error)
        text = f"cannot start the worker process {sys.executable}: {said}"
        raise WorkbenchError(text) from error
