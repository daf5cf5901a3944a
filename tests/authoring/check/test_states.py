"""Further states of one library: 200 in a row, several at once."""

from __future__ import annotations

import pyarrow as pa
import pytest

from workbench.authoring.builder import build_project
from workbench.authoring.check.feeding import Feeding, stored_events
from workbench.authoring.check.report import CheckReport
from workbench.authoring.check.states import (
    check_init_as_falco,
    check_init_rounds,
    check_numbers,
    check_threads,
)
from workbench.authoring.scaffold import new_project
from workbench.errors import PluginInitError, WorkbenchError
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
                "  for (volatile int i = 0; i < 5000; i++) { }\n"
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


SOURCING = {
    "API": '"3.12.0"',
    "OPEN": True,
    "CLOSE": True,
    "NEXT": True,
    "ID": 5,
    "SOURCE": '"r"',
}
FIELDS = '"[{\\"type\\": \\"string\\", \\"name\\": \\"r.f\\", \\"desc\\": \\"d\\"}]"'


def initialised_as_falco(path):
    with load(path) as plugin:
        report = CheckReport(str(path), plugin.info)
        check_init_as_falco(report, plugin)
    assert report.done == ["initialising as Falco does"]
    return [(f.code, f.severity, f.message) for f in report.findings]


@pytest.mark.crash
def test_a_source_that_reads_the_state_tables_ends_falco(plugin):
    found = initialised_as_falco(plugin("rules", **SOURCING, READS_TABLES=True))
    [(code, severity, said)] = found
    assert (code, severity) == ("INIT_AS_FALCO", "error")
    assert "SIGSEGV in plugin_init" in said
    assert "in->tables is NULL" in said


def test_a_source_that_refuses_to_work_without_tables_is_an_error(plugin):
    found = initialised_as_falco(plugin("rules", **SOURCING, WANTS_TABLES=True))
    assert [code for code, _, _ in found] == ["INIT_AS_FALCO"]
    assert "plugin_init returned FAILURE" in found[0][2]


@pytest.mark.parametrize(
    "more",
    [
        {},
        {"READS_TABLES": True, "PARSE": True},
        {"READS_TABLES": True, "EXTRACT": True},
    ],
)
def test_a_plugin_that_gets_tables_or_needs_none_is_sound(plugin, more):
    if "EXTRACT" in more:
        more = {**more, "FIELDS": FIELDS}
    assert initialised_as_falco(plugin("rules", **SOURCING, **more)) == []


def test_our_own_cpp_header_bears_no_tables(sample):
    assert initialised_as_falco(sample("dummy_c")) == []


def test_every_session_calls_init_as_falco_does(session, plugin):
    index, _ = session.load(str(plugin("rules", **SOURCING, WANTS_TABLES=True)))
    with pytest.raises(PluginInitError):
        session.init(index, "", as_falco=True)
    session.init(index, "")


def numbers_checked(path, params):
    with load(path) as plugin:
        report = CheckReport(str(path), plugin.info)
        events = plugin.capture(params, progress=False)
        check_numbers(report, Feeding(plugin), stored_events(events))
    assert report.done == ["event numbers"]
    return report.findings


def test_values_kept_by_event_number_are_a_note(plugin):
    found = numbers_checked(plugin("caching"), "a,100")
    assert [(f.code, f.severity, f.subject) for f in found] == [
        ("NUMBER_CACHED", "note", "field caching.text"),
        ("NUMBER_CACHED", "note", "field caching.seen"),
    ]
    assert "depend on the event number alone" in found[0].message
    assert "event 2: b'a1' instead of b'a2'" in found[0].message


def test_values_of_the_event_itself_are_no_finding(counter):
    assert numbers_checked(counter, "100") == []


def test_values_that_depend_on_the_events_before_are_no_matter_of_numbers(edited):
    plugin = edited(
        count=("char error[256];", "char error[256];\n  uint64_t seen;"),
        value=("p->number = value;", "p->number = value + p->seen++;"),
    )
    assert numbers_checked(plugin.path, "100") == []
