# What type checkers see: the names of the table in __init__.py, which a test holds
# equal.

from workbench.fields.declarations import ArgInfo, FieldInfo, FieldTable, as_field_table
from workbench.fields.types import FIELD_TYPES, FieldType

__all__ = [
    "FIELD_TYPES",
    "ArgInfo",
    "FieldInfo",
    "FieldTable",
    "FieldType",
    "as_field_table",
]
