from __future__ import annotations

import ipaddress

import pytest


def ip(text):
    return ipaddress.ip_address(text).packed


STRINGS = [
    ("=", "abc", b"abc", True),
    ("=", "abc", b"ABC", False),
    ("=", "''", b"", True),
    ("=", "abc", b"abc\0rest", True),
    ("!=", "abc", b"abc\0rest", False),
    ("=", "é", "é".encode(), True),
    ("=", "é", "e\u0301".encode(), False),
    ("<", "10", b"9", False),
    ("<", "10", b"1", True),
    ("<=", "10", b"10", True),
    (">", "10", b"abc", True),
    (">", "0x10", b"1", True),
    (">=", "5", b"\xff", True),
    ("contains", "ell", b"hello", True),
    ("contains", "''", b"", True),
    ("contains", "b", b"a\0b", False),
    ("icontains", "ELL", b"hello", True),
    ("icontains", "'É'", "é".encode(), False),
    ("startswith", "he", b"hello", True),
    ("startswith", "hello!", b"hello", False),
    ("endswith", "llo", b"hello", True),
    ("endswith", "xhello", b"hello", False),
    ("glob", "h*o", b"hello", True),
    ("glob", "H*", b"hello", False),
    ("glob", "'*/*'", b"a/b/c", True),
    ("glob", "'?'", "é".encode(), False),
    ("glob", "'??'", "é".encode(), True),
    ("glob", "'h[!e]llo'", b"hello", False),
    ("glob", "'[^a]'", b"b", True),
    ("glob", "a\\*", b"a*", True),
    ("glob", "a\\*", b"ab", False),
    ("glob", "'[a'", b"[a", True),
    ("glob", "'[[:digit:]]'", b"5", True),
    ("glob", "'{a,b}'", b"a", False),
    ("glob", "''", b"", True),
    ("iglob", "H*", b"hello", True),
    ("iglob", "'[A-C]'", b"b", True),
    ("regex", "'hel.*'", b"hello", True),
    ("regex", "'el.*'", b"hello", False),
    ("regex", "'a.b'", b"a\nb", False),
    ("regex", "'[^a]'", b"\n", True),
    ("regex", "'a$\n^b'", b"a\nb", True),
    ("regex", "'.'", "é".encode(), True),
    ("regex", "'.'", b"\xff", False),
    ("regex", "'.*'", b"a\xffb", False),
    ("regex", "'(a|ab)(c|bcd)'", b"abcd", True),
    ("regex", "''", b"", True),
    ("in", "(a, 'b c')", b"b c", True),
    ("in", "()", b"", False),
    ("in", "(a)", b"a\0b", False),
    ("in", "hello", b"hello", True),
    ("intersects", "(a, hello)", b"hello", True),
    ("pmatch", "(/opt/dir)", b"/opt/dir/sub/file.txt", True),
    ("pmatch", "(/opt/di)", b"/opt/dir/sub/file.txt", False),
    ("pmatch", "(/opt/*/sub)", b"/opt/dir/sub/file.txt", True),
    ("pmatch", "(/opt/*)", b"/opt", False),
    ("pmatch", "(/opt/*.txt)", b"/opt/dir/sub/file.txt", False),
    ("pmatch", "(dir)", b"/opt/dir", False),
    ("pmatch", "(opt)", b"/opt", True),
    ("pmatch", "(//opt//dir)", b"/opt/dir", True),
    ("pmatch", "(/)", b"", True),
    ("pmatch", "('')", b"x", True),
    ("pmatch", "(/a/b)", b"/a/./b", False),
    ("pmatch", "()", b"/a", False),
    ("pmatch", "(/opt/d*/nope, /opt/di*/sub)", b"/opt/dir/sub/x", True),
    ("pmatch", "(/opt/di*/sub, /opt/d*/nope)", b"/opt/dir/sub/x", False),
]


@pytest.mark.parametrize(("op", "right", "value", "expected"), STRINGS)
def test_text(op, right, value, expected, verdict):
    assert verdict(f"t.string {op} {right}", string=value) is expected


NUMBERS = [
    ("= 10", 10, True),
    ("= 010", 10, True),
    ("= '+10'", 10, True),
    ("= ' 10'", 10, True),
    ("= -1", 2**64 - 1, True),
    ("> -1", 10, False),
    ("< -1", 10, True),
    ("= -18446744073709551615", 1, True),
    ("= 18446744073709551616", 2**64 - 1, True),
    ("= -99999999999999999999999", 2**64 - 1, True),
    (">= 9223372036854775808", 2**63, True),
    ("in (010, 5)", 10, True),
    ("intersects (10)", 10, True),
    ("!= oneof (1, 10)", 10, True),
    ("= oneof (10, 10)", 10, False),
]


@pytest.mark.parametrize("type_", ["uint64", "reltime", "abstime"])
@pytest.mark.parametrize(("right", "value", "expected"), NUMBERS)
def test_numbers(type_, right, value, expected, verdict):
    assert verdict(f"t.{type_} {right}", **{type_: value}) is expected


