from __future__ import annotations

import math

import pytest

from workbench.yamlcpp import (
    as_bool,
    as_float,
    as_int,
    as_uint32,
)


@pytest.mark.parametrize(
    ("text", "value"),
    [
        ("yes", True),
        ("OFF", False),
        ("True", True),
        ("y", True),
        ("tRue", None),
        ("1", None),
    ],
)
def test_truth_words(text, value):
    assert as_bool(text) is value


@pytest.mark.parametrize(
    ("text", "value"),
    [
        ("010", 8),
        ("0x1F", 31),
        ("+5", 5),
        ("-5", -5),
        (" 5", None),
        ("5 ", 5),
        ("08", None),
    ],
)
def test_integers(text, value):
    assert as_int(text) == value


def test_other_numbers():
    assert as_uint32("4294967295") == 2**32 - 1
    assert as_uint32("4294967296") is None
    assert as_uint32("-1") is None
    assert as_int("2147483648") is None
    assert as_float(".5") == 0.5
    assert as_float("1e3") == 1000
    assert math.isnan(as_float(".nan"))
    assert as_float("nan") is None
