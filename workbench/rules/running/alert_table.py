"""Alerts as rows: a DataFrame, mappings, and counts."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from workbench.rules.running.rendered import readable

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    import pandas as pd
    import pyarrow as pa

    from workbench.rules.running.rendered import SomeAlerts

__all__ = ["COLUMNS", "alert_frame", "alert_rows", "counts_by"]

# The columns that every alert has, whatever its output.
COLUMNS = ["evt.num", "evt.time", "rule", "priority", "source", "output"]
# Unit of time → its name in pandas.
_UNITS = {"second": "s", "minute": "min", "hour": "h", "day": "D"}


def alert_frame(parts: Sequence[SomeAlerts]) -> pd.DataFrame:
    """Return one row per alert: :data:`COLUMNS`, then typed output fields."""
    import numpy as np
    import pandas as pd

    from workbench.events.frame import typed_series

    numbers = [n for p in parts for n in p.numbers]
    rules = [r for p in parts for r in p.rules]
    data: dict[str, Any] = {
        "evt.num": np.array(numbers, dtype=np.uint64),
        "evt.time": _moments([t for p in parts for t in p.times]),
        "rule": pd.Series([r.name for r in rules], dtype=object),
        "priority": pd.Series([r.priority_name for r in rules], dtype=object),
        "source": pd.Series([r.source for r in rules], dtype=object),
        "output": pd.Series(
            [readable(line) for p in parts for line in p.lines], dtype=object
        ),
    }
    for name, column in _joined(parts).items():
        data[name] = typed_series(column, None)
    return pd.DataFrame(data)


def _moments(times: Sequence[int]) -> pd.DatetimeIndex:
    """Turn nanoseconds since the epoch into times, UTC."""
    import numpy as np
    import pandas as pd

    raw = np.array(times, dtype=np.uint64).astype("datetime64[ns]")
    return pd.to_datetime(raw, utc=True)


def _joined(parts: Sequence[SomeAlerts]) -> dict[str, pa.ChunkedArray]:
    """Return the columns of output fields of all parts."""
    import pyarrow as pa

    if not parts:
        return {}
    tables = [part.values() for part in parts]
    table = pa.concat_tables(tables, promote_options="permissive")
    return {n: table.column(n) for n in table.column_names if n not in COLUMNS}


def alert_rows(some: SomeAlerts) -> Iterator[dict[str, Any]]:
    """Yield each alert as a mapping, with the output fields of its own rule."""
    moments = _moments(some.times)
    table = some.values()
    values = {name: table.column(name).to_pylist() for name in table.column_names}
    own = {
        rule.name: [
            field.column
            for field in rule.output.json_fields().values()
            if field.column not in COLUMNS
        ]
        for rule in some.rules
    }
    for at, rule in enumerate(some.rules):
        row: dict[str, Any] = {
            "evt.num": some.numbers[at],
            "evt.time": moments[at],
            "rule": rule.name,
            "priority": rule.priority_name,
            "source": rule.source,
            "output": readable(some.lines[at]),
        }
        row.update((name, values[name][at]) for name in own[rule.name])
        yield row


def counts_by(frame: pd.DataFrame, by: Sequence[str]) -> pd.Series:
    """Count the rows of ``frame`` by columns and by units of time."""
    import pandas as pd

    keys = []
    for name in by:
        if name in _UNITS and name not in frame.columns:
            time = frame["evt.time"].dt.floor(_UNITS[name])
            keys.append(time.rename(name))
        elif name in frame.columns:
            keys.append(frame[name])
        else:
            known = ", ".join([*frame.columns, *_UNITS])
            raise KeyError(f"alerts are counted by {known}; not by {name!r}")
    if not keys:
        return pd.Series([len(frame)], name="alerts")
    return frame.groupby(keys, dropna=False, observed=True).size().rename("alerts")
