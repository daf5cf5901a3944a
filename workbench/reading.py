"""Files that users name, opened without waiting: regular files only.

A pipe, a device or a file of the kernel's may block for ever, never end, or do
something when it is opened.
"""

from __future__ import annotations

import errno
import os
import stat

__all__ = ["check_regular", "open_regular", "read_regular"]

_FLAGS = os.O_RDONLY | os.O_CLOEXEC | os.O_NONBLOCK | os.O_NOCTTY
_REFUSED = "it is not a regular file; copy its content to a file first"


def _check(found: os.stat_result, path: str) -> None:
    if stat.S_ISDIR(found.st_mode):
        raise IsADirectoryError(errno.EISDIR, os.strerror(errno.EISDIR), path)
    kernel = not found.st_size and found.st_dev == _kernel_device()
    if kernel or not stat.S_ISREG(found.st_mode):
        raise OSError(errno.EINVAL, _REFUSED, path)


def _kernel_device() -> int:
    try:
        return os.stat("/proc").st_dev  # noqa: PTH116 - asked for every file
    except OSError:
        return -1


def check_regular(path: str | os.PathLike[str]) -> int:
    """Return the size of a regular file in bytes. Raises OSError for anything else."""
    name = os.fspath(path)
    if "\0" in name:
        raise OSError(errno.EINVAL, "the path holds a NUL character", name)
    found = os.stat(name)  # noqa: PTH116
    _check(found, name)
    return found.st_size


def open_regular(path: str | os.PathLike[str]) -> int:
    """Return a descriptor to read a regular file. Raises OSError for anything else."""
    check_regular(path)
    fd = os.open(path, _FLAGS)
    try:
        _check(os.fstat(fd), os.fspath(path))
    except BaseException:
        os.close(fd)
        raise
    return fd


def read_regular(path: str | os.PathLike[str], limit: int) -> bytes:
    """Return the first ``limit`` bytes of a regular file. Raises OSError."""
    with os.fdopen(open_regular(path), "rb") as stream:
        return stream.read(limit)
