"""Large files stay on disk: the same answers as in memory, whatever the parts."""

from __future__ import annotations

import pickle
import random
from functools import partial

import pyarrow as pa
import pyarrow.parquet as pq
import pytest

import workbench as wb
from workbench.captures import formats
from workbench.captures.contents import CaptureContents
from workbench.errors import CaptureFileError, ConditionError, WorkbenchError
from workbench.events import stored_opening
from workbench.events.stored_events import StoredEvents
from workbench.fields.declarations import FieldInfo, FieldTable

FIELDS = FieldTable(
    [
        FieldInfo("t.text", "string"),
        FieldInfo("t.word", "string"),
        FieldInfo("t.n", "uint64"),
        FieldInfo("t.flag", "bool"),
        FieldInfo("t.list", "string", is_list=True),
    ]
)
CHECKS = [
    "t.n > {n}",
    "t.n = {n}",
    "t.text contains {n}",
    "t.word in (w1, w{n})",
    "t.list intersects (a, b{n})",
    "t.flag = true",
    "t.text exists",
    "evt.num < {n}",
    "evt.reltime > {n}",
    "evt.source = t",
    "evt.is_async = false",
    "evt.pluginname = maker",
]
RULES = """\
- rule: first
  desc: d
  condition: {one}
  output: "%evt.num %t.text %t.list %evt.time.iso8601"
  priority: ERROR
  source: t
- rule: second
  desc: d
  condition: {two}
  output: "%evt.rawtime %t.n"
  priority: INFO
  source: t
"""


def make_table(dice, rows):
    def some(make):
        return [make() if dice.random() > 0.2 else None for _ in range(rows)]

    raw = bytes(20) + b"\x42\x01" + bytes(30)
    table = pa.table(
        {
            "evt.num": pa.array(range(5, rows + 5), pa.uint64()),
            "evt.rawtime": pa.array(range(10, rows + 10), pa.uint64()),
            "evt.source": pa.array(["t"] * rows, pa.string()).dictionary_encode(),
            "t.text": pa.array(some(lambda: f"text {dice.randrange(30)}"), pa.string()),
            "t.word": pa.array(
                some(lambda: b"w%d" % dice.randrange(6)), pa.binary()
            ).dictionary_encode(),
            "t.n": pa.array(some(partial(dice.randrange, 40)), pa.uint64()),
            "t.flag": pa.array(some(lambda: dice.randrange(2) == 1), pa.bool_()),
            "t.list": pa.array(
                some(lambda: [f"b{dice.randrange(20)}"] * dice.randrange(3)),
                pa.list_(pa.string()),
            ),
            "raw": pa.array([raw] * rows, pa.binary()),
        }
    )
    dropped = [n for n in ("evt.num", "evt.source", "raw") if dice.random() < 0.2]
    return table.drop_columns(dropped)


def condition(dice):
    checks = [dice.choice(CHECKS).format(n=dice.randrange(40)) for _ in range(3)]
    return f"({checks[0]} {dice.choice(['and', 'or'])} {checks[1]}) or not {checks[2]}"


def write(path, table, dice):
    contents = CaptureContents(
        table,
        fields=FIELDS,
        source="t",
        plugin="maker",
        extra={"start_ns": 3} if dice.random() < 0.5 else {},
    )
    formats.save(contents, path)
    size = dice.choice((17, 50, 1000))
    if path.suffix == ".parquet":
        whole = pq.read_table(path)
        pq.write_table(whole, path, row_group_size=size)
    else:
        with pa.ipc.open_file(str(path)) as reader:
            whole = reader.read_all()
        codec = dice.choice((None, "zstd", "lz4"))
        options = pa.ipc.IpcWriteOptions(compression=codec)
        with pa.ipc.new_file(str(path), whole.schema, options=options) as writer:
            writer.write_table(whole, max_chunksize=size)


@pytest.fixture
def lazily(monkeypatch):
    """Open a file on disk however small it is."""

    def opened(path):
        with monkeypatch.context() as patch:
            patch.setattr(stored_opening, "_SMALL_BYTES", 0)
            events = wb.open_events(path)
        assert isinstance(events, StoredEvents)
        assert not events.loaded
        return events

    return opened


