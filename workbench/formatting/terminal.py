"""The one door to a terminal: what is printed there shows, and does nothing else."""

from __future__ import annotations

import contextlib
import io
import sys
from typing import TYPE_CHECKING, Any, TextIO

from workbench.formatting.printable import visible

if TYPE_CHECKING:
    from collections.abc import Iterator

__all__ = ["TerminalText", "printable_terminals", "unspelled"]


class TerminalText(io.TextIOWrapper):
    r"""Text for a terminal: all but line feeds and printable characters is spelled.

    Spelled as JSON does (``\u001b``), so that a JSON text stays one.
    """

    def write(self, text: str, /) -> int:
        """Write ``text`` and return its length."""
        super().write(visible(text))
        return len(text)


def unspelled(stream: TextIO) -> TextIO:
    """Return the stream for what is meant for the terminal itself, as bars are."""
    if stream not in _before:
        return stream
    stream.flush()
    return _before[stream]


# Which stream stands behind each of ours.
_before: dict[TextIO, TextIO] = {}


def _wrapped(stream: Any) -> Any:
    usual = isinstance(stream, io.TextIOWrapper) and stream.isatty()
    if not usual or isinstance(stream, TerminalText):
        return stream
    stream.flush()
    made = TerminalText(
        stream.buffer,
        encoding=stream.encoding,
        errors="replace",
        line_buffering=True,
    )
    _before[made] = stream
    return made


@contextlib.contextmanager
def printable_terminals() -> Iterator[None]:
    """Let standard output and error write printable text where they are terminals."""
    before = sys.stdout, sys.stderr
    sys.stdout, sys.stderr = map(_wrapped, before)
    try:
        yield
    finally:
        now = sys.stdout, sys.stderr
        sys.stdout, sys.stderr = before
        for stream in now:
            if isinstance(stream, TerminalText):
                # The stream before has the same buffer, and goes on.
                _before.pop(stream, None)
                with contextlib.suppress(OSError, ValueError):
                    stream.detach()
