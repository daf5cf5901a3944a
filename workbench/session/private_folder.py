"""A folder of a plugin's own: made for one worker, removed with all that is in it."""

from __future__ import annotations

import math
import os
import stat
import tempfile
import threading
import time
from contextlib import suppress

__all__ = ["make_private_folder", "remove_private_folder"]

# How long a removal keeps its caller waiting; the rest is done aside.
_REMOVE_SEC = 2.0
_FOLDER = os.O_RDONLY | os.O_DIRECTORY | os.O_NOFOLLOW | os.O_CLOEXEC


def make_private_folder() -> str:
    """Make an empty folder that only this user may enter; give its canonical path."""
    return os.path.realpath(tempfile.mkdtemp(prefix="workbench-sandbox-"))


def remove_private_folder(path: str) -> None:
    """Remove the folder, whatever a plugin made in it; what takes long, in a thread.

    Links are not followed. However deep folders lie in each other, it takes one
    descriptor: the way up is checked against the way down.
    """
    if not _remove(path, time.monotonic() + _REMOVE_SEC):
        forever = (path, math.inf)
        threading.Thread(target=_remove, args=forever, daemon=True).start()


def _remove(path: str, deadline: float) -> bool:
    """Remove the folder; False when there was no time for all of it."""
    with suppress(OSError):
        if not _empty(path, deadline):
            return False
        os.rmdir(path)  # noqa: PTH106
    return True


class _Level:
    """A folder on the way down: its name in the one above, and what is left in it."""

    def __init__(self, name: str, folder: int) -> None:
        self.name = name
        self.identity = _identity(folder)
        self.left = os.listdir(folder)


def _identity(folder: int) -> tuple[int, int]:
    facts = os.fstat(folder)
    return facts.st_dev, facts.st_ino


def _empty(path: str, deadline: float) -> bool:
    """Remove all that is in a folder; False when there was no time for all of it."""
    folder = os.open(path, _FOLDER)
    try:
        levels = [_Level("", folder)]
        while time.monotonic() < deadline:
            level = levels[-1]
            if level.left:
                name = level.left.pop()
                if stat.S_ISDIR(os.lstat(name, dir_fd=folder).st_mode):
                    folder = _move(folder, name)
                    levels.append(_Level(name, folder))
                else:
                    os.unlink(name, dir_fd=folder)
                continue
            levels.pop()
            if not levels:
                return True
            folder = _move(folder, "..")
            if _identity(folder) != levels[-1].identity:
                return True  # somebody moves it about: leave it
            os.rmdir(level.name, dir_fd=folder)
        return False
    finally:
        os.close(folder)


def _move(folder: int, name: str) -> int:
    """Return a descriptor of the folder ``name`` for that of the folder it is in."""
    try:
        there = os.open(name, _FOLDER, dir_fd=folder)
    except PermissionError:
        os.chmod(name, stat.S_IRWXU, dir_fd=folder)
        there = os.open(name, _FOLDER, dir_fd=folder)
    os.close(folder)
    return there
