"""One archive from a registry into a file: resumable, bounded, verified.

A download that breaks off is taken up again where it stopped: a few times at once,
later by the next run, from a file named by its digest. A whole file whose digest is
wrong is thrown away. Ctrl-C and a full disk leave nothing behind.
"""

from __future__ import annotations

import contextlib
import time
from typing import TYPE_CHECKING, Any, Final

from requests import exceptions
from urllib3.exceptions import HTTPError

from workbench.artifacts.faults import ArtifactFault, disk_fault
from workbench.artifacts.records import file_digest
from workbench.artifacts.transport import network_faults

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from pathlib import Path

    from workbench.artifacts.layout import Descriptor
    from workbench.artifacts.reference import Reference
    from workbench.artifacts.registry import Registry

    # Told the bytes that are there and the bytes in all.
    Report = Callable[[int, int], None]

__all__ = ["download", "forget_old_parts"]

_READ_BYTES: Final = 1 << 14
# Attempts in one run without a single new byte, and the pause between them.
_ATTEMPTS: Final = 3
_PAUSE_SEC: Final = 0.5
_KEPT_SEC: Final = 7 * 24 * 3600


class _BrokenOffError(Exception):
    """The connection ended before the blob did."""


def forget_old_parts(folder: Path) -> None:
    """Remove parts of downloads that nobody took up for a week."""
    with contextlib.suppress(OSError):
        for path in folder.iterdir():
            if time.time() - path.stat().st_mtime > _KEPT_SEC:
                path.unlink(missing_ok=True)


def download(
    registry: Registry,
    reference: Reference,
    descriptor: Descriptor,
    folder: Path,
    report: Report,
) -> Path:
    """Return a file in ``folder`` with the blob that ``descriptor`` describes.

    The caller removes it. Raises ArtifactFault.
    """
    path = folder / descriptor.digest.replace(":", "-")
    job = _Download(registry, reference, descriptor, path, report)
    kept = _size(path)
    try:
        job.fill()
        if kept and file_digest(path, job.algorithm) != descriptor.digest:
            # What an earlier run left may have been damaged: once more, from nothing.
            path.unlink(missing_ok=True)
            job.fill()
        job.verify()
    except ArtifactFault as fault:
        if fault.stage != "registry":
            path.unlink(missing_ok=True)
        raise
    except OSError as error:
        path.unlink(missing_ok=True)
        raise disk_fault(error, folder) from None
    except BaseException:
        path.unlink(missing_ok=True)
        raise
    return path


def _size(path: Path) -> int:
    try:
        return path.stat().st_size
    except OSError:
        return 0


class _Download:
    """The file of one blob as it grows."""

    def __init__(
        self,
        registry: Registry,
        reference: Reference,
        descriptor: Descriptor,
        path: Path,
        report: Report,
    ) -> None:
        self.registry = registry
        self.reference = reference
        self.descriptor = descriptor
        self.path = path
        self.report = report
        self.algorithm = descriptor.digest.partition(":")[0]

    def fill(self) -> None:
        """Add what is missing, trying again while that helps."""
        total, failures = self.descriptor.size, 0
        if _size(self.path) > total:
            self.path.unlink()
        self.report(_size(self.path), total)
        while not self.path.exists() or _size(self.path) < total:
            before = _size(self.path)
            try:
                self._add(before)
                why = "the connection ended"
            except _BrokenOffError as error:
                why = str(error)
            except ArtifactFault as fault:
                if fault.stage != "registry" or not before:
                    raise
                why = fault.reason
            failures = 0 if _size(self.path) > before else failures + 1
            if failures >= _ATTEMPTS:
                raise self._broken(why)
            if _size(self.path) < total:
                time.sleep(_PAUSE_SEC)

    def _broken(self, why: str) -> ArtifactFault:
        size, total = _size(self.path), self.descriptor.size
        text = f"the download broke off after {size:,} of {total:,} bytes ({why})"
        return ArtifactFault(
            "registry", text, "run the same again: it goes on where it stopped"
        )

    def _add(self, start: int) -> None:
        """Append one answer of the registry to the file."""
        host, insecure = self.registry.host, self.registry.insecure
        with network_faults(host, insecure=insecure):
            response, start = self.registry.blob(self.reference, self.descriptor, start)
        mode = "r+b" if self.path.exists() else "xb"
        with contextlib.closing(response), self.path.open(mode) as out:
            out.seek(start)
            out.truncate()
            for piece in _pieces(response):
                if out.tell() + len(piece) > self.descriptor.size:
                    text = f"the archive has more than {self.descriptor.size:,} bytes"
                    raise ArtifactFault("digest", text, "its manifest says so")
                out.write(piece)
                self.report(out.tell(), self.descriptor.size)

    def verify(self) -> None:
        """Raise ArtifactFault when the file is not what the manifest announced."""
        found, wanted = file_digest(self.path, self.algorithm), self.descriptor.digest
        if found != wanted:
            raise ArtifactFault(
                "digest",
                f"the archive is not what was announced: its digest is {found}, "
                f"expected {wanted}",
                "something between the publisher and here changed it",
            )


def _pieces(response: Any) -> Iterator[bytes]:
    """Yield the bytes as they were sent. Raises _BrokenOffError.

    Not decoded: a Content-Encoding is the host's own idea, digests are of the content.
    """
    stream = response.raw.stream(_READ_BYTES, decode_content=False)
    while True:
        try:
            piece = next(stream, None)
        except (exceptions.RequestException, HTTPError, OSError) as error:
            raise _BrokenOffError(type(error).__name__) from None
        if piece is None:
            return
        yield piece
