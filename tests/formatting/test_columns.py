from __future__ import annotations

import pytest

from workbench.formatting.columns import aligned, column_widths, fitted_columns


def test_cells_are_padded_to_the_width_of_their_column():
    rows = [("a", "bbb", "c"), ("aaaaaa", "b", "")]
    widths = column_widths(rows, limit=4)
    assert widths == [4, 3, 1]
    assert [aligned(row, widths) for row in rows] == ["a     bbb  c", "aaaaaa  b"]


@pytest.mark.parametrize(("columns", "shown"), [(200, 6), (40, 3)])
def test_columns_that_do_not_fit_are_named(monkeypatch, columns, shown):
    monkeypatch.setenv("COLUMNS", str(columns))
    names = [f"column_{n}" for n in range(6)]
    lines = fitted_columns([names, ["x" * 9] * 6])
    assert lines[0].split() == names[:shown]
    more = [f"{6 - shown} more columns: {', '.join(names[shown:])}"]
    assert lines[2:] == (more if shown < 6 else [])


def test_wide_cells_are_cut_until_some_fields_fit(monkeypatch):
    monkeypatch.setenv("COLUMNS", "80")
    names = ["evt.num", "evt.time", *(f"ka.field_{n}" for n in range(9))]
    row = ["1", "2026-03-17 08:00:46.853343+00:00", *["0e8573e8-7a8c-4b1c" * 3] * 9]
    header, line, more = fitted_columns([names, row])
    assert header.split()[:4] == names[:4]
    assert line.split()[:3] == ["1", "2026-03-17", "08:00:46.853343+00:00"]
    assert line.split()[3].endswith("…")
    assert len(header) <= 80
    assert len(line) <= 80
    assert more.startswith("7 more columns: ka.field_2, ")
