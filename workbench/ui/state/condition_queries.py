"""The lab's calls into plugins, events and the condition engine, in one place.

Everything here turns results into plain data for the screen: texts, numbers, positions.
Positions in text come as bytes and leave as UTF-16 units, which editors count in.
"""

from __future__ import annotations

import contextlib
import re
from typing import TYPE_CHECKING, Any

from workbench.errors import WorkbenchError

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    import pyarrow as pa

    from workbench.condition.execution.compile import CompiledCondition
    from workbench.diagnostics import Diagnostic
    from workbench.events.events import Events
    from workbench.fields.declarations import FieldInfo

__all__ = [
    "can_stream",
    "compile_text",
    "completions",
    "event_string",
    "explain_event",
    "failure_diagnostic",
    "failure_text",
    "formatted",
    "language_words",
    "open_capture",
    "open_suggestions",
    "output_completions",
    "payload",
    "plugins_of",
    "progress_of",
    "sources_of",
    "target_about",
    "target_name",
    "utf16",
    "value_offsets",
]

_MAX_OPTIONS = 100


def utf16(raw: bytes, offset: int) -> int:
    """Turn a byte offset of UTF-8 text into UTF-16 units."""
    head = raw[: max(0, offset)].decode("utf-8", "replace")
    return len(head) + sum(1 for c in head if ord(c) > 0xFFFF)


def _units(text: str) -> int:
    """Count the UTF-16 units of ``text``."""
    return len(text) + sum(1 for c in text if ord(c) > 0xFFFF)


def _cursor(text: str, units: int) -> int:
    """Turn UTF-16 units into characters."""
    raw = text.encode("utf-16-le", "surrogatepass")[: 2 * max(0, units)]
    return len(raw.decode("utf-16-le", "ignore"))


# -- conditions ----------------------------------------------------------------------


def _shown(item: Diagnostic, raw: bytes) -> dict[str, Any]:
    start, end = 0, len(raw)
    if item.span is not None:
        start, end = item.span.start, max(item.span.end, item.span.start)
    if end == start:
        # A point: mark one character, so that there is something to see.
        start, end = (
            (start, start + 1) if start < len(raw) else (max(0, start - 1), end)
        )
    return {
        "from": utf16(raw, start),
        "to": utf16(raw, end),
        "severity": item.severity,
        "message": item.message,
        "hint": item.hint or "",
        "code": item.code,
    }


def _raw(text: str) -> bytes:
    """Return the bytes that positions in a condition of the lab count."""
    return text.encode("utf-8", "surrogatepass")


def compile_text(
    text: str, fields: Mapping[str, FieldInfo]
) -> tuple[CompiledCondition | None, list[dict[str, Any]]]:
    """Return what to evaluate (None: the text has errors), and all diagnostics."""
    from workbench.condition.execution.compile import try_compile

    raw = _raw(text)
    compiled, found = try_compile(raw, fields)
    return compiled, [_shown(item, raw) for item in found]


def failure_text(error: Exception) -> str:
    """Return an error of the evaluation as one line."""
    if isinstance(error, KeyError):
        return f"no column {error.args[0]!r} in these events"
    return str(error).splitlines()[0] if str(error) else type(error).__name__


def failure_diagnostic(message: str, text: str) -> dict[str, Any]:
    """Return why the rows could not be evaluated as a diagnostic of all the text."""
    end = _units(text)
    return {
        "from": 0,
        "to": end,
        "severity": "error",
        "message": message,
        "hint": "",
        "code": "evaluation",
    }


def formatted(text: str, fields: Mapping[str, FieldInfo]) -> str | None:
    """Return the canonical form of a condition, None when it is not valid."""
    compiled, _ = compile_text(text, fields) if text.strip() else (None, [])
    return None if compiled is None else str(compiled.ast)


def explain_event(events: Events, position: int, compiled: Any) -> dict[str, Any]:
    """Explain why one event matches or not: a line per node of the condition."""
    number = int(events.table.column("evt.num")[position].as_py())
    found = events.explain(number, compiled)
    rows = []
    for line in found.lines:
        verdict = ("yes" if line.verdict else "no") if line.reached else "skipped"
        named = len(line.values) > 1
        values = [f"{v.name} is {v.text}" if named else v.text for v in line.values]
        rows.append(
            {
                "depth": line.depth,
                "text": line.text,
                "verdict": verdict,
                "value": ", ".join(values) if values else None,
                "note": line.reason,
            }
        )
    words = "matches" if found.matches else "does not match"
    return {
        "matches": bool(found.matches),
        "number": number,
        "summary": f"Event {number} {words}.",
        "rows": rows,
    }


def language_words() -> dict[str, list[str]]:
    """Return the words that the editor colours: operators and transformers."""
    from workbench.condition.syntax.lexer import MODIFIERS, TRANSFORMERS
    from workbench.condition.syntax.operators import OPERATORS

    operators = [name for name in OPERATORS if name.isalpha()]
    return {
        "operators": sorted([*operators, *MODIFIERS]),
        "transformers": sorted([*TRANSFORMERS, "val"]),
        "macros": [],
    }


def completions(
    text: str,
    cursor: int,
    fields: Mapping[str, FieldInfo],
    values: Mapping[str, list[str]],
) -> dict[str, Any]:
    """Return the candidates at ``cursor`` (UTF-16 units): where from, and options.

    ``values``: column name → values seen in the data, the most frequent first.
    """
    from workbench.condition import complete

    at = _cursor(text, cursor)
    found = complete(text, at, fields, values=values)
    start = found[0].start if found else at
    return {
        "from": cursor - _units(text[start:at]),
        "options": [
            {
                "text": item.text,
                "kind": item.kind,
                "info": item.description,
                "detail": _field_type(item, fields),
            }
            for item in found[:_MAX_OPTIONS]
            if item.start == start
        ],
    }


