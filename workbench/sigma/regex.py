"""Regular expressions of Sigma (Python's, found anywhere) as Falco reads them.

Falco has RE2 in POSIX syntax, held against the whole value. So the pattern is parsed
and written anew: classes spelled out, what may stand before and behind it added. What
has no equal is refused: a pattern that means something else would be worse than none.
"""

from __future__ import annotations

import importlib
import re
import warnings
from typing import TYPE_CHECKING, Any

from workbench.sigma.faults import Inexpressible

if TYPE_CHECKING:
    from collections.abc import Iterable

__all__ = ["ANY", "ascii_lower", "escaped", "posix_pattern"]

# Any character, line feeds too: a dot does not match those.
ANY = "(.|\n)"
_SPECIAL = frozenset("\\.[](){}*+?|^$")
_CLASSES = {
    "CATEGORY_DIGIT": "0-9",
    "CATEGORY_WORD": "0-9A-Za-z_",
    "CATEGORY_SPACE": " \t\n\r\f\v",
}
_WORDS = {
    "ASSERT": "a look ahead or behind",
    "ASSERT_NOT": "a negative look ahead or behind",
    "GROUPREF": "a reference to a group",
    "GROUPREF_EXISTS": "a conditional group",
    "ATOMIC_GROUP": "an atomic group",
    "POSSESSIVE_REPEAT": "a possessive repetition",
}
_MAX_REPEAT = 1000


def ascii_lower(text: str) -> str:
    """Return ``text`` with ASCII letters folded, as the engine folds them."""
    return "".join(c.lower() if c.isascii() else c for c in text)


def _refused(what: str) -> Inexpressible:
    return Inexpressible(
        "sigma-regex",
        f"the regular expression has {what}, which Falco's (RE2, POSIX) lacks",
        "write it with contains, startswith, endswith or a plain pattern",
    )


def escaped(text: str) -> str:
    """Return a pattern that matches ``text`` and nothing else."""
    return "".join(f"\\{char}" if char in _SPECIAL else char for char in text)


def posix_pattern(pattern: str, *, ignore_case: bool, dot_all: bool) -> str:
    """Return what to hold against the whole value, for a pattern found anywhere in it.

    ``ignore_case``: the value comes with its letters folded. Raises Inexpressible.
    """
    # The only parser of Python's patterns there is; a test tells when it changes.
    parser: Any = importlib.import_module("re._parser")
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            tree = parser.parse(pattern, 0)
    except (re.error, RecursionError, OverflowError) as error:
        raise Inexpressible(
            "sigma-regex", f"the regular expression is not valid: {error}"
        ) from None
    if tree.state.flags & ~int(re.UNICODE):
        raise _refused("flags inside (?…)")
    if ignore_case and not pattern.isascii():
        raise _refused("letters beyond ASCII whose case does not count")
    writer = _Writer(fold=ignore_case, dot_all=dot_all)
    return writer.anywhere(list(tree))


class _Writer:
    def __init__(self, *, fold: bool, dot_all: bool) -> None:
        self.fold = fold
        self.dot = ANY if dot_all else "."

    def anywhere(self, nodes: list[tuple[Any, Any]]) -> str:
        """Write a whole pattern, each alternative with what may stand around it."""
        if len(nodes) == 1 and str(nodes[0][0]) == "BRANCH":
            found = [self.anywhere(list(branch)) for branch in nodes[0][1][1]]
            return "(" + "|".join(found) + ")"
        first = _anchor(nodes[:1], ("AT_BEGINNING", "AT_BEGINNING_STRING"))
        if first:
            nodes = nodes[1:]
        last = _anchor(nodes[-1:], ("AT_END", "AT_END_STRING"))
        if last:
            nodes = nodes[:-1]
        before = "" if first else f"{ANY}*"
        # a dollar also stands before a line feed that ends the value
        behind = {"": f"{ANY}*", "AT_END": "\n?", "AT_END_STRING": ""}[last]
        return before + self.sequence(nodes) + behind

    def sequence(self, nodes: Iterable[tuple[Any, Any]]) -> str:
        return "".join(self.one(str(kind), value) for kind, value in nodes)

    def one(self, kind: str, value: Any) -> str:
        if kind == "LITERAL":
            return escaped(self._char(value))
        if kind == "NOT_LITERAL":
            return self._set([("NEGATE", None), ("LITERAL", value)])
        if kind == "ANY":
            return self.dot
        if kind == "IN":
            return self._set([(str(name), item) for name, item in value])
        if kind == "BRANCH":
            found = [self.sequence(branch) for branch in value[1]]
            return "(" + "|".join(found) + ")"
        if kind == "SUBPATTERN":
            _, added, removed, inner = value
            if added or removed:
                raise _refused("flags inside (?…)")
            return "(" + self.sequence(inner) + ")"
        if kind in ("MAX_REPEAT", "MIN_REPEAT"):
            return self._repeat(*value)
        if kind == "AT":
            word = "a word boundary" if "BOUNDARY" in str(value) else "an anchor inside"
            raise _refused(word)
        raise _refused(_WORDS.get(kind, kind.lower().replace("_", " ")))

    def _repeat(self, least: int, most: Any, inner: Any) -> str:
        text = "(" + self.sequence(inner) + ")"
        endless = str(most) == "MAXREPEAT"
        if least > _MAX_REPEAT or (not endless and int(most) > _MAX_REPEAT):
            raise _refused(f"more than {_MAX_REPEAT} repetitions")
        if endless and least in (0, 1):
            return text + "*+"[least]
        if (least, most) == (0, 1):
            return text + "?"
        return f"{text}{{{least},{'' if endless else int(most)}}}"

    def _set(self, items: list[tuple[str, Any]]) -> str:
        negated = items[0][0] == "NEGATE"
        parts: list[str] = []
        for kind, value in items[1:] if negated else items:
            if kind == "LITERAL":
                parts.append(_in_class(self._char(value)))
            elif kind == "RANGE":
                parts += self._range(*value)
            elif kind == "CATEGORY" and str(value) in _CLASSES:
                parts.append(_CLASSES[str(value)])
            elif kind == "CATEGORY" and len(items) == 1:
                name = str(value).replace("_NOT", "")
                return f"[^{_CLASSES[name]}]"
            else:
                raise _refused("a negated class inside a class")
        return f"[{'^' if negated else ''}{''.join(parts)}]"

    def _range(self, low: int, high: int) -> list[str]:
        found = [_in_class(chr(low)) + "-" + _in_class(chr(high))]
        first, last = max(low, ord("A")), min(high, ord("Z"))
        if self.fold and first <= last:
            found.append(f"{chr(first).lower()}-{chr(last).lower()}")
        return found

    def _char(self, code: int) -> str:
        char = chr(code)
        if char == "\0":
            raise _refused("a NUL character")
        return ascii_lower(char) if self.fold else char


def _anchor(nodes: list[tuple[Any, Any]], names: tuple[str, ...]) -> str:
    """Return which anchor a node is, "" for another node."""
    if nodes and str(nodes[0][0]) == "AT" and str(nodes[0][1]) in names:
        return str(nodes[0][1])
    return ""


def _in_class(char: str) -> str:
    return f"\\{char}" if char in "\\]^-[" else char
