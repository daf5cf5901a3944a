"""Outputs of rules of source ``syscall``: recognised, not compiled."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

from workbench.rules.outputs.output import OutputFault

if TYPE_CHECKING:
    from workbench.rules.target.target import Target

__all__ = ["check_syscall_output"]

_ITEM = re.compile(
    r"%([0-9]*)(?:[a-z0-9]+\(\s*)*([A-Za-z][A-Za-z0-9_]*(?:\.[A-Za-z][A-Za-z0-9_]*)*)?"
)
_UNKNOWN = "unknown filter: unexpected token after '"


def check_syscall_output(text: str, target: Target) -> None:
    """Check that every item names a field of a known family. Raises OutputFault.

    Offsets count as if a ``*`` stood before ``text``.
    """
    for match in _ITEM.finditer(text):
        at = match.start() + 1
        if match.end() == len(text) and match.group(2) is None:
            word = "number" if match.group(1) else "%"
            raise OutputFault(
                "invalid formatting syntax: formatting cannot end with a "
                + ("number" if word == "number" else "%"),
                at,
                match.end() + 1,
                "remove the percent sign: outputs cannot print one",
            )
        name = match.group(2)
        if name is None or "." not in name or not target.syscall_field_known(name):
            written = name or text[match.end() : match.end() + 1]
            raise OutputFault(
                _UNKNOWN,
                at,
                match.end() + 1,
                f"{written} is not a field of source syscall; rules over plugin events "
                "need their own 'source: …'",
            )
