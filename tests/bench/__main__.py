"""Run every benchmark, print one table, write the ratios as JSON.

Each ``bench_*.py`` beside this file has ``run(quick) -> list of dict`` with the keys
name, value, target, ok (bool or None), unit, note.
"""

from __future__ import annotations

import argparse
import importlib
import json
import os
import platform
import signal
import sys
import time
from pathlib import Path

HERE = Path(__file__).resolve().parent


def main() -> int:
    parser = argparse.ArgumentParser(prog="make bench", description=__doc__)
    parser.add_argument("only", nargs="*", help="for example: pump conditions")
    parser.add_argument("--quick", action="store_true", help="fewer rows and rounds")
    parser.add_argument("--out", default="bench-results.json")
    args = parser.parse_args()
    # A shell's background jobs ignore it, and one case waits to be interrupted.
    signal.signal(signal.SIGINT, signal.default_int_handler)
    names = sorted(p.stem for p in HERE.glob("bench_*.py"))
    if args.only:
        names = [n for n in names if n.removeprefix("bench_") in args.only]
    results = []
    for name in names:
        print(f"# {name}", file=sys.stderr, flush=True)
        module = importlib.import_module(f"tests.bench.{name}")
        start = time.perf_counter()
        rows = module.run(args.quick)
        spent = time.perf_counter() - start
        print(f"# {name}: {spent:.0f} s", file=sys.stderr, flush=True)
        results += [{"suite": name.removeprefix("bench_"), **row} for row in rows]
    width = max((len(r["name"]) for r in results), default=4)
    print(f"{'measure':{width}}  {'value':>10}  {'target':>10}  met  note")
    for row in results:
        met = {True: "yes", False: "NO", None: "–"}[row["ok"]]
        value = row["value"]
        shown = f"{value:.3g}" if isinstance(value, float) else str(value)
        shown += f" {row.get('unit') or ''}"
        print(
            f"{row['name']:{width}}  {shown.strip():>10}  {row['target']!s:>10}"
            f"  {met:3}  {row.get('note') or ''}"
        )
    facts = {
        "machine": platform.machine(),
        "python": platform.python_version(),
        "cores": os.cpu_count(),
        "quick": args.quick,
    }
    Path(args.out).write_text(json.dumps({**facts, "results": results}, indent=1))
    return 0


if __name__ == "__main__":
    raise SystemExit(main())
