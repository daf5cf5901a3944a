from __future__ import annotations

import pytest

import workbench as wb

RULE = """\
- rule: R
  desc: d
  condition: evt.num > 0
  output: o
  priority: INFO
  source: s
  exceptions:
    - {name: e, fields: %s, comps: %s, values: %s}
"""


def complaints(*parts):
    return wb.parse_rules(RULE % parts).check().errors


@pytest.mark.parametrize(
    "comp", ["in", "pmatch", "intersects", "startswith oneof", "contains anyof"]
)
def test_operators_with_a_modifier_are_one_word_of_comps(comp):
    assert not complaints("evt.source", comp, "[a, b]")
    assert not complaints("[evt.source]", f"[{comp}]", "[[[a, b]]]")


@pytest.mark.parametrize(
    ("comp", "tidy"),
    [
        (" in ", "in"),
        ("in ", "in"),
        ("\\tin", "in"),
        ("startswith  oneof", "startswith oneof"),
        (" startswith oneof", "startswith oneof"),
    ],
)
def test_blanks_around_and_between_are_refused_with_the_correction(comp, tidy):
    for parts in (
        ("evt.source", f'"{comp}"', "[a, b]"),
        ("[evt.source]", f'["{comp}"]', "[[[a, b]]]"),
    ):
        (error,) = complaints(*parts)
        assert error.code == "LOAD_ERR_VALIDATE"
        assert error.hint == f"write {tidy} without further blanks"


@pytest.mark.parametrize("comp", ["in in", "= =", "not in", "in oneof", "oneof"])
def test_several_words_that_are_no_operator_are_refused(comp):
    for parts in (
        ("evt.source", f'"{comp}"', "[a, b]"),
        ("[evt.source]", f'["{comp}"]', "[[[a, b]]]"),
    ):
        first = complaints(*parts)[0]
        assert first.code == "LOAD_ERR_VALIDATE"
        assert "without further blanks" not in first.hint
