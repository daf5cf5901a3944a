"""Patterns rewritten for pyarrow's RE2 match what google-re2 matches."""

from __future__ import annotations

import pyarrow as pa
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from workbench.condition.semantics import regex
from workbench.condition.semantics.values import ValueFault, compile_regex


def views(values):
    array = pa.array(values, pa.large_binary())
    return pa.Array.from_buffers(pa.large_string(), len(array), array.buffers())


VALUES = [
    b"", b"a", b"b", b"aa", b"ab", b"abab", b"a\nb", b"\n", b"a.b", b"A", b"aaaa", b"$",
    b"\xc3\xa9", b"\xff", b"a\xffb", b"a\0b", b"[", b"-", b"^a", b"ab\nab", b"x" * 30,
    b"/a/b.c", b"_", b"{2}", b"a{2}",
]  # fmt: skip

pieces = st.sampled_from(
    [
        "a", "b", "ab", ".", "[ab]", "[^a]", "[[:alpha:]]", "[]a]", "[^]]", "[a-c]",
        "[.]", "\\.", "\\\\", "\\n", "\\-", "(a)", "(a|b)", "(|a)", "()", "^", "$", "é",
        "[é]", "{", "}", "{,2}", "/", "_", " ", "[\\]]", "[[:^digit:]]", "\\x61", "[a\\-b]",
    ]
)  # fmt: skip
repeats = st.sampled_from(["", "", "", "*", "+", "?", "*?", "+?", "??", "**", "{2}", "{1,2}?", "{0}", "+*", "{2}{2}"])  # fmt: skip
patterns = st.lists(st.tuples(pieces, repeats).map("".join), max_size=5).map("".join)
alternatives = st.lists(patterns, min_size=1, max_size=3).map("|".join)


@settings(max_examples=600, deadline=None)
@given(pattern=alternatives, extra=st.lists(st.binary(max_size=6), max_size=3))
def test_random_patterns_agree_with_google_re2(pattern, extra):
    raw = pattern.encode()
    try:
        judge = compile_regex(raw)
    except ValueFault:
        return
    values = VALUES + extra
    expected = [judge.fullmatch(value) is not None for value in values]
    assert regex.matches(raw, views(values)).tolist() == expected
    must = regex.required(raw)
    if must is not None:
        for value, hit in zip(values, expected, strict=True):
            if hit and must.kind == "startswith":
                assert value.startswith(must.text)
            elif hit:
                assert must.text in value


@pytest.mark.parametrize(
    ("pattern", "rewritten"),
    [
        (b"a+?", r"(?m)\A(?:(?:a+)?)\z"),
        (b"a**", r"(?m)\A(?:(?:a*)*)\z"),
        (b"(a|b){2}x", r"(?m)\A(?:(?:a|b){2}x)\z"),
        (b"a|^b$", r"(?m)\A(?:a|^b$)\z"),
        (b"[]a-]*\\.", r"(?m)\A(?:[]a-]*\.)\z"),
    ],
)
def test_patterns_are_rewritten_as_little_as_needed(pattern, rewritten):
    assert regex.rewrite(pattern) == rewritten


@pytest.mark.parametrize("pattern", [b"\\x61", b"[\\x61]", b"\\141"])
def test_what_is_not_surely_the_same_is_left_to_google_re2(pattern):
    assert regex.rewrite(pattern) is None
    assert regex.matches(pattern, views([b"a", b"b"])).tolist() == [True, False]


@pytest.mark.parametrize(
    ("pattern", "kind", "text"),
    [
        (b"/etc/.*[.]conf", "startswith", b"/etc/"),
        (b".*/ssh/.*", "contains", b"/ssh/"),
        (b"(a|b)ssh\\.d+", "contains", b"ssh."),
        (b"^/x.*", "startswith", b"/x"),
    ],
)
def test_a_text_that_every_match_contains_is_found(pattern, kind, text):
    assert regex.required(pattern) == regex.Required(kind, text)


@pytest.mark.parametrize("pattern", [b"a|b", b".*", b"(abc)?", b"a*", b"[a]bc*|x"])
def test_patterns_without_such_a_text_have_none(pattern):
    assert regex.required(pattern) is None
