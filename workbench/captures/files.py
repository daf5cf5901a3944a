"""Files under capture formats: gzip in members, lenient reading."""

from __future__ import annotations

import contextlib
import os
import stat
import zlib
from typing import Final

from workbench import saving
from workbench.errors import CaptureFileError
from workbench.reading import open_regular

__all__ = ["ByteSink", "ByteSource", "file_errors"]

_GZIP_MAGIC: Final = b"\x1f\x8b"
_MEMBER_BYTES: Final = 1 << 20
_READ_BYTES: Final = 1 << 20
_FIRST_BYTES: Final = 512


def file_errors(
    path: str | os.PathLike[str], doing: str
) -> contextlib.AbstractContextManager[None]:
    """Turn OSError into CaptureFileError; ``doing``: "read" or "write"."""
    return saving.file_errors(path, doing, error_class=CaptureFileError)


class ByteSink:
    """An unbuffered file, optionally gzip; what was flushed is whole.

    gzip data is written as complete members, so that a file is readable up to its last
    flush whatever happens to the writer.
    """

    def __init__(self, path: str | os.PathLike[str], *, compress: bool) -> None:
        """Create or truncate the file."""
        flags = os.O_WRONLY | os.O_CREAT | os.O_TRUNC | os.O_CLOEXEC
        self._fd = os.open(path, flags, 0o666)
        self._regular = stat.S_ISREG(os.fstat(self._fd).st_mode)
        self._compress = compress
        self._pending = bytearray()
        self._whole = 0
        self.bytes_in = 0

    def write(self, data: bytes | memoryview) -> None:
        """Append ``data``; uncompressed data reaches the system before returning."""
        self.bytes_in += len(data)
        if not self._compress:
            self._put(data)
            return
        self._pending += data
        if len(self._pending) >= _MEMBER_BYTES:
            self.flush()

    def flush(self) -> None:
        """Hand everything to the system."""
        if self._pending:
            packer = zlib.compressobj(level=6, wbits=31)
            member = packer.compress(self._pending) + packer.flush()
            self._put(member)
            self._pending.clear()

    def _put(self, data: bytes | memoryview) -> None:
        rest = memoryview(data)
        try:
            while rest:
                rest = rest[os.write(self._fd, rest) :]
        except BaseException:
            # An interrupted or failed write must not leave half a block behind.
            if self._regular:
                with contextlib.suppress(OSError):
                    os.ftruncate(self._fd, self._whole)
                    os.lseek(self._fd, self._whole, os.SEEK_SET)
            raise
        self._whole += len(data)

    @property
    def bytes_out(self) -> int:
        """Count the bytes in the file."""
        return self._whole

    def close(self) -> None:
        """Flush and close (idempotent)."""
        if self._fd >= 0:
            try:
                self.flush()
            finally:
                fd, self._fd = self._fd, -1
                os.close(fd)


class ByteSource:
    """Reads plain and gzip files alike; cut gzip data just ends, with ``cut`` set."""

    def __init__(self, path: str | os.PathLike[str]) -> None:
        """Open the file and look at its first bytes."""
        self._fd = open_regular(path)
        self._head = b""
        self.cut: str | None = None
        self._unpacker: zlib._Decompress | None = None
        # What is not unpacked yet begins at _at. A member that begins is fed little
        # at a time, or the many members of a file would be copied for each of them.
        self._packed, self._at, self._step = b"", 0, _FIRST_BYTES
        try:
            while len(self._head) < 2 and (more := os.read(self._fd, 2)):
                self._head += more
        except BaseException:
            os.close(self._fd)
            raise
        self.gzip = self._head[:2] == _GZIP_MAGIC
        if self.gzip:
            self._unpacker = zlib.decompressobj(wbits=31)
            self._packed, self._head = self._head, b""

    def readinto(self, target: memoryview) -> int:
        """Fill the front of ``target``; 0 at the end."""
        if self.gzip:
            # Also behind its end: a writer may have added a member meanwhile.
            return self._unpack(target)
        if self._head:
            head, self._head = self._head[: len(target)], self._head[len(target) :]
            target[: len(head)] = head
            return len(head)
        return os.readv(self._fd, [target])

    def _unpack(self, target: memoryview) -> int:
        while self._unpacker is not None:
            if self._at >= len(self._packed):
                self._packed, self._at = os.read(self._fd, _READ_BYTES), 0
                if not self._packed:
                    self.cut = "the gzip data ends before its end mark"
                    self._unpacker = None
                    break
            piece = memoryview(self._packed)[self._at : self._at + self._step]
            try:
                data = self._unpacker.decompress(piece, len(target))
            except zlib.error as error:
                self.cut = f"the gzip data is damaged ({error})"
                self._unpacker = None
                break
            unread = len(self._unpacker.unconsumed_tail)
            self._at += len(piece) - unread - len(self._unpacker.unused_data)
            self._step = min(4 * self._step, _READ_BYTES)
            if self._unpacker.eof:
                self._next_member()
            if data:
                target[: len(data)] = data
                return len(data)
        return 0

    def _next_member(self) -> None:
        """Go on with a joined gzip member; anything else after one is ignored."""
        while len(self._packed) - self._at < 2 and (
            more := os.read(self._fd, _READ_BYTES)
        ):
            self._packed, self._at = self._packed[self._at :] + more, 0
        joined = self._packed.startswith(_GZIP_MAGIC, self._at)
        self._unpacker = zlib.decompressobj(wbits=31) if joined else None
        self._step = _FIRST_BYTES

    def close(self) -> None:
        """Close the file (idempotent)."""
        if self._fd >= 0:
            fd, self._fd = self._fd, -1
            os.close(fd)
