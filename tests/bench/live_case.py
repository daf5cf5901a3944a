"""One measurement of bench_live in a process of its own; prints JSON.

What ``workbench run`` does once everything is loaded: rules over a running source, the
alerts rendered. CPU time counts both processes.
"""

from __future__ import annotations

import json
import sys
import time
from pathlib import Path

from tests.bench.pump_case import cpu_ns

# Memory is compared with what it was so long after the first event, seconds.
_SETTLED_SEC = 1.0


def rss(*pids: int | str) -> int:
    """Bytes of memory of some processes."""
    total = 0
    for pid in pids:
        total += int(Path(f"/proc/{pid}/statm").read_text().split()[1]) * 4096
    return total


def loaded(libraries: str, rules: str, order: str):
    """Load plugins and rules; ``order``: "everything" lets all events out."""
    import workbench as wb
    from workbench.plugins.filtering import EventFilter
    from workbench.rules.running.alert_format import AlertFormat
    from workbench.rules.running.options import RunOptions
    from workbench.rules.target.target import target_of

    workbench = wb.Workbench()
    for library in libraries.split(","):
        workbench.load(library)
    options = RunOptions(None, AlertFormat())
    engines = wb.load_rules(rules).engines(target_of(workbench), options)
    engine = engines[workbench.sources[0]]
    where = None
    if order != "everything":
        where = EventFilter(engine.conditions, engine.fields, decides=False)
        where.order, where.flush_sec = order, 0.25
    return workbench, engines, engine, where


def main(libraries: str, params: str, rules: str, order: str) -> None:
    from workbench.fields.reference import resolve_column
    from workbench.rules.running.alerts import Alerts
    from workbench.rules.running.match import match_live

    workbench, engines, engine, where = loaded(libraries, rules, order)
    own = ("evt.num", "evt.rawtime", "evt.source")
    fields = [resolve_column(n, engine.fields) for n in engine.columns if n not in own]
    with workbench.pool.acquire() as pooled:
        worker = pooled.session
    start = cpu_ns(worker)
    capture = workbench.open(params, source=engine.source, fields=fields, where=where)
    began, alerts, early, late = time.monotonic(), 0, 0, 0
    while capture.end_reason is None:
        batch = capture.read(0.1)
        late = rss("self", worker.pid)
        if not early and time.monotonic() - began > _SETTLED_SEC:
            early = late
        if batch is None:
            continue
        pairs = [(capture.source, batch)]
        for found in match_live(engines, pairs, all_matches=False):
            alerts += len(found)
            for _ in Alerts([found]).lines():
                pass
    spent = cpu_ns(worker) - start
    result = {
        "cpu_ns": spent / capture.seen,
        "events": capture.seen,
        "alerts": alerts,
        "grown_mib": (late - early) / 2**20 if early else 0,
        "ways": [(w.order, w.staged, w.events, w.ns) for w in capture.ways],
    }
    print(json.dumps(result))
    workbench.close()


if __name__ == "__main__":
    main(*sys.argv[1:])
