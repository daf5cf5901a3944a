"""From labelled events to a file of rule tests."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from workbench.errors import WorkbenchError
from workbench.fields.reference import resolve_column
from workbench.rules.target.value_text import address_text, raw_values
from workbench.saving import save_text
from workbench.yamlcpp.emit import flow, flow_value, scalar

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping, Sequence
    from pathlib import Path

    from workbench.fields.declarations import FieldInfo
    from workbench.rules.model.model import Rule

__all__ = ["declared_types", "write_tests", "written_value"]

# More labelled events than this are kept in a capture beside the file.
_MAX_INLINE = 200
# Columns that are never values of a case.
_NOT_VALUES = frozenset(("raw", "payload", "evt.source"))


def write_tests(
    events: Any,
    path: Path,
    *,
    rule: Rule,
    rules_files: Sequence[str] = (),
    columns: Sequence[str] = (),
) -> Path:
    """Write labelled events as a file of tests and return its path.

    ``rule``: must fire on events labelled "must match" and must not on the others; of
    mixed events only those of its source count. ``columns``: fields whose values are
    written; none: all there are. Many events are saved to a capture beside the file
    instead. Raises WorkbenchError when no event is labelled.
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
    if len(labels) > _MAX_INLINE:
        capture = path.with_suffix(".parquet")
        labelled.save(capture)
        lines += _saved_cases(capture.name, labels, rule.name)
    else:
        names = list(columns) or [
            n for n in labelled.table.column_names if n not in _NOT_VALUES
        ]
        lines += _inline_cases(labelled, labels, rule.name, names)
    return save_text(path, "\n".join(lines) + "\n")


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
        yield f"  - name: event {number} {'must' if wanted else 'must not'} match"
        yield "    event:"
        for name, (info, column) in values.items():
            if column[row] is not None:
                yield f"      {flow(name)}: {written_value(column[row], info)}"
        yield f"    {'fires' if wanted else 'quiet'}: [{flow(rule)}]"


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
