"""Read a capture to its end, a limit or Ctrl-C, and lose nothing of what was read."""

from __future__ import annotations

import contextlib
from typing import TYPE_CHECKING, Any

from workbench.cli.options import FINE, INTERRUPTED
from workbench.errors import WorkbenchError

if TYPE_CHECKING:
    from collections.abc import Callable

    import pyarrow as pa

    from workbench.plugins.capture import Capture

__all__ = ["copy_capture"]


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
        for batch in capture.batches(timeout_sec=timeout_sec, idle=idle):
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
