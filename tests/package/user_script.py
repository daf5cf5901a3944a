"""A script as users write it: type checkers read it, and the test runs it.

Run as ``python user_script.py LIBRARY``, with the library of the weblog sample. Every
``assert_type`` says what a type checker must know without a hint.
"""

from __future__ import annotations

import sys
from typing import TYPE_CHECKING, Any, assert_type

import workbench as wb
from workbench.condition import compile_condition, compile_conditions, complete
from workbench.events import Events
from workbench.fields import FieldInfo, FieldTable
from workbench.rules import Macro, RuleList, compile_output

if TYPE_CHECKING:
    import pandas as pd

    from workbench.ui import Lab

CONDITION = 'weblog.status >= 400 and weblog.path contains ".."'


def explore(path: str) -> wb.Events:
    """Load a plugin and collect its events."""
    manifest = wb.inspect(path)
    assert_type(manifest, wb.Manifest)
    assert_type(manifest.name, str)
    with wb.load(path, config={}) as plugin:
        assert_type(plugin, wb.Plugin)
        assert_type(plugin.fields, FieldTable)
        assert_type(plugin["weblog.path"], FieldInfo)
        params = plugin.open_params[0]
        assert_type(params, wb.OpenParam)
        with plugin.open(params.value, fields=["weblog.path"]) as capture:
            for frame in capture:
                if TYPE_CHECKING:
                    assert_type(frame, pd.DataFrame)
                assert len(frame)
                break
        events = plugin.capture(params.value, max_events=2000, progress=False)
    assert_type(events, wb.Events)
    return events


def understand(events: wb.Events) -> None:
    """Ask the events about a condition."""
    if TYPE_CHECKING:
        assert_type(events.frame, pd.DataFrame)
        assert_type(events.mask(CONDITION), "pd.Series[bool]")
        assert_type(events["weblog.path"], "pd.Series[Any]")
        assert_type(wb.lab(events), Lab)
    assert_type(events.where(CONDITION), Events)
    assert_type(events[:10], Events)
    assert_type(events.labels, dict[int, bool])
    funnel = events.funnel(CONDITION)
    assert [step.text for step in funnel.steps]
    misses = events.near_misses(CONDITION)
    print(len(misses), "near misses")
    print(events.explain(102, CONDITION).lines[0].text)
    # pandas goes on from here.
    worst = events.frame["weblog.status"].value_counts()
    print(worst.head())


def compile_things(events: wb.Events) -> None:
    """Use the condition engine alone."""
    compiled = compile_condition(CONDITION, events.fields)
    assert_type(compiled.columns, list[str])
    assert_type(compiled.warnings, list[wb.Diagnostic])
    assert compiled.mask(events.extract(*compiled.columns).table) is not None
    many = compile_conditions([CONDITION, "weblog.status = 200"], events.fields)
    assert len(many) == 2
    found = complete("weblog.st", 9, events.fields)
    assert_type(found[0].text, str)
    output = compile_output("%weblog.client", events.fields)
    assert_type(output.render(events.table), list[str | None])


def make_rules(events: wb.Events) -> None:
    """Prototype a rule and run it."""
    rule = wb.Rule(
        name="Path traversal",
        condition=CONDITION,
        output="climbing request (client=%weblog.client)",
        priority="WARNING",
        source="weblog",
        tags=["exploit"],
    )
    assert_type(rule.to_yaml(), str)
    rules = wb.RuleSet().add(rule)
    assert_type(rules, wb.RuleSet)
    assert_type(rules.rules["Path traversal"], wb.Rule)
    assert_type(list(rules.macros), list[Macro])
    assert_type(list(rules.lists), list[RuleList])
    for complaint in rules.check(events):
        assert_type(complaint, wb.Diagnostic)
        print(complaint.severity, complaint.line, complaint.message)
    alerts = rules.run(events)
    assert_type(alerts, wb.Alerts)
    assert_type(alerts.counts["Path traversal"], int)
    assert_type(alerts.to_jsonl(), str)
    if TYPE_CHECKING:
        assert_type(alerts.frame, pd.DataFrame)


def failures(path: str) -> str:
    """Catch what can go wrong."""
    try:
        wb.load(path + ".missing")
    except wb.PluginLoadError as error:
        assert_type(error.complaints, list[str])
    except (wb.PluginCrashed, wb.PluginHung) as error:
        assert_type(error, wb.PluginCrashed | wb.PluginHung)
    except wb.WorkbenchError as error:
        return str(error)
    return wb.__version__


def main(path: str) -> dict[str, Any]:
    """Do all of it."""
    events = explore(path)
    understand(events)
    compile_things(events)
    make_rules(events)
    return {"events": len(events), "version": failures(path)}


if __name__ == "__main__":
    print(main(sys.argv[1]))
