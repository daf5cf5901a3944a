"""Reports beside the output: written where asked for, or refused before the work."""

from __future__ import annotations

import json

import pytest

from workbench.__main__ import main


@pytest.fixture
def commands(sample, tmp_path):
    """Return the words of the commands that write a report, without its path."""
    library = str(sample("weblog"))
    cases = tmp_path / "cases.yaml"
    cases.write_text("tests: [\n")
    return {
        "--sarif": ["check", library],
        "--junit-xml": ["test", str(cases)],
    }


@pytest.mark.parametrize("option", ["--sarif", "--junit-xml"])
def test_a_report_into_a_missing_folder_is_refused_at_once(
    commands, option, tmp_path, capsys
):
    missing = tmp_path / "none" / "such" / "report"
    assert main([*commands[option], option, str(missing)]) == 1
    out, err = capsys.readouterr()
    assert out == ""
    assert f"cannot write {missing}: the folder {missing.parent} does not exist" in err
    assert "create it first" in err
    assert "Traceback" not in err
    assert not missing.parent.exists()


def test_a_sarif_report_is_written_after_the_findings(sample, tmp_path, capsys):
    path = tmp_path / "report.sarif"
    assert main(["check", str(sample("weblog")), "--sarif", str(path)]) == 0
    assert json.loads(path.read_text())["version"] == "2.1.0"
    assert capsys.readouterr().out
