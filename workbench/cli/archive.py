"""``workbench archive``: many capture files as one, here or on a Dask cluster."""

from __future__ import annotations

import contextlib
import sys
import threading
from pathlib import Path
from typing import TYPE_CHECKING, Any

from workbench.cli.options import (
    FAILED,
    FINE,
    add_option,
    add_options,
    add_sandbox_options,
    count,
    note,
    print_json,
    sandbox_options,
)
from workbench.errors import WorkbenchError
from workbench.formatting.printable import printable

if TYPE_CHECKING:
    import argparse
    from collections.abc import Callable, Iterator

    from workbench.archives.archive import Archive
    from workbench.archives.parts import Part

__all__ = ["add_arguments", "run"]

_MAX_ALERTS = 1000


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Declare what the command takes."""
    commands = parser.add_subparsers(
        dest="action", required=True, metavar="ACTION", help="what to do"
    )
    for name, (_, add, text) in _ACTIONS.items():
        own = commands.add_parser(name, help=text, description=f"{text.capitalize()}.")
        own.add_argument(
            "paths",
            metavar="PATH",
            nargs="+",
            help="capture files, folders, globs or URLs such as s3://bucket/folder",
        )
        own.add_argument(
            "--scheduler",
            metavar="ADDRESS",
            help="run on this Dask cluster, for example tcp://host:8786",
        )
        add_options(own, "--with")
        own.add_argument(
            "--collect",
            action="store_true",
            help="leave out files that fail, and name them, instead of stopping",
        )
        add_sandbox_options(own)
        add(own)


def _add_ls(parser: argparse.ArgumentParser) -> None:
    add_option(parser, "--json")


def _add_count(parser: argparse.ArgumentParser) -> None:
    add_options(parser, "--where")
    _add_times(parser)


def _add_times(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("--from", dest="start", metavar="TIME", help="first time (UTC)")
    parser.add_argument("--to", dest="end", metavar="TIME", help="first time after it")


def _add_run(parser: argparse.ArgumentParser) -> None:
    add_option(parser, "-r", required=True, help="rules files or directories, in order")
    add_option(parser, "--json", help="print one JSON object per alert")
    parser.add_argument(
        "--all-matches",
        action="store_true",
        help="let every matching rule alert, not only the first",
    )
    parser.add_argument(
        "--alerts-per-rule",
        metavar="N",
        type=count,
        default=_MAX_ALERTS,
        help="keep the first N alerts of each rule (default: %(default)s)",
    )
    parser.add_argument(
        "--out", metavar="FILE", type=Path, help="write the alerts as Parquet"
    )
    _add_times(parser)


def _add_convert(parser: argparse.ArgumentParser) -> None:
    parser.add_argument(
        "--out", metavar="DIR", type=Path, required=True, help="folder to write into"
    )
    parser.add_argument(
        "--keep-events",
        action="store_true",
        help="keep the stored events, to extract further fields later",
    )


def _add_verify(parser: argparse.ArgumentParser) -> None:
    add_option(parser, "--json")


def run(args: argparse.Namespace) -> int:
    """Do what the action says."""
    from workbench.archives.archive import archive
    from workbench.archives.loaded import PluginSpec

    options = tuple(sandbox_options(args).items())
    with _client(args.scheduler) as client:
        found = archive(
            args.paths,
            plugins=[PluginSpec(name, None, options) for name in args.companions],
            client=client,
            errors="collect" if args.collect else "raise",
        )
        if hasattr(args, "start") and (args.start or args.end):
            found = found.between(args.start, args.end)
        act: Callable[[Archive, argparse.Namespace], int] = _ACTIONS[args.action][0]
        return act(found, args)


@contextlib.contextmanager
def _client(address: str | None) -> Iterator[Any]:
    if address is None:
        yield None
        return
    from workbench.archives.failures import require

    require("dask", "distributed", "fsspec")
    from distributed import Client

    try:
        client = Client(address, timeout="10s")
    except (OSError, ValueError, TimeoutError) as error:
        raise WorkbenchError(
            f"no Dask scheduler answers at {address}: {error}; start one with "
            "dask scheduler"
        ) from None
    with client:
        yield client


@contextlib.contextmanager
def _bar(found: Archive) -> Iterator[Callable[[Part], None]]:
    """Yield what is told of each part that is done: a bar of bytes, on a terminal."""
    from tqdm import tqdm

    parts = found.parts()
    shares: dict[int, int] = {}
    for part in parts:
        shares[part.file] = shares.get(part.file, 0) + 1
    sizes = {part.file: part.bytes for part in parts}
    told = threading.Lock()
    rows = 0
    with tqdm(
        total=sum(sizes.values()),
        unit="B",
        unit_scale=True,
        disable=not sys.stderr.isatty(),
        file=sys.stderr,
    ) as bar:

        def watch(part: Part) -> None:
            nonlocal rows
            with told:
                rows += part.rows or 0
                bar.set_postfix_str(f"{rows:,} events", refresh=False)
                bar.update(part.bytes / shares.get(part.file, 1))

        found.watch = watch
        yield watch


def _ls(found: Archive, args: argparse.Namespace) -> int:
    frame = found.files
    if args.json:
        print_json(
            {
                "files": [
                    {
                        "path": row.path,
                        "bytes": row.bytes,
                        "rows": None if row.rows is None else int(row.rows),
                        "first": None if row.first is None else row.first.isoformat(),
                        "last": None if row.last is None else row.last.isoformat(),
                        "sources": row.sources.split(", ") if row.sources else [],
                        "damage": row.damage or None,
                    }
                    for row in frame.astype(object)
                    .where(frame.notna(), None)
                    .itertuples(index=False)
                ],
                "fields": list(found.fields),
            }
        )
        return FINE
    for row in frame.itertuples(index=False):
        rows = "?" if row.rows is None or row.rows != row.rows else f"{row.rows:,}"
        first = "" if row.first is None else str(row.first)[:19]
        damage = f"  cannot be read: {printable(row.damage)}" if row.damage else ""
        print(
            f"{row.bytes:>15,}  {rows:>13}  {first:19}  {printable(row.sources):12}  "
            f"{printable(row.path)}{damage}"
        )
    for line in repr(found).strip("<>").split("\n"):
        note(line)
    return FAILED if frame["damage"].ne("").any() else FINE


def _count(found: Archive, args: argparse.Namespace) -> int:
    with _bar(found):
        print(len(found) if args.where is None else found.count(args.where))
    return FAILED if found.failures else FINE


def _run(found: Archive, args: argparse.Namespace) -> int:
    from workbench.rules.ruleset import load_rules

    rules = load_rules(*args.rules)
    with _bar(found):
        alerts = rules.run(
            found,
            all_matches=args.all_matches or None,
            alerts_per_rule=args.alerts_per_rule,
        )
    if args.out is not None:
        alerts.save(args.out)
        note(f"{len(alerts.table):,} alerts written to {args.out}")
    elif args.json:
        sys.stdout.write(alerts.to_jsonl())
    else:
        for line in alerts.lines():
            print(printable(line))
    target = sys.stderr if args.json or args.out else sys.stdout
    print(alerts.statistics(), file=target)
    for text in alerts.notes:
        note(text)
    return FAILED if alerts.failures else FINE


def _convert(found: Archive, args: argparse.Namespace) -> int:
    from workbench.archives.convert import convert

    with _bar(found) as watch:
        done = convert(found, args.out, keep_events=args.keep_events, watch=watch)
    note(
        f"{done.written:,} files with {done.rows:,} events converted into {args.out}, "
        f"{done.kept:,} were there already"
    )
    return FAILED if done.failures else FINE


def _verify(found: Archive, args: argparse.Namespace) -> int:
    from workbench.archives.verify import verify

    with _bar(found) as watch:
        wrong = verify(found, watch=watch)
    if args.json:
        print_json(
            {"failures": [{"path": f.path, "message": f.message} for f in wrong]}
        )
    else:
        for failure in wrong:
            print(printable(str(failure)))
    note(f"{len(found.files):,} files, {len(wrong):,} of them not whole")
    return FAILED if wrong else FINE


# Action → what carries it out, its arguments, help.
_ACTIONS: dict[str, tuple[Any, Any, str]] = {
    "ls": (_ls, _add_ls, "list the files, with events, times and sources"),
    "count": (_count, _add_count, "count the events, or those that match a condition"),
    "run": (_run, _add_run, "run rules over all events"),
    "convert": (_convert, _add_convert, "write all as Parquet, by source and day"),
    "verify": (_verify, _add_verify, "check that every file is whole"),
}
