from __future__ import annotations

import pickle
import subprocess

import pytest

import workbench as wb
from tests.authoring.conftest import TICKER
from tests.support.waiting import wait_until
from workbench.authoring.python.build import build_library

ISOLATIONS = ("process", "none")
RAISING = 'raise ValueError(f"no value in {event.data!r} " + "x" * 10)'


def line_of(text, source):
    """Return the number of the first line with ``text``."""
    return source.split(text)[0].count("\n") + 1


@pytest.fixture(scope="module")
def failing_source():
    """Return the text of a plugin that raises in extract and in parse."""
    return (
        TICKER.replace("value = int(event.data)", RAISING, 1)
        + "\n    def parse(self, event):\n        raise KeyError('<b>state</b>')\n"
    )


@pytest.fixture(scope="module")
def failing_py(tmp_path_factory, failing_source):
    """Build it from a file whose name the tracebacks show; its path."""
    folder = tmp_path_factory.mktemp("failing")
    (folder / "mine.py").write_text(failing_source)
    return build_library(folder / "mine.py", folder / "libfailing.so")


@pytest.mark.parametrize("isolation", ISOLATIONS)
def test_errors_in_python_are_counted_in_the_reprs(
    failing_py, failing_source, isolation
):
    extract = f"first: mine.py:{line_of('raise ValueError', failing_source)} ValueError"
    parse = f"first: mine.py:{line_of('raise KeyError', failing_source)} KeyError"
    with wb.load(failing_py, isolation=isolation) as plugin:
        with plugin.open("3") as capture:
            for _ in capture:
                pass
            assert len(capture.notes) == 2
            for shown in (repr(capture), capture._repr_html_()):
                assert f"3 errors in extract, {extract}" in shown
                assert f"3 errors in parse, {parse}" in shown
        events = plugin.capture("40")
    for shown in (repr(events), events._repr_html_()):
        assert f"40 errors in extract, {extract}" in shown
        assert f"40 errors in parse, {parse}" in shown
    assert "<b>state</b>" in repr(events)
    assert "<b>state</b>" not in events._repr_html_()
    assert repr(pickle.loads(pickle.dumps(events))) == repr(events)


@pytest.mark.parametrize("isolation", ISOLATIONS)
def test_one_line_of_the_users_own_stderr_tells_the_first(failing_py, isolation, capfd):
    with wb.load(failing_py, isolation=isolation) as plugin:
        events = plugin.capture("300")
        plugin.capture("300")
        events.extract("ticker.mod[3]")
    lines = [n for n in capfd.readouterr().err.splitlines() if "error in " in n]
    assert len([n for n in lines if "error in extract at event 1: mine.py:" in n]) == 1
    assert len([n for n in lines if "error in parse at event 1: mine.py:" in n]) == 1
    assert len(lines) == 2


@pytest.mark.parametrize("isolation", ISOLATIONS)
def test_the_log_has_every_traceback_whole(failing_py, failing_source, isolation):
    with wb.load(failing_py, isolation=isolation) as plugin:
        plugin.capture("60", fields=["ticker.value"])

        def tracebacks():
            return [n.message for n in plugin.log if "ValueError" in n.message]

        found = wait_until(
            lambda: len(tracebacks()) >= 60 and tracebacks(), 60, "60 tracebacks"
        )
        log = plugin.log
    assert len(found) == 60
    line = line_of("raise ValueError", failing_source)
    for number, text in enumerate(found):
        assert text.startswith("Traceback (most recent call last):\n")
        assert f'/mine.py", line {line}, in extract\n' in text
        assert RAISING in text
        assert f"ValueError: no value in b'{number}' xxxxxxxxxx" in text
        assert "runtime.py" not in text
    # as lines, not as one list
    assert repr(log).count("\nTraceback") + repr(log).count(": Traceback") >= 60
    assert f'\n  File "{failing_py.parent}/mine.py", line {line}' in repr(log)


@pytest.mark.parametrize("isolation", ISOLATIONS)
def test_tracebacks_are_bounded_in_bytes(tmp_path, isolation):
    source = tmp_path / "loud.py"
    long = 'raise ValueError(event.data.decode() + "é" * 30_000)'
    source.write_text(TICKER.replace("value = int(event.data)", long, 1))
    library = build_library(source, tmp_path / "libloud.so")
    with wb.load(library, isolation=isolation) as plugin:
        plugin.capture("200", fields=["ticker.value"])
        # In one process nobody reads while the plugin runs.
        ends = ["further tracebacks"] + ["were lost"] * (isolation == "none")
        wait_until(
            lambda: any(s in n.message for n in plugin.log for s in ends),
            60,
            "the log says that it stops",
        )
        lines = [n.message for n in plugin.log if n.component != "workbench"]
    assert sum(map(len, lines)) < 2 << 20
    whole = "".join(lines)
    # longer than a line of the log, and whole all the same
    assert "ValueError: 0" + "é" * 30_000 in whole
    if isolation == "process":
        assert lines[-1] == "further tracebacks are not logged"


@pytest.mark.parametrize("isolation", ISOLATIONS)
def test_a_plugin_in_c_that_fails_is_counted_too(plugin, isolation, capfd):
    with wb.load(plugin("probe"), isolation=isolation) as loaded:
        events = loaded.capture("n=50", fields=["probe.num", "probe.fails"])
        assert "50 errors in extract, first: " in repr(events)
        quiet = loaded.capture("n=50", fields=["probe.num"])
        assert "errors in extract" not in repr(quiet)
        again = quiet.extract("probe.fails")
        assert again.frame["probe.fails"].isna().all()
        assert "50 errors in extract, first: " in repr(again)
        assert "50 errors in extract, first: " in again._repr_html_()
    assert capfd.readouterr().err.count("error in extract at event 1: ") == 1


def test_a_host_that_is_not_ours_is_told_on_stderr(failing_py, plain_host):
    done = subprocess.run(
        [str(plain_host), str(failing_py), "", "3"],
        capture_output=True,
        text=True,
        env={},
        timeout=60,
    )
    assert done.stderr.count("plugin ticker: error in extract: mine.py:") == 1
