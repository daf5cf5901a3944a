"""What a plugin says of itself: its init schema, with configs held against it."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from tests.fuzz.material import recording
from tests.fuzz.mutation import damaged_document, stray
from workbench.errors import WorkbenchError
from workbench.manifest import Manifest
from workbench.plugins.init_config import prepare_config
from workbench.session.shapes import REPLIES, InvalidDataError
from workbench.session.shapes import check as check_shape
from workbench.ui.data.form_schema import form_schema

if TYPE_CHECKING:
    from random import Random

_SCHEMA: dict[str, Any] = {
    "$schema": "http://json-schema.org/draft-07/schema#",
    "$ref": "#/definitions/Config",
    "definitions": {
        "Config": {
            "type": "object",
            "properties": {
                "name": {"type": "string", "pattern": "^[a-z]+$", "title": "Name"},
                "count": {"type": "integer", "minimum": 0, "default": 5},
                "mode": {"enum": ["a", "b", None]},
                "tags": {"type": "array", "items": {"$ref": "#/definitions/Tag"}},
                "more": {"anyOf": [{"type": "null"}, {"$ref": "#/definitions/Config"}]},
            },
            "patternProperties": {"^x-": {"type": "string"}},
            "required": ["name"],
            "additionalProperties": False,
            "dependencies": {"mode": ["count"]},
        },
        "Tag": {"type": "string", "maxLength": 3, "not": {"const": "no"}},
    },
}
_CONFIG = {"name": "abc", "count": 3, "tags": ["a"], "more": {"name": "x"}, "x-y": "z"}
_LONGEST_TEXT = 20_000


def prepare() -> None:
    assert recording().replies["load"]


def make(dice: Random) -> tuple[Any, Any]:
    schema: Any = _SCHEMA
    for _ in range(dice.randrange(4)):
        schema = damaged_document(dice, schema)
    config: Any = _CONFIG if dice.randrange(4) else stray(dice)
    if dice.randrange(2):
        config = damaged_document(dice, config)
    return schema, config


def check(made: tuple[Any, Any]) -> None:
    schema, config = made
    answer = recording().replies["load"]
    facts = {**answer["manifest"], "init_schema": schema}
    try:
        check_shape(REPLIES["load"].shape, {**answer, "manifest": facts}, "reply")
    except InvalidDataError:
        return
    manifest = Manifest.from_facts(facts)
    repr(manifest), manifest._repr_html_(), form_schema(schema)
    for given in (config, None):
        if isinstance(given, dict | None):
            try:
                prepare_config(manifest, given)
            except WorkbenchError as error:
                assert len(str(error)) < _LONGEST_TEXT
