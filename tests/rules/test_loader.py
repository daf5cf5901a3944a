"""Files from strangers: a diagnostic each, in bounded time and memory."""

from __future__ import annotations

import time

import pytest

from tests.rules.texts import BROKEN
from workbench.rules import parse_rules


def bomb():
    lines = ["a: &a [x,x,x,x,x,x,x,x,x,x]"]
    for i in range(12):
        inside = ",".join([f"*b{i - 1}" if i else "*a"] * 10)
        lines.append(f"b{i}: &b{i} [{inside}]")
    return "\n".join(lines)


def macro_bomb(rule):
    first = "- macro: m0\n  condition: t.num = 1\n"
    more = (
        f"- macro: m{i}\n  condition: m{i - 1} and m{i - 1}\n" for i in range(1, 60)
    )
    return first + "".join(more) + rule("m59")


def list_bomb(rule):
    lists = (
        f"- list: l{i}\n  items: [{', '.join([f'l{i + 1}'] * 20)}]\n" for i in range(30)
    )
    return "".join(lists) + "- list: l30\n  items: [x]\n" + rule("t.str in (l0)")


CASES = {
    "alias bomb": (lambda _: bomb(), "LOAD_ERR_YAML_PARSE"),
    "alias of itself": (lambda _: "- &a [*a]", "LOAD_ERR_YAML_PARSE"),
    "macro bomb": (macro_bomb, "condition-too-large"),
    "list bomb": (list_bomb, "condition-too-large"),
    "open brackets": (lambda _: "[" * 1_000_000, "LOAD_ERR_YAML_PARSE"),
    "deep sequences": (lambda _: "- " * 100_000, "LOAD_ERR_YAML_PARSE"),
    "deep condition": (
        lambda rule: rule("(" * 100_000 + "t.num = 1" + ")" * 100_000),
        "LOAD_ERR_COMPILE_CONDITION",
    ),
    "deep exception": (
        lambda rule: (
            rule()
            + "  exceptions:\n    - name: e\n      fields: [t.num]\n"
            + "      values: "
            + "[" * 300
            + "]" * 300
            + "\n"
        ),
        "LOAD_ERR_YAML_VALIDATE",
    ),
    "macros in a circle": (
        lambda rule: (
            "- macro: a\n  condition: t.num = 1\n- macro: b\n  condition: a\n"
            "- macro: a\n  condition: b\n" + rule("a")
        ),
        "LOAD_ERR_VALIDATE",
    ),
    "binary": (lambda _: bytes(range(256)) * 400, "LOAD_ERR_YAML_PARSE"),
    "unclosed quote": (lambda _: '- rule: "' + "x" * 100_000, "LOAD_ERR_YAML_PARSE"),
    "duplicate key": (
        lambda rule: rule().replace("  desc: d", "  desc: d\n  desc: e"),
        "duplicate-key",
    ),
}


@pytest.mark.parametrize("name", CASES)
def test_every_attack_ends_soon_with_its_diagnostic(name, rule, target):
    make, code = CASES[name]
    start = time.monotonic()
    found = parse_rules(make(rule)).check(target)
    assert code in {d.code for d in found}
    assert time.monotonic() - start < 60


@pytest.mark.parametrize(
    "condition",
    [
        " or ".join(f"t.num = {i}" for i in range(20_000)),
        f"t.num in ({', '.join(map(str, range(50_000)))})",
        "not " * 20_000 + "t.num = 1",
        "(" * 2000 + "t.num = 1" + ")" * 2000,
    ],
    ids=["or", "in", "not", "parentheses"],
)
def test_huge_conditions_are_just_conditions(condition, rule, target):
    assert not parse_rules(rule(condition)).check(target).errors


def test_a_long_chain_of_macros_is_resolved(rule, target):
    chain = "- macro: m0\n  condition: t.num = 1\n" + "".join(
        f"- macro: m{i}\n  condition: m{i - 1} or t.num = {i}\n" for i in range(1, 1500)
    )
    assert not parse_rules(chain + rule("m1499")).check(target).errors


def test_json_verdicts_have_falcos_shape_and_every_error(target):
    (data,) = parse_rules(BROKEN, "b.yaml").verdicts(target)
    assert data["name"] == "b.yaml"
    assert data["successful"] is False
    first = data["errors"][0]
    assert first["code"] == "LOAD_ERR_YAML_VALIDATE"
    assert first["context"]["locations"][-1]["position"] == {
        "name": "b.yaml",
        "line": 4,
        "column": 12,
        "offset": 79,
    }
    assert len(data["errors"]) >= 6
