from __future__ import annotations

import workbench as wb


def verdict(lab):
    return lab.condition_panel.part.state["verdict"]


def test_a_wrong_condition_is_a_complaint_at_its_place(lab_of, events_of):
    lab = lab_of(events_of())
    lab.condition = "web.methd = POST"
    found = verdict(lab)
    assert found["text"] == lab.condition
    first = found["diagnostics"][0]
    assert (first["severity"], first["from"]) == ("error", 0)
    assert "web.method" in first["message"] + first["hint"]
    assert found["valid"] is False
    assert len(lab.matches) == 0


def test_places_of_complaints_count_utf16_units(lab_of, events_of):
    lab = lab_of(events_of())
    lab.condition = 'web.path = "\N{PILE OF POO}é" and nope.field = 1'
    first = verdict(lab)["diagnostics"][0]
    units = lab.condition.encode("utf-16-le")
    marked = units[2 * first["from"] : 2 * first["to"]].decode("utf-16-le")
    assert marked.startswith("nope.field")


def text_of(lab, index):
    """Text of the condition that a click on a check selects."""
    cell = verdict(lab)["cells"][index]
    units = lab.condition.encode("utf-16-le")
    return units[2 * cell["from"] : 2 * cell["to"]].decode("utf-16-le")


def test_a_click_on_a_check_finds_one_that_is_not_canonical(lab_of, events_of):
    lab = lab_of(events_of())
    lab.condition = 'web.path != "\N{PILE OF POO}" and web.status=404'
    assert text_of(lab, 1) == "web.status=404"


def test_checks_tell_what_they_let_through_and_take_away(lab_of, events_of):
    lab = lab_of(events_of(2000))
    lab.condition = (
        "web.status = 404 and (web.path contains x or web.path contains y) "
        "and not web.method = POST"
    )
    frame = lab.events.frame
    cells = verdict(lab)["cells"]
    assert [c["op"] for c in cells] == ["", "and", "and"]
    assert cells[0]["passed"] == int((frame["web.status"] == 404).sum())
    assert cells[2]["passed"] == lab.match_count
    assert cells[1]["group"] == "any of 2 checks"
    near = lab.events.near_misses(lab.condition)
    assert verdict(lab)["near"] == near.count
    assert lab.table.part.state["counts"]["near"] == near.count


def test_near_misses_are_counted_whole_however_many(lab_of, events_of):
    lab = lab_of(events_of(60_000))
    lab.condition = "web.status exists and web.path = /nowhere"
    assert verdict(lab)["near"] == 60_000
    assert lab.table.part.state["counts"]["near"] == 60_000
    assert lab.condition_panel.near_values(1)["count"] == 60_000


def test_a_muted_check_does_not_count(lab_of, events_of):
    lab = lab_of(events_of(2000))
    lab.condition = "web.status = 404 and web.method = POST"
    lab.condition_panel.part.receive("check", index=1, what="mute")
    lab.settle()
    frame = lab.events.frame
    assert lab.match_count == int((frame["web.status"] == 404).sum())
    assert [c["muted"] for c in verdict(lab)["cells"]] == [False, True]
    assert lab.condition == "web.status = 404 and web.method = POST"
    lab.undo()
    assert lab.match_count < int((frame["web.status"] == 404).sum())


def test_a_check_is_negated_deleted_or_kept_alone(lab_of, events_of):
    lab = lab_of(events_of())
    part = lab.condition_panel.part
    start = "web.status = 404 and (web.path contains x or web.path contains y)"
    for what, expected in (
        ("only", "web.path contains x or web.path contains y"),
        ("delete", "web.status = 404"),
        (
            "negate",
            "web.status = 404 and (not (web.path contains x or web.path contains y))",
        ),
    ):
        lab.condition = start
        part.receive("check", index=1, what=what)
        lab.settle()
        assert lab.condition == expected
        assert verdict(lab)["valid"]


def test_what_removes_nothing_is_a_hint_with_a_correction(lab_of, events_of):
    lab = lab_of(events_of())
    lab.condition = "web.status = 404 and web.status exists"
    hint = verdict(lab)["hints"][0]
    assert "removes nothing" in hint["message"]
    lab.condition_panel.part.receive("check", index=hint["index"], what="delete")
    lab.settle()
    assert lab.condition == "web.status = 404"


def test_a_half_typed_condition_is_read_once(lab_of, events_of, monkeypatch):
    from workbench.condition.syntax.grammar import Rules

    lab = lab_of(events_of())
    lab._refresh_loop.close()
    read = []
    plain = Rules.__init__

    def counted(self, raw):
        read.append(raw)
        plain(self, raw)

    monkeypatch.setattr(Rules, "__init__", counted)
    lab.model.set_condition("web.status = 404 and web.meth")
    lab.tick()
    assert read == [b"web.status = 404 and web.meth"]
    assert [d["code"] for d in lab.model.matcher.diagnostics] == ["expected-operator"]


def test_numbers_and_addresses_complete_like_texts(lab_of, events_of):
    lab = lab_of(events_of())
    for text, wanted in (
        ("web.status = 4", "404"),
        ("web.client = ", "10.0.0.1"),
        ("web.path contains ", "/login"),
    ):
        found = lab.condition_panel.complete(text, len(text))
        assert wanted in [option["text"] for option in found["options"]], text
    assert lab.main.state["notice"] == ""


RULES = """
- list: odd_codes
  items: [404, 500]
- macro: odd
  condition: (web.status in (odd_codes))
- rule: Odd post
  desc: d
  condition: odd and web.method = POST
  output: o %web.path
  priority: WARNING
  source: web
- rule: Needs more
  desc: d
  condition: unknown_macro and web.method = POST
  output: o %web.path
  priority: WARNING
  source: web
"""


def test_macros_of_the_rule_set_are_known_in_every_condition(events_of):
    from workbench.ui.lab_widget import Lab

    lab = Lab(events_of(2000), rules=wb.parse_rules(RULES))
    try:
        lab.condition = "odd and web.method = GET"
        frame = lab.events.frame
        expected = frame[
            frame["web.status"].isin([404, 500]) & (frame["web.method"] == "GET")
        ]
        assert lab.matches["evt.num"].tolist() == expected["evt.num"].tolist()
        options = lab.condition_panel.complete("od", 2)["options"]
        assert options[0]["text"] == "odd"
        lab.rule_panel.open_rule("Odd post")
        lab.settle()
        good = wb.parse_rules(RULES.partition("- rule: Needs")[0])
        alerts = good.run(lab.events).counts["Odd post"]
        assert lab.match_count == alerts > 0
    finally:
        lab.close()


def test_a_rule_that_needs_an_unknown_macro_says_so(events_of):
    from workbench.ui.lab_widget import Lab

    lab = Lab(events_of(200), rules=wb.parse_rules(RULES))
    try:
        lab.rule_panel.open_rule("Needs more")
        lab.settle()
        first = verdict(lab)["diagnostics"][0]
        assert "unknown_macro" in first["message"]
        assert verdict(lab)["matches"] is None
        lab.go("rules")
        lab.settle()
        rows = {r["name"]: r for r in lab.ruleset_panel.part.state["rules"]}
        assert "unknown_macro" in rows["Needs more"]["problem"]
        assert rows["Odd post"]["matched"] > 0
    finally:
        lab.close()
