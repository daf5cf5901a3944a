"""How pySigma checks regular expressions while it reads rules."""

from __future__ import annotations

import re
from typing import Any

import re2
from sigma.policy import SigmaPolicy
from sigma.policy.regex_engine import RegexEngine

__all__ = ["reading_policy"]


class _Engine(RegexEngine):
    """RE2, which takes no pattern long; Python's where RE2 lacks something.

    What Python alone knows is never run: the backend refuses it with its reason.
    """

    def compile(self, pattern: str, flags: int = 0) -> Any:
        """Return the compiled pattern. Raises re.error."""
        options = re2.Options()
        options.log_errors = False
        try:
            return re2.compile(pattern, options)
        except re2.error:
            return re.compile(pattern, flags)

    @property
    def error(self) -> type[Exception]:
        """What :meth:`compile` raises."""
        return re.error


def reading_policy() -> SigmaPolicy:
    """Return the settings to read rules of strangers with."""
    return SigmaPolicy(regex_engine=_Engine())
