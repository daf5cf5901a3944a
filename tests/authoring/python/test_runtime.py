from __future__ import annotations

import subprocess

import pytest

import workbench as wb
from tests.support.waiting import wait_until
from workbench.authoring.python.build import build_library


def in_plain_host(plain_host, library, config, params):
    """Run the host program in an empty environment, as Falco's may be."""
    return subprocess.run(
        [str(plain_host), str(library), config, params],
        capture_output=True,
        text=True,
        env={},
        timeout=60,
    )


def test_a_host_without_python_gets_the_same_events(plain_host, ticker_py):
    done = in_plain_host(plain_host, ticker_py, '{"step": 7}', "600")
    assert done.returncode == 0, done.stderr
    with wb.load(ticker_py, config={"step": 7}) as plugin:
        frame = plugin.capture("600").frame
    ours = [
        " ".join(
            [
                str(row["evt.num"]),
                str(row["ticker.value"]),
                row["ticker.text"],
                str(int(row["ticker.even"])),
                *(map(str, row["ticker.digits"]) if row["ticker.value"] else ()),
            ]
        )
        for _, row in frame.iterrows()
    ]
    assert done.stdout.splitlines() == ours


def test_fields_of_every_kind_arrive(ticker_py):
    with wb.load(ticker_py) as plugin:
        events = plugin.capture("4", fields=["ticker.ip", "ticker.mod[3]"])
        frame = events.frame
    assert frame["ticker.mod[3]"].tolist() == [0, 1, 2, 0]
    assert frame["ticker.ip"].dropna().tolist() == ["10.0.0.1", "10.0.0.3"]
    assert events.table["evt.rawtime"].cast("uint64").to_pylist() == [1, 2, 3, 4]


def test_inspecting_starts_no_interpreter(ticker_py):
    manifest = wb.inspect(ticker_py)
    assert not manifest.complaints
    assert list(manifest.fields) == [
        *("ticker.value", "ticker.text", "ticker.even"),
        *("ticker.digits", "ticker.ip", "ticker.mod"),
    ]
    assert list(manifest.capabilities) == ["sourcing", "extraction"]


def test_an_error_in_python_is_the_last_error_and_its_traceback_is_logged(ticker_py):
    with wb.load(ticker_py) as plugin:
        with pytest.raises(wb.PluginOpenError, match="OSError: no such stream"):
            plugin.open("fail")
        wait_until(
            lambda: any("Traceback" in line.message for line in plugin.log),
            20,
            "the traceback is logged",
        )
        assert len(plugin.capture("3")) == 3


def test_a_config_is_held_against_the_schema(ticker_py):
    with pytest.raises(wb.PluginInitError):
        wb.load(ticker_py, config={"step": 0})


def test_several_states_live_side_by_side(ticker_py):
    with (
        wb.load(ticker_py, config={"step": 2}) as two,
        wb.load(ticker_py, config={"step": 3}) as three,
        two.open("5") as left,
        three.open("5") as right,
    ):
        values = [
            [v for frame in capture for v in frame["ticker.value"]]
            for capture in (left, right)
        ]
    assert values == [[0, 2, 4, 6, 8], [0, 3, 6, 9, 12]]


@pytest.mark.parametrize(
    ("source", "said"),
    [
        ("x = 1", "defines no subclass"),
        ("def f(:\n", "SyntaxError"),
        ("import no_such_module_at_all", "no_such_module_at_all"),
    ],
)
def test_a_source_that_is_no_plugin_is_refused_with_its_reason(tmp_path, source, said):
    path = tmp_path / "bad.py"
    path.write_text(source)
    with pytest.raises(wb.WorkbenchError, match=said):
        build_library(path, tmp_path / "libbad.so")


def test_a_class_is_driven_in_the_kernel_without_a_library(ticker_py):
    namespace = {"__name__": "cell"}
    exec((ticker_py.parent / "ticker.py").read_text(), namespace)
    events = namespace["Ticker"].preview("4", config={"step": 5})
    with wb.load(ticker_py, config={"step": 5}) as plugin:
        built = plugin.capture("4")
    assert events.source == "ticker"
    for name in ("ticker.value", "ticker.text", "ticker.even", "ticker.digits"):
        assert events.table[name].to_pylist() == built.table[name].to_pylist()
    assert len(events.where("ticker.value > 5")) == 2
