from __future__ import annotations

import random

import pyarrow as pa
import pytest

import workbench as wb
from workbench.errors import WorkbenchError
from workbench.events.from_table import events_from_table
from workbench.rules import parse_rules

RULES = """\
- macro: failed
  condition: t.num >= 400
- rule: failed
  desc: d
  condition: failed
  output: o
  priority: INFO
  source: t
  exceptions:
    - name: known_str
      fields: t.path
      values: [/gone]
"""


@pytest.fixture
def seen(fields):
    rng = random.Random(3)
    rows = 4000
    table = pa.table(
        {
            "t.num": pa.array([rng.choice([200, 404, 500]) for _ in range(rows)],
                              pa.uint64()),
            "t.str": pa.array([rng.choice([b"our scanner", b"a", b"b", b"c", None])
                               for _ in range(rows)], pa.binary()),
            "t.path": pa.array([rng.choice([b"/gone", b"/x", b"/health", b"/y(1)"])
                                for _ in range(rows)]),
            "t.ip": pa.array([bytes([10, 0, rng.randrange(3), rng.randrange(9)])
                              for _ in range(rows)]),
        }
    )  # fmt: skip
    return events_from_table(table, fields=fields, source="t")


def numbers(events, condition, count=20):
    return events.where(condition).table.column("evt.num").to_pylist()[:count]


@pytest.mark.parametrize(
    ("hidden", "named"),
    [
        ('t.num = 404 and t.str = "our scanner"', {"t.num", "t.str"}),
        ('t.num >= 400 and t.str = "our scanner"', {"t.str"}),
        ('t.num >= 400 and t.path = "/y(1)"', {"t.path"}),
        ("t.num = 500 and t.path = /health", {"t.num", "t.path"}),
    ],
)
def test_a_hidden_reason_becomes_an_exception_that_loads(seen, hidden, named):
    rules = parse_rules(RULES)
    best = rules.propose_exception("failed", seen, numbers(seen, hidden))[0]
    assert set(best.exception.fields) == named
    assert best.chosen == 1.0
    meant = len(seen.where(f"({hidden}) and t.path != /gone"))
    assert best.taken == meant
    # what it takes away is what the edited rules no longer say
    edited = parse_rules(RULES).replace(best.rule)
    before, after = (len(r.run(seen)) for r in (rules, edited))
    assert (before - after, after) == (best.taken, best.left)
    assert not edited.check(seen).errors
    assert best.exception.name != "known_str"


def test_labels_choose_and_keep(seen):
    scanner = 't.num >= 400 and t.str = "our scanner"'
    seen.label(seen.mask(f"{scanner} and t.path = /x"), must_match=False)
    seen.label(seen.mask(f"{scanner} and t.path = /health"), must_match=True)
    best = parse_rules(RULES).propose_exception("failed", seen)[0]
    assert best.kept
    assert set(best.exception.fields) == {"t.str", "t.path"}


def test_events_offer_it_too(seen):
    rule = wb.Rule(
        name="r", condition="t.num >= 400", output="o", priority="INFO", source="t"
    )
    chosen = numbers(seen, 't.num >= 400 and t.str = "our scanner"')
    alone = seen.propose_exception(rule, chosen)
    assert alone[0].exception.values == (('"our scanner"',),)
    rules = parse_rules(RULES)
    assert seen.propose_exception("failed", chosen, rules=rules)[0].taken > 0
    assert "our scanner" in repr(alone)
    assert "<table>" in alone._repr_html_()
    left_out = seen.propose_exception(rule, chosen, exclude_fields=["t.str"], limit=2)
    assert all("t.str" not in p.exception.fields for p in left_out)
    assert len(left_out) <= 2


def test_bad_choices_are_one_clear_error(seen):
    rules = parse_rules(RULES)
    with pytest.raises(WorkbenchError, match="matches none of the chosen events"):
        rules.propose_exception("failed", seen, numbers(seen, "t.num = 200"))
    with pytest.raises(WorkbenchError, match="matches none of the chosen events"):
        rules.propose_exception("failed", seen)
    both = numbers(seen, "t.num = 404 and t.path = /x")
    with pytest.raises(WorkbenchError, match="is to match and not to match"):
        rules.propose_exception("failed", seen, both, keep=both)
    with pytest.raises(KeyError):
        rules.propose_exception("none", seen, [1])
    with pytest.raises(KeyError, match="no event 99999"):
        rules.propose_exception("failed", seen, [99999])
