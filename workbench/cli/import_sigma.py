"""``workbench import-sigma``: Sigma rules as a rules file, and what was left out."""

from __future__ import annotations

import sys
from pathlib import Path
from typing import TYPE_CHECKING

from workbench.cli.options import (
    FAILED,
    FINE,
    add_option,
    add_sandbox_options,
    note,
    sandbox_options,
)
from workbench.formatting.printable import printable
from workbench.saving import check_folder

if TYPE_CHECKING:
    import argparse

    from workbench.sigma.importing import SigmaRules

__all__ = ["add_arguments", "run"]


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Declare what the command takes."""
    add = parser.add_argument
    add("files", metavar="FILE", nargs="+", help="Sigma rules, or folders of them")
    add(
        "--source",
        metavar="S",
        help="event source: aws_cloudtrail, k8s_audit, okta, github, gcp_auditlog; not "
        "needed with --plugin",
    )
    add_option(
        parser,
        "--plugin",
        action="store",
        default=None,
        help="take source and fields from this plugin",
    )
    add(
        "--pipeline",
        metavar="YAML",
        type=Path,
        help="a pipeline of pySigma that maps further fields",
    )
    add(
        "-o",
        "--out",
        metavar="FILE",
        type=Path,
        help="write the rules here; default: standard output",
    )
    add_sandbox_options(parser)


def run(args: argparse.Namespace) -> int:
    """Convert; 1 when a rule was left out, the others are written all the same."""
    from workbench.cli.options import usage_error

    if (args.source is None) == (args.plugin is None):
        return usage_error("give --source, or --plugin to take it from")
    if args.out is not None:
        check_folder(args.out)
    rules = _converted(args)
    for item in rules.diagnostics:
        note(printable(str(item)))
    left_out = len({(d.file, d.context) for d in rules.diagnostics.errors})
    made = len(rules.rules)
    note(f"{made} rule{'' if made == 1 else 's'} made, {left_out} left out")
    if made and args.out is not None:
        rules.save(args.out)
    elif made:
        sys.stdout.write(rules.to_yaml())
    return FAILED if left_out or not made else FINE


def _converted(args: argparse.Namespace) -> SigmaRules:
    from workbench.sigma.importing import rules_from_sigma

    if args.plugin is None:
        return rules_from_sigma(*args.files, source=args.source, pipeline=args.pipeline)
    from workbench.plugins.plugin import load

    with load(args.plugin, **sandbox_options(args)) as plugin:
        return rules_from_sigma(*args.files, source=plugin, pipeline=args.pipeline)
