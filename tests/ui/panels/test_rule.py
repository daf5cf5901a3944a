from __future__ import annotations

import pytest

import workbench as wb
from workbench.ui.state.exceptions import ExceptionPlan
from workbench.ui.state.rule_draft import nameable_fragments
from workbench.ui.state.rule_library import FileChanged, RuleRefused

CONDITION = "web.status in (404, 500) and (web.method = POST or web.path startswith /a)"

FILE = """# rules of the web
- macro: odd
  condition: (web.status in (404, 500))

# what is posted
- rule: Odd post   # keep me
  desc: Something odd was posted
  condition: odd and web.method = POST
  output: "odd post %web.path"
  priority: WARNING
  source: web

- rule: Reads
  desc: Somebody reads
  condition: web.method = GET
  output: reads %web.path
  priority: INFO
  source: web
"""


def only_rule(lab):
    return next(iter(wb.parse_rules(lab.rule).rules.values()))


def put(lab, **texts):
    for key, value in texts.items():
        lab.rule_panel.part.receive("set", key=key, value=value)
    lab.settle()


@pytest.fixture
def lab(lab_of, events_of):
    made = lab_of(events_of(2000))
    made.condition = CONDITION
    made.desk.make_rule()
    put(
        made,
        name="Odd answers",
        desc="Answers that need a look",
        tags="web, odd",
        output="Odd %web.status for %web.client",
    )
    return made


@pytest.fixture
def file(tmp_path):
    path = tmp_path / "web_rules.yaml"
    path.write_text(FILE)
    return path


@pytest.fixture
def opened(lab_of, events_of, file):
    """A lab with a file's rule open."""
    made = lab_of(events_of(2000))
    made.rules = wb.load_rules(file)
    made.rule_panel.open_rule("Odd post")
    made.settle()
    return made


def test_the_yaml_shown_is_loaded_back_as_the_same_rule(lab):
    shown = lab.rule_panel.part.state["yaml"]
    rules = wb.parse_rules(shown)
    assert [d for d in rules.check(lab.events) if d.severity == "error"] == []
    assert rules.rules["Odd answers"] == only_rule(lab)
    assert only_rule(lab).tags == ("odd", "web")


def test_a_rule_made_of_scratch_leaves_scratch_as_it_was(lab):
    lab.desk.go("scratch")
    lab.condition = "web.status = 200"
    tab = lab.desk.doc.tabs[1]
    assert tab.text == CONDITION
    assert lab.rule == ""
    lab.desk.go(tab.id)
    lab.settle()
    assert lab.condition == CONDITION


def test_alerts_are_previewed_with_their_output(lab):
    state = lab.rule_panel.part.state
    assert len(state["alerts"]) == 50
    assert "Odd" in state["alerts"][0]["text"]
    put(lab, output="Odd %web.nope")
    state = lab.rule_panel.part.state
    assert "web.nope" in state["alert_error"] + str(state["diagnostics"])


def test_saving_writes_what_is_on_screen_now(lab, tmp_path):
    # No tick between typing and saving: what was typed last is what is saved.
    lab._refresh_loop.close()
    lab.rule_panel.part.receive("set", key="desc", value="typed just now")
    target = lab.rule_panel.save(str(tmp_path / "odd"))
    assert target == tmp_path / "odd.yaml"
    rules = wb.load_rules(target)
    assert rules.rules["Odd answers"].desc == "typed just now"
    assert "required_plugin_versions" in target.read_text()
    assert [d for d in rules.check(lab.events) if d.severity == "error"] == []


def test_a_rule_that_falco_refuses_is_saved_only_when_meant(lab, tmp_path):
    put(lab, output="Odd %web.nope")
    target = tmp_path / "odd.yaml"
    with pytest.raises(RuleRefused, match="Falco would refuse"):
        lab.rule_panel.save(str(target))
    assert not target.exists()
    lab.rule_panel.save(str(target), force=True)
    assert "web.nope" in target.read_text()


def test_a_file_that_was_never_read_is_not_written_without_asking(lab, file):
    with pytest.raises(FileChanged, match="is there already"):
        lab.rule_panel.save(str(file))
    assert file.read_text() == FILE
    lab.rule_panel.save(str(file), choice="mine")
    text = file.read_text()
    assert text.startswith(FILE)
    assert "Odd answers" in text


def test_an_edited_rule_shows_its_effect_and_the_file_waits_for_save(opened, file):
    before = opened.match_count
    opened.condition = "odd and web.method = POST and not web.client = 10.0.0.1"
    effect = opened.rule_panel.part.state["effect"]
    assert effect["saved"] == before
    assert effect["now"] == opened.match_count
    assert (effect["plus"], effect["minus"]) == (0, before - opened.match_count)
    opened.table.part.receive("show", show=["changed"])
    opened.settle()
    assert opened.table.part.state["total"] == effect["minus"]
    marks = {row[1] for row in opened.table.rows(0, 400)["rows"]}
    assert marks == {3}
    assert file.read_text() == FILE
    assert opened.condition_panel.part.state["tabs"][1]["dirty"] is True
    opened.condition = "odd and web.method = POST"
    assert opened.condition_panel.part.state["tabs"][1]["dirty"] is False


