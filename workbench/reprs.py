"""How the objects people hold show themselves, in a terminal and in a notebook.

Names, descriptions and values come from plugins and events: text is made printable,
markup is escaped, both are cut to a size.
"""

from __future__ import annotations

import shutil
from typing import TYPE_CHECKING, Any

from workbench.formatting.html import escape, table, tag
from workbench.formatting.printable import printable

if TYPE_CHECKING:
    from workbench.events.events import Events
    from workbench.manifest import Manifest
    from workbench.plugins.plugin import Plugin
    from workbench.plugins.workbench import Workbench

__all__ = [
    "bench_html",
    "bench_text",
    "events_html",
    "events_text",
    "manifest_html",
    "manifest_text",
    "plugin_html",
    "plugin_text",
]

_ROWS = 10
_CELL = 60
_FIELDS = 12


def _count(number: int, noun: str) -> str:
    return f"{number:,} {noun}{'' if number == 1 else 's'}"


def _head(plugin: Plugin) -> str:
    return _named(plugin.info)


def _named(info: Manifest) -> str:
    name = printable(info.name, limit=80) or "(no name)"
    return f"{name} {printable(info.version, limit=40)}".rstrip()


def _facts(info: Manifest) -> list[tuple[str, str]]:
    """Give label and text of what there is to say in short."""
    rows = [("", printable(info.description, limit=200))]
    source = info.event_source
    if source:
        number = f" (plugin ID {info.id})" if info.id else ""
        rows.append(("event source", printable(source, limit=80) + number))
    rows.append(("capabilities", ", ".join(info.capabilities) or "none"))
    if info.extract_event_sources:
        listed = ", ".join(info.extract_event_sources)
        rows.append(("extracts from", printable(listed, limit=200)))
    rows.append(("plugin API", printable(info.required_api_version, limit=40)))
    if info.open_params:
        values = ", ".join(repr(p.value) for p in info.open_params[:5])
        rows.append(("open params", printable(values, limit=200)))
    return [row for row in rows if row[1]]


def _lines(info: Manifest) -> list[str]:
    """Give the facts and the names of the fields, a line each."""
    lines = [f"  {k + ': ' if k else ''}{v}" for k, v in _facts(info)]
    if info.fields:
        names = ", ".join(list(info.fields)[:_FIELDS])
        more = ", …" if len(info.fields) > _FIELDS else ""
        lines.append(
            f"  {_count(len(info.fields), 'field')}: "
            f"{printable(names, limit=400)}{more}"
        )
    return lines


def manifest_text(info: Manifest) -> str:
    """Give the text repr of a Manifest: facts, then complaints."""
    lines = [f"Manifest of {_named(info)}", *_lines(info)]
    if info.complaints:
        lines.append(f"  {_count(len(info.complaints), 'complaint')}:")
        lines += [f"    {printable(c, limit=400)}" for c in info.complaints]
    return "\n".join(lines)


def manifest_html(info: Manifest) -> str:
    """Give the notebook repr of a Manifest: facts, complaints, fields."""
    complaints = "".join(tag("li", escape(c)) for c in info.complaints)
    if complaints:
        count = escape(_count(len(info.complaints), "complaint"))
        complaints = tag("div", tag("b", count), tag("ul", complaints))
    title = tag("b", "Manifest of " + escape(_named(info)))
    return tag("div", title, _facts_html(info), complaints, _fields_html(info))


def _facts_html(info: Manifest) -> str:
    return "".join(
        tag("div", (tag("b", escape(k)) + " " if k else "") + escape(v))
        for k, v in _facts(info)
    )


def _fields_html(info: Manifest) -> str:
    if not info.fields:
        return ""
    return tag(
        "details",
        tag("summary", escape(_count(len(info.fields), "field"))),
        info.fields._repr_html_(),
    )


def plugin_text(plugin: Plugin) -> str:
    """Give the text repr of a Plugin."""
    state = " (closed)" if plugin.closed else ""
    lines = [f"Plugin {_head(plugin)}{state}", *_lines(plugin.info)]
    if "sourcing" in plugin.info.capabilities and not plugin.closed:
        lines.append("  next: plugin.capture(max_events=1000).frame")
    return "\n".join(lines)


