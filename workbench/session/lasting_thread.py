"""A thread that lives as long as this process: workers are started from it.

A worker asks the kernel to be ended with its parent, and the kernel means the thread
that forked. Started from a helper thread, a worker would end with that thread.
"""

from __future__ import annotations

import os
import threading
from queue import SimpleQueue
from typing import TYPE_CHECKING, Any, TypeVar

from workbench.session.forks import renew_in_forks
from workbench.session.interrupts import undisturbed

if TYPE_CHECKING:
    from collections.abc import Callable

__all__ = ["run_in_lasting_thread"]

T = TypeVar("T")


class _Task:
    """One function to run, and how it went."""

    def __init__(self, function: Callable[[], Any]) -> None:
        self.function = function
        self.done = threading.Event()
        self.result: Any = None
        self.error: BaseException | None = None

    def run(self) -> None:
        try:
            self.result = self.function()
        except BaseException as error:  # noqa: BLE001 - raised where it was asked for
            self.error = error
        self.done.set()


class _Runner:
    """The thread of one process, started on first use; a forked child has its own."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._tasks: SimpleQueue[_Task] = SimpleQueue()
        self._process = 0
        renew_in_forks(self)

    def renew_locks(self) -> None:
        """Forget in a fork who held the lock."""
        self._lock = threading.Lock()

    def put(self, task: _Task) -> None:
        with self._lock:
            if self._process != os.getpid():
                self._tasks = SimpleQueue()
                threading.Thread(
                    target=self._run,
                    args=(self._tasks,),
                    name="workbench-start",
                    daemon=True,
                ).start()
                self._process = os.getpid()
        self._tasks.put(task)

    @staticmethod
    def _run(tasks: SimpleQueue[_Task]) -> None:
        while True:
            tasks.get().run()


_runner = _Runner()


def run_in_lasting_thread(function: Callable[[], T]) -> T:
    """Return what ``function`` returns in a thread that ends with this process.

    Ctrl-C waits until it has returned: only for functions that return soon.
    """
    task = _Task(function)
    with undisturbed():
        _runner.put(task)
        task.done.wait()
    if task.error is not None:
        raise task.error
    result: T = task.result
    return result
