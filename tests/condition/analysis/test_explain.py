"""Explanations: one event, the funnel of a table, near misses."""

from __future__ import annotations

import itertools
import json

import pyarrow as pa
import pytest
from hypothesis import HealthCheck, given, settings

from tests.condition import kernel_cases as cases
from workbench.condition import compile_condition
from workbench.condition.analysis.explain import explain, funnel, near_misses
from workbench.condition.binding.bind import bind
from workbench.condition.execution.compile import CompiledCondition
from workbench.condition.execution.plan import build_plan
from workbench.condition.execution.reference import matches_row
from workbench.condition.syntax.nodes import AndExpr, MacroExpr
from workbench.condition.syntax.parser import parse
from workbench.fields.declarations import as_field_table

FIELDS = [
    {"name": "x.user", "type": "string", "desc": ""},
    {"name": "x.path", "type": "string", "desc": ""},
    {"name": "x.size", "type": "uint64", "desc": ""},
    {"name": "x.ip", "type": "ipaddr", "desc": ""},
    {"name": "x.took", "type": "reltime", "desc": ""},
    {"name": "x.tags", "type": "string", "isList": True, "desc": ""},
]


@pytest.fixture
def table():
    return pa.table(
        {
            "evt.num": pa.array([1, 2, 3, 5], pa.uint64()),
            "x.user": pa.array([b"root", b"eve", None, b"root"], pa.binary()),
            "x.path": pa.array([b"/etc/Shadow", b"/tmp/a", b"/etc/x", b"/"]),
            "x.size": pa.array([10, 2000, 3, 4], pa.uint64()),
            "x.ip": pa.array([b"\x0a\0\0\1", None, b"\0" * 16, b"abc"]),
            "x.took": pa.array([5, 1_500_000_000, None, 0], pa.uint64()),
            "x.tags": pa.array(
                [[b"a", b"b"], [], None, [b"<b>"]], pa.list_(pa.binary())
            ),
        }
    )


def test_an_event_shows_every_check_with_what_it_saw(table):
    compiled = compile_condition(
        "x.user = root and (tolower(x.path) endswith shadow or x.size > 100)"
        " and not x.tags intersects (c, d)",
        FIELDS,
    )
    assert str(explain(compiled, table, 0)) == (
        "event 1 matches: (x.user = root and (tolower(x.path) endswith shadow or"
        " x.size > 100) and not x.tags intersects (c, d))\n"
        "  ✓ all of\n"
        "    ✓ x.user = root\n"
        '        x.user is "root"\n'
        "    ✓ any of\n"
        "      ✓ tolower(x.path) endswith shadow\n"
        '          x.path is "/etc/Shadow"\n'
        '          tolower(x.path) is "/etc/shadow"\n'
        "      ✗ x.size > 100   (not evaluated)\n"
        "          x.size is 10\n"
        "    ✓ not\n"
        "      ✗ x.tags intersects (c, d)\n"
        '          x.tags is ("a", "b")'
    )


def test_an_absent_value_is_named_as_the_reason(table):
    compiled = compile_condition("x.user != root", FIELDS)
    [check] = explain(compiled, table, 2).checks
    assert not check.verdict
    assert check.reason == "x.user is absent: every comparison with it is false"
    assert [(v.name, v.text) for v in check.values] == [("x.user", "absent")]


def test_sets_tell_which_of_their_values_fit(table):
    compiled = compile_condition("x.path startswith anyof (/etc, /var, /)", FIELDS)
    [check] = explain(compiled, table, 0).checks
    assert check.reason == 'fits "/etc", "/"'
    [check] = explain(compile_condition("x.user in (a, b)", FIELDS), table, 0).checks
    assert check.reason == "none of the values fits"


def test_values_of_every_type_read_well(table):
    compiled = compile_condition("x.ip exists and x.took > 3", FIELDS)
    ip, took = explain(compiled, table, 0).checks
    assert ip.values[0].text == "10.0.0.1"
    assert took.values[0].text == "5 ns"
    ip, took = explain(compiled, table, 2).checks
    assert ip.values[0].text == "::"
    assert took.values[0].text == "absent"
    assert explain(compiled, table, 3).checks[0].values[0].text == "61 62 63"
    slow = explain(compiled, table, 1).checks[1].values[0].text
    assert slow == "1500000000 ns (1.5 s)"


def test_places_in_the_event_show_the_bytes(table):
    raw = b"h" * 38 + b'{"user":"root"}'
    offsets = {
        "x.user#start": pa.array([38 + 9, None, None, None], pa.uint64()),
        "x.user#len": pa.array([4, None, None, None], pa.uint64()),
    }
    compiled = compile_condition("x.user = root", FIELDS)
    for kept in (
        {"raw": pa.array([raw, None, None, None], pa.binary())},
        {"payload": pa.array([raw[38:], None, None, None], pa.binary())},
    ):
        wide = table
        for name, column in {**offsets, **kept}.items():
            wide = wide.append_column(name, column)
        [check] = explain(compiled, wide, 0).checks
        assert check.values[0].place == 'event bytes 47 to 50: "root"'


