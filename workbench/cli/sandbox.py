"""The sandbox on the command line: the same three options for every command."""

from __future__ import annotations

import contextlib
import sys
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    import argparse
    from collections.abc import Iterator

    from workbench.bench import Workbench

__all__ = ["add_sandbox_arguments", "sandbox_options", "workbench_for"]


def add_sandbox_arguments(parser: argparse.ArgumentParser) -> None:
    """Declare the options of a command that loads plugins."""
    group = parser.add_argument_group(
        "sandbox", "for plugins from strangers; without it they have all your rights"
    )
    group.add_argument(
        "--sandbox",
        action="store_true",
        help="a plugin may read system libraries, what its open params name, and "
        "write only in a folder of its own; no network, no other programs",
    )
    group.add_argument(
        "--sandbox-read",
        metavar="PATH",
        action="append",
        default=[],
        help="a file or folder that it may read as well; may be repeated",
    )
    group.add_argument(
        "--sandbox-network", action="store_true", help="it may use the Internet"
    )


def sandbox_options(args: argparse.Namespace) -> dict[str, Any]:
    """Give the keywords for ``load``, ``inspect`` and ``Workbench``.

    Ends the command with status 2 where the options make no sense together.
    """
    if not args.sandbox and (args.sandbox_read or args.sandbox_network):
        word = "--sandbox-read" if args.sandbox_read else "--sandbox-network"
        print(f"workbench: {word} goes with --sandbox", file=sys.stderr)
        raise SystemExit(2)
    if not args.sandbox:
        return {}
    return {
        "sandbox": True,
        "sandbox_read": args.sandbox_read,
        "sandbox_network": args.sandbox_network,
    }


@contextlib.contextmanager
def workbench_for(args: argparse.Namespace) -> Iterator[Workbench]:
    """Give a Workbench as the options say; at its end, say what was denied."""
    from workbench.bench import Workbench
    from workbench.html import printable

    with Workbench(**sandbox_options(args)) as bench:
        try:
            yield bench
        finally:
            held = bench.sandbox
            for text in held.denied if held is not None else ():
                print(f"workbench: {printable(text)}", file=sys.stderr)
