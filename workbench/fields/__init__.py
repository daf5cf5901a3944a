"""Fields: their types, declarations, references and arguments."""

from __future__ import annotations

from workbench.lazy import lazy_names

# Public name → module that defines it; loaded on first use.
_HOMES = {
    "ArgInfo": "workbench.fields.declarations",
    "FIELD_TYPES": "workbench.fields.types",
    "FieldInfo": "workbench.fields.declarations",
    "FieldTable": "workbench.fields.declarations",
    "FieldType": "workbench.fields.types",
    "as_field_table": "workbench.fields.declarations",
}

__all__ = sorted(_HOMES)  # noqa: PLE0605 - one table holds the names and their homes
__getattr__, __dir__ = lazy_names(__name__, _HOMES)
