"""``workbench inspect``: everything a plugin says about itself."""

from __future__ import annotations

import json
import shlex
import sys
from typing import TYPE_CHECKING, Any

from workbench.cli.sandbox import add_sandbox_arguments, sandbox_options
from workbench.errors import WorkbenchError
from workbench.fields import describe_argument
from workbench.html import printable, repaired
from workbench.manifest import CAPABILITIES

if TYPE_CHECKING:
    import argparse
    from collections.abc import Iterable, Sequence

    from workbench.manifest import Manifest

__all__ = ["add_arguments", "render_manifest", "run"]


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Declare what the command takes."""
    parser.add_argument("plugin", metavar="PLUGIN", help="the plugin library, a .so")
    parser.add_argument(
        "--config",
        metavar="TEXT",
        help="init config, to learn the suggested open params",
    )
    parser.add_argument("--json", action="store_true", help="print one JSON object")
    add_sandbox_arguments(parser)


def run(args: argparse.Namespace) -> int:
    """Inspect, initialise if possible for the open params, print."""
    from workbench.plugin import inspect, load

    options = sandbox_options(args)
    manifest = inspect(args.plugin, **options)
    note = ""
    if not manifest.complaints:
        try:
            with load(args.plugin, config=args.config, **options) as plugin:
                manifest = plugin.info
        except WorkbenchError as error:
            note = str(error)
    if args.json:
        print(repaired(json.dumps(manifest.to_dict(), ensure_ascii=False, indent=2)))
        if note:
            print(f"workbench: not initialised: {note}", file=sys.stderr)
        return 0
    print(render_manifest(manifest, note))
    return 0


def _table(rows: Iterable[Sequence[str]], indent: str = "  ") -> list[str]:
    """Align all columns but the last."""
    cells = [[printable(cell, limit=160) for cell in row] for row in rows]
    if not cells:
        return []
    widths = [max(len(row[i]) for row in cells) for i in range(len(cells[0]) - 1)]
    return [
        indent
        + "  ".join(
            [c.ljust(w) for c, w in zip(row, widths, strict=False)] + [row[-1]]
        ).rstrip()
        for row in cells
    ]


def _schema_rows(schema: dict[str, Any]) -> list[tuple[str, str, str]]:
    """Give key, type and meaning of the init config's top level."""
    properties = schema.get("properties")
    if not isinstance(properties, dict):
        return []
    required = schema.get("required")
    rows = []
    for key, value in properties.items():
        about = value if isinstance(value, dict) else {}
        kind = about.get("type", "any")
        words = kind if isinstance(kind, str) else " or ".join(map(str, kind))
        if isinstance(required, list) and key in required:
            words += ", required"
        if "default" in about:
            words += f", default {json.dumps(about['default'], ensure_ascii=False)}"
        text = about.get("description") or about.get("title") or ""
        rows.append((str(key), words, str(text)))
    return rows


def _open_rows(manifest: Manifest) -> list[tuple[str, str]]:
    rows = []
    for param in manifest.open_params or ():
        several = f" (several, separated by {param.separator!r})"
        rows.append(
            (
                shlex.quote(param.value),
                param.desc + (several if param.separator else ""),
            )
        )
    return rows


def render_manifest(manifest: Manifest, note: str = "") -> str:
    """Give the pages a newcomer reads; ``note``: why it could not be initialised."""
    m = manifest
    lines = [f"{printable(m.name) or '(no name)'} {printable(m.version)}".rstrip()]
    if m.description:
        lines.append(printable(m.description, limit=400))
    facts = [("library", m.path)]
    if m.contact:
        facts.append(("contact", m.contact))
    if m.required_api_version:
        facts.append(("plugin API", m.required_api_version))
    if m.event_source:
        number = f", plugin ID {m.id}" if m.id else ""
        facts.append(("event source", f"{m.event_source}{number}"))
    if m.extract_event_sources:
        facts.append(("extracts from", ", ".join(m.extract_event_sources)))
    lines += ["", *_table(facts, indent="")]

    def section(title: str, rows: list[str]) -> None:
        if rows:
            lines.extend(["", title, *rows])

    section(
        "Capabilities",
        _table((word, CAPABILITIES.get(word, "")) for word in m.capabilities),
    )
    section(
        f"Fields ({len(m.fields)}), for conditions and outputs",
        _table(
            (
                f.name + ("[…]" if f.arg else ""),
                f"list of {f.type}" if f.is_list else f.type,
                describe_argument(f.arg),
                f.desc,
            )
            for f in m.fields.values()
        ),
    )
    if m.init_schema is not None:
        rows = _table(_schema_rows(m.init_schema))
        section("Init config (JSON; --config)", rows or ["  any JSON object"])
    section("Suggested open params (--open)", _table(_open_rows(m)))
    section("Complaints", [f"  {printable(c)}" for c in m.complaints])
    if note:
        shown = [f"  {printable(line)}" for line in note.splitlines()]
        section("Not initialised", shown)
    if "sourcing" in m.capabilities and not m.complaints and not note:
        params = m.open_params or ()
        opened = f" --open {shlex.quote(params[0].value)}" if params else ""
        command = f"workbench stream {shlex.quote(m.path)}{opened} --max-events 10"
        section("Next", [f"  {printable(command)}"])
    return "\n".join(lines)
