"""The libraries that a library needs, found as the dynamic loader finds them.

Read from the file, never by running it: DT_NEEDED, DT_RPATH and DT_RUNPATH, then
``LD_LIBRARY_PATH``, the folders of ``/etc/ld.so.conf`` and the loader's own.
"""

from __future__ import annotations

import os
import struct

__all__ = ["SYSTEM_FOLDERS", "needed_files"]

# Where the loader looks by itself. The sandbox lets these be read as a whole.
SYSTEM_FOLDERS = (
    "/lib",
    "/lib64",
    "/usr/lib",
    "/usr/lib64",
    "/usr/local/lib",
    "/usr/local/lib64",
)
_MOST_LIBRARIES = 256
_LARGEST_TABLE = 1 << 20
_LONGEST_NAME = 4096
_MOST_CONFIG_FILES = 64
# A FIFO would block, a terminal would become ours.
_QUIETLY = os.O_RDONLY | os.O_CLOEXEC | os.O_NONBLOCK | os.O_NOCTTY
_PT_LOAD, _PT_DYNAMIC = 1, 2
_DT_NEEDED, _DT_STRTAB, _DT_RPATH, _DT_RUNPATH = 1, 5, 15, 29


def _segments(fd: int) -> list[tuple[int, int, int, int]]:
    """Return kind, offset, address and length in the file of each segment."""
    head = os.pread(fd, 64, 0)
    if len(head) < 64 or head[:6] != b"\x7fELF\x02\x01":
        return []
    (program_at,) = struct.unpack_from("<Q", head, 32)
    size, count = struct.unpack_from("<HH", head, 54)
    if size < 56 or program_at >= 1 << 62:
        return []
    table = os.pread(fd, size * count, program_at)
    rows = []
    for at in range(0, len(table) - 55, size):
        kind, _, offset, address, _, length = struct.unpack_from("<IIQQQQ", table, at)
        rows.append((kind, offset, address, length))
    return rows


def _read(fd: int, size: int, offset: int) -> bytes:
    return os.pread(fd, size, offset) if offset < 1 << 62 else b""


def _text(fd: int, offset: int) -> str:
    return os.fsdecode(_read(fd, _LONGEST_NAME, offset).partition(b"\0")[0])


def _dynamic(fd: int) -> tuple[list[str], list[str]]:
    """Return what a library needs, and the folders where it says to look."""
    segments = _segments(fd)
    table = b""
    for kind, offset, _, length in segments:
        if kind == _PT_DYNAMIC:
            table = _read(fd, min(length, _LARGEST_TABLE) & ~15, offset)
    entries = list(struct.iter_unpack("<QQ", table[: len(table) & ~15]))
    texts_at = next((value for tag, value in entries if tag == _DT_STRTAB), 0)
    for kind, offset, address, length in segments:
        if kind == _PT_LOAD and address <= texts_at < address + length:
            texts_at += offset - address
            break
    names = [_text(fd, texts_at + v) for tag, v in entries if tag == _DT_NEEDED]
    folders: list[str] = []
    for tag, value in entries:
        if tag in {_DT_RPATH, _DT_RUNPATH}:
            folders += _text(fd, texts_at + value).split(":")
    return names[:_MOST_LIBRARIES], folders[:_MOST_LIBRARIES]


def _configured() -> list[str]:
    """Return the folders that /etc/ld.so.conf and what it includes name."""
    todo, seen, folders = ["/etc/ld.so.conf"], set[str](), list[str]()
    while todo and len(seen) < _MOST_CONFIG_FILES:
        path = todo.pop(0)
        if path in seen:
            continue
        seen.add(path)
        try:
            with open(path, encoding="utf-8", errors="replace") as file:  # noqa: PTH123 - the worker does not load pathlib
                lines = file.read(1 << 16).splitlines()
        except OSError:
            continue
        for raw in lines:
            line = raw.partition("#")[0].strip()
            if line.startswith("include "):
                todo += _included(line[8:].strip())
            elif line.startswith("/"):
                folders.append(line)
    return folders


def _included(pattern: str) -> list[str]:
    """Return the files that an include means: one star in the last part works."""
    folder, _, name = pattern.rpartition("/")
    if not folder.startswith("/"):
        folder = f"/etc/{folder}"
    before, star, after = name.partition("*")
    try:
        names = sorted(os.listdir(folder)) if star else [name]  # noqa: PTH208 - as above
    except OSError:
        return []
    fit = [n for n in names if not star or (n.startswith(before) and n.endswith(after))]
    return [f"{folder}/{n}" for n in fit]


def _asked(folders: list[str], origin: str) -> list[str]:
    """Return the folders of a library, ``$ORIGIN`` put in, relative ones dropped."""
    named = [f.replace("${ORIGIN}", origin).replace("$ORIGIN", origin) for f in folders]
    return [f for f in named if f.startswith("/") and "$" not in f]


def needed_files(libraries: list[str]) -> list[str]:
    """Return the files that ``libraries`` need, with all that these need, canonical.

    What lies in the system's folders is left out, and what cannot be found. Where
    several folders have a file of the name needed, all of these are given.
    """
    # A library's DT_RPATH holds for those that it loads: folders once named stay.
    folders = [f for f in os.environ.get("LD_LIBRARY_PATH", "").split(":") if f]
    folders += _configured()
    todo = list(libraries)
    seen = {os.path.realpath(path) for path in libraries}
    found: list[str] = []
    while todo and len(found) < _MOST_LIBRARIES:
        path = todo.pop(0)
        names, asked = _open_and_read(path)
        for origin in {os.path.dirname(path), os.path.dirname(os.path.realpath(path))}:  # noqa: PTH120 - as above
            folders += [f for f in _asked(asked, origin) if f not in folders]
        new = [f for name in names for f in _matches(name, folders) if f not in seen]
        seen.update(new)
        found += new
        todo += new
    return found


def _open_and_read(path: str) -> tuple[list[str], list[str]]:
    """Return what a library needs and where it looks; nothing where there is none."""
    try:
        fd = os.open(path, _QUIETLY)
    except (OSError, ValueError):
        return [], []
    try:
        return _dynamic(fd)
    except (OSError, struct.error, ValueError):
        return [], []
    finally:
        os.close(fd)


def _matches(name: str, folders: list[str]) -> list[str]:
    """Return the libraries called ``name``, but for those of the system's folders."""
    places = [name] if "/" in name else [f"{folder}/{name}" for folder in folders]
    real = {os.path.realpath(p) for p in places if p.startswith("/") and "\0" not in p}
    return sorted(file for file in real if _is_library(file))


def _is_library(file: str) -> bool:
    """Whether a file is a shared library outside the system's folders.

    A hostile library may need any name: no other file of the user's is given for it.
    """
    if any(file.startswith(folder + "/") for folder in SYSTEM_FOLDERS):
        return False
    try:
        fd = os.open(file, _QUIETLY)
    except OSError:
        return False
    try:
        head = os.pread(fd, 18, 0)
    except OSError:
        return False
    finally:
        os.close(fd)
    return head[:4] == b"\x7fELF" and head[16:18] == b"\x03\x00"
