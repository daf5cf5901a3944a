from __future__ import annotations

import pytest

from workbench.condition import compile_condition
from workbench.errors import ConditionError

REFUSED = [
    ("t.uint64 = 0x0a", "bad-number"),
    ("t.uint64 > 0x10", "bad-number"),
    ("t.uint64 = 1.0", "bad-number"),
    ("t.uint64 > 1e+1", "bad-number"),
    ("t.uint64 = '10 '", "bad-number"),
    ("t.uint64 = ''", "bad-number"),
    ("t.uint64 = '+-1'", "bad-number"),
    ("t.uint64 in (1, a)", "bad-number"),
    ("t.uint64 = ١", "bad-number"),
    ("t.reltime = 10s", "bad-number"),
    ("t.abstime = '2020-01-01'", "bad-number"),
    ("t.bool = 1", "bad-bool"),
    ("t.bool = TRUE", "bad-bool"),
    ("t.bool = ' true'", "bad-bool"),
    ("t.ipaddr = 10.0.0.256", "bad-address"),
    ("t.ipaddr = 010.0.0.1", "bad-address"),
    ("t.ipaddr = 10.1", "bad-address"),
    ("t.ipaddr = 10.0.0.0/8", "bad-address"),
    ("t.ipaddr = ::ffff:10.0.0.1", "bad-address"),
    ("t.ipaddr = fe80::1%eth0", "bad-address"),
    ("t.ipaddr = ''", "bad-address"),
    ("t.ipaddr = localhost", "bad-address"),
    ("t.ipaddr = '10.0.0.1é'", "bad-address"),
    ("t.ipnet = 10.0.0.1", "bad-network"),
    ("t.ipnet = 2001:db8::", "bad-network"),
    ("t.ipnet = 10/8", "bad-address"),
    ("t.ipnet = ::ffff:10.0.0.0/104", "bad-address"),
    ("t.ipnet = 10.0.0.0/", "bad-number"),
    ("t.ipnet = 10.0.0.0/255.0.0.0", "bad-number"),
    ("t.ipnet = 10.0.0.0/33", "bad-prefix"),
    ("t.ipnet = 10.0.0.0/-1", "bad-prefix"),
    ("t.ipnet = ::/0", "bad-prefix"),
    ("t.ipnet = ::/256", "bad-prefix"),
    ("t.ipnet = 2001:db8::/129", "bad-prefix"),
    ("t.string = " + "x" * 256, "value-too-long"),
    ("t.string regex " + "x" * 256, "value-too-long"),
    ("t.string regex '('", "bad-regex"),
    ("t.string regex '\\\\d+'", "bad-regex"),
    ("t.string regex '(?i)x'", "bad-regex"),
    ("t.string regex 'a{1001}'", "bad-regex"),
    ("t.string regex '[z-a]'", "bad-regex"),
    ("t.string regex '*a'", "bad-regex"),
    ("t.string regex anyof (a, '(')", "bad-regex"),
]


@pytest.mark.parametrize(("condition", "code"), REFUSED)
def test_a_constant_that_does_not_fit_is_refused_with_a_hint(condition, code, refusal):
    error = refusal(condition)
    assert error.stage == "compile"
    assert error.diagnostics[0].code == code
    assert error.hint


ACCEPTED = [
    "t.string = " + "x" * 255,
    "t.string regex 'a**'",
    "t.string regex 'a*?'",
    "t.uint64 = 10",
    "t.uint64 > +5",
    "t.ipaddr = 0:0:0:0:0:0:0:1",
    "t.ipnet = 10.0.0.0/08",
    "t.ipnet = 10.99.0.0/0",
]


@pytest.mark.parametrize("condition", ACCEPTED)
def test_a_constant_of_the_type_is_accepted(condition, verdict):
    assert verdict(condition) is False


def test_patterns_are_bytes_that_must_be_utf8(refusal):
    assert refusal(b"t.string regex '\xff'").stage == "compile"


@pytest.mark.parametrize(
    ("condition", "value", "expected"),
    [
        (b"t.string = abc\0def", b"abc", True),
        (b"t.string in (abc\0def)", b"abc", True),
        (b"t.string in (abc\0def)", b"abc\0def", False),
        (b"t.string regex ab+\0[", b"abb", True),
        (b"t.string = abc\0" + b"x" * 300, b"abc", True),
        (b"t.string contains b\0c", b"abx", True),
        (b"t.string = caf\xc3\xa9", "café".encode(), True),
        ("t.string = caf\udcff", b"caf\xff", None),
        ("t.string = 'caf\udcff'", b"caf\xff", True),
        (b"t.string = 'caf\xff'", b"caf\xff", True),
    ],
)
def test_any_bytes_may_stand_in_a_constant(
    condition, value, expected, verdict, refusal
):
    if expected is None:
        # A bare word ends at a byte that is not UTF-8.
        assert refusal(condition).stage == "parse"
    else:
        assert verdict(condition, string=value) is expected


def test_a_nul_leaves_a_quoted_text_unclosed(refusal):
    assert refusal(b"t.string = 'abc\0def'").position == 11


def test_a_field_of_an_unknown_type_is_refused():
    fields = [{"name": "t.odd", "type": "float", "desc": "x"}]
    with pytest.raises(ConditionError) as caught:
        compile_condition("t.odd exists", fields)
    assert caught.value.diagnostics[0].code == "unknown-type"


@pytest.mark.parametrize(
    ("condition", "code"),
    [
        ("t.nope = a", "unknown-field"),
        ("t.key = a", "argument-required"),
        ("t.string[a] = a", "argument-not-allowed"),
        ("t.idx[01] = 1", "argument-index"),
        ("t.idx[x] = 1", "argument-index"),
        ("t.key['a b'] = a", "argument-brackets"),
        ("t.key['a]b'] = a", "unknown-field"),
        ("evt.num[1] = 1", "unknown-field"),
        ("some_macro", "unknown-macro"),
        ("t.string = val(t.nope)", "unknown-field"),
    ],
)
def test_names_that_are_not_known_are_refused(condition, code, refusal):
    error = refusal(condition)
    assert (error.stage, error.diagnostics[0].code) == ("compile", code)
