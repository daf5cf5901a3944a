"""What the commands share: their arguments, how numbers are read, exit statuses.

One row of ``OPTIONS`` holds all facts about an argument; a command names the rows that
it takes and changes only what is its own.
"""

from __future__ import annotations

import argparse
import contextlib
import json
import sys
from pathlib import Path
from typing import TYPE_CHECKING, Any

from workbench.formatting.printable import printable

if TYPE_CHECKING:
    from collections.abc import Iterator

    from workbench.plugins.workbench import Workbench

__all__ = [
    "BUG",
    "FAILED",
    "FINE",
    "INTERRUPTED",
    "OPTIONS",
    "USAGE",
    "add_option",
    "add_options",
    "add_sandbox_options",
    "count",
    "load_companions",
    "note",
    "opened_workbench",
    "percent",
    "print_json",
    "sandbox_options",
    "seconds",
    "split_fields",
    "usage_error",
]

FINE, FAILED, USAGE, BUG, INTERRUPTED = 0, 1, 2, 3, 130


# Counts fit 64 bits with a sign; no run lasts thirty years.
_MAX_COUNT = 2**63 - 1
_MAX_SEC = 1e9
# Longest piece of an argument repeated in a message, in characters.
_MAX_SHOWN = 40


def count(text: str) -> int:
    """Return a count of 0 or more, below 2^63; for argparse."""
    digits = text.strip().lstrip("+")
    if not digits.isascii() or not digits.lstrip("-").isdigit():
        raise argparse.ArgumentTypeError(f"{text[:_MAX_SHOWN]!r} is not a whole number")
    if digits.startswith("-"):
        raise argparse.ArgumentTypeError("a count must not be negative")
    digits = digits.lstrip("0") or "0"
    if len(digits) > len(str(_MAX_COUNT)) or int(digits) > _MAX_COUNT:
        raise argparse.ArgumentTypeError("a count must be less than 2^63")
    return int(digits)


def seconds(text: str) -> float:
    """Return a time of 0 seconds or more, a billion at the most; for argparse."""
    try:
        number = float(text)
    except ValueError:
        message = f"{text[:_MAX_SHOWN]!r} is not a number of seconds"
        raise argparse.ArgumentTypeError(message) from None
    if not 0 <= number <= _MAX_SEC:
        raise argparse.ArgumentTypeError(
            "a time must not be negative, nor longer than 10^9 seconds"
        )
    return number


def percent(text: str) -> float:
    """Return a number from 0 to 100; for argparse."""
    try:
        number = float(text)
    except ValueError:
        number = -1.0
    if not 0 <= number <= 100:
        message = f"{text[:_MAX_SHOWN]!r} is not a number from 0 to 100"
        raise argparse.ArgumentTypeError(message)
    return number


def split_fields(text: str) -> list[str]:
    """Split at commas, but not inside the brackets or quotes of an argument."""
    found, start, depth, quote = [], 0, 0, ""
    for at, char in enumerate(text):
        if quote:
            quote = "" if char == quote else quote
        elif depth and char in "'\"":
            quote = char
        elif char == "[":
            depth += 1
        elif char == "]":
            depth = max(0, depth - 1)
        elif char == "," and not depth:
            found.append(text[start:at])
            start = at + 1
    return [name.strip() for name in [*found, text[start:]] if name.strip()]


