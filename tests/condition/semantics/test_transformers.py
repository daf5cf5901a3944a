from __future__ import annotations

import base64

import pytest
from hypothesis import given
from hypothesis import strategies as st

from workbench.condition.semantics.transformers import decode_base64, getopt

CASES = [
    ("tolower(t.string) = hello", {"string": b"HeLLo"}, True),
    ("toupper(t.string) = 'CAFé'", {"string": "café".encode()}, True),
    ("tolower(t.string) in (hello)", {"string": b"HELLO"}, True),
    ("tolower(t.string) pmatch (/a)", {"string": b"/A/B"}, True),
    ("tolower(t.string) exists", {"string": None}, False),
    ("basename(t.string) = c", {"string": b"/a/b/c"}, True),
    ("basename(t.string) = ''", {"string": b"/a/b/"}, True),
    ("basename(t.string) = abc", {"string": b"abc"}, True),
    ("b64(t.string) = hello", {"string": b"aGVsbG8="}, True),
    ("b64(t.string) = hello", {"string": b"aGVsbG8"}, True),
    ("b64(t.string) exists", {"string": b"!!!"}, False),
    ("not b64(t.string) != x", {"string": b"!!!"}, True),
    ("b64(t.string) = ''", {"string": b""}, True),
    ("b64(t.string) exists", {"string": b"="}, False),
    ("b64(t.string) = a", {"string": b"YQBi"}, True),
    ("b64(t.string) in (a)", {"string": b"YQBi"}, False),
    ("b64(t.string) contains b", {"string": b"YQBi"}, False),
    ("len(b64(t.string)) = 1", {"string": b"YQBi"}, True),
    ("len(t.string) = 5", {"string": "café".encode()}, True),
    ("len(t.string) = 0", {"string": None}, False),
    ("len(t.strings) = 2", {"strings": [b"a", b"b"]}, True),
    ("len(t.ipaddrs) = 1", {"ipaddrs": [b"\x01\x02\x03\x04"]}, True),
    ("len(t.strings) = 0", {"strings": []}, False),
    ("tolower(t.strings) in (a, b)", {"strings": [b"A", b"B"]}, False),
    ("tolower(t.strings) intersects (a)", {"strings": [b"A"]}, False),
    ("tolower(t.strings) exists", {"strings": [b"A"]}, True),
    ("tolower(t.strings) in toupper(t.strings2)", {"strings": [b"A"], "strings2": [b"a"]}, False),
    ("tolower(t.strings) in tolower(t.strings2)", {"strings": [b"A"], "strings2": [b"a"]}, True),
    ("t.string = tolower(t.string2)", {"string": b"a", "string2": b"A"}, True),
    ("t.string in tolower(t.string2)", {"string": b"a", "string2": b"A"}, False),
    ("t.uint64 = len(t.string)", {"uint64": 3, "string": b"abc"}, True),
    ("join(',', t.strings) = 'a,b'", {"strings": [b"a", b"b"]}, True),
    ("join(',', t.strings) exists", {"strings": []}, False),
    ("join(',', tolower(t.strings)) = 'a,b'", {"strings": [b"A", b"B"]}, True),
    ("join(tolower(','), t.strings) = 'a,'", {"strings": [b"a", b"b"]}, True),
    ("join('-', (t.string, t.uint64, 5, 'x')) = a-7-5-x", {"string": b"a", "uint64": 7}, True),
    ("join('-', (t.strings, 'z')) = a-b-z", {"strings": [b"a", b"b"]}, True),
    ("join('-', (t.uint64s, 'z')) = 1-z", {"uint64s": [1, 2]}, True),
    ("join('-', (t.string, t.string2)) exists", {"string": b"a", "string2": None}, False),
    ("join(',', ()) = ''", {}, True),
    ("concat(t.string, '-', t.string2) = a-b", {"string": b"a", "string2": b"b"}, True),
    ("concat(tolower(t.string), 'X') = aX", {"string": b"A"}, True),
    ("concat(t.string, t.string2) exists", {"string": b"a", "string2": None}, False),
    ("concat('a', 'b') = ab", {}, True),
    ("tolower('ABC') = abc", {}, True),
    ("len(('a', 'b')) = 2", {}, True),
    ("len(()) = 0", {}, True),
    ("getopt(t.strings, 'nt:') in (n, t, v)", {"strings": [b"-n", b"-t", b"v"]}, True),
    ("getopt(t.strings, 'nt:')[t] = v2", {"strings": [b"-t", b"v1", b"-tv2"]}, True),
    ("getopt(t.strings, 'nt:')[n] = n", {"strings": [b"-n"]}, True),
    ("getopt(t.strings, 'nt:')[t] = ''", {"strings": [b"-t"]}, True),
    ("getopt(t.strings, 'nt:')[x] exists", {"strings": [b"-n"]}, False),
    ("getopt(t.strings, 'n') in ()", {"strings": [b"foo"]}, True),
    ("getopt(t.strings, 'n') intersects (n)", {"strings": [b"foo", b"-n"]}, False),
    ("getopt(t.strings, 'n') exists", {"strings": []}, False),
    ("join(' ', (getopt(t.strings, 'nt:'))) = 'n t v'", {"strings": [b"-n", b"-tv"]}, True),
    ("len(getopt(t.strings, 'n')) = 1", {"strings": [b"-n"]}, True),
    ("len(getopt(t.strings, 'nt:')) = 3", {"strings": [b"-n", b"-t", b"v"]}, True),
    ("len(getopt(t.strings, 'nt:')[t]) = 3", {"strings": [b"-tvvv"]}, True),
    ("getopt(t.strings, 'n') in val(t.strings2)", {"strings": [b"-n"], "strings2": [b"n"]}, False),
]  # fmt: skip


