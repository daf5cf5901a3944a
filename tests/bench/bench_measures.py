"""Measuring rules: mutants, coverage, noise and proposals against their limits."""

from __future__ import annotations

import tempfile
import time
from pathlib import Path

from tests.bench.bench_rules import FIELDS, rules_text
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


def run(quick: bool) -> list[dict]:
    return [mutation(quick)]
