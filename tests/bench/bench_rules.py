"""Rules: loading and checking, running a hundred over a million events, rendering."""

from __future__ import annotations

import statistics
import time

import numpy as np
import pyarrow as pa

from workbench.events.from_table import events_from_table
from workbench.fields.declarations import FieldInfo
from workbench.rules import Target, compile_output, parse_rules

FIELDS = {
    name: FieldInfo(name, kind, is_list)
    for name, kind, is_list in (
        ("bench.n", "uint64", False),
        ("bench.status", "uint64", False),
        ("bench.user", "string", False),
        ("bench.path", "string", False),
        ("bench.verb", "string", False),
        ("bench.ip", "ipaddr", False),
        ("bench.tags", "string", True),
        ("bench.ok", "bool", False),
    )
}
HEAD = """\
- list: quiet_users
  items: [user1, user2, user3, user4]
- list: verbs
  items: [create, update, patch, delete]
- macro: failed
  condition: bench.status >= 400 and not bench.ok = true
- macro: noisy
  condition: bench.user in (quiet_users) or bench.path startswith /healthz
"""
RULE = """\
- rule: Rule number {i} of the benchmark
  desc: Somebody changed something that hardly anybody changes, and it failed
  condition: >
    bench.verb in (verbs) and failed and not noisy
    and bench.path startswith "/api/v1/{i}" and bench.user != user{j}
  output: >
    A change failed (user=%bench.user verb=%bench.verb path=%bench.path
    status=%bench.status ip=%bench.ip tags=%bench.tags n=%bench.n)
  priority: WARNING
  source: bench
  tags: [benchmark, T{i}]
"""


def rules_text(count):
    rules = (RULE.format(i=i, j=i % 40) for i in range(count))
    return HEAD + "".join(rules)


def events_table(rows):
    random = np.random.default_rng(7)

    def words(values):
        codes = pa.array(random.integers(0, len(values), rows, dtype=np.int32))
        return pa.DictionaryArray.from_arrays(codes, pa.array(values, pa.binary()))

    paths = [f"/api/v1/{i}/x{i % 7}".encode() for i in range(400)]
    tags = pa.array([[b"a", b"b"], [b"c"], None, []] * (rows // 4 + 1))[:rows]
    addresses = random.integers(0, 2**32, rows, dtype=np.uint32)
    return pa.table(
        {
            "bench.n": pa.array(np.arange(rows, dtype=np.uint64)),
            "bench.status": pa.array(
                random.choice(np.array([200, 301, 404, 500], np.uint64), rows)
            ),
            "bench.user": words([f"user{i}".encode() for i in range(40)]),
            "bench.path": words(paths),
            "bench.verb": words([b"get", b"list", b"create", b"delete"]),
            "bench.ip": pa.Array.from_buffers(
                pa.binary(4), rows, [None, pa.py_buffer(addresses)]
            ).cast(pa.binary()),
            "bench.tags": tags,
            "bench.ok": pa.array(random.integers(0, 2, rows).astype(bool)),
        }
    )


def best_of(times, action):
    spent = []
    for _ in range(times):
        start = time.perf_counter()
        action()
        spent.append(time.perf_counter() - start)
    return min(spent), statistics.median(spent)


def run(quick: bool) -> list[dict]:
    target = Target({"bench": FIELDS}, {"bench": "1.0.0"})
    rows = 200_000 if quick else 1_000_000
    times = 3 if quick else 5
    text = rules_text(1000)

    def load_and_check():
        found = parse_rules(text).check(target)
        assert not found.errors, found.errors[:3]

    load_sec, _ = best_of(times, load_and_check)

    table = events_table(rows)
    events = events_from_table(table, fields=FIELDS, source="bench")
    rules = parse_rules(rules_text(100))
    engine = rules.engines(events)["bench"]
    conditions = engine.conditions
    plain = events.table_with(conditions.columns)

    def bare():
        return conditions.counts(plain, first_match=True)

    def counted():
        alerts = rules.run(events)
        counts = alerts.counts
        shown = list(alerts.head(1000).lines())
        assert len(shown) == min(1000, sum(counts.values())), (len(shown), counts)

    bare()
    counted()
    bare_sec, run_sec = [], []
    for _ in range(times):
        bare_sec.append(best_of(1, bare)[0])
        run_sec.append(best_of(1, counted)[0])
    ratio = statistics.median(
        run / alone for run, alone in zip(run_sec, bare_sec, strict=True)
    )

    every = parse_rules(
        RULE.format(i=0, j=1).replace(
            "bench.verb in (verbs) and failed and not noisy\n"
            '    and bench.path startswith "/api/v1/0" and bench.user != user1',
            "bench.n exists",
        )
    )
    many = events[: min(rows, 200_000)]
    alerts = every.run(many)
    line_sec, _ = best_of(times, lambda: sum(1 for _ in alerts.lines()))
    json_sec, _ = best_of(times, alerts.to_jsonl)
    output = compile_output(
        "user=%bench.user verb=%bench.verb path=%bench.path status=%bench.status",
        FIELDS,
    )
    render_sec, _ = best_of(times, lambda: output.render(many.table))
    fields_sec, _ = best_of(times, lambda: output.json(many.table))
    count = len(many)

    def rate(name, seconds, target_rate=200_000):
        value = count / seconds
        return {
            "name": name,
            "value": round(value),
            "target": target_rate,
            "ok": value >= target_rate,
            "unit": "alerts/s",
            "note": f"{count:,} alerts",
        }

    per_rule_ms = load_sec
    return [
        {
            "name": "load and check, per rule",
            "value": round(per_rule_ms, 3),
            "target": 1.0,
            "ok": per_rule_ms <= 1.0,
            "unit": "ms",
            "note": "1,000 rules in one file",
        },
        {
            "name": "run 100 rules: counts and 1,000 alerts, over bare evaluation",
            "value": round(ratio, 2),
            "target": 1.5,
            "ok": ratio <= 1.5,
            "unit": "x",
            "note": f"{rows:,} events, bare {statistics.median(bare_sec) * 1e3:.0f} ms",
        },
        rate("output.render, 4 fields", render_sec),
        rate("output.json, 4 fields", fields_sec),
        rate("alert lines, 7 fields", line_sec),
        rate("alert JSON lines, 7 fields", json_sec, 100_000),
    ]
