from __future__ import annotations


def test_a_wrong_condition_is_a_complaint_at_its_place(lab_of, events_of):
    lab = lab_of(events_of())
    lab.condition = "web.methd = POST"
    checked = lab.condition_panel.editor.checked
    assert checked["text"] == lab.condition
    first = checked["diagnostics"][0]
    assert (first["severity"], first["from"]) == ("error", 0)
    assert "web.method" in first["message"] + first["hint"]
    assert lab.condition_panel.verdict.state["valid"] is False
    assert len(lab.matches) == 0


def test_places_of_complaints_count_utf16_units(lab_of, events_of):
    lab = lab_of(events_of())
    lab.condition = 'web.path = "\N{PILE OF POO}é" and nope.field = 1'
    first = lab.condition_panel.editor.checked["diagnostics"][0]
    units = lab.condition.encode("utf-16-le")
    assert (
        units[2 * first["from"] : 2 * first["to"]]
        .decode("utf-16-le")
        .startswith("nope.field")
    )


def focused(lab, index):
    """Text of the condition that a click on a step of the funnel selects."""
    lab.settle()
    sent = []
    lab.condition_panel.editor.send = sent.append
    step = lab.condition_panel.verdict.state["steps"][index]
    message = {"do": "focus_check", "from": step["from"], "to": step["to"]}
    lab.condition_panel.verdict.receive(None, message)
    units = lab.condition.encode("utf-16-le")
    return units[2 * sent[0]["from"] : 2 * sent[0]["to"]].decode("utf-16-le")


def test_a_click_on_a_step_finds_a_check_that_is_not_canonical(lab_of, events_of):
    lab = lab_of(events_of())
    lab.condition = 'web.path != "\N{PILE OF POO}" and web.status=404'
    assert focused(lab, 1) == "web.status=404"


def test_a_click_on_a_step_finds_the_right_one_of_repeated_checks(lab_of, events_of):
    lab = lab_of(events_of())
    lab.condition = "web.status = 4040 and (web.status = 404 or web.status = 404)"
    steps = lab.condition_panel.verdict.state["steps"]
    assert [step["text"] for step in steps] == [
        "web.status = 4040",
        "any of",
        "web.status = 404",
        "web.status = 404",
    ]
    assert [step["from"] for step in steps] == [0, 23, 23, 43]
    assert focused(lab, 1) == "web.status = 404 or web.status = 404"


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
