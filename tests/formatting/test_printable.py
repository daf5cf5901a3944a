from __future__ import annotations

from workbench.formatting.printable import printable, repaired


def test_hidden_and_reordering_characters_are_spelled():
    assert printable("a\x1b[31m\u202eb\u200b \ud800") == (
        r"a\x1b[31m\u202eb\u200b \ud800"
    )


def test_a_cut_is_marked():
    assert printable("abcdef", limit=4) == "abc…"
    assert printable("abcd", limit=4) == "abcd"


def test_stray_bytes_become_replacement_characters():
    assert repaired("a\udcff") == "a\N{REPLACEMENT CHARACTER}"
