"""Changes to loaded rules, written as a file to load after them."""

from __future__ import annotations

import dataclasses
from collections import Counter

import hypothesis.strategies as st
import pytest
from hypothesis import HealthCheck, given, settings

from tests.conformance.vectors import Slice, raw
from tests.rules.texts import FILE
from workbench.condition.syntax.canonical import canonical
from workbench.rules import (
    Macro,
    Rule,
    RuleException,
    RuleList,
    Target,
    load_rules,
    parse_rules,
)
from workbench.rules.editing.overlay import Items, override_item, same_items
from workbench.rules.running.alerts import Alerts

OFFICIAL = """\
# rules of somebody else
- list: names
  items: [a, b]
- list: more
  items: [names, c]
- macro: low
  condition: t.num < 4
- macro: known
  condition: low and t.str in (more)
- rule: Known
  desc: d
  condition: known
  output: o %t.num
  priority: WARNING
  source: t
  tags: [x]
- rule: Any
  desc: d
  condition: t.num exists
  output: o %t.num
  priority: INFO
  source: t
  exceptions:
    - name: numbers
      fields: [t.num]
      values: [[6]]
"""


@pytest.fixture
def official(tmp_path):
    path = tmp_path / "official.yaml"
    path.write_text(OFFICIAL)
    return path


def both(official, overlay):
    """Load both files; with their verdicts, which must be good."""
    rules = load_rules(official, overlay)
    assert rules.loaded(None).successful, rules.check()
    return rules


def test_what_is_added_to_a_loaded_set_alone_is_saved(official, tmp_path):
    rules = load_rules(official)
    rules.add(
        Rule(name="New", condition="low", output="o", priority="INFO", source="t")
    )
    rules.add("# why\n- list: names\n  items: [z]\n  override: {items: append}\n")
    assert rules.files == [str(official), "local_rules.yaml"]
    path = rules.save(tmp_path / "local.yaml")
    assert official.read_text() == OFFICIAL
    assert path.read_text() == (
        "# Changes to official.yaml; load this file after.\n"
        "- rule: New\n  desc: New\n  condition: low\n  output: o\n  priority: INFO\n"
        "  source: t\n\n"
        "# why\n- list: names\n  items: [z]\n  override: {items: append}\n"
    )
    again = both(official, path)
    assert (again.rules, again.lists) == (rules.rules, rules.lists)
    assert rules.saved_paths == [str(official), str(path)]


def test_a_changed_rule_is_an_override_of_what_differs(official, tmp_path):
    rules = load_rules(official)
    known = rules.rules["Known"]
    rules.add(
        dataclasses.replace(
            known, condition="known and t.num != 2", priority="ERROR", tags=("x", "z")
        )
    )
    assert rules.save(tmp_path / "local.yaml").read_text() == (
        "# Changes to official.yaml; load this file after.\n"
        "- rule: Known\n  condition: and t.num != 2\n  priority: ERROR\n  tags: [z]\n"
        "  override:\n    condition: append\n    priority: replace\n    tags: append\n"
    )
    again = both(official, tmp_path / "local.yaml")
    assert again.rules["Known"].condition == "known and t.num != 2"
    assert again.rules == rules.rules


def test_adding_what_is_there_already_changes_nothing(official):
    rules = load_rules(official)
    for item in [*rules.rules, *rules.macros, *rules.lists]:
        rules.add(item)
    assert rules.files == [str(official)]
    assert rules.saved_paths == [str(official)]


def test_edits_in_place_are_saved_as_overrides_and_whole_in_place(official, tmp_path):
    rules = load_rules(official)
    rules.replace(dataclasses.replace(rules.rules["Known"], enabled=False))
    rules.replace(RuleList("names", ("a", "b", "q")))
    rules.remove("rule", "Any")
    path = rules.save(tmp_path / "local.yaml")
    assert path.read_text() == (
        "# Changes to official.yaml; load this file after.\n"
        "- list: names\n  items: [q]\n  override:\n    items: append\n\n"
        "- rule: Known\n  enabled: false\n  override:\n    enabled: replace\n\n"
        "- rule: Any\n  enabled: false\n  override:\n    enabled: replace\n"
    )
    again = both(official, path)
    assert not any(rule.enabled for rule in again.rules)
    whole = rules.save(tmp_path / "whole.yaml", whole=True).read_text()
    assert whole.startswith(
        "# rules of somebody else\n- list: names\n  items: [a, b, q]"
    )
    assert "Any" not in whole


