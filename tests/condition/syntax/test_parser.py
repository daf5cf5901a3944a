from __future__ import annotations

import pickle
import time

import pytest

from workbench.condition import compile_condition, compile_conditions
from workbench.condition.syntax.canonical import canonical
from workbench.condition.syntax.nodes import AndExpr, BinaryCheckExpr, NotExpr, OrExpr
from workbench.condition.syntax.parser import MAX_DEPTH, ParseFault, parse
from workbench.errors import ConditionError

FAULTS = [
    ("", 0, "empty-condition"),
    (" \n\t ", 4, "expected-check"),
    ("()", 1, "expected-check"),
    ("# x", 0, "expected-check"),
    ("_t.str = a", 0, "expected-check"),
    ("t.a", 3, "expected-operator"),
    ("t.a .b", 4, "expected-operator"),
    ("t.a contains(x)", 4, "expected-operator"),
    ("t.a contains'x'", 4, "expected-operator"),
    ("t.a regex", 4, "expected-operator"),
    ("t.a startswith=x", 4, "expected-operator"),
    ("t.a CONTAINS x", 4, "expected-operator"),
    ("t.a\x0bexists", 3, "expected-operator"),
    ("t.a.", 3, "expected-operator"),
    ("t.a [0] = a", 4, "expected-operator"),
    ("t.a oneof (a)", 4, "expected-operator"),
    ("t.a = ", 6, "expected-string"),
    ("t.a === x", 6, "expected-string"),
    ("t.a = 'x", 6, "expected-string"),
    ("t.a = 'x\\\\'", 6, "expected-string"),
    ("t.a in (a,)", 10, "expected-string"),
    ("t.a in (a,,b)", 10, "expected-string"),
    ("t.a <> 5", 5, "expected-number"),
    ("t.a > abc", 6, "expected-number"),
    ("t.a > '5'", 6, "expected-number"),
    ("t.a > .5", 6, "expected-number"),
    ("t.a > - 5", 6, "expected-number"),
    ("t.a in 5", 7, "expected-list"),
    ("t.a in 'x'", 7, "expected-list"),
    ("t.a pmatch/a", 10, "expected-list"),
    ("t.a in (a b)", 10, "expected-close"),
    ("t.a in (,a)", 8, "expected-close"),
    ("t.a in ((a))", 8, "expected-close"),
    ("t.a in ('x)", 8, "expected-close"),
    ("t.a in ('\\q', x)", 12, "expected-close"),
    ("(t.a exists", 11, "expected-close"),
    ("not(t.a exists", 14, "expected-close"),
    ("tolower(t.a", 11, "expected-close"),
    ("t.a = val(t.b, t.c)", 13, "expected-close"),
    ("t.a exists and", 14, "expected-blank"),
    ("t.a exists andt.a exists", 14, "expected-blank"),
    ("t.a = anyof or_x", 14, "expected-blank"),
    ("t.a exists)", 10, "unexpected-token"),
    ("t.a exists # x", 11, "unexpected-token"),
    ("t.a = a b", 8, "unexpected-token"),
    ("t.a = a,b", 7, "unexpected-token"),
    ("t.a =anyof (b)", 11, "unexpected-token"),
    ("t.a = anyof(b)", 11, "unexpected-token"),
    ("t.a = anyof 5", 12, "unexpected-token"),
    ("t.a > 1e5", 7, "unexpected-token"),
    ("t.a > 0xZZ", 7, "unexpected-token"),
    ("a or(b) and c", 8, "unexpected-token"),
    ("abc = x", 4, "unexpected-token"),
    ("tolower (t.a) = x", 8, "unexpected-token"),
    ("or t.a exists", 3, "unexpected-token"),
    ("val(t.a) = a", 3, "unexpected-token"),
    ("t.a[] = x", 4, "field-argument"),
    ("t.a[a b] = x", 5, "field-argument"),
    ("t.a['x' = 1", 7, "field-argument"),
    ("t.a = '\\q'", 10, "escape"),
    ("t.a = 'a\\\"b'", 12, "escape"),
    ("t.a = '\\x41'", 12, "escape"),
    ("t.a in (a, '\\q')", 15, "escape"),
    ("t.a = val(5)", 10, "val-field"),
    ("t.a = val(tolower(t.b))", 10, "val-field"),
    ("tolower(abc) = x", 8, "call-argument"),
    ("tolower(val(t.a)) = x", 8, "call-argument"),
    ("join(',', ((t.a))) = x", 11, "call-argument"),
    ("tolower(t.a)[ = x", 13, "field-argument"),
]


