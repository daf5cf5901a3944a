"""The main job without a browser: ``workbench demo``, or ``make demo`` in a clone.

Streams the recorded web log of the ``weblog`` sample, prototypes a rule on it, exports
the rule, loads it again, runs it, and tests it. Every step prints its line of Python,
so that it can be repeated in a notebook.
"""

from __future__ import annotations

import sys
import tempfile
from pathlib import Path

import workbench as wb
from workbench.authoring.samples import sample_plugin
from workbench.errors import WorkbenchError

TRAVERSAL = 'weblog.path contains ".."'
FIRST_TRY = (
    f'weblog.status >= 400 and {TRAVERSAL} and not weblog.agent startswith "Mozilla"'
)
BETTER = f"weblog.status >= 400 and {TRAVERSAL}"
OUTPUT = (
    "climbing request (client=%weblog.client status=%weblog.status "
    "target=%weblog.uri agent=%weblog.agent)"
)


def print_step(title: str, *code: str) -> None:
    """Print a heading and the code that makes the next lines."""
    print(f"\n── {title} " + "─" * max(0, 74 - len(title)))
    for line in code:
        print(f">>> {line}")


def main() -> int:
    """Run the demo; 0 if it succeeded."""
    try:
        library = sample_plugin("weblog")
    except WorkbenchError as error:
        print(error, file=sys.stderr)
        return 1
    print_step("Load a plugin", f'plugin = wb.load("…/{library.name}")')
    with wb.load(library) as plugin:
        print(plugin)
        events = stream(plugin)
        prototype(events)
        export_and_run(plugin, events)
    print_step("Next steps")
    print("workbench lab                 the same with a mouse, in JupyterLab")
    print("workbench inspect LIBRARY     what any plugin says about itself")
    print("workbench stream LIBRARY      its events as table, JSON or CSV")
    print("workbench check LIBRARY       whether it conforms to the plugin API")
    print("workbench --help              everything else")
    return 0


def stream(plugin: wb.Plugin) -> wb.Events:
    """Collect the recorded log and show what is in it."""
    log = plugin.open_params[0].value
    print_step(
        "Stream its events", "events = plugin.capture(plugin.open_params[0].value)"
    )
    events = plugin.capture(log)
    shown = ["evt.time", "weblog.client", "weblog.method", "weblog.path"]
    frame = events.frame
    print(frame[[*shown, "weblog.status"]].head(5).to_string())
    print_step("A summary", 'events.frame["weblog.status"].value_counts()')
    span = frame["evt.time"].max() - frame["evt.time"].min()
    clients = frame["weblog.client"].nunique()
    print(f"{len(events):,} events in {span}, {clients:,} clients; by status:")
    print(frame["weblog.status"].value_counts().head(6).to_string(header=False))
    return events


def prototype(events: wb.Events) -> None:
    """Try a condition, see where events are lost, explain one that is missed."""
    print_step(
        "Try a condition: who climbs out of the served folder?",
        f"condition = {FIRST_TRY!r}",
        "events.funnel(condition)",
    )
    print(events.funnel(FIRST_TRY))
    print_step("What does it miss by a single check?", "events.near_misses(condition)")
    print(events.near_misses(FIRST_TRY))
    missed = events.where(f'{BETTER} and weblog.agent startswith "Mozilla"')
    number = int(missed.frame["evt.num"].iloc[0])
    print_step("Why was this one missed?", f"events.explain({number}, condition)")
    print(events.explain(number, FIRST_TRY))
    print(
        "\nThe agent is whatever the client claims: scanners call themselves Mozilla, "
        "too.\nWithout that check the condition finds them as well:"
    )
    print(f"{len(events.where(FIRST_TRY)):,} → {len(events.where(BETTER)):,} events")


def export_and_run(plugin: wb.Plugin, events: wb.Events) -> None:
    """Make a rule of the condition; save it, load it, run it, test it."""
    rule = wb.Rule(
        name="Path traversal refused",
        desc="A request tried to climb out of the served folder and was refused",
        condition=BETTER,
        output=OUTPUT,
        priority="WARNING",
        source="weblog",
        tags=["exploit"],
    )
    rules = wb.RuleSet().add(rule)
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "weblog_rules.yaml"
        print_step("Export the rule", "rules.save('weblog_rules.yaml')")
        rules.save(path)
        print(path.read_text(encoding="utf-8"), end="")
        print_step(
            "Load it again and run it",
            "rules = wb.load_rules('weblog_rules.yaml')",
            "rules.check(events)",
            "alerts = rules.run(events)",
        )
        loaded = wb.load_rules(path)
        print(loaded.check(events) or "no complaints")
        alerts = loaded.run(events)
        for line in str(alerts.frame["output"].head(5).str.cat(sep="\n")).splitlines():
            print(line[:160])
        print("…")
        print(alerts.statistics(), end="")
        tests = Path(folder) / "weblog_rule_tests.yaml"
        print_step(
            "Label events, and test the rule against them",
            "labelled = events.label(…, must_match=True)",
            "rules.test('weblog_rule_tests.yaml', plugins=plugin)",
        )
        print(run_tests(plugin, loaded, events, tests))


def run_tests(
    plugin: wb.Plugin, rules: wb.RuleSet, events: wb.Events, path: Path
) -> object:
    """Write tests from a few labelled events and run them."""
    hits = events.mask(BETTER)
    ordinary = events.mask("weblog.status = 200 and weblog.path = /")
    few = hits & (hits.cumsum() <= 3)
    labelled = events.label(few, must_match=True)
    labelled = labelled.label(ordinary & (ordinary.cumsum() <= 3), must_match=False)
    rules.write_tests(path, labelled)
    return rules.test(path, plugins=plugin)


if __name__ == "__main__":
    raise SystemExit(main())
