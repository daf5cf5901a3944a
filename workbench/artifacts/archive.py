"""The archive of an artifact, unpacked by somebody who trusts none of it.

Only regular files with expected names are written, into an empty folder of ours. One
name that leads outside, one link or device, and the whole archive is refused. Sizes are
counted as bytes come out of the decompression, whatever headers claim; the reader only
goes forward, so that no header can send it in circles.
"""

from __future__ import annotations

import gzip
import os
import re
import struct
import tarfile
import zlib
from pathlib import Path, PurePosixPath
from typing import IO, TYPE_CHECKING, Final

from workbench.artifacts.faults import ArtifactFault
from workbench.formatting.printable import printable

if TYPE_CHECKING:
    from collections.abc import Iterator

    from workbench.artifacts.layout import Kind, Platform

__all__ = ["check_library", "unpack"]

_MAX_MEMBERS: Final = 10_000
# Longest piece that is read at once: file headers; contents come in smaller ones.
_MAX_HEADER_BYTES: Final = 1 << 20
_SKIP_BYTES: Final = 1 << 16
_PART: Final = re.compile(r"[A-Za-z0-9][A-Za-z0-9 ._+-]{0,199}")
_MAX_DEPTH: Final = 4
_SHOWN: Final = 5


def _fault(reason: str) -> ArtifactFault:
    return ArtifactFault("archive", reason, "nothing of it was installed")


class _Unpacked:
    """The bytes inside a gzip file: forward only, and not more than ``limit``."""

    def __init__(self, stream: gzip.GzipFile, limit: int) -> None:
        self._stream = stream
        self._limit = limit
        self._at = 0

    def read(self, size: int = -1) -> bytes:
        if not 0 <= size <= _MAX_HEADER_BYTES:
            raise _fault("the archive has a header of more than a megabyte")
        try:
            data = self._stream.read(size)
        except EOFError:
            raise _fault("the archive is truncated") from None
        except (OSError, zlib.error) as error:
            raise _fault(f"the archive is damaged ({error})") from None
        self._at += len(data)
        if self._at > self._limit:
            raise _fault(f"the archive unpacks to more than {self._limit:,} bytes")
        return data

    def tell(self) -> int:
        return self._at

    def seek(self, offset: int, whence: int = 0) -> int:
        if whence != os.SEEK_SET or offset < self._at:
            raise _fault("the archive has contradictory headers")
        while self._at < offset:
            if not self.read(min(offset - self._at, _SKIP_BYTES)):
                break
        return self._at


def _safe_path(name: str) -> PurePosixPath | None:
    """Return the path of a member, None for one that cannot be an expected file.

    Raises ArtifactFault for names that lead outside.
    """
    shown = printable(name, limit=100)
    if name.startswith(("/", "\\")) or re.match(r"[A-Za-z]:[\\/]", name):
        raise _fault(f"the archive holds an absolute path: {shown}")
    parts = [part for part in name.split("/") if part not in ("", ".")]
    if ".." in parts or "\\" in name or "\0" in name:
        raise _fault(f"the archive holds a path that leads outside: {shown}")
    if not parts or len(parts) > _MAX_DEPTH:
        return None
    if not all(_PART.fullmatch(part) for part in parts):
        return None
    return PurePosixPath(*parts)


def _members(tar: tarfile.TarFile) -> Iterator[tarfile.TarInfo]:
    """Yield the members, one at a time, without keeping them all."""
    for _ in range(_MAX_MEMBERS):
        try:
            member = tar.next()
        except tarfile.TarError as error:
            raise _fault(f"the archive is not a tar file ({error})") from None
        except (ValueError, OverflowError, UnicodeError, struct.error):
            raise _fault("the archive has a malformed header") from None
        if member is None:
            return
        # the list grows with every member otherwise
        tar.members = []  # type: ignore[attr-defined]
        yield member
    raise _fault(f"the archive has more than {_MAX_MEMBERS:,} members")


def unpack(blob: Path, folder: Path, kind: Kind) -> list[PurePosixPath]:
    """Unpack the expected files of ``blob`` into the empty ``folder``.

    Returns their paths below it: libraries at the top for plugins, YAML files for rules
    files. Documents beside them are left out. Raises ArtifactFault, and OSError when
    the disk does.
    """
    found: list[PurePosixPath] = []
    others: list[str] = []
    with gzip.open(blob) as stream:
        source = _Unpacked(stream, kind.max_unpacked_bytes)
        for member, tar in _open(source):
            path = _safe_path(member.name)
            if member.isdir():
                continue
            if not member.isreg() or member.issparse():
                what = (
                    "a link" if member.issym() or member.islnk() else "a special file"
                )
                shown = printable(member.name, limit=100)
                raise _fault(f"the archive holds {what}: {shown}")
            if path is None or not _is_expected(path, kind):
                others.append(member.name)
                continue
            if path in found:
                raise _fault(f"the archive holds {path} twice")
            found.append(path)
            content = tar.extractfile(member)
            if content is not None:
                _write(content, folder / path, member.size)
    if not found:
        wanted = " or ".join(kind.suffixes)
        inside = ", ".join(printable(n, limit=60) for n in others[:_SHOWN])
        raise _fault(f"the archive holds no {wanted} file, only: {inside or 'nothing'}")
    return found


def _open(source: _Unpacked) -> Iterator[tuple[tarfile.TarInfo, tarfile.TarFile]]:
    try:
        # "r:" and not "r|": the latter reads ahead without bounds
        tar = tarfile.open(fileobj=source, mode="r:")  # type: ignore[call-overload] # noqa: SIM115
    except tarfile.TarError as error:
        raise _fault(f"the archive is not a tar file ({error})") from None
    with tar:
        for member in _members(tar):
            yield member, tar


def _is_expected(path: PurePosixPath, kind: Kind) -> bool:
    if path.suffix not in kind.suffixes:
        return False
    return kind.name != "plugin" or len(path.parts) == 1


def _write(content: IO[bytes], path: Path, size: int) -> None:
    """Write one file, and have it on the disk before this returns."""
    path.parent.mkdir(parents=True, exist_ok=True)
    written = 0
    with path.open("xb") as out:
        while piece := content.read(_SKIP_BYTES):
            out.write(piece)
            written += len(piece)
        if written != size:
            raise _fault("the archive is truncated")
        out.flush()
        os.fsync(out.fileno())


def check_library(path: Path, wanted: Platform) -> None:
    """Raise ArtifactFault unless a file is a shared library for ``wanted``.

    Read from its head; the library is not loaded.
    """
    with path.open("rb") as stream:
        head = stream.read(20)
    if len(head) < 20 or head[:4] != b"\x7fELF" or head[4] != 2:
        raise _fault(f"{path.name} is not a 64-bit Linux library")
    order = "<" if head[5] == 1 else ">"
    kind, machine = struct.unpack_from(f"{order}HH", head, 16)
    if kind != 3:
        raise _fault(f"{path.name} is not a shared library")
    if machine != wanted.machine:
        raise ArtifactFault(
            "platform",
            f"{path.name} is built for another processor than {wanted}",
            "its publisher put it under the wrong platform",
        )
