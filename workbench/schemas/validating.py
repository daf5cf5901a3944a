"""Hold a value against a schema of a stranger, in bounded steps and bounded time.

The schema is read as draft 7, as the real framework reads it. Evaluations are counted
and timed one by one, patterns are matched by RE2, references are never fetched.
"""

from __future__ import annotations

import contextlib
import sys
import time
from contextvars import ContextVar
from functools import cache
from itertools import islice
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

__all__ = ["UnusableSchemaError", "cut", "schema_errors"]

# A config of a real plugin takes some hundred.
_MOST_EVALUATIONS = 200_000
_DEADLINE_SEC = 5.0
_MOST_ERRORS = 1000
_LONGEST_MESSAGE = 1000
# What RE2 says of patterns that other engines know. They are not checked here.
_FOREIGN = (
    "invalid perl operator",
    "invalid escape sequence",
    "invalid repetition size",
    "pattern too large",
)


class UnusableSchemaError(ValueError):
    """A schema that is broken, refers elsewhere, or takes too long to evaluate."""


class _Budget:
    """What one validation may still cost."""

    def __init__(self) -> None:
        self._left = _MOST_EVALUATIONS
        self._deadline = time.monotonic() + _DEADLINE_SEC

    def spend(self) -> None:
        """Pay for one evaluation of a keyword."""
        self._left -= 1
        if self._left < 0:
            raise UnusableSchemaError(
                f"it takes more than {_MOST_EVALUATIONS:,} evaluations"
            )
        if time.monotonic() > self._deadline:
            raise UnusableSchemaError(f"it takes more than {_DEADLINE_SEC:g} s")


_BUDGET: ContextVar[_Budget] = ContextVar("budget")


def schema_errors(schema: Any, value: Any) -> list[Any]:
    """Return the errors of ``value``: jsonschema's, the most telling first, bounded.

    Patterns that RE2 does not know (look-around, references back) are left unchecked.
    Raises UnusableSchemaError when the schema cannot decide.
    """
    with _without_iri_grammar():
        from jsonschema.exceptions import best_match, relevance
    from referencing import Registry
    from referencing.exceptions import Unresolvable

    kind = _bounded_validator()
    token = _BUDGET.set(_Budget())
    try:
        _refuse(best_match(islice(kind(kind.META_SCHEMA).iter_errors(schema), 10)))
        # An empty registry: a reference to another document is never fetched.
        validator = kind(schema, registry=Registry())
        found = list(islice(validator.iter_errors(value), _MOST_ERRORS))
    except RecursionError:
        raise UnusableSchemaError("it refers to itself without end") from None
    except UnusableSchemaError:
        raise
    except (Unresolvable, LookupError, ValueError, TypeError) as fault:
        raise UnusableSchemaError(
            f"{type(fault).__name__}: {cut(str(fault))}"
        ) from None
    finally:
        _BUDGET.reset(token)
    first = best_match(found)
    found.sort(key=relevance, reverse=True)
    return found if first is None else [first, *(e for e in found if e is not first)]


def _refuse(broken: Any) -> None:
    """Raise for what makes a schema no schema, if anything does."""
    if broken is not None:
        place = "".join(f"[{step!r}]" for step in broken.absolute_path) or "<root>"
        raise UnusableSchemaError(f"at {place}: {cut(broken.message)}")


def cut(message: str) -> str:
    """Return a message of bounded length: errors quote the schema and the value."""
    whole = len(message) <= _LONGEST_MESSAGE
    return message if whole else message[:_LONGEST_MESSAGE] + "…"


@cache
def _bounded_validator() -> Any:
    """Return the validator of draft 7 with a budget, and RE2 for patterns."""
    import attrs

    with _without_iri_grammar():
        from jsonschema import Draft7Validator
        from jsonschema.validators import extend

    keywords = dict(Draft7Validator.VALIDATORS)
    keywords["pattern"] = _pattern
    keywords["patternProperties"] = _pattern_properties
    keywords["additionalProperties"] = _additional_properties
    kind = extend(Draft7Validator, {k: _counted(v) for k, v in keywords.items()})
    # The library's own goes over to a class without bounds wherever a schema, or its
    # target, holds "$schema".
    kind.evolve = attrs.evolve
    return kind


def _counted(evaluate: Any) -> Any:
    """Return a keyword's function that pays before it works."""

    def counted(validator: Any, given: Any, instance: Any, schema: Any) -> Any:
        _BUDGET.get().spend()
        return evaluate(validator, given, instance, schema)

    return counted


def _search(pattern: Any, text: str) -> bool | None:
    """Return whether RE2 finds ``pattern``; None for one that only others know."""
    compiled = _compiled(str(pattern))
    return None if compiled is None else compiled.search(text) is not None


@cache
def _re2_options() -> Any:
    import re2

    options = re2.Options()
    options.log_errors = False
    options.never_capture = True
    return options


def _compiled(pattern: str) -> Any:
    import re2

    try:
        return re2.compile(pattern, _re2_options())
    except re2.error as error:
        said = error.args[0] if error.args else ""
        said = said.decode("utf-8", "replace") if isinstance(said, bytes) else str(said)
        if said.startswith(_FOREIGN):
            return None
        raise UnusableSchemaError(f"pattern {cut(pattern)!r}: {said}") from None


def _pattern(_validator: Any, given: Any, instance: Any, _schema: Any) -> Iterator[Any]:
    from jsonschema import ValidationError

    if isinstance(instance, str) and _search(given, instance) is False:
        yield ValidationError(f"{instance!r} does not match {given!r}")


def _pattern_properties(
    validator: Any, given: Any, instance: Any, _schema: Any
) -> Iterator[Any]:
    if not isinstance(instance, dict):
        return
    for pattern, inner in given.items():
        for name, value in instance.items():
            _BUDGET.get().spend()
            if _search(pattern, name):
                yield from validator.descend(
                    value, inner, path=name, schema_path=pattern
                )


def _additional_properties(
    validator: Any, given: Any, instance: Any, schema: Any
) -> Iterator[Any]:
    from jsonschema import ValidationError

    if not isinstance(instance, dict):
        return
    extras = list(_extras(instance, schema))
    if isinstance(given, dict):
        for name in extras:
            yield from validator.descend(instance[name], given, path=name)
    elif not given and extras:
        names = ", ".join(map(repr, sorted(extras)))
        verb = "was" if len(extras) == 1 else "were"
        yield ValidationError(
            f"Additional properties are not allowed ({names} {verb} unexpected)"
        )


def _extras(instance: dict[str, Any], schema: dict[str, Any]) -> Iterable[str]:
    """Yield the names that neither properties nor patterns of a schema name."""
    properties = schema.get("properties", {})
    patterns = schema.get("patternProperties", {})
    for name in instance:
        if name in properties:
            continue
        found = False
        for pattern in patterns:
            _BUDGET.get().spend()
            # A pattern that RE2 does not know may name it.
            found = found or _search(pattern, name) is not False
        if not found:
            yield name


@contextlib.contextmanager
def _without_iri_grammar() -> Iterator[None]:
    """Import jsonschema without what only its check of IRIs needs.

    Where JupyterLab is installed that is a grammar which takes seconds to compile, and
    init configs are checked without formats, as the framework does.
    """
    name = "rfc3987_syntax"
    hide = "jsonschema" not in sys.modules and name not in sys.modules
    if hide:
        sys.modules[name] = None  # type: ignore[assignment]
    try:
        yield
    finally:
        if hide:
            sys.modules.pop(name, None)
