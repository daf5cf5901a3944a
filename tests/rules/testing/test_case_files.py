from __future__ import annotations

import json
from pathlib import Path

import jsonschema
import pytest

from tests.rules.texts import RULES, TESTS
from workbench.errors import WorkbenchError
from workbench.rules import parse_rules
from workbench.yamlcpp import SourceText, load_documents, plain_json


def test_the_schema_describes_the_format():
    import workbench.rules

    path = Path(workbench.rules.__file__).parent / "rule_tests.schema.json"
    schema = json.loads(path.read_text())
    (document,) = load_documents(SourceText(TESTS.encode()))
    jsonschema.validate(plain_json(document), schema)
    with pytest.raises(jsonschema.ValidationError):
        jsonschema.validate({"cases": [{"event": {}, "payload": ""}]}, schema)


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("[]", "is a mapping"),
        ("cases: 5", "'cases' is a sequence"),
        ("cases: []\nextra: 1", "unknown key 'extra'"),
        ("source: t\ncases: [{event: {}, fires: [a], payload: x}]", "one of event"),
        ("source: t\ncases: [{event: {}}]", "name what is expected"),
        ("source: t\ncases: [{events: 3, fires: [a]}]", "needs a 'capture'"),
        ("source: t\nfields: {a.b: text}\ncases: []", "unknown type 'text'"),
        ("a: [", "end of sequence flow not found"),
    ],
)
def test_wrong_files_are_told_with_their_place(tmp_path, text, message):
    path = tmp_path / "t.yaml"
    path.write_text(text)
    with pytest.raises(WorkbenchError, match=message) as caught:
        parse_rules(RULES).test(path)
    assert "t.yaml:" in str(caught.value)
