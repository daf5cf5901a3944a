"""Escaped HTML for notebook reprs: the only place where markup is put together.

Event data is attacker-controlled: every text goes through :func:`escape`, and control
and bidirectional characters are made visible, so that nothing is hidden or executed.
"""

from __future__ import annotations

import html as _html
from typing import TYPE_CHECKING, Any

from workbench.formatting.printable import printable

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

__all__ = ["escape", "table", "tag"]


def escape(value: Any, *, limit: int | None = None) -> str:
    """Return ``value`` as text that is safe inside an element or a quoted attribute."""
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
