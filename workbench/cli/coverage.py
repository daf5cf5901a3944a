"""``workbench coverage``: what rules and checks decide on the events of a capture."""

from __future__ import annotations

from typing import TYPE_CHECKING

from workbench.cli.options import (
    FINE,
    add_option,
    add_options,
    add_sandbox_options,
    load_companions,
    note,
    opened_workbench,
    print_json,
    usage_error,
)
from workbench.rules.ruleset import load_rules

if TYPE_CHECKING:
    import argparse

__all__ = ["add_arguments", "run"]


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Declare what the command takes."""
    add_option(parser, "-r", help="rules files or directories, in order")
    add_option(parser, "--events", required=True, help="a saved capture")
    add_option(parser, "--with")
    parser.add_argument(
        "--html",
        metavar="DIR",
        help="write DIR/index.html, too: the rules in colours, on one page",
    )
    add_options(parser, "--json")
    add_sandbox_options(parser)


def run(args: argparse.Namespace) -> int:
    """Print the counts of each rule, and what never fires, decides or applies."""
    from workbench.events.opening import open_events

    if not args.rules:
        return usage_error("name rules files with -r")
    with opened_workbench(args) as workbench:
        load_companions(workbench, args)
        plugins = (workbench,) if workbench.plugins else ()
        events = open_events(args.events, plugins=plugins)
        coverage = load_rules(*args.rules).coverage(events)
        if args.json:
            print_json(coverage.to_dict())
        else:
            print(coverage)
        if args.html:
            note(f"wrote {coverage.save(args.html)}")
    return FINE
