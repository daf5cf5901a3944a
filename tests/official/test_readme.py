"""The README's first example, sentence by sentence, with k8saudit found by name."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

import workbench as wb

pytestmark = [pytest.mark.go, pytest.mark.official]

ROOT = Path(__file__).resolve().parents[2]
README = (ROOT / "README.md").read_text("utf-8")


@pytest.fixture
def by_name(official, monkeypatch):
    """Let names be looked up where the official plugins were built."""
    folder = official("k8saudit").parent
    monkeypatch.setenv("WORKBENCH_PLUGIN_PATH", str(folder))
    monkeypatch.chdir(ROOT)


def statements():
    """Return the statements about k8saudit that the README shows in its text."""
    passage = README[README.index("The same with an official plugin by name") :]
    passage = passage[: passage.index("\n\n")]
    return [t for t in re.findall(r"`([^`]+)`", passage) if "(" in t]


@pytest.mark.usefixtures("by_name")
def test_the_readme_example_runs_with_k8saudit_by_name(tmp_path, capsys):
    load, capture, where = statements()
    names = {"wb": wb}
    exec(load, names)
    exec(capture, names)
    found = eval(where, names)
    events, plugin = names["events"], names["plugin"]
    assert 0 < len(found) < len(events)
    # The rest of the first example, over these events.
    condition = re.search(r'where\("(.+)"\)', where).group(1)
    assert events.funnel(condition)
    number = int(found.frame["evt.num"].iloc[0])
    assert repr(events.explain(number, condition)).startswith(f"event {number} matches")
    assert "fail by a single check" in repr(events.near_misses(condition))
    rule = wb.Rule(
        name="Pod made",
        condition=condition,
        source=events,
        desc="Somebody makes a pod",
        priority="WARNING",
        output="pod (user=%ka.user.name target=%ka.target.name)",
    )
    rules = wb.RuleSet().add(rule)
    assert not rules.check(events)
    alerts = rules.run(events).frame
    assert list(alerts["evt.num"]) == list(found.frame["evt.num"])
    rules.save(tmp_path / "audit_rules.yaml")
    assert wb.load_rules(tmp_path / "audit_rules.yaml").rules[0] == rule
    lab = wb.lab(plugin)
    lab.close()
    plugin.close()
    # Nothing failed on the way, and the table shows fields, not their names alone.
    assert not events.origin.notes
    assert "error" not in capsys.readouterr().err
    assert "ka.auditid" in repr(events).splitlines()[1]