ADDRESSES = [
    ("t.ipaddr = 10.0.0.1", "10.0.0.1", True),
    ("t.ipaddr = ::1", "10.0.0.1", False),
    ("t.ipaddr != ::1", "10.0.0.1", True),
    ("t.ipaddr = 2001:DB8:0::1", "2001:db8::1", True),
    ("t.ipaddr = 10.0.0.1", "::ffff:10.0.0.1", False),
    ("t.ipaddr = ::ffff:a00:1", "::ffff:10.0.0.1", True),
    ("t.ipaddr in (10.0.0.1, ::1)", "::1", True),
    ("t.ipnet = 10.99.0.0/8", "10.1.2.3", True),
    ("t.ipnet != 10.0.0.0/8", "2001:db8::5", True),
    ("t.ipnet = 10.0.0.0/8", "2001:db8::5", False),
    ("t.ipnet = 10.0.0.0/256", "99.1.2.3", True),
    ("t.ipnet = 10.0.0.0/264", "10.1.2.3", True),
    ("t.ipnet = 10.0.0.0/264", "11.1.2.3", False),
    ("t.ipnet = 2001:db8::/33", "2001:db8:7fff::5", True),
    ("t.ipnet = 2001:db8::/33", "2001:db8:8fff::5", False),
    ("t.ipnet = 2001:db8::/288", "2001:db8::5", True),
    ("t.ipnet in (192.168.0.0/16, 2001:db8::/32)", "2001:db8::5", True),
    ("t.ipnet = oneof (11.0.0.0/8, 10.0.0.0/8)", "10.1.2.3", True),
    ("t.ipnet = allof (10.0.0.0/8, 10.1.0.0/16)", "10.1.2.3", True),
    ("t.ipnet != anyof (10.0.0.0/8, 11.0.0.0/8)", "10.1.2.3", True),
    ("t.ipnet = anyof (10.0.0.0/8)", "10.1.2.3", False),
    ("t.ipnet != allof (10.0.0.0/8)", "10.1.2.3", True),
    ("t.ipnet != allof ()", "10.1.2.3", False),
]


@pytest.mark.parametrize(("condition", "value", "expected"), ADDRESSES)
def test_addresses(condition, value, expected, verdict):
    assert verdict(condition, ipaddr=ip(value), ipnet=ip(value)) is expected


@pytest.mark.parametrize("value", [b"", b"\x0a", b"\x0a\0\0", b"\0" * 15])
def test_addresses_of_odd_length_equal_nothing(value, verdict):
    for name in ("ipaddr", "ipnet"):
        constant = "10.0.0.1" if name == "ipaddr" else "10.0.0.0/8"
        assert verdict(f"t.{name} exists", **{name: value}) is True
        assert verdict(f"t.{name} = {constant}", **{name: value}) is False
        assert verdict(f"t.{name} in ({constant})", **{name: value}) is False
        assert verdict(f"t.{name} != {constant}", **{name: value}) is True


LISTS = [
    ("t.strings in (a, b, c)", [b"a", b"b"], True),
    ("t.strings in (a)", [b"a", b"b"], False),
    ("t.strings in ()", [b"a"], False),
    ("t.strings in (a, '')", [b"", b"a"], True),
    ("t.strings intersects (a, z)", [b"a", b"b"], True),
    ("t.strings intersects (z)", [b"a", b"b"], False),
    ("t.strings intersects ('')", [b"x", b""], True),
    ("not t.strings in (a)", [], True),
    ("t.strings exists", [b""], True),
    ("t.strings exists", [], False),
]


@pytest.mark.parametrize(("condition", "value", "expected"), LISTS)
def test_lists(condition, value, expected, verdict):
    assert verdict(condition, strings=value) is expected


@pytest.mark.parametrize(
    ("left", "right", "inside", "overlap"),
    [
        ([b"a"], [b"a", b"b"], True, True),
        ([b"a", b"c"], [b"a", b"b"], False, True),
        ([b"c"], [b"a"], False, False),
        ([b"a"], [], False, False),
        ([], [b"a"], False, False),
    ],
)
def test_a_list_against_a_list(left, right, inside, overlap, verdict):
    both = {"strings": left, "strings2": right}
    assert verdict("t.strings in val(t.strings2)", **both) is inside
    assert verdict("t.strings intersects val(t.strings2)", **both) is overlap


def test_not_binds_tightest_then_and_then_or(verdict):
    on = {"string": b"x", "bool": True}
    assert verdict("t.string exists or t.string exists and t.bool = false", **on)
    assert not verdict("(t.string exists or t.string exists) and t.bool = false", **on)
    assert not verdict("not t.string exists or t.bool = false", **on)
    assert verdict("not (t.string exists and t.bool = false)", **on)
    assert verdict("not not t.string exists", **on)


def test_the_text_that_outputs_print_for_absent_values_is_no_value(verdict):
    assert verdict("t.string = <NA>", string=None) is False
    assert verdict("t.string = <NA>", string=b"<NA>") is True


def test_generic_fields_are_always_known(verdict, refusal):
    assert verdict("evt.asynctype exists or not evt.asynctype exists") is True
    assert refusal("evt.type = open").diagnostics[0].code == "unknown-field"
    assert refusal("evt.numbers exists").diagnostics[0].code == "unknown-field"