def test_saving_changes_only_the_lines_of_the_rule(opened, file):
    opened.condition = "odd and web.method = GET"
    opened.rule_panel.save()
    before, after = FILE.splitlines(), file.read_text().splitlines()
    different = [(a, b) for a, b in zip(before, after, strict=True) if a != b]
    assert different == [
        (
            "  condition: odd and web.method = POST",
            "  condition: odd and web.method = GET",
        )
    ]
    opened.settle()
    assert opened.condition_panel.part.state["tabs"][1]["dirty"] is False


def test_a_file_changed_by_another_program_is_merged_or_left(opened, file):
    opened.condition = "odd and web.method = GET"
    theirs = FILE.replace("priority: WARNING", "priority: CRITICAL")
    theirs = theirs.replace("# rules of the web", "# their comment")
    file.write_text(theirs)
    opened.receive(None, {"p": "rule", "do": "save"})
    conflict = opened.rule_panel.part.state["conflict"]
    assert conflict["merge"] is True
    assert "CRITICAL" in conflict["disk"]
    assert file.read_text() == theirs
    opened.receive(None, {"p": "rule", "do": "save", "choice": "merge"})
    text = file.read_text()
    assert "# their comment" in text
    rule = wb.load_rules(file).rules["Odd post"]
    assert (rule.priority, rule.condition) == ("CRITICAL", "odd and web.method = GET")


def test_taking_the_files_rule_gives_up_the_draft(opened, file):
    opened.condition = "odd and web.method = GET"
    file.write_text(FILE.replace("web.method = POST", "web.method != GET"))
    opened.receive(None, {"p": "rule", "do": "take_disk"})
    opened.settle()
    assert opened.condition == "odd and web.method != GET"
    assert opened.condition_panel.part.state["tabs"][1]["dirty"] is False


def test_an_exception_says_what_it_takes_away_before_it_is_added(lab):
    rows = [int(n) - 1 for n in lab.matches["evt.num"][:3]]
    lab.model.select([(r, r) for r in rows])
    plan = lab.rule_panel.plan_exception()
    chosen = [item["field"] for item in plan["fields"] if item["on"]]
    effect = lab.rule_panel.part.receive("effect", fields=chosen)
    before = set(lab.matches["evt.num"])
    lab.rule_panel.add_exception("known", chosen)
    lab.settle()
    rules = wb.parse_rules(lab.rule)
    fired = set(rules.run(lab.events).frame["evt.num"])
    assert not fired & {row + 1 for row in rows}
    assert len(before) - len(fired) == effect["takes"]
    assert effect["more"] == effect["takes"] - 3
    assert lab.match_count == len(fired)
    assert lab.undo() == "exception known"
    assert set(lab.matches["evt.num"]) == before


def test_an_exception_that_takes_a_wanted_event_is_severe(lab):
    first, second = (int(n) for n in lab.matches["evt.num"][:2])
    lab.select(second)
    lab.table.part.receive("label", value="match")
    lab.select(first)
    lab.rule_panel.plan_exception()
    frame = lab.matches.set_index("evt.num")
    same = [
        name
        for name in ("web.status", "web.method", "web.path")
        if frame[name][first] == frame[name][second]
    ]
    effect = lab.rule_panel.part.receive("effect", fields=same[:1])
    assert effect["severe"] is bool(effect["lost"]) or effect["severe"]
    assert (second in effect["lost"]) is bool(same)


def test_rows_that_do_not_match_are_named(lab):
    miss = int(lab.events.where("web.status = 200").frame["evt.num"][0])
    hit = int(lab.matches["evt.num"][0])
    lab.select(miss, hit)
    assert lab.rule_panel.plan_exception()["idle"] == [miss]


def test_an_exception_needs_a_field(lab):
    plan = ExceptionPlan(lab.model, [int(lab.matches["evt.num"][0]) - 1])
    with pytest.raises(wb.WorkbenchError, match="at least one field"):
        plan.exception("x", [])


def test_networks_are_compared_as_falco_accepts_them(lab_of):
    import pyarrow as pa

    table = pa.table(
        {
            "evt.num": pa.array([1, 2, 3], pa.uint64()),
            "evt.rawtime": pa.array([1, 2, 3], pa.uint64()),
            "n.net": pa.array([b"\x0a\0\0\1", b"\x0a\0\0\2", bytes(15) + b"\1"]),
            "n.n": pa.array([1, 1, 1], pa.uint64()),
        }
    )
    fields = [{"name": "n.net", "type": "ipnet"}, {"name": "n.n", "type": "uint64"}]
    lab = lab_of(wb.events_from_table(table, fields=fields, source="n"))
    lab.condition = "n.n = 1"
    lab.desk.make_rule()
    lab.select(1, 3)
    lab.settle()
    plan = lab.rule_panel.plan_exception()
    assert "n.net" in [item["field"] for item in plan["fields"]]
    lab.rule_panel.add_exception("nets", ["n.net"])
    lab.settle()
    values = only_rule(lab).exceptions[0].values
    assert values == (("10.0.0.1/32",), ("::1/128",))
    assert [
        d for d in wb.parse_rules(lab.rule).check(lab.events) if d.severity == "error"
    ] == []
    assert lab.matches["evt.num"].tolist() == [2]


