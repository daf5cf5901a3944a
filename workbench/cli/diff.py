"""``workbench diff``: what changed between two builds, and the version it needs."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

from workbench.cli.options import (
    FAILED,
    FINE,
    add_option,
    add_sandbox_options,
    print_json,
    sandbox_options,
)

if TYPE_CHECKING:
    import argparse

__all__ = ["add_arguments", "run"]


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Declare what the command takes."""
    parser.add_argument("old", metavar="OLD", help="library of the last release")
    parser.add_argument("new", metavar="NEW", help="library of the next one")
    add_option(parser, "--json")
    add_option(parser, "--config", help="init config of both")
    add_option(
        parser,
        "--open",
        default=None,
        help="stream from OLD, too, and compare the values that both extract",
    )
    add_option(parser, "--events", help="the same on stored events (.scap)")
    add_sandbox_options(parser)


def run(args: argparse.Namespace) -> int:
    """Compare, print; 1 when the declared version does not cover the change."""
    from workbench.authoring.behaviour_diff import compare_behaviour
    from workbench.authoring.diff import compare_manifests
    from workbench.plugins.plugin import inspect, library_path

    old, new = library_path(args.old), library_path(args.new)
    # Inspecting refuses what is no library, such as a pipe, before it is read here.
    options = sandbox_options(args)
    manifests = inspect(old, **options), inspect(new, **options)
    same = Path(old).read_bytes() == Path(new).read_bytes()
    diff = compare_manifests(*manifests, identical=same)
    if args.open is not None or args.events:
        compare_behaviour(
            diff,
            old,
            new,
            config=args.config,
            params=args.open,
            events=args.events,
            options=options,
        )
    if args.json:
        print_json(diff.to_dict())
    else:
        print(repr(diff))
    return FINE if diff.sufficient else FAILED
