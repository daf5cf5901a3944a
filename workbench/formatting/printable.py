"""Text that shows everything in it: nothing hidden, reordered or executed."""

from __future__ import annotations

__all__ = ["printable", "repaired"]

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
    r"""Return ``text`` with control, bidi and invisible characters spelled ``\x1b``.

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
    """Return ``text`` with bytes that were not UTF-8 as U+FFFD, fit for any file."""
    return text.encode("utf-8", "surrogateescape").decode("utf-8", "replace")