def stored(path, table):
    write(path, table, random.Random(1))
    return path


def values(events):
    return events.table.to_pylist()


@pytest.mark.parametrize("suffix", [".parquet", ".arrow"])
@pytest.mark.parametrize("seed", range(8))
def test_the_answers_are_those_of_events_in_memory(tmp_path, lazily, seed, suffix):
    dice = random.Random(seed)
    table = make_table(dice, dice.choice((0, 1, 100, 200)))
    path = tmp_path / f"file{suffix}"
    write(path, table, dice)
    whole, lazy = wb.open_events(path), lazily(path)
    assert not isinstance(whole, StoredEvents)
    assert (len(lazy), repr(lazy), lazy.origin) == (
        len(whole),
        repr(whole),
        whole.origin,
    )
    assert list(lazy.fields) == list(whole.fields)
    one, two = condition(dice), condition(dice)
    if "raw" not in table.column_names:
        one, two = (text.replace("evt.is_async", "t.flag") for text in (one, two))
    assert lazy.mask(one).equals(whole.mask(one))
    assert lazy.count(one) == whole.count(one) == whole.mask(one).sum()
    assert lazy.funnel(two) == whole.funnel(two)
    assert str(lazy.near_misses(two)) == str(whole.near_misses(two))
    chosen, same = lazy.where(one), whole.where(one)
    assert (len(chosen), repr(chosen)) == (len(same), repr(same))
    assert chosen.mask(two).equals(same.mask(two))
    assert len(chosen.where(two)) == len(same.where(two))
    assert values(chosen[3:20]) == values(same[3:20])
    assert values(chosen[-4:]) == values(same[-4:])
    assert values(lazy[same.frame.index.size : 40 : 3]) == values(
        whole[same.frame.index.size : 40 : 3]
    )
    assert values(lazy.where(whole.mask(two))) == values(whole.where(two))
    rules = wb.parse_rules(RULES.format(one=one, two=two))
    for each in (False, True):
        found = rules.run(lazy, all_matches=each)
        expected = rules.run(whole, all_matches=each)
        assert found.to_text() == expected.to_text()
        assert found.to_jsonl() == expected.to_jsonl()
    assert not lazy.loaded
    assert not chosen.loaded
    assert values(chosen) == values(same)
    assert lazy.table.equals(whole.table)
    assert lazy.loaded
    assert values(lazy.where(one)) == values(same)


def test_labels_stay_with_the_events(tmp_path, lazily):
    path = stored(tmp_path / "f.parquet", make_table(random.Random(0), 100))
    events = lazily(path)
    events.label("t.n > 20")
    assert events.where("t.n > 30").labels == {
        n: m
        for n, m in wb.open_events(path).label("t.n > 20").labels.items()
        if n in set(events.where("t.n > 30").table["evt.num"].to_pylist())
    }


def test_events_on_disk_travel_as_rows(tmp_path, lazily):
    events = lazily(stored(tmp_path / "f.arrow", make_table(random.Random(0), 50)))
    copy = pickle.loads(pickle.dumps(events.where("t.n > 10")))
    assert values(copy) == values(events.where("t.n > 10"))


def test_a_file_that_is_replaced_stays_as_it_was_opened(tmp_path, lazily):
    path = stored(tmp_path / "f.parquet", make_table(random.Random(3), 50))
    events = lazily(path)
    before = values(wb.open_events(path))
    events.where("t.n > 10").save(path)
    assert values(events) == before


def test_errors_of_conditions_come_at_once(tmp_path, lazily):
    table = make_table(random.Random(3), 50).drop_columns("t.flag")
    events = lazily(stored(tmp_path / "f.parquet", table))
    with pytest.raises(ConditionError):
        events.where("t.nothing = 1")
    with pytest.raises(WorkbenchError, match=r"no plugin is loaded|were not kept"):
        events.where("t.flag = true")
    assert not events.loaded


