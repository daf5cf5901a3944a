from __future__ import annotations

import pytest

from workbench.authoring.scaffold import render_source

testing = pytest.importorskip("IPython.testing.globalipapp")


@pytest.fixture
def shell(tmp_path, monkeypatch):
    """Give a real IPython shell with the magics loaded."""
    from IPython.core.interactiveshell import InteractiveShell
    from traitlets.config import Config

    monkeypatch.setenv("IPYTHONDIR", str(tmp_path))
    config = Config()
    config.HistoryManager.enabled = False
    shell = InteractiveShell(config=config)
    shell.run_line_magic("load_ext", "workbench")
    yield shell
    for value in list(shell.user_ns.values()):
        if type(value).__name__ == "Plugin":
            value.close()


def test_a_c_cell_becomes_a_plugin_and_events(shell, capsys):
    source = render_source("c", "ticker")
    shell.run_cell_magic("plugin", "c ticker --open 20 -o seen", source)
    assert shell.user_ns["ticker"].info.name == "ticker"
    assert len(shell.user_ns["seen"]) == 20
    assert "4 fields" in capsys.readouterr().out


def test_running_an_edited_cell_shows_the_values_it_changed(shell, capsys):
    source = render_source("c", "ticker")
    shell.run_cell_magic("plugin", "c ticker --open 20", source)
    capsys.readouterr()
    edited = source.replace("value % 2 == 0", "value % 4 == 0")
    shell.run_cell_magic("plugin", "c ticker --open 20", edited)
    said = capsys.readouterr().out
    assert "ticker.even: 5 of 20 values changed event 3: True → False" in said
    assert len(shell.user_ns["ticker"].capture("3")) == 3


def test_a_compiler_error_is_shown_at_the_line_of_the_cell(shell, capsys):
    source = render_source("c", "ticker").replace("{ free(s); }", "{ fre(s) }")
    line = source[: source.index("{ fre(s) }")].count("\n") + 2
    shell.run_cell_magic("plugin", "c ticker", source)
    said = capsys.readouterr().err
    assert f"line {line}: error:" in said
    assert "ticker" not in shell.user_ns


def test_help_and_wrong_words_say_how_to_go_on(shell, capsys):
    from IPython.core.error import UsageError

    shell.run_line_magic("plugin", "-h")
    assert "c, cpp, go, rust or python" in capsys.readouterr().out
    with pytest.raises(UsageError, match="name"):
        shell.run_cell_magic("plugin", "c", "int x;")
    shell.run_cell_magic("plugin", "cobol ticker", "x")
    assert "unknown language 'cobol'" in capsys.readouterr().err
