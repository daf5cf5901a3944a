"""``workbench plugins``: what is found by name, where it lies, how it got there."""

from __future__ import annotations

import json
import sys
from typing import TYPE_CHECKING

from workbench.cli.options import note
from workbench.errors import WorkbenchError
from workbench.formatting.printable import printable

if TYPE_CHECKING:
    import argparse
    from collections.abc import Sequence

    from workbench.artifacts.listing import FoundPlugin
    from workbench.artifacts.records import Record

__all__ = ["add_arguments", "run"]


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Declare what the command takes."""
    choice = parser.add_mutually_exclusive_group()
    choice.add_argument("--json", action="store_true", help="print one JSON object")
    choice.add_argument(
        "--remove", metavar="NAME", help="remove what workbench get installed as NAME"
    )


def run(args: argparse.Namespace) -> int:
    """List, or remove one."""
    if args.remove is not None:
        return _remove(args.remove)
    from workbench.artifacts.folders import plugin_folders
    from workbench.artifacts.listing import (
        found_plugins,
        installed_rules,
        record_dict,
    )

    folders = plugin_folders()
    plugins, rules = list(found_plugins(note)), installed_rules()
    if args.json:
        data = {
            "folders": [str(folder) for folder in folders],
            "plugins": [plugin.to_dict() for plugin in plugins],
            "rules": [record_dict(record) for record in rules],
        }
        print(json.dumps(data, indent=2))
        return 0
    if not plugins:
        where = ", ".join(str(folder) for folder in folders)
        print(f"workbench: no plugin in {where}", file=sys.stderr)
        print("workbench: to get one: workbench get NAME", file=sys.stderr)
    lines = _plugin_lines(plugins)
    more = _rule_lines(rules)
    for line in [*lines, *([""] if lines and more else []), *more]:
        print(line)
    return 0


def _table(rows: Sequence[Sequence[str]]) -> list[str]:
    """Return lines with all columns but the last aligned."""
    cells = [
        [*(printable(cell, limit=100) for cell in row[:-1]), printable(row[-1])]
        for row in rows
    ]
    widths = [max(map(len, column)) for column in zip(*cells, strict=True)]
    return [
        "  ".join(
            [c.ljust(w) for c, w in zip(row[:-1], widths, strict=False)] + row[-1:]
        ).rstrip()
        for row in cells
    ]


def _plugin_lines(plugins: Sequence[FoundPlugin]) -> list[str]:
    if not plugins:
        return []
    rows = [
        (p.name, p.version or "?", p.event_source or "-", str(p.fields), str(p.path))
        for p in plugins
    ]
    lines = _table([("PLUGIN", "VERSION", "SOURCE", "FIELDS", "WHERE"), *rows])
    out = lines[:1]
    for line, plugin in zip(lines[1:], plugins, strict=True):
        out.append(line)
        if plugin.hidden_by is not None:
            out.append(f"    hidden by {printable(str(plugin.hidden_by))}")
        if plugin.calls_itself not in ("", plugin.name):
            out.append(f"    calls itself {printable(plugin.calls_itself, limit=100)}")
        for text in plugin.complaints:
            out.append(f"    {printable(text, limit=200)}")
    return out


def _rule_lines(rules: Sequence[Record]) -> list[str]:
    if not rules:
        return []
    rows = [(r.name, r.version, str(r.main)) for r in rules]
    return _table([("RULES FILES", "VERSION", "WHERE"), *rows])


def _remove(name: str) -> int:
    from workbench.artifacts.faults import ArtifactFault
    from workbench.artifacts.folders import find_plugin
    from workbench.artifacts.install import remove

    def say(text: str) -> None:
        print(f"workbench: {printable(text)}", file=sys.stderr)

    try:
        record = remove(name, say)
    except ArtifactFault as fault:
        raise WorkbenchError(f"cannot remove {name}: {fault.reason}") from None
    if record is None:
        found = find_plugin(name)
        if found is None:
            raise WorkbenchError(f"nothing is installed as {name!r}")
        raise WorkbenchError(
            f"{found} was not installed by workbench get; delete it yourself"
        )
    say(f"{record.name} {record.version} removed")
    return 0
