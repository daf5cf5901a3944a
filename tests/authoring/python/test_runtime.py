from __future__ import annotations

import subprocess

import pytest

import workbench as wb
from tests.support.waiting import wait_until


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
