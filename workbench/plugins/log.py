"""The log of plugins as people read it: one line below the other."""

from __future__ import annotations

from workbench.formatting.printable import printable
from workbench.session.types import LogLine

__all__ = ["LogLines"]


class LogLines(list[LogLine]):
    """Log lines, oldest first; a list that prints as lines."""

    def __repr__(self) -> str:
        """Return each line: severity or stream, component, and what was said."""
        return "\n".join(map(_shown, self)) or "no log lines"


def _shown(line: LogLine) -> str:
    head = " ".join(filter(None, (line.severity or line.stream, line.component)))
    said = "\n".join(map(printable, line.message.split("\n")))
    return f"{printable(head)}: {said}"
