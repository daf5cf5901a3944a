"""Alerts as text and as JSON lines, column by column."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any, Protocol, TypeVar

from workbench.rules.outputs.row_texts import RowTexts
from workbench.rules.target.value_text import json_values, quoted, text_values

if TYPE_CHECKING:
    from collections.abc import Sequence

    import numpy as np
    import pyarrow as pa

    from workbench.rules.running.alert_format import AlertFormat, AlertRule

__all__ = ["MergedAlerts", "RenderedAlerts", "SomeAlerts", "readable"]

_T = TypeVar("_T")


class SomeAlerts(Protocol):
    """Some alerts, rendered, in order: parallel lists."""

    rules: list[AlertRule]
    numbers: list[int]
    times: list[int]
    lines: list[str]

    def json_lines(self) -> list[str]:
        """Return the JSON lines, without line ends, keys in alphabetical order."""

    def values(self) -> pa.Table:
        """Return evt.num and the rules' output fields, readable, a row per alert."""


class RenderedAlerts:
    """Alerts of one event source. ``rules``: of each alert; ``times``: ns."""

    def __init__(
        self,
        rules: Sequence[AlertRule],
        alert_format: AlertFormat,
        table: pa.Table,
        which: np.ndarray,
    ) -> None:
        """Render one alert per row of ``table``; ``which``: number of its rule."""
        self._known = rules
        self._format = alert_format
        self._table = table.combine_chunks()
        self._which = which
        self._rules: list[tuple[AlertRule, list[int], RowTexts]] | None = None
        self.rules = [rules[number] for number in which.tolist()]
        self.numbers: list[int] = table.column("evt.num").to_pylist()
        self.times: list[int] = json_values(
            table.column("evt.rawtime"), "abstime", is_list=False
        )
        self.lines = [""] * len(which)
        self._messages = [""] * len(which)
        self._render()

    def values(self) -> pa.Table:
        """Return evt.num and the rules' output fields, readable, a row per alert."""
        import numpy as np
        import pyarrow as pa

        from workbench.events.frame import readable_column

        columns: dict[str, Any] = {"evt.num": pa.array(self.numbers, pa.uint64())}
        for number in np.unique(self._which).tolist():
            for field in self._known[number].output.json_fields().values():
                name = field.column
                if name not in columns and name in self._table.column_names:
                    columns[name] = readable_column(
                        self._table.column(name), field.info
                    )
        return pa.table(columns)

    def _of_each_rule(self) -> list[tuple[AlertRule, list[int], RowTexts]]:
        """Return each rule with the numbers and rows of its alerts."""
        import numpy as np

        if self._rules is None:
            order = np.argsort(self._which, kind="stable")
            numbers, starts = np.unique(self._which[order], return_index=True)
            rows = RowTexts(self._table)
            self._rules = []
            parts = np.split(order, starts[1:]) if len(order) else []
            for number, part in zip(numbers.tolist(), parts, strict=True):
                at = part.tolist()
                self._rules.append((self._known[number], at, rows.pick(at)))
        return self._rules

    def _render(self) -> None:
        time_field = self._format.time_field
        column = self._table.column(time_field)
        times = text_values(column, time_field, "string", is_list=False)
        for rule, at, rows in self._of_each_rule():
            head = f": {rule.priority_name} "
            texts = rule.output.render(rows)
            for position, text in zip(at, texts, strict=True):
                message = text or ""
                self._messages[position] = message
                self.lines[position] = f"{times[position]}{head}{message}"

    def json_lines(self) -> list[str]:
        """Return the JSON lines, without line ends, keys in alphabetical order."""
        from workbench.arrow.times import iso_times

        result = [""] * len(self.lines)
        iso: list[str] = iso_times(self._table).to_pylist()
        for rule, at, rows in self._of_each_rule():
            template = self._template(rule, at, rows, iso)
            write = template.text.__mod__
            members = zip(*template.columns, strict=True)
            for position, row in zip(at, members, strict=True):
                result[position] = write(row)
        return [line if line.isascii() else _one_line(line) for line in result]

    def _template(
        self, rule: AlertRule, at: list[int], rows: RowTexts, iso: list[str]
    ) -> _JsonTemplate:
        """Make the template of one rule's JSON lines, with the columns to fill in."""
        alert_format, all_of_it = self._format, len(at) == len(iso)

        def own(values: list[str]) -> list[str]:
            return values if all_of_it else [values[i] for i in at]

        made = _JsonTemplate()
        if alert_format.hostname is not None:
            made.constant("hostname", alert_format.hostname)
        if alert_format.include_message:
            made.column("message", list(map(quoted, own(self._messages))))
        if alert_format.include_output:
            made.column("output", list(map(quoted, own(self.lines))))
        if alert_format.include_output_fields:
            made.mapping("output_fields", self._output_fields(rule, rows, at))
        made.constant("priority", rule.priority_name)
        made.constant("rule", rule.name)
        made.constant("source", rule.source)
        if alert_format.include_tags:
            made.constant("tags", list(rule.tags))
        made.column("time", own(iso), '"%s"')
        return made

    def _output_fields(
        self, rule: AlertRule, rows: RowTexts, at: list[int]
    ) -> dict[str, list[str]]:
        fields = rule.output.json_texts(rows)
        fields[self._format.time_field] = [str(self.times[i]) for i in at]
        for name, output, typed in rule.extra:
            if typed:
                fields.update(output.json_texts(rows))
            else:
                fields[name] = [quoted(text or "") for text in output.render(rows)]
        return fields


