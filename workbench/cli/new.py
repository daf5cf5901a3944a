"""``workbench new``: a small complete plugin project."""

from __future__ import annotations

from typing import TYPE_CHECKING

from workbench.authoring.languages import LANGUAGES
from workbench.authoring.scaffold import TEMPLATES, new_project
from workbench.cli.options import FINE, note, usage_error

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
        choices=list(LANGUAGES),
        help="language of the plugin",
    )
    parser.add_argument(
        "--template",
        choices=list(TEMPLATES),
        default="source",
        help="; ".join(f"{word}: {text}" for word, text in TEMPLATES.items()),
    )
    parser.add_argument(
        "--source",
        metavar="NAME",
        default="",
        help="event source that the template counter counts, such as k8s_audit",
    )
    parser.add_argument(
        "--contact", default="you@example.org", help="contact of the author"
    )


def run(args: argparse.Namespace) -> int:
    """Write the project and print its files."""
    counter = args.template == "counter"
    if args.language is None and not counter:
        return usage_error("--language is missing: one of " + ", ".join(LANGUAGES))
    for path in new_project(
        args.directory,
        language=args.language or "python",
        contact=args.contact,
        template=args.template,
        source=args.source,
    ):
        print(path)
    note(f"next: workbench build {args.directory}")
    return FINE
