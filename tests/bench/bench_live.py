"""Rules over running sources: what deciding events costs beside the plugin's own work.

The yardstick is a C loop that makes the same calls, extracts only the fields that the
rules name, looks at each text once and keeps nothing (``named_loop.c``). With Go, also
the official plugins of ``tests/official`` over audit events of ours: quiet ones, and as
they are, every second of which alerts.
"""

from __future__ import annotations

import json
import os
import shutil
import statistics
import subprocess
import sys
import tempfile
from pathlib import Path
from typing import Any

from tests.bench.bench_pump import at_most, median_ratio, row

HERE = Path(__file__).resolve().parent
ROOT = HERE.parent.parent

# Five kinds of rules in turn; none of them matches an event of the light plugin.
KINDS = (
    "light.user = nobody{i} and light.path contains /x{i}/",
    "light.verb in (none{i}, verb9{i}) and light.a > {i}",
    "light.user startswith nob{i} or light.verb = v{i}x",
    "light.a = {i} and light.user = user001",
    "light.user in (u{i}, w{i}) and not light.verb in (verb01, verb02)",
)
RULE = """\
- rule: number {i}
  desc: d
  condition: {condition}
  output: u=%light.user p=%light.path
  priority: WARNING
  source: light
"""
# Fields that the first n rules name in conditions, as ID:TYPE for the bare loop.
NAMED = {1: ("2:9", "4:9"), 10: ("0:8", "2:9", "3:9", "4:9")}


def rules_text(count: int) -> str:
    """Write ``count`` rules."""
    return "".join(
        RULE.format(i=i, condition=KINDS[i % len(KINDS)].format(i=i))
        for i in range(count)
    )


def case(*arguments: object) -> dict[str, Any]:
    """Run one case in a fresh interpreter and give what it measured."""
    done = subprocess.run(
        [sys.executable, "-m", "tests.bench.live_case", *map(str, arguments)],
        cwd=ROOT,
        capture_output=True,
        text=True,
        env={**os.environ, "GOMAXPROCS": "1"},
    )
    if done.returncode:
        raise RuntimeError(done.stderr)
    return json.loads(done.stdout.splitlines()[-1])


def compiled(folder: Path) -> tuple[str, str]:
    """Compile the light plugin and the bare loop."""
    cc = os.environ.get("CC", "cc")
    library, loop = str(folder / "liblight.so"), str(folder / "named_loop")
    source = ROOT / "tests" / "support" / "plugins" / "light.c"
    flags = ["-O2", "-fPIC", "-shared"]
    subprocess.run([cc, *flags, "-o", library, str(source)], check=True)
    loop_source = str(HERE / "named_loop.c")
    subprocess.run([cc, "-O2", "-o", loop, loop_source, "-ldl"], check=True)
    return library, loop


def light(folder: Path, events: int, rounds: int, counts: tuple[int, ...]):
    """CPU per event with 1 … 1,000 rules, none of which matches."""
    library, loop = compiled(folder)
    rows = []
    for count in counts:
        rules = folder / f"rules{count}.yaml"
        rules.write_text(rules_text(count))
        pairs, let_out = [], []
        for _ in range(rounds):
            ours = case(library, events, rules, "measured")["cpu_ns"]
            named = NAMED[min(count, 10)]
            bare = subprocess.run(
                [loop, library, str(events), *named], capture_output=True, text=True
            ).stdout.split()
            pairs.append((ours, int(bare[0]) / int(bare[1])))
            let_out.append(case(library, events // 4, rules, "everything")["cpu_ns"])
        ns = statistics.median(ours for ours, _ in pairs)
        note = (
            f"{ns:.0f} ns/event, bare {statistics.median(b for _, b in pairs):.0f}; "
            f"letting all events out {statistics.median(let_out):.0f}"
        )
        limit = {1: 3, 100: 2.5}.get(count)
        name = f"live, {count:,} rules / bare C loop of their fields"
        ratio = median_ratio(pairs)
        if limit is None:
            rows.append(row(name, ratio, "–", ok=None, unit="×", note=note))
        else:
            rows.append(at_most(name, ratio, limit, "×", note))
    return rows


def growth(folder: Path, events: int) -> list[dict]:
    """Memory of both processes while many events are decided."""
    library, _ = compiled(folder)
    rules = folder / "growth.yaml"
    rules.write_text(rules_text(100))
    seen = case(library, events, rules, "measured")
    name = f"live, 100 rules, {events / 1e6:g}M events: memory grows by"
    return [at_most(name, seen["grown_mib"], 20, "MiB", "both processes")]


def audit_files(folder: Path, events: int) -> dict[str, Path]:
    """Write audit events: quiet ones, and as they are."""
    from tests.official.test_rules import AUDIT_ALERTS

    lines = (ROOT / "tests/official/events/k8s_audit.jsonl").read_text().splitlines()
    loud = {number for numbers in AUDIT_ALERTS.values() for number in numbers}
    quiet = [line for number, line in enumerate(lines, 1) if number not in loud]
    files = {}
    for name, own in (("quiet", quiet), ("dense", lines)):
        files[name] = folder / f"{name}.jsonl"
        files[name].write_text("\n".join(own * (events // len(own))) + "\n")
    return files


def official(folder: Path, events: int) -> list[dict]:
    """The official plugins: lazy against extracting everything at once."""
    name = "official audit plugin, lazy / everything at once"
    if not shutil.which("go"):
        return [row(name, "–", "≤ 1", ok=None, note="no Go toolchain here")]
    from tests.official.build import build

    libraries = ",".join(str(build(plugin)) for plugin in ("k8saudit", "json"))
    rules = ROOT / "tests" / "official" / "k8s_rules.yaml"
    rows = []
    for kind, path in audit_files(folder, events).items():
        lazy = case(libraries, path, rules, "measured")
        eager = case(libraries, path, rules, "at once")
        everything = case(libraries, path, rules, "everything")
        note = (
            f"{lazy['cpu_ns'] / 1000:.0f} and {eager['cpu_ns'] / 1000:.0f} µs/event, "
            f"{everything['cpu_ns'] / 1000:.0f} letting all events out; "
            f"{lazy['alerts']:,} alerts of {lazy['events']:,} events"
        )
        ratio = lazy["cpu_ns"] / eager["cpu_ns"]
        rows.append(at_most(f"{name}, {kind}", ratio, 1, "×", note))
        limit = {"quiet": 70, "dense": 110}[kind]
        rows.append(
            at_most(f"official audit plugin, {kind} events", lazy["cpu_ns"] / 1000,
                    limit, "µs", "CPU per event, both processes")
        )  # fmt: skip
    return rows


def run(quick: bool) -> list[dict]:
    """Measure; ``quick``: fewer events and rounds."""
    with tempfile.TemporaryDirectory() as scratch:
        folder = Path(scratch)
        counts = (1, 100) if quick else (1, 10, 100, 1000)
        return [
            *light(folder, 2_000_000, 1 if quick else 5, counts),
            *growth(folder, 10_000_000 if quick else 100_000_000),
            *official(folder, 5_000 if quick else 20_000),
        ]
