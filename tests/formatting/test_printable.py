from __future__ import annotations

import pytest

from workbench.formatting.printable import printable, repaired, shortened


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
