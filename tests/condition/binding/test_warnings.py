from __future__ import annotations

import pytest

from workbench.condition import compile_condition

CASES = [
    ("t.string = t.string2", ["value-looks-like-field"]),
    ("t.string in (a, t.string2, ' evt.num ')", ["value-looks-like-field"] * 2),
    ("t.string = 't.key[x]'", ["value-looks-like-field"]),
    ("t.string = t.key", []),
    ("t.string = 't.key[a b]'", ["value-looks-like-field"]),
    ("t.string = 'tolower(t.string2)'", ["value-looks-like-call"]),
    ("t.string = 'val (anything)'", ["value-looks-like-call"]),
    ("t.string = 'lower(x)'", []),
    ("t.string regex abc", ["regex-not-needed"]),
    ("t.string regex '^abc$'", ["regex-not-needed"]),
    ("t.string regex '.*abc.*'", ["regex-not-needed"]),
    ("t.string regex 'a.*b'", []),
    ("t.string regex 'a\\\\.c'", []),
    ("t.string regex anyof ('abc', 'a+')", ["regex-not-needed"]),
    ("t.uint64 = -1", ["negative-number"]),
    ("t.uint64 = -0", []),
    ("t.uint64 in (1, 99999999999999999999)", ["number-too-large"]),
    ("t.ipnet = 10.0.0.0/264", ["prefix-wraps"]),
    ("t.string in hello", ["set-of-one-word"]),
    ("t.string = anyof hello", ["set-of-one-word"]),
    ("t.string in ()", ["empty-set"]),
    ("t.uint64 = 1 and t.string in ()", ["empty-set"]),
    ("not t.string in () or t.uint64 = 1", ["empty-set"]),
    ("t.uint64 = 1 or t.string in ()", []),
    ("t.uint64 = 1 and not t.string in ()", []),
    ("t.strings in ()", []),
    ("t.string in ('\\q')", ["dropped-value"]),
    ("tolower(t.strings) in (a)", ["never-matches"]),
    ("t.string in tolower(t.string2)", ["never-matches"]),
    ("t.strings intersects tolower(t.strings2)", ["never-matches"]),
    ("tolower(t.strings) in tolower(t.strings2)", []),
    ("t.string = tolower(t.string2)", []),
    ("t.ipnet = anyof (10.0.0.0/8)", ["never-matches"]),
    ("t.ipnet != allof (10.0.0.0/8)", ["always-matches"]),
    ("t.string != anyof (a, b)", ["always-matches"]),
    ("t.string = oneof (a, a)", ["repeated-value"]),
    ("t.string = allof (a, b)", ["never-matches"]),
    ("t.string > 5", ["text-order"]),
    ("t.string >= val(t.string2)", []),
    ("t.string = <NA>", ["absent-text"]),
    ("len(t.strings) = 0", ["absent-list"]),
    ("len(t.string) = 0", []),
    ("t.string pmatch (/a/b*/c, /a/bc*/d)", ["order-matters"]),
    ("t.string pmatch (/a/b*, /a/c*)", []),
    ("join(',', t.uint64s) = a", ["raw-bytes"]),
    ("join(',', (t.uint64, t.bool)) = a", ["raw-bytes"]),
    ("join(',', (t.uint64, 'x')) = a", []),
    ("join(tolower(','), t.strings) = a", ["cut-at-nul"]),
    ("len(getopt(t.strings, 'n')) = 1", ["length-of-getopt"]),
    ("t.string = 'tolower(t.string2)' or t.string = tolower(t.string2)", ["value-looks-like-call", "printed-alike"]),
    ("t.string = a and t.uint64 > 5", []),
]  # fmt: skip


@pytest.mark.parametrize(("condition", "codes"), CASES)
def test_what_is_odd_is_said(condition, codes, warnings_of):
    assert warnings_of(condition) == codes


def test_a_warning_tells_where_why_and_what_to_write(fields):
    found = compile_condition("t.bool = true and\nt.uint64 < -1", fields).warnings
    assert len(found) == 1
    assert str(found[0]) == (
        "2:12: warning [negative-number]: -1 wraps round and means"
        " 18446744073709551615, as the field has no sign — write 18446744073709551615,"
        " or compare with a number from 0 up"
    )


def test_no_code_of_ours_looks_like_one_of_falco(warnings_of):
    for condition, _ in CASES:
        assert not [code for code in warnings_of(condition) if code.startswith("LOAD_")]


ALIKE = [
    # The first check decides for both, whatever the second says.
    ("t.string = 'val(t.string2)' or t.string = val(t.string2)", {"string": b"x", "string2": b"x"}, False),
    ("t.string = val(t.string2) or t.string = 'val(t.string2)'", {"string": b"x", "string2": b"x"}, True),
    ("len('t.string') = 8 and len(t.string) = 3", {"string": b"abc"}, False),
    ("len('t.string') = 8 and len(t.string) = 8", {"string": b"abc"}, True),
    ("tolower(t.string) = abc or tolower('t.string') = t.string", {"string": b"T.STRING"}, True),
    ("tolower(t.string) = abc or tolower('t.string') = t.string", {"string": b"x"}, False),
    # What was not reached was not remembered.
    ("t.bool = true and len('t.string') = 8 or len(t.string) = 3", {"bool": False, "string": b"abc"}, True),
    ("t.bool = true and len('t.string') = 1 or len(t.string) = 3", {"bool": True, "string": b"abc"}, False),
    # Values of networks are not remembered.
    ("t.ipnet = 10.0.0.0/8 and t.ipnet = '10.0.0.0/8'", {"ipnet": b"\x0a\1\2\3"}, True),
    ("len(('a', 'b')) = 2 and len('(a,b)') = 2", {}, True),
    ("len('(a,b)') = 5 and len(('a', 'b')) = 5", {}, True),
    # A single value remembered for a list, and the other way round.
    ("tolower('t.strings') = x or tolower(t.strings) exists", {"strings": None}, True),
    ("tolower('t.strings') = x or tolower(t.strings) in (t.strings)", {"strings": [b"a"]}, False),
    ("tolower(t.strings) in (x) or tolower('t.strings') = a", {"strings": [b"A"]}, True),
    ("tolower(t.strings) in (x) or tolower('t.strings') = a", {"strings": []}, False),
]  # fmt: skip


@pytest.mark.parametrize(("condition", "values", "expected"), ALIKE)
def test_checks_that_print_alike_share_one_result(condition, values, expected, verdict):
    assert verdict(condition, **values) is expected


def test_many_checks_that_print_alike_do_not_blow_up(verdict):
    pair = "len('t.string') = 1 or len(t.string) = 1"
    condition = " or ".join([f"t.bool = true and ({pair})"] * 20)
    assert verdict(condition, string=b"a", bool=False) is False
    assert verdict(f"{condition} or len(t.string) = 1", string=b"a", bool=False) is True
    long = " and ".join([f"({pair} or t.bool = true)"] * 400)
    assert verdict(long, string=b"a", bool=True) is True
