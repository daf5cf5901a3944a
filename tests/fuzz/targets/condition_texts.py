"""Any text as a condition: compiled or refused at a place in it; and the editor."""

from __future__ import annotations

from contextlib import suppress
from typing import TYPE_CHECKING

from tests.condition.conftest import FIELDS
from tests.condition.test_condition_fuzz import TOKENS
from tests.fuzz.mutation import damaged, soup
from workbench.condition import check_condition, compile_condition, complete
from workbench.condition.syntax.canonical import canonical
from workbench.condition.syntax.parser import ParseFault, parse
from workbench.errors import ConditionError

if TYPE_CHECKING:
    from random import Random

_WORDS = tuple(
    token.encode("utf-8", "surrogatepass") + blank
    for token in TOKENS
    for blank in (b"", b" ", b"\n ")
)
_SEEDS = (
    b"t.string = a and not (t.uint64 in (1, 2) or t.bool = true)",
    b"t.strings intersects (a, 'b c') and len(t.string) > 3",
    b"t.string glob oneof ('a*', \"b?\") or tolower(t.string) startswith x",
    b"t.ipnet = 10.0.0.0/8 and t.key[a] exists and t.idx[0] >= 5",
    b"join(',', t.strings) contains val(t.string) or t.ipaddr in (::1, 10.0.0.1)",
)


def make(dice: Random) -> bytes:
    if dice.randrange(2):
        return soup(dice, _WORDS, 25)
    return damaged(dice, dice.choice(_SEEDS), words=_WORDS)


def check(data: bytes) -> None:
    errors = [d for d in check_condition(data, FIELDS) if d.severity == "error"]
    try:
        compiled = compile_condition(data, FIELDS)
    except ConditionError as error:
        assert errors, "refused without a word to the editor"
        assert error.stage in {"parse", "compile"}
        assert 0 <= error.position <= len(data)
        assert min(error.line, error.column) >= 1
        assert str(error)
    else:
        assert not errors, errors
        assert isinstance(compiled.ast, str)
    with suppress(ParseFault):
        canonical(parse(data))
    text = data.decode("utf-8", "surrogateescape")
    for item in complete(
        text, len(data) % (len(text) + 3) - 1, FIELDS, {"t.string": ["a"]}
    ):
        assert 0 <= item.start <= item.end <= len(text)