def test_a_rule_that_is_overridden_is_replaced_all_the_same(official):
    rules = load_rules(official)
    known = rules.rules["Known"]
    rules.add("- rule: Known\n  enabled: false\n  override: {enabled: replace}\n")
    rules.replace(dataclasses.replace(known, desc="other"))
    assert rules.rules["Known"] == dataclasses.replace(known, desc="other")


def test_the_last_of_several_files_takes_further_changes(official, tmp_path):
    local = tmp_path / "local.yaml"
    first = load_rules(official)
    first.add(dataclasses.replace(first.rules["Known"], enabled=False)).save(local)
    second = load_rules(official, local)
    second.add(Macro("mine", "low or t.num = 9"))
    second.save(local)
    assert local.read_text() == (
        "# Changes to official.yaml; load this file after.\n"
        "- rule: Known\n  enabled: false\n  override:\n    enabled: replace\n\n"
        "- macro: mine\n  condition: low or t.num = 9\n"
    )
    assert both(official, local).macros == second.macros


@pytest.mark.parametrize("names", [["official"], ["official", "local"]])
def test_changes_do_not_overwrite_the_file_they_build_on(official, tmp_path, names):
    from workbench.errors import WorkbenchError

    (tmp_path / "local.yaml").write_text("- macro: n\n  condition: t.num = 1\n")
    rules = load_rules(*(tmp_path / f"{name}.yaml" for name in names))
    rules.add(Macro("more", "low"))
    with pytest.raises(WorkbenchError, match="whole=True"):
        rules.save(official)
    assert official.read_text() == OFFICIAL
    rules.save(official, whole=True)
    assert "more" in load_rules(official).macros


def test_rules_that_were_changed_are_in_no_file_until_saved(official, tmp_path):
    from workbench.errors import WorkbenchError

    rules = load_rules(official).add(Macro("more", "low"))
    with pytest.raises(WorkbenchError, match="save them first"):
        rules.saved_paths  # noqa: B018 - raises
    rules.save(tmp_path / "x.yaml")
    rules.add(Macro("most", "low"))
    with pytest.raises(WorkbenchError, match="save them first"):
        rules.saved_paths  # noqa: B018 - raises


def test_a_loaded_set_travels_with_what_it_was_loaded_as(official, tmp_path):
    import pickle

    rules = load_rules(official).add(Macro("more", "low"))
    rules.replace(dataclasses.replace(rules.rules["Known"], desc="other"))
    back = pickle.loads(pickle.dumps(rules))
    one, two = tmp_path / "one.yaml", tmp_path / "two.yaml"
    assert back.save(one).read_text() == rules.save(two).read_text()
    assert "override" in one.read_text()


def test_exceptions_are_appended_where_the_engine_can(official):
    rules = load_rules(official)
    rule = rules.rules["Any"]
    (old,) = rule.exceptions
    new = (
        dataclasses.replace(old, values=(*old.values, ("7",))),
        RuleException("text", "t.str", None, ("a",)),
    )
    text = override_item(rule, dataclasses.replace(rule, exceptions=new))
    assert text.endswith("  override:\n    exceptions: append\n")
    assert "fields" not in text.partition("- name: text")[0]
    rules.add(text)
    assert rules.rules["Any"].exceptions == new
    text = override_item(rule, dataclasses.replace(rule, exceptions=new[1:]))
    assert "comps: in" in text
    assert text.endswith("exceptions: replace\n")


# Random edits, over rules of the engine's own conformance cases and over ours.

BASES = {
    "official": OFFICIAL,
    "plain": FILE,
    **{
        record["id"]: raw(text).decode("utf-8", "surrogateescape")
        for record in Slice().cases("rules")
        if record["exit_code"] == 0 and len(record["files"]) == 1
        for text in record["files"].values()
    },
}
WORDS = st.sampled_from(["a", "b", "c", "some words", "yes", "0x1", "names", "é"])


