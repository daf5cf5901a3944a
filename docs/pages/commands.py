"""The command line, from the parsers that read it."""

from __future__ import annotations

import argparse
import importlib
from typing import TYPE_CHECKING

from workbench.cli import COMMANDS, Command

if TYPE_CHECKING:
    from collections.abc import Iterator

__all__ = ["commands_page", "parser_of"]

_INTRODUCTION = """\
# Command line

`workbench COMMAND …`, or `python -m workbench COMMAND …`. Data goes to standard output,
everything else to standard error.

Exit status: 0 success; 1 an expected failure, with one clear message; 2 wrong usage;
3 a bug in the workbench, with a log file; 130 interrupted.
"""


def parser_of(command: Command) -> argparse.ArgumentParser:
    """Return the parser of a command, as the command line makes it."""
    parser = argparse.ArgumentParser(
        prog=f"workbench {command.name}",
        # A fixed width, whatever the terminal.
        formatter_class=lambda prog: argparse.HelpFormatter(prog, width=80),
    )
    importlib.import_module(command.module).add_arguments(parser)
    return parser


def commands_page() -> str:
    """Return the page: one section per command."""
    rows = [f"| [{c.name}](#{c.name}) | {c.summary} |" for c in COMMANDS]
    parts = [_INTRODUCTION, "\n".join(["| command | does |", "|---|---|", *rows])]
    for command in COMMANDS:
        parser = parser_of(command)
        usage = parser.format_usage().removeprefix("usage: ").rstrip()
        parts += [
            f"## {command.name}",
            f"{command.summary[0].upper()}{command.summary[1:]}.",
            f"```text\n{usage}\n```",
            "\n\n".join(_options(parser)),
        ]
    return "\n\n".join(parts) + "\n"


def _options(parser: argparse.ArgumentParser) -> Iterator[str]:
    formatter = parser._get_formatter()  # noqa: SLF001 - argparse shows no other way
    for action in parser._actions:  # noqa: SLF001
        if action.help == argparse.SUPPRESS:
            continue
        names = formatter._format_action_invocation(action)  # noqa: SLF001
        text = formatter._expand_help(action) if action.help else ""  # noqa: SLF001
        text = text.replace("<", "\\<").replace("*", "\\*")
        yield f"`{names}`\n: {text or 'see above'}"
