"""Files from strangers: a diagnostic each, in bounded time and memory."""

from __future__ import annotations

import os
import time

import pytest

from workbench.rules import load_rules, parse_rules


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


def test_what_cannot_be_read_is_told(tmp_path):
    (tmp_path / "folder").mkdir()
    fifo = tmp_path / "pipe"
    os.mkfifo(fifo)
    for path in (tmp_path / "none.yaml", tmp_path / "folder", fifo, "a\0b"):
        (found,) = load_rules(path).check()
        assert found.code == "LOAD_ERR_FILE_READ"


@pytest.mark.skipif(os.geteuid() == 0, reason="root may read everything")
def test_an_unreadable_file_is_told(tmp_path):
    path = tmp_path / "secret.yaml"
    path.write_text("[]")
    path.chmod(0)
    assert [d.code for d in load_rules(path).check()] == ["LOAD_ERR_FILE_READ"]


def test_bytes_that_are_not_utf8_are_kept(rule, target):
    raw = rule(output="x").encode().replace(b"desc: d", b"desc: \xff\xfe")
    rules = parse_rules(raw)
    assert not rules.check(target)
    assert rules.rules["r"].desc.encode("utf-8", "surrogateescape") == b"\xff\xfe"
    assert rules.to_yaml().encode("utf-8", "surrogateescape") == raw


def test_a_repr_says_that_something_is_wrong(tmp_path):
    broken = parse_rules("- rule: x\n  condition: (a\n")
    assert "4 errors, see .check()" in repr(broken)
    assert "1 error, see .check()" in repr(load_rules(tmp_path / "none.yaml"))
    assert "error" not in repr(parse_rules("- list: some\n  items: [a]\n"))
