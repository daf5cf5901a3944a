"""Alerts: matches of rules on events, rendered as the engine prints them.

Matches are kept as bitmaps and rendered when asked for, column by column, so that
counting is free and the first thousand of a million cost a thousand.
"""

from __future__ import annotations

import json
from collections import Counter
from dataclasses import dataclass, field
from itertools import islice
from typing import TYPE_CHECKING, Any

from workbench.rules.model.model import PRIORITIES, priority_named
from workbench.rules.target.value_text import json_values, quoted, text_values

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence

    import numpy as np
    import pandas as pd
    import pyarrow as pa

    from workbench.fields.declarations import FieldInfo
    from workbench.rules.model.entries import RuleEntry
    from workbench.rules.outputs.output import Output

__all__ = [
    "AlertBatch",
    "AlertFormat",
    "AlertRule",
    "Alerts",
    "readable",
    "statistics",
]

# Alerts rendered at a time.
_CHUNK = 16_384
# Lines that a repr shows.
_SHOWN = 20


@dataclass(slots=True)
class AlertFormat:
    """How alerts look: the switches of falco.yaml."""

    iso_time: bool = False
    include_message: bool = False
    include_output: bool = True
    include_output_fields: bool = True
    include_tags: bool = True
    hostname: str | None = None

    @property
    def time_field(self) -> str:
        """Give the field that lines begin with."""
        return "evt.time.iso8601" if self.iso_time else "evt.time"

    def extra_fields(
        self,
        entry: RuleEntry,  # noqa: ARG002
        fields: Mapping[str, FieldInfo],  # noqa: ARG002
    ) -> tuple[tuple[str, Output, bool], ...]:
        """Give fields to add to ``output_fields``: name, format, as text or typed."""
        return ()


@dataclass(slots=True)
class AlertRule:
    """What alerts of one rule need."""

    name: str
    priority: str
    source: str
    tags: tuple[str, ...]
    output: Output
    extra: tuple[tuple[str, Output, bool], ...] = ()

    @property
    def word(self) -> str:
        """Give the priority as alerts write it."""
        known = priority_named(self.priority)
        return known.word if known else self.priority

    @property
    def columns(self) -> list[str]:
        """Give the columns that the output reads."""
        names = list(self.output.columns)
        for _, output, _ in self.extra:
            names += output.columns
        return names


@dataclass(slots=True)
class _Rendered:
    """Some alerts, in order: parallel lists."""

    rules: list[AlertRule]
    numbers: list[int]
    times: list[int]
    lines: list[str]
    messages: list[str]
    table: pa.Table
    which: np.ndarray


