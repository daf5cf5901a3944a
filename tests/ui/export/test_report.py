from __future__ import annotations

import re

import workbench as wb


def test_a_report_is_one_file_without_scripts(lab_of, events_of, tmp_path):
    lab = lab_of(events_of(500))
    lab.rule = wb.Rule(
        name="<script>alert(1)</script>",
        condition="web.status = 404 and web.method = POST",
        output="seen %web.path",
        priority="INFO",
    )
    path = lab.report(tmp_path / "x.html")
    text = path.read_text()
    assert "<script" not in text
    assert "&lt;script&gt;" in text
    assert not re.search(r"https?://(?!www\.w3\.org/2000/svg)", text)
    assert f"{lab.match_count:,} match" in text
    assert "fail only here" in text
    assert "seen /" in text
    assert "condition: web.status = 404 and web.method = POST" in text
