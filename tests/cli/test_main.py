from __future__ import annotations

import subprocess
import sys

import pytest

from workbench import __version__
from workbench.__main__ import main
from workbench.cli import COMMANDS


def test_help_lists_every_command(capsys):
    assert main(["--help"]) == 0
    out, err = capsys.readouterr()
    assert err == ""
    for command in COMMANDS:
        assert command.name in out
        assert command.summary in out


def test_version(capsys):
    assert main(["--version"]) == 0
    assert capsys.readouterr().out == f"{__version__}\n"


def test_no_command_is_wrong_usage(capsys):
    assert main([]) == 2
    out, err = capsys.readouterr()
    assert out == ""
    assert "commands:" in err


def test_an_unknown_command_names_the_nearest(capsys):
    assert main(["inspekt", "x"]) == 2
    assert capsys.readouterr().err == (
        "workbench: no command 'inspekt'; did you mean 'inspect'?\n"
    )


def test_an_unknown_option_is_wrong_usage(capsys):
    assert main(["inspect", "--nonsense", "x"]) == 2
    assert "--nonsense" in capsys.readouterr().err


@pytest.mark.parametrize("command", COMMANDS, ids=lambda c: c.name)
def test_every_command_explains_itself(command, capsys):
    assert main([command.name, "--help"]) == 0
    out, err = capsys.readouterr()
    assert f"workbench {command.name}" in out
    assert err == ""


def test_an_expected_failure_is_one_message_without_traceback(capsys):
    assert main(["inspect", "/no/such/plugin.so"]) == 1
    out, err = capsys.readouterr()
    assert out == ""
    assert err.startswith("workbench: cannot load plugin /no/such/plugin.so: no such ")
    assert "Traceback" not in err


def test_a_bug_of_ours_goes_to_a_log_file(monkeypatch, tmp_path, capsys):
    monkeypatch.setenv("XDG_STATE_HOME", str(tmp_path))

    def broken(_path):
        raise LookupError("surprise \x1b[31m")

    monkeypatch.setattr("workbench.plugins.plugin.inspect", broken)
    assert main(["inspect", "x.so"]) == 3
    out, err = capsys.readouterr()
    assert out == ""
    (log,) = tmp_path.rglob("*.log")
    assert str(log) in err
    assert "\x1b" not in err
    assert "surprise" in log.read_text("utf-8")
    assert "Traceback" in log.read_text("utf-8")


def test_an_interrupt_is_130(monkeypatch, capsys):
    def interrupted(_path):
        raise KeyboardInterrupt

    monkeypatch.setattr("workbench.plugins.plugin.inspect", interrupted)
    assert main(["inspect", "x.so"]) == 130
    assert capsys.readouterr().err == "workbench: interrupted\n"


def test_elsewhere_than_linux_it_says_so(monkeypatch, capsys):
    monkeypatch.setattr("sys.platform", "darwin")
    assert main(["inspect", "x.so"]) == 1
    assert "Falco plugins are Linux libraries" in capsys.readouterr().err


def test_module_and_script_are_the_same(cli):
    done = cli("--version")
    assert (done.returncode, done.stdout, done.stderr) == (0, f"{__version__}\n", "")


@pytest.mark.parametrize("closed", ["0<&-", "1>&-", "2>&-", "0<&- 1>&- 2>&-"])
@pytest.mark.parametrize("words", [["inspect", "/no.so"], ["diff", "--help"]])
def test_closed_standard_streams_are_no_bug_of_ours(closed, words):
    command = ["sh", "-c", f'exec "$@" {closed}', "sh", sys.executable, "-m"]
    done = subprocess.run(
        [*command, "workbench", *words], capture_output=True, text=True, timeout=60
    )
    assert done.returncode == (words[1] == "/no.so" or "1>" in closed)
    assert "Traceback" not in done.stderr
    if "1>&- " not in closed and "2>" not in closed and done.returncode:
        assert done.stderr.startswith("workbench: ")


@pytest.mark.parametrize("limit", ["-n 12", "-n 64", "-f 0"])
def test_small_limits_are_no_bug_of_ours(limit):
    command = ["sh", "-c", f'ulimit {limit}; exec "$@"', "sh", sys.executable, "-m"]
    done = subprocess.run(
        [*command, "workbench", "inspect", "/no.so"],
        capture_output=True,
        text=True,
        timeout=60,
    )
    assert (done.returncode, done.stdout) == (1, ""), done.stderr
    assert done.stderr.startswith("workbench: ")
