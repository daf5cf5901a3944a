from __future__ import annotations

import json
import random
import re

import pyarrow as pa
import pytest

from workbench.__main__ import main
from workbench.condition.binding.bound import BoundCheck, postorder
from workbench.condition.execution.reference import check_row
from workbench.errors import RulesError, WorkbenchError
from workbench.events.from_table import events_from_table
from workbench.fields.declarations import FieldInfo, FieldTable
from workbench.rules import parse_rules
from workbench.rules.coverage import count as counting

RULE = """\
- rule: {name}
  desc: d
  condition: {condition}
  output: o
  priority: INFO
  source: t
"""
RULES = """\
- macro: low
  condition: t.num < 3
""" + "".join(
    RULE.format(name=name, condition=condition)
    for name, condition in (
        ("first", "t.num in (1, 2)"),
        ("late", "low and t.path exists"),
        ("never", "t.num > 100 and t.flag = true"),
        ("partly", "t.num >= 1 and not t.path = /tmp"),
    )
)
EXCEPTIONS = """\
  exceptions:
    - name: used
      fields: t.num
      values: [5]
    - name: unused
      fields: [t.num, t.path]
      values: [[77, /x]]
"""


@pytest.fixture
def events(events):
    """Add a field that no event has."""
    absent = pa.nulls(len(events), pa.bool_())
    return events.derive(events.table.append_column("t.flag", absent))


@pytest.fixture
def covered(events):
    return parse_rules(RULES + EXCEPTIONS).coverage(events)


def test_rules_that_never_fire_or_come_too_late_are_told(covered):
    states = {rule.name: rule.state for rule in covered.rules}
    assert states == {
        "first": "fires",
        "late": "always hidden",
        "never": "never fires",
        "partly": "fires",
    }
    assert covered.always_hidden == ["late"]
    assert covered["late"].hidden == {"first": 2}
    assert covered.never_fire == ["never"]
    assert covered["partly"].hidden == {"first": 1}
    assert covered["partly"].matched - covered["partly"].alerted == 1


def test_counts_agree_with_a_run(covered, events):
    rules = parse_rules(RULES + EXCEPTIONS)
    first = rules.run(events).counts
    every = rules.run(events, all_matches=True).counts
    assert {r.name: r.alerted for r in covered.rules if r.alerted} == first
    assert {r.name: r.matched for r in covered.rules if r.matched} == every
    hidden = rules.run(events).hidden
    assert {r.name: r.hidden for r in covered.rules if r.hidden} == hidden


def test_checks_that_never_decide_are_told(covered):
    idle = {(rule, c.text): c.state for rule, c in covered.never_decide}
    assert idle["never", "t.flag = true"] == "never evaluated"
    # true for every event, but the other answer would change what matches
    assert ("partly", "t.num >= 1") not in idle
    assert idle["partly", "t.path = /x"] == "never evaluated"
    assert ("first", "t.num in (1, 2)") not in idle


def test_exceptions_that_never_apply_and_absent_fields_are_told(covered):
    assert covered["partly"].exceptions == {"used": 1, "unused": 0}
    assert covered.unused_exceptions == [("partly", "unused")]
    assert covered.absent_fields == ["t.flag"]
    text = "\n".join(covered.findings())
    assert "rule 'partly': exception 'unused' never applies" in text
    assert "t.flag is absent in every event" in text
    assert (
        "rule 'late' is always hidden by an earlier one: 'first' takes 2 of 2" in text
    )


FIELDS = FieldTable([FieldInfo(f"p.{name}", "uint64") for name in "abcd"])


def made(rng, depth=0):
    kind = rng.random()
    if depth > 3 or kind < 0.35:
        return f"p.{rng.choice('abcd')} = {rng.randrange(2)}"
    if kind < 0.5:
        return f"not ({made(rng, depth + 1)})"
    word = rng.choice([" and ", " or "])
    parts = [made(rng, depth + 1) for _ in range(rng.randrange(2, 4))]
    return "(" + word.join(parts) + ")"


def by_hand(root, row):
    """Evaluate as the engine does, left to right; return what is seen and decisive."""
    seen = {}

    def value(node, flipped):
        if isinstance(node, BoundCheck):
            return check_row(node, row) ^ (node is flipped)
        if hasattr(node, "child"):
            return not value(node.child, flipped)
        join = all if type(node).__name__ == "BoundAnd" else any
        return join([value(child, flipped) for child in node.children])

    def walk(node):
        if isinstance(node, BoundCheck):
            seen[id(node)] = check_row(node, row)
            return seen[id(node)]
        if hasattr(node, "child"):
            return not walk(node.child)
        stop = type(node).__name__ == "BoundOr"
        return stop if any(walk(c) is stop for c in node.children) else not stop

    truth = walk(root)
    assert truth == value(root, None)
    checks = [n for n in postorder(root) if isinstance(n, BoundCheck)]
    return [
        (id(c) in seen, seen.get(id(c), False), value(root, c) != truth) for c in checks
    ]


