"""Saves the audit events of the tests with all fields that their rules read.

``python tests/official/save_events.py FILE.parquet`` asks the official plugins k8saudit
and json, built by build.py, once. The notebooks then need neither plugins nor Go.
"""

from __future__ import annotations

import runpy
import sys
from dataclasses import replace
from pathlib import Path

import workbench as wb

HERE = Path(__file__).resolve().parent


def save(target: Path, libraries: list[str]) -> Path:
    """Write the events to ``target``; ``libraries``: of k8saudit and json."""
    rules = wb.load_rules(HERE / "k8s_rules.yaml")
    with wb.Workbench() as cluster:
        for library in libraries:
            cluster.load(library)
        events = cluster.capture(str(HERE / "events" / "k8s_audit.jsonl"))
        events = events.extract(*rules.columns(cluster, "k8s_audit"))
        # The name of the machine that saves them is none of the events' business.
        origin = replace(
            events.origin,
            hostname="control-plane",
            extra={"plugins": events.plugin_versions},
        )
        table = events.table.drop_columns(["raw"])
        return wb.Events(table, fields=events.fields, origin=origin).save(target)


def main() -> int:
    """Build what is needed, and save."""
    builder = runpy.run_path(str(HERE / "build.py"))
    folder = builder["cache_dir"]()
    libraries = [str(folder / f"lib{name}.so") for name in ("k8saudit", "json")]
    print(save(Path(sys.argv[1]), libraries))
    return 0


if __name__ == "__main__":
    sys.exit(main())
