from __future__ import annotations

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

import workbench as wb
from workbench.errors import RulesError
from workbench.rules import (
    Macro,
    Rule,
    RuleException,
    RuleList,
    parse_rules,
)

# The machine may be busy; that is no fault of the code.
PATIENT = settings(deadline=None, suppress_health_check=[HealthCheck.too_slow])
TEXT = st.text(
    st.one_of(
        st.sampled_from("'\"\\:#-?!&*%@`[]{},|>~ \t\n\r\0\x85\u2028\ufeff\x1béß"),
        st.characters(exclude_categories=["Cs"]),
    ),
    min_size=1,
    max_size=60,
)
NAMES = st.one_of(TEXT, st.sampled_from(["null", "yes", "1e3", "0x1", "~", "---"]))
OUTPUT = TEXT.map(lambda t: "x" + t + "x")


@st.composite
def exceptions(draw):
    name = draw(NAMES)
    if draw(st.booleans()):
        return RuleException(name, draw(NAMES), None, tuple(draw(st.lists(NAMES))))
    width = draw(st.integers(1, 3))
    row = st.lists(NAMES, min_size=width, max_size=width)
    return RuleException(
        name,
        tuple(draw(row)),
        draw(st.none() | row.map(lambda r: tuple("=" for _ in r))),
        tuple(tuple(r) for r in draw(st.lists(row, max_size=3))),
    )


@PATIENT
@given(
    st.builds(
        Rule,
        name=NAMES,
        condition=TEXT,
        output=OUTPUT,
        priority=st.sampled_from(["info", "Emergency", "DEBUG"]),
        desc=NAMES,
        source=NAMES,
        tags=st.lists(NAMES).map(tuple),
        exceptions=st.lists(exceptions(), max_size=2, unique_by=lambda e: e.name).map(
            tuple
        ),
        enabled=st.booleans(),
        capture_duration=st.integers(0, 2**32 - 1),
    )
)
def test_any_rule_reads_back_the_same(rule):
    assert list(parse_rules(rule.to_yaml()).rules) == [rule]


@PATIENT
@given(NAMES, TEXT, st.lists(NAMES).map(tuple))
def test_any_macro_and_list_read_back_the_same(name, condition, items):
    macro, words = Macro(name, condition), RuleList(name, items)
    back = parse_rules(macro.to_yaml() + words.to_yaml())
    assert (list(back.macros), list(back.lists)) == ([macro], [words])


def test_a_rule_is_written_readably():
    rule = Rule(
        name="Change by a stranger",
        condition=(
            "t.str in (create, update, patch) and not t.path startswith /healthz "
            "and t.num >= 400 or t.flag = true"
        ),
        output="A change (user=%t.str)",
        priority="warning",
        desc="Somebody unknown changed something.",
        source="t",
        tags=("b", "a"),
        exceptions=(RuleException("known", ["t.str"], ["in"], [[["a b", "c"]]]),),
    )
    assert (
        rule.to_yaml()
        == """\
- rule: Change by a stranger
  desc: Somebody unknown changed something.
  condition: >-
    t.str in (create, update, patch)
    and not t.path startswith /healthz
    and t.num >= 400 or t.flag = true
  output: A change (user=%t.str)
  priority: WARNING
  source: t
  tags: [a, b]
  exceptions:
    - name: known
      fields: [t.str]
      comps: [in]
      values:
        - [[a b, c]]
"""
    )


def test_what_no_file_can_say_is_refused():
    with pytest.raises(RulesError, match="condition is empty; the output is empty"):
        Rule(name="r", condition="", output="", priority="INFO").to_yaml()


@pytest.mark.parametrize("priority", ["HIGH", "", 3, None])
def test_an_unknown_priority_is_refused_at_once(priority):
    with pytest.raises(RulesError, match=r"rule r: .* is not a priority; .*CRITICAL"):
        Rule(name="r", condition="a = 1", output="o", priority=priority)


def test_the_source_is_taken_from_events_and_plugins(plugin):
    def rule(source):
        return Rule(
            name="r", condition="a=1", output="o", priority="INFO", source=source
        )

    with wb.load(plugin("probe")) as probe, wb.Workbench() as bench:
        name = probe.info.event_source
        assert rule(probe).source == name
        assert rule(probe.capture("3")).source == name
        bench.load(plugin("probe"))
        assert rule(bench).source == name
        bench.load(plugin("carrier", ID=4321, SOURCE='"carried"'))
        with pytest.raises(RulesError, match=f"it has {name}, carried"):
            rule(bench)
    with pytest.raises(RulesError, match="not clear from this int"):
        rule(5)
