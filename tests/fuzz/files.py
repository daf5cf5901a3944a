"""A file from a stranger, opened as a user would."""

from __future__ import annotations

import os
import signal
from pathlib import Path
from typing import TYPE_CHECKING
from unittest.mock import patch

import workbench as wb
from workbench.captures import decoder
from workbench.captures.decoding import Decoded

if TYPE_CHECKING:
    from collections.abc import Sequence

_LONGEST_TEXT = 4_000


class _Fork:
    """The decoder as a fork of this process: a new Python takes half a second."""

    def __init__(self, words: Sequence[str], said: int) -> None:
        ours, theirs = os.pipe()
        self.pid = os.fork()
        if not self.pid:
            os.dup2(theirs, 1)
            os.dup2(said, 2)
            try:
                decoder.main(list(words))
            finally:
                os._exit(99)  # it never comes back
        os.close(theirs)
        self.stdout = os.fdopen(ours, "rb")
        self._code: int | None = None

    def wait(self, _timeout: float | None = None) -> int:
        """Wait for the end; what runs for long is ended with its case."""
        if self._code is None:
            self._code = os.waitstatus_to_exitcode(os.waitpid(self.pid, 0)[1])
        return self._code

    def kill(self) -> None:
        if self._code is None:
            os.kill(self.pid, signal.SIGKILL)


def _start(decoded: Decoded, words: Sequence[str], _fd: int) -> None:
    decoded._process = _Fork(words[:5], decoded._said)


def read_file(data: bytes, suffix: str) -> None:
    """Open ``data`` as events and look at them: one typed error, or all can be used."""
    link = Path(f"/dev/shm/fuzz-{os.getpid()}{suffix}")
    try:
        link.write_bytes(data)
        with patch.object(Decoded, "_start", _start):
            events = wb.open_events(link)
        repr(events)
        events._repr_html_()
        events.table.validate(full=True)
        events.frame.to_dict("list")
    except wb.WorkbenchError as error:
        assert len(str(error)) < _LONGEST_TEXT, len(str(error))
        repr(error)
    finally:
        link.unlink(missing_ok=True)
