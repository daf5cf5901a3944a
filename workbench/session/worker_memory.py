"""The memory that a worker and its children hold, memfds included."""

from __future__ import annotations

import os
from contextlib import suppress
from pathlib import Path
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

__all__ = ["held_bytes"]

_OWN = ("RssAnon:", "RssFile:", "VmSwap:")
_BLOCK_BYTES = 512


def _kilobytes(path: str, names: Iterable[str]) -> dict[str, int]:
    """Return what the lines of a file in /proc say, in kB; {} when it is gone."""
    try:
        lines = Path(path).read_text(encoding="utf-8", errors="replace").splitlines()
    except OSError:
        return {}
    rows = (line.split() for line in lines)
    return {row[0]: int(row[1]) for row in rows if len(row) > 1 and row[0] in names}


def _memfds(pid: int) -> dict[int, int]:
    """Return inode → bytes of the memory that a process holds by descriptor."""
    found: dict[int, int] = {}
    with suppress(OSError):
        for entry in os.scandir(f"/proc/{pid}/fd"):
            with suppress(OSError):
                if os.readlink(entry.path).startswith("/memfd:"):  # noqa: PTH115
                    facts = entry.stat()
                    found[facts.st_ino] = facts.st_blocks * _BLOCK_BYTES
    return found


def held_bytes(pids: Sequence[int], limit: int) -> int:
    """Return the bytes that processes hold together, 0 for those that are gone.

    Pages that children share with their parent count once for each, unless that makes
    more than ``limit``: then it is counted exactly, which takes longer.
    """
    memfds: dict[int, int] = {}
    own = shared = 0
    for pid in pids:
        memfds.update(_memfds(pid))
        status = _kilobytes(f"/proc/{pid}/status", (*_OWN, "RssShmem:"))
        own += sum(status.get(name, 0) for name in _OWN) * 1024
        shared += status.get("RssShmem:", 0) * 1024
    total = own + max(shared, sum(memfds.values()))
    if total <= limit or len(pids) == 1:
        return total
    own = shared = 0
    for pid in pids:
        names = ("Pss:", "Pss_Shmem:", "SwapPss:")
        exact = _kilobytes(f"/proc/{pid}/smaps_rollup", names)
        mapped = exact.get("Pss_Shmem:", 0)
        own += (exact.get("Pss:", 0) - mapped + exact.get("SwapPss:", 0)) * 1024
        shared += mapped * 1024
    return own + max(shared, sum(memfds.values()))
