"""Rules over plugin events that lack their source, and names nearly right."""

from __future__ import annotations

from workbench.fields.declarations import FieldInfo
from workbench.rules import parse_rules

NAMES = {
    "weblog.client": "string",
    "weblog.client_ip": "string",
    "weblog.status": "uint64",
    "weblog.agent": "string",
}
TARGET = {"weblog": {n: FieldInfo(name=n, type=t) for n, t in NAMES.items()}}
ADVICE = "add 'source: weblog' to the rule; without it, it is for system calls"


def rule(condition: str, output: str, source: str = "") -> str:
    line = f"  source: {source}\n" if source else ""
    return (
        f"- rule: a\n  desc: d\n  condition: {condition}\n  output: {output}\n"
        f"  priority: INFO\n{line}"
    )


def test_the_first_advice_is_to_add_the_source() -> None:
    found = parse_rules(rule("weblog.status = 404", "x %weblog.clientt")).check(TARGET)
    assert [item.hint for item in found] == [ADVICE] * 3


def test_the_output_alone_shows_the_source() -> None:
    found = parse_rules(rule("evt.num = 404", "x %weblog.client")).check(TARGET)
    assert {item.hint for item in found} == {ADVICE}


def test_a_rule_for_system_calls_keeps_its_advice() -> None:
    found = parse_rules(rule("proc.name = cat", "x %proc.name")).check(TARGET)
    assert [item.hint for item in found] == [
        "add a check such as: evt.type in (open, openat)"
    ]


def test_fields_that_two_sources_share_decide_nothing() -> None:
    two = {**TARGET, "other": TARGET["weblog"]}
    found = parse_rules(rule("weblog.status = 404", "x")).check(two)
    assert ADVICE not in [item.hint for item in found]


def test_an_output_with_a_letter_too_many_names_the_nearest_field() -> None:
    text = rule("weblog.status = 404", "x %weblog.clientt y", "weblog")
    hints = [item.hint or "" for item in parse_rules(text).check(TARGET)]
    assert any(hint.startswith("did you mean %weblog.client? ") for hint in hints), (
        hints
    )


def test_a_bare_name_leads_to_its_field() -> None:
    text = rule("status = 404", "x", "weblog")
    assert parse_rules(text).check(TARGET)[0].hint == "did you mean weblog.status?"
    macro = "- macro: bad\n  condition: status = 404\n"
    hints = [item.hint for item in parse_rules(macro).check(TARGET)]
    assert "did you mean weblog.status?" in hints
