"""What Falco cannot express, before it is said for which rule."""

from __future__ import annotations

__all__ = ["Inexpressible"]


class Inexpressible(ValueError):
    """One construct of a Sigma rule that no condition says.

    ``code``: of the diagnostic. ``reason``: what it is. ``hint``: what to do, or "".
    ``field``: the field it is about, as the rule or the plugin names it, or "".
    """

    def __init__(
        self, code: str, reason: str, hint: str = "", *, field: str = ""
    ) -> None:
        """Keep the facts."""
        super().__init__(code, reason, hint)
        self.code = code
        self.reason = reason
        self.hint = hint
        self.field = field
