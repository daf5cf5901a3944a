"""Ctrl-C at a safe moment: what was received is never half-kept."""

from __future__ import annotations

import signal
import threading
from contextlib import contextmanager
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Iterator

__all__ = ["undisturbed"]


@contextmanager
def undisturbed() -> Iterator[None]:
    """Put off SIGINT until the end of the block; only for short blocks.

    Does nothing outside of the main thread, where Python delivers no signals, and where
    SIGINT is not Python's.
    """
    main = threading.current_thread() is threading.main_thread()
    if not main or signal.getsignal(signal.SIGINT) is None:
        yield
        return
    noted: list[Any] = []
    before = signal.signal(signal.SIGINT, lambda *args: noted.append(args))
    try:
        yield
    finally:
        signal.signal(signal.SIGINT, before)
        if noted:
            if callable(before):
                before(*noted[-1])
            elif before == signal.SIG_DFL:
                raise KeyboardInterrupt
