"""From labelled events to a file of rule tests."""

from __future__ import annotations

import os
from pathlib import Path
from typing import TYPE_CHECKING, Any

from workbench.errors import WorkbenchError
from workbench.rules.testing.run import resolve_column_info

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from workbench.rules.ruleset import RuleSet

__all__ = ["tests_from_labels", "write_tests"]

# More labelled events than this are kept in a capture beside the file.
_INLINE = 200


def tests_from_labels(
    rules: RuleSet, events: Any, path: Path, rule: str | None, columns: Sequence[str]
) -> Path:
    """Write tests for one rule of ``rules``; None takes the only one there is."""
    names = [r.name for r in rules.rules if r.enabled]
    if rule is None and len(names) != 1:
        raise WorkbenchError(
            f"say which rule the labels are for with rule=: {', '.join(names)}"
        )
    files = [f for f in rules.files if Path(f).exists()]
    return write_tests(
        events,
        path,
        rules=[rule or names[0]],
        rules_files=[os.path.relpath(f, path.parent) for f in files],
        columns=columns,
    )


def write_tests(
    events: Any,
    path: Path,
    *,
    rules: Sequence[str],
    rules_files: Sequence[str] = (),
    columns: Sequence[str] = (),
) -> Path:
    """Write labelled events as a file of tests and give its path.

    ``rules``: names that must fire on events labelled "must match" and must not on the
    others. ``columns``: fields whose values are written; none: all there are. Many
    events are saved to a capture beside the file instead.
    """
    from workbench.yamlcpp.emit import flow, scalar

    labels = events.labels
    if not labels:
        raise WorkbenchError(
            "no event is labelled; use events.label(mask, must_match=…)"
        )
    lines = [f"source: {scalar(events.source)}"]
    if rules_files:
        lines.append(f"rules: [{', '.join(flow(f) for f in rules_files)}]")
    named = f"[{', '.join(flow(name) for name in rules)}]"
    if len(labels) > _INLINE:
        capture = path.with_suffix(".parquet")
        numbers = events.table.column("evt.num").to_pylist()
        events[[n in labels for n in numbers]].save(capture)
        lines += [f"capture: {flow(capture.name)}", "cases:"]
        for wanted, word in ((True, "fires"), (False, "quiet")):
            chosen = sorted(n for n, label in labels.items() if label is wanted)
            if chosen:
                lines += [
                    f"  - name: {'must' if wanted else 'must not'} match",
                    f"    events: [{', '.join(_ranges(chosen))}]",
                    f"    {word}: {named}",
                ]
    else:
        lines += _inline_cases(events, labels, named, columns)
    path.write_text("\n".join(lines) + "\n", encoding="utf-8", errors="surrogateescape")
    return path


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
    events: Any, labels: Mapping[int, bool], named: str, columns: Sequence[str]
) -> list[str]:
    import numpy as np

    from workbench.rules.target.value_text import raw_values
    from workbench.yamlcpp.emit import flow

    fields = events.fields
    names = list(columns) or [
        n
        for n in events.table.column_names
        if n not in ("raw", "payload", "evt.source")
    ]
    table = events.table_with(names)
    numbers = table.column("evt.num").to_numpy()
    rows = np.flatnonzero(np.isin(numbers, np.array(list(labels), np.uint64)))
    picked = table.take(rows)
    values: dict[str, tuple[Any, list[Any]]] = {}
    for name in names:
        info = resolve_column_info(name, fields)
        column = picked.column(name)
        values[name] = info, raw_values(column, info.type, is_list=info.is_list)
    lines = []
    types = {
        info.name + ("[]" if "[" in name else ""): (
            f"{'list of ' if info.is_list else ''}{info.type}"
        )
        for name, (info, _) in values.items()
        if not name.startswith("evt.")
    }
    if types:
        lines.append("fields:")
        lines += [f"  {flow(name)}: {kind}" for name, kind in types.items()]
    lines.append("cases:")
    for index, number in enumerate(numbers[rows].tolist()):
        wanted = labels[number]
        word = "must" if wanted else "must not"
        lines.append(f"  - name: event {number} {word} match")
        lines.append("    event:")
        for name, (info, column) in values.items():
            value = column[index]
            if value is not None:
                lines.append(f"      {flow(name)}: {_written(value, info)}")
        lines.append(f"    {'fires' if wanted else 'quiet'}: {named}")
    return lines


def _written(value: Any, info: Any) -> str:
    """Write a value so that it is read back the same."""
    from workbench.rules.target.value_text import address_text
    from workbench.yamlcpp.emit import flow

    if isinstance(value, tuple | list):
        return "[" + ", ".join(_written(item, info) for item in value) + "]"
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
