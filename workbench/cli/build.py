"""``workbench build``: run a project's build, complaints at their lines."""

from __future__ import annotations

import sys
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    import argparse

__all__ = ["add_arguments", "run"]


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Declare what the command takes."""
    parser.add_argument("directory", metavar="DIR", help="folder of the project")


def run(args: argparse.Namespace) -> int:
    """Build, print the library's path; warnings go to stderr."""
    from workbench.authoring.builder import build_project

    result = build_project(args.directory)
    for diagnostic in result.diagnostics:
        print(diagnostic, file=sys.stderr)
    print(result.library)
    return 0
