"""Libraries that lie around, asked what they are: their code runs for that.

Whoever put them there, nobody said yet that they may do anything. So each is loaded in
a worker that is bound to the sandbox; where this system has none, in a worker alone,
and that is said. ``workbench get`` itself never loads what it downloads.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Callable

    from workbench.manifest import Manifest

__all__ = ["Asker"]


class Asker:
    """Asks libraries what they are. ``notify``: told once if there is no sandbox."""

    def __init__(self, notify: Callable[[str], None]) -> None:
        """Ask nothing yet."""
        self._notify = notify
        self._told = False

    def __call__(self, path: str) -> Manifest:
        """Return what the library at ``path`` says of itself. Raises WorkbenchError."""
        from workbench.host.confine import missing_layers
        from workbench.session import inspect_library
        from workbench.session.sandbox import sandbox_policy

        missing = missing_layers()
        if not missing:
            policy = sandbox_policy(True, (), network=False)
            return inspect_library(path, policy.plan([path]) if policy else None)
        if not self._told:
            self._told = True
            self._notify(
                "plugins are asked for their version in a worker process that has "
                f"your rights, not in a sandbox: {missing[0]}"
            )
        return inspect_library(path)
