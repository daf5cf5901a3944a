from __future__ import annotations

import pytest

import workbench as wb
from tests.ui.conftest import FIELDS, make_table


@pytest.fixture
def shell():
    from IPython.core.interactiveshell import InteractiveShell

    made = InteractiveShell()
    made.run_line_magic("load_ext", "workbench")
    made.user_ns["events"] = wb.events_from_table(
        make_table(1000),
        fields=FIELDS,
        source="web",
        plugin="web",
        plugin_version="1.0.0",
    )
    yield made
    made.history_manager.end_session()
    made.history_manager.save_thread and made.history_manager.save_thread.stop()
    InteractiveShell.clear_instance()


def run(shell, capsys, cell):
    capsys.readouterr()
    result = shell.run_cell(cell)
    said = capsys.readouterr()
    return result, said.out, said.err


def test_a_condition_shows_its_matches_and_keeps_them(shell, capsys):
    result, out, err = run(
        shell,
        capsys,
        "%%condition -o hits -n 2\nweb.status = 404 and web.method = POST",
    )
    assert result.success
    expected = shell.user_ns["events"].where("web.status = 404 and web.method = POST")
    assert f"{len(expected)} of 1,000 events match" in out
    assert len(shell.user_ns["hits"]) == len(expected)
    assert "web.status = 404" in out
    assert err == ""


def test_a_mistake_is_shown_with_a_caret_and_no_traceback(shell, capsys):
    result, out, err = run(
        shell, capsys, "%%condition\nweb.status = 404 and web.methd = POST"
    )
    assert result.success
    assert "web.method" in err
    assert "^^^" in err
    assert "Traceback" not in out + err


@pytest.mark.parametrize("name", ["condition", "rule", "rules", "plugin"])
def test_every_magic_tells_its_usage(shell, capsys, name):
    for cell in (f"%%{name} -h", f"%{name} --help", f"%%{name} -h\nsomething"):
        result, out, _ = run(shell, capsys, cell)
        assert result.success
        assert f"usage: %%{name}" in out
        assert "The cell's body is" in out


def test_a_rule_without_its_dash_is_checked_run_and_kept(shell, capsys):
    cell = "%%rule -n 1\nrule: Posts\ndesc: d\ncondition: web.method = POST\noutput: posted %web.path\npriority: INFO\nsource: web\n"
    result, out, err = run(shell, capsys, cell)
    assert result.success
    posts = int((shell.user_ns["events"].frame["web.method"] == "POST").sum())
    assert f"{posts} alerts: Posts" in out
    assert shell.user_ns["rule"].name == "Posts"
    assert "error" not in err


def test_rules_are_saved_and_their_complaints_shown(shell, capsys, tmp_path):
    target = tmp_path / "rules.yaml"
    body = "- list: unused\n  items: [a]\n- rule: Posts\n  desc: d\n  condition: web.method = POST\n  output: p %web.path\n  priority: INFO\n  source: web\n"
    result, _out, err = run(shell, capsys, f"%%rules -s {target}\n{body}")
    assert result.success
    assert "LOAD_UNUSED_LIST" in err
    assert wb.load_rules(target).rules["Posts"] == shell.user_ns["rules"].rules["Posts"]


def test_broken_rules_say_where(shell, capsys):
    _, out, err = run(shell, capsys, "%%rules\n- rule: x\n  condition: web.nope = 1\n")
    assert "error" in err
    assert "Traceback" not in out + err


def test_an_unknown_variable_and_a_missing_one_are_usage_errors(shell, capsys):
    _, out, err = run(shell, capsys, "%%condition nowhere\nweb.status = 1")
    assert "there is no variable 'nowhere'" in out + err
    shell.user_ns["other"] = 5
    _, out, err = run(shell, capsys, "%%condition other\nweb.status = 1")
    assert "other is of type int" in out + err


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("web.me", "web.method"),
        ("web.method = ", "POST"),
        ("web.status = 404 and web.pa", "web.path"),
        ("web.path con", "contains"),
    ],
)
def test_tab_completes_conditions(shell, text, expected):
    from IPython.core.completer import provisionalcompleter

    cell = f"%%condition events\n{text}"
    with provisionalcompleter():
        found = list(shell.Completer.completions(cell, len(cell)))
    completed = [cell[: each.start] + each.text for each in found]
    lead = text[: -len(text.split(" ")[-1])] if not text.endswith(" ") else text
    assert f"%%condition events\n{lead}{expected}" in completed


@pytest.mark.parametrize(
    ("before", "text", "expected"),
    [
        ("%condition ", "web.me", "web.method"),
        ("x = 1\n%condition ", "web.method = ", "POST"),
        ("hits = events.where('", "web.me", "web.method"),
        ('events.funnel("', "web.status = 404 and web.pa", "web.path"),
        ("%%plugin ", "ru", "rust"),
    ],
)
def test_tab_completes_where_conditions_are_typed(shell, before, text, expected):
    from IPython.core.completer import provisionalcompleter

    cell = before + text
    with provisionalcompleter():
        found = list(shell.Completer.completions(cell, len(cell)))
    completed = [cell[: each.start] + each.text for each in found]
    lead = text[: -len(text.split(" ")[-1])] if not text.endswith(" ") else text
    assert before + lead + expected in completed


