from __future__ import annotations

import pytest

from workbench.authoring.check.initialising import example_config


@pytest.mark.parametrize(
    ("schema", "config"),
    [
        ({"type": "object"}, {}),
        (
            {
                "type": "object",
                "required": ["a", "b"],
                "properties": {
                    "a": {"type": "integer", "minimum": 3},
                    "b": {"enum": ["x", "y"]},
                },
            },
            {"a": 3, "b": "x"},
        ),
        ({"type": "array"}, []),
        ({"default": 7}, 7),
    ],
)
def test_an_example_config_is_made_from_the_schema(schema, config):
    assert example_config(schema) == config
