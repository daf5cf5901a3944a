"""``workbench get``: plugins and rules files from an OCI registry."""

from __future__ import annotations

import sys
from typing import TYPE_CHECKING

from workbench.formatting.printable import printable

if TYPE_CHECKING:
    import argparse

    from workbench.artifacts.pull import Pulled

__all__ = ["add_arguments", "run"]


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Declare what the command takes."""
    add = parser.add_argument
    add(
        "name",
        metavar="NAME[:VERSION]",
        help="an artifact of the index, or HOST/REPOSITORY[:VERSION]",
    )
    add(
        "--registry",
        metavar="R",
        help="HOST or HOST/FOLDER to fetch from: the artifact is HOST/FOLDER/NAME, or "
        "with --index its repository there",
    )
    add(
        "--index",
        metavar="URL_OR_FILE",
        help="a falcoctl index; default: that of the Falco project",
    )
    add(
        "--insecure",
        action="store_true",
        help="without TLS, for a registry on this machine",
    )


def run(args: argparse.Namespace) -> int:
    """Fetch and install; print where it is."""
    from workbench.artifacts.pull import pull

    pulled = pull(
        args.name,
        registry=args.registry,
        index=args.index,
        insecure=args.insecure,
        notify=lambda text: _say(printable(text)),
    )
    for entry in pulled:
        _say(_line(entry))
    if any(entry.fresh and entry.signed for entry in pulled):
        _say("digests are verified; signatures of publishers are not")
    print(pulled[-1].record.main)
    return 0


def _line(entry: Pulled) -> str:
    record = entry.record
    what = "installed" if entry.fresh else "is there already"
    version = printable(record.version, limit=60)
    source = printable(record.reference, limit=200)
    return f"{record.name} {version} {what}, from {source} ({record.digest[:19]}…)"


def _say(text: str) -> None:
    print(f"workbench: {text}", file=sys.stderr)
