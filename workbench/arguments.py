"""Arguments of public functions: that they are what they must be, before any work.

:func:`takes` stands above a function and names the kind of each argument worth a look;
a value of another kind is an ArgumentError that names function, argument and value.
"""

from __future__ import annotations

import functools
import os
from collections.abc import Callable, Iterable, Iterator
from numbers import Integral, Real
from typing import Any, ParamSpec, TypeVar

from workbench.errors import ArgumentError

__all__ = [
    "BYTES",
    "CHOICE",
    "CONFIG",
    "FLAG",
    "PATH",
    "PATHS",
    "SECONDS",
    "TEXT",
    "TEXTS",
    "Kind",
    "described",
    "either",
    "several",
    "takes",
    "wrong",
]

P = ParamSpec("P")
R = TypeVar("R")

_MAX_SHOWN = 60


class Kind:
    """What an argument may be: in words, and a function that tells."""

    def __init__(self, words: str, fits: Callable[[Any], bool]) -> None:
        """Keep both."""
        self.words = words
        self.fits = fits


def described(value: Any) -> str:
    """Return a value for a message: plain ones as written, others by their type."""
    if value is None or isinstance(value, bool | int | float | str | bytes):
        text = repr(value)
        return text if len(text) <= _MAX_SHOWN else text[: _MAX_SHOWN - 1] + "…"
    if isinstance(value, type):
        return f"the class {value.__name__}"
    kind = type(value)
    if kind.__name__ in ("EventFrame", "EventSeries"):
        kind = kind.__mro__[1]  # pandas' own to those who use them
    return f"a {kind.__name__}"


def wrong(function: str, name: str, words: str, value: Any) -> ArgumentError:
    """Return the error for an argument that is not what ``words`` say."""
    # an init config may hold secrets
    hidden = name == "config" and isinstance(value, str)
    shown = "this text" if hidden else described(value)
    return ArgumentError(
        f"{function}: {name} must be {words}, not {shown}", argument=name
    )


def either(kind: Kind, *others: Any) -> Kind:
    """Return ``kind`` that takes some single values, such as None, too."""
    words = " or ".join([kind.words, *map(str, others)])
    return Kind(
        words, lambda value: any(value is o for o in others) or kind.fits(value)
    )


def _is_text(value: Any) -> bool:
    return isinstance(value, str)


def _is_path(value: Any) -> bool:
    if not isinstance(value, str | os.PathLike):
        return False
    name = os.fspath(value)
    return isinstance(name, str) and "\0" not in name


def several(fits: Callable[[Any], bool]) -> Callable[[Any], bool]:
    """Return whether a value is a collection of what fits, and no single one."""

    def all_fit(value: Any) -> bool:
        if isinstance(value, str | bytes | os.PathLike):
            return False
        if not isinstance(value, Iterable) or hasattr(value, "columns"):
            return False
        # An iterator is used up by looking: only its kind can be told.
        return isinstance(value, Iterator) or all(map(fits, value))

    return all_fit


def _is_flag(value: Any) -> bool:
    return isinstance(value, bool) or type(value).__name__ in {"bool_", "bool"}


def _is_config(value: Any) -> bool:
    columns = hasattr(value, "columns") or hasattr(value, "dtype")
    return (
        value is None
        or isinstance(value, str)
        or (hasattr(value, "keys") and not columns)
    )


def _is_positive(number: type) -> Callable[[Any], bool]:
    return lambda v: isinstance(v, number) and not isinstance(v, bool) and v > 0  # type: ignore[operator]


TEXT = Kind("a text", _is_text)
TEXTS = Kind("a list of texts", several(_is_text))
PATH = Kind("a path (a text or a Path)", _is_path)
PATHS = Kind("a list of paths", lambda v: _is_path(v) or several(_is_path)(v))
FLAG = Kind("True or False", _is_flag)
CHOICE = either(FLAG, None)
CONFIG = Kind("a dict, a text or None", _is_config)
SECONDS = either(Kind("a number of seconds above 0", _is_positive(Real)), None)
BYTES = either(Kind("a whole number of bytes above 0", _is_positive(Integral)), None)


def takes(**kinds: Kind) -> Callable[[Callable[P, R]], Callable[P, R]]:
    """Return a decorator that holds each argument named in ``kinds`` to its kind.

    An argument collected by ``*name`` is held to it one by one. What is left out has
    its default, which is not looked at. Raises ArgumentError on a call.
    """

    def decorate(function: Callable[P, R]) -> Callable[P, R]:
        code = function.__code__
        count, more = code.co_argcount, code.co_argcount + code.co_kwonlyargcount
        names = code.co_varnames[:count]
        rest = code.co_varnames[more] if code.co_flags & 4 else ""
        title = function.__qualname__.removesuffix(".__init__")

        @functools.wraps(function)
        def checked(*args: P.args, **kwargs: P.kwargs) -> R:
            given = [*zip(names, args, strict=False), *kwargs.items()]
            given += [(rest, value) for value in args[count:]]
            for name, value in given:
                kind = kinds.get(name)
                if kind is not None and not kind.fits(value):
                    called = title
                    if names[:1] == ("self",) and title.endswith(function.__name__):
                        # Of the class that people use, not the one it inherits from.
                        called = f"{type(args[0]).__name__}.{function.__name__}"
                    raise wrong(called, name, kind.words, value)
            return function(*args, **kwargs)

        return checked

    return decorate
