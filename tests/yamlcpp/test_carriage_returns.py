"""Lone carriage returns: they end lines for yaml-cpp, but begin no new column."""

from __future__ import annotations

import pytest

import workbench as wb
from tests.yamlcpp.reading import read
from workbench.yamlcpp import YamlError


@pytest.mark.parametrize(
    ("text", "value"),
    [
        # The issue of yaml-cpp about it: one item instead of two.
        ("channels:\r- x\r- y\r", {"channels": ["x - y"]}),
        ("- a\r- b\r", ["a - b"]),
        ("a: x\r  y\r", {"a": "x y"}),
        ("a:\r  b: 1\r", {"a": {"b": "1"}}),
        ("# c\ra: 1\r", {"a": "1"}),
        ("a: 1\r# c\nb: 2\n", {"a": "1", "b": "2"}),
        ("a: 1\r\r\nb: 2\n", {"a": "1", "b": "2"}),
        ("a: 'x\ry'", {"a": "x y"}),
        ('a: "x\\\r   y"\n', {"a": "xy"}),
        ('"a\rb": 1\n', {"a b": "1"}),
        ("a: [x,\ry]\n", {"a": ["x", "y"]}),
        # Indentation is found once, in the column behind the return.
        ("a: |\r  x\r  y\r", {"a": "x\n  y\n"}),
        ("a: |\n  x\r  y\n  z\nb: 1\n", {"a": "x\n  y\nz\n", "b": "1"}),
        # Document markers stand at the beginning of a line.
        ("a: x\r---\rb", {"a": "x --- b"}),
        ("---\r- a\n", ["a"]),
    ],
)
def test_a_lone_return_ends_a_line_without_beginning_a_column(text, value):
    assert read(text) == [value]


@pytest.mark.parametrize(
    ("text", "reason", "at"),
    [
        ("a: 1\rb: 2\r", "illegal map value", 6),
        ("a: 1\r\n\rb: 2\n", "illegal map value", 8),
        ("a: 1\r# c\rb: 2", "end of map not found", 9),
    ],
)
def test_a_second_key_behind_a_lone_return_is_an_error(text, reason, at):
    with pytest.raises(YamlError) as caught:
        read(text)
    assert (caught.value.reason, caught.value.pos) == (reason, at)


def test_a_rules_file_of_an_old_mac_is_refused_in_its_only_line():
    text = "- rule: R\r  desc: d\r  condition: evt.num > 0\r"
    found = wb.parse_rules(text).check()
    assert [d.code for d in found.errors] == ["LOAD_ERR_YAML_PARSE"]
    assert found.errors[0].line == 1
    assert wb.parse_rules(text.replace("\r", "\r\n")).check().errors[0].code != (
        "LOAD_ERR_YAML_PARSE"
    )
