"""What Plugin and Workbench share: a session pool and what its plugins say."""

from __future__ import annotations

from typing import TYPE_CHECKING

from workbench.arguments import TEXT, takes
from workbench.closing import Closing
from workbench.plugins.compatibility import fields_of
from workbench.plugins.extraction import PoolExtractor

if TYPE_CHECKING:
    from workbench.events.events import Events
    from workbench.fields.declarations import FieldTable
    from workbench.manifest import Manifest
    from workbench.plugins.pool import SessionPool
    from workbench.session.sandbox import Sandbox
    from workbench.session.types import LogLine

__all__ = ["PluginGroup"]


class PluginGroup(Closing):
    """Plugins loaded together, over the session pool they run in."""

    def __init__(self, pool: SessionPool) -> None:
        """Stand for the plugins of ``pool``."""
        self.pool = pool

    @property
    def manifests(self) -> list[Manifest]:
        """What the plugins loaded together say of themselves, in loading order."""
        return [m.manifest for m in self.pool.loaded_plugins]

    @property
    def plugin_versions(self) -> dict[str, str]:
        """Name → version of the plugins loaded together."""
        return {m.name: m.version for m in self.manifests}

    @takes(source=TEXT)
    def fields_of(self, source: str) -> FieldTable:
        """Return the fields usable in rules of ``source``, without ``evt.*``."""
        return fields_of(self.manifests, source)[0]

    @property
    def extractor(self) -> PoolExtractor:
        """Who extracts further fields of stored events."""
        return PoolExtractor(self.pool)

    @property
    def last_events(self) -> Events | None:
        """What the latest capture had read when it was interrupted or failed."""
        return self.pool.last_events

    @property
    def log(self) -> list[LogLine]:
        """What the plugins logged and printed so far, oldest first, bounded."""
        return self.pool.log()

    @property
    def sandbox(self) -> Sandbox | None:
        """What binds the plugins and what they were denied; None outside a sandbox."""
        return self.pool.sandbox_shown()
