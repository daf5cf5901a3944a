"""Rows are picked from columns with more text than 32 bits can count."""

from __future__ import annotations

import numpy as np
import pyarrow as pa
import pytest

import workbench as wb
from workbench.arrow import rows as arrow_rows
from workbench.arrow.rows import take_rows
from workbench.events import events_from_table
from workbench.rules import parse_rules
from workbench.session import event_block


def same(data, rows):
    """Take both ways and compare."""
    expected = data.take(rows)
    taken = take_rows(data, rows)
    assert taken.equals(expected)
    return taken


@pytest.mark.parametrize(
    "rows",
    [
        pa.array([], pa.int64()),
        pa.array([0, 1, 2, 9]),
        pa.array([9, 0, 5, 5, 4, 3, 2]),
        pa.array([None, 3, None, None, 8], pa.int64()),
        pa.array([7, 8, 9], pa.uint64()),
        pa.array([None], pa.int64()),
    ],
)
@pytest.mark.parametrize("limit", [1, 1 << 31])
def test_it_takes_as_arrow_does(monkeypatch, rows, limit):
    monkeypatch.setattr(arrow_rows, "_JOINED_BYTES", limit)
    texts = pa.chunked_array([["a", "b", None], [], ["d"], list("efghij")], pa.string())
    lists = pa.chunked_array([[[1], None, [2, 3]], [[]], [[n] for n in range(6)]])
    numbers = pa.chunked_array([list(range(10))])
    words = texts.dictionary_encode()
    for column in (texts, lists, numbers, words):
        assert take_rows(column, rows).to_pylist() == column.take(rows).to_pylist()
    if not rows.null_count:
        table = pa.table({"t": texts, "l": lists, "n": numbers})
        assert take_rows(table, rows).to_pylist() == table.take(rows).to_pylist()


@pytest.fixture(scope="module")
def large():
    """Events with 2.5 GiB of text, all of it the same 64 MiB: one row in 64 has it."""
    chunk = pa.array([b"x" * (64 << 20)] + [b"needle"] * 63, pa.binary())
    text = pa.chunked_array([chunk] * 40)
    words = [None, *["odd", "even"] * 32][:64] * 40
    names = pa.array(words).dictionary_encode()
    table = pa.table({"t.text": text, "evt.source": names})
    assert table.nbytes > 2**31
    fields = [{"name": "t.text", "type": "string"}]
    return events_from_table(table, fields=fields, source="")


def test_arrow_itself_cannot(large):
    # Else all of this is no longer needed.
    with pytest.raises(pa.ArrowInvalid, match="offset overflow"):
        large.table.take(pa.array([1]))


def test_large_events_are_picked(large):
    assert large[5:2500:1000].table.column("evt.num").to_pylist() == [6, 1006, 2006]
    texts = large[2559:0:-640].table.column("t.text").to_pylist()
    assert texts == [b"needle"] * 4


def test_large_events_are_parted_by_source(large):
    parted = {name: part for name, part in large.by_source().items() if name}
    assert dict(zip(parted, map(len, parted.values()), strict=True)) == {
        "odd": 1280,
        "even": 1240,
    }
    assert parted["odd"].table.column("t.text")[-1].as_py() == b"needle"


def test_large_events_nearly_match(large):
    # What the check saw is picked from the long column.
    nearly = large.near_misses("not t.text exists and evt.num < 6 and evt.num > 1")
    assert nearly.count == 4
    assert "needle" in repr(nearly)


def test_rules_alert_on_large_events(large):
    rules = parse_rules(
        "- rule: found\n  desc: d\n  condition: t.text startswith needle and evt.num < 70\n"
        "  output: number %evt.num\n  priority: INFO\n  source: odd\n"
    )
    odd = large.by_source()["odd"]
    assert len(rules.run(odd).frame) == len(odd.where("evt.num < 70"))


def test_extracted_values_of_too_many_bytes_are_refused(plugin, monkeypatch):
    with wb.load(plugin("probe")) as loaded:
        events = loaded.capture("n=2000", fields=[])
        monkeypatch.setattr(event_block, "_LARGEST_COLUMN_BYTES", 100)
        with pytest.raises(wb.WorkbenchError, match="more than 2 GiB in one column"):
            _ = events.extract("probe.num").table
        # A refusal is not the end of the plugin.
        assert events[:5].extract("probe.num").table.num_rows == 5


def test_numbers_of_rows_need_no_copy():
    column = pa.chunked_array([np.arange(5)])
    assert take_rows(column, pa.array([4, 0])).to_pylist() == [4, 0]