class AlertBatch:
    """Matches on one table. ``masks``: one bitmap per rule, in definition order."""

    def __init__(
        self,
        rules: Sequence[AlertRule],
        form: AlertFormat,
        masks: Sequence[pa.BooleanArray],
        rows: int,
        table_of: Callable[[Any], pa.Table],
    ) -> None:
        """Keep the matches; made by the engine."""
        self.rules = list(rules)
        self.form = form
        self.masks = list(masks)
        self.rows = rows
        self._table_of = table_of
        self.totals = [mask.true_count for mask in self.masks]

    def __len__(self) -> int:
        """Count the alerts."""
        return sum(self.totals)

    def pairs(self, limit: int | None = None) -> tuple[np.ndarray, np.ndarray]:
        """Give rows and rule numbers of the alerts, in order; at most ``limit``."""
        import numpy as np

        upto = self.rows
        if limit is not None and limit < len(self):
            upto = min(self.rows, max(4096, limit))
            while upto < self.rows:
                if sum(m.slice(0, upto).true_count for m in self.masks) >= limit:
                    break
                upto = min(self.rows, upto * 4)
        found = [
            np.flatnonzero(mask.slice(0, upto).to_numpy(zero_copy_only=False))
            for mask in self.masks
        ]
        if not found:
            return np.empty(0, np.int64), np.empty(0, np.int32)
        rows = np.concatenate(found)
        which = np.repeat(
            np.arange(len(found), dtype=np.int32), [len(f) for f in found]
        )
        order = np.argsort(rows, kind="stable")
        if limit is not None:
            order = order[:limit]
        return rows[order], which[order]

    def rendered(self, limit: int | None = None) -> Iterator[_Rendered]:
        """Render alerts in order, some thousands at a time."""
        rows, which = self.pairs(limit)
        for start in range(0, len(rows), _CHUNK):
            part = slice(start, start + _CHUNK)
            yield self._render(rows[part], which[part])

    def _render(self, rows: np.ndarray, which: np.ndarray) -> _Rendered:
        import numpy as np
        import pyarrow as pa

        table = self._table_of(pa.array(rows)).combine_chunks()
        form = self.form
        times = text_values(
            table.column(form.time_field), form.time_field, "string", is_list=False
        )
        messages: list[str] = [""] * len(rows)
        lines: list[str] = [""] * len(rows)
        for number in np.unique(which).tolist():
            rule = self.rules[number]
            at = np.flatnonzero(which == number)
            part = table if len(at) == len(rows) else table.take(pa.array(at))
            middle = f": {rule.word} "
            texts = rule.output.render(part)
            for position, text in zip(at.tolist(), texts, strict=True):
                message = text or ""
                messages[position] = message
                lines[position] = f"{times[position]}{middle}{message}"
        return _Rendered(
            [self.rules[n] for n in which.tolist()],
            table.column("evt.num").to_pylist(),
            json_values(table.column("evt.rawtime"), "abstime", is_list=False),
            lines,
            messages,
            table,
            which,
        )

    def lines(self, limit: int | None = None) -> Iterator[str]:
        """Give the text lines, without line ends; values may hold newlines."""
        for part in self.rendered(limit):
            yield from part.lines

    def json_lines(self, limit: int | None = None) -> Iterator[str]:
        """Give the JSON lines, without line ends, keys in alphabetical order."""
        for part in self.rendered(limit):
            yield from self._json(part)

    def _json(self, part: _Rendered) -> list[str]:
        import numpy as np
        import pyarrow as pa

        result = [""] * len(part.lines)
        from workbench.arrow.times import iso_times

        iso: list[str] = iso_times(part.table).to_pylist()
        for number in np.unique(part.which).tolist():
            rule = self.rules[number]
            at = np.flatnonzero(part.which == number).tolist()
            whole = len(at) == len(part.lines)
            table = part.table if whole else part.table.take(pa.array(at))
            template, columns = self._json_template(rule, table, part, at, iso)
            write = template.__mod__
            for position, row in zip(at, zip(*columns, strict=True), strict=True):
                result[position] = write(row)
        return [line if line.isascii() else _one_line(line) for line in result]

    def _json_template(
        self,
        rule: AlertRule,
        table: pa.Table,
        part: _Rendered,
        at: list[int],
        iso: list[str],
    ) -> tuple[str, list[list[str]]]:
        """Make the form of one rule's JSON lines and the columns to fill in."""
        form = self.form
        columns: list[list[str]] = []
        pieces: list[str] = []

        def constant(key: str, value: Any) -> None:
            pieces.append(f'"{key}":' + _dump(value).replace("%", "%%"))

        def filled(key: str, values: list[str]) -> None:
            pieces.append(f'"{key}":%s')
            columns.append(values)

        if form.hostname is not None:
            constant("hostname", form.hostname)
        whole = len(at) == len(iso)
        if form.include_message:
            filled("message", [quoted(part.messages[i]) for i in at])
        if form.include_output:
            lines = part.lines if whole else [part.lines[i] for i in at]
            filled("output", list(map(quoted, lines)))
        if form.include_output_fields:
            names, values = self._output_fields(rule, table, part, at)
            inner = ",".join(_dump(n).replace("%", "%%") + ":%s" for n in names)
            pieces.append('"output_fields":{' + inner + "}")
            columns.extend(values)
        constant("priority", rule.word)
        constant("rule", rule.name)
        constant("source", rule.source)
        if form.include_tags:
            constant("tags", list(rule.tags))
        pieces.append('"time":"%s"')
        columns.append(iso if whole else [iso[i] for i in at])
        return "{" + ",".join(pieces) + "}", columns

    def _output_fields(
        self, rule: AlertRule, table: pa.Table, part: _Rendered, at: list[int]
    ) -> tuple[list[str], list[list[str]]]:
        fields = rule.output.json_texts(table)
        fields[self.form.time_field] = [str(part.times[i]) for i in at]
        for name, output, typed in rule.extra:
            if typed:
                fields.update(output.json_texts(table))
            else:
                fields[name] = [quoted(text or "") for text in output.render(table)]
        names = sorted(fields)
        return names, [fields[name] for name in names]


def _dump(value: Any) -> str:
    text = json.dumps(value, ensure_ascii=False, separators=(",", ":"))
    return text.encode("utf-8", "surrogateescape").decode("utf-8", "replace")


def _one_line(line: str) -> str:
    """Escape what some readers take for a line end."""
    for char in ("\x85", "\u2028", "\u2029"):
        if char in line:
            line = line.replace(char, f"\\u{ord(char):04x}")
    return line


def statistics(counts: Mapping[str, int], rules: Iterable[AlertRule]) -> str:
    """Give the closing block: alerts by severity and by rule, in definition order."""
    severities: Counter[str] = Counter()
    names: dict[str, int] = {}
    for rule in rules:
        number = counts.get(rule.name, 0)
        if number and rule.name not in names:
            severities[rule.priority] += number
            names[rule.name] = number
    lines = [f"Events detected: {sum(names.values())}", "Rule counts by severity:"]
    lines += [
        f"   {p.key}: {severities[p.key]}" for p in PRIORITIES if severities[p.key]
    ]
    lines.append("Triggered rules by rule name:")
    lines += [f"   {name}: {number}" for name, number in names.items()]
    return "\n".join(lines)