def _field_type(item: Any, fields: Mapping[str, FieldInfo]) -> str:
    info = fields.get(item.text) if item.kind == "field" else None
    if info is None:
        return str(item.kind)
    return info.type + (" list" if info.is_list else "")


_OUTPUT_WORD = re.compile(r"%([\w.]*)\Z")


def output_completions(
    text: str, cursor: int, fields: Mapping[str, FieldInfo]
) -> dict[str, Any]:
    """Return fields that continue the ``%name`` before ``cursor`` (UTF-16 units)."""
    from workbench.fields.builtin import BUILTIN_FIELDS

    word = _OUTPUT_WORD.search(text[: _cursor(text, cursor)])
    if word is None:
        return {"from": cursor, "options": []}
    known = {**fields, **BUILTIN_FIELDS}
    starts = [name for name in known if name.startswith(word[1])]
    inside = [name for name in known if word[1] in name and name not in starts]
    return {
        "from": cursor - len(word[0]),
        "options": [
            {
                "text": f"%{name}",
                "kind": "field",
                "info": known[name].desc or known[name].display,
                "detail": known[name].type,
            }
            for name in (starts + inside)[:_MAX_OPTIONS]
        ],
    }


# -- events --------------------------------------------------------------------------


def payload(events: Events, position: int) -> bytes | None:
    """Return the plugin's own bytes of one event, None when they were not kept."""
    one = events[position : position + 1]
    with contextlib.suppress(WorkbenchError, KeyError):
        value = one.extract("payload").table.column("payload")[0].as_py()
        return None if value is None else bytes(value)
    return None


def event_string(events: Events | None, position: int) -> str:
    """Return the plugin's own one-line text of an event, "" when it has none."""
    if events is None:
        return ""
    one = events[position : position + 1]
    if not one.keeps_raw:
        return ""
    with contextlib.suppress(WorkbenchError, KeyError):
        value = one.extract("evt.plugininfo").table.column("evt.plugininfo")[0].as_py()
        if isinstance(value, bytes):
            return value[:2000].decode("utf-8", "replace")
        return "" if value is None else str(value)[:2000]
    return ""


def value_offsets(
    events: Events | None, position: int
) -> dict[str, list[tuple[int, int]]]:
    """Return column → (start, length) in the payload that its values came from."""
    if events is None:
        return {}
    with contextlib.suppress(WorkbenchError, KeyError):
        return events.places(position)
    return {}


# -- plugins -------------------------------------------------------------------------


def plugins_of(target: Any) -> list[Any]:
    """Return the plugins of a target: one, several, or none for events."""
    plugins = getattr(target, "plugins", None)
    if isinstance(plugins, dict):
        return list(plugins.values())
    return [target] if hasattr(target, "info") else []


def can_stream(target: Any) -> bool:
    """Whether there is an event source to open."""
    return bool(sources_of(target)) and hasattr(target, "open")


def sources_of(target: Any) -> list[str]:
    """Return the event sources that can be opened."""
    return [
        plugin.info.event_source
        for plugin in plugins_of(target)
        if "sourcing" in plugin.info.capabilities
    ]


def target_name(target: Any) -> str:
    """Return a short name: plugin and version, or the source of events."""
    plugins = plugins_of(target)
    if plugins:
        return " + ".join(f"{p.info.name} {p.info.version}" for p in plugins)
    source = getattr(target, "source", "")
    return f"{source} events" if source else "Events"


def target_about(target: Any) -> dict[str, Any]:
    """Return name, version and description of a target, for the app bar."""
    plugins = plugins_of(target)
    if not plugins:
        return {"name": target_name(target), "version": "", "desc": ""}
    first = plugins[0].info
    name = " + ".join(p.info.name for p in plugins)
    version = first.version if len(plugins) == 1 else ""
    return {"name": name, "version": version, "desc": first.description}


def open_suggestions(target: Any) -> list[dict[str, str]]:
    """Return what the plugins suggest for open: value and description."""
    return [
        {"value": param.value, "desc": param.desc}
        for plugin in plugins_of(target)
        if "sourcing" in plugin.info.capabilities
        for param in plugin.open_params
    ]


def open_capture(
    target: Any, params: str, source: str
) -> tuple[Any, Mapping[str, FieldInfo], Callable[[pa.Table], Events]]:
    """Open a source: the capture, its fields, and how its rows become Events."""
    from workbench.events.events import Events
    from workbench.plugins.collect import EventsBuilder
    from workbench.plugins.extraction import PoolExtractor

    if hasattr(target, "plugins"):
        capture = target.open(params, source=source, keep_events=True)
    else:
        capture = target.open(params, keep_events=True)
    extractor = PoolExtractor(capture.pool)

    def make_events(table: pa.Table) -> Events:
        origin = EventsBuilder(capture).events().origin
        return Events(table, fields=capture.fields, origin=origin, extractor=extractor)

    return capture, capture.fields, make_events


def progress_of(capture: Any) -> dict[str, Any] | None:
    """Return how far the plugin says it is; None when it does not."""
    with contextlib.suppress(Exception):
        now = capture.progress
        if now.percent is not None or now.text:
            return {"percent": now.percent, "text": now.text}
    return None