class _JsonTemplate:
    """A JSON object for ``%``, and the columns of JSON texts that fill it."""

    def __init__(self) -> None:
        self._members: list[str] = []
        self.columns: list[list[str]] = []

    @property
    def text(self) -> str:
        return "{" + ",".join(self._members) + "}"

    def constant(self, key: str, value: Any) -> None:
        self._members.append(f'"{key}":' + _dump(value))

    def column(self, key: str, values: list[str], form: str = "%s") -> None:
        self._members.append(f'"{key}":{form}')
        self.columns.append(values)

    def mapping(self, key: str, fields: dict[str, list[str]]) -> None:
        names = sorted(fields)
        inner = ",".join(_dump(name) + ":%s" for name in names)
        self._members.append(f'"{key}":{{{inner}}}')
        self.columns.extend(fields[name] for name in names)


class MergedAlerts:
    """Alerts of several event sources in the order of their events."""

    def __init__(self, parts: Sequence[SomeAlerts], owners: Sequence[int]) -> None:
        """Take the next alert of ``parts[owner]`` for each of ``owners``."""
        self._parts = parts
        self._owners = owners
        self.rules = self._merged([part.rules for part in parts])
        self.numbers = self._merged([part.numbers for part in parts])
        self.times = self._merged([part.times for part in parts])
        self.lines = self._merged([part.lines for part in parts])

    def _merged(self, values: Sequence[Sequence[_T]]) -> list[_T]:
        queues = [iter(own) for own in values]
        return [next(queues[owner]) for owner in self._owners]

    def json_lines(self) -> list[str]:
        """Return the JSON lines, without line ends, keys in alphabetical order."""
        return self._merged([part.json_lines() for part in self._parts])

    def values(self) -> pa.Table:
        """Return evt.num and the rules' output fields, readable, a row per alert."""
        import pyarrow as pa

        starts, rows = 0, []
        for part in self._parts:
            rows.append(range(starts, starts + len(part.rules)))
            starts += len(part.rules)
        tables = [part.values() for part in self._parts]
        joined = pa.concat_tables(tables, promote_options="permissive")
        return joined.take(pa.array(self._merged(rows), pa.int64()))


def _dump(value: Any) -> str:
    """Write a value as JSON that stands in a template."""
    text = json.dumps(value, ensure_ascii=False, separators=(",", ":"))
    text = text.encode("utf-8", "surrogateescape").decode("utf-8", "replace")
    return text.replace("%", "%%")


def _one_line(line: str) -> str:
    """Escape what some readers take for a line end."""
    for char in ("\x85", "\u2028", "\u2029"):
        if char in line:
            line = line.replace(char, f"\\u{ord(char):04x}")
    return line


def readable(line: str) -> str:
    """Repair what is not UTF-8, for people."""
    if line.isascii():
        return line
    return line.encode("utf-8", "surrogateescape").decode("utf-8", "replace")
