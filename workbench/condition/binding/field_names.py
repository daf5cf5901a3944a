"""Words that stand where a field should: ``status = 404`` for ``weblog.status``."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

from workbench.condition.syntax.operators import OPERATORS
from workbench.fields.spelling import names_ending_in

if TYPE_CHECKING:
    from collections.abc import Iterable

    from workbench.condition.syntax.grammar import ParseFault

__all__ = ["field_name_hint"]

_WORD_BEFORE = re.compile(rb"([A-Za-z_][A-Za-z0-9_]{0,99})[ \t\r\n]*\Z")
_OPERATOR = re.compile(
    "|".join(re.escape(o) + (r"(?!\w)" if o.isalpha() else "") for o in OPERATORS)
)


def field_name_hint(fault: ParseFault, raw: bytes, fields: Iterable[str]) -> str | None:
    """Return the field that is meant when an operator follows a word that is none.

    None when the fault is another one.
    """
    if fault.code != "unexpected-token":
        return None
    word = _WORD_BEFORE.search(raw[max(0, fault.at - 120) : fault.at])
    ahead = raw[fault.at : fault.at + 20].decode("utf-8", "replace")
    if word is None or _OPERATOR.match(ahead) is None:
        return None
    name = word.group(1).decode()
    near = names_ending_in(name, fields)
    if near:
        return f"did you mean {' or '.join(near)}?"
    return f"'{name}' is no field; names of fields hold a dot, such as evt.num"
