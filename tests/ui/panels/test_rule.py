from __future__ import annotations

import pytest

import workbench as wb
from workbench.ui.state.rule_draft import nameable_fragments, propose_exception

CONDITION = "web.status in (404, 500) and (web.method = POST or web.path startswith /a)"


@pytest.fixture
def lab(lab_of, events_of):
    made = lab_of(events_of(2000))
    made.condition = CONDITION
    part = made.rule_panel
    part.form.receive(None, {"do": "set", "key": "name", "value": "Odd answers"})
    part.form.receive(
        None, {"do": "set", "key": "desc", "value": "Answers that need a look"}
    )
    part.form.receive(None, {"do": "set", "key": "tags", "value": "web, odd"})
    part.output.text = "Odd %web.status for %web.client"
    made.settle()
    return made


def test_the_yaml_shown_is_loaded_back_as_the_same_rule(lab):
    shown = lab.rule_panel.result.state["yaml"]
    rules = wb.parse_rules(shown)
    assert [d for d in rules.check(lab.events) if d.severity == "error"] == []
    assert rules.rules["Odd answers"] == lab.rule
    assert "required_plugin_versions" in shown
    assert lab.rule.tags == ("odd", "web")


def test_alerts_are_previewed_with_their_output(lab):
    state = lab.rule_panel.result.state
    assert len(state["outputs"]) == 12
    assert "Odd 404 for" in "".join(state["outputs"]) or "Odd 500 for" in "".join(
        state["outputs"]
    )
    lab.rule_panel.output.text = "Odd %web.nope"
    lab.settle()
    assert "web.nope" in lab.rule_panel.result.state["output_error"] + str(
        lab.rule_panel.result.state["diagnostics"]
    )


def test_saving_writes_what_is_shown(lab, tmp_path):
    target = lab.rule_panel.save(str(tmp_path / "odd"))
    assert target == tmp_path / "odd.yaml"
    assert target.read_text() == lab.rule_panel.result.state["yaml"]


def test_an_exception_from_rows_silences_exactly_those_like_them(lab):
    rows = [int(n) - 1 for n in lab.matches["evt.num"][:2]]
    lab.table.widget.selected = rows
    lab.settle()
    lab.rule_panel.parts.receive(None, {"do": "propose"})
    proposal = lab.rule_panel.parts.state["proposal"]
    chosen = [each["field"] for each in proposal["fields"] if each["chosen"]]
    assert chosen
    lab.rule_panel.parts.receive(
        None, {"do": "accept", "name": "known", "fields": chosen}
    )
    lab.settle()
    rules = lab.rule_panel.draft.rule_set(lab.condition, lab.events)
    alerts = rules.run(lab.events)
    fired = set(alerts.frame["evt.num"])
    assert not fired & {row + 1 for row in rows}
    silenced = lab.matches[~lab.matches["evt.num"].isin(fired)]
    known = lab.selection[chosen].drop_duplicates()
    assert len(silenced.merge(known, on=chosen)) == len(silenced)


def test_shown_code_makes_the_same_rule_with_its_exceptions(lab):
    proposal = propose_exception(lab.model.store, [0], lab.condition)
    exception = proposal.exception("known", sorted(proposal.chosen))
    lab.rule_panel.draft.exceptions.append(exception)
    code = lab.code.replace('wb.open_events("events.parquet")', "given")
    space = {"given": lab.events, "print": lambda *_: None}
    exec(compile(code, "cell", "exec"), space)
    assert space["rule"].exceptions == (exception,)


def test_parts_of_a_condition_get_names_and_mean_the_same(lab):
    assert [(f.kind, f.text) for f in nameable_fragments(CONDITION)] == [
        ("list", "(404, 500)"),
        ("group", "(web.method = POST or web.path startswith /a)"),
        ("group", CONDITION),
    ]
    before = (
        lab.rule_panel.draft.rule_set(lab.condition, lab.events).run(lab.events).counts
    )
    for index, name in ((0, "odd_codes"), (1, "posted")):
        lab.rule_panel.parts.receive(
            None, {"do": "extract", "index": index, "name": name}
        )
    lab.settle()
    assert lab.condition == CONDITION
    shown = lab.rule_panel.result.state["yaml"]
    assert "- list: odd_codes" in shown
    assert "- macro: posted" in shown
    assert "web.status in (odd_codes) and posted" in shown
    assert wb.parse_rules(shown).run(lab.events).counts == before


def extract(lab, text, name):
    parts = lab.rule_panel.parts.state["parts"]
    index = next(i for i, part in enumerate(parts) if part["text"] == text)
    lab.rule_panel.parts.receive(None, {"do": "extract", "index": index, "name": name})
    lab.settle()


