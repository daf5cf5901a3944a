from __future__ import annotations

import pytest

from tests.rules.texts import BROKEN, FILE, TWO
from workbench.errors import RulesError, WorkbenchError
from workbench.rules import Macro, Rule, RuleList, load_rules, parse_rules


def test_a_rule_set_travels_whole(target, tmp_path):
    import pickle

    rules = load_rules(tmp_path / "missing.yaml")
    rules.add(parse_rules(BROKEN).texts["rules.yaml"])
    rules.check(target)
    back = pickle.loads(pickle.dumps(rules))
    assert back.check(target) == rules.check(target)


def test_what_cannot_be_checked_against_is_told():
    with pytest.raises(TypeError, match="not against 5"):
        parse_rules("").check(5)


def test_saving_refuses_what_falco_would_refuse(tmp_path, target):
    rules = parse_rules(FILE)
    rules.add(
        Rule(
            name="bad", condition="t.nope = 1", output="o", priority="INFO", source="t"
        )
    )
    with pytest.raises(RulesError, match=r"t\.nope"):
        rules.save(tmp_path / "x.yaml", against=target)
    assert not list(tmp_path.iterdir())
    path = rules.save(tmp_path / "x.yaml", against=target, force=True)
    assert load_rules(path).rules == rules.rules


def test_adding_redefines_and_keeps_the_rest(target):
    rules = parse_rules(FILE)
    rules.add(Macro("m", "t.num = 9")).add(RuleList("l1", ("z",)))
    assert rules.lists["l1"].items == ("z",)
    assert rules.to_yaml().startswith(FILE)
    assert "redefined" in {d.code for d in rules.check(target)}


def test_several_files_become_one_text(tmp_path):
    (tmp_path / "a.yaml").write_text(FILE)
    (tmp_path / "b.yml").write_text("- rule: r2\n  enabled: false\n")
    rules = load_rules(tmp_path)
    assert [f[-6:] for f in rules.files] == ["a.yaml", "/b.yml"]
    assert parse_rules(rules.to_yaml()).rules == rules.rules
    assert not rules.rules["r2"].enabled


def test_broken_rules_are_refused_with_every_error(events):
    with pytest.raises(RulesError, match="2 errors") as caught:
        parse_rules(
            TWO.replace("t.num exists", "t.nope exists").replace("DEBUG", "D")
        ).run(events)
    assert {d.code for d in caught.value.diagnostics} == {
        "LOAD_ERR_COMPILE_CONDITION",
        "LOAD_ERR_YAML_VALIDATE",
    }


def test_rules_do_not_run_over_a_frame(events, rule):
    with pytest.raises(TypeError, match="not against a DataFrame"):
        parse_rules(rule()).check(events.frame)
    with pytest.raises(WorkbenchError, match="not over a DataFrame"):
        parse_rules(rule()).run(events.frame)


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
