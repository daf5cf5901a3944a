from __future__ import annotations

import re2
from hypothesis import example, given, settings
from hypothesis import strategies as st

from workbench.condition import check_condition, compile_condition, complete
from workbench.condition.execution.compile import try_compile
from workbench.condition.semantics.globs import fnmatch
from workbench.condition.semantics.paths import PathSet
from workbench.condition.syntax.canonical import canonical
from workbench.condition.syntax.lexer import Cursor
from workbench.condition.syntax.parser import ParseFault, parse
from workbench.errors import ConditionError

TOKENS = [
    "t.string", "t.strings", "t.uint64", "t.bool", "t.ipnet", "t.key[a]", "t.key['b c']", "t.idx[0]",
    "evt.num", "t.nope", "x", "and", "or", "not", "not(", "and(", "or(", "(", ")", "exists", "=", "==", "!=",
    "<", "<=", ">", ">=", "contains", "icontains", "startswith", "endswith", "glob", "iglob", "regex", "in",
    "intersects", "pmatch", "bcontains", "oneof", "anyof", "allof", "val(", "tolower(", "b64(", "len(", "join(",
    "concat(", "getopt(", "'a'", '"b c"', "'\\q'", "'\\n'", "'", '"', "\\", "5", "-1", "0x1F", "1e+5", "10.0.0.1",
    "10.0.0.0/8", "::1", "true", ",", "[", "]", "[n]", "(a, b)", "()", "a*", "[a", ".*", "\0", "é", "\x0b", "\b",
    "\udcff", "\ud800", "\n",
]  # fmt: skip
soup = st.lists(
    st.tuples(st.sampled_from(TOKENS), st.sampled_from(["", " ", "\t", "\n "])),
    max_size=25,
).map(lambda pairs: "".join(token + blank for token, blank in pairs))
anything = st.one_of(
    soup,
    soup.map(lambda text: text.encode("utf-8", "surrogatepass")),
    st.text(max_size=60),
    st.binary(max_size=60),
)


def outcome(text, fields):
    """Give what compiles, or the error with which it is refused; nothing else."""
    try:
        return compile_condition(text, fields), None
    except ConditionError as error:
        return None, error


@settings(max_examples=600, deadline=None)
@given(text=anything)
@example(text="\ud800")
@example(text="a" * 70 + "\0")
@example(text=b"t.string in ('\\q")
@example(text="t.string = val(t.string)[")
def test_any_text_compiles_or_is_refused(text, fields):
    compiled, error = outcome(text, fields)
    if error is None:
        assert isinstance(compiled.ast, str)
        assert all(isinstance(name, str) for name in compiled.columns)
        return
    raw = text.encode("utf-8", "surrogatepass") if isinstance(text, str) else text
    assert error.stage in ("parse", "compile")
    assert 0 <= error.position <= len(raw)
    assert min(error.line, error.column) >= 1
    assert str(error)


@settings(max_examples=400, deadline=None)
@given(text=anything)
def test_the_editor_sees_an_error_exactly_where_compiling_fails(text, fields):
    errors = [d for d in check_condition(text, fields) if d.severity == "error"]
    strict, error = outcome(text, fields)
    assert bool(errors) == (error is not None)
    compiled, found = try_compile(text, fields)
    assert found == check_condition(text, fields)
    assert (compiled is None) == (strict is None)
    if strict is not None:
        same = (strict.ast, strict.columns, strict.warnings, strict.checks)
        assert same == (
            compiled.ast,
            compiled.columns,
            compiled.warnings,
            compiled.checks,
        )


@settings(max_examples=300, deadline=None)
@given(text=st.one_of(soup, st.text(max_size=60)), cursor=st.integers(-5, 200))
def test_completion_never_fails(text, cursor, fields):
    values = {"t.string": ["a", b"\xff", "b c"], "t.key[x]": []}
    for item in complete(text, cursor, fields, values, macros=["m"], lists=["l"]):
        assert 0 <= item.start <= item.end <= len(text)


@settings(max_examples=300, deadline=None)
@given(text=anything)
def test_a_tree_that_was_read_can_be_printed(text):
    try:
        tree = parse(text)
    except ParseFault:
        return
    assert isinstance(canonical(tree), str)


@settings(max_examples=300)
@given(
    raw=st.one_of(
        st.binary(max_size=12), soup.map(lambda t: t.encode("utf-8", "surrogatepass"))
    )
)
def test_bare_words_end_where_the_regular_expressions_of_the_engine_end_them(raw):
    options = re2.Options()
    options.posix_syntax = options.longest_match = True
    for pattern, read in (
        (rb"[^()\"'[:space:]=,]+", Cursor.bare),
        (rb"[^][\"'[:space:]]+", Cursor.bare_argument),
        (
            rb"[+\-]?[0-9]+[\.]?[0-9]*([eE][+\-][0-9]+)?|0[xX][0-9a-fA-F]+",
            Cursor.number,
        ),
        (rb"not[[:space:]]+", lambda c: c.raw[: c.at] if c.not_word() else None),
    ):
        found = re2.match(pattern, raw, options=options)
        assert read(Cursor(raw)) == (found.group() if found else None)


@given(
    pattern=st.text("ab*?[]!^-\\:=.", max_size=10), text=st.text("ab-]\\[.", max_size=8)
)
def test_patterns_without_wildcards_match_themselves(pattern, text):
    raw = pattern.encode()
    if not set(raw) & set(b"*?[\\"):
        assert fnmatch(raw, raw)
        assert fnmatch(raw, text.encode()) == (raw == text.encode())
    assert fnmatch(b"*" + raw, text.encode() + raw) or set(raw) & set(b"*?[\\")
    assert isinstance(fnmatch(raw, text.encode()), bool)


@given(
    paths=st.lists(st.text("ab/", max_size=6), max_size=4),
    value=st.text("ab/", max_size=8),
)
def test_plain_paths_match_what_lies_under_them(paths, value):
    def parts(text):
        return [part for part in text.split("/") if part]

    under = any(parts(value)[: len(parts(path))] == parts(path) for path in paths)
    assert PathSet([path.encode() for path in paths]).matches(value.encode()) == under
