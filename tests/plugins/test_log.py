from __future__ import annotations

from workbench.plugins.log import LogLines
from workbench.session.types import LogLine


def test_the_log_prints_as_lines() -> None:
    lines = LogLines(
        [
            LogLine(1, "log", "error", "py", "Traceback\n  ZeroDivisionError"),
            LogLine(2, "stderr", "", "", "red \x1b[31m"),
        ]
    )
    assert repr(lines) == (
        "error py: Traceback\n  ZeroDivisionError\nstderr: red \\x1b[31m"
    )
    assert repr(LogLines()) == "no log lines"
    assert lines[0].component == "py"
