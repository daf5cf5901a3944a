from __future__ import annotations

import pytest

import workbench as wb

RULE = """\
- rule: R
  desc: d
  condition: evt.num > 0
  output: o
  priority: INFO
  source: s
  exceptions:
    - {name: e, fields: [evt.num], values: [[1]]}
- rule: R
  exceptions:
    - %s
  override: {exceptions: %s}
"""


@pytest.mark.parametrize(
    ("exception", "operation", "refused"),
    [
        ("{name: e, values: [[2]]}", "append", False),
        ("{name: e, values: [[2]]}", "replace", True),
        (
            "{name: e, fields: [evt.num], comps: [=], values: [[2]]}",
            "replace",
            False,
        ),
    ],
)
def test_exceptions_that_replace_others_need_their_fields(
    exception, operation, refused
):
    found = wb.parse_rules(RULE % (exception, operation)).check()
    codes = [item.code for item in found.errors]
    assert codes == (["LOAD_ERR_YAML_VALIDATE"] if refused else [])
