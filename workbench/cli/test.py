"""``workbench test``: rule tests, with a report and JUnit XML for CI."""

from __future__ import annotations

import argparse
import sys
import time
from pathlib import Path

from workbench.cli.sandbox import add_sandbox_arguments, sandbox_options
from workbench.errors import RulesError
from workbench.html import printable
from workbench.rules import case_files
from workbench.rules.case_runs import run_file
from workbench.rules.rule_tests import TestReport

__all__ = ["add_arguments", "run"]


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Declare what the command takes."""
    parser.formatter_class = argparse.RawDescriptionHelpFormatter
    parser.epilog = case_files.__doc__
    add = parser.add_argument
    add("files", metavar="FILE", nargs="+", help="files of rule tests")
    add(
        "-r",
        dest="rules",
        metavar="RULES",
        nargs="+",
        action="extend",
        default=[],
        help="rules files, in place of those that the tests name",
    )
    add(
        "--plugin",
        metavar="PATH",
        action="append",
        default=[],
        help="plugin, in place of those that the tests name; may be repeated",
    )
    add("--junit-xml", metavar="PATH", help="write a JUnit report too")
    add("-q", "--quiet", action="store_true", help="show failures only")
    add_sandbox_arguments(parser)


def run(args: argparse.Namespace) -> int:
    """Carry the command out: 0 when every case passed, else 1."""
    options = sandbox_options(args)
    report = TestReport()
    begun = time.monotonic()
    for name in args.files:
        try:
            part = run_file(
                name, rules=args.rules, plugins=args.plugin, options=options
            )
        except RulesError as error:
            print(error.diagnostics, file=sys.stderr)
            raise
        report.results.extend(part.results)
        for result in part.results:
            if args.quiet and result.passed:
                continue
            word = "PASSED" if result.passed else "FAILED"
            print(printable(f"{name}::{result.name} {word}"))
    for result in report.failures:
        print(f"\n{printable(result.file)}:{result.line}: {printable(result.name)}")
        for line in result.message.splitlines():
            print(f"    {printable(line)}")
    failed = len(report.failures)
    spent = time.monotonic() - begun
    print(f"\n{len(report) - failed} passed, {failed} failed in {spent:.2f}s")
    if args.junit_xml:
        Path(args.junit_xml).write_text(report.to_junit(), encoding="utf-8")
    return 1 if failed else 0
