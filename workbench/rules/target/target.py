"""What rules are checked against: sources, their fields, and plugin versions."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from workbench.arguments import described
from workbench.errors import ArgumentError
from workbench.fields.builtin import BUILTIN_FIELDS
from workbench.fields.declarations import FieldTable, as_field_table
from workbench.fields.reference import FieldFault, FieldRef, find_field
from workbench.fields.spelling import nearest_names

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping

    from workbench.fields.declarations import FieldInfo

__all__ = ["SYSCALL_FAMILIES", "Target", "target_key", "target_of"]

# Families of syscall fields; rules of that source are not run here, so
# their fields are only recognised, not checked.
SYSCALL_FAMILIES = frozenset(
    (
        "container",
        "evt",
        "fd",
        "fdlist",
        "fs",
        "group",
        "k8s",
        "k8smeta",
        "mesos",
        "proc",
        "span",
        "static",
        "syslog",
        "thread",
        "tracer",
        "user",
    )
)


class Target:
    """Known sources with their fields, and plugins with their versions.

    ``syscall`` is always known. ``exact``: every other source counts as unknown.
    """

    def __init__(
        self,
        sources: Mapping[str, Mapping[str, FieldInfo]],
        versions: Mapping[str, str] | None = None,
        *,
        versions_known: bool = True,
    ) -> None:
        """Take the fields of each source and the versions of the plugins."""
        self._sources = {name: as_field_table(f) for name, f in sources.items()}
        self.plugin_versions = dict(versions or {})
        self.versions_known = versions_known

    @property
    def sources(self) -> list[str]:
        """Names of the sources, without ``syscall``."""
        return [name for name in self._sources if name != "syscall"]

    def knows_source(self, source: str) -> bool:
        """Whether rules of ``source`` are looked at."""
        return source == "syscall" or source in self._sources

    def fields_of(self, source: str) -> FieldTable:
        """Return the fields of ``source`` without ``evt.*``."""
        return self._sources.get(source, FieldTable())

    def field_names(self) -> list[str]:
        """Return the names of the fields of every source."""
        return list(dict.fromkeys(n for table in self._sources.values() for n in table))

    def source_hint(self, source: str) -> str:
        """Suggest the right source for an unknown one."""
        if not self.sources:
            return "load the plugin that offers this source"
        near = nearest_names(source.strip("\"' "), self.sources)
        if near:
            return f"did you mean source: {near[0]}?"
        return (
            f"known here: {', '.join([*self.sources, 'syscall'])}; load the plugin "
            f"that offers {source}, or correct the source"
        )

    def field_fault(self, text: str, source: str) -> tuple[str | None, str] | None:
        """Check a field or call as exceptions name it.

        Returns None when it is usable; else a message (None: unknown) and a hint.
        """
        from workbench.rules.target.operands import check_operand

        if source == "syscall":
            return None
        return check_operand(text, self.fields_of(source))

    def syscall_field_known(self, name: str) -> bool:
        """Whether ``name`` may be a field of source ``syscall``."""
        if name.partition(".")[0] in SYSCALL_FAMILIES or name in BUILTIN_FIELDS:
            return True
        try:
            find_field(FieldRef(name), self.fields_of("syscall"))
        except FieldFault as fault:
            return fault.code != "unknown-field"
        return True


def target_of(known: Any) -> Target | None:
    """Make a target of a Plugin, Workbench or Events, several of them, or a mapping.

    None stays None: then nothing is known and fields are not checked. A mapping is
    source → fields. Raises ArgumentError for anything else.
    """
    if known is None or isinstance(known, Target):
        return known
    if isinstance(known, dict):
        return Target(known, versions_known=False)
    several: Iterable[Any] = known if isinstance(known, list | tuple) else (known,)
    sources: dict[str, dict[str, FieldInfo]] = {}
    versions: dict[str, str] = {}
    for one in several:
        if not hasattr(one, "fields_of"):
            raise ArgumentError(
                "rules are checked against plugins, a Workbench, Events or a mapping "
                f"source → fields, not against {described(one)}",
                argument="against",
            )
        for name in one.sources:
            table = sources.setdefault(name, {})
            for field_name, info in one.fields_of(name).items():
                table.setdefault(field_name, info)
        versions.update(one.plugin_versions)
    for name, table in sources.items():
        # what only extracts names no source, yet serves those of others
        for one in several:
            for field_name, info in one.fields_of(name).items():
                table.setdefault(field_name, info)
    return Target(sources, versions, versions_known=bool(versions))


def target_key(target: Target | None) -> Any:
    """Return what tells one target from another, for caches."""
    if target is None:
        return None
    return (
        tuple(
            (name, tuple(target.fields_of(name).values()))
            for name in [*target.sources, "syscall"]
        ),
        tuple(sorted(target.plugin_versions.items())),
        target.versions_known,
    )
