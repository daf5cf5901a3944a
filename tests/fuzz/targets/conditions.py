"""Conditions that compile: both evaluators give the same verdicts on the same rows."""

from __future__ import annotations

from random import Random
from typing import Any

import pyarrow as pa

from tests.condition.conftest import FIELDS, TYPES
from tests.condition.reference_rows import reference_mask
from workbench.condition import compile_condition
from workbench.condition.syntax.operators import OPERATORS, legal_operators

_TEXTS = (
    b"",
    b"a",
    b"A",
    b"ab",
    b"abc",
    b"/a/b",
    b"/A//b/",
    b"a\0b",
    b"\0",
    b"YQ==",
    b"5",
    b"-n",
    b"\xff",
    b"a\nb",
    b"x" * 40,
)
_NUMBERS = (0, 1, 5, 10, 2**32, 2**63, 2**64 - 1)
_ADDRESSES = (
    b"\x0a\0\0\1",
    b"\x0a\1\2\3",
    b"\xff" * 4,
    b"\0" * 16,
    b"\x20\x01" + b"\0" * 14,
    b"",
    b"\x0a\0\0",
)
_VALUES: dict[str, tuple[Any, ...]] = {
    "string": _TEXTS,
    "uint64": _NUMBERS,
    "reltime": _NUMBERS,
    "abstime": _NUMBERS,
    "bool": (True, False),
    "ipaddr": _ADDRESSES,
    "ipnet": _ADDRESSES,
}
_WORDS = (
    "a",
    "A",
    "ab",
    "''",
    "'a b'",
    "5",
    "/a",
    "/a/*",
    "*",
    "a*",
    "'?b*'",
    "[ab]",
    "'[!a-]*'",
    "'YQ=='",
    "true",
    "-n",
    "'\\\\*'",
    "x" * 40,
)
_NUMERALS = ("0", "5", "010", "-1", "18446744073709551615")
_CONSTANTS: dict[str, tuple[str, ...]] = {
    "string": _WORDS,
    "uint64": _NUMERALS,
    "reltime": _NUMERALS,
    "abstime": _NUMERALS,
    "bool": ("true", "false"),
    "ipaddr": ("10.0.0.1", "10.1.2.3", "::", "2001::"),
    "ipnet": ("10.0.0.0/8", "0.0.0.0/0", "2001::/16", "10.1.2.3/32"),
}
_PATTERNS = (
    "a",
    "'a.*'",
    "'.'",
    "'[a-z]+'",
    "'(a|b)*'",
    "'^a$'",
    "''",
    "'[^a]'",
    "'a{2}?'",
)
_CALLS = ("tolower", "toupper", "basename", "b64", "len")


def _operand(dice: Random) -> tuple[str, str, bool]:
    type_ = dice.choice((*TYPES, "string", "string"))
    is_list = dice.randrange(3) == 0
    text = f"t.{type_}{'s' * is_list}{dice.choice(('', '2'))}"
    while type_ == "string" and dice.randrange(3) == 0:
        call = dice.choice(_CALLS)
        text = f"{call}({text})"
        if call == "len":
            return text, "uint64", False
    if type_ == "string" and dice.randrange(8) == 0:
        text = f"join('-', {text})" if is_list else f"concat({text}, 'x')"
        is_list = False
    return text, type_, is_list


def _check(dice: Random) -> str:
    left, type_, is_list = _operand(dice)
    op = dice.choice(legal_operators(type_, is_list=is_list))
    row = OPERATORS[op]
    if op == "exists":
        return f"{left} exists"
    if row.field_right and type_ != "ipnet" and dice.randrange(4) == 0:
        return f"{left} {op} val(t.{type_}{'s' * is_list}2)"
    constants = _PATTERNS if op == "regex" else _CONSTANTS[type_]
    if row.right == "number":
        return f"{left} {op} {dice.choice(_NUMERALS[:4])}"
    many = f"({', '.join(dice.choices(constants, k=dice.randrange(5)))})"
    if row.right == "list":
        return f"{left} {op} {many}"
    if type_ in row.modifiers and dice.randrange(3) == 0:
        return f"{left} {op} {dice.choice(('oneof', 'anyof', 'allof'))} {many}"
    return f"{left} {op} {dice.choice(constants)}"


def _tree(dice: Random, depth: int) -> str:
    kind = dice.randrange(4) if depth else 0
    if kind == 0:
        return _check(dice)
    if kind == 1:
        return f"not ({_tree(dice, depth - 1)})"
    joint = (" and ", " or ")[kind - 2]
    parts = [_tree(dice, depth - 1) for _ in range(2 + dice.randrange(2))]
    return f"({joint.join(parts)})"


def make(dice: Random) -> tuple[str, int, int]:
    """Return a condition, how many rows, and what the rows follow from."""
    return (
        _tree(dice, dice.randrange(4)),
        dice.choice((0, 1, 5, 9, 70)),
        dice.getrandbits(40),
    )


def _array(dice: Random, type_: str, rows: int, *, is_list: bool) -> Any:
    values = (*_VALUES[type_], None)
    kind = {"bool": pa.bool_()}.get(type_, pa.binary())
    if type_ in {"uint64", "reltime", "abstime"}:
        kind = pa.uint64()
    if is_list:
        made = [
            None
            if dice.randrange(6) == 0
            else dice.choices(values, k=dice.randrange(4))
            for _ in range(rows)
        ]
        return pa.array(made, pa.list_(kind))
    array = pa.array(dice.choices(values, k=rows), kind)
    if kind == pa.binary() and dice.randrange(2):
        array = (
            array.dictionary_encode()
            if dice.randrange(2)
            else array.cast(pa.large_binary())
        )
    return array


def check(made: tuple[str, int, int]) -> None:
    text, rows, seed = made
    dice = Random(seed)
    compiled = compile_condition(text, FIELDS)
    columns = {}
    for name in compiled.columns:
        info = FIELDS[name]
        array = _array(dice, info.type, rows + 2, is_list=info.is_list)[1:-1]
        cut = dice.randrange(rows + 1)
        columns[name] = pa.chunked_array([array[:cut], array[cut:]])
    table = pa.table(columns or {"evt.num": pa.array(range(rows), pa.uint64())})
    mask = compiled.mask(table)
    assert mask.null_count == 0
    assert mask.to_pylist() == reference_mask(compiled.bound.root, table), text
