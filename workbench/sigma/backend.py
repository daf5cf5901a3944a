"""The backend of pySigma that writes Falco's conditions."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, ClassVar

from sigma.conditions import ConditionFieldEqualsValueExpression
from sigma.conversion.base import TextQueryBackend
from sigma.exceptions import SigmaFeatureNotSupportedByBackendError
from sigma.types import (
    SigmaBool,
    SigmaCasedString,
    SigmaCIDRExpression,
    SigmaCompareExpression,
    SigmaExists,
    SigmaExpansion,
    SigmaFieldReference,
    SigmaNull,
    SigmaNumber,
    SigmaRegularExpression,
    SigmaRegularExpressionFlag,
    SigmaString,
    SigmaTimestampPart,
    SpecialChars,
)

from workbench.condition import compile_condition
from workbench.errors import ConditionError
from workbench.fields.builtin import BUILTIN_FIELDS
from workbench.fields.spelling import names_ending_in, nearest_names
from workbench.sigma.checks import (
    MANY,
    ONE,
    FieldUse,
    Pattern,
    literal,
    network_checks,
)
from workbench.sigma.faults import Inexpressible
from workbench.sigma.regex import posix_pattern

if TYPE_CHECKING:
    from collections.abc import Mapping

    from workbench.fields.declarations import FieldInfo

__all__ = ["FalcoBackend"]

_SUFFIXES = {"LT": "<", "LTE": "<=", "GT": ">", "GTE": ">="}


class _Joined(str):
    """Several checks: they need parentheses beside others."""

    __slots__ = ()


def _joined(word: str, parts: list[str]) -> str | None:
    different = list(dict.fromkeys(parts))
    if len(different) < 2:
        return different[0] if different else None
    return _Joined(word.join(different))


class FalcoBackend(TextQueryBackend):
    """Converts Sigma rules for one event source.

    ``fields``: those of the source's plugins, by name. ``faults``: what the latest
    condition had that Falco cannot express, all of it; the text is then of no use.
    """

    name: ClassVar[str] = "Falco"
    formats: ClassVar[dict[str, str]] = {"default": "Falco conditions"}
    requires_pipeline: ClassVar[bool] = True

    def __init__(
        self,
        fields: Mapping[str, FieldInfo],
        processing_pipeline: Any = None,
        *,
        mapping: Mapping[str, str] | None = None,
        **options: Any,
    ) -> None:
        """Convert nothing yet. ``processing_pipeline``: maps Sigma's names.

        ``mapping``: what it maps, for suggestions.
        """
        super().__init__(processing_pipeline, **options)
        self.fields = fields
        self.mapping = mapping or {}
        self.faults: list[Inexpressible] = []
        self.used: dict[str, None] = {}

    # -- and, or, not ----------------------------------------------------------------

    def convert_condition_or(self, cond: Any, state: Any) -> Any:
        """Join alternatives; texts of one field become a set."""
        parts: list[str] = []
        groups: dict[tuple[str, bool], list[str]] = {}
        for arg in cond.args:
            key = self._plain_key(arg)
            if key is None:
                text = self._inner(arg, state)
                if text is not None:
                    parts.append(text)
                continue
            if key not in groups:
                groups[key] = []
                parts.append(f"\0{len(groups) - 1}")
            groups[key].append(str(_pattern(arg.value).plain))
        written = [
            self._field(name).one_of(values, cased=cased)
            for (name, cased), values in groups.items()
        ]
        parts = [written[int(p[1:])] if p[:1] == "\0" else p for p in parts]
        return _joined(" or ", parts)

    def _plain_key(self, arg: Any) -> tuple[str, bool] | None:
        """Return field and case of an equal text that can go into a set."""
        if not isinstance(arg, ConditionFieldEqualsValueExpression):
            return None
        if not isinstance(arg.value, SigmaString) or arg.value.contains_placeholder():
            return None
        info = self.fields.get(arg.field.partition("[")[0])
        pattern = _pattern(arg.value)
        plain = pattern.plain
        if info is None or info.type != "string" or info.is_list or plain is None:
            return None
        try:
            pattern.check_letters()
            literal(plain)
        except Inexpressible:
            return None
        return arg.field, pattern.cased

    def convert_condition_and(self, cond: Any, state: Any) -> Any:
        """Join what must all hold."""
        parts = [self._inner(arg, state) for arg in cond.args]
        return _joined(" and ", [part for part in parts if part is not None])

    def convert_condition_not(self, cond: Any, state: Any) -> Any:
        """Negate; an absent field makes a check false, and so its negation true."""
        text = self.convert_condition(cond.args[0], state)
        return None if text is None else f"not ({text})"

    def _inner(self, arg: Any, state: Any) -> str | None:
        text: str | None = self.convert_condition(arg, state)
        return f"({text})" if isinstance(text, _Joined) else text

    # -- checks ----------------------------------------------------------------------

    def convert_condition_field_eq_val(self, cond: Any, state: Any) -> Any:
        """Write one check; what cannot be written goes to ``faults``."""
        try:
            text = self._check(cond, state)
            if not isinstance(cond.value, SigmaExpansion):
                self._prove(text, cond.field)
        except Inexpressible as fault:
            fault.field = fault.field or cond.field
            self.faults.append(fault)
            return "evt.num exists"
        return text

    def convert_condition_val(self, cond: Any, _state: Any) -> Any:
        """Note a keyword: Falco searches fields, never a whole event."""
        reason = f"the keyword {cond.value} is searched in whole events"
        hint = "name the field that it stands in: Falco checks fields only"
        self.faults.append(Inexpressible("sigma-keyword", reason, hint))
        return "evt.num exists"

    def finish_query(self, rule: Any, query: Any, state: Any) -> Any:
        """Return the condition. Raises pySigma's error when it had faults."""
        if self.faults:
            first, self.faults = self.faults[0], []
            raise SigmaFeatureNotSupportedByBackendError(
                first.reason, source=rule.source
            )
        return super().finish_query(rule, query, state)

    def _known(self, name: str) -> FieldInfo:
        info = self.fields.get(name.partition("[")[0])
        if info is None:
            info = BUILTIN_FIELDS.get(name)
        if info is None:
            near = [
                f"{theirs} ({self.mapping[theirs]})"
                for theirs in nearest_names(name, self.mapping)
            ]
            near = near or names_ending_in(name.rpartition(".")[2], self.fields)
            near = near or nearest_names(name, self.fields)
            hint = f"did you mean {' or '.join(near)}? " if near else ""
            hint += "Map it with a pipeline, or leave the check out"
            reason = f"{name!r} is not a field of this source"
            raise Inexpressible("sigma-field", reason, hint, field=name)
        return info

    def _field(self, name: str) -> FieldUse:
        use = FieldUse(name, self._known(name))
        self.used[name] = None
        return use

    def _prove(self, text: str, field: str) -> None:
        """Raise Inexpressible for a check that the engine would refuse."""
        try:
            compile_condition(text, self.fields)
        except ConditionError as error:
            raise Inexpressible(
                "sigma-check", f"Falco refuses {text}: {error}", field=field
            ) from None

    def _check(self, cond: Any, state: Any) -> str:
        field, value = self._field(cond.field), cond.value
        if isinstance(value, SigmaExpansion):
            text: str = self.convert_condition_field_eq_expansion(cond, state)
            return text
        if isinstance(value, SigmaNull):
            return f"not {field.text} exists"
        if isinstance(value, SigmaExists):
            return f"{'' if value.exists else 'not '}{field.text} exists"
        if isinstance(value, SigmaString):
            if value.contains_placeholder():
                raise Inexpressible(
                    "sigma-placeholder",
                    f"the placeholder in {value} has no value",
                    "give it one with a pipeline, or write the values",
                )
            return field.matches(_pattern(value))
        if isinstance(value, SigmaTimestampPart):
            raise Inexpressible("sigma-time", "parts of times are not compared")
        if isinstance(value, SigmaNumber):
            return field.matches(Pattern((_number(field, value.number),)))
        if isinstance(value, SigmaBool):
            return field.matches(Pattern(("true" if value.boolean else "false",)))
        if isinstance(value, SigmaRegularExpression):
            return _regex(field, value)
        if isinstance(value, SigmaCIDRExpression):
            return network_checks(field, str(value.network))
        if isinstance(value, SigmaCompareExpression):
            return _compared(field, value)
        if isinstance(value, SigmaFieldReference):
            return self._reference(field, value)
        kind = type(value).__name__
        raise Inexpressible("sigma-value", f"values of the kind {kind} are not known")

    def _reference(self, field: FieldUse, value: Any) -> str:
        other = self._field(value.field)
        kinds = {(use.info.type, use.is_list) for use in (field, other)}
        if len(kinds) > 1 or field.is_list:
            raise Inexpressible(
                "sigma-fieldref",
                f"{field.text} and {other.text} are not two single values of one type",
            )
        both = value.starts_with and value.ends_with
        operator = "contains" if both else "="
        if value.starts_with != value.ends_with:
            operator = "startswith" if value.starts_with else "endswith"
        if not field.is_text:
            if operator != "=" or field.info.type == "ipnet":
                reason = f"{field.text} is of type {field.info.type}"
                raise Inexpressible("sigma-fieldref", reason)
            return f"{field.text} = val({other.text})"
        return f"tolower({field.text}) {operator} tolower({other.text})"


