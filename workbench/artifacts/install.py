"""Putting artifacts into the user's folder: all of them or none.

1. One ``workbench get`` at a time works in a folder; others wait.
2. Files are unpacked and brought to the disk beside the place where they will be.
3. They are renamed into place, old ones set aside; if anything fails, all goes back.
"""

from __future__ import annotations

import contextlib
import fcntl
import os
import shutil
import tempfile
import time
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Final

from workbench.artifacts.faults import ArtifactFault, disk_fault
from workbench.artifacts.records import Record, file_digest, read_records, record_path
from workbench.paths import user_data_dir

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

__all__ = ["Change", "commit", "owned_root", "remove", "staging", "write_staged"]

_STAGING: Final = ".staging-"
_POLL_SEC: Final = 0.1


@contextlib.contextmanager
def owned_root(notify: Callable[[str], None]) -> Iterator[Path]:
    """Yield the user's data folder, made if need be, for this process alone.

    ``notify``: told when another process has it. Raises ArtifactFault.
    """
    root = user_data_dir()
    if root is None:
        raise ArtifactFault(
            "install", "this user has no home folder", "set XDG_DATA_HOME"
        )
    try:
        for name in ("plugins", "rules", "installed", "partial"):
            (root / name).mkdir(parents=True, exist_ok=True)
        flags = os.O_RDWR | os.O_CREAT | os.O_NOFOLLOW | os.O_CLOEXEC
        lock = os.fdopen(os.open(root / ".lock", flags, 0o600), "w")
    except OSError as error:
        raise disk_fault(error, root) from None
    with lock:
        told = False
        while True:
            try:
                fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
                break
            except BlockingIOError:
                if not told:
                    notify("another workbench get is at work; waiting for it")
                told = True
                time.sleep(_POLL_SEC)
            except OSError as error:
                raise disk_fault(error, root, "lock") from None
        # What a killed run left behind: nobody else is here.
        for old in root.glob(_STAGING + "*"):
            shutil.rmtree(old, ignore_errors=True)
        yield root


@contextlib.contextmanager
def staging(root: Path) -> Iterator[Path]:
    """Yield an empty folder on the same disk, gone afterwards. Raises ArtifactFault."""
    try:
        folder = Path(tempfile.mkdtemp(prefix=_STAGING, dir=root))
    except OSError as error:
        raise disk_fault(error, root) from None
    try:
        yield folder
    finally:
        shutil.rmtree(folder, ignore_errors=True)


@dataclass(slots=True)
class Change:
    """What is to happen at once: ``put``: target → staged file; ``drop``: targets."""

    put: dict[Path, Path] = field(default_factory=dict)
    drop: list[Path] = field(default_factory=list)


def write_staged(path: Path, text: str) -> None:
    """Write a small file and have it on the disk."""
    with path.open("x", encoding="utf-8") as out:
        out.write(text)
        out.flush()
        os.fsync(out.fileno())


def commit(change: Change, aside: Path) -> None:
    """Carry a change out, whole or not at all.

    ``aside``: an empty folder on the same disk for what is replaced. Raises OSError
    and KeyboardInterrupt with everything as it was before.
    """
    undo: list[tuple[Path, Path]] = []
    try:
        for target in [*change.put, *change.drop]:
            kept = aside / str(len(undo))
            # noted first: to undo what was not done yet is harmless
            undo.append((target, kept))
            if target.is_symlink() or target.exists():
                _set_aside(target, kept)
            staged = change.put.get(target)
            if staged is None:
                target.unlink(missing_ok=True)
            else:
                target.parent.mkdir(parents=True, exist_ok=True)
                staged.replace(target)
    except BaseException:
        for target, kept in reversed(undo):
            with contextlib.suppress(OSError):
                if kept.exists():
                    kept.replace(target)
                elif target in change.put:
                    target.unlink(missing_ok=True)
        raise
    for folder in {target.parent for target, _ in undo}:
        _sync(folder)


def _set_aside(target: Path, kept: Path) -> None:
    try:
        os.link(target, kept, follow_symlinks=False)
    except OSError:
        # a file system without hard links
        shutil.copy2(target, kept, follow_symlinks=False)


def _sync(folder: Path) -> None:
    with contextlib.suppress(OSError):
        handle = os.open(folder, os.O_RDONLY | os.O_DIRECTORY)
        try:
            os.fsync(handle)
        finally:
            os.close(handle)


def remove(name: str, notify: Callable[[str], None]) -> Record | None:
    """Remove what was installed under ``name``; return its record, None for none.

    Files that were changed since stay; ``notify`` is told of them, and of artifacts
    that need this one. Raises ArtifactFault.
    """
    with owned_root(notify) as root, staging(root) as aside:
        records = {record.name: record for record in read_records()}
        record = records.get(name)
        if record is None:
            return None
        change = Change(drop=[record_path(root, name)])
        for path, (text, digest) in zip(
            record.paths, record.files.items(), strict=True
        ):
            found = file_digest(path)
            if found == digest:
                change.drop.append(path)
            elif found:
                notify(f"{root / text} was changed since and stays")
        try:
            commit(change, aside)
        except OSError as error:
            raise disk_fault(error, root, "remove files in") from None
        _drop_empty_folders(record)
    for other in records.values():
        if name in other.needs:
            notify(f"{other.name} needs it")
    return record


def _drop_empty_folders(record: Record) -> None:
    top = record.root / "rules"
    for path in record.paths:
        folder = path.parent
        while top in folder.parents:
            with contextlib.suppress(OSError):
                folder.rmdir()
            folder = folder.parent
