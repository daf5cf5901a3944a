"""What to do when the system refuses: in the words of a person, on both sides."""

from __future__ import annotations

import errno
import os

__all__ = ["refusal_text"]

_ADVICE = {
    errno.EMFILE: "raise the limit of open files: ulimit -n 1024",
    errno.ENFILE: "the whole system has too many files open",
    errno.EFBIG: "raise the limit of file sizes, which memory counts for: ulimit -f",
    errno.EAGAIN: "raise the limit of processes and threads: ulimit -u",
    errno.ENOMEM: "free some memory, or raise its limit: ulimit -v",
    errno.ENOSPC: "no room is left for shared memory",
}


def refusal_text(error: OSError) -> str:
    """Return what the system said, and what to do about it if that is known."""
    said = error.strerror or str(error)
    if error.filename is not None:
        said = f"{said}: {os.fsdecode(error.filename)[:200]}"
    advice = _ADVICE.get(error.errno or 0, "")
    return f"{said} ({advice})" if advice else said