@pytest.mark.parametrize("seed", range(25))
def test_counts_are_those_of_an_engine_that_goes_row_by_row(seed, monkeypatch):
    # several stretches, the last one short
    monkeypatch.setattr(counting, "_STEP", 64)
    monkeypatch.setattr(counting, "_MEMORY", 8)
    rng = random.Random(seed)
    rows = [{f"p.{n}": rng.randrange(3) for n in "abcd"} for _ in range(150)]
    table = pa.table({n: pa.array([r[n] for r in rows], pa.uint64()) for n in rows[0]})
    events = events_from_table(table, fields=FIELDS, source="t")
    rules = parse_rules(RULE.format(name="r", condition=f'"{made(rng)}"'))
    (covered,) = rules.coverage(events).rules
    root = rules.engines(events)["t"].conditions[0].root
    # equal checks may be one node: identity tells their places only when they differ
    checks = [n for n in postorder(root) if isinstance(n, BoundCheck)]
    if len({id(c) for c in checks}) < len(checks):
        pytest.skip("a check occurs twice")
    expected = [[0, 0, 0] for _ in checks]
    for row in rows:
        for counts, flags in zip(expected, by_hand(root, row), strict=True):
            for at, flag in enumerate(flags):
                counts[at] += flag
    assert [
        [c.evaluated, c.true, c.decisive] for c in covered.checks if c.kind == "check"
    ] == expected


def test_the_source_view_colours_each_check_and_escapes(events):
    evil = "<script>x</script>"
    text = RULES.replace("never", evil).replace("/tmp", '"<b>\u202e"')
    covered = parse_rules(f"# <i> {evil}\n{text}").coverage(events)
    page = covered._repr_html_()
    for bad in ("<script", "<b>", "<i>", "\u202e"):
        assert bad not in page
    shown = re.findall(r'<span style="background:(#\w+)[^>]*title="(.*?)">(.*?)<', page)
    by_text = {text: (colour, title) for colour, title, text in shown}
    assert by_text["t.num &lt; 3"][1].startswith("decides: evaluated 6, true 2")
    assert by_text["t.flag = true"] == (
        "#ffd0d0", "never evaluated: evaluated 0, true 0, decisive 0",
    )  # fmt: skip
    # every byte of the file is there
    assert page.count("condition:") == text.count("condition:")


def test_the_command_prints_and_writes_one_page(events, tmp_path, capsys):
    capture, rules = tmp_path / "seen.parquet", tmp_path / "rules.yaml"
    events.save(capture)
    rules.write_text(RULES + EXCEPTIONS)
    words = ["coverage", "-r", str(rules), "--events", str(capture)]
    assert main([*words, "--html", str(tmp_path / "out" / "deep")]) == 0
    out, err = capsys.readouterr()
    assert "rule 'never' never fires" in out
    assert "index.html" in err
    page = (tmp_path / "out" / "deep" / "index.html").read_text()
    assert "default-src 'none'" in page
    assert "src=" not in page.replace("default-src", "")
    assert main([*words, "--json"]) == 0
    data = json.loads(capsys.readouterr().out)
    assert [r["state"] for r in data["rules"]] == [
        "fires", "always hidden", "never fires", "fires",
    ]  # fmt: skip


def test_what_cannot_be_covered_is_one_clear_error(events, tmp_path, capsys):
    with pytest.raises(RulesError, match="nope"):
        parse_rules(RULES.replace("t.flag", "t.nope")).coverage(events)
    with pytest.raises(WorkbenchError, match="not of a list"):
        parse_rules(RULES).coverage([])
    with pytest.raises(WorkbenchError, match="no enabled rule"):
        parse_rules(RULES.replace("source: t", "source: other")).coverage(events)
    capture, rules = tmp_path / "seen.parquet", tmp_path / "rules.yaml"
    events.save(capture)
    rules.write_text("- rule: x\n")
    words = ["coverage", "-r", str(rules), "--events", str(capture)]
    assert main([*words, "--html", str(tmp_path / "out")]) == 1
    assert capsys.readouterr().out == ""
    assert not (tmp_path / "out").exists()
    assert main(["coverage", "--events", str(capture)]) == 2
