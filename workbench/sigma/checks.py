"""One value of a Sigma rule, and the check of Falco that means the same.

Sigma compares texts without regard to case, and * and ? stand for characters; Falco
compares bytes. So fields are folded with ``tolower``, and patterns become the operator
that says the same.
"""

from __future__ import annotations

import ipaddress
from dataclasses import dataclass
from typing import TYPE_CHECKING, Literal

from workbench.fields.quoting import quote
from workbench.sigma.faults import Inexpressible
from workbench.sigma.regex import ANY, ascii_lower, escaped

if TYPE_CHECKING:
    from collections.abc import Sequence

    from workbench.fields.declarations import FieldInfo

__all__ = ["MANY", "ONE", "FieldUse", "Pattern", "literal", "network_checks"]

# What stands for wildcards in a pattern's parts: any run, one character.
Wildcard = Literal[1, 2]
MANY: Wildcard = 1
ONE: Wildcard = 2
# Bytes of a value that the engine takes.
_MAX_VALUE = 255
_OCTET = "(25[0-5]|2[0-4][0-9]|1[0-9][0-9]|[1-9]?[0-9])"


def literal(text: str) -> str:
    """Return a value as a condition writes it, always quoted.

    Raises Inexpressible for a value that the engine refuses.
    """
    try:
        raw = text.encode()
    except UnicodeEncodeError:
        raise Inexpressible("sigma-value", "the value is not valid text") from None
    if b"\0" in raw:
        raise Inexpressible(
            "sigma-value",
            "the value holds a NUL character, which no value in Falco has",
            "leave out wide and utf16 modifiers: plugins give UTF-8",
        )
    if len(raw) > _MAX_VALUE:
        raise Inexpressible(
            "sigma-value",
            f"the value takes {len(raw)} bytes; Falco takes {_MAX_VALUE} at most",
            "shorten it, or split it with |contains|all",
        )
    written = quote(raw).decode()
    if text.endswith("\\"):
        # a quoted text cannot end in \\; backslash and blank stand for one, too
        written = written[:-2] + ' "'
    return written


@dataclass(frozen=True, slots=True)
class Pattern:
    """A text of a Sigma rule. ``parts``: texts, and MANY or ONE between them."""

    parts: tuple[str | Wildcard, ...]
    cased: bool = False

    @property
    def plain(self) -> str | None:
        """The text, None when it holds wildcards."""
        texts = [part for part in self.parts if isinstance(part, str)]
        return "".join(texts) if len(texts) == len(self.parts) else None

    @property
    def has_letters(self) -> bool:
        """Whether case makes a difference."""
        texts = [part for part in self.parts if isinstance(part, str)]
        return any(text.lower() != text.upper() for text in texts)

    def check_letters(self) -> None:
        """Raise Inexpressible for letters that Falco cannot fold."""
        for part in () if self.cased else self.parts:
            if isinstance(part, str) and any(
                not c.isascii() and c.lower() != c.upper() for c in part
            ):
                raise Inexpressible(
                    "sigma-case",
                    f"{part!r} has letters beyond ASCII; Falco tells their cases "
                    "apart, Sigma does not",
                    "add |cased when the case is known",
                )


