from __future__ import annotations

import pytest

from workbench.ui.state.rule_draft import propose_exception

CONDITION = "web.status in (404, 500) and (web.method = POST or web.path startswith /a)"


@pytest.fixture
def lab(lab_of, events_of):
    made = lab_of(events_of(2000))
    made.condition = CONDITION
    part = made.rule_panel
    part.form.receive(None, {"do": "set", "key": "name", "value": "Odd answers"})
    part.form.receive(
        None, {"do": "set", "key": "desc", "value": "Answers that need a look"}
    )
    part.form.receive(None, {"do": "set", "key": "tags", "value": "web, odd"})
    part.output.text = "Odd %web.status for %web.client"
    made.settle()
    return made


def test_an_exception_needs_a_field(lab):
    proposal = propose_exception(lab.model.store, [0], "")
    with pytest.raises(ValueError, match="at least one field"):
        proposal.exception("x", [])
