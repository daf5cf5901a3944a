from __future__ import annotations

import json

import pytest

from workbench.formatting.printable import (
    bounded,
    marked,
    printable,
    repaired,
    shortened,
    visible,
)


def test_hidden_and_reordering_characters_are_spelled():
    assert printable("a\x1b[31m\u202eb\u200b \ud800") == (
        r"a\x1b[31m\u202eb\u200b \ud800"
    )


def test_a_cut_is_marked():
    assert printable("abcdef", limit=4) == "abc…"
    assert printable("abcd", limit=4) == "abcd"


def test_stray_bytes_become_replacement_characters():
    assert repaired("a\udcff") == "a\N{REPLACEMENT CHARACTER}"


@pytest.mark.parametrize(
    "code",
    [0x3164, 0x115F, 0x1160, 0xFFA0, 0x2800, 0x34F, 0xFE0F, 0xE0100, 0x180B, 0x17B4],
)
def test_characters_that_show_as_nothing_are_spelled(code):
    assert printable(f"a{chr(code)}b") == f"a{ascii(chr(code))[1:-1]}b"


def test_long_names_are_shortened_in_the_middle():
    text = "a" * 1000 + "b" * 1000
    assert shortened("x" * 300) == "x" * 300
    assert len(shortened(text)) <= 300
    assert shortened(text).strip("ab") == "…"


def test_messages_are_bounded_whatever_they_name():
    text = f"cannot read {'n' * 5000}: no such file"
    assert bounded(text).startswith("cannot read nnn")
    assert bounded(text).endswith("nnn: no such file")
    assert len(bounded(text)) < 700
    assert bounded("usual") == "usual"
    many = bounded("many words " * 10_000)
    assert len(many) <= 20_000
    assert bounded(many) == many


def test_what_a_terminal_gets_stays_json():
    text = json.dumps({"a": "x\x1b\x9b\x7f\u3164\U000e0100\n"}, ensure_ascii=False)
    assert json.loads(visible(text)) == json.loads(text)
    assert visible(text).isascii()
    assert visible("a\nb\x1b") == "a\nb\\u001b"


def test_marks_keep_the_length():
    assert marked("a\u3164 \x1bb") == "a\ufffd \ufffdb"
