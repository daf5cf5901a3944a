"""``workbench test``: rule tests, with a report and JUnit XML for CI."""

from __future__ import annotations

import argparse
import sys
import time
from pathlib import Path
from typing import Any

from workbench.cli.options import (
    FAILED,
    FINE,
    add_option,
    add_sandbox_options,
    note,
    percent,
    print_json,
    sandbox_options,
    usage_error,
)
from workbench.errors import RulesError
from workbench.formatting.printable import printable
from workbench.rules.test_runs import mutate_files, run_file
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
    group = parser.add_argument_group(
        "mutation", "test the tests: change the rules as people err, see what notices"
    )
    group.add_argument(
        "--mutation",
        action="store_true",
        help="run mutants of the rules and show those that no test notices",
    )
    group.add_argument(
        "--fail-under",
        metavar="N",
        type=percent,
        help="end with status 1 when fewer than N percent of the mutants are noticed",
    )
    add_option(
        group, "--events", help="a saved capture: where to look for telling events"
    )
    add_option(group, "--json", help="print the mutants as one JSON object")
    add_sandbox_options(parser)


def _mutate(args: argparse.Namespace, options: dict[str, Any]) -> int:
    """Print the mutants that survive; 0 when enough are noticed."""
    report = mutate_files(
        [p for name in args.files for p in case_files.test_files(Path(name))],
        rules=args.rules,
        plugins=args.plugin,
        events=args.events,
        options=options,
    )
    if args.json:
        print_json(report.to_dict())
    else:
        print(report.to_text())
    if args.junit_xml:
        save_text(args.junit_xml, report.to_junit())
    if args.fail_under is not None and 100 * report.score < args.fail_under:
        note(
            f"{100 * report.score:.1f} % of the mutants are noticed, fewer than "
            f"{args.fail_under:g} %"
        )
        return FAILED
    return FINE


def run(args: argparse.Namespace) -> int:
    """Run the tests of every file; 0 when every case passed, else 1.

    A case that is not decided did not pass.
    """
    options = sandbox_options(args)
    if args.junit_xml:
        check_folder(args.junit_xml)
    if args.mutation:
        try:
            return _mutate(args, options)
        except RulesError as error:
            print(error.diagnostics, file=sys.stderr)
            raise
    for word in ("fail_under", "events", "json"):
        given = getattr(args, word)
        if given is not None and given is not False:
            option = "--" + word.replace("_", "-")
            return usage_error(f"{option} goes with --mutation")
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
