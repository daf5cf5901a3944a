"""What the commands share: their arguments, how numbers are read, exit statuses.

One row of ``OPTIONS`` holds all facts about an argument; a command names the rows that
it takes and changes only what is its own.
"""

from __future__ import annotations

import argparse
import json
import sys
from pathlib import Path
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
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
    "count",
    "load_companions",
    "note",
    "print_json",
    "seconds",
    "split_fields",
    "usage_error",
]

FINE, FAILED, USAGE, BUG, INTERRUPTED = 0, 1, 2, 3, 130


def count(text: str) -> int:
    """Return a count of 0 or more; for argparse."""
    number = int(text)
    if number < 0:
        raise argparse.ArgumentTypeError("a count must not be negative")
    return number


def seconds(text: str) -> float:
    """Return a time of 0 seconds or more; for argparse."""
    number = float(text)
    if not number >= 0:
        raise argparse.ArgumentTypeError("a time must not be negative")
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
    "--json": {"action": "store_true", "help": "print one JSON object"},
}


def add_option(parser: argparse._ActionsContainer, name: str, **changes: Any) -> None:
    """Add the argument ``name`` of :data:`OPTIONS`, with ``changes`` to its row."""
    parser.add_argument(name, **{**OPTIONS[name], **changes})


def add_options(parser: argparse._ActionsContainer, *names: str) -> None:
    """Add several arguments as they stand in :data:`OPTIONS`."""
    for name in names:
        add_option(parser, name)


def note(text: object) -> None:
    """Print a message about the run; data alone goes to standard output."""
    print(f"workbench: {text}", file=sys.stderr)


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
