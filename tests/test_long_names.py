"""However long a name of a file, a column, a field or a rule is: messages stay short."""

from __future__ import annotations

import json

import pyarrow as pa
import pyarrow.parquet as pq
import pytest

import workbench as wb
from workbench.__main__ import main
from workbench.captures.arrow_file import iter_arrow, read_arrow
from workbench.captures.parquet import (
    ParquetWriter,
    iter_parquet,
    read_parquet,
    read_parquet_facts,
)
from workbench.captures.scap import ScapReader, ScapWriter, read_scap, write_scap
from workbench.falco_config import read_falco_yaml
from workbench.rules.testing.case_files import read_tests

LONG = "n" * 1_000_000
MOST = 21_000


def message(action):
    with pytest.raises(wb.WorkbenchError) as caught:
        action()
    told = [
        str(caught.value),
        *map(str, getattr(caught.value, "diagnostics", []) or []),
    ]
    assert max(map(len, told)) < MOST, told[0][:200]
    return told[0]


def table(name="a", values=(1,)):
    return pa.table(
        {"evt.num": pa.array(range(len(values)), pa.uint64()), name: values}
    )


def events(name="a", values=(1,)):
    return wb.events_from_table(table(name, values), fields=[], source="t")


FILES = {
    "open .scap": lambda folder: wb.open_events(folder / f"{LONG}.scap"),
    "open .arrow": lambda folder: wb.open_events(folder / f"{LONG}.arrow"),
    "open .parquet": lambda folder: wb.open_events(folder / f"{LONG}.parquet"),
    "open unknown": lambda folder: wb.open_events(folder / f"x.{LONG}"),
    "open csv": lambda folder: wb.open_events(folder / f"{LONG}.csv"),
    "read_scap": lambda folder: read_scap(folder / LONG),
    "ScapReader": lambda folder: ScapReader(folder / LONG),
    "ScapWriter": lambda folder: ScapWriter(folder / LONG),
    "read_parquet": lambda folder: read_parquet(folder / LONG),
    "iter_parquet": lambda folder: next(iter_parquet(folder / LONG)),
    "facts": lambda folder: read_parquet_facts(folder / LONG),
    "read_arrow": lambda folder: read_arrow(folder / LONG),
    "iter_arrow": lambda folder: next(iter_arrow(folder / LONG)),
    "write_scap": lambda folder: write_scap(folder / LONG, table()),
    "save .parquet": lambda folder: events().save(folder / f"{LONG}.parquet"),
    "save .arrow": lambda folder: events().save(folder / f"{LONG}.arrow"),
    "save .csv": lambda folder: events().save(folder / f"{LONG}.csv"),
    "save .scap": lambda folder: events().save(folder / f"{LONG}.scap"),
    "save unknown": lambda folder: events().save(folder / f"a.{LONG}"),
    "save rules": lambda folder: wb.RuleSet().save(folder / LONG),
    "falco.yaml": lambda folder: read_falco_yaml(folder / LONG),
    "load": lambda folder: wb.load(folder / LONG),
    "inspect": lambda folder: wb.inspect(folder / LONG),
    "by name": lambda _: wb.load(LONG),
}


@pytest.mark.parametrize("action", FILES)
def test_a_file_with_a_long_name(tmp_path, action):
    message(lambda: FILES[action](tmp_path))


def test_rules_files_with_a_long_name(tmp_path):
    found = wb.load_rules(tmp_path / LONG).check()
    assert found.errors
    assert all(len(str(item)) < MOST for item in found)


@pytest.mark.parametrize("suffix", [".arrow", ".parquet"])
@pytest.mark.parametrize("case", ["twice", "type", "runs"])
def test_a_column_with_a_long_name(tmp_path, suffix, case):
    path = tmp_path / f"x{suffix}"
    column = {
        "twice": pa.table([[1], [1]], names=[LONG, LONG]),
        "type": pa.table({"evt.num": pa.array([{LONG: 1}])}),
        "runs": pa.table({LONG: pa.array([{"a": None}])}),
    }[case]
    if case == "runs":
        if suffix == ".parquet":
            pytest.skip("Parquet has no such columns")
        runs = pa.RunEndEncodedArray.from_arrays(pa.array([3]), pa.array(["x"]))
        column = pa.table({LONG: runs})
    if suffix == ".arrow":
        with pa.ipc.new_file(str(path), column.schema) as writer:
            writer.write_table(column)
    else:
        pq.write_table(column, path)
    message(lambda: wb.open_events(path))


def test_columns_that_change_while_writing(tmp_path):
    with ParquetWriter(tmp_path / "x.parquet") as writer:
        writer.write(table())
        message(lambda: writer.write(table(LONG)))


CONDITIONS = {
    "unknown field": LONG,
    "unknown field in a check": f"{LONG} = 1",
    "unknown field with dots": f"t.{LONG} = 1",
    "argument": f"evt.num[{LONG}] = 1",
    "operator": f"evt.num {LONG} 1",
    "number": f"evt.num = {LONG}",
    "text": f"evt.source = '{LONG}",
    "list": f"evt.source in ({LONG}",
    "regex": f"evt.source regex '({LONG}'",
    "transformer": f"{LONG}(evt.num) = 1",
    "brackets": "(" * 1_000_000,
}


@pytest.mark.parametrize("case", CONDITIONS)
def test_a_condition_with_a_long_word(case):
    message(lambda: events().where(CONDITIONS[case]))


def test_fields_with_long_names():
    message(lambda: events().extract(LONG))
    message(lambda: events().extract(f"evt.arg[{LONG}]"))


@pytest.mark.parametrize(
    "key",
    ["rule", "desc", "condition", "output", "priority", "source", "tags", "exceptions",
     LONG],
)  # fmt: skip
def test_rules_with_long_words(tmp_path, key, capsys):
    rule = {
        "rule": "r", "desc": "d", "condition": "evt.num = 1", "output": "o",
        "priority": "INFO", "source": "t", "tags": [], "exceptions": [],
    }  # fmt: skip
    rule[key] = LONG if key not in {"tags", "exceptions"} else [{LONG: LONG}]
    path = tmp_path / "x.yaml"
    texts = [rule, {LONG: LONG}, {"macro": LONG, "condition": LONG},
             {"list": LONG, "items": {LONG: 1}}]  # fmt: skip
    path.write_text(json.dumps(texts))
    rules = wb.load_rules(path)
    found = rules.check(events())
    assert all(len(str(item)) < MOST for item in found)
    if found.errors:
        message(lambda: rules.run(events()))
    assert main(["validate", str(path)]) == 1
    said = capsys.readouterr()
    assert len(said.out) + len(said.err) < 20 * MOST


def test_rule_tests_with_long_words(tmp_path):
    path = tmp_path / "x_rule_tests.yaml"
    for text in ({LONG: 1}, {"tests": [{LONG: 1}]}, {"rules": [LONG], "tests": [{}]}):
        path.write_text(json.dumps(text))
        message(lambda: read_tests(path))
