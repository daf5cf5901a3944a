"""``workbench test``: rule tests, with a report and JUnit XML for CI."""

from __future__ import annotations

import argparse
import sys
import time
from pathlib import Path

from workbench.cli.options import (
    FAILED,
    FINE,
    add_option,
    add_sandbox_options,
    sandbox_options,
)
from workbench.errors import RulesError
from workbench.formatting.printable import printable
from workbench.rules.test_runs import run_file
from workbench.rules.testing import case_files
from workbench.rules.testing.report import TestReport
from workbench.saving import check_folder, save_text

__all__ = ["add_arguments", "run"]


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Declare what the command takes."""
    parser.formatter_class = argparse.RawDescriptionHelpFormatter
    parser.epilog = case_files.__doc__
    parser.add_argument(
        "files",
        metavar="FILE",
        nargs="+",
        help="rule test files, or folders with *rule_tests.yaml files",
    )
    add_option(parser, "-r", help="rules files to use instead of those the tests name")
    add_option(
        parser,
        "--plugin",
        help="plugin to use instead of those the tests name; may be repeated",
    )
    parser.add_argument(
        "--junit-xml", metavar="PATH", type=Path, help="write a JUnit report, too"
    )
    parser.add_argument(
        "-q", "--quiet", action="store_true", help="show only the tests that fail"
    )
    add_sandbox_options(parser)


def run(args: argparse.Namespace) -> int:
    """Run the tests of every file; 0 when every case passed, else 1.

    A case that is not decided did not pass.
    """
    options = sandbox_options(args)
    if args.junit_xml:
        check_folder(args.junit_xml)
    report = TestReport()
    begun = time.monotonic()
    files = [p for name in args.files for p in case_files.test_files(Path(name))]
    for name in files:
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
            print(printable(f"{name}::{result.name} {result.verdict}"))
    for result in report.failures:
        print(f"\n{printable(result.file)}:{result.line}: {printable(result.name)}")
        for line in result.message.splitlines():
            print(f"    {printable(line)}")
    spent = time.monotonic() - begun
    print(f"\n{report.summary} in {spent:.2f}s")
    if args.junit_xml:
        save_text(args.junit_xml, report.to_junit())
    return FAILED if report.failures else FINE
