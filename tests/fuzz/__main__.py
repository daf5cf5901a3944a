"""``make fuzz``: all targets in turn, until stopped or for FUZZ_SECONDS each."""

from __future__ import annotations

import argparse
import os
import secrets
import sys
import time
from collections import Counter

from tests.fuzz.running import TARGETS, keep, run

_SLICE_SEC = 60


def main() -> int:
    """Run what the command line asks for; 1 when something was found."""
    parser = argparse.ArgumentParser(prog="python -m tests.fuzz")
    parser.add_argument("targets", nargs="*", metavar="TARGET", help=", ".join(TARGETS))
    parser.add_argument(
        "--seconds",
        type=int,
        default=os.environ.get("FUZZ_SECONDS"),
        help="for each target; without it, until stopped",
    )
    parser.add_argument("--rounds", type=int, default=0, help="cases for each target")
    parser.add_argument("--first", type=int, help="number of the first case (random)")
    asked = parser.parse_args()
    for name in asked.targets:
        if name not in TARGETS:
            parser.error(f"there is no target {name}; there are {', '.join(TARGETS)}")
    first = secrets.randbits(48) if asked.first is None else asked.first
    print(f"first case {first}", flush=True)
    cases, inputs, found = Counter(), Counter(), []
    begun = time.monotonic()
    bounded = asked.rounds or asked.seconds
    try:
        while True:
            for target in asked.targets or TARGETS:
                seconds = asked.seconds or (0 if asked.rounds else _SLICE_SEC)
                done = run(
                    target,
                    rounds=asked.rounds,
                    first=first + cases[target],
                    seconds=seconds,
                )
                cases[target] += done.cases
                inputs[target] += done.inputs
                if done.failed is not None:
                    found.append(keep(target, done))
                    cases[target] = max(cases[target], done.failed - first + 1)
                    print(
                        f"FOUND by {target}: {found[-1]}\n{done.output[-3000:]}",
                        flush=True,
                    )
                spent = time.monotonic() - begun
                print(
                    f"{spent:7.0f} s  {target:<16} {cases[target]:>12,} cases  {inputs[target]:>13,} inputs  {len(found)} found",
                    flush=True,
                )
            if bounded:
                break
    except KeyboardInterrupt:
        pass
    print(f"{sum(inputs.values()):,} inputs, {len(found)} findings")
    for folder in found:
        print(f"  {folder}")
    return int(bool(found))


if __name__ == "__main__":
    sys.exit(main())