@st.composite
def edits(draw, rules):
    """One change: of a rule, a macro or a list, or a new item."""
    kinds = [kind for kind in (rules.rules, rules.macros, rules.lists) if kind]
    held = draw(st.sampled_from(kinds)) if kinds else ()
    item = draw(st.sampled_from(held)) if held else None
    if isinstance(item, RuleList):
        items = (*item.items, draw(WORDS))
        return RuleList(
            item.name, draw(st.sampled_from([items, items[1:], items[-1:]]))
        )
    if isinstance(item, Macro):
        more = draw(st.sampled_from([" and evt.num > 2", " or evt.num = 1", ""]))
        return Macro(
            item.name, (item.condition.strip() if more else "evt.num > 1") + more
        )
    if isinstance(item, Rule):
        exception = RuleException(draw(WORDS), "evt.num", None, (draw(WORDS),))
        change = draw(
            st.sampled_from(
                [
                    {"condition": item.condition + " and evt.num > 2"},
                    {"condition": "evt.num < 9", "tags": [draw(WORDS)]},
                    {"tags": [*item.tags, draw(WORDS)], "enabled": not item.enabled},
                    {"output": "new %evt.num", "priority": "ERROR"},
                    {"desc": draw(WORDS), "capture": True, "capture_duration": 5},
                    {"exceptions": (*item.exceptions, exception)},
                    {"exceptions": item.exceptions[1:]},
                ]
            )
        )
        return dataclasses.replace(item, **change)
    return Macro(f"new_{draw(st.integers(0, 3))}", "evt.num = 5")


def compiled(rules):
    """Rule → its condition with lists, macros and exceptions in place."""
    found = rules.loaded(None).compilation.rules
    return {rule.entry.name: canonical(rule.tree) for rule in found if rule.tree}


@settings(
    max_examples=150,
    deadline=None,
    suppress_health_check=[HealthCheck.function_scoped_fixture],
)
@given(data=st.data())
def test_loading_both_files_gives_the_same_set(data, tmp_path):
    name = data.draw(st.sampled_from(sorted(BASES)))
    path = tmp_path / "base.yaml"
    path.write_bytes(BASES[name].encode("utf-8", "surrogateescape"))
    rules = load_rules(path)
    for _ in range(data.draw(st.integers(1, 4))):
        item = data.draw(edits(rules))
        way = data.draw(st.sampled_from(["add", "replace", "remove"]))
        if way == "remove" and isinstance(item, Rule) and len(rules.rules) > 1:
            try:
                rules.remove("rule", item.name)
            except KeyError:  # inside brackets
                continue
        elif way == "replace" and Items.of(rules.loaded(None).collector).get(item):
            rules.replace(item)
        else:
            rules.add(item)
    if not rules.loaded(None).successful:
        return
    again = load_rules(path, rules.save(tmp_path / "local.yaml"))
    assert again.loaded(None).successful
    found = Items.of(again.loaded(None).collector)
    assert same_items(Items.of(rules.loaded(None).collector), found)
    wanted = compiled(rules)
    assert wanted == {n: c for n, c in compiled(again).items() if n in wanted}
    assert path.read_bytes() == BASES[name].encode("utf-8", "surrogateescape")


def test_both_files_alert_as_the_set_did(official, events, tmp_path):
    rules = load_rules(official)
    known = rules.rules["Known"]
    rules.add(dataclasses.replace(known, condition=known.condition + " or t.num = 6"))
    rules.replace(RuleList("names", ("b", "q")))
    again = both(official, rules.save(tmp_path / "local.yaml"))
    for every in (True, False):
        old, new = (r.run(events, all_matches=every) for r in (rules, again))
        assert new.pairs() == old.pairs() != []
    assert isinstance(old, Alerts)
    assert Counter(old.counts) != Counter(load_rules(official).run(events).counts)


def test_a_rule_of_another_source_is_not_an_override(official):
    rules = load_rules(official)
    rules.add(dataclasses.replace(rules.rules["Known"], source="u"))
    found = rules.check(Target({"t": {}}))
    assert "different source" in " ".join(d.message for d in found)


def test_rules_that_were_never_in_files_are_saved_whole(tmp_path):
    rules = parse_rules(OFFICIAL).add(Macro("more", "low"))
    assert rules.save(tmp_path / "x.yaml").read_text().startswith(OFFICIAL)
    assert rules.saved_paths == [str(tmp_path / "x.yaml")]