def test_naming_a_list_leaves_text_in_quotes_alone(lab):
    lab.condition = 'web.path = "(404, 500)" or web.status in (404, 500)'
    extract(lab, "(404, 500)", "odd_codes")
    assert lab.rule.condition == 'web.path = "(404, 500)" or web.status in (odd_codes)'


def test_naming_a_group_leaves_text_in_quotes_alone(lab):
    group = "(web.method = POST or web.status = 404)"
    lab.condition = f'web.path != "{group}" and {group}'
    extract(lab, group, "posted")
    assert lab.rule.condition == f'web.path != "{group}" and posted'


def test_a_name_stands_for_its_fragment_however_it_is_spaced(lab):
    lab.condition = "web.status in (404, 500) and not web.status in ( 404,500 )"
    extract(lab, "(404, 500)", "odd_codes")
    assert lab.rule.condition == (
        "web.status in (odd_codes) and not web.status in (odd_codes)"
    )


def test_names_inside_named_groups_are_used_and_defined_first(lab):
    group = "(web.method = POST or web.status in (404, 500))"
    lab.condition = f"web.path exists and {group}"
    extract(lab, "(404, 500)", "odd_codes")
    extract(lab, group, "posted")
    before = wb.Rule(
        **{n: getattr(lab.rule, n) for n in ("name", "desc", "output", "priority")},
        source="web",
        condition=lab.condition,
    )
    shown = lab.rule_panel.result.state["yaml"]
    rules = wb.parse_rules(shown)
    assert rules.macros["posted"].condition == (
        "web.method = POST or web.status in (odd_codes)"
    )
    assert lab.rule.condition == "web.path exists and posted"
    plain = wb.RuleSet()
    plain.add(before)
    assert rules.run(lab.events).counts == plain.run(lab.events).counts


@pytest.mark.parametrize("name", ["a b", "and", "web.status", "1st", "POST"])
def test_a_name_that_would_change_the_condition_is_refused(lab, name):
    before = lab.rule
    extract(lab, "(404, 500)", name)
    assert repr(name) in lab.nav.state["notice"]
    assert lab.rule == before


def test_the_rule_set_counts_enables_and_removes(lab, tmp_path):
    lab.add_rule()
    other = wb.Rule(
        name="Posts",
        desc="Anything posted",
        condition="web.method = POST",
        output="p %web.path",
        priority="INFO",
        source="web",
    )
    lab.ruleset_panel.add(other)
    state = lab.ruleset_panel.widget.state
    hits = {row["name"]: row["hits"] for row in state["rules"]}
    assert hits["Posts"] == int((lab.events.frame["web.method"] == "POST").sum())
    assert hits["Odd answers"] == len(lab.matches)
    assert state["overlap"][0]["both"] == len(
        lab.matches[lab.matches["web.method"] == "POST"]
    )
    lab.ruleset_panel.widget.receive(
        None, {"do": "enable", "name": "Posts", "on": False}
    )
    assert lab.rules.rules["Posts"].enabled is False
    saved = tmp_path / "set.yaml"
    lab.ruleset_panel.widget.receive(None, {"do": "save", "path": str(saved)})
    lab.ruleset_panel.widget.receive(None, {"do": "remove", "name": "Posts"})
    assert [r["name"] for r in lab.ruleset_panel.widget.state["rules"]] == [
        "Odd answers"
    ]
    lab.ruleset_panel.widget.receive(None, {"do": "compare", "path": str(saved)})
    assert "compare" in lab.ruleset_panel.widget.state
    lab.ruleset_panel.widget.receive(None, {"do": "import", "path": str(saved)})
    assert len(lab.ruleset_panel.widget.state["rules"]) == 2


def test_editing_a_rule_of_the_set_fills_the_form(lab):
    other = wb.Rule(
        name="Posts",
        desc="Anything posted",
        condition="web.method = POST",
        output="p %web.path",
        priority="INFO",
        source="web",
        tags=["a"],
    )
    lab.ruleset_panel.add(other)
    lab.edit_rule("Posts")
    assert lab.condition == "web.method = POST"
    assert lab.rule == other
    assert lab.nav.page == "rule"


def test_failing_labels_are_named(lab):
    numbers = lab.matches["evt.num"]
    lab.select(int(numbers[0]))
    lab.detail.widget.receive(None, {"do": "label", "value": "not"})
    lab.settle()
    tests = lab.rule_panel.result.state["tests"]
    assert tests["failures"] == [
        {
            "position": int(numbers[0]) - 1,
            "num": str(numbers[0]),
            "why": "must not match",
        }
    ]


def test_a_rules_file_that_is_not_there_is_told(lab):
    lab.ruleset_panel.widget.receive(
        None, {"do": "import", "path": "/nonexistent/r.yaml"}
    )
    state = lab.ruleset_panel.widget.state
    assert "nonexistent" in str(state["diagnostics"]) + str(state["message"])
