"""``workbench build``: build a project; compiler messages at their lines."""

from __future__ import annotations

import sys
from typing import TYPE_CHECKING

from workbench.cli.options import FINE

if TYPE_CHECKING:
    import argparse

__all__ = ["add_arguments", "run"]


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Declare what the command takes."""
    parser.add_argument("directory", metavar="DIR", help="folder of the project")


def run(args: argparse.Namespace) -> int:
    """Build and print the path of the library; warnings go to stderr."""
    from workbench.authoring.builder import build_project

    result = build_project(args.directory)
    for diagnostic in result.diagnostics:
        print(diagnostic, file=sys.stderr)
    print(result.library)
    return FINE
