"""Wrong indentation is named as such."""

from __future__ import annotations

import pytest

from workbench.rules import parse_rules

HEAD = "- rule: a\n  desc: d\n"
TAIL = "  output: x\n  priority: INFO\n"


@pytest.mark.parametrize(
    ("text", "hint"),
    [
        (
            f"{HEAD}    condition: evt.num = 1\n{TAIL}",
            (
                "wrong indentation: 'condition' begins in column 5, 'desc' before it in"
                " column 3"
            ),
        ),
        (
            f"{HEAD}condition: evt.num = 1\n{TAIL}",
            (
                "wrong indentation: 'output' begins in column 3, 'condition' before it in"
                " column 1"
            ),
        ),
        (
            f"{HEAD} condition: evt.num = 1\n{TAIL}",
            "wrong indentation: indent all items alike and begin each with '- '",
        ),
        (
            f"{HEAD}  condition: >\n  evt.num = 1\n{TAIL}",
            "wrong indentation: indent the text of 'condition' more than its key",
        ),
        (f"{HEAD}\tcondition: a\n", "wrong indentation: indent with spaces, not tabs"),
        (
            f"{HEAD}  output: x: y\n",
            "quote the text before: ': ' begins a mapping",
        ),
    ],
)
def test_the_hint_names_the_indentation(text: str, hint: str) -> None:
    found = parse_rules(text).check({})
    assert found[0].code == "LOAD_ERR_YAML_PARSE"
    assert found[0].hint == hint
