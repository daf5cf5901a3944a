"""The JSON texts of a plugin: fields, lists of names, open params.

Complaints are worded as the real framework words them.
"""

from __future__ import annotations

from workbench.host.lenient_json import parse_json

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Any

__all__ = ["FIELD_CODES", "check_fields", "check_open_params", "string_list"]

# Field type → number in the plugin API.
FIELD_CODES = {
    "uint64": 8,
    "string": 9,
    "reltime": 20,
    "abstime": 21,
    "bool": 25,
    "ipaddr": 40,
    "ipnet": 41,
}
_OLD_TYPES = ("uint64", "string")
# Passed by loaders of 0.x, never by its extraction.
_TOLERATED = ("int64", "float")


class _NotTextError(ValueError):
    """An array or object where a text is expected."""


def _as_text(value: Any) -> str:
    """Return a JSON scalar as text, as the framework's JSON library does."""
    if value is None:
        return ""
    if isinstance(value, str):
        return value
    if isinstance(value, bool):
        return "true" if value else "false"
    if isinstance(value, int | float):
        return str(value)
    raise _NotTextError("Type is not convertible to string")


def check_fields(
    text: str | None,
    *,
    allow_new_types: bool,
    argument_required: bool = False,
    may_be_empty: bool = False,
) -> tuple[list[dict[str, Any]], dict[str, int], list[str]]:
    """Check what ``get_fields`` returned.

    Returns the usable entries for ``FieldInfo.from_json``, the number of each name (of
    several with one name the first), and every complaint. ``argument_required``: read
    ``argRequired`` as plugin API 0.x does. ``may_be_empty``: no complaint about a list
    without any field, which only frameworks of API 3 have.
    """
    if text is None:
        return [], {}, ["get_fields returned a null string"]
    try:
        entries = parse_json(text)
    except ValueError:
        entries = None
    if not isinstance(entries, list):
        return [], {}, ["get_fields returned an invalid JSON"]
    fields: list[dict[str, Any]] = []
    ids: dict[str, int] = {}
    complaints: list[str] = []
    for number, entry in enumerate(entries):
        field, wrong = _check_field(
            entry,
            allow_new_types=allow_new_types,
            argument_required=argument_required,
        )
        complaints += wrong
        if field is not None and field["name"] not in ids:
            ids[field["name"]] = number
            fields.append({**field, "id": number})
    if not entries and not may_be_empty:
        complaints.append(
            "plugins with extraction capability must export at least one field"
        )
    return fields, ids, complaints


def _check_field(
    entry: Any, *, allow_new_types: bool, argument_required: bool
) -> tuple[dict[str, Any] | None, list[str]]:
    if not isinstance(entry, dict):
        return None, ["field JSON entry is not an object"]
    wrong: list[str] = []
    field: dict[str, Any] = {}
    for key in ("type", "name", "desc", "display"):
        try:
            field[key] = _as_text(entry.get(key))
        except _NotTextError as error:
            wrong.append(f"field JSON entry has a bad {key}: {error}")
            continue
        if not field[key] and key != "display":
            wrong.append(f"field JSON entry has no {key}")
    kind, name = field.get("type", ""), field.get("name", "")
    known = FIELD_CODES if allow_new_types else _OLD_TYPES
    tolerated = argument_required and kind in _TOLERATED
    if kind and kind not in known and not tolerated:
        wrong.append(f"invalid field type {kind}")
    for key in ("isList", "addOutput"):
        value = entry.get(key)
        if value is not None and not isinstance(value, bool):
            wrong.append(f"field {name} {key} property is not boolean ")
        field[key] = value is True
    wrong += _check_argument(entry, field, name)
    if argument_required:
        value = entry.get("argRequired")
        if value is not None and not isinstance(value, bool):
            wrong.append("argRequired property is not boolean")
        # No difference between key and index in 0.x: the text goes to the plugin.
        field["arg"] = {"isRequired": value is True, "isKey": True, "isIndex": False}
    wrong += _check_properties(entry, field)
    usable = not wrong and kind in FIELD_CODES
    return (field if usable else None), wrong


def _check_argument(
    entry: dict[str, Any], field: dict[str, Any], name: str
) -> list[str]:
    argument = entry.get("arg")
    if argument is None:
        return []
    if not isinstance(argument, dict):
        return [f"field {name} arg property is not an object"]
    wrong = [
        f"field {name} {key} property is not boolean"
        for key in ("isRequired", "isIndex", "isKey")
        if argument.get(key) is not None and not isinstance(argument[key], bool)
    ]
    if wrong:
        return wrong
    by_index, by_key = bool(argument.get("isIndex")), bool(argument.get("isKey"))
    if argument.get("isRequired") and not (by_index or by_key):
        fault = "arg has isRequired true, but none of isKey nor isIndex is true"
        return [f"field {name} {fault}"]
    field["arg"] = {
        "isRequired": bool(argument.get("isRequired")),
        "isIndex": by_index,
        "isKey": by_key,
    }
    return []


def _check_properties(entry: dict[str, Any], field: dict[str, Any]) -> list[str]:
    properties = entry.get("properties")
    if properties is None:
        return []
    if not isinstance(properties, list):
        return ["properties property is not array "]
    try:
        field["properties"] = [_as_text(item) for item in properties]
    except _NotTextError:
        return ["properties value is not string "]
    return []


def string_list(text: str | None, symbol: str) -> tuple[list[str] | None, str | None]:
    """Read a JSON array of names; empty names are left out.

    Returns the names (None when the plugin said nothing), or None and a complaint.
    """
    if not text:
        return None, None
    try:
        values = parse_json(text)
    except ValueError:
        values = None
    if not isinstance(values, list):
        should = " but it should" if symbol == "get_async_events" else ""
        return None, f"'{symbol}' did not return a json array{should}"
    names: list[str] = []
    try:
        names = [name for name in map(_as_text, values) if name]
    except _NotTextError as error:
        return None, f"'{symbol}' returned a bad name: {error}"
    return names, None


def check_open_params(text: str | None, code: int) -> tuple[list[dict[str, str]], str]:
    """Read what ``list_open_params`` returned: suggestions, and a complaint or ""."""
    if code != 0:
        return [], f"list_open_params has error {code}"
    if not text:
        return [], ""
    try:
        entries = parse_json(text)
    except ValueError:
        entries = None
    if not isinstance(entries, list):
        return [], "list_open_params returned a non-array JSON"
    params: list[dict[str, str]] = []
    for entry in entries:
        try:
            row = {
                key: _as_text(entry.get(key)) for key in ("value", "desc", "separator")
            }
        except (AttributeError, _NotTextError):
            return (
                params,
                "list_open_params has an entry that is not an object of texts",
            )
        if not row["value"]:
            return params, "list_open_params has entry with no value"
        params.append(row)
    return params, ""
