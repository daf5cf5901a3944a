from __future__ import annotations

import time

_PAUSE_SEC = 0.02


def wait_until(predicate, timeout_sec, what):
    """Return the first true value of ``predicate()``, asking again and again.

    Raise AssertionError saying ``what`` did not happen within ``timeout_sec`` seconds.
    The limit guards against waiting for ever: choose it generously.
    """
    limit = time.monotonic() + timeout_sec
    while not (value := predicate()):
        if time.monotonic() > limit:
            raise AssertionError(f"not within {timeout_sec} s: {what}")
        time.sleep(_PAUSE_SEC)
    return value
