"""The framework's rules across plugins that are loaded together.

Which plugin answers for a field, whether names, ids and fields clash, and whether a
plugin is of any use; the messages are the framework's own, with a hint behind.
"""

from __future__ import annotations

import warnings
from typing import TYPE_CHECKING

from workbench.errors import PluginLoadError
from workbench.fields.builtin import BUILTIN_FIELDS
from workbench.fields.declarations import FieldTable
from workbench.formatting.printable import printable

if TYPE_CHECKING:
    from collections.abc import Sequence

    from workbench.fields.declarations import FieldInfo
    from workbench.manifest import Manifest

__all__ = [
    "check_registration",
    "compatible",
    "fields_of",
    "known_sources",
    "shares_source",
    "source_name",
    "tell_of_falco",
    "unused",
]

# The source of events that belong to no plugin: raw sources produce these.
SYSCALL = "syscall"


def source_name(manifest: Manifest) -> str:
    """Return the event source of a sourcing plugin; raw sources feed ``syscall``."""
    return manifest.event_source or SYSCALL


def known_sources(manifests: Sequence[Manifest]) -> list[str]:
    """Return the event sources of ``manifests``, each once, in loading order."""
    names = [source_name(m) for m in manifests if "sourcing" in m.capabilities]
    return list(dict.fromkeys(names))


def shares_source(one: Manifest, other: Manifest) -> bool:
    """Return whether both open the same event source: only one can be opened by it."""
    both = "sourcing" in one.capabilities and "sourcing" in other.capabilities
    return both and source_name(one) == source_name(other)


def compatible(manifest: Manifest, source: str) -> bool:
    """Return whether a plugin extracts fields from events of ``source``."""
    if "extraction" not in manifest.capabilities:
        return False
    own = manifest.event_source if "sourcing" in manifest.capabilities else ""
    wanted = {*manifest.extract_event_sources, *([own] if own else [])}
    return not wanted or source in wanted


def _refuse(manifest: Manifest, message: str, hint: str) -> PluginLoadError:
    return PluginLoadError(
        f"cannot load plugin {manifest.path}: {message}\n{hint}",
        path=manifest.path,
        complaints=[message],
    )


def check_registration(present: Sequence[Manifest], manifest: Manifest) -> None:
    """Check a plugin against those already loaded. Raises PluginLoadError."""
    name, number = manifest.name, manifest.id
    for other in present:
        if other.name == name:
            raise _refuse(
                manifest,
                f"found another plugin with name {name}. Aborting.",
                f"{other.path} is loaded under this name already; close it first, "
                "or load the other build into a Workbench of its own",
            )
        if number and other.id == number and "sourcing" in other.capabilities:
            raise _refuse(
                manifest,
                f"found another plugin with ID {number}. Aborting.",
                f"{other.name} has this plugin ID; event sources loaded together "
                "need different ones",
            )
    together = [*present, manifest]
    for source in known_sources(together) or [""]:
        _check_overlap(together, source, newest=manifest)


def _check_overlap(
    together: Sequence[Manifest], source: str, *, newest: Manifest
) -> None:
    owners: dict[str, str] = dict.fromkeys(BUILTIN_FIELDS, "the engine itself")
    for manifest in together:
        if not (compatible(manifest, source) or (not source and manifest is newest)):
            continue
        for field in manifest.fields:
            if field in owners:
                shown = source or SYSCALL
                raise _refuse(
                    newest,
                    f"Plugin '{manifest.name}' supports extraction of field '{field}' "
                    f"that is overlapping for source '{shown}'",
                    f"the field belongs to {owners[field]} already",
                )
        owners.update(dict.fromkeys(manifest.fields, f"plugin {manifest.name}"))


def unused(manifests: Sequence[Manifest]) -> list[Manifest]:
    """Return the extractors that fit none of the sources present."""
    sources = [*known_sources(manifests), SYSCALL]
    return [
        m
        for m in manifests
        if m.capabilities
        and "sourcing" not in m.capabilities
        and "extraction" in m.capabilities
        and not any(compatible(m, s) for s in sources)
    ]


def fields_of(
    manifests: Sequence[Manifest], source: str
) -> tuple[FieldTable, dict[str, int]]:
    """Return the fields usable for ``source``, and which plugin answers for each.

    Plugins are asked in loading order, and the first with a field whose name begins
    the text wins: a later plugin's field that begins with such a name is out of reach.
    """
    found: list[FieldInfo] = []
    owners: dict[str, int] = {}
    for number, manifest in enumerate(manifests):
        if not compatible(manifest, source):
            continue
        earlier = tuple(owners)
        for name, info in manifest.fields.items():
            if not name.startswith(earlier):
                owners[name] = number
                found.append(info)
    return FieldTable(found), owners


# Path and API version of the plugins that were told of.
_TOLD: set[tuple[str, str]] = set()


def tell_of_falco(manifest: Manifest) -> None:
    """Warn once in this process of a plugin that Falco itself does not load."""
    key = (manifest.path, manifest.required_api_version)
    if manifest.falco_refusal and key not in _TOLD:
        _TOLD.add(key)
        name = printable(manifest.name, limit=80)
        warnings.warn(f"{name}: {manifest.falco_refusal}", UserWarning, stacklevel=3)