@pytest.mark.parametrize(("condition", "values", "expected"), CASES)
def test_calls(condition, values, expected, verdict):
    assert verdict(condition, **values) is expected


@pytest.mark.parametrize(
    ("condition", "code"),
    [
        ("tolower(t.uint64) = 1", "call-type"),
        ("len(t.uint64) = 1", "call-type"),
        ("tolower(len(t.string)) = 1", "call-type"),
        ("tolower(t.string, t.string2) = a", "call-arguments"),
        ("concat(t.string) = a", "call-arguments"),
        ("concat(t.uint64, 'x') = a", "call-arguments"),
        ("concat(t.strings, 'x') = a", "call-arguments"),
        ("join(',') = a", "call-arguments"),
        ("join(',', t.string) = a", "call-arguments"),
        ("join(t.strings, t.strings) = a", "call-arguments"),
        ("join(',', t.strings, 'x') = a", "call-arguments"),
        ("join(' ', getopt(t.strings, 'n')) = n", "call-arguments"),
        ("getopt(t.strings) intersects (n)", "call-arguments"),
        ("getopt(t.string, 'n') intersects (n)", "call-arguments"),
        ("getopt(t.uint64s, 'n') intersects (n)", "call-arguments"),
        ("getopt(t.strings, t.strings) intersects (n)", "call-arguments"),
        ("getopt(t.strings, 'n')[nn] = n", "call-arguments"),
        ("getopt(t.strings, 'n') = n", "operator-type"),
        ("tolower(t.string)[0] = a", "call-option"),
        ("t.string = val(t.string2)[0]", "call-option"),
        ("tolower(t.nope) = a", "unknown-field"),
    ],
)
def test_calls_that_are_refused(condition, code, refusal):
    error = refusal(condition)
    assert error.stage == "compile"
    assert error.diagnostics[0].code == code


@given(st.binary(max_size=40))
def test_what_base64_encodes_is_decoded(data):
    text = base64.b64encode(data)
    assert decode_base64(text) == data
    assert decode_base64(text.rstrip(b"=")) == (data if text else b"")


@given(st.text("AQZaz09+/= -_", max_size=12))
def test_base64_is_read_strictly(text):
    raw = text.encode()
    core = raw[:-2] + raw[-2:].rstrip(b"=") if raw.endswith(b"=") else raw
    padded = core + b"=" * (-len(core) % 4)
    try:
        wanted = base64.b64decode(padded, validate=True)
        if base64.b64encode(wanted).rstrip(b"=") != core or (raw and not core):
            wanted = None
    except ValueError:
        wanted = None
    assert decode_base64(raw) == wanted


@pytest.mark.parametrize(
    ("words", "spec", "found"),
    [
        (["-n", "-t", "v"], "nt:", ["n", "t", "v"]),
        (["-nt", "v", "x", "-n"], "nt:", ["n", "t", "v"]),
        (["-tvalue"], "t:", ["t", "value"]),
        (["-x"], "n", ["?"]),
        (["-t"], "nt:", [""]),
        (["--", "-n"], "n", []),
        (["--exec", "-n"], "n", ["n"]),
        (["", "-n"], "n", []),
        (["-", "-n"], "n", []),
        (["-:"], ":n", ["?"]),
        (["-t", "-n"], "nt:", ["t", "-n"]),
    ],
)
def test_options_are_listed_in_order(words, spec, found):
    raw = [word.encode() for word in words]
    assert getopt(raw, spec.encode(), None) == [item.encode() for item in found]
