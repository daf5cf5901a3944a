"""The condition language: its operators and calls, from the code's tables."""

from __future__ import annotations

from workbench.condition.semantics.transformers import TRANSFORMER_INFO
from workbench.condition.syntax.operators import OPERATORS, Operator
from workbench.fields.builtin import BUILTIN_FIELDS
from workbench.fields.types import FIELD_TYPES

__all__ = ["language_page"]

_TYPES = {
    "uint64": "a number from 0 to 2^64 - 1",
    "string": "a text, compared byte by byte",
    "reltime": "a duration, in nanoseconds",
    "abstime": "a point in time, nanoseconds since 1970 in UTC",
    "bool": "`true` or `false`",
    "ipaddr": "an IPv4 or IPv6 address",
    "ipnet": "a network, such as 10.0.0.0/8",
}
_INTRODUCTION = """\
# The condition language

```text
condition  = check, or checks joined by and, or, not and parentheses
check      = field operator value        weblog.status >= 400
           | field exists                weblog.agent exists
           | macro                       climbing
field      = name | name[argument]       ka.req.pod.images[0]
value      = word | "quoted text" | 'quoted text' | number | (a, b, c)
           | val(field) | a call          toupper(val(web.host))
```

`and` binds closer than `or`; `not` stands before a check or a group. A bare word where
a check is expected is the name of a macro. Blanks and line breaks separate.
"""
_COLUMNS = """\
*Types*: whose single values take the operator. *Lists*: list fields take it.
*Modifiers*: types that take it with `oneof`, `anyof` or `allof` before a list of
constants. *Field*: `val(field)` may stand on the right."""
_QUIRKS = """\
## Quirks

All of these are the real engine's, and `workbench` follows them. Where one matters to a
condition a warning says so; its code leads to an example under [](diagnostics.md).

An absent field fails every check, even `!=`
: `weblog.status != 200` is false for an event without a status;
  `not weblog.status = 200` is true for it. The two are not the same.

The right side is a constant
: `a.x = a.y` compares with the text `a.y` (`value-looks-like-field`); write
  `a.x = val(a.y)`.

Order of texts
: a text field with `<` is compared letter by letter (`text-order`): `9` is greater than
  `10`.

No negative numbers
: number fields have no sign, and `-1` becomes 18446744073709551615 (`negative-number`).

`in` on a list field wants all, `intersects` some
: `tags in (a, b)` holds when every value of the field is among these; an empty list
  is absent.

`= allof` and `!= anyof`
: of several different constants the first never matches, the second always
  (`never-matches`, `always-matches`).

Addresses and networks
: a field of type ipaddr takes single addresses only (`bad-address`); networks belong to
  fields of type ipnet, and `in` on these compares by containment.

Regular expressions match the whole text
: `regex admin` is `= admin`; write `.*admin.*`, or `contains admin`. They are POSIX,
  read by RE2: no `\\d`, `\\w`, look-ahead or back-references.

List names are replaced in the text
: before the condition is read, the name of a list is replaced wherever it stands alone,
  even in quotes (`list-inside-quotes`), and one level deep only (`list-stays-word`).

Results are kept by printed form
: two checks that print alike share one result (`printed-alike`).

`pmatch` between neighbours
: patterns that stand side by side may hide each other (`order-matters`).

NUL
: constants end at their first NUL (`cut-at-nul`).
"""


def language_page() -> str:
    """Return the page: grammar, types, operators, calls, built-in fields, quirks."""
    types = [f"| {name} | {_TYPES[name]} |" for name in FIELD_TYPES]
    rows = [_row(operator) for operator in OPERATORS.values()]
    calls = [
        f"| `{call.usage}` | {call.gives} | {call.desc} |"
        for call in TRANSFORMER_INFO.values()
    ]
    fields = [
        f"| `{name}` | {'list of ' if info.is_list else ''}{info.type} | {info.desc} |"
        for name, info in BUILTIN_FIELDS.items()
    ]
    operators = ["| operator | does | right side | types | lists | modifiers | field |"]
    return "\n\n".join(
        [
            _INTRODUCTION,
            "## Types",
            "\n".join(["| type | is |", "|---|---|", *types]),
            "## Operators",
            _COLUMNS,
            "\n".join([*operators, "|---|---|---|---|---|---|---|", *rows]),
            "## Calls",
            "Calls stand where a field stands on the left, and on the right.",
            "\n".join(["| call | gives | is |", "|---|---|---|", *calls]),
            "## Fields of the engine",
            "Every event has these, whatever plugin it comes from.",
            "\n".join(["| field | type | is |", "|---|---|---|", *fields]),
            _QUIRKS,
        ]
    )


def _row(operator: Operator) -> str:
    types = _types(operator.types)
    lists = "yes" if operator.on_lists else ""
    field = "yes" if operator.field_right else ""
    cells = [
        f"`{operator.name}`",
        operator.desc.replace("*", "\\*"),
        operator.right or "nothing",
        types,
        lists,
        _types(operator.modifiers),
        field,
    ]
    return f"| {' | '.join(cells)} |"


def _types(types: frozenset[str]) -> str:
    if types == frozenset(FIELD_TYPES):
        return "all"
    return ", ".join(name for name in FIELD_TYPES if name in types)
