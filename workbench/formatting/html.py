"""Escaped HTML for notebook reprs: the only place where markup is put together.

Event data is attacker-controlled: every text goes through :func:`escape`, and control
and bidirectional characters are made visible, so that nothing is hidden or executed.
"""

from __future__ import annotations

import html as _html
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

__all__ = ["escape", "printable", "repaired", "table", "tag"]

# Characters that reorder or hide text.
_INVISIBLE = frozenset(
    map(
        chr,
        [
            *range(0x200B, 0x2010),
            *range(0x202A, 0x202F),
            *range(0x2060, 0x2070),
            0x061C,
            0xFEFF,
            0xFFF9,
            0xFFFA,
            0xFFFB,
        ],
    )
)


def printable(text: str, *, limit: int | None = None) -> str:
    r"""Give ``text`` with control, bidi and invisible characters spelled ``\x1b``.

    ``limit``: longest result in characters; an ellipsis marks the cut.
    """
    cut = limit is not None and len(text) > limit
    if cut:
        text = text[: (limit or 1) - 1]
    if text.isprintable():
        # None of the characters above is printable to Python: the usual case.
        return text + "…" if cut else text
    out = "".join(
        c
        if (c.isprintable() and c not in _INVISIBLE) or c == " "
        else c.encode("unicode_escape", "backslashreplace").decode("ascii")
        for c in text
    )
    return out + "…" if cut else out


def repaired(text: str) -> str:
    """Give ``text`` with bytes that were no UTF-8 as U+FFFD, fit for any file."""
    return text.encode("utf-8", "surrogateescape").decode("utf-8", "replace")


def escape(value: Any, *, limit: int | None = None) -> str:
    """Give ``value`` as text that is safe inside an element or a quoted attribute."""
    return _html.escape(printable(str(value), limit=limit), quote=True)


def tag(name: str, *children: str, **attributes: str) -> str:
    """Wrap already escaped ``children`` in an element; attributes are escaped here.

    A trailing underscore in an attribute's name is dropped (``class_``), other
    underscores become dashes.
    """
    attrs = "".join(
        f' {key.rstrip("_").replace("_", "-")}="{escape(value)}"'
        for key, value in attributes.items()
    )
    return f"<{name}{attrs}>{''.join(children)}</{name}>"


def table(
    header: Sequence[str], rows: Iterable[Sequence[Any]], *, limit: int = 200
) -> str:
    """Render a table; every cell is escaped and cut to ``limit`` characters."""
    head = tag("tr", *(tag("th", escape(h), style="text-align:left") for h in header))
    body = "".join(
        tag(
            "tr",
            *(tag("td", escape(c, limit=limit), style="text-align:left") for c in row),
        )
        for row in rows
    )
    return tag("table", tag("thead", head), tag("tbody", body))
