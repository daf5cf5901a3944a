"""``workbench diff``: what changed between two builds, and the version it asks for."""

from __future__ import annotations

import json
from pathlib import Path
from typing import TYPE_CHECKING

from workbench.cli.sandbox import add_sandbox_arguments, sandbox_options

if TYPE_CHECKING:
    import argparse

__all__ = ["add_arguments", "run"]


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Declare what the command takes."""
    parser.add_argument("old", metavar="OLD", help="the library of the last release")
    parser.add_argument("new", metavar="NEW", help="the library of the next one")
    parser.add_argument("--json", action="store_true", help="print one JSON object")
    parser.add_argument("--config", metavar="TEXT", help="init config of both")
    parser.add_argument(
        "--open",
        metavar="TEXT",
        help="also stream from OLD and compare the values that both extract",
    )
    parser.add_argument(
        "--events", metavar="FILE", help="the same over stored events (.scap)"
    )
    add_sandbox_arguments(parser)


def run(args: argparse.Namespace) -> int:
    """Compare, print; 1 when the declared version does not cover the change."""
    from workbench.authoring.behaviour import compare_behaviour
    from workbench.authoring.diff import compare_manifests
    from workbench.plugin import inspect, library_path

    old, new = library_path(args.old), library_path(args.new)
    same = Path(old).read_bytes() == Path(new).read_bytes()
    options = sandbox_options(args)
    before, after = inspect(old, **options), inspect(new, **options)
    diff = compare_manifests(before, after, identical=same)
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
        print(json.dumps(diff.to_dict(), ensure_ascii=False, indent=2))
    else:
        print(repr(diff))
    return 0 if diff.sufficient else 1
