"""Init config: what a user hands over → the text that ``plugin_init`` gets.

A dict becomes compact JSON, a text goes verbatim, None is the empty text. Where the
plugin publishes a JSON schema the config is checked before the plugin sees it, and an
empty config is replaced by ``{}``, as the real framework does.
"""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

from workbench.arguments import wrong
from workbench.errors import ArgumentError, PluginInitError

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping

    from workbench.manifest import Manifest

__all__ = ["config_text", "prepare_config"]

# Most faults listed in one message.
_SHOWN = 5
# Keywords whose value tells a reader what is allowed.
_TELLING = (
    "type",
    "enum",
    "const",
    "minimum",
    "maximum",
    "exclusiveMinimum",
    "exclusiveMaximum",
    "multipleOf",
    "minLength",
    "maxLength",
    "pattern",
    "minItems",
    "maxItems",
    "required",
    "default",
)


def config_text(config: Mapping[str, Any] | str | None) -> str:
    """Return the text of an init config, keys in the given order.

    Raises ArgumentError for what JSON cannot hold or C cannot carry.
    """
    if config is None:
        return ""
    if isinstance(config, str):
        text = config
    else:
        if not hasattr(config, "keys"):
            raise wrong("load", "config", "a dict, a text or None", config)
        try:
            text = json.dumps(
                dict(config), separators=(",", ":"), ensure_ascii=False, allow_nan=False
            )
        except (TypeError, ValueError, RecursionError) as error:
            raise ArgumentError(
                f"load: config cannot be written as JSON: {error}", argument="config"
            ) from None
    if "\0" in text:
        raise wrong("load", "config", "a text without NUL", text)
    return text


def prepare_config(manifest: Manifest, config: Mapping[str, Any] | str | None) -> str:
    """Return the text to initialise a plugin with, checked against its schema.

    Raises PluginInitError that names the place in the config and what is allowed there.
    """
    text = config_text(config)
    schema = manifest.init_schema
    if schema is None:
        return text
    text = text or "{}"
    if text == "{}" and _accepts_empty(schema):
        return text
    name = manifest.name
    try:
        value = json.loads(text, parse_constant=_no_constant)
    except (ValueError, RecursionError) as fault:
        raise PluginInitError(
            f"plugin {name}: the init config is not valid JSON ({fault}), and the "
            "plugin's init schema asks for JSON; pass a dict, or correct the text",
            plugin=name,
            config_path="<root>",
        ) from None
    faults = _faults(schema, value, name)
    if faults:
        places = [f"In {place}: {what}" for place, what in faults[:_SHOWN]]
        more = len(faults) - len(places)
        if more:
            places.append(f"and {more} more")
        raise PluginInitError(
            f"plugin {name}: the init config does not fit the plugin's init schema\n  "
            + "\n  ".join(places)
            + "\nThe whole schema is in .init_schema and in 'workbench inspect'.",
            plugin=name,
            config_path=faults[0][0],
        )
    return text


# Keywords that no empty object can break.
_HARMLESS = frozenset(
    {
        "$comment",
        "$id",
        "$schema",
        "additionalProperties",
        "default",
        "definitions",
        "description",
        "examples",
        "maxProperties",
        "patternProperties",
        "properties",
        "title",
        "type",
    }
)


def _accepts_empty(schema: Any) -> bool:
    """Return whether ``{}`` plainly fits: most do, and the library is slow to load."""
    return (
        isinstance(schema, dict)
        and schema.get("type", "object") == "object"
        and schema.keys() <= _HARMLESS
    )


def _no_constant(word: str) -> Any:
    raise ValueError(f"{word} is no JSON value")


def _place(path: Iterable[str | int]) -> str:
    """Write a place in the config, such as ``["a"][0]``."""
    text = "".join(f"[{json.dumps(step, ensure_ascii=False)}]" for step in path)
    return text or "<root>"


def _faults(schema: Any, value: Any, plugin: str) -> list[tuple[str, str]]:
    """Return every fault as place and sentence, the most telling first."""
    from workbench.schemas.validating import UnusableSchemaError, schema_errors

    try:
        found = schema_errors(schema, value)
    except UnusableSchemaError as fault:
        problem = str(fault)
    else:
        return list(
            dict.fromkeys((_place(e.absolute_path), _sentence(e)) for e in found)
        )
    raise PluginInitError(
        f"plugin {plugin}: its init schema is not a usable JSON schema ({problem}); "
        "this is a fault of the plugin, to be corrected in plugin_get_init_schema",
        plugin=plugin,
        config_path=None,
    )


def _sentence(error: Any) -> str:
    """Return what is wrong and what would be right."""
    from workbench.schemas.validating import cut

    text = cut(str(error.message))
    schema = error.schema
    if not isinstance(schema, dict):
        return text
    allowed = []
    if error.validator in {"additionalProperties", "propertyNames"}:
        known = schema.get("properties")
        if isinstance(known, dict):
            allowed.append("keys " + ", ".join(map(str, known)))
    else:
        allowed += [
            f"{key} {json.dumps(schema[key], ensure_ascii=False)}"
            for key in _TELLING
            if key in schema
        ]
    if error.validator in {"anyOf", "oneOf"} and error.context:
        # The alternatives say more than that none of them fits.
        allowed += sorted({str(e.message) for e in error.context})[:_SHOWN]
    if isinstance(schema.get("description"), str):
        allowed.append(f"it means: {schema['description']}")
    return f"{text}; allowed: {cut('; '.join(allowed))}" if allowed else text
