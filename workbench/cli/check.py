"""``workbench check``: tell whether a plugin is a good citizen of the framework."""

from __future__ import annotations

import json
import sys
from typing import TYPE_CHECKING

from workbench.cli.sandbox import add_sandbox_arguments, sandbox_options

if TYPE_CHECKING:
    import argparse

__all__ = ["add_arguments", "run"]


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Declare what the command takes."""
    parser.add_argument("plugin", metavar="PLUGIN", help="the plugin library, a .so")
    parser.add_argument("--config", metavar="TEXT", help="init config")
    parser.add_argument("--open", metavar="TEXT", help="open params of the stream")
    parser.add_argument(
        "--with",
        dest="companions",
        metavar="PLUGIN",
        action="append",
        default=[],
        help="a source whose events an extractor is checked against",
    )
    parser.add_argument(
        "--events", metavar="FILE", help="stored events (.scap) to check against"
    )
    parser.add_argument("--json", action="store_true", help="print one JSON object")
    parser.add_argument("--sarif", metavar="FILE", help="also write SARIF 2.1.0")
    add_sandbox_arguments(parser)


def run(args: argparse.Namespace) -> int:
    """Check, print the report; 1 when it has errors."""
    from workbench.authoring.check.run import check_plugin

    events = None
    if args.events:
        from workbench.events import open_events

        events = open_events(args.events)
    report = check_plugin(
        args.plugin,
        config=args.config,
        params=args.open,
        companions=args.companions,
        events=events,
        options=sandbox_options(args),
        progress=_say if sys.stderr.isatty() else None,
    )
    if sys.stderr.isatty():
        print("\r\x1b[K", end="", file=sys.stderr)
    if args.sarif:
        with open(args.sarif, "w", encoding="utf-8") as out:  # noqa: PTH123
            json.dump(report.to_sarif(), out, indent=2)
    if args.json:
        print(json.dumps(report.to_dict(), ensure_ascii=False, indent=2))
    else:
        print(repr(report))
        if report.registry_entry and report.ok:
            print("\nfor the plugin registry:\n" + report.registry_entry, end="")
    return 0 if report.ok else 1


def _say(step: str) -> None:
    print(f"\r\x1b[K{step} …", end="", file=sys.stderr, flush=True)
