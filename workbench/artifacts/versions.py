"""Versions of artifacts: which one will do for another."""

from __future__ import annotations

import re
from dataclasses import dataclass
from functools import total_ordering
from typing import TYPE_CHECKING, Final

from workbench.artifacts.faults import ArtifactFault

if TYPE_CHECKING:
    from collections.abc import Iterable

    from workbench.artifacts.layout import Requirement

__all__ = ["PROVIDED", "Version", "check_requirements", "newest", "will_do"]

# What artifacts may require, and the newest of it that works here. The first is the
# plugin API of the plugin host, the others the version of the rules engine.
PROVIDED: Final = {
    "plugin_api_version": "3.12.0",
    "engine_version_semver": "0.62.0",
    "engine_version": "0.62.0",
}

_SEMVER: Final = re.compile(
    r"v?(\d{1,9})\.(\d{1,9})(?:\.(\d{1,9}))?"
    r"(?:-([0-9A-Za-z.-]{1,100}))?(?:[+_][0-9A-Za-z.-]{1,100})?"
)


@total_ordering
@dataclass(frozen=True, slots=True)
class Version:
    """A semantic version. ``pre``: parts of the pre-release, () for a release."""

    numbers: tuple[int, int, int]
    pre: tuple[str, ...] = ()

    @classmethod
    def parse(cls, text: str) -> Version | None:
        """Return the version that ``text`` is, None when it is something else."""
        match = _SEMVER.fullmatch(text)
        if match is None:
            return None
        major, minor, patch, pre = match.groups()
        return cls(
            (int(major), int(minor), int(patch or 0)),
            tuple(pre.split(".")) if pre else (),
        )

    @property
    def major(self) -> int:
        """The number whose change breaks what was built on it."""
        return self.numbers[0]

    def _key(self) -> tuple[object, ...]:
        # numbers come before words, and any pre-release before the release
        parts = [(0, int(p), "") if p.isdigit() else (1, 0, p) for p in self.pre]
        return (*self.numbers, not self.pre, parts)

    def __lt__(self, other: Version) -> bool:
        return self._key() < other._key()


def will_do(present: str, wanted: str) -> bool:
    """Whether version ``present`` serves who wants ``wanted``: as falcoctl decides.

    The same major number, and not older.
    """
    here, there = Version.parse(present), Version.parse(wanted)
    if here is None or there is None:
        return present == wanted
    return here.major == there.major and here >= there


def newest(tags: Iterable[str], limit: int) -> list[str]:
    """Return up to ``limit`` of the tags that are versions, newest first."""
    known = {tag: found for tag in tags if (found := Version.parse(tag))}
    return sorted(known, key=lambda tag: known[tag], reverse=True)[:limit]


def check_requirements(requirements: Iterable[Requirement]) -> None:
    """Raise ArtifactFault when an artifact needs more than there is here.

    Plugin APIs of older major numbers are all served. Requirements of a name that is
    not known say nothing about the workbench.
    """
    for entry in requirements:
        provided = PROVIDED.get(entry.name)
        wanted = Version.parse(entry.version)
        if provided is None or wanted is None:
            continue
        here = Version.parse(provided)
        if here is not None and wanted > here:
            what = "plugin API" if entry.name.startswith("plugin") else "rules engine"
            raise ArtifactFault(
                "requirement",
                f"it needs version {entry.version} of the {what}; this workbench "
                f"has {provided}",
                "ask for an older version of it, or update the workbench",
            )
