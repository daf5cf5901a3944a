from __future__ import annotations

import argparse
import importlib

import pytest

from workbench.__main__ import main
from workbench.cli import COMMANDS
from workbench.cli.options import OPTIONS, split_fields


@pytest.mark.parametrize(
    "words", [["--max-events", "-1"], ["--max-events", "x"], ["--timeout", "-1"]]
)
def test_wrong_numbers_are_wrong_usage(words, capsys):
    assert main(["stream", "x.so", *words]) == 2
    assert words[0] in capsys.readouterr().err


@pytest.mark.parametrize(
    ("text", "names"),
    [
        ("a.b,c.d", ["a.b", "c.d"]),
        (" a.b , ,c.d ", ["a.b", "c.d"]),
        ("a.b[x,y],c.d", ["a.b[x,y]", "c.d"]),
        ('a.b["],"],c.d', ['a.b["],"]', "c.d"]),
        ("", []),
    ],
)
def test_fields_are_split_at_commas_outside_arguments(text, names):
    assert split_fields(text) == names


def options_of(command):
    """Every argument of a command, by its longest name."""
    parser = argparse.ArgumentParser()
    importlib.import_module(command.module).add_arguments(parser)
    return {
        max(action.option_strings, key=len, default=action.dest): action
        for action in parser._actions
        if action.dest != "help"
    }


@pytest.mark.parametrize("command", COMMANDS, ids=lambda command: command.name)
def test_an_argument_of_the_table_is_called_and_read_alike_everywhere(command):
    for name, action in options_of(command).items():
        row = OPTIONS.get(name, {})
        assert action.metavar == row.get("metavar", action.metavar)
        assert action.type == row.get("type", action.type)
        assert action.help, name


def test_every_argument_of_the_table_is_of_some_command():
    assert OPTIONS.keys() <= {name for c in COMMANDS for name in options_of(c)}


@pytest.mark.parametrize("command", ["stream", "run", "record"])
@pytest.mark.parametrize("number", [2**63, 2**64, "9" * 10_000, "１"])
def test_counts_beyond_64_bits_are_wrong_usage(command, number, capsys):
    where = ["--out", "a.scap"] if command == "record" else []
    plugin = ["--plugin", "x.so"] if command == "run" else ["x.so"]
    words = [command, *plugin, *where, "--max-events", str(number)]
    assert main(words) == 2
    assert len(capsys.readouterr().err) < 2000


@pytest.mark.parametrize("time", ["inf", "1e300", "nan", "x" * 10_000])
def test_times_that_no_clock_has_are_wrong_usage(time, capsys):
    assert main(["stream", "x.so", "--timeout", time]) == 2
    assert len(capsys.readouterr().err) < 2000
