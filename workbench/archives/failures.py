"""What goes wrong with one file of an archive, while the rest goes on."""

from __future__ import annotations

import importlib.util
import warnings
from dataclasses import dataclass
from typing import TYPE_CHECKING

from workbench.errors import FileError, WorkbenchError
from workbench.formatting.printable import printable, shortened

if TYPE_CHECKING:
    from collections.abc import Sequence

__all__ = ["ArchiveError", "Failure", "require", "tell_failures"]

_MAX_NAMED = 5


class ArchiveError(FileError):
    """One file of an archive that failed.

    ``path``: the file. ``event_number``: evt.num of the event at which a plugin failed,
    or None. ``kind``: name of the error that was raised.
    """

    event_number: int | None
    kind: str | None
    _facts = ("path", "event_number", "kind")


@dataclass(frozen=True, slots=True)
class Failure:
    """A file that failed: ``event_number`` as in ArchiveError, None when unknown."""

    path: str
    kind: str
    message: str
    event_number: int | None = None

    @classmethod
    def of(cls, path: str, error: BaseException) -> Failure:
        """Return what ``error`` says about the file ``path``."""
        number = getattr(error, "event_number", None)
        text = str(error) or type(error).__name__
        return cls(path, type(error).__name__, text, number)

    def __str__(self) -> str:
        """Name the file, the event and the reason."""
        at = "" if self.event_number is None else f", event {self.event_number}"
        return f"{shortened(self.path)}{at}: {self.message}"

    def error(self) -> ArchiveError:
        """Return the error to raise."""
        return ArchiveError(
            f"{self}\nerrors='collect' goes on with the other files",
            path=self.path,
            event_number=self.event_number,
            kind=self.kind,
        )


def tell_failures(failures: Sequence[Failure]) -> None:
    """Warn of files that failed and were left out."""
    if not failures:
        return
    paths = list(dict.fromkeys(f.path for f in failures))
    named = "; ".join(
        printable(str(f).partition("\n")[0], limit=300) for f in failures[:_MAX_NAMED]
    )
    more = "" if len(failures) <= _MAX_NAMED else f"; and {len(failures) - 5} more"
    noun = "file" if len(paths) == 1 else "files"
    warnings.warn(
        f"{len(paths)} {noun} failed in part or whole and are not counted: "
        f"{named}{more}",
        UserWarning,
        stacklevel=4,
    )


def require(*modules: str) -> None:
    """Raise WorkbenchError unless the packages of the extra are installed."""
    missing = [m for m in modules if importlib.util.find_spec(m) is None]
    if missing:
        raise WorkbenchError(
            f"archives need {', '.join(missing)}, which is not installed: "
            "pip install 'falco-plugin-workbench[cluster]'"
        )
