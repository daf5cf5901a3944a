"""One part of the lab as the browser knows it: a name, a state, messages.

Parts are no widgets: the lab's one widget carries all of them, and everything that
changed in one round goes to the browser in one message.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Callable

__all__ = ["Part"]


class Part:
    """State to show under a name, and handlers for what the browser asks.

    ``state``: what is shown, JSON. Changed keys wait in ``fresh`` until the lab sends
    them; ``passing`` goes along once and is not kept.
    """

    def __init__(self, name: str, **state: Any) -> None:
        self.name = name
        self.state: dict[str, Any] = state
        self.fresh: dict[str, Any] = {}
        self._handlers: dict[str, Callable[..., Any]] = {}

    def put(self, **values: Any) -> None:
        """Change parts of the state; only what is different will be sent."""
        changed = {k: v for k, v in values.items() if self.state.get(k, ...) != v}
        self.state.update(changed)
        self.fresh.update(changed)

    def passing(self, **values: Any) -> None:
        """Send values once, with the next message, without keeping them."""
        self.fresh.update(values)

    def take_fresh(self) -> dict[str, Any]:
        """Return what is to be sent, and forget that it is."""
        fresh, self.fresh = self.fresh, {}
        return fresh

    def handle(self, **handlers: Callable[..., Any]) -> None:
        """Register handlers by the names of their messages."""
        self._handlers.update(handlers)

    def receive(self, do: str, **arguments: Any) -> Any:
        """Take one message; what the handler returns answers it."""
        handler = self._handlers.get(do)
        return None if handler is None else handler(**arguments)