@pytest.mark.parametrize(("text", "at", "code"), FAULTS)
def test_a_fault_is_where_the_engine_stops(text, at, code):
    with pytest.raises(ParseFault) as caught:
        parse(text)
    assert (caught.value.at, caught.value.code) == (at, code)


PRINTED = [
    ("t.a=x", "t.a = x"),
    ("t.a existsand t.b exists", "(t.a exists and t.b exists)"),
    ("t.a inhello", "t.a in hello"),
    ("t.a in(a,'b c')", 't.a in (a, "b c")'),
    ("((t.a exists))", "t.a exists"),
    ("a or b and c", "(a or (b and c))"),
    ("a and b and c or d", "((a and b and c) or d)"),
    ("a and(b) or c", "((a and b) or c)"),
    ("not not a", "a"),
    ("not(not a)", "not not a"),
    ("not\x0bnot\tnot a", "not a"),
    ("t.a = anyof and b", "(t.a = anyof and b)"),
    ("t.a contains\nanyof ( x )", "t.a contains anyof (x)"),
    ("t.a = anyof order", "t.a = anyof order"),
    ("t.a = 'it\\'s'", 't.a = "it\'s"'),
    ("t.a = 'a\\ b'", 't.a = "a\\\\b"'),
    ("t.a = ''", "t.a = "),
    ("t.a in ('', 'a,b')", "t.a in (, a,b)"),
    ("t.a in ('\\q')", "t.a in ()"),
    ("t.a = \x01\x7f", "t.a = \x01\x7f"),
    ("t.key['k=v'] = 1", 't.key["k=v"] = 1'),
    ("t.key[''] = 1", 't.key[""] = 1'),
    ("join( ',' , ( t.a , 5 ) ) = x", "join(,,(t.a,5)) = x"),
    ("getopt(t.a, 'n')[n] = x", "getopt(t.a,n)[n] = x"),
    ("t.a exists\bor\bt.b exists", "(t.a exists or t.b exists)"),
    ("t.a > +5and b", "(t.a > +5 and b)"),
    ("t.a = tolower", "t.a = tolower"),
    ("len.x exists", "len.x exists"),
]


@pytest.mark.parametrize(("text", "printed"), PRINTED)
def test_a_condition_prints_as_the_engine_prints_it(text, printed):
    assert canonical(parse(text)) == printed


def test_chains_are_flat_and_groups_are_nodes():
    tree = parse("a and b and (c or d) and not e")
    assert isinstance(tree, AndExpr)
    assert [type(child).__name__ for child in tree.children] == [
        "IdentifierExpr",
        "IdentifierExpr",
        "OrExpr",
        "NotExpr",
    ]


def test_every_node_knows_its_bytes():
    text = " t.ä_ = x and (not t.a  in ( b, 'c' ) or d ) ".replace("ä_", "key['é']")
    raw = text.encode()
    tree = parse(raw)

    def cut(node):
        return raw[node.span.start : node.span.end].decode()

    assert cut(tree) == "t.key['é'] = x and (not t.a  in ( b, 'c' ) or d )"
    first, group = tree.children
    assert cut(first) == "t.key['é'] = x"
    assert (cut(first.left), cut(first.right)) == ("t.key['é']", "x")
    assert isinstance(group, OrExpr)
    assert cut(group) == "not t.a  in ( b, 'c' ) or d"
    negated = group.children[0]
    assert isinstance(negated, NotExpr)
    assert cut(negated) == "not t.a  in ( b, 'c' )"
    assert isinstance(negated.child, BinaryCheckExpr)
    assert raw[negated.child.op_span.start : negated.child.op_span.end] == b"in"
    assert [cut(item) for item in negated.child.right.items] == ["b", "'c'"]


