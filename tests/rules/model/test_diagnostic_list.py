from __future__ import annotations

from tests.rules.texts import BROKEN
from workbench.rules import parse_rules


def test_list_of_complaints_shows_lines_and_escapes_html(target):
    found = parse_rules(BROKEN.replace("t.strr", "t.strr<b>")).check(target)
    assert "condition: t.num = abc" in str(found)
    assert "<b>" not in found._repr_html_()
