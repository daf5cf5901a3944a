from __future__ import annotations

import json

import pyarrow.parquet as pq
import pytest

from tests.archives.conftest import RULES, make_events, save_cut
from workbench.__main__ import main


@pytest.fixture
def files(tmp_path, monkeypatch):
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path / "cache"))
    save_cut(make_events(200), [60, 150], tmp_path / "files")
    (tmp_path / "rules.yaml").write_text(RULES)
    return tmp_path / "files"


def test_ls_shows_files_and_totals(files, capsys):
    assert main(["archive", "ls", str(files)]) == 0
    told = capsys.readouterr()
    assert [line.split()[1] for line in told.out.splitlines()] == ["60", "90", "50"]
    assert "200 events" in told.err
    assert main(["archive", "ls", "--json", str(files)]) == 0
    data = json.loads(capsys.readouterr().out)
    assert [file["rows"] for file in data["files"]] == [60, 90, 50]
    assert data["files"][0]["sources"] == ["web"]


def test_count_counts_what_matches(files, capsys):
    events = make_events(200)
    assert main(["archive", "count", str(files), "--where", "web.status = 404"]) == 0
    assert capsys.readouterr().out == f"{events.count('web.status = 404')}\n"
    assert main(["archive", "count", str(files)]) == 0
    assert capsys.readouterr().out == "200\n"
    assert main(["archive", "count", str(files), "--to", "2000-01-01"]) == 0
    assert capsys.readouterr().out == "0\n"


def test_run_prints_alerts_or_writes_them(files, capsys, tmp_path):
    rules = str(tmp_path / "rules.yaml")
    words = ["archive", "run", str(files), "-r", rules, "--alerts-per-rule", "4"]
    assert main([*words, "--json"]) == 0
    told = capsys.readouterr()
    lines = [json.loads(line) for line in told.out.splitlines()]
    assert len(lines) == 12
    assert {line["rule"] for line in lines} == {"climbing", "failing", "untagged"}
    assert "Rule counts by severity" in told.err
    out = tmp_path / "alerts.parquet"
    assert main([*words, "--out", str(out)]) == 0
    assert pq.read_table(out).num_rows == 12


def test_convert_and_verify(files, capsys, tmp_path):
    out = tmp_path / "out"
    assert main(["archive", "convert", str(files), "--out", str(out)]) == 0
    assert "3 files with 200 events" in capsys.readouterr().err
    assert main(["archive", "verify", str(out)]) == 0
    damaged = next(out.rglob("*.parquet"))
    damaged.write_bytes(damaged.read_bytes()[:-7])
    capsys.readouterr()
    assert main(["archive", "verify", str(out)]) == 1
    assert damaged.name in capsys.readouterr().out


def test_what_cannot_be_had_is_one_message(files, capsys, tmp_path):
    assert main(["archive", "ls", str(tmp_path / "nothing")]) == 1
    assert "nothing" in capsys.readouterr().err
    assert main(["archive", "count", str(files), "--where", "web.nonsense = 1"]) == 1
    assert "web.nonsense" in capsys.readouterr().err
    (files / "part-001.parquet").write_bytes(b"PAR1")
    assert main(["archive", "count", str(files), "--where", "web.status = 1"]) == 1
    assert "part-001" in capsys.readouterr().err
    words = ["archive", "count", str(files), "--where", "web.status exists"]
    assert main([*words, "--collect"]) == 1
    told = capsys.readouterr()
    assert int(told.out) > 0
    assert "part-001" in told.err
