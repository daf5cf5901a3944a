"""``workbench inspect``: everything a plugin says about itself."""

from __future__ import annotations

import json
import shlex
import warnings
from typing import TYPE_CHECKING, Any

from workbench.cli.options import (
    FINE,
    add_option,
    add_sandbox_options,
    note,
    sandbox_options,
)
from workbench.errors import WorkbenchError
from workbench.fields.declarations import describe_argument
from workbench.formatting.columns import aligned, column_widths
from workbench.formatting.printable import printable, repaired
from workbench.manifest import CAPABILITIES
from workbench.schemas.resolving import resolve_schema

if TYPE_CHECKING:
    import argparse
    from collections.abc import Iterable, Iterator, Sequence

    from workbench.manifest import Manifest

__all__ = ["add_arguments", "render_manifest", "run"]


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Declare what the command takes."""
    add_option(parser, "plugin")
    add_option(
        parser, "--config", help="init config, to learn the suggested open params"
    )
    add_option(parser, "--json")
    add_sandbox_options(parser)


def run(args: argparse.Namespace) -> int:
    """Inspect, initialise if possible to learn the open params, and print."""
    from workbench.plugins.plugin import inspect, load

    options = sandbox_options(args)
    manifest = inspect(args.plugin, **options)
    failure = ""
    if not manifest.complaints:
        try:
            with warnings.catch_warnings():
                if not args.json:
                    # the page says it, too
                    warnings.filterwarnings("ignore", ".*does not load this plugin")
                with load(args.plugin, config=args.config, **options) as plugin:
                    manifest = plugin.info
        except WorkbenchError as error:
            failure = str(error)
    if args.json:
        print(repaired(json.dumps(manifest.to_dict(), ensure_ascii=False, indent=2)))
        if failure:
            note(f"not initialised: {failure}")
        return FINE
    print(render_manifest(manifest, failure))
    return FINE


def _table(rows: Iterable[Sequence[str]], indent: str = "  ") -> list[str]:
    """Return aligned lines; the last column is as long as it is."""
    cells = [[printable(cell, limit=160) for cell in row] for row in rows]
    if not cells:
        return []
    widths = column_widths(cells)
    return [indent + aligned(row, widths) for row in cells]


def _schema_rows(schema: dict[str, Any]) -> list[tuple[str, str, str]]:
    """Return key, type and meaning of each top-level property of the init config."""
    schema = resolve_schema(schema)
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


def _head(m: Manifest) -> list[str]:
    """Return name, version, description and the facts of one line each."""
    lines = [f"{printable(m.name) or '(no name)'} {printable(m.version)}".rstrip()]
    if m.description:
        lines.append(printable(m.description, limit=400))
    facts = [("library", m.path)]
    if m.contact:
        facts.append(("contact", m.contact))
    if m.required_api_version:
        facts.append(("plugin API", m.required_api_version))
    if m.falco_refusal:
        facts.append(("Falco", m.falco_refusal))
    if m.event_source:
        number = f", plugin ID {m.id}" if m.id else ""
        facts.append(("event source", f"{m.event_source}{number}"))
    if m.extract_event_sources:
        facts.append(("extracts from", ", ".join(m.extract_event_sources)))
    return [*lines, "", *_table(facts, indent="")]


def _field_rows(m: Manifest) -> Iterator[tuple[str, str, str, str]]:
    for f in m.fields.values():
        kind = f"list of {f.type}" if f.is_list else f.type
        name = f.name + ("[…]" if f.arg else "")
        yield name, kind, describe_argument(f.arg), f.desc


def _next_command(m: Manifest) -> list[str]:
    """Return the command that streams from a plugin which can be initialised."""
    if "sourcing" not in m.capabilities or m.complaints:
        return []
    params = m.open_params or ()
    opened = f" --open {shlex.quote(params[0].value)}" if params else ""
    command = f"workbench stream {shlex.quote(m.path)}{opened} --max-events 10"
    return [f"  {printable(command)}"]


def render_manifest(manifest: Manifest, failure: str = "") -> str:
    """Return the page for a newcomer; ``failure``: why it was not initialised."""
    m = manifest
    schema = [] if m.init_schema is None else _table(_schema_rows(m.init_schema))
    if m.init_schema is not None and not schema:
        schema = ["  any JSON object"]
    sections = {
        "Capabilities": _table((w, CAPABILITIES.get(w, "")) for w in m.capabilities),
        f"Fields ({len(m.fields)}), for conditions and outputs": _table(_field_rows(m)),
        "Init config (JSON; --config)": schema,
        "Suggested open params (--open)": _table(_open_rows(m)),
        "Complaints": [f"  {printable(c)}" for c in m.complaints],
        "Not initialised": [f"  {printable(line)}" for line in failure.splitlines()],
        "Next": [] if failure else _next_command(m),
    }
    lines = _head(m)
    for title, rows in sections.items():
        if rows:
            lines += ["", title, *rows]
    return "\n".join(lines)
