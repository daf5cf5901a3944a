"""Read a capture to its end, a limit or Ctrl-C, and lose nothing of what was read."""

from __future__ import annotations

import contextlib
import time
from typing import TYPE_CHECKING, Any

from workbench.cli.options import FINE, INTERRUPTED
from workbench.errors import WorkbenchError

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    import pyarrow as pa

    from workbench.plugins.capture import Capture

__all__ = ["copy_capture"]

_WAIT_SEC = 0.1


def _batches(
    capture: Capture, timeout_sec: float | None, idle: Callable[[], Any] | None
) -> Iterator[pa.RecordBatch]:
    """Yield record batches until the end or the time limit."""
    limit = None if timeout_sec is None else time.monotonic() + timeout_sec
    while capture.end_reason is None:
        wait = _WAIT_SEC
        if limit is not None:
            wait = min(wait, limit - time.monotonic())
            if wait <= 0:
                yield from capture.drain()
                return
        batch = capture.read(wait)
        if batch is not None:
            yield batch
        elif idle is not None:
            idle()
    # The error that ended the stream, after its rows.
    capture.read()


def copy_capture(
    capture: Capture,
    write: Callable[[pa.RecordBatch], Any],
    close: Callable[[], Any],
    *,
    timeout_sec: float | None = None,
    idle: Callable[[], Any] | None = None,
) -> int:
    """Hand every record batch to ``write``, then call ``close`` whatever happened.

    ``idle``: called while nothing comes. Returns the exit status: FINE, or INTERRUPTED
    after Ctrl-C. Raises what ended the capture, after ``close``.
    """
    status = FINE
    try:
        for batch in _batches(capture, timeout_sec, idle):
            write(batch)
    except KeyboardInterrupt:
        for batch in capture.drain():
            write(batch)
        status = INTERRUPTED
    except WorkbenchError:
        close()
        raise
    except BaseException:
        with contextlib.suppress(OSError, WorkbenchError):
            close()
        raise
    close()
    return status
