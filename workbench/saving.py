"""Files saved whole: what was there stays until the new content is complete.

The new content is written to a file without a name, which the system forgets with the
process that wrote it; where the file system has none, to one that nobody can guess.
Both are on disk before they take the place of the old file.
"""

from __future__ import annotations

import contextlib
import errno
import os
import secrets
import signal
import stat
import threading
from pathlib import Path
from typing import TYPE_CHECKING, Any

from workbench.errors import FileError
from workbench.formatting.printable import shortened

if TYPE_CHECKING:
    from collections.abc import Iterator

__all__ = ["check_folder", "file_errors", "replacing", "save_text"]

_UNNAMED = getattr(os, "O_TMPFILE", 0)
# What open answers where files without a name are not to be had.
_NO_UNNAMED = {errno.EOPNOTSUPP, errno.EISDIR, errno.ENOENT, errno.EINVAL}


@contextlib.contextmanager
def file_errors(
    path: str | os.PathLike[str],
    doing: str,
    *,
    error_class: type[FileError] = FileError,
) -> Iterator[None]:
    """Turn an OSError inside into an error that names ``path`` and what to do.

    ``doing``: "read" or "write". ``error_class``: what to raise.
    """
    try:
        yield
    except OSError as error:
        name = os.fspath(path)
        reason = _reason(error, Path(name), doing)
        text = f"cannot {doing} {shortened(name)}: {reason}"
        raise error_class(text, path=name) from error


def check_folder(path: str | os.PathLike[str]) -> None:
    """Raise FileError when the folder of ``path`` is missing: before long work."""
    with file_errors(path, "write"):
        if not Path(path).parent.is_dir():
            raise FileNotFoundError(errno.ENOENT, os.strerror(errno.ENOENT))


def _reason(error: OSError, path: Path, doing: str) -> str:
    if doing == "write" and error.errno == errno.ENOENT and not path.parent.exists():
        folder = shortened(str(path.parent))
        return f"the folder {folder} does not exist; create it first"
    if doing == "write" and error.errno == errno.ENOSPC:
        return "no space left on the device; the old content is kept"
    return error.strerror or str(error)


@contextlib.contextmanager
def replacing(path: str | os.PathLike[str]) -> Iterator[Path]:
    """Yield a path to write; on success its content takes the place of ``path``.

    On failure, also on SIGTERM, ``path`` is as it was and nothing else is left. The
    mode of an old file is kept; of a symbolic link the target is replaced. Pipes and
    devices are written directly. Raises OSError; see :func:`file_errors`.
    """
    if "\0" in os.fspath(path):
        raise OSError(errno.EINVAL, "the path holds a NUL character", str(path))
    target = Path(os.path.realpath(path))
    mode = None
    with contextlib.suppress(FileNotFoundError):
        found = target.stat().st_mode
        if stat.S_ISDIR(found):
            raise IsADirectoryError(errno.EISDIR, os.strerror(errno.EISDIR), str(path))
        if not stat.S_ISREG(found):
            yield Path(path)
            return
        mode = stat.S_IMODE(found)
    with _unnamed(target.parent) as fd:
        if fd is not None:
            draft = Path(f"/proc/self/fd/{fd}")
            yield draft
            _finish(fd, mode)
            with _named(target) as name:
                # With a descriptor, Python asks for the link to be followed.
                os.link(draft, name, src_dir_fd=fd, follow_symlinks=True)
                name.replace(target)
        else:
            with _named(target) as name:
                created = os.open(name, _CREATE, 0o666)
                try:
                    yield name
                    _finish(created, mode)
                finally:
                    os.close(created)
                name.replace(target)
    _sync_folder(target.parent)


_CREATE = os.O_RDWR | os.O_CREAT | os.O_EXCL | os.O_NOFOLLOW | os.O_CLOEXEC


@contextlib.contextmanager
def _unnamed(folder: Path) -> Iterator[int | None]:
    """Yield a new file without a name in ``folder``, None where there is none."""
    fd = None
    if _UNNAMED and os.path.exists("/proc/self/fd"):  # noqa: PTH110 - not a file of ours
        try:
            fd = os.open(folder, _UNNAMED | os.O_RDWR | os.O_CLOEXEC, 0o666)
        except OSError as error:
            if error.errno not in _NO_UNNAMED:
                raise
    try:
        yield fd
    finally:
        if fd is not None:
            os.close(fd)


@contextlib.contextmanager
def _named(target: Path) -> Iterator[Path]:
    """Yield a name beside ``target`` that nobody can guess; remove it afterwards."""
    name = target.with_name(f".{secrets.token_hex(16)}.part")

    def leave(number: int, _frame: Any) -> None:
        name.unlink(missing_ok=True)
        signal.signal(number, signal.SIG_DFL)
        os.kill(os.getpid(), number)

    main = threading.current_thread() is threading.main_thread()
    ours = main and signal.getsignal(signal.SIGTERM) == signal.SIG_DFL
    if ours:
        signal.signal(signal.SIGTERM, leave)
    try:
        yield name
    finally:
        if ours:
            signal.signal(signal.SIGTERM, signal.SIG_DFL)
        name.unlink(missing_ok=True)


def _finish(fd: int, mode: int | None) -> None:
    """Bring a draft to the disk, with the mode of the file it replaces."""
    if mode is not None:
        os.fchmod(fd, mode)
    os.fsync(fd)


def _sync_folder(folder: Path) -> None:
    """Bring the new name to the disk; not every file system lets us."""
    with contextlib.suppress(OSError):
        fd = os.open(folder, os.O_RDONLY | os.O_DIRECTORY | os.O_CLOEXEC)
        try:
            os.fsync(fd)
        finally:
            os.close(fd)


def save_text(path: str | os.PathLike[str], text: str) -> Path:
    """Write ``text`` as UTF-8 (surrogate escapes as their bytes); return the path.

    Raises FileError when that fails; the old content is then as it was.
    """
    raw = text.encode("utf-8", "surrogateescape")
    with file_errors(path, "write"), replacing(path) as draft:
        draft.write_bytes(raw)
    return Path(path)
