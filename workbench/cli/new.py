"""``workbench new``: a small complete plugin project."""

from __future__ import annotations

import sys
from typing import TYPE_CHECKING

from workbench.authoring.languages import LANGUAGES

if TYPE_CHECKING:
    import argparse

__all__ = ["add_arguments", "run"]


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Declare what the command takes."""
    parser.add_argument("directory", metavar="DIR", help="new folder, named as plugin")
    parser.add_argument(
        "--language", required=True, choices=list(LANGUAGES), help="to write it in"
    )
    parser.add_argument("--contact", default="you@example.org", help="of the author")


def run(args: argparse.Namespace) -> int:
    """Write the files and say how to go on."""
    from workbench.authoring.scaffold import new_project

    for path in new_project(
        args.directory, language=args.language, contact=args.contact
    ):
        print(path)
    print(f"next: workbench build {args.directory}", file=sys.stderr)
    return 0
