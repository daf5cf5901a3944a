"""``workbench check``: whether a plugin conforms to the plugin API."""

from __future__ import annotations

import json
import sys
from pathlib import Path
from typing import TYPE_CHECKING

from workbench.cli.options import (
    FAILED,
    FINE,
    add_option,
    add_options,
    add_sandbox_options,
    print_json,
    sandbox_options,
)
from workbench.formatting.terminal import unspelled
from workbench.saving import check_folder, save_text

if TYPE_CHECKING:
    import argparse

__all__ = ["add_arguments", "run"]

# Back to the beginning of the line, and nothing more on it.
_LINE_START = "\r\x1b[K"


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Declare what the command takes."""
    add_options(parser, "plugin", "--config")
    add_option(parser, "--open", default=None, help="open params for streaming")
    add_option(
        parser,
        "--with",
        help="a plugin whose events an extractor is checked on; may be repeated",
    )
    add_option(parser, "--events", help="stored events (.scap) to check on")
    add_option(parser, "--json")
    parser.add_argument(
        "--sarif", metavar="FILE", type=Path, help="write the findings as SARIF, too"
    )
    add_sandbox_options(parser)


def run(args: argparse.Namespace) -> int:
    """Check, print the report; 1 when it has errors."""
    from workbench.authoring.check.run import check_plugin

    if args.sarif:
        check_folder(args.sarif)
    events = None
    if args.events:
        from workbench.events.opening import open_events

        events = open_events(args.events)
    terminal = sys.stderr.isatty()
    report = check_plugin(
        args.plugin,
        config=args.config,
        params=args.open,
        companions=args.companions,
        events=events,
        options=sandbox_options(args),
        progress=_show_step if terminal else None,
    )
    if terminal:
        print(_LINE_START, end="", file=unspelled(sys.stderr), flush=True)
    if args.json:
        print_json(report.to_dict())
    else:
        print(repr(report))
        if report.registry_entry and report.ok:
            print("\nfor the plugin registry:\n" + report.registry_entry, end="")
    if args.sarif:
        save_text(args.sarif, json.dumps(report.to_sarif(), indent=2))
    return FINE if report.ok else FAILED


def _show_step(step: str) -> None:
    print(_LINE_START, end="", file=unspelled(sys.stderr), flush=True)
    print(f"{step} …", end="", file=sys.stderr, flush=True)
