"""``workbench demo``: the main job, without a browser."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    import argparse

__all__ = ["add_arguments", "run"]


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Declare what the command takes: nothing."""
    del parser


def run(args: argparse.Namespace) -> int:
    """Run the demo."""
    from workbench.demo import main

    del args
    return main()
