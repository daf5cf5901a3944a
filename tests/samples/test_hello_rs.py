"""The Rust sample through the public surface."""

from __future__ import annotations

import pytest

import workbench as wb
from workbench.paths import sample_plugins_dir
from workbench.rules.test_runs import run_file


def test_hello_rs_counts(sample):
    with wb.load(sample("hello_rs"), config={"step": 3}) as plugin:
        assert plugin.info.event_source == "hello_rs"
        events = plugin.capture("200", progress=False)
    frame = events.frame
    assert frame["hello_rs.value"].tolist() == [3 * n for n in range(200)]
    assert frame["hello_rs.text"].tolist() == [str(3 * n) for n in range(200)]
    assert frame["hello_rs.even"].tolist() == [n % 2 == 0 for n in range(200)]


def test_hello_rs_refuses_what_it_cannot_use(sample):
    library = sample("hello_rs")
    with pytest.raises(wb.PluginInitError):
        wb.load(library, config={"steps": 3})
    with wb.load(library) as plugin, pytest.raises(wb.PluginOpenError, match="'many'"):
        plugin.capture("many", progress=False)


def test_hello_rs_rules_fire_where_its_tests_say(sample):
    sample("hello_rs")
    report = run_file(sample_plugins_dir() / "hello_rs" / "hello_rs_rule_tests.yaml")
    assert [result.passed for result in report.results] == [True] * 4
