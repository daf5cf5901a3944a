"""Run the command line: ``workbench COMMAND …`` or ``python -m workbench COMMAND …``.

Exit status: 0 fine, 1 an expected failure, 2 wrong usage, 3 a bug of ours (with a log
file), 130 interrupted.
"""

from __future__ import annotations

import argparse
import contextlib
import difflib
import importlib
import io
import os
import platform
import sys
import tempfile
import time
import traceback
import warnings
from pathlib import Path
from typing import TYPE_CHECKING, Any

from workbench.cli import COMMANDS, Command
from workbench.cli.options import BUG, FAILED, FINE, INTERRUPTED, USAGE, note
from workbench.formatting.terminal import printable_terminals

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

__all__ = ["main"]

_MIN_SIMILARITY = 0.6
# Commands that SIGTERM ends as Ctrl-C does: they print or write what was read.
_CAPTURING = frozenset(("run", "stream", "record"))


def _overview() -> argparse.ArgumentParser:
    """Return the parser for the options before the command."""
    from workbench import __version__

    width = max(len(command.name) for command in COMMANDS)
    rows = [f"  {command.name:{width}}  {command.summary}" for command in COMMANDS]
    parser = argparse.ArgumentParser(
        prog="workbench",
        usage="workbench COMMAND [options]",
        description="Load any Falco plugin, look at its events, prototype rules.",
        epilog="commands:\n"
        + "\n".join(rows)
        + "\n\n'workbench COMMAND --help' explains a command.",
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    parser.add_argument("--version", action="version", version=__version__)
    return parser


def _find(name: str) -> Command | None:
    """Return the command called ``name``; without one, print the nearest name."""
    for command in COMMANDS:
        if command.name == name:
            return command
    names = [command.name for command in COMMANDS]
    near = difflib.get_close_matches(name.lower(), names, 1, _MIN_SIMILARITY)
    meant = f"did you mean '{near[0]}'?" if near else f"commands: {', '.join(names)}"
    note(f"no command {name!r}; {meant}")
    return None


def main(argv: Sequence[str] | None = None) -> int:
    """Run one command and return its exit status."""
    words = list(sys.argv[1:] if argv is None else argv)
    if sys.platform != "linux":
        note(
            f"Falco plugins are Linux libraries, but this is {sys.platform}; run the "
            "workbench on Linux, for example in a container or a virtual machine"
        )
        return FAILED
    if not _standard_streams():
        note("standard output is closed; give the command one, such as a file")
        return FAILED
    _write_utf8()
    try:
        with printable_terminals():
            return _run(words)
    except SystemExit as stop:
        # argparse ends --help and wrong usage this way.
        return stop.code if isinstance(stop.code, int) else USAGE


def _standard_streams() -> bool:
    """Fill closed descriptors 0 to 2; return whether standard output was open.

    Else the next files opened would get these numbers, and what is printed.
    """
    was_open = sys.stdout is not None
    for number in range(3):
        try:
            os.fstat(number)
        except OSError:
            os.open(os.devnull, os.O_RDWR)
    if sys.stderr is None:
        sys.stderr = os.fdopen(2, "w", closefd=False)
    return was_open


def _write_utf8() -> None:
    """Write data as UTF-8 whatever the locale; a terminal keeps its own encoding."""
    if isinstance(sys.stdout, io.TextIOWrapper):
        encoding = None if sys.stdout.isatty() else "utf-8"
        sys.stdout.reconfigure(encoding=encoding, errors="replace")


def _run(words: list[str]) -> int:
    if not words or words[0].startswith("-"):
        parser = _overview()
        parser.parse_args(words)
        parser.print_help(sys.stderr)
        return USAGE
    command = _find(words[0])
    if command is None:
        return USAGE
    try:
        module = importlib.import_module(command.module)
        parser = argparse.ArgumentParser(
            prog=f"workbench {command.name}",
            description=command.summary[0].upper() + command.summary[1:] + ".",
        )
        module.add_arguments(parser)
        args = parser.parse_args(words[1:])
        with contextlib.ExitStack() as stack:
            stack.enter_context(_warnings_as_notes())
            if command.name in _CAPTURING:
                from workbench.cli.capture_loop import ended_by_sigterm

                stack.enter_context(ended_by_sigterm())
            status: int = module.run(args)
        sys.stdout.flush()
    except KeyboardInterrupt:
        note("interrupted")
        return INTERRUPTED
    except BrokenPipeError:
        # The reader went away, as in "| head": nothing more to print, even at exit.
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        return FINE
    except Exception as error:  # noqa: BLE001 - the last line of defence
        return _print_failure(error, words)
    return status


@contextlib.contextmanager
def _warnings_as_notes() -> Iterator[None]:
    """Print warnings for users as messages of the command, not as lines of code."""
    with warnings.catch_warnings():
        warnings.simplefilter("always", UserWarning)
        before = warnings.showwarning

        def show(message: Any, category: Any, *rest: Any, **more: Any) -> None:
            if issubclass(category, UserWarning):
                note(message)
            else:
                before(message, category, *rest, **more)

        warnings.showwarning = show
        yield


def _print_failure(error: Exception, words: list[str]) -> int:
    """Print an expected failure as one message; log one that nobody expected."""
    from workbench.errors import WorkbenchError
    from workbench.formatting.printable import printable

    if isinstance(error, WorkbenchError):
        lines = [printable(line) for line in str(error).splitlines()]
        note("\n".join(lines))
        return FAILED
    if isinstance(error, OSError):
        name = f": {error.filename}" if error.filename else ""
        note(f"{error.strerror or error}{name}")
        return FAILED
    log = _write_log(words)
    note(
        f"this is a bug in the workbench ({type(error).__name__}: "
        f"{printable(str(error), limit=200)}); the details are in {log}"
    )
    return BUG


def _write_log(words: list[str]) -> str:
    """Write the current error to a file and return its path."""
    from workbench import __version__

    home = os.environ.get("XDG_STATE_HOME") or Path.home() / ".local" / "state"
    text = (
        f"workbench {__version__}, Python {platform.python_version()}, "
        f"{platform.platform()}\ncommand: {words!r}\n{traceback.format_exc()}"
    )
    name = time.strftime("workbench-%Y%m%d-%H%M%S") + f"-{os.getpid()}.log"
    for folder in (Path(home) / "falco-plugin-workbench", Path(tempfile.gettempdir())):
        try:
            folder.mkdir(parents=True, exist_ok=True)
            # Only a new file: the temporary folder belongs to everybody.
            with (folder / name).open("x", encoding="utf-8", errors="replace") as log:
                log.write(text)
        except OSError:
            continue
        return str(folder / name)
    print(text, file=sys.stderr)
    return "the lines above"


if __name__ == "__main__":
    sys.exit(main())
