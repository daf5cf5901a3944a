"""A progress bar for downloads: on a terminal and in notebooks, when it takes long."""

from __future__ import annotations

import sys
from typing import TYPE_CHECKING, Any

from workbench.formatting.printable import printable
from workbench.formatting.terminal import unspelled

if TYPE_CHECKING:
    from types import TracebackType
    from typing import Self

__all__ = ["Bar"]

_AFTER_SEC = 0.5


def _watched() -> bool:
    if "ipykernel" in sys.modules:
        return True
    return bool(sys.stderr is not None and sys.stderr.isatty())


class Bar:
    """Shows how far one download is; nothing where nobody watches."""

    def __init__(self, name: str) -> None:
        """Begin one for the artifact ``name``."""
        self._name = printable(name, limit=40)
        self._bar: Any = None
        self._watched = _watched()

    def __enter__(self) -> Self:
        return self

    def __call__(self, done: int, total: int) -> None:
        """Show ``done`` of ``total`` bytes."""
        if not self._watched:
            return
        if self._bar is None:
            from tqdm.auto import tqdm

            self._bar = tqdm(
                total=total,
                initial=done,
                desc=self._name,
                unit="B",
                unit_scale=True,
                delay=_AFTER_SEC,
                leave=False,
                file=unspelled(sys.stderr),
            )
        # a download that begins anew goes back
        self._bar.update(done - self._bar.n)

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        if self._bar is not None:
            self._bar.close()
