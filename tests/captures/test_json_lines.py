"""JSON lines made by columns are those that Python's own encoder makes."""

from __future__ import annotations

import json
import time

import pyarrow as pa
import pytest

import workbench as wb
from workbench.captures.json_lines import json_rows
from workbench.fields.declarations import FieldInfo

FIELDS = {
    name: FieldInfo(name, kind, is_list)
    for name, kind, is_list in (
        ("t.text", "string", False),
        ("t.num", "uint64", False),
        ("t.flag", "bool", False),
        ("t.ip", "ipaddr", False),
        ("t.many", "string", True),
    )
}
TABLE = pa.table(
    {
        "evt.num": pa.array([1, 2, 3, 4], pa.uint64()),
        "t.text": pa.array(
            [b'q"\\ \n\x01\x7f\xc2\x85', None, b"\xff\xe2\x80\xa8", b""]
        ),
        'odd "key" %s': pa.array([None, None, b"x", None], pa.binary()),
        "t.num": pa.array([2**64 - 1, None, 0, 7], pa.uint64()),
        "t.flag": pa.array([True, False, None, True]),
        "t.ip": pa.array([b"\x7f\0\0\1", None, b"\0" * 15 + b"\1", None]),
        "t.many": pa.array([[b"a", b'"'], [], None, [b"\xff"]]),
    }
)
WANTED = [
    [1, 'q"\\ \n\x01\x7f\x85', None, 2**64 - 1, True, "127.0.0.1", ["a", '"']],
    [2, None, None, None, False, None, []],
    [3, "\ufffd\u2028", "x", 0, None, "::1", None],
    [4, "", None, 7, True, None, ["\ufffd"]],
]


@pytest.mark.parametrize("skip", [False, True])
@pytest.mark.parametrize("encoded", [False, True])
def test_lines_are_those_of_the_encoder(skip, encoded):
    table = TABLE
    if encoded:
        at = table.column_names.index("t.text")
        column = table.column("t.text").dictionary_encode()
        table = table.set_column(at, "t.text", column)
    names = table.column_names
    lines = "".join(json_rows(table, FIELDS, names, skip_absent=skip))
    objects = [dict(zip(names, row, strict=True)) for row in WANTED]
    if skip:
        objects = [{k: v for k, v in one.items() if v is not None} for one in objects]
    assert lines == "".join(json.dumps(o, ensure_ascii=False) + "\n" for o in objects)


def test_absent_fields_are_left_out_on_wish(tmp_path, sample, capfd):
    from workbench.__main__ import main

    with wb.load(sample("weblog")) as plugin:
        events = plugin.capture(plugin.open_params[0].value, max_events=50)
        whole = events.save(tmp_path / "a.jsonl").read_text().splitlines()
        short = events.save(tmp_path / "b.jsonl", skip_absent=True)
        words = ["stream", plugin.path, "--open", plugin.open_params[0].value]
    kept = [json.loads(line) for line in short.read_text().splitlines()]
    assert kept == [
        {k: v for k, v in json.loads(line).items() if v is not None} for line in whole
    ]
    assert len(set(map(len, kept))) > 1
    words += ["--max-events", "50", "--format", "jsonl", "--skip-absent"]
    assert main(words) == 0
    assert [json.loads(line) for line in capfd.readouterr().out.splitlines()] == kept


@pytest.mark.timing
def test_ten_fields_of_a_wide_table_are_written_fast(tmp_path, sample):
    with wb.load(sample("weblog")) as plugin:
        fields = list(plugin.fields)
        fields = [n for n in fields if not plugin.fields[n].arg][:10]
        events = plugin.capture(plugin.open_params[0].value, fields=fields)
    best = 0.0
    for _ in range(3):
        began = time.process_time()
        events.save(tmp_path / "x.jsonl")
        best = max(best, len(events) / (time.process_time() - began))
    assert best > 100_000
