"""Options on the line of a cell magic, with help that says what the cell holds."""

from __future__ import annotations

import argparse
import shlex
from typing import Any, NoReturn

from IPython.core.error import UsageError

__all__ = ["condition_parser", "parsed_options", "plugin_parser", "rules_parser"]

_ROWS = 10


class _Parser(argparse.ArgumentParser):
    """Options of one magic; raises UsageError instead of ending the process."""

    def error(self, message: str) -> NoReturn:
        raise UsageError(f"{self.prog}: {message}\n{self.format_usage().strip()}")


class _Help(Exception):
    """Raised after the help was printed."""


class _ShowHelp(argparse.Action):
    def __call__(self, parser: argparse.ArgumentParser, *_: Any) -> None:
        print(parser.format_help())  # noqa: T201 - a magic prints
        raise _Help


def _parser(name: str, text: str, body: str) -> _Parser:
    parser = _Parser(
        prog=f"%%{name}",
        description=text,
        epilog=f"The cell's body is {body}.",
        add_help=False,
    )
    parser.add_argument(
        "-h", "--help", action=_ShowHelp, nargs=0, help="show this help"
    )
    return parser


def condition_parser() -> _Parser:
    """Return the options of ``%%condition``."""
    parser = _parser(
        "condition",
        "Evaluate a condition over events: matches, funnel and near misses.",
        "the condition, such as: web.status >= 500 and web.path startswith /api",
    )
    add = parser.add_argument
    add(
        "events",
        nargs="?",
        help="variable that holds Events (default: events, or the only one)",
    )
    add("-o", "--output", metavar="NAME", help="variable for the matching Events")
    add(
        "-r",
        "--rules",
        metavar="NAME",
        help="variable that holds a RuleSet: its macros and lists may be named, and "
        "the cell may be the name of one of its rules",
    )
    add("-n", "--rows", type=int, default=_ROWS, help="rows to show")
    add(
        "-e",
        "--explain",
        type=int,
        metavar="NUM",
        help="explain the result for event NUM",
    )
    add("--near", action="store_true", help="list the near misses, too")
    add("--no-funnel", action="store_true", help="do not show the funnel")
    return parser


def rules_parser(name: str) -> _Parser:
    """Return the options of ``%%rule`` or ``%%rules``, by ``name``."""
    what, pronoun = ("one rule", "it") if name == "rule" else ("rules", "them")
    parser = _parser(
        name,
        f"Check {what} against events or a plugin, and run {pronoun} on events.",
        "YAML as in a rules file"
        + ("; the leading dash may be omitted" if name == "rule" else ""),
    )
    add = parser.add_argument
    add("target", nargs="?", help="variable that holds Events, a Plugin or a Workbench")
    add("-o", "--output", metavar="NAME", default=name, help="variable for the result")
    add(
        "-r",
        "--rules",
        metavar="NAME",
        help="variable that holds a RuleSet to append to and override; running the "
        "cell again replaces what it added",
    )
    add(
        "-a",
        "--all-matches",
        action="store_true",
        help="let every matching rule alert, not only the first",
    )
    add("-s", "--save", metavar="FILE", help="write the rules to this file")
    add("-n", "--rows", type=int, default=_ROWS, help="alerts to show")
    return parser


def plugin_parser() -> _Parser:
    """Return the options of ``%%plugin``."""
    parser = _parser(
        "plugin",
        "Compile a plugin, load it into a new worker and stream a few events. Run the "
        "cell again after an edit to see which values it changed on the same events.",
        "the source code of a plugin; for a project to start from: workbench new DIR",
    )
    add = parser.add_argument
    add("language", help="c, cpp, go, rust or python")
    add("name", help="variable for the Plugin, and the name of its project")
    add("-c", "--config", metavar="TEXT", help="init config")
    add("-p", "--open", metavar="TEXT", help="open params (default: the suggestion)")
    add("-n", "--events", type=int, default=1000, help="events to stream")
    add("-o", "--output", metavar="NAME", help="variable for the Events")
    add("--sandbox", action="store_true", help="as for wb.load: nothing but its events")
    add("--sandbox-read", metavar="PATH", action="append", default=[])
    add("--sandbox-network", action="store_true")
    return parser


def parsed_options(parser: _Parser, line: str) -> argparse.Namespace | None:
    """Read a magic's line; None when it asked for help, which was shown.

    Raises UsageError for a wrong line.
    """
    try:
        words = shlex.split(line)
    except ValueError as error:
        raise UsageError(f"{parser.prog}: {error}") from None
    try:
        return parser.parse_args(words)
    except _Help:
        return None
