"""Further states of one library: 200 in a row, several at once."""

from __future__ import annotations

import pyarrow as pa
import pytest

from workbench.authoring.builder import build_project
from workbench.authoring.check.feeding import Feeding, stored_events
from workbench.authoring.check.report import CheckReport
from workbench.authoring.check.states import check_init_rounds, check_threads
from workbench.authoring.scaffold import new_project
from workbench.errors import WorkbenchError
from workbench.plugins.plugin import load
from workbench.session import new_session


@pytest.fixture
def edited(tmp_path):
    """Build the C project with words replaced; give the loaded plugin."""
    loaded = []

    def make(**changes):
        folder = tmp_path / "moody"
        new_project(folder, language="c", contact="me@example.org")
        source = folder / "plugin.c"
        text = source.read_text()
        for before, after in changes.values():
            assert before in text
            text = text.replace(before, after)
        source.write_text(text)
        plugin = load(build_project(folder).library, call_timeout_sec=5.0)
        loaded.append(plugin)
        return plugin

    yield make
    for plugin in loaded:
        plugin.close()


def examined(plugin):
    report = CheckReport(str(plugin.path), plugin.info)
    check_init_rounds(report, plugin)
    events = plugin.capture("1000", progress=False)
    check_threads(report, Feeding(plugin), stored_events(events))
    return report, {finding.code: finding for finding in report.findings}


INIT = "state* s = calloc(1, sizeof *s);"


def test_a_sound_plugin_bears_rounds_and_threads(edited):
    report, found = examined(edited())
    assert found == {}
    assert "200 rounds of init and destroy" in report.done
    assert "4 threads with a state each" in report.done


@pytest.mark.parametrize("kilobytes", [16, 64])
def test_memory_kept_by_every_round_is_a_finding(edited, kilobytes):
    leak = f"{INIT}\n  void* kept = malloc({kilobytes} << 10);\n"
    leak += f"  if (kept) memset(kept, 1, {kilobytes} << 10);"
    _, found = examined(edited(init=(INIT, leak)))
    assert set(found) == {"ROUNDS_LEAK"}
    grown = int(found["ROUNDS_LEAK"].message.split()[0])
    assert grown == pytest.approx(kilobytes << 10, rel=0.1)


def test_a_round_that_fails_is_named(edited):
    once = f"static int rounds;\n  {INIT}\n"
    once += "  if (++rounds > 60) { free(s); s = NULL; }"
    _, found = examined(edited(init=(INIT, once)))
    assert set(found) == {"ROUNDS_FAILED"}
    assert found["ROUNDS_FAILED"].message.startswith("round 61: could not initialize")


@pytest.mark.crash
def test_a_round_that_crashes_is_named(edited):
    plugin = edited(
        destroy=(
            "{ free(s); }",
            "{ static int n; if (++n == 50) { abort(); } free(s); }",
        )
    )
    _, found = examined(plugin)
    assert set(found) == {"CRASH"}
    assert "SIGABRT in plugin_destroy" in found["CRASH"].message


def test_values_kept_in_globals_are_mixed_up_between_threads(edited):
    """The number is lent from one global: another thread writes it meanwhile."""
    plugin = edited(
        number=("uint64_t number, divisible;", "uint64_t divisible;"),
        globals=("/* One open stream. */", "static volatile uint64_t number;"),
        write=(
            "p->number = value;",
            "number = value;\n        for (volatile int i = 0; i < 20000; i++) { }",
        ),
        lend=("&p->number;", "(uint64_t*)&number;"),
    )
    _, found = examined(plugin)
    broken = found["THREADS_BROKEN"]
    assert broken.subject == "field moody.value"
    assert "beside others" in broken.message


@pytest.mark.crash
def test_a_crash_in_threads_is_a_finding(edited):
    plugin = edited(
        begin=(
            "const int sound = read_number(evt->evt, p->value, &value);",
            (
                "static volatile int inside;\n  if (++inside > 1) { abort(); }\n"
                "  for (volatile int i = 0; i < 300; i++) { }\n"
                "  const int sound = read_number(evt->evt, p->value, &value);\n"
                "  inside--;"
            ),
        ),
    )
    _, found = examined(plugin)
    assert "SIGABRT" in found["THREADS_BROKEN"].message


@pytest.mark.parametrize("isolation", ["process", "none"])
def test_a_session_gives_the_values_of_every_thread(counter, isolation):
    with load(counter) as plugin:
        raw = stored_events(plugin.capture("500", progress=False))
        requests = Feeding(plugin).extractor.requests("counter", ["counter.value"])
    session = new_session(isolation)
    try:
        index, _ = session.load(str(counter))
        assert session.rounds(index, '{"step": 1}', 8)["done"] == 8
        assert session.rounds(index, '{"step": 1}', 0)["done"] == 0
        batches = session.threads(
            index, '{"step": 1}', raw, "counter", requests, count=3
        )
        assert len(batches) == 4
        expected = pa.array(range(500), pa.uint64())
        for batch in batches:
            assert batch.column("counter.value").equals(expected)
        with pytest.raises(WorkbenchError, match="no plugin number 7"):
            session.rounds(7, "", 1)
    finally:
        session.close()


def test_go_states_are_distinct_and_given_back(require, tmp_path):
    """The Go SDK has 255 handles: two hundred rounds and five states fit only so."""
    require("go")
    new_project(tmp_path / "gopher", language="go")
    with load(build_project(tmp_path / "gopher").library) as plugin:
        report, found = examined(plugin)
    assert found == {}
    assert "200 rounds of init and destroy" in report.done


def test_a_python_plugin_bears_threads(ticker_py):
    with load(ticker_py) as plugin:
        report, found = examined(plugin)
    assert found == {}
    assert "4 threads with a state each" in report.done
