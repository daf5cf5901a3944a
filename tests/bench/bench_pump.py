"""The pump and the worker: throughput, memory, start, crash, hang and interrupt.

Each figure comes from a process of its own (``pump_case.py``); what is compared is run
in turns, and the ratio is the median over the rounds. CPU time counts both processes.
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

HERE = Path(__file__).resolve().parent
ROOT = HERE.parent.parent


def build(folder: Path) -> dict[str, str]:
    """Compile the light plugin, the probe and the bare loop."""
    cc = os.environ.get("CC", "cc")
    made = {}
    for name in ("light", "probe"):
        made[name] = str(folder / f"lib{name}.so")
        source = ROOT / "tests" / "support" / "plugins" / f"{name}.c"
        command = [cc, "-O2", "-fPIC", "-shared", "-o", made[name], str(source)]
        subprocess.run([*command, "-lpthread"], check=True)
    made["bare"] = str(folder / "bare_loop")
    bare = HERE / "bare_loop.c"
    subprocess.run([cc, "-O2", "-o", made["bare"], str(bare), "-ldl"], check=True)
    return made


def case(*arguments: object) -> dict[str, Any]:
    """Run one case in a fresh interpreter and give what it measured."""
    done = subprocess.run(
        [sys.executable, "-m", "tests.bench.pump_case", *map(str, arguments)],
        cwd=ROOT,
        capture_output=True,
        text=True,
    )
    if done.returncode:
        raise RuntimeError(done.stderr)
    return json.loads(done.stdout.splitlines()[-1])


def bare(made: dict[str, str], events: int) -> dict[str, Any]:
    text = subprocess.run(
        [made["bare"], made["light"], str(events)], capture_output=True, text=True
    ).stdout.split()
    return {"cpu_ns": int(text[0]) / int(text[1])}


def row(name, value, target, *, ok, unit="", note=""):
    return {
        "name": name,
        "value": value,
        "target": target,
        "ok": ok,
        "unit": unit,
        "note": note,
    }


def at_most(name, value, limit, unit="", note=""):
    return row(name, value, f"≤ {limit}", ok=value <= limit, unit=unit, note=note)


def at_least(name, value, limit, unit="", note=""):
    return row(name, value, f"≥ {limit}", ok=value >= limit, unit=unit, note=note)


def median_ratio(pairs: list[tuple[float, float]]) -> float:
    return statistics.median(a / b for a, b in pairs)


def throughput(made: dict[str, str], events: int, rounds: int) -> list[dict]:
    light = made["light"]
    kinds = {
        "bare": lambda: bare(made, events),
        "table": lambda: case("pump", light, events, "process", "plain"),
        "local": lambda: case("pump", light, events, "none", "plain"),
        "dict": lambda: case("pump", light, events, "process", "dict"),
        "frame": lambda: case("frame", light, events),
        "python": lambda: case("python", light, max(events // 10, 1000)),
    }
    seen: dict[str, list[dict]] = {name: [] for name in kinds}
    for number in range(rounds):
        order = list(kinds)
        for name in order if number % 2 == 0 else reversed(order):
            seen[name].append(kinds[name]())
    cpu = {name: [r["cpu_ns"] for r in rows] for name, rows in seen.items()}
    base = f"bare loop {statistics.median(cpu['bare']):.0f} ns/event"

    def against(name: str, other: str) -> float:
        return median_ratio(list(zip(cpu[name], cpu[other], strict=True)))

    def note(name: str) -> str:
        return f"{statistics.median(cpu[name]):.0f} ns/event, {base}"

    grown = statistics.median(r["bytes_per_event"] for r in seen["python"])
    ours = statistics.median(r["bytes_per_event"] for r in seen["dict"])
    smaller = [
        (a["bytes_per_event"], b["bytes_per_event"])
        for a, b in zip(seen["dict"], seen["table"], strict=True)
    ]
    return [
        at_most("pump to DataFrame / bare C loop", against("table", "bare"), 1.25,
                "×", note("table") + "; Arrow-backed columns, worker"),
        row("Plugin.capture().frame / bare C loop", against("frame", "bare"), "–",
            ok=None, unit="×",
            note=note("frame") + "; texts repaired, addresses as text, Categorical"),
        at_least("Python cffi loop / pump, CPU", against("python", "table"), 20, "×",
                 f"{statistics.median(cpu['python']):.0f} ns/event"),
        at_least("Python cffi loop / pump, memory", grown / ours, 5, "×",
                 f"{grown:.0f} and {ours:.0f} bytes/event"),
        at_least("isolated throughput / in-process", against("local", "table"), 0.85,
                 "×", note("local")),
        at_most("with dictionaries / plain, CPU", against("dict", "table"), 1.25, "×"),
        at_most("with dictionaries / plain, memory", median_ratio(smaller), 0.9, "×",
                "of three string columns one is unique"),
    ]  # fmt: skip


def memory(made: dict[str, str], events: int) -> list[dict]:
    seen = case("iterate", made["light"], events)
    million = events / 1e6
    return [
        at_most(f"iterate {million:g}M events: RSS grows by", seen["grown_mib"], 50,
                "MiB", "parent, shared pages included"),
        at_most("worker, private memory", seen["worker_mib"], 10, "MiB"),
    ]  # fmt: skip


def moments(made: dict[str, str], rounds: int) -> list[dict]:
    first = case("first", made["light"], rounds)
    crash = case("crash", made["probe"], rounds)
    hang = case("hang", made["probe"])
    stop = case("interrupt", made["probe"], rounds)
    start = case("import")
    return [
        at_most("spawn to first rows", first["ms"], 50, "ms"),
        at_most("crash to exception", crash["ms"], 100, "ms"),
        at_most("completed rows lost in a crash", crash["lost"], 0, ""),
        at_most("hang: exception after the limit", hang["late_ms"], 200, "ms"),
        at_most("Ctrl-C to prompt", stop["ms"], 100, "ms"),
        at_most("import workbench", start["ms"], 200, "ms"),
    ]


def go(events: int, rounds: int) -> list[dict]:
    """A Go plugin that decodes JSON, against its own bare loop."""
    name = "Go plugin decoding JSON / bare loop"
    if not shutil.which("go"):
        return [row(name, "–", "≤ 1.25", ok=None, note="no Go toolchain here")]
    with tempfile.TemporaryDirectory() as scratch:
        library = str(Path(scratch) / "libgo_json.so")
        loop = str(Path(scratch) / "go_loop")
        built = subprocess.run(
            ["go", "build", "-buildmode=c-shared", "-o", library, "."],
            cwd=HERE / "go_json",
            env={**os.environ, "CGO_ENABLED": "1"},
            capture_output=True,
            text=True,
        )
        if built.returncode:
            return [row(name, "–", "≤ 1.25", ok=None, note=built.stderr[-200:])]
        cc = os.environ.get("CC", "cc")
        source = HERE / "bare_loop.c"
        command = [cc, "-O2", "-DGO_JSON", "-o", loop, str(source), "-ldl"]
        subprocess.run(command, check=True)
        pairs = []
        for _ in range(rounds):
            ours = case("pump", library, events, "process", "plain")["cpu_ns"]
            done = subprocess.run(
                [loop, library, str(events)], capture_output=True, text=True
            )
            text = done.stdout.split()
            pairs.append((ours, int(text[0]) / int(text[1])))
    return [
        at_most(name, median_ratio(pairs), 1.25, "×",
                f"{statistics.median(b for _, b in pairs):.0f} ns/event bare")
    ]  # fmt: skip


def run(quick: bool) -> list[dict]:
    """Measure; ``quick``: fewer events and rounds."""
    events, rounds = (500_000, 1) if quick else (1_000_000, 5)
    with tempfile.TemporaryDirectory() as scratch:
        made = build(Path(scratch))
        return [
            *throughput(made, events, rounds),
            *memory(made, 1_000_000 if quick else 10_000_000),
            *moments(made, 3 if quick else 15),
            *go(100_000 if quick else 300_000, rounds),
        ]
