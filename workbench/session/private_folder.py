"""A folder of a plugin's own: made for one worker, removed with all that is in it."""

from __future__ import annotations

import os
import stat
import tempfile
import time
from contextlib import suppress

__all__ = ["make_private_folder", "remove_private_folder"]

# Longest time that the removal may take; what is left then is the system's to tidy.
_REMOVE_SEC = 5.0


def make_private_folder() -> str:
    """Make an empty folder that only this user may enter; give its canonical path."""
    return os.path.realpath(tempfile.mkdtemp(prefix="workbench-sandbox-"))


def remove_private_folder(path: str) -> None:
    """Remove the folder, whatever a plugin made in it; bounded in time.

    Links are not followed. Folders inside folders are moved up before they are removed,
    so that their depth costs neither stack nor descriptors.
    """
    deadline = time.monotonic() + _REMOVE_SEC
    with suppress(OSError):
        top = os.open(path, os.O_RDONLY | os.O_DIRECTORY | os.O_NOFOLLOW | os.O_CLOEXEC)
        try:
            moved = 0
            while time.monotonic() < deadline:
                names = os.listdir(top)
                if not names:
                    break
                for name in names:
                    moved = _remove(top, name, moved, deadline)
        finally:
            os.close(top)
        os.rmdir(path)  # noqa: PTH106


def _remove(top: int, name: str, moved: int, deadline: float) -> int:
    """Remove one entry of ``top``; give how many folders were moved into it so far."""
    if not stat.S_ISDIR(os.lstat(name, dir_fd=top).st_mode):
        os.unlink(name, dir_fd=top)
        return moved
    folder = _open_folder(top, name)
    try:
        for entry in os.scandir(folder):
            if time.monotonic() > deadline:
                return moved
            if entry.is_dir(follow_symlinks=False):
                moved += 1
                _move_up(folder, entry.name, top, f".workbench-{moved}")
            else:
                os.unlink(entry.name, dir_fd=folder)
    finally:
        os.close(folder)
    os.rmdir(name, dir_fd=top)
    return moved


def _open_folder(top: int, name: str) -> int:
    flags = os.O_RDONLY | os.O_DIRECTORY | os.O_NOFOLLOW | os.O_CLOEXEC
    try:
        return os.open(name, flags, dir_fd=top)
    except PermissionError:
        os.chmod(name, stat.S_IRWXU, dir_fd=top)
        return os.open(name, flags, dir_fd=top)


def _move_up(folder: int, name: str, top: int, new_name: str) -> None:
    """Move a folder; one that may not be written must be made writable before."""
    try:
        os.rename(name, new_name, src_dir_fd=folder, dst_dir_fd=top)
    except PermissionError:
        os.chmod(name, stat.S_IRWXU, dir_fd=folder)
        os.chmod(folder, stat.S_IRWXU)
        os.rename(name, new_name, src_dir_fd=folder, dst_dir_fd=top)