# Argument → what argparse needs to know of it.
OPTIONS: dict[str, dict[str, Any]] = {
    "plugin": {"metavar": "PLUGIN", "help": "the plugin: a .so file, or a name"},
    "rules": {
        "metavar": "RULES",
        "nargs": "+",
        "help": "rules files or directories, in order",
    },
    "--config": {"metavar": "TEXT", "help": "init config of PLUGIN"},
    "--open": {"metavar": "TEXT", "default": "", "help": "open params of PLUGIN"},
    "--with": {
        "metavar": "PLUGIN",
        "dest": "companions",
        "action": "append",
        "default": [],
        "help": "load this plugin too, for example an extractor; may be repeated",
    },
    "--plugin": {
        "metavar": "PATH",
        "action": "append",
        "default": [],
        "help": "check against this plugin; may be repeated",
    },
    "--plugin-dir": {
        "metavar": "DIR",
        "help": "folder that relative library paths start from",
    },
    "-c": {"metavar": "FALCO_YAML", "dest": "falco_yaml"},
    "-r": {
        "metavar": "RULES",
        "dest": "rules",
        "nargs": "+",
        "action": "extend",
        "default": [],
    },
    "--fields": {
        "metavar": "A,B",
        "type": split_fields,
        "help": "fields to show, for example 'web.path,web.query[id]'; default: all "
        "that need no argument",
    },
    "--where": {
        "metavar": "CONDITION",
        "help": "only events that match this condition",
    },
    "--events": {"metavar": "FILE"},
    "--max-events": {"metavar": "N", "type": count, "help": "stop after N events"},
    "--timeout": {
        "metavar": "SEC",
        "type": seconds,
        "help": "stop after SEC seconds",
    },
    "--format": {
        "choices": ("table", "jsonl", "csv"),
        "default": "table",
        "help": "format of the lines on standard output",
    },
    "--out": {
        "metavar": "FILE",
        "type": Path,
        "help": "write a file instead; its suffix decides the format: .parquet, .scap, "
        ".jsonl, .csv or .arrow",
    },
    "--no-csv-guard": {
        "dest": "csv_guard",
        "action": "store_false",
        "help": "leave texts in CSV as they are, those that look like formulas too",
    },
    "--json": {"action": "store_true", "help": "print one JSON object"},
    "--sandbox": {
        "action": "store_true",
        "help": "let a plugin read only system libraries and what its open params "
        "name, and write only in a folder of its own; no network, no other programs",
    },
    "--sandbox-read": {
        "metavar": "PATH",
        "action": "append",
        "default": [],
        "help": "let it read this file or folder, too; may be repeated",
    },
    "--sandbox-network": {
        "action": "store_true",
        "help": "let it use the Internet",
    },
}


def add_option(parser: argparse._ActionsContainer, name: str, **changes: Any) -> None:
    """Add the argument ``name`` of :data:`OPTIONS`, with ``changes`` to its row."""
    parser.add_argument(name, **{**OPTIONS[name], **changes})


def add_options(parser: argparse._ActionsContainer, *names: str) -> None:
    """Add several arguments as they stand in :data:`OPTIONS`."""
    for name in names:
        add_option(parser, name)


def add_sandbox_options(parser: argparse.ArgumentParser) -> None:
    """Add the options of a command that loads plugins."""
    group = parser.add_argument_group(
        "sandbox", "for plugins from strangers; without it they have all your rights"
    )
    add_options(group, "--sandbox", "--sandbox-read", "--sandbox-network")


def sandbox_options(args: argparse.Namespace) -> dict[str, Any]:
    """Return the keywords for ``load``, ``inspect`` and ``Workbench``.

    Ends the command with status USAGE where the options make no sense together.
    """
    if args.sandbox:
        return {
            "sandbox": True,
            "sandbox_read": args.sandbox_read,
            "sandbox_network": args.sandbox_network,
        }
    if args.sandbox_read or args.sandbox_network:
        word = "--sandbox-read" if args.sandbox_read else "--sandbox-network"
        raise SystemExit(usage_error(f"{word} goes with --sandbox"))
    return {}


@contextlib.contextmanager
def opened_workbench(args: argparse.Namespace) -> Iterator[Workbench]:
    """Yield a Workbench as the options say; at its end, note what was denied."""
    from workbench.formatting.printable import printable
    from workbench.plugins.workbench import Workbench

    with Workbench(**sandbox_options(args)) as workbench:
        try:
            yield workbench
        finally:
            held = workbench.sandbox
            for text in held.denied if held is not None else ():
                note(printable(text))


def note(text: object) -> None:
    """Print a message about the run; data alone goes to standard output."""
    first, *rest = (printable(line) for line in str(text).split("\n"))
    # No later line begins as a message of ours or an alert does.
    rest = [line if line[:1] in ("", " ") else "  " + line for line in rest]
    print("\n".join([f"workbench: {first}", *rest]), file=sys.stderr)


def usage_error(text: str) -> int:
    """Print what is wrong with the arguments; return the exit status for it."""
    note(text)
    return USAGE


def print_json(data: Any) -> None:
    """Print one JSON object for people and programs."""
    print(json.dumps(data, ensure_ascii=False, indent=2))


def load_companions(workbench: Workbench, args: argparse.Namespace) -> None:
    """Load the plugins named by ``--with``."""
    for path in args.companions:
        workbench.load(path)
