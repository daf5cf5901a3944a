"""The operators: one row each, with all that binder and evaluators ask of them.

``OPERATORS`` is the only place that knows which operator is legal on which type, what
it computes and what it costs.
"""

from __future__ import annotations

from dataclasses import dataclass

from workbench.fields.types import FIELD_TYPES

__all__ = ["OPERATORS", "Operator", "legal_operators"]

_ALL = frozenset(FIELD_TYPES)
_NUMBERS = frozenset({"uint64", "reltime", "abstime"})
_TEXT = frozenset({"string"})
_ORDERED = _NUMBERS | _TEXT


@dataclass(frozen=True, slots=True)
class Operator:
    """One operator.

    ``right``: what stands behind it: "" (nothing), "number", "string" or "list".
    ``test``: key of ``nodes.TESTS``. ``types``: field types whose scalars take it.
    ``on_lists``: list fields take it. ``modifiers``: field types that take it with
    oneof, anyof or allof. ``field_right``: another field may stand on the right.
    ``cost``: rough time of one row, in units of a number comparison. ``desc``: for
    people.
    """

    name: str
    right: str
    test: str
    types: frozenset[str]
    on_lists: bool
    modifiers: frozenset[str]
    field_right: bool
    cost: int
    desc: str


OPERATORS: dict[str, Operator] = {
    row[0]: Operator(*row)
    for row in (
        ("exists", "", "exists", _ALL, True, frozenset(), False, 1, "has a value"),
        ("=", "string", "eq", _ALL, False, _ALL, True, 2, "equal"),
        ("==", "string", "eq", _ALL, False, _ALL, True, 2, "equal, the same as ="),
        ("!=", "string", "ne", _ALL, False, _ALL, True, 2, "present and not equal"),
        ("<", "number", "lt", _ORDERED, False, frozenset(), True, 2, "less"),
        ("<=", "number", "le", _ORDERED, False, frozenset(), True, 2, "not greater"),
        (">", "number", "gt", _ORDERED, False, frozenset(), True, 2, "greater"),
        (">=", "number", "ge", _ORDERED, False, frozenset(), True, 2, "not less"),
        ("contains", "string", "contains", _TEXT, False, _TEXT, True, 6, "holds text"),
        ("icontains", "string", "icontains", _TEXT, False, _TEXT, True, 9,
         "holds a text, ASCII letters of either case"),
        ("startswith", "string", "startswith", _TEXT, False, _TEXT, True, 3,
         "begins with a text"),
        ("endswith", "string", "endswith", _TEXT, False, _TEXT, True, 3,
         "ends with a text"),
        ("glob", "string", "glob", _TEXT, False, _TEXT, True, 12,
         "all of it matches a pattern with * ? [a-z]"),
        ("iglob", "string", "iglob", _TEXT, False, _TEXT, True, 14,
         "as glob, ASCII letters of either case"),
        ("regex", "string", "regex", _TEXT, False, _TEXT, False, 40,
         "all of it matches a POSIX regular expression (RE2)"),
        ("in", "list", "in", _ALL, True, frozenset(), True, 4,
         "is one of the values; of a list field: every value is"),
        ("intersects", "list", "intersects", _ALL, True, frozenset(), True, 4,
         "of a list field: some value is one of these"),
        ("pmatch", "list", "pmatch", _TEXT, False, frozenset(), False, 15,
         "lies at or under one of the paths"),
        ("bcontains", "string", "contains", frozenset(), False, frozenset(), False, 6,
         "for byte buffers, which plugin fields never are"),
        ("bstartswith", "string", "startswith", frozenset(), False, frozenset(), False,
         3, "for byte buffers, which plugin fields never are"),
    )
}  # fmt: skip


def legal_operators(
    type_: str, *, is_list: bool, modifier: str | None = None
) -> list[str]:
    """Return the operators that a value of this type takes, in the order of the table.

    ``modifier``: only those that also take it.
    """
    return [
        op.name
        for op in OPERATORS.values()
        if (op.on_lists if is_list else type_ in op.types)
        and (modifier is None or (not is_list and type_ in op.modifiers))
    ]
