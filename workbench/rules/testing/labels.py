"""From labelled events to a file of rule tests."""

from __future__ import annotations

import os
from typing import TYPE_CHECKING, Any

from workbench.errors import WorkbenchError
from workbench.fields.declarations import FieldInfo
from workbench.fields.reference import resolve_column
from workbench.rules.target.value_text import address_text, raw_values
from workbench.saving import save_text
from workbench.yamlcpp.emit import flow, flow_value, scalar

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping, Sequence
    from pathlib import Path

    from workbench.rules.model.model import Rule

__all__ = ["declared_types", "write_tests", "written_value"]

# More labelled events than this are kept in a capture beside the file.
_MAX_INLINE = 200
# The same for more bytes of payload than this.
_MAX_BYTES = 1 << 20
_BYTES = FieldInfo("payload", "string")
# Columns that are never values of a case.
_NOT_VALUES = frozenset(("raw", "payload", "evt.source"))


def write_tests(
    events: Any,
    path: Path,
    *,
    rule: Rule,
    needed: Sequence[str],
    rules_files: Sequence[str] = (),
    columns: Sequence[str] = (),
) -> Path:
    """Write labelled events as a file of tests and return its path.

    ``rule``: must fire on events labelled "must match" and must not on the others; of
    mixed events only those of its source count. ``needed``: the columns that it reads.
    ``columns``: write the values of these, and of what is needed, in place of payloads.
    Many events, and those of plugins that keep state, are saved to a capture beside the
    file instead. Raises WorkbenchError when no event is labelled.
    """
    labels = events.labels
    if not events.source and rule.source in events.sources:
        events = events.by_source()[rule.source]
    numbers = events.table.column("evt.num").to_pylist()
    chosen = [number in labels for number in numbers]
    labels = {n: labels[n] for n in numbers if n in labels}
    if not labels:
        raise WorkbenchError(
            "no event is labelled; use events.label(mask, must_match=…)"
        )
    lines = [f"source: {scalar(events.source)}"]
    if rules_files:
        lines.append(f"rules: {flow_value(rules_files)}")
    labelled = events[chosen]
    payloads = None if columns else _payloads(labelled)
    if payloads is not None:
        lines += _plugin_lines(events.libraries, path.parent)
    if payloads is not None and events.stateful:
        # what came before an event decides what its plugins say of it
        lines += _captured(events, path, labels, rule.name)
    elif len(labels) > _MAX_INLINE or sum(map(len, payloads or ())) > _MAX_BYTES:
        lines += _captured(labelled, path, labels, rule.name)
    elif payloads is not None:
        lines += _payload_cases(labelled, payloads, labels, rule.name)
    else:
        given = [n for n in labelled.table.column_names if n not in _NOT_VALUES]
        names = [*(columns or given), *needed]
        names = ["evt.num", "evt.rawtime", *map(_plain, names)]
        chosen_names = [n for n in dict.fromkeys(names) if n not in _NOT_VALUES]
        lines += _inline_cases(labelled, labels, rule.name, chosen_names)
    return save_text(path, "\n".join(lines) + "\n")


def _plain(name: str) -> str:
    """Return the column that a built-in one is made from."""
    return "evt.rawtime" if name.startswith("evt.") and name != "evt.num" else name


def _payloads(events: Any) -> list[bytes] | None:
    """Return the plugins' own bytes; None when they, or plugins to read them, lack."""
    from workbench.events.builtin_columns import async_flags, payloads

    if not events.keeps_raw or not events.libraries:
        return None
    if async_flags(events.table).any():
        return None
    found: list[bytes] = payloads(events.table.column("raw")).to_pylist()
    return found


def _plugin_lines(libraries: Sequence[tuple[str, str]], folder: Path) -> Iterator[str]:
    """Yield the lines that name the plugins."""
    yield "plugins:"
    for library, config in libraries:
        name = library
        if "/" in library:
            name = os.path.relpath(library, folder.resolve())
            name = name if "/" in name else f"./{name}"
        if config:
            yield f"  - library: {scalar(name)}"
            yield f"    config: {scalar(config)}"
        else:
            yield f"  - {scalar(name)}"