@dataclass(eq=False)
class Alerts:
    """Alerts in order: of one event after the other, and in rule order on one event.

    Nothing is rendered before it is asked for. ``limit``: only so many are shown; the
    counts are of all.
    """

    batches: list[AlertBatch] = field(default_factory=list)
    limit: int | None = None

    @property
    def counts(self) -> Counter[str]:
        """Rule → number of alerts, in definition order; 0 for any other name."""
        total: Counter[str] = Counter()
        for batch in self.batches:
            for rule, number in zip(batch.rules, batch.totals, strict=True):
                if number:
                    total[rule.name] += number
        return total

    @property
    def rules(self) -> list[AlertRule]:
        """The rules that ran, in definition order."""
        known: dict[str, AlertRule] = {}
        for batch in self.batches:
            for rule in batch.rules:
                known.setdefault(rule.name, rule)
        return list(known.values())

    def __len__(self) -> int:
        """Count the alerts."""
        total = sum(map(len, self.batches))
        return total if self.limit is None else min(self.limit, total)

    def head(self, count: int = 1000) -> Alerts:
        """Give the first ``count`` alerts; only these will be rendered."""
        limit = count if self.limit is None else min(count, self.limit)
        return Alerts(self.batches, limit)

    def _limited(self) -> Iterator[tuple[AlertBatch, int | None]]:
        left = self.limit
        for batch in self.batches:
            if left is not None and left <= 0:
                return
            yield batch, left
            if left is not None:
                left -= len(batch)

    @property
    def frame(self) -> pd.DataFrame:
        """One row per alert: evt.num, evt.time, rule, priority, source, output.

        ``evt.time`` is timestamp[ns, UTC]; ``output`` is the line as Falco prints it.
        """
        import numpy as np
        import pandas as pd

        parts = [p for batch, left in self._limited() for p in batch.rendered(left)]
        numbers = [n for p in parts for n in p.numbers]
        times = [t for p in parts for t in p.times]
        rules = [r for p in parts for r in p.rules]
        return pd.DataFrame(
            {
                "evt.num": np.array(numbers, dtype=np.uint64),
                "evt.time": pd.to_datetime(
                    np.array(times, dtype=np.uint64).astype("datetime64[ns]"), utc=True
                ),
                "rule": pd.Series([r.name for r in rules], dtype=object),
                "priority": pd.Series([r.word for r in rules], dtype=object),
                "source": pd.Series([r.source for r in rules], dtype=object),
                "output": pd.Series(
                    [readable(line) for p in parts for line in p.lines], dtype=object
                ),
            }
        )

    def pairs(self) -> list[tuple[int, str]]:
        """Give event number and rule name of every alert, in order."""
        return [
            (number, rule.name)
            for batch, left in self._limited()
            for part in batch.rendered(left)
            for number, rule in zip(part.numbers, part.rules, strict=True)
        ]

    def lines(self) -> Iterator[str]:
        """Give the text lines as Falco prints them, without line ends."""
        for batch, left in self._limited():
            yield from batch.lines(left)

    def to_text(self) -> str:
        """Give the text lines and the closing statistics as Falco prints them."""
        return "\n".join([*self.lines(), self.statistics()]) + "\n"

    def to_jsonl(self) -> str:
        """Give one JSON object per line with Falco's keys."""
        return "".join(
            f"{line}\n"
            for batch, left in self._limited()
            for line in batch.json_lines(left)
        )

    def to_dicts(self) -> list[dict[str, Any]]:
        """Give the alerts as Falco's JSON objects, decoded."""
        return [json.loads(line) for line in self.to_jsonl().split("\n") if line]

    def statistics(self) -> str:
        """Give the closing block that Falco prints."""
        return statistics(self.counts, self.rules)

    def __repr__(self) -> str:
        """Show the first lines and the statistics, control characters spelled out."""
        from workbench.formatting.printable import printable

        lines = [
            printable(readable(line), limit=300)
            for line in islice(self.lines(), _SHOWN)
        ]
        more = len(self) - len(lines)
        if more > 0:
            lines.append(f"… and {more:,} more")
        return "\n".join([*lines, self.statistics()])

    def __str__(self) -> str:
        """Give :meth:`to_text`."""
        return self.to_text()

    def _repr_html_(self) -> str:
        from workbench.formatting import html

        rows = self.head(_SHOWN).frame.itertuples(index=False)
        table = html.table(
            ["evt.num", "evt.time", "rule", "priority", "source", "output"],
            [list(row) for row in rows],
        )
        more = len(self) - _SHOWN
        note = html.tag("p", html.escape(f"… and {more:,} more")) if more > 0 else ""
        return table + note + _pre(self.statistics())


def readable(line: str) -> str:
    """Repair what is not UTF-8, for people."""
    if line.isascii():
        return line
    return line.encode("utf-8", "surrogateescape").decode("utf-8", "replace")


def _pre(text: str) -> str:
    """Give lines as escaped HTML that keeps their ends."""
    from workbench.formatting import html

    return html.tag("pre", "<br>".join(html.escape(t) for t in text.split("\n")))
