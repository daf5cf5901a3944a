"""``workbench new``: a small complete plugin project."""

from __future__ import annotations

from typing import TYPE_CHECKING

from workbench.authoring.languages import LANGUAGES
from workbench.cli.options import FINE, note

if TYPE_CHECKING:
    import argparse

__all__ = ["add_arguments", "run"]


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Declare what the command takes."""
    parser.add_argument(
        "directory", metavar="DIR", help="new folder; the plugin gets its name"
    )
    parser.add_argument(
        "--language",
        required=True,
        choices=list(LANGUAGES),
        help="language of the plugin",
    )
    parser.add_argument(
        "--contact", default="you@example.org", help="contact of the author"
    )


def run(args: argparse.Namespace) -> int:
    """Write the project and print its files."""
    from workbench.authoring.scaffold import new_project

    for path in new_project(
        args.directory, language=args.language, contact=args.contact
    ):
        print(path)
    note(f"next: workbench build {args.directory}")
    return FINE