def damaged(path):
    """Write a file of which the last part is damaged; return its rows."""
    rows = 5000
    texts = [f"{random.random()}" for _ in range(rows)]
    table = pa.table({"evt.num": pa.array(range(rows), pa.uint64()), "a": texts})
    if path.suffix == ".parquet":
        pq.write_table(
            table, path, row_group_size=1000, compression="none", use_dictionary=False
        )
    else:
        options = pa.ipc.IpcWriteOptions(compression="lz4")
        with pa.ipc.new_file(str(path), table.schema, options=options) as writer:
            writer.write_table(table, max_chunksize=1000)
    data = bytearray(path.read_bytes())
    at = data.rindex(texts[-200].encode()) if path.suffix == ".parquet" else int(
        len(data) * 0.9)  # fmt: skip
    data[at - 3000 : at] = b"\xff" * 3000
    path.write_bytes(data)


@pytest.mark.parametrize("suffix", [".parquet", ".arrow"])
def test_damage_is_found_where_it_is(tmp_path, lazily, suffix):
    path = tmp_path / f"f{suffix}"
    damaged(path)
    events = lazily(path)
    assert len(events) == 5000
    assert len(events[:3000]) == 3000
    with pytest.raises(CaptureFileError) as counting:
        _ = events.where("evt.num > 1 and evt.hostname != x").frame
    with pytest.raises(CaptureFileError) as loading:
        _ = events.table
    with pytest.raises(CaptureFileError) as at_once:
        wb.open_events(path)
    assert str(loading.value) == str(at_once.value) == str(counting.value)
    assert len(loading.value.events) == 4000


def test_a_part_that_takes_much_is_read_elsewhere(tmp_path, lazily):
    path = tmp_path / "f.parquet"
    words = pa.DictionaryArray.from_arrays(
        pa.array([0] * 3000, pa.int32()), pa.array(["x" * 200_000])
    )
    numbers = pa.array(range(3000), pa.uint64())
    table = pa.table({"evt.num": numbers, "a": words})
    pq.write_table(table, path, row_group_size=2900, store_schema=False)
    events = lazily(path)
    assert events.count("evt.num >= 2000") == 1000
    with pytest.raises(CaptureFileError, match="max_bytes"):
        _ = wb.open_events(path, max_bytes=100 << 20).table


def test_parts_in_which_no_row_can_match_are_not_read(tmp_path, lazily, monkeypatch):
    rows = 1000
    table = pa.table(
        {
            "evt.num": pa.array(range(rows), pa.uint64()),
            "t.n": pa.array([2**63 - 500 + n for n in range(rows)], pa.uint64()),
            "t.text": [f"{n:04}" for n in range(rows)],
            "t.word": [b"a\0%d" % (n // 100) for n in range(rows)],
        }
    )
    path = tmp_path / "f.parquet"
    write(path, table, random.Random(0))
    pq.write_table(pq.read_table(path), path, row_group_size=100)
    events, whole = lazily(path), wb.open_events(path)
    read = []
    part = type(events._rows.file).part
    monkeypatch.setattr(
        type(events._rows.file),
        "part",
        lambda self, number, columns: (
            read.append(number) or part(self, number, columns)
        ),
    )
    for text, expected in {
        f"t.n > {2**63}": 5,
        f"t.n <= {2**63}": 6,
        "t.n in (3, 9)": 0,
        "t.text startswith 01 and t.n > 5": 1,
        "t.text startswith 05 or t.text = 0999": 2,
        "not t.text startswith 05": 10,
        "t.text contains 05": 10,
        "t.text startswith a": 0,
        "t.word = a": 10,
        "t.word = b": 0,
        "evt.num < 100 and t.text exists": 1,
    }.items():
        read.clear()
        assert events.count(text) == whole.count(text)
        assert len(set(read)) == expected, text
    text = RULES.replace("%t.list ", "")
    rules = wb.parse_rules(text.format(one="t.n = 3", two="t.text = 0999"))
    read.clear()
    assert rules.run(events).to_text() == rules.run(whole).to_text()
    assert set(read) == {9}