def test_record_batches_are_explained_too(table):
    compiled = compile_condition("x.user = root", FIELDS)
    [batch] = table.combine_chunks().to_batches()
    assert explain(compiled, batch, 0).matches
    assert funnel(compiled, batch).matches == 2
    assert near_misses(compiled, batch).count == 2


def test_html_shows_hostile_values_harmlessly(table):
    compiled = compile_condition("x.tags intersects ('<script>')", FIELDS)
    shown = explain(compiled, table, 3)._repr_html_()
    assert "<script" not in shown
    assert "&lt;b&gt;" in shown
    for result in (funnel(compiled, table), near_misses(compiled, table)):
        assert "<script" not in result._repr_html_()


def test_explanations_become_json(table):
    compiled = compile_condition("x.user = root", FIELDS)
    data = json.loads(json.dumps(explain(compiled, table, 1).to_dict()))
    assert data["event"] == 2
    assert data["matches"] is False
    assert data["lines"][0]["values"] == {"x.user": '"eve"'}


def test_rows_and_columns_that_are_not_there_are_named(table):
    compiled = compile_condition("x.user = root", FIELDS)
    with pytest.raises(IndexError, match="row 4 of a table with 4 rows"):
        explain(compiled, table, 4)
    for ask in (lambda t: explain(compiled, t, 0), lambda t: funnel(compiled, t)):
        with pytest.raises(KeyError, match=r"x\.user"):
            ask(table.drop_columns(["x.user"]))


def test_a_funnel_counts_alone_and_in_sequence(table):
    compiled = compile_condition(
        "x.user = root and (x.size > 5 or x.path = /) and not x.took > 3", FIELDS
    )
    found = funnel(compiled, table)
    assert [
        (s.text, s.alone, s.reached, s.passed) for s in found.steps
    ] == [
        ("all of", 1, 4, 1),
        ("x.user = root", 2, 4, 2),
        ("any of", 3, 2, 2),
        ("x.size > 5", 2, 2, 1),
        ("x.path = /", 1, 1, 1),
        ("not", 2, 2, 1),
        ("x.took > 3", 2, 2, 1),
    ]  # fmt: skip
    assert found.matches == 1
    assert list(found.frame.columns) == [
        "depth", "kind", "check", "alone", "reached", "passed",
    ]  # fmt: skip
    assert str(found).startswith("1 of 4 events match: ")


def test_near_misses_name_the_check_and_what_it_saw(table):
    compiled = compile_condition("x.user = root and x.size > 5 and x.path != /", FIELDS)
    found = near_misses(compiled, table)
    assert found.matches == 1
    assert found.count == 1
    [miss] = found.groups
    assert (miss.text, miss.verdict, miss.count) == ("x.user = root", False, 1)
    assert miss.events.tolist() == [2]
    assert miss.seen == (('"eve"', 1),)
    assert len(found.frame) == 1


@settings(max_examples=60, deadline=None, suppress_health_check=[HealthCheck.too_slow])
@given(tree=cases.trees, rows=cases.rows(6))
def test_near_misses_are_the_rows_one_flip_away(tree, rows):
    """The definition, spelled out: flip each distinct check, evaluate again."""

    class Compiled:
        root = tree
        ast = "random"
        origins = None
        plan = build_plan([tree])

    table = cases.table_of(rows, [0], 0)
    found = near_misses(Compiled, table)
    numbers = Compiled.plan.check_nodes[0]
    expected = {}
    for index, row in enumerate(rows):
        if matches_row(tree, row):
            continue
        for number in dict.fromkeys(numbers):
            if _flipped_verdict(tree, row, numbers, number):
                expected.setdefault(number, set()).add(index)
    assert found.count == len(set(itertools.chain(*expected.values())))
    got = {}
    for group in found.groups:
        # A check stands in two groups when it was wrong both ways.
        got.setdefault(numbers[group.check], set()).update(group.rows.tolist())
    assert got == expected


def _flipped_verdict(tree, row, numbers, flipped):
    from workbench.condition.binding.bound import (
        BoundAnd,
        BoundCheck,
        BoundNot,
        postorder,
    )
    from workbench.condition.execution.reference import check_row

    order = iter(numbers)
    stack = []
    for node in postorder(tree):
        if isinstance(node, BoundCheck):
            verdict = check_row(node, row)
            stack.append(verdict != (next(order) == flipped))
        elif isinstance(node, BoundNot):
            stack.append(not stack.pop())
        else:
            size = len(node.children)
            kids = stack[-size:]
            del stack[-size:]
            stack.append(all(kids) if isinstance(node, BoundAnd) else any(kids))
    return stack.pop()


def test_a_step_of_the_funnel_knows_its_bytes_unless_it_is_a_macros(table):
    outer = parse("x.size > 1 and here")
    size, here = outer.children
    inner = parse("x.user exists or x.path exists")
    tree = AndExpr((size, MacroExpr("here", inner, here.span)), outer.span)
    fields = as_field_table(FIELDS)
    compiled = CompiledCondition.from_bound(
        bind(tree, fields), text="", ast="", fields=fields
    )
    steps = funnel(compiled, table).steps
    assert [(s.kind, s.span) for s in steps] == [
        ("and", outer.span),
        ("check", size.span),
        ("macro", None),
        ("or", None),
        ("check", None),
        ("check", None),
    ]
