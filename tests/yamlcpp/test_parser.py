from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tests.yamlcpp.reading import PATIENT, read
from workbench.yamlcpp import (
    SourceText,
    YamlError,
    load_documents,
)


@pytest.mark.parametrize(
    ("text", "value"),
    [
        ("a: 1", {"a": "1"}),
        ("a: yes\nb: 0x10\nc: ~", {"a": "yes", "b": "0x10", "c": None}),
        ("'null'", "null"),
        ("a: 1\na: 2", {"a": "1"}),
        ("? a\n: b", {"a": "b"}),
        ("- a\n-\n- b", ["a", None, "b"]),
        ("- - a\n  - b\n- c", [["a", "b"], "c"]),
        ("a:\n- b\n- c\nd: e", {"a": ["b", "c"], "d": "e"}),
        ("[a, [b, c], {d: e}, f: g]", ["a", ["b", "c"], {"d": "e"}, {"f": "g"}]),
        ('{"a":1,b: 2,}', {"a": "1", "b": "2"}),
        ("a: >\n  x\n  y\n\n  z\n", {"a": "x y\nz\n"}),
        ("a: >\n  x\n    y\n  z\n", {"a": "x\n  y\nz\n"}),
        ("a: |\n  x\n   y\n\n\nb: c", {"a": "x\n y\n", "b": "c"}),
        ("a: |+\n  x\n\nb: c", {"a": "x\n\n", "b": "c"}),
        ("a: |-\n  x\n", {"a": "x"}),
        ("a: |2\n   x\n", {"a": " x\n"}),
        ("a: x\n  y\n\n  z", {"a": "x y\nz"}),
        ("a: 'it''s'", {"a": "it's"}),
        (r'a: "\x41\u00e9\U0001f600\t\\\"\/\e"', {"a": 'Aé😀\t\\"/\x1b'}),
        ('a: "x \\\n   y"', {"a": "x y"}),
        ("a: x # comment\nb: x#y", {"a": "x", "b": "x#y"}),
        ("&a [x]", ["x"]),
        ("a: &x 1\nb: *x", {"a": "1", "b": "1"}),
        ("<<: {a: 1}\nb: 2", {"<<": {"a": "1"}, "b": "2"}),
        ("!tag a", "a"),
        ("a: 'b: c'", {"a": "b: c"}),
        ("a: http://x:80/", {"a": "http://x:80/"}),
        ("a: 1\r\nb: 2\r\n", {"a": "1", "b": "2"}),
        (b"\xef\xbb\xbfa: 1", {"a": "1"}),
        ("a: 1".encode("utf-16"), {"a": "1"}),
    ],
)
def test_documents_are_read_as_text(text, value):
    assert read(text) == [value]


def test_an_empty_document_ends_the_reading():
    assert read("a\n---\nb\n") == ["a", "b"]
    assert read("a\n---\n---\nb\n") == ["a"]
    assert read("") == read("# only a comment") == read("---\n") == []


@pytest.mark.parametrize(
    ("text", "reason", "row", "column"),
    [
        ("a: b: c", "illegal map value", 0, 4),
        ("\t- a", "illegal block entry", 0, 1),
        ("a: x\n\tb: c", "illegal tab when looking for indentation", 1, 0),
        ("a: [b\n", "end of sequence flow not found", 1, 0),
        ("a: }", "illegal flow end", 0, 3),
        ("a: @b", "unknown token", 0, 3),
        ("a: *b", "the referenced anchor is not defined: b", 0, 3),
        ("a: &b", None, 0, 0),
        ("%YAML 3.0\n---\na", "YAML major version too large", 0, 0),
        ('"\\q"', "unknown escape character: q", 0, 3),
        ("- a: 1\n b: c", "end of sequence not found", 1, 1),
        ("a: |0\n x", "cannot set zero indentation for a block scalar", 0, 5),
        ("!a !b c", "cannot assign multiple tags to the same node", 0, 3),
    ],
)
def test_faults_have_the_readers_words_and_place(text, reason, row, column):
    source = SourceText(text.encode())
    if reason is None:
        assert load_documents(source)
        return
    with pytest.raises(YamlError) as caught:
        load_documents(source)
    at = source.row_column(caught.value.pos)
    assert (caught.value.reason, at) == (reason, (row, column))


def test_nodes_know_their_bytes():
    text = b"- rule: r1  # x\n  items: [a,  'b']\n  c: >\n    x\n    y\n"
    (root,) = load_documents(SourceText(text))
    (item,) = root.items
    spans = {k.text: text[v.start : v.end] for k, v in item.pairs}
    assert spans == {
        "rule": b"r1",
        "items": b"[a,  'b']",
        "c": b">\n    x\n    y",
    }


@PATIENT
@given(st.binary(max_size=200))
def test_any_bytes_give_nodes_or_a_fault(raw):
    source = SourceText(raw)
    at = 0
    try:
        load_documents(source)
    except YamlError as error:
        at = error.pos
    assert 0 <= at <= len(source.data) + 4
