"""What everything that owns something shares: ``with`` closes it."""

from __future__ import annotations

from typing import TYPE_CHECKING, Self

from workbench.errors import WorkbenchError

if TYPE_CHECKING:
    from types import TracebackType

__all__ = ["Closing"]


class Closing:
    """A context manager over an idempotent ``close``."""

    def close(self) -> None:
        """Return everything back (idempotent)."""
        raise NotImplementedError

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        try:
            self.close()
        except WorkbenchError:
            if error is None:  # else what went wrong inside is the news
                raise
