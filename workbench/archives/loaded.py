"""Plugins of an archive in this process: loaded by name when first needed.

A Dask worker cannot be sent a plugin; it gets name or path, and loads its own.
"""

from __future__ import annotations

import threading
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from workbench.arguments import described
from workbench.errors import ArgumentError

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping, Sequence

__all__ = ["PluginSpec", "Plugins", "close_loaded", "plugins_of", "specs_of"]


@dataclass(frozen=True, slots=True)
class PluginSpec:
    """How each worker loads a plugin: as ``wb.load`` takes it.

    ``options``: further keywords of ``wb.load``, such as ``(("sandbox", True),)``.
    """

    name: str
    config: str | None = None
    options: tuple[tuple[str, Any], ...] = ()

    def load(self) -> Any:
        """Load the plugin in this process (in a worker of its own)."""
        from workbench.plugins.plugin import load

        return load(self.name, config=self.config, **dict(self.options))


@dataclass(frozen=True, slots=True)
class Plugins:
    """The plugins of an archive. ``given``: loaded ones, used in this process alone."""

    specs: tuple[PluginSpec, ...] = ()
    given: tuple[Any, ...] = ()

    def __bool__(self) -> bool:
        """Whether there are any."""
        return bool(self.specs or self.given)

    def __reduce__(self) -> tuple[Any, ...]:
        """Travel as names: what is loaded here stays here."""
        return Plugins, (tuple(self._portable()), ())

    def _portable(self) -> Iterable[PluginSpec]:
        yield from self.specs
        for plugin in self.given:
            if getattr(plugin, "sandbox", None) is not None:
                raise ArgumentError(
                    "a sandboxed plugin cannot be sent to Dask workers as it is; give "
                    "its name: PluginSpec(name, options=(('sandbox', True),))",
                    argument="plugins",
                )
            for name, config in plugin.extractor.libraries:
                yield PluginSpec(name, config)


def specs_of(plugins: Any) -> Plugins:
    """Return names, paths and loaded plugins in one form. Raises ArgumentError."""
    if isinstance(plugins, str) or not isinstance(plugins, list | tuple | set):
        plugins = (plugins,)
    specs, given = [], []
    for plugin in plugins:
        if isinstance(plugin, PluginSpec):
            specs.append(plugin)
        elif hasattr(plugin, "manifests") and hasattr(plugin, "extractor"):
            given.append(plugin)
        elif isinstance(plugin, str) or hasattr(plugin, "__fspath__"):
            specs.append(PluginSpec(str(plugin)))
        else:
            raise ArgumentError(
                "archive takes plugins by name, by path or loaded, not "
                f"{described(plugin)}",
                argument="plugins",
            )
    return Plugins(tuple(specs), tuple(given))


class _Loaded:
    """The plugins of this process by specification, each loaded once."""

    def __init__(self) -> None:
        self.lock = threading.Lock()
        self.by_spec: dict[PluginSpec, Any] = {}

    def get(self, spec: PluginSpec) -> Any:
        with self.lock:
            if spec not in self.by_spec:
                self.by_spec[spec] = spec.load()
            return self.by_spec[spec]

    def close(self) -> None:
        with self.lock:
            while self.by_spec:
                self.by_spec.popitem()[1].close()


_LOADED = _Loaded()


def plugins_of(plugins: Plugins) -> Sequence[Any]:
    """Return the plugins, loaded in this process when that was not done before."""
    return [*map(_LOADED.get, plugins.specs), *plugins.given]


def close_loaded() -> None:
    """Close what :func:`plugins_of` loaded in this process."""
    _LOADED.close()


def source_ids(plugins: Iterable[Any]) -> Mapping[int, str]:
    """Return plugin ID → event source, for files that keep the ID alone."""
    return {m.id: m.event_source for p in plugins for m in p.manifests if m.id}