def test_completion_stays_out_of_texts_given_to_others(shell):
    from IPython.core.completer import provisionalcompleter

    for cell in ("print('web.me", "other.where('web.me", "events.save('web.me"):
        with provisionalcompleter():
            found = shell.Completer.completions(cell, len(cell))
            assert "web.method" not in [each.text for each in found]


def test_a_condition_on_one_line(shell, capsys):
    expected = len(shell.user_ns["events"].where("web.status = 404"))
    _, out, err = run(shell, capsys, "%condition web.status = 404")
    assert f"{expected} of 1,000 events match" in out
    assert err == ""
    shell.user_ns["few"] = shell.user_ns["events"][:10]
    _, out, _ = run(shell, capsys, "%condition few web.status exists")
    assert "of 10 events match" in out
    _, out, err = run(shell, capsys, "%condition")
    assert "behind %condition" in out + err


def test_completion_stays_out_of_other_cells(shell):
    from IPython.core.completer import provisionalcompleter

    with provisionalcompleter():
        found = [each.text for each in shell.Completer.completions("web.me", 6)]
    assert "web.method" not in found


SET = """\
- list: writers
  items: [POST, PUT]
- macro: failed
  condition: web.status >= 400
- rule: Failed writes
  desc: d
  condition: failed and web.method in (writers)
  output: "%web.path"
  priority: INFO
  source: web
- rule: Failures
  desc: d
  condition: failed
  output: "%web.path"
  priority: INFO
  source: web
"""


@pytest.fixture
def held(shell):
    shell.user_ns["r"] = wb.parse_rules(SET)
    return shell.user_ns["r"]


def test_a_condition_takes_a_rule_set_by_its_variable(shell, capsys, held):
    events = shell.user_ns["events"]
    expected = len(events.where("web.status >= 400 and web.method in (POST, PUT)"))
    for body in ("failed and web.method in (writers)", "Failed writes"):
        result, out, err = run(shell, capsys, f"%%condition --rules r\n{body}\n")
        assert result.success
        assert f"{expected} of 1,000 events match" in out
        assert "macro failed" in out
        assert err == ""
    first = int(events.where("Failed writes", rules=held).frame["evt.num"].iloc[0])
    _, out, _ = run(
        shell, capsys, f"%%condition -r r -e {first} --no-funnel -n 0\nFailures"
    )
    assert "note: rule 'Failed writes' stands before it" in out
    _, out, err = run(shell, capsys, "%%condition --rules events\nweb.status = 1")
    assert "load_rules() returns a RuleSet" in out + err


@pytest.mark.usefixtures("held")
def test_tab_completes_the_macros_and_lists_of_the_set(shell):
    from IPython.core.completer import provisionalcompleter

    for text, expected in (("fai", "failed"), ("web.method in (wri", "writers")):
        cell = f"%%condition events --rules r\n{text}"
        with provisionalcompleter():
            found = list(shell.Completer.completions(cell, len(cell)))
        assert expected in [each.text for each in found]


APPEND = """\
%%rule --rules r -n 1
rule: Failed writes
condition: and web.status != 404
override: {condition: append}
"""


def test_a_rule_cell_amends_the_set_once_however_often_it_runs(shell, capsys, held):
    events = shell.user_ns["events"]
    for _ in range(3):
        result, out, err = run(shell, capsys, APPEND)
        assert result.success
        assert err == ""
    expected = events.where("web.status >= 400 and web.method in (POST, PUT)").count(
        "web.status != 404"
    )
    assert f"{expected} alerts: Failed writes" in out
    assert shell.user_ns["rule"].condition.count("404") == 1
    assert held.rules["Failed writes"] == shell.user_ns["rule"]
    run(shell, capsys, APPEND.replace("404", "500"))
    assert held.rules["Failed writes"].condition.endswith("and web.status != 500")
    assert "404" not in held.to_yaml()


@pytest.mark.usefixtures("held")
def test_a_cell_tells_what_an_earlier_rule_takes(shell, capsys):
    body = SET.split("- rule: Failures")[1]
    cell = f"%%rules --rules r\n- rule: All failures{body}"
    _, out, _ = run(shell, capsys, cell)
    assert "0 alerts: All failures" in out
    assert "by Failures" in out
    assert "alerts: Failures" not in out


def test_a_broken_cell_leaves_the_set_as_it_was(shell, capsys, held):
    before = held.rules["Failed writes"]
    result, _, err = run(shell, capsys, APPEND.replace("web.status", "web.nope"))
    assert result.success
    assert "web.nope" in err
    assert "r stays as it was" in err
    assert held.rules["Failed writes"] == before
    assert "rule" not in shell.user_ns
