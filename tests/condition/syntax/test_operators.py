from __future__ import annotations

import ipaddress

import pytest

from workbench.condition.syntax.operators import OPERATORS, legal_operators

V4 = ipaddress.ip_address("10.1.2.3").packed
V6 = ipaddress.ip_address("2001:db8::5").packed
MAPPED = ipaddress.ip_address("::ffff:10.1.2.3").packed
ALL = [
    "exists",
    "=",
    "==",
    "!=",
    "<",
    "<=",
    ">",
    ">=",
    "contains",
    "icontains",
    "startswith",
    "endswith",
    "glob",
    "iglob",
    "regex",
    "in",
    "intersects",
    "pmatch",
    "bcontains",
    "bstartswith",
]

EQUALITY = ["exists", "=", "==", "!=", "in", "intersects"]
NUMBER = ["exists", "=", "==", "!=", "<", "<=", ">", ">=", "in", "intersects"]
LEGAL = {
    "string": [op for op in ALL if not op.startswith("b")],
    "uint64": NUMBER,
    "reltime": NUMBER,
    "abstime": NUMBER,
    "bool": EQUALITY,
    "ipaddr": EQUALITY,
    "ipnet": EQUALITY,
}
CONSTANT = {
    "string": "5",
    "uint64": "5",
    "reltime": "5",
    "abstime": "5",
    "bool": "true",
    "ipaddr": "10.1.2.3",
    "ipnet": "10.1.2.3/32",
}
VALUE = {
    "string": b"5",
    "uint64": 5,
    "reltime": 5,
    "abstime": 5,
    "bool": True,
    "ipaddr": V4,
    "ipnet": V4,
}
# Tests that the constant above passes on the value above.
PASSES = {
    "exists",
    "=",
    "==",
    "<=",
    ">=",
    "contains",
    "icontains",
    "startswith",
    "endswith",
    "glob",
    "iglob",
    "regex",
    "in",
    "intersects",
    "pmatch",
}


def spelled(field, op, constant):
    if op == "exists":
        return f"{field} exists"
    if OPERATORS[op].right == "list":
        return f"{field} {op} ({constant})"
    return f"{field} {op} {constant}"


def right_side(type_, op):
    return "5" if OPERATORS[op].right == "number" else CONSTANT[type_]


CASES = [(type_, op) for type_ in LEGAL for op in ALL]


@pytest.mark.parametrize(("type_", "op"), CASES)
def test_an_operator_on_a_scalar_answers_or_is_refused(type_, op, verdict, refusal):
    condition = spelled(f"t.{type_}", op, right_side(type_, op))
    if op not in LEGAL[type_]:
        error = refusal(condition)
        assert error.stage == "compile"
        assert error.diagnostics[0].code == "operator-type"
        assert error.hint == f"a {type_} takes {' '.join(LEGAL[type_])}"
        return
    assert verdict(condition, **{type_: VALUE[type_]}) is (op in PASSES)
    assert verdict(condition, **{type_: None}) is False
    assert verdict(f"not {condition}", **{type_: None}) is True


@pytest.mark.parametrize(("type_", "op"), CASES)
def test_an_operator_on_a_list_answers_or_is_refused(type_, op, verdict, refusal):
    condition = spelled(f"t.{type_}s", op, right_side(type_, op))
    if op not in ("exists", "in", "intersects"):
        assert refusal(condition).diagnostics[0].code == "operator-type"
        return
    name = f"{type_}s"
    assert verdict(condition, **{name: [VALUE[type_]]}) is True
    assert verdict(condition, **{name: []}) is False
    assert verdict(condition, **{name: None}) is False
    assert verdict(f"not {condition}", **{name: []}) is True


@pytest.mark.parametrize("modifier", ["oneof", "anyof", "allof"])
@pytest.mark.parametrize(("type_", "op"), CASES)
def test_modifiers_stand_behind_equality_and_text_operators(
    type_, op, modifier, verdict, refusal
):
    condition = f"t.{type_} {op} {modifier} ({CONSTANT[type_]})"
    takes_value = OPERATORS[op].right == "string"
    if not takes_value:
        assert refusal(condition).stage == "parse"
    elif op not in LEGAL[type_]:
        assert refusal(condition).stage == "compile"
    elif type_ == "ipnet" and op in ("=", "==") and modifier == "anyof":
        assert verdict(condition, **{type_: VALUE[type_]}) is False
    elif type_ == "ipnet" and op == "!=" and modifier == "allof":
        assert verdict(condition, **{type_: VALUE[type_]}) is True
    else:
        assert verdict(condition, **{type_: VALUE[type_]}) is (op in PASSES)
        assert verdict(condition, **{type_: None}) is False
    if takes_value:
        assert (
            refusal(f"t.{type_}s {op} {modifier} ({CONSTANT[type_]})").stage
            == "compile"
        )


@pytest.mark.parametrize(("type_", "op"), CASES)
def test_another_field_may_stand_on_the_right_of_the_same_type(
    type_, op, verdict, refusal
):
    if op == "exists":
        return
    condition = f"t.{type_} {op} val(t.{type_}2)"
    if op not in LEGAL[type_] or op in ("regex", "pmatch") or type_ == "ipnet":
        assert refusal(condition).stage == "compile"
        return
    same = {type_: VALUE[type_], f"{type_}2": VALUE[type_]}
    assert verdict(condition, **same) is (op in PASSES)
    assert verdict(condition, **{**same, f"{type_}2": None}) is False
    assert verdict(condition, **{**same, type_: None}) is False


@pytest.mark.parametrize("left", LEGAL)
@pytest.mark.parametrize("right", LEGAL)
def test_fields_of_different_types_are_never_compared(left, right, refusal):
    if left == right:
        return
    error = refusal(f"t.{left} = val(t.{right})")
    wanted = "field-on-the-right" if left == "ipnet" else "types-differ"
    assert error.diagnostics[0].code == wanted


def test_lists_and_scalars_are_never_compared(refusal):
    assert refusal("t.string in val(t.strings)").diagnostics[0].code == "types-differ"
    assert refusal("t.strings in val(t.string)").diagnostics[0].code == "types-differ"


def test_the_table_of_operators_tells_what_is_legal():
    for type_, operators in LEGAL.items():
        assert legal_operators(type_, is_list=False) == operators
        assert legal_operators(type_, is_list=True) == ["exists", "in", "intersects"]
    assert legal_operators("uint64", is_list=False, modifier="anyof") == [
        "=",
        "==",
        "!=",
    ]
