"""Memory that the worker sent as a descriptor: checked, then mapped or copied.

Only what is sealed against every change is mapped. Anything else is copied once and
used from the copy, so that what was checked is what is used, and a file that shrinks
meanwhile is a short read instead of a SIGBUS.
"""

from __future__ import annotations

import fcntl
import mmap
import os
import stat
from contextlib import suppress
from typing import TYPE_CHECKING, Any

from workbench.lazy import lazy_module
from workbench.session.shapes import InvalidDataError
from workbench.wire.messages import SEALED

if TYPE_CHECKING:
    import pyarrow as pa
else:
    pa = lazy_module("pyarrow")

__all__ = ["ArenaMemory", "map_memory", "read_memory"]

# Memory below this size is copied: mappings are a bounded resource.
_COPY_BELOW_BYTES = 256 << 10
_PIECE_BYTES = 64 << 20
# More than this much of a dead builder is not looked at.
_LARGEST_RESCUE = 1 << 30


def _seals_and_size(fd: int) -> tuple[int, int]:
    """Return seals and bytes of a memfd; nothing else is ever read."""
    facts = os.fstat(fd)
    if not stat.S_ISREG(facts.st_mode):
        raise InvalidDataError("a descriptor that is not memory")
    try:
        seals = fcntl.fcntl(fd, fcntl.F_GET_SEALS)
    except OSError:
        # A file on a disk or a network can make a reader wait for ever.
        raise InvalidDataError("a descriptor that is not memory") from None
    return seals, facts.st_size


def _copy(fd: int, size: int, offset: int = 0) -> bytes:
    """Return exactly ``size`` bytes; the memory may shrink while it is read."""
    if size <= _PIECE_BYTES:
        data = os.pread(fd, size, offset)
    else:
        pieces = []
        for at in range(0, size, _PIECE_BYTES):
            wanted = min(_PIECE_BYTES, size - at)
            pieces.append(os.pread(fd, wanted, offset + at))
            if len(pieces[-1]) != wanted:
                break
        data = b"".join(pieces)
    if len(data) != size:
        raise InvalidDataError(f"{len(data)} bytes where it announced {size}")
    return data


def _checked_size(size: int, there: int, limit: int) -> int:
    wanted = there if size < 0 else size
    if wanted > there:
        raise InvalidDataError(f"{there} bytes where it announced {wanted}")
    if wanted > limit:
        raise InvalidDataError(f"{wanted:,} bytes, over the limit of {limit:,}")
    return wanted


def read_memory(fd: int, limit: int) -> bytes:
    """Return a copy of a memfd of at most ``limit`` bytes; raise InvalidDataError."""
    _, there = _seals_and_size(fd)
    return _copy(fd, _checked_size(-1, there, limit))


def map_memory(fd: int, limit: int, size: int = -1) -> Any:
    """Return the first ``size`` bytes of a memfd as an Arrow buffer, -1 for all.

    Raises InvalidDataError for what is not memory, shorter than ``size`` or larger than
    ``limit`` bytes.
    """
    seals, there = _seals_and_size(fd)
    wanted = _checked_size(size, there, limit)
    if wanted >= _COPY_BELOW_BYTES and seals & SEALED == SEALED:
        # Not populated: mapping a page costs a third of writing it, and columns that
        # nobody looks at never need theirs. Private, since older kernels refuse to
        # share what is sealed; nobody writes, so no page is copied.
        with suppress(OSError):
            return pa.py_buffer(
                mmap.mmap(fd, wanted, flags=mmap.MAP_PRIVATE, prot=mmap.PROT_READ)
            )
    return pa.py_buffer(_copy(fd, wanted))


class ArenaMemory:
    """A dead worker's builder, read piece by piece, each piece once and copied.

    Looks like a pyarrow Buffer to :class:`~workbench.session.chunk_reader.ChunkReader`.
    Children of the worker may still write into it: a piece never changes once read.
    """

    def __init__(self, fd: int) -> None:
        """Look at ``fd``; raise InvalidDataError when it is not memory."""
        self._fd = fd
        self.size = _seals_and_size(fd)[1]
        # What the builder holds; the rest of it is a hole without memory.
        held = os.fstat(fd).st_blocks * 512
        self._left = min(held + (1 << 20), _LARGEST_RESCUE)

    def slice(self, offset: int, size: int) -> Any:
        """Return a copy of a piece; raise InvalidDataError when there is too much."""
        if size > self._left:
            raise InvalidDataError("more rows than its memory holds")
        self._left -= size
        return pa.py_buffer(_copy(self._fd, size, offset))
