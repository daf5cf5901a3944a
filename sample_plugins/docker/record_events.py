"""Record ``data/events.jsonl`` from a real engine that this script starts itself.

Usage: python record_events.py [FOLDER]   (a folder that holds usr/bin, usr/sbin …)
"""

from __future__ import annotations

import os
import sys
import time
from pathlib import Path

from engine import SEARCH, running_engine

OUT = Path(__file__).resolve().parent / "data" / "events.jsonl"


def main() -> None:
    search = SEARCH
    if len(sys.argv) > 1:
        folders = ("usr/sbin", "usr/bin", "bin", "sbin")
        here = [str(Path(sys.argv[1]).resolve() / name) for name in folders]
        search = os.pathsep.join([*here, search])
    with running_engine(search) as docker:
        docker.busy_minute()
        until = str(int(time.time()) + 1)
        events = docker(
            *("events", "--since", "0", "--until", until, "--format", "{{json .}}")
        )
    OUT.parent.mkdir(exist_ok=True)
    OUT.write_bytes(events.stdout)
    count = len(events.stdout.splitlines())
    print(f"{OUT}: {count} events")


if __name__ == "__main__":
    main()