def _pattern(value: Any) -> Pattern:
    wild = {SpecialChars.WILDCARD_MULTI: MANY, SpecialChars.WILDCARD_SINGLE: ONE}
    parts = tuple(p if isinstance(p, str) else wild.get(p, MANY) for p in value.s)
    joined: list[Any] = []
    for part in parts or ("",):
        if joined and part == MANY == joined[-1]:
            continue
        if joined and isinstance(part, str) and isinstance(joined[-1], str):
            joined[-1] += part
        else:
            joined.append(part)
    return Pattern(tuple(joined), cased=isinstance(value, SigmaCasedString))


def _number(field: FieldUse, number: float) -> str:
    """Return a number as a field gives it. Raises Inexpressible."""
    whole = int(number)
    if whole != number or (whole < 0 and not field.is_text):
        kind = "text" if field.is_text else field.info.type
        raise field.fault(
            "sigma-number",
            f"{field.text} is {kind}; {number} may be written in several ways in a "
            "text, and is never a whole number of 0 or more",
        )
    return str(whole)


def _compared(field: FieldUse, value: Any) -> str:
    operator = _SUFFIXES.get(value.op.name)
    if not isinstance(value.number, SigmaNumber) or operator is None:
        raise field.fault("sigma-compare", f"{value.op.name} of this value")
    if field.info.type != "uint64" or field.is_list:
        kind = ("a list of " if field.is_list else "") + field.info.type
        raise field.fault(
            "sigma-number-in-text",
            f"{field.text} is {kind}: Falco would compare it as text, where 9 comes "
            "after 10",
            "list the values, or use a field that is a number",
        )
    return f"{field.text} {operator} {_number(field, value.number.number)}"


def _regex(field: FieldUse, value: Any) -> str:
    if not field.is_text or field.is_list:
        kind = ("a list of " if field.is_list else "") + field.info.type
        raise field.fault(
            "sigma-regex", f"{field.text} is {kind}: Falco matches single texts only"
        )
    flags = value.flags
    pattern = str(value.regexp)
    if SigmaRegularExpressionFlag.MULTILINE in flags and any(
        c in pattern for c in "^$"
    ):
        raise field.fault("sigma-regex", "anchors at every line (|m) are not known")
    fold = SigmaRegularExpressionFlag.IGNORECASE in flags
    dot_all = SigmaRegularExpressionFlag.DOTALL in flags
    text = posix_pattern(pattern, ignore_case=fold, dot_all=dot_all)
    return f"{field.folded(cased=not fold)} regex {literal(text)}"
