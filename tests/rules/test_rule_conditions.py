"""Rules in hand wherever a condition is: macros, lists, exceptions, whole rules."""

from __future__ import annotations

import pickle

import pytest

import workbench as wb
from workbench.rules import Target, parse_rules

RULES = """\
- list: known
  items: [a, b]
- list: nobody
  items: []
- macro: big
  condition: t.num > 2
- macro: odd
  condition: (big and not t.str in (known, nobody))
- rule: Odd one
  desc: d
  condition: odd and t.num exists
  output: odd %t.num
  priority: INFO
  source: t
  exceptions:
  - name: places
    fields: t.path
    values: [/etc, /tmp]
- rule: Any
  desc: d
  condition: t.num exists
  output: any %t.num
  priority: INFO
  source: t
- rule: Sleeping
  desc: d
  condition: t.num = 1
  output: s
  priority: INFO
  source: t
  enabled: false
- rule: Elsewhere
  desc: d
  condition: other.field = 1
  output: o
  priority: INFO
  source: other
"""


@pytest.fixture
def rules():
    return parse_rules(RULES)


def numbers(events):
    return events.frame["evt.num"].tolist()


def test_a_text_may_name_macros_and_lists_of_the_set(events, rules):
    text = "big and t.str in (known)"
    plain = "t.num > 2 and t.str in (a, b)"
    assert numbers(events.where(text, rules=rules)) == numbers(events.where(plain))
    assert events.mask("odd", rules=rules).tolist() == [
        n > 2 and s not in ("a", "b")
        for n, s in zip(
            events.frame["t.num"], events.frame["t.str"].fillna(""), strict=True
        )
    ]
    assert events.count("big", rules=rules) == 4
    assert events.funnel("odd", rules=rules).matches == 4
    with pytest.raises(wb.ConditionError, match="not a macro known here"):
        events.where("big")


def test_a_rule_is_meant_by_its_name_by_itself_and_without_its_set(events, rules):
    expected = [4, 5, 6]
    assert numbers(events.where("Odd one", rules=rules)) == expected
    assert numbers(events.where(rules.rules["Odd one"], rules=rules)) == expected
    changed = wb.Rule(
        name="Odd one", condition="odd", output="o", priority="INFO", source="t"
    )
    assert numbers(events.where(changed, rules=rules)) == [3, 4, 5, 6]
    alone = wb.Rule(
        name="x",
        condition="t.num > 1",
        output="o",
        priority="INFO",
        source="t",
        exceptions=[wb.rules.RuleException("one", "t.path", "in", ("/tmp",))],
    )
    assert numbers(events.where(alone)) == [3, 4, 5, 6]
    assert events.label(alone).labels.keys() == {3, 4, 5, 6}


def test_what_a_rule_finds_is_what_it_alerts_on(events, rules):
    for name in ("Odd one", "Any"):
        alerts = rules.run(events, all_matches=True).frame
        found = alerts.loc[alerts["rule"] == name, "evt.num"].tolist()
        assert numbers(events.where(name, rules=rules)) == found


def test_an_explanation_names_macros_lists_and_exceptions_at_their_place(events, rules):
    found = events.explain(3, "Odd one", rules=rules)
    assert not found.matches
    assert found.title == "event 3 does not match rule 'Odd one'"
    shown = [(line.depth, line.text, line.verdict) for line in found.lines]
    assert shown == [
        (0, "all of", False),
        (1, "all of", True),
        (2, "macro odd", True),
        (3, "all of", True),
        (4, "macro big", True),
        (5, "t.num > 2", True),
        (4, "not", True),
        (5, "t.str in (known, nobody)", False),
        (2, "t.num exists", True),
        (1, "not exception places", False),
        (2, "t.path in (/etc, /tmp)", True),
    ]
    check = found.lines[7]
    assert check.lists == ("known", "nobody")
    seen = events.explain(4, "Odd one", rules=rules).lines[7]
    assert seen.reason == "none of the values of lists known, nobody fits"
    (fits,) = events.explain(1, "t.str in (known)", rules=rules).checks
    assert fits.reason == 'fits "a" of list known'
    text = str(found)
    assert "✗ not exception places" in text
    assert "macro odd" in found._repr_html_()


def test_a_macro_used_twice_stands_twice(events, rules):
    found = events.explain(3, "big and big", rules=rules)
    assert [line.text for line in found.lines] == [
        "all of",
        "macro big",
        "t.num > 2",
        "macro big",
        "t.num > 2",
    ]


def test_an_explanation_tells_what_else_keeps_a_rule_silent(events, rules):
    assert events.explain(4, "Any", rules=rules).notes == (
        "rule 'Odd one' stands before it and takes the event: rule_matching is 'first'",
    )
    assert events.explain(1, "Any", rules=rules).notes == ()
    (note,) = events.explain(1, "Sleeping", rules=rules).notes
    assert "disabled" in note
    assert "note: the rule is disabled" in str(
        events.explain(1, "Sleeping", rules=rules)
    )