def test_an_error_shows_the_place_and_a_correction(fields):
    with pytest.raises(ConditionError) as caught:
        compile_condition("t.string = a\n  and t.strng = 'é' or", fields)
    error = caught.value
    assert (error.position, error.line, error.column, error.stage) == (
        36,
        2,
        23,
        "parse",
    )
    assert str(error) == (
        "expected a blank or '(' after 'or', found the end of the text (line 2, column 23)\n"
        "      and t.strng = 'é' or\n"
        "                          ^\n"
        "hint: put a blank behind 'or'"
    )
    with pytest.raises(ConditionError) as caught:
        compile_condition("t.string = a\n  and t.strng = 'é'", fields)
    error = caught.value
    assert (error.position, error.line, error.column, error.stage) == (
        19,
        2,
        7,
        "compile",
    )
    assert error.hint == "did you mean t.string or t.strings or t.string2?"


def test_what_was_compiled_travels(fields):
    one = compile_condition("t.string = a and not tolower(t.string2) in (b)", fields)
    again = pickle.loads(pickle.dumps(one))
    assert again.ast == one.ast
    assert again.columns == one.columns == ["t.string", "t.string2"]
    with pytest.raises(ConditionError) as caught:
        compile_condition("t.string = ", fields)
    error = pickle.loads(pickle.dumps(caught.value))
    assert str(error) == str(caught.value)
    assert error.diagnostics == caught.value.diagnostics


@pytest.mark.parametrize("text", [None, 5, ["a"]])
def test_a_condition_is_a_text(text, fields):
    with pytest.raises(TypeError, match="a condition"):
        compile_condition(text, fields)


def test_several_conditions_are_compiled_at_once(fields):
    found = compile_conditions(["t.string = a", "t.uint64 > 5"], fields)
    assert [one.ast for one in found] == ["t.string = a", "t.uint64 > 5"]
    with pytest.raises(ConditionError):
        compile_conditions(["t.string = a", "t.uint64 >"], fields)


@pytest.mark.parametrize("pattern", ["({})", "not({})", "({} and a.b exists)"])
def test_nesting_of_thousands_of_levels_compiles(pattern, fields, verdict):
    depth = 2000
    before, after = pattern.split("{}")
    inner = "t.bool = true"
    condition = before.replace("a.b", "t.bool") * depth + inner
    condition += after.replace("a.b", "t.bool") * depth
    assert verdict(condition, bool=True) is True
    compiled = compile_condition(condition, fields)
    assert pickle.loads(pickle.dumps(compiled)).ast == compiled.ast


def test_calls_nest_by_the_thousand(verdict):
    depth = 2000
    condition = "tolower(" * depth + "t.string" + ")" * depth + " = a"
    assert verdict(condition, string=b"A") is True


@pytest.mark.parametrize("opening", ["(", "not(", "tolower(", "a and("])
def test_nesting_without_end_is_refused_not_crashed_on(opening, fields):
    with pytest.raises(ConditionError) as caught:
        compile_condition(opening * 100_000, fields)
    assert caught.value.stage == "parse"
    assert str(MAX_DEPTH) in str(caught.value)


@pytest.mark.parametrize(
    "piece",
    [
        "t.string = a and ",
        "(t.string = a) or ",
        "not ",
        "t.string in (" + "a, " * 20 + "a) and ",
        "t.string = 'it\\'s' or ",
        "tolower(t.string) = a and(t.bool = true) and ",
    ],
)
def test_reading_takes_time_in_proportion_to_the_text(piece):
    def seconds(count):
        text = piece * count + "t.string exists"
        best = 1e9
        for _ in range(3):
            start = time.process_time()
            parse(text)
            best = min(best, time.process_time() - start)
        return best

    count = 40_000 // len(piece)
    # In proportion it is 8 times as long; a square would be 64 times.
    assert seconds(count * 8) < 8 * 4 * seconds(count) + 0.1