def test_shown_code_makes_the_same_rule_with_its_exceptions(lab):
    lab.select(int(lab.matches["evt.num"][0]))
    lab.rule_panel.plan_exception()
    lab.rule_panel.add_exception("known", ["web.client"])
    lab.settle()
    code = lab.code.replace('wb.open_events("events.parquet")', "given")
    space = {"given": lab.events, "print": lambda *_: None}
    exec(compile(code, "cell", "exec"), space)
    assert space["rule"].exceptions == only_rule(lab).exceptions


def test_parts_of_a_condition_get_names_and_mean_the_same(lab):
    assert [(f.kind, f.text) for f in nameable_fragments(CONDITION)] == [
        ("list", "(404, 500)"),
        ("group", "(web.method = POST or web.path startswith /a)"),
        ("group", CONDITION),
    ]
    before = wb.parse_rules(lab.rule).run(lab.events).counts
    for index, name in ((0, "odd_codes"), (1, "posted")):
        lab.rule_panel.part.receive("extract", index=index, name=name)
    lab.settle()
    assert lab.condition == CONDITION
    shown = lab.rule_panel.part.state["yaml"]
    assert "- list: odd_codes" in shown
    assert "- macro: posted" in shown
    assert "web.status in (odd_codes) and posted" in shown
    assert wb.parse_rules(shown).run(lab.events).counts == before


def extract(lab, text, name):
    parts = lab.rule_panel.part.state["parts"]
    index = next(i for i, part in enumerate(parts) if part["text"] == text)
    lab.receive(None, {"p": "rule", "do": "extract", "index": index, "name": name})
    lab.settle()


def test_naming_a_list_leaves_text_in_quotes_alone(lab):
    lab.condition = 'web.path = "(404, 500)" or web.status in (404, 500)'
    extract(lab, "(404, 500)", "odd_codes")
    assert (
        only_rule(lab).condition
        == 'web.path = "(404, 500)" or web.status in (odd_codes)'
    )


@pytest.mark.parametrize("name", ["a b", "and", "web.status", "1st", "POST"])
def test_a_name_that_would_change_the_condition_is_refused(lab, name):
    before = lab.rule
    extract(lab, "(404, 500)", name)
    assert repr(name) in lab.main.state["notice"]
    assert lab.rule == before


def test_the_rule_set_counts_enables_and_removes(opened, file):
    lab = opened
    lab.go("rules")
    lab.settle()
    part = lab.ruleset_panel.part
    frame = lab.events.frame
    rows = {row["name"]: row for row in part.state["rules"]}
    assert rows["Reads"]["matched"] == int((frame["web.method"] == "GET").sum())
    assert rows["Odd post"]["line"] == 6
    part.receive("enable", name="Reads", on=False)
    lab.settle()
    assert lab.rules.rules["Reads"].enabled is False
    assert file.read_text() == FILE
    part.receive("save_all")
    assert "enabled: false" in file.read_text()
    part.receive("remove", name="Reads")
    lab.settle()
    assert [r["name"] for r in part.state["rules"]] == ["Odd post"]
    part.receive("compare", path=str(file))
    assert "compare" in part.state
    part.receive("import", path=str(file))
    lab.settle()
    assert len(part.state["rules"]) == 2


def test_macros_and_lists_are_opened_and_edited(opened):
    lab = opened
    found = lab.ruleset_panel.part.receive("item", kind="macro", name="odd")
    frame = lab.events.frame
    assert found["count"] == int(frame["web.status"].isin([404, 500]).sum())
    lab.ruleset_panel.part.receive(
        "set_item", kind="macro", name="odd", text="(web.status = 500)"
    )
    lab.settle()
    expected = (frame["web.status"] == 500) & (frame["web.method"] == "POST")
    assert lab.match_count == int(expected.sum())


@pytest.mark.parametrize("path", ["", "  ", "/nonexistent/r.yaml"])
def test_importing_what_is_not_there_is_an_error(lab, path):
    lab.ruleset_panel.part.receive("import", path=path)
    state = lab.ruleset_panel.part.state
    assert state["failed"] is True
    assert "Not imported" in state["message"]


def test_closing_an_unsaved_rule_keeps_its_draft(lab):
    tab = lab.desk.tab
    lab.desk.close_tab(tab.id)
    lab.settle()
    assert lab.condition_panel.part.state["drafts"] == [
        {"id": tab.id, "name": "Odd answers"}
    ]
    lab.desk.reopen(tab.id)
    lab.settle()
    assert lab.desk.tab.name == "Odd answers"
