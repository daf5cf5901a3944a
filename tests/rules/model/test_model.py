from __future__ import annotations

import dataclasses

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from workbench.errors import RulesError
from workbench.rules import (
    Macro,
    Rule,
    RuleException,
    RuleList,
    load_rules,
    parse_rules,
)
from workbench.rules.linting.requirements import header_yaml

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
    with pytest.raises(
        RulesError, match="condition is empty; 'loud' is not a priority"
    ):
        Rule(name="r", condition="", output="o", priority="loud").to_yaml()


def test_requirements_are_written():
    assert header_yaml({"weblog": "1.0.0"}, (0, 31, 0)) == (
        "- required_engine_version: 0.31.0\n\n- required_plugin_versions:\n"
        "    - name: weblog\n      version: 1.0.0\n"
    )


FILE = """\
# what this is about
- list: l1
  items: [a, 'b']   # letters

- rule: r1
  desc: "quoted on purpose"   # yes
  condition: >
    t.num = 1
    or t.num = 5
  output: 'x %t.str'
  priority: warning # low
  source: t
  tags:
    - b   # second
    - a
  my_key: 5
# the end of r1
- rule: r2
  desc: d
  condition: t.num = 7
  output: y
  priority: INFO
  source: t
"""


def changed(old, new):
    before, after = old.splitlines(), new.splitlines()
    return [x for x in before if x not in after], [x for x in after if x not in before]


def test_replacing_an_equal_item_changes_nothing():
    rules = parse_rules(FILE)
    for item in [*rules.rules, *rules.lists]:
        rules.replace(item)
    assert rules.to_yaml() == FILE


def test_editing_changes_only_the_lines_of_what_changed():
    rules = parse_rules(FILE)
    rule = rules.rules["r1"]
    rules.replace(dataclasses.replace(rule, priority="ERROR"))
    assert changed(FILE, rules.to_yaml()) == (
        ["  priority: warning # low"],
        ["  priority: ERROR # low"],
    )


def test_editing_adds_and_removes_keys_in_place():
    rules = parse_rules(FILE)
    rule = rules.rules["r1"]
    rules.replace(dataclasses.replace(rule, tags=(), enabled=False))
    text = rules.to_yaml()
    assert changed(FILE, text) == (
        ["  tags:", "    - b   # second", "    - a"],
        ["  enabled: false"],
    )
    assert rules.rules["r1"] == dataclasses.replace(rule, tags=(), enabled=False)
    assert "  my_key: 5\n  enabled: false\n# the end of r1" in text


def test_items_inside_brackets_are_edited_too():
    rules = parse_rules(
        '[{"rule": "r", "desc": "d", "condition": "t.num = 1", "output": "o",'
        ' "priority": "INFO", "source": "t"}]'
    )
    wanted = dataclasses.replace(rules.rules["r"], condition="t.num = 2")
    assert rules.replace(wanted).rules["r"] == wanted


def test_removing_takes_every_item_of_that_name():
    rules = parse_rules(FILE + "- rule: r1\n  enabled: false\n").remove("rule", "r1")
    assert rules.rules.keys() == ["r2"]
    with pytest.raises(KeyError):
        rules.remove("rule", "r1")


def test_a_byte_order_mark_and_line_ends_survive_editing():
    raw = b"\xef\xbb\xbf" + FILE.replace("\n", "\r\n").encode()
    rules = parse_rules(raw)
    rules.replace(dataclasses.replace(rules.rules["r2"], desc="e"))
    assert rules.rules["r2"].desc == "e"
    assert rules.to_yaml().count("\r\n") == FILE.count("\n")


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
