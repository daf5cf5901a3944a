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
    """Put off SIGINT, and SIGTERM where Python handles it, until the end of the block.

    Only for short blocks. Does nothing outside of the main thread, where Python
    delivers no signals, and where SIGINT is not Python's.
    """
    main = threading.current_thread() is threading.main_thread()
    if not main or signal.getsignal(signal.SIGINT) is None:
        yield
        return
    noted: list[Any] = []
    numbers = [signal.SIGINT]
    if callable(signal.getsignal(signal.SIGTERM)):
        numbers.append(signal.SIGTERM)
    before = {
        number: signal.signal(number, lambda *args: noted.append(args))
        for number in numbers
    }
    try:
        yield
    finally:
        for number, handler in before.items():
            signal.signal(number, handler)
        if noted:
            handler = before[noted[-1][0]]
            if callable(handler):
                handler(*noted[-1])
            elif handler == signal.SIG_DFL:
                raise KeyboardInterrupt
