"""What fails while an artifact is fetched, before it is said for which artifact."""

from __future__ import annotations

import errno
from typing import TYPE_CHECKING

from workbench.errors import ArtifactError
from workbench.formatting.printable import printable

if TYPE_CHECKING:
    from pathlib import Path

__all__ = ["ArtifactFault", "artifact_error", "disk_fault"]

# Longest text of a stranger's in a message, characters.
_MAX_TEXT = 600


class ArtifactFault(Exception):
    """One reason why an artifact cannot be had.

    ``stage``: as of ArtifactError. ``reason``: what is wrong. ``advice``: what to do,
    or "".
    """

    def __init__(self, stage: str, reason: str, advice: str = "") -> None:
        """Keep the facts."""
        super().__init__(stage, reason, advice)
        self.stage = stage
        self.reason = reason
        self.advice = advice


def artifact_error(
    fault: ArtifactFault,
    artifact: str,
    reference: str | None = None,
    *,
    doing: str = "get",
) -> ArtifactError:
    """Return the error that people see.

    ``reference``: what ``artifact`` stands for. ``doing``: "get" or "push".
    """
    shown = printable(artifact, limit=200)
    if reference and reference != artifact:
        shown += f" ({printable(reference, limit=300)})"
    text = f"cannot {doing} {shown}: {printable(fault.reason, limit=_MAX_TEXT)}"
    if fault.advice:
        text += f"; {printable(fault.advice, limit=_MAX_TEXT)}"
    return ArtifactError(
        text, artifact=artifact, reference=reference, stage=fault.stage
    )


def disk_fault(error: OSError, folder: Path, doing: str = "write") -> ArtifactFault:
    """Return the fault of a file operation below ``folder``."""
    why = error.strerror or str(error)
    if error.errno in (errno.ENOSPC, errno.EDQUOT):
        advice = "make room there, or set XDG_DATA_HOME to a folder with more"
    elif error.errno in (errno.EACCES, errno.EPERM, errno.EROFS):
        advice = "set XDG_DATA_HOME to a folder that you may write"
    else:
        advice = ""
    return ArtifactFault("install", f"cannot {doing} {folder}: {why}", advice)
