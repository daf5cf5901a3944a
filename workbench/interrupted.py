"""An interrupt after which something is kept."""

from __future__ import annotations

__all__ = ["Interrupted"]


class Interrupted(KeyboardInterrupt):
    """Ctrl-C or the stop button, after which something is kept; ``args[0]`` says what.

    A notebook shows that one line instead of a traceback.
    """

    def __str__(self) -> str:
        return str(self.args[0]) if self.args else ""

    def _render_traceback_(self) -> list[str]:
        return [str(self)]
