"""Measuring rules: mutants, coverage and noise against their limits."""

from __future__ import annotations

import statistics
import tempfile
import time
from pathlib import Path

from tests.bench.bench_rules import FIELDS, events_table, rules_text
from workbench.events.from_table import events_from_table
from workbench.rules import parse_rules

MUTATION_SEC, COVERAGE_RATIO = 10.0, 3.0
TYPES = "\n".join(
    f"  {f.name}: {'list of ' if f.is_list else ''}{f.type}" for f in FIELDS.values()
)
CASE = """\
  - name: case {i}
    event:
      bench.n: {i}
      bench.status: {status}
      bench.user: user{user}
      bench.path: /api/v1/{rule}/x{i}
      bench.verb: {verb}
      bench.ok: {ok}
"""


def tests_text(count, rules):
    """Write cases that pass: each names the one rule that it is about."""
    lines = [f"source: bench\nfields:\n{TYPES}\ncases:\n"]
    for i in range(count):
        rule = i % rules
        status, user = (404, 200)[i % 3 == 1], 5 + i % 30
        verb, ok = ("delete", "get")[i % 5 == 4], ("false", "true")[i % 7 == 6]
        # a path of /1 begins that of /10, too
        fires = status == 404 and verb == "delete" and ok == "false"
        fires = fires and user != rule % 40
        word = "fires" if fires else "quiet"
        case = CASE.format(i=i, status=status, user=user, rule=rule, verb=verb, ok=ok)
        lines.append(f"{case}    {word}: [Rule number {rule} of the benchmark]\n")
    return "".join(lines)


def mutation(quick):
    rules, cases = (100, 100) if quick else (100, 500)
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "tests.yaml"
        path.write_text(tests_text(cases, rules))
        start = time.perf_counter()
        report = parse_rules(rules_text(rules)).mutate(path)
        spent = time.perf_counter() - start
    note = f"{len(report.mutants):,} mutants, {cases} tests; {report.score:.0%} noticed"
    return {
        "name": "mutation testing of 100 rules",
        "value": spent,
        "target": f"<= {MUTATION_SEC:.0f}",
        "ok": spent <= MUTATION_SEC,
        "unit": "s",
        "note": note,
    }


def coverage(quick):
    rows = 200_000 if quick else 1_000_000
    events = events_from_table(events_table(rows), fields=FIELDS, source="bench")
    rules = parse_rules(rules_text(100))
    ratios = []
    for _ in range(3 if quick else 5):
        start = time.perf_counter()
        counts = rules.run(events).counts
        between = time.perf_counter()
        covered = rules.coverage(events)
        ratios.append((time.perf_counter() - between) / (between - start))
        assert {r.name: r.alerted for r in covered.rules if r.alerted} == counts
    ratio = statistics.median(ratios)
    return {
        "name": f"coverage of 100 rules over {rows:,} events",
        "value": ratio,
        "target": f"<= {COVERAGE_RATIO:.0f}",
        "ok": ratio <= COVERAGE_RATIO,
        "unit": "x",
        "note": "against running them",
    }


def noise(quick):
    rows = 200_000 if quick else 1_000_000
    events = events_from_table(events_table(rows), fields=FIELDS, source="bench")
    rules = parse_rules(rules_text(100))
    rules.run(events)
    start = time.perf_counter()
    rules.noise(events, per="day")
    spent = time.perf_counter() - start
    return {
        "name": f"noise of 100 rules over {rows:,} events",
        "value": spent,
        "target": "–",
        "ok": None,
        "unit": "s",
        "note": "",
    }


def run(quick: bool) -> list[dict]:
    return [mutation(quick), coverage(quick), noise(quick)]