def _captured(
    events: Any, path: Path, labels: Mapping[int, bool], rule: str
) -> Iterator[str]:
    """Save events beside the file; return the lines of the cases over them."""
    capture = path.with_suffix(".parquet")
    events.save(capture)
    return _saved_cases(capture.name, labels, rule)


def _payload_cases(
    events: Any, payloads: Sequence[bytes], labels: Mapping[int, bool], rule: str
) -> Iterator[str]:
    """Yield the lines of one case per event, with its payload, number and time."""
    table = events.table_with(["evt.num", "evt.rawtime"])
    numbers = table.column("evt.num").to_pylist()
    kind = FieldInfo("evt.rawtime", "abstime")
    times = raw_values(table.column("evt.rawtime"), kind.type, is_list=False)
    yield "cases:"
    for number, time_ns, payload in zip(numbers, times, payloads, strict=True):
        yield from _head(number, wanted=labels[number])
        yield f"    payload: {written_value(payload, _BYTES)}"
        yield f"    number: {number}"
        yield f"    time: {time_ns}"
        yield _expected(rule, wanted=labels[number])


def _head(number: int, *, wanted: bool) -> Iterator[str]:
    yield f"  - name: event {number} {'must' if wanted else 'must not'} match"


def _expected(rule: str, *, wanted: bool) -> str:
    return f"    {'fires' if wanted else 'quiet'}: [{flow(rule)}]"


def _saved_cases(capture: str, labels: Mapping[int, bool], rule: str) -> Iterator[str]:
    """Yield the lines of two cases that name events of a capture."""
    yield f"capture: {flow(capture)}"
    yield "cases:"
    for wanted, word, key in ((True, "must", "fires"), (False, "must not", "quiet")):
        chosen = sorted(n for n, label in labels.items() if label is wanted)
        if chosen:
            yield f"  - name: {word} match"
            yield f"    events: [{', '.join(_ranges(chosen))}]"
            yield f"    {key}: [{flow(rule)}]"


def _ranges(numbers: Sequence[int]) -> list[str]:
    """Write sorted numbers as numbers and ranges."""
    found: list[list[int]] = []
    for number in numbers:
        if found and found[-1][1] == number - 1:
            found[-1][1] = number
        else:
            found.append([number, number])
    return [str(a) if a == b else f"{a}-{b}" for a, b in found]


def _inline_cases(
    events: Any, labels: Mapping[int, bool], rule: str, names: Sequence[str]
) -> Iterator[str]:
    """Yield the lines of one case per event, with its values."""
    table = events.table_with(names)
    values: dict[str, tuple[FieldInfo, list[Any]]] = {}
    for name in names:
        info = resolve_column(name, events.fields).info
        column = table.column(name)
        values[name] = info, raw_values(column, info.type, is_list=info.is_list)
    yield from declared_types({name: info for name, (info, _) in values.items()})
    yield "cases:"
    for row, number in enumerate(table.column("evt.num").to_pylist()):
        wanted = labels[number]
        yield from _head(number, wanted=wanted)
        yield "    event:"
        for name, (info, column) in values.items():
            value = column[row]
            text = "null" if value is None else written_value(value, info)
            yield f"      {flow(name)}: {text}"
        yield _expected(rule, wanted=wanted)


def declared_types(columns: Mapping[str, FieldInfo]) -> Iterator[str]:
    """Yield the lines of a file of tests that declare the fields of ``columns``."""
    types = {
        info.name + ("[]" if "[" in name else ""): (
            f"{'list of ' if info.is_list else ''}{info.type}"
        )
        for name, info in columns.items()
        if not name.startswith("evt.")
    }
    if types:
        yield "fields:"
        yield from (f"  {flow(name)}: {kind}" for name, kind in types.items())


def written_value(value: Any, info: FieldInfo) -> str:
    """Write a value so that it is read back the same."""
    if isinstance(value, tuple | list):
        return "[" + ", ".join(written_value(item, info) for item in value) + "]"
    if isinstance(value, bool):
        return "true" if value else "false"
    if isinstance(value, bytes):
        if info.type in ("ipaddr", "ipnet"):
            return f"'{address_text(value)}'"
        try:
            return flow(value.decode("utf-8"))
        except UnicodeDecodeError:
            return f"{{hex: {value.hex()}}}"
    return str(value)