def test_a_near_miss_names_its_macros_and_a_funnel_counts_them(events, rules):
    groups = events.near_misses("Odd one", rules=rules).groups
    assert [g.text for g in groups] == ["t.path in (/etc, /tmp)"]
    (miss,) = events.near_misses("odd and t.num < 4", rules=rules).groups[:1]
    assert "t.num" in miss.text
    steps = {s.text: s for s in events.funnel("Odd one", rules=rules).steps}
    assert steps["macro big"].alone == 4
    assert steps["not exception places"].passed == 3


def test_the_funnel_counts_its_bytes_in_the_text_as_typed(events, rules):
    text = "t.num > 1 and t.str in (known) and t.num < 9"
    steps = events.funnel(text, rules=rules).steps
    spans = [text[s.span.start : s.span.end] for s in steps if s.kind == "check"]
    assert spans == ["t.num > 1", "t.str in (known)", "t.num < 9"]


@pytest.mark.parametrize(
    ("text", "place", "hint"),
    [
        ("bigg and t.num = 1", 0, "did you mean big?"),
        (
            "t.num = 1 and t.str in known",
            23,
            "list known needs its parentheses: write in (known)",
        ),
        ("t.str in (known) and t.nmu = 1", 21, "did you mean t.num?"),
        ("Odd won", 0, "did you mean the rule 'Odd one'?"),
        ("t.num = 1 and", 13, "put a blank behind 'and'"),
    ],
)
def test_a_wrong_text_is_told_where_it_was_typed(events, rules, text, place, hint):
    with pytest.raises(wb.ConditionError) as caught:
        events.where(text, rules=rules)
    first = caught.value.diagnostics[0]
    assert (first.span.start, first.hint) == (place, hint)


def test_what_is_wrong_inside_a_macro_is_told_at_its_name(events):
    rules = parse_rules("- macro: m\n  condition: t.nmu = 1\n")
    with pytest.raises(wb.ConditionError) as caught:
        events.where("t.num = 1 and m", rules=rules)
    assert caught.value.diagnostics[0].span.start == 14
    assert caught.value.diagnostics[0].context == ("macro m",)
    broken = parse_rules("- macro: m\n  condition: m and t.num = 1\n")
    with pytest.raises(wb.ConditionError, match="cannot be used"):
        events.where("t.num = 1 and m", rules=broken)


def test_a_rule_that_cannot_be_evaluated_says_why(events, rules):
    with pytest.raises(wb.RulesError, match="Unknown source other"):
        events.where("Elsewhere", rules=rules)
    broken = parse_rules(RULES.replace("odd and t.num", "odder and t.num"))
    with pytest.raises(wb.RulesError, match="Undefined macro 'odder'"):
        events.where("Odd one", rules=broken)
    loose = wb.Rule(
        name="l", condition="nothing", output="o", priority="INFO", source="t"
    )
    with pytest.raises(wb.RulesError, match="Undefined macro 'nothing'"):
        events.where(loose, rules=rules)
    with pytest.raises(wb.ConditionError):
        events.where("Odd one")


def test_a_rule_sees_the_events_of_its_own_source_alone(fields):
    import pyarrow as pa

    table = pa.table(
        {
            "t.num": pa.array([1, 2, 3], pa.uint64()),
            "evt.source": pa.array(["t", "u", "t"]),
        }
    )
    mixed = wb.events_from_table(table, fields=fields, source="")
    if mixed.sources != ["t", "u"]:
        pytest.fail(f"the events are not mixed: {mixed.sources}")
    rule = wb.Rule(
        name="r", condition="t.num > 0", output="o", priority="INFO", source="t"
    )
    rules = parse_rules(rule.to_yaml())
    assert mixed.mask("r", rules=rules).tolist() == [True, False, True]
    assert mixed.count("r", rules=rules) == 2
    assert mixed.funnel("r", rules=rules).rows == 2
    with pytest.raises(KeyError, match="no event 2"):
        mixed.explain(2, "r", rules=rules)


def test_completion_offers_the_macros_and_lists_of_the_set(events, rules, fields):
    assert "big" in [c.text for c in rules.complete("b", 1, events)]
    text = "t.str in (kn"
    assert [c.text for c in rules.complete(text, len(text), fields)] == ["known"]


def test_an_editor_gets_the_condition_and_every_diagnostic(events, rules):
    compiled, found = rules.examine_condition("big", events)
    assert compiled is not None
    assert found == []
    compiled, found = rules.examine_condition("bigg and t.nmu = 1", events)
    assert compiled is None
    assert [d.code for d in found] == ["unknown-macro", "unknown-field"]


def test_a_rule_travels_with_what_it_came_from(events, rules):
    compiled = rules.compile_condition("Odd one", Target({"t": events.fields}))
    copy = pickle.loads(pickle.dumps(compiled))
    assert str(events.explain(3, copy)) == str(events.explain(3, compiled))
    assert (copy.rule, copy.source) == ("Odd one", "t")


def test_examples_for_a_proposal_are_chosen_by_a_rule(events):
    rule = wb.Rule(
        name="x", condition="t.num > 3", output="o", priority="INFO", source="t"
    )
    proposed = events.propose(rule)
    assert [p.condition for p in proposed] == [
        p.condition for p in events.propose([4, 5, 6])
    ]
    assert proposed[0].recall == 1
