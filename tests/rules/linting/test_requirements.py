from __future__ import annotations

import pytest

import workbench as wb
from workbench.rules import Rule, load_rules, parse_rules


def weblog_rule(condition, output="o"):
    return Rule(
        name=f"r {condition}",
        condition=condition,
        output=output,
        priority="INFO",
        source="weblog",
        desc="d",
    )


@pytest.mark.parametrize(
    ("condition", "output", "engine"),
    [
        ("weblog.status = 400", "o", "0.31.0"),
        ("tolower(weblog.path) = a", "o", "0.43.0"),
        ("weblog.status = 400", "%len(weblog.path)", "0.46.0"),
        ("weblog.path startswith anyof (a, b)", "o", "0.62.0"),
    ],
)
def test_saving_names_what_the_rules_really_need(
    sample, tmp_path, condition, output, engine
):
    with wb.Workbench() as bench:
        bench.load(sample("weblog"))
        rules = parse_rules("").add(weblog_rule(condition, output))
        path = rules.save(tmp_path / "r.yaml", against=bench)
        text = path.read_text()
        assert f"- required_engine_version: {engine}\n" in text
        version = bench.plugins["weblog"].info.version
        assert f"- name: weblog\n      version: {version}\n" in text
        again = load_rules(path)
        assert not again.check(bench)
        assert again.rules == rules.rules
        assert again.save(tmp_path / "s.yaml", against=bench).read_text() == text


def test_plugins_that_are_not_used_are_not_required(sample, tmp_path):
    with wb.Workbench() as bench:
        bench.load(sample("weblog"))
        bench.load(sample("json_extract", "libjson_extract_all.so"))
        rules = parse_rules("").add(weblog_rule("weblog.status = 400"))
        text = rules.save(tmp_path / "r.yaml", against=bench).read_text()
    assert text.count("- name: ") == 1


def test_factoring_takes_out_what_repeats_and_changes_no_alert(events, rule):
    text = "".join(
        rule(f"t.num in (1, 2, 3, 4) and {extra}", name=extra)
        for extra in ("t.str = a", "t.str exists")
    ) + "".join(
        rule(f"t.path startswith /etc/some/long/folder/name and {more}", name=more)
        for more in ("t.num = 1", "t.num > 2")
    )
    rules = parse_rules(text)
    short = rules.factor()
    assert [(x.name, x.items) for x in short.lists] == [
        ("num_values", ("1", "2", "3", "4"))
    ]
    assert len(short.macros) == 1
    assert "num_values" in short.rules["t.str = a"].condition
    assert not short.check(events).errors
    assert not rules.compare(short, events)
