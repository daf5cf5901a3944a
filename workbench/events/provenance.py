"""Which plugins events come from, and what these can still tell of them."""

from __future__ import annotations

from typing import TYPE_CHECKING

from workbench.arguments import TEXT, takes
from workbench.fields.declarations import FieldTable

if TYPE_CHECKING:
    from workbench.events.columns import DerivedColumns
    from workbench.events.origin import Origin

__all__ = ["Provenance"]


class Provenance:
    """The part of Events that answers for their plugins."""

    _fields: FieldTable
    _maker: DerivedColumns
    _origin: Origin

    if TYPE_CHECKING:

        @property
        def source(self) -> str:
            """Event source of all the events."""

        @property
        def sources(self) -> list[str]:
            """Event sources of the events."""

    @takes(source=TEXT)
    def fields_of(self, source: str) -> FieldTable:
        """Return the fields usable in rules of ``source``, without ``evt.*``."""
        if source not in self.sources:
            return FieldTable()
        extractor = self._maker.extractor
        if self.source or extractor is None:
            return self._fields
        return extractor.fields_of(source)

    @property
    def plugin_versions(self) -> dict[str, str]:
        """Name → version of the plugins that made these events and fields, if known."""
        origin = self._origin
        versions = dict(getattr(self._maker.extractor, "plugin_versions", {}))
        kept = origin.extra.get("plugins")
        if isinstance(kept, dict):
            versions |= {str(name): str(version) for name, version in kept.items()}
        if origin.plugin is not None and origin.plugin_version is not None:
            versions[origin.plugin] = origin.plugin_version
        return versions

    @property
    def stateful(self) -> bool:
        """Whether further fields depend on the events before: plugins keep state."""
        ask = getattr(self._maker.extractor, "stateful", None)
        return bool(ask is not None and ask(self.source))

    @property
    def libraries(self) -> list[tuple[str, str]]:
        """Name or path, and init config, of the plugins that fields come from."""
        return list(getattr(self._maker.extractor, "libraries", ()))