def plugin_html(plugin: Plugin) -> str:
    """Give the notebook repr of a Plugin: facts, then its fields."""
    state = " (closed)" if plugin.closed else ""
    title = tag("b", "Plugin " + escape(_head(plugin) + state))
    return tag("div", title, _facts_html(plugin.info), _fields_html(plugin.info))


def bench_text(bench: Workbench) -> str:
    """Give the text repr of a Workbench: a line per plugin."""
    if bench.closed:
        return "Workbench (closed)"
    plugins = list(bench.plugins.values())
    if not plugins:
        return "Workbench: no plugins yet; next: bench.load(path)"
    lines = [f"Workbench: {_count(len(plugins), 'plugin')}"]
    for plugin in plugins:
        what = ", ".join(plugin.info.capabilities)
        lines.append(f"  {_head(plugin)} ({what})")
    sources = ", ".join(bench.sources)
    if sources:
        lines.append(f"  event sources: {printable(sources, limit=200)}")
    return "\n".join(lines)


def bench_html(bench: Workbench) -> str:
    """Give the notebook repr of a Workbench."""
    if bench.closed or not bench.plugins:
        return tag("div", escape(bench_text(bench)))
    rows = [
        (
            p.info.name,
            p.info.version,
            ", ".join(p.info.capabilities),
            p.info.event_source or ", ".join(p.info.extract_event_sources) or "any",
            len(p.fields),
        )
        for p in bench.plugins.values()
    ]
    header = ("plugin", "version", "capabilities", "event source", "fields")
    return tag("div", tag("b", "Workbench"), table(header, rows))


def _title(events: Events) -> str:
    origin = events.origin
    text = _count(len(events), "event")
    if events.source:
        text += f" of {printable(events.source, limit=60)}"
    if origin.plugin:
        maker = " ".join(filter(None, (origin.plugin, origin.plugin_version)))
        text += f" from {printable(maker, limit=80)}"
    if events.end_reason and events.end_reason != "eof":
        text += f", ended: {events.end_reason}"
    if events.keeps_raw:
        text += ", events kept"
    return text


def _cells(events: Events) -> tuple[list[str], list[list[str]]]:
    """Give the header and the first rows as printable texts."""
    head = events[:_ROWS].frame
    rows = [
        [printable(_cell(value), limit=_CELL) for value in row]
        for row in head.itertuples(index=False, name=None)
    ]
    return [printable(str(c), limit=_CELL) for c in head.columns], rows


def _cell(value: Any) -> str:
    if isinstance(value, list):
        return "[" + ", ".join(map(str, value)) + "]"
    if isinstance(value, bytes):
        return repr(value)
    text = str(value)
    return "" if text in {"<NA>", "nan", "NaT", "None"} else text


def _fitted(rows: list[list[str]]) -> list[str]:
    """Align columns, as many as fit the terminal, and say how many do not."""
    room = shutil.get_terminal_size().columns
    widths = [min(_CELL, max(map(len, column))) for column in zip(*rows, strict=True)]
    shown, used = 0, 0
    for width in widths:
        used += width + 2
        if shown > 2 and used > room:
            break
        shown += 1
    lines = [
        "  ".join(
            c.ljust(w) for c, w in zip(row[:shown], widths[:shown], strict=True)
        ).rstrip()
        for row in rows
    ]
    if shown < len(widths):
        names = ", ".join(rows[0][shown:])
        more = _count(len(widths) - shown, "more column")
        lines.append(printable(f"{more}: {names}", limit=max(_CELL, room)))
    return lines


def events_text(events: Events) -> str:
    """Give the text repr of Events: what they are, and the first rows."""
    lines = [f"Events: {_title(events)}"]
    lines += [f"note: {printable(n, limit=200)}" for n in events.origin.notes]
    if len(events):
        header, rows = _cells(events)
        lines += _fitted([header, *rows])
        if len(events) > _ROWS:
            lines.append(f"… {len(events) - _ROWS:,} more; the frame has all: .frame")
    return "\n".join(lines)


def events_html(events: Events) -> str:
    """Give the notebook repr of Events: what they are, and the first rows."""
    parts = [tag("b", "Events: " + escape(_title(events)))]
    parts += [tag("div", escape("note: " + n, limit=200)) for n in events.origin.notes]
    if len(events):
        header, rows = _cells(events)
        parts.append(table(header, rows))
        if len(events) > _ROWS:
            parts.append(tag("div", f"… {len(events) - _ROWS:,} more"))
    return tag("div", *parts)
