from __future__ import annotations

import csv
import os
import pty

import pyarrow as pa
import pytest

from workbench.cli.sinks import LineFile, LineSink, table_lines
from workbench.fields.declarations import FieldInfo, FieldTable

FIELDS = FieldTable(
    [
        FieldInfo("p.at", "abstime"),
        FieldInfo("p.took", "reltime"),
        FieldInfo("p.s", "string"),
        FieldInfo("p.l", "string", is_list=True),
    ]
)


def cells(columns, **values):
    table = pa.table({name.replace("_", "."): v for name, v in values.items()})
    lines = list(table_lines(table, FIELDS, columns, []))
    return [line.rstrip("\n") for line in lines[1:]]


def test_times_are_dates_and_durations_have_units():
    at = pa.array([0, 1_700_000_000 * 10**9 + 5 * 10**8, 2**64 - 1], pa.uint64())
    assert cells(["p.at"], p_at=at) == [
        "1970-01-01T00:00:00Z",
        "2023-11-14T22:13:20.5Z",
        "2554-07-21T23:34:33.709551615Z",
    ]
    took = pa.array([12, 1_500_000, None], pa.uint64())
    assert cells(["p.took"], p_took=took) == ["12 ns", "1.5 ms", "-"]


def test_text_is_printable_and_cut():
    values = pa.array([b"a\x1b[31mb\n", b"x" * 100, b"\xff"], pa.binary())
    first, second, third = cells(["p.s"], p_s=values)
    assert first == "a\\x1b[31mb\\n"
    assert second == "x" * 39 + "…"
    assert third == "\ufffd"


def test_lists_read_as_the_engine_writes_them():
    values = pa.array([[b"a", b'"'], []], pa.list_(pa.binary()))
    assert cells(["p.l"], p_l=values) == ['(a, ")', "-"]


def test_later_rows_keep_the_widths_of_the_first():
    widths: list[int] = []
    first = pa.table({"p.s": [b"abc"]})
    later = pa.table({"p.s": [b"a much longer text"]})
    lines = list(table_lines(first, FIELDS, ["p.s"], widths))
    lines += list(table_lines(later, FIELDS, ["p.s"], widths))
    assert lines == ["p.s\n", "abc\n", "a much longer text\n"]


def test_a_file_of_lines_takes_the_place_of_the_old_one_at_the_end(tmp_path):
    target = tmp_path / "out.csv"
    target.write_text("old")
    sink = LineFile(target, "csv", {}, ["a"])
    sink.write(pa.table({"a": ["1"]}))
    assert target.read_text() == "old"
    sink.close()
    sink.close()
    assert target.read_text() == "a\n1\n"


def test_a_file_of_lines_that_fails_leaves_the_old_one(tmp_path):
    target = tmp_path / "out.csv"
    target.write_text("old")
    sink = LineFile(target, "csv", {}, ["a"])
    with pytest.raises(KeyError):
        sink.write(pa.table({"b": ["1"]}))
    sink.close()
    assert target.read_text() == "old"
    assert [p.name for p in tmp_path.iterdir()] == ["out.csv"]


@pytest.mark.parametrize("text", ["=1+1", "+1", "-1", "@a", "\t=1", "\r=1"])
def test_texts_that_are_formulas_are_guarded_unless_asked(tmp_path, text):
    path = tmp_path / "a.csv"
    for guard, shown in ((True, "'" + text), (False, text)):
        sink = LineFile(path, "csv", {}, ["a", "n"], guard=guard)
        sink.write(pa.table({"a": [text], "n": [-1]}))
        sink.close()
        with path.open(newline="") as lines:
            assert list(csv.reader(lines))[1] == [shown, "-1"]


def test_csv_on_a_terminal_spells_what_would_act():
    ours, theirs = pty.openpty()
    with os.fdopen(theirs, "w") as terminal:
        sink = LineSink(terminal, "csv", {}, ["a"])
        sink.write(pa.table({"a": ["x\x1b[2J\ny"]}))
        shown = os.read(ours, 1000).decode()
    os.close(ours)
    assert shown.splitlines() == ["a", r"x\x1b[2J\ny"]