@dataclass(frozen=True, slots=True)
class FieldUse:
    """A field of the plugin as a condition names it, and its declaration."""

    text: str
    info: FieldInfo

    @property
    def is_list(self) -> bool:
        """Whether it yields several values; one picked by its index is still a list."""
        return self.info.is_list

    @property
    def is_text(self) -> bool:
        """Whether its values are texts."""
        return self.info.type == "string"

    def folded(self, *, cased: bool) -> str:
        """Return the left side of a check, letters folded unless ``cased``."""
        return self.text if cased else f"tolower({self.text})"

    def fault(self, code: str, reason: str, hint: str = "") -> Inexpressible:
        """Return the fault of a construct on this field."""
        return Inexpressible(code, reason, hint, field=self.text)

    # -- values ----------------------------------------------------------------------

    def one_of(self, values: Sequence[str], *, cased: bool) -> str:
        """Return the check that a scalar text is one of several."""
        cased = cased or not any(Pattern((v,)).has_letters for v in values)
        shown = [literal(v if cased else ascii_lower(v)) for v in values]
        left = self.folded(cased=cased)
        if len(shown) == 1:
            return f"{left} = {shown[0]}"
        return f"{left} in ({', '.join(dict.fromkeys(shown))})"

    def matches(self, pattern: Pattern) -> str:
        """Return the check that the value matches a text with wildcards."""
        if not self.is_text:
            return self._exactly(pattern)
        pattern.check_letters()
        if pattern.parts and all(part == MANY for part in pattern.parts):
            return f"{self.text} exists"
        if self.is_list:
            return self._any_item(pattern)
        plain = pattern.plain
        if plain is not None:
            return self.one_of([plain], cased=pattern.cased)
        return self._wild(pattern)

    def _wild(self, pattern: Pattern) -> str:
        cased = pattern.cased or not pattern.has_letters
        left = self.folded(cased=cased)
        parts = [
            ascii_lower(p) if isinstance(p, str) and not cased else p
            for p in pattern.parts
        ]
        if ONE in parts:
            # a question mark of Falco is one byte, here it is a character
            words = {MANY: f"{ANY}*", ONE: ANY}
            text = "".join(
                escaped(p) if isinstance(p, str) else words[p] for p in parts
            )
            return f"{left} regex {literal(text)}"
        match parts:
            case [1, str(text), 1]:
                return f"{left} contains {literal(text)}"
            case [str(text), 1]:
                return f"{left} startswith {literal(text)}"
            case [1, str(text)]:
                return f"{left} endswith {literal(text)}"
        text = "".join("*" if p == MANY else _glob(str(p)) for p in parts)
        return f"{left} glob {literal(text)}"

    def _any_item(self, pattern: Pattern) -> str:
        """Return the check that some value of a list field matches."""
        plain = pattern.plain
        if plain is not None and (pattern.cased or not pattern.has_letters):
            return f"{self.text} intersects ({literal(plain)})"
        match pattern.parts:
            case [1, str(text), 1] if "\n" not in text:
                # found in the joined text only where it is inside one value
                operator = "contains" if pattern.cased else "icontains"
                return f'join("\\n", {self.text}) {operator} {literal(text)}'
        raise self.fault(
            "sigma-list-field",
            f"{self.text} yields several values, which Falco compares as they are "
            "written and as a whole, or searches for a piece of text",
            "write |cased or |contains, if that will do",
        )

    def _exactly(self, pattern: Pattern) -> str:
        """Return the check for a number, flag, address or network."""
        plain = pattern.plain
        if plain is None:
            raise self.fault(
                "sigma-wildcard",
                f"{self.text} is of type {self.info.type}, which has no wildcards",
                "give whole values",
            )
        value = _value_of(plain, self.info.type)
        if value is None:
            raise self.fault(
                "sigma-type",
                f"{plain!r} can never be a value of {self.text}, of type "
                f"{self.info.type}",
            )
        operator = f"intersects ({value})" if self.is_list else f"= {value}"
        return f"{self.text} {operator}"


def _value_of(text: str, type_: str) -> str | None:
    """Return the literal of a type for ``text``, None when there is none."""
    if type_ == "uint64" and text.isascii() and text.isdigit():
        return str(int(text)) if len(text) <= 20 and int(text) < 2**64 else None
    if type_ == "bool":
        return text.lower() if text.lower() in ("true", "false") else None
    try:
        if type_ == "ipaddr":
            address = ipaddress.ip_address(text)
            return literal(_colons(address.exploded, text))
        if type_ == "ipnet":
            network = ipaddress.ip_network(text)
            return literal(str(network)) if network.prefixlen else None
    except ValueError:
        return None
    return None


def _colons(exploded: str, text: str) -> str:
    """Return an address the way the engine reads one: no dots behind colons."""
    return exploded if ":" in text else text


def _glob(text: str) -> str:
    return "".join(f"\\{c}" if c in "\\*?[" else c for c in text)


def network_checks(field: FieldUse, cidr: str) -> str:
    """Return the check that an address lies in a network. Raises Inexpressible."""
    network = ipaddress.ip_network(cidr)
    if field.info.type == "ipnet" and network.prefixlen:
        operator = "intersects ({})" if field.is_list else "= {}"
        return f"{field.text} {operator.format(literal(str(network)))}"
    if field.info.type != "string" or field.is_list:
        kind = ("list of " if field.is_list else "") + field.info.type
        raise field.fault(
            "sigma-network",
            f"{field.text} is a {kind}, which Falco holds against no network",
        )
    if isinstance(network, ipaddress.IPv6Network):
        raise field.fault(
            "sigma-network",
            f"{field.text} holds addresses as text, and IPv6 has many spellings",
            "list the addresses that count",
        )
    full, bits = divmod(network.prefixlen, 8)
    octets = str(network.network_address).split(".")
    fixed = "".join(octet + "\\." for octet in octets[:full])
    if full == 4:
        return f"{field.text} = {literal(str(network.network_address))}"
    rest = [_OCTET] * (3 - full)
    if not bits:
        text = fixed + "\\.".join([_OCTET, *rest])
        return f"{field.text} regex {literal(text)}"
    first = int(octets[full])
    inside = _range(first, first + 2 ** (8 - bits) - 1)
    text = fixed + "\\.".join([inside, *rest])
    return f"{field.text} regex {literal(text)}"


def _range(first: int, last: int) -> str:
    """Return a pattern for the numbers from ``first`` to ``last``, in decimal."""
    found = []
    for ten in range(first // 10, last // 10 + 1):
        low, high = max(first - ten * 10, 0), min(last - ten * 10, 9)
        found.append(f"{ten or ''}[{low}-{high}]")
    return "(" + "|".join(found) + ")"
