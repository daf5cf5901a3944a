"""Output formats of rules, compiled and filled from events with odd values."""

from __future__ import annotations

import re
from functools import cache
from typing import TYPE_CHECKING, Any

import pyarrow as pa

from tests.condition.conftest import FIELDS, TYPES
from tests.fuzz.mutation import damaged, soup
from workbench.errors import WorkbenchError
from workbench.rules import compile_output

if TYPE_CHECKING:
    from random import Random

WORDS = tuple(
    word.encode("utf-8", "surrogatepass")
    for word in (
        "%t.string", "%t.strings", "%t.uint64", "%t.abstime", "%t.reltime", "%t.bool", "%t.ipaddr", "%t.ipnet", "%t.key[a]",
        "%t.key['b c']", "%t.key", "%t.idx[0]", "%evt.time", "%evt.num", "%evt.time.iso8601", "%%", "%", "%tolower(t.string)",
        "%join(',', t.strings)", "%concat(t.string, 'x')", "%len(t.strings)", "%10t.string", "%.t", "%nope", "*", " ", "a",
        "(", ")", "[", "]", "'", '"', "\\", "\n", "\0", "é", "\udcff", ",", "val(", "user=", "%t.ipaddrs", "%t.uint64s",
    )
)  # fmt: skip
_SEED = b"x %t.string y=%t.key[a] (n=%t.uint64) %toupper(t.string) %evt.time"
_ODD: dict[str, list[Any]] = {
    "string": [b"a", b"\xff\n\x1b[31m", None],
    "bool": [True, False, None],
    "ipaddr": [b"\x0a\0\0\1", b"\0" * 16, b"xyz"],
    "ipnet": [b"\x0a\0\0\1", b"", None],
}


@cache
def _table(columns: tuple[str, ...]) -> Any:
    made = {}
    for name in columns:
        info = FIELDS.get(name.partition("[")[0])
        type_ = info.type if info else "uint64"
        values = _ODD.get(type_, [0, 2**64 - 1, None])
        kind = pa.uint64() if type_ not in _ODD else pa.binary()
        kind = pa.bool_() if type_ == "bool" else kind
        if info and info.is_list:
            made[name] = pa.array([values, [], None], pa.list_(kind))
        else:
            made[name] = pa.array(values, kind)
    return pa.table(made or {"evt.num": pa.array([1, 2, 3], pa.uint64())})


def prepare() -> None:
    assert set(_ODD) < set(TYPES)


def make(dice: Random) -> bytes:
    if dice.randrange(3):
        return soup(dice, WORDS, 12)
    return damaged(dice, _SEED, words=WORDS)


def check(data: bytes) -> None:
    text = data.decode("utf-8", "surrogateescape")
    try:
        output = compile_output(text, FIELDS)
    except WorkbenchError as error:
        assert str(error)
        return
    if any(re.search(r"[\ud800-\udfff]", name) for name in output.columns):
        return  # no table has a column of such a name
    table = _table(tuple(sorted(output.columns)))
    texts = output.render(table)
    assert len(texts) == 3
    assert all(text is None or isinstance(text, str) for text in texts)
    output.json(table), repr(output)
