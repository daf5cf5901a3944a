"""Programs for workers: what they may leave out, and which columns come first."""

from __future__ import annotations

import pytest

from workbench.condition import compile_conditions
from workbench.condition.execution.deciding import deciding_columns
from workbench.condition.execution.kernel import is_packed
from workbench.condition.execution.packing import PackedColumn, pack, pack_stages

FIELDS = [
    {"name": "p.num", "type": "uint64", "desc": ""},
    {"name": "p.text", "type": "string", "desc": ""},
    {"name": "p.other", "type": "string", "desc": ""},
    {"name": "p.list", "type": "string", "isList": True, "desc": ""},
]
COLUMNS = {
    "evt.num": PackedColumn(0, "uint64"),
    "p.num": PackedColumn(2, "uint64"),
    "p.text": PackedColumn(3, "string"),
    "p.other": PackedColumn(4, "string"),
    "p.list": PackedColumn(5, "string", is_list=True),
}


def plan_of(*conditions):
    return compile_conditions(list(conditions), FIELDS).plan


@pytest.mark.parametrize(
    "condition",
    [
        "p.num = 1",
        "p.text regex 'a.*b' and p.num = 1",
        "p.text regex '^abc[0-9].*'",
        "not (p.text regex '^a.*' or p.num = 1)",
        "concat(p.text, p.other) = ab and p.list intersects (a)",
        "evt.time contains 1 and p.num < 5",
        "evt.num < 5",
    ],
)
def test_some_events_can_be_left_out(condition):
    program = pack(plan_of(condition), COLUMNS)
    assert program is not None
    assert is_packed(program)


@pytest.mark.parametrize(
    "condition",
    [
        "p.text regex '.*[0-9].*'",
        "not p.text regex '^abc.*'",
        "not (p.text regex '^abc.*' and p.num = 1)",
        "p.num = 1 or evt.time contains 1",
        "concat(p.text, p.other) = ab",
    ],
)
def test_what_only_python_knows_may_be_true(condition):
    assert pack(plan_of(condition), COLUMNS) is None
    # One such condition keeps every event, whatever the others say.
    assert pack(plan_of("p.num = 1", condition), COLUMNS) is None


def test_columns_that_are_missing_or_of_another_type_are_not_asked():
    plan = plan_of("p.num = 1 and p.text = a")
    assert pack(plan, {"p.num": COLUMNS["p.num"]}) != pack(plan, COLUMNS)
    assert pack(plan, {}) is None
    other = {"p.num": PackedColumn(2, "string"), "p.text": PackedColumn(3, "bool")}
    assert pack(plan, other) is None


def test_no_condition_leaves_every_event_out():
    program = pack(plan_of(), COLUMNS)
    assert program is not None
    assert is_packed(program)


def test_damaged_programs_are_refused():
    program = pack(plan_of("p.num in (1, 2) and p.text contains abc"), COLUMNS)
    assert not is_packed(b"")
    assert not is_packed(program[:-1])
    assert not is_packed(program + b"\0")
    assert not is_packed(b"x" + program[1:])


def test_few_columns_decide_most_conditions():
    conditions = [
        "p.text = a and p.other contains b",
        "p.text in (b, c) and p.list intersects (x)",
        "p.text = d and p.num > 3",
    ]
    plan = plan_of(*conditions)
    assert deciding_columns(plan, COLUMNS) == {"p.text"}
    first, whole = pack_stages(plan, COLUMNS)
    assert is_packed(first)
    assert whole == pack(plan, COLUMNS)
    assert len(first) < len(whole)


def test_one_program_is_enough_where_the_few_columns_are_all():
    assert len(pack_stages(plan_of("p.text = a and p.text != b"), COLUMNS)) == 1
    assert pack_stages(plan_of("p.text regex '.*'"), COLUMNS) == ()


def test_alternatives_need_the_columns_of_each():
    plan = plan_of("(p.text = a or p.num = 1) and p.other = b and p.list in (a)")
    assert deciding_columns(plan, COLUMNS) in ({"p.other"}, {"p.list"})
    plan = plan_of("p.text = a or p.num = 1")
    assert deciding_columns(plan, COLUMNS) == {"p.text", "p.num"}
