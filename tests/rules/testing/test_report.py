from __future__ import annotations

import xml.etree.ElementTree as ET

from workbench.__main__ import main


def test_the_command_reports_and_writes_junit(folder, capsys):
    status = main(
        [
            "test",
            str(folder / "web_rule_tests.yaml"),
            "--junit-xml",
            str(folder / "j.xml"),
        ]
    )
    out = capsys.readouterr().out
    assert status == 1
    assert "2 passed, 1 failed" in out
    suite = ET.fromstring((folder / "j.xml").read_text())[0]
    assert (suite.get("tests"), suite.get("failures")) == ("3", "1")
