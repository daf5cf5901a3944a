from __future__ import annotations

import pyarrow as pa
import pytest

from tests.rules.texts import RULES, TESTS
from workbench.events.from_table import events_from_table
from workbench.fields.declarations import ArgInfo, FieldInfo, FieldTable
from workbench.rules import Target

FIELDS = FieldTable(
    (
        FieldInfo("t.num", "uint64"),
        FieldInfo("t.str", "string"),
        FieldInfo("t.path", "string"),
        FieldInfo("t.ip", "ipaddr"),
        FieldInfo("t.flag", "bool"),
        FieldInfo("t.tags", "string", is_list=True),
        FieldInfo("t.kv", "string", arg=ArgInfo(required=True, key=True)),
    )
)


@pytest.fixture(scope="session")
def fields():
    return FIELDS


@pytest.fixture(scope="session")
def target():
    return Target({"t": FIELDS}, {"tplug": "1.2.3"})


@pytest.fixture
def events():
    """Six events: t.num 1..6; one absent text, one that is not UTF-8, one list."""
    table = pa.table(
        {
            "t.num": pa.array([1, 2, 3, 4, 5, 6], pa.uint64()),
            "t.str": pa.array(
                [b"a", b"b", None, b"line\nbreak \xff", b'q"\\', "é\u2028".encode()]
            ),
            "t.path": pa.array([b"/etc/x", b"/tmp", b"/etc", b"", b"/", b"/a/b"]),
            "t.tags": pa.array([[b"x", b"y"], [], None, [b"z"], [b""], [b"x"]]),
            "t.kv[k]": pa.array([b"v", None, None, None, None, b"w"]),
            "evt.rawtime": pa.array(
                [1_700_000_000_000_000_000 + i for i in range(6)], pa.uint64()
            ),
        }
    )
    return events_from_table(table, fields=FIELDS, source="t")


RULE = """\
- rule: {name}
  desc: d
  condition: {condition}
  output: {output}
  priority: {priority}
  source: t
"""


@pytest.fixture(scope="session")
def rule():
    """Write a rule with defaults for everything that a test does not name."""

    def write(condition="t.num > 0", *, name="r", output="n=%t.num", priority="INFO"):
        return RULE.format(
            name=name, condition=condition, output=output, priority=priority
        )

    return write


@pytest.fixture
def folder(tmp_path):
    (tmp_path / "rules.yaml").write_text(RULES)
    (tmp_path / "web_rule_tests.yaml").write_text(TESTS)
    return tmp_path
