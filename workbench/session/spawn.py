"""Start a worker: bare Python plus the extension, its sockets, pages and pipes."""

from __future__ import annotations

import mmap
import os
import select
import signal
import socket
import subprocess
import sys
from contextlib import ExitStack, suppress
from importlib.util import find_spec
from pathlib import Path
from typing import TYPE_CHECKING

from workbench.errors import WorkbenchError
from workbench.session.private_folder import (
    make_private_folder,
    remove_private_folder,
)
from workbench.wire.shared_page import PAGE_BYTES, SharedPage

if TYPE_CHECKING:
    from workbench.session.sandbox import SandboxPlan

__all__ = ["WorkerProcess"]

# Isolated (-I) and without site (-S): nothing of the user's runs, nothing is scanned.
_BOOT = (
    "import sys; sys.path[:0] = sys.argv[7:]; "
    "from workbench.host.serve import main; main(sys.argv[1:7])"
)
_SOCKET_BUFFER_BYTES = 1 << 20
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


def _environment() -> dict[str, str] | None:
    """Return the worker's environment, None for this process's own.

    The Go SDK hands every extraction to a goroutine that spins on a core of its own.
    With two cores that core is taken from the plugin's caller, and each event costs ten
    times more than with GOMAXPROCS=1, where the SDK does without. A value of the user's
    own is left alone.
    """
    if "GOMAXPROCS" in os.environ or len(os.sched_getaffinity(0)) > _FEW_CORES:
        return None
    return {**os.environ, "GOMAXPROCS": "1"}


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
        # Of the process that the worker started beside itself; -1 for none.
        self._guard = -1
        try:
            self._start(plan)
        except BaseException:
            self._owned.close()
            raise

    def _start(self, plan: SandboxPlan | None) -> None:
        environment = _environment()
        kind = socket.SOCK_SEQPACKET | socket.SOCK_CLOEXEC
        with ExitStack() as theirs:
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
            shared_page = os.memfd_create("workbench-board", os.MFD_CLOEXEC)
            theirs.callback(os.close, shared_page)
            os.ftruncate(shared_page, PAGE_BYTES)
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
            plan_fd = -1
            if plan is not None:
                folder = make_private_folder()
                self._owned.callback(remove_private_folder, folder)
                environment = plan.environment(folder, environment or {**os.environ})
                plan_fd = os.memfd_create("workbench-plan", os.MFD_CLOEXEC)
                theirs.callback(os.close, plan_fd)
                os.write(plan_fd, plan.to_wire(folder))
                inherited.append(plan_fd)
            arguments = [*map(str, [*inherited, -1][:6]), *_import_roots()]
            try:
                self._process = subprocess.Popen(  # noqa: S603 - our own interpreter
                    [sys.executable, "-I", "-S", "-c", _BOOT, *arguments],
                    stdin=subprocess.DEVNULL,
                    stdout=subprocess.PIPE,
                    stderr=subprocess.PIPE,
                    bufsize=0,
                    pass_fds=inherited,
                    start_new_session=True,
                    close_fds=True,
                    env=environment,
                )
            except OSError as error:
                text = f"cannot start the worker process {sys.executable}: {error}"
                raise WorkbenchError(text) from error
            self._owned.callback(self._reap)
        self.pid = self._process.pid
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

    def _reap(self) -> None:
        self.kill()
        self._process.wait()

    def adopt(self, guard: int) -> None:
        """Take over the child ``guard`` that the worker made: to end and wait for."""
        with suppress(OSError):  # gone, and waited for by somebody else
            self._guard = os.pidfd_open(guard)
            self._owned.callback(os.close, self._guard)
            self._owned.callback(self._reap_guard)

    def _reap_guard(self) -> None:
        """End the guard; it would end by itself as well, but later."""
        with suppress(OSError):
            signal.pidfd_send_signal(self._guard, signal.SIGKILL)
        poller = select.poll()
        poller.register(self._guard, select.POLLIN)
        poller.poll(_GUARD_MS)
        with suppress(OSError):
            os.waitid(os.P_PIDFD, self._guard, os.WEXITED | os.WNOHANG)

    def exit_code(self, wait_sec: float = 0.0) -> int | None:
        """Return the exit status, negative for a signal; None while it runs."""
        if wait_sec:
            with suppress(subprocess.TimeoutExpired):
                return self._process.wait(wait_sec)
        return self._process.poll()

    def wait_dead(self, timeout_sec: float) -> bool:
        """Wait for its end; tell whether it came."""
        if self.death < 0:
            return self.exit_code(timeout_sec) is not None
        poller = select.poll()
        poller.register(self.death, select.POLLIN)
        return bool(poller.poll(timeout_sec * 1000)) or self.exit_code() is not None

    def resident_bytes(self) -> int:
        """Return the memory it holds, 0 when it is gone."""
        try:
            text = Path(f"/proc/{self.pid}/statm").read_text(encoding="ascii")
        except OSError:
            return 0
        return int(text.split()[1]) * mmap.PAGESIZE

    def kill(self) -> None:
        """End it at once (idempotent)."""
        if self._process.poll() is None:
            self._process.kill()

    def close(self) -> None:
        """End it and give everything back (idempotent)."""
        self._owned.close()
