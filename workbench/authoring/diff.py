"""What changed between two builds of a plugin, and what that means for its version.

The guide for plugin authors asks for semantic versions: every release raises the patch
number, new fields the minor one, and whatever changes or removes a field, or its
meaning, the major one. Here that becomes a verdict: the change needed, against the
change declared.
"""

from __future__ import annotations

import re
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, Literal

from workbench.authoring.schema_diff import schema_changes
from workbench.formatting.html import escape, table, tag

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from workbench.fields.declarations import ArgInfo, FieldInfo
    from workbench.manifest import Manifest

__all__ = ["LEVELS", "Change", "Level", "PluginDiff", "compare_manifests"]

Level = Literal["none", "patch", "minor", "major"]
LEVELS: tuple[Level, ...] = ("none", "patch", "minor", "major")


@dataclass(frozen=True, slots=True)
class Change:
    """One difference: what it is about, old and new value, and the version it needs."""

    subject: str
    what: str
    level: Level
    old: Any = None
    new: Any = None

    def to_dict(self) -> dict[str, Any]:
        """Return plain data for JSON."""
        return {
            "subject": self.subject,
            "what": self.what,
            "level": self.level,
            "old": self.old,
            "new": self.new,
        }


@dataclass(slots=True)
class PluginDiff:
    """The verdict on two builds.

    ``changes``: largest first. ``needed``: the version change that they need.
    ``declared``: the one that the two version strings show ("none" also when the
    version went down). ``values``: the first differing values of fields on the same
    events, a list of dict, when events were compared.
    """

    old_version: str
    new_version: str
    changes: list[Change]
    identical: bool = False
    values: list[dict[str, Any]] = field(default_factory=list)

    @property
    def needed(self) -> Level:
        """The version change that the differences need."""
        if self.identical and not self.changes:
            return "none"
        levels = [LEVELS.index(change.level) for change in self.changes]
        return LEVELS[max([LEVELS.index("patch"), *levels])]

    @property
    def declared(self) -> Level:
        """The version change between the two version strings."""
        old, new = _numbers(self.old_version), _numbers(self.new_version)
        if new <= old:
            return "none"
        for level, a, b in zip(("major", "minor", "patch"), old, new, strict=True):
            if a != b:
                return level  # type: ignore[return-value]  # zip widens the literals
        return "none"

    @property
    def sufficient(self) -> bool:
        """Whether the declared change covers the needed one."""
        return LEVELS.index(self.declared) >= LEVELS.index(self.needed)

    def to_dict(self) -> dict[str, Any]:
        """Return the JSON form of ``workbench diff --json``."""
        return {
            "needed": self.needed,
            "declared": self.declared,
            "sufficient": self.sufficient,
            "old_version": self.old_version,
            "new_version": self.new_version,
            "changes": [change.to_dict() for change in self.changes],
            "values": self.values,
        }

    def verdict(self) -> str:
        """Return one sentence: the version that the change needs."""
        step = f"{self.old_version} → {self.new_version}"
        if self.needed == "none":
            return f"nothing changed ({step})"
        if self.sufficient:
            return f"{step} covers a {self.needed} change"
        wanted = _raised(self.old_version, self.needed)
        return f"{step} is not enough for a {self.needed} change: use {wanted} or later"

    def __repr__(self) -> str:
        """Return the verdict and one line per change."""
        lines = [f"  {c.level:5}  {c.subject}: {c.what}" for c in self.changes]
        shown = [
            f"  value  {v['field']} at event {v['evt.num']}: "
            f"{v['old']!r} → {v['new']!r}"
            for v in self.values[:20]
        ]
        return "\n".join([self.verdict(), *lines, *shown])

    def _repr_html_(self) -> str:
        rows = [(c.level, c.subject, c.what) for c in self.changes]
        return tag("p", escape(self.verdict())) + table(
            ("needs", "about", "change"), rows
        )


def _numbers(version: str) -> tuple[int, int, int]:
    match = re.match(r"(\d+)\.(\d+)\.(\d+)", version)
    if match is None:
        return (0, 0, 0)
    return (int(match[1]), int(match[2]), int(match[3]))


def _raised(version: str, level: Level) -> str:
    major, minor, patch = _numbers(version)
    if level == "major":
        return f"{major + 1}.0.0"
    return (
        f"{major}.{minor + 1}.0" if level == "minor" else f"{major}.{minor}.{patch + 1}"
    )


def compare_manifests(
    old: Manifest, new: Manifest, *, identical: bool = False
) -> PluginDiff:
    """Compare what two builds say about themselves.

    ``identical``: the two files are the same bytes. Returns a PluginDiff.
    """
    changes = [
        *_info_changes(old, new),
        *_word_changes("capability", old.capabilities, new.capabilities),
        *_source_changes("extract event sources", old, new),
        *_word_changes("async event", old.async_events, new.async_events),
        *_field_changes(old, new),
        *(
            Change("init schema", what, level)
            for what, level in schema_changes(old.init_schema, new.init_schema)
        ),
    ]
    changes.sort(key=lambda change: -LEVELS.index(change.level))
    return PluginDiff(old.version, new.version, changes, identical)


# Attribute of a manifest → (words, version change that a difference needs).
_INFO: dict[str, tuple[str, Level]] = {
    "name": ("name", "major"),
    "id": ("plugin ID", "major"),
    "event_source": ("event source", "major"),
    "description": ("description", "patch"),
    "contact": ("contact", "patch"),
}


def _info_changes(old: Manifest, new: Manifest) -> Iterator[Change]:
    for attribute, (words, level) in _INFO.items():
        a, b = getattr(old, attribute), getattr(new, attribute)
        if a != b:
            yield Change(words, f"{a!r} → {b!r}", level, a, b)
    a, b = old.required_api_version, new.required_api_version
    if a != b:
        level = "major" if _numbers(a)[0] != _numbers(b)[0] else "patch"
        yield Change("plugin API version", f"{a} → {b}", level, a, b)


def _word_changes(
    subject: str, old: Sequence[str], new: Sequence[str]
) -> Iterator[Change]:
    for word in old:
        if word not in new:
            yield Change(f"{subject} {word}", "removed", "major", word, None)
    for word in new:
        if word not in old:
            yield Change(f"{subject} {word}", "added", "minor", None, word)


def _source_changes(subject: str, old: Manifest, new: Manifest) -> Iterator[Change]:
    a, b = old.extract_event_sources, new.extract_event_sources
    if "extraction" not in old.capabilities or "extraction" not in new.capabilities:
        return
    if bool(a) == bool(b):
        yield from _word_changes(subject, a, b)
    elif a:
        yield Change(subject, f"{', '.join(a)} → any", "minor", list(a), [])
    else:
        yield Change(subject, f"any → {', '.join(b)}", "major", [], list(b))


def _field_changes(old: Manifest, new: Manifest) -> Iterator[Change]:
    for name, was in old.fields.items():
        subject = f"field {name}"
        if name not in new.fields:
            yield Change(subject, "removed", "major", was.to_dict(), None)
        else:
            yield from _one_field(subject, was, new.fields[name])
    for name, now in new.fields.items():
        if name not in old.fields:
            yield Change(f"field {name}", "added", "minor", None, now.to_dict())


def _one_field(subject: str, was: FieldInfo, now: FieldInfo) -> Iterator[Change]:
    if was.type != now.type:
        what = f"type {was.type} → {now.type}"
        yield Change(subject, what, "major", was.type, now.type)
    if was.is_list != now.is_list:
        words = {True: "a list", False: "a single value"}
        what = f"{words[was.is_list]} → {words[now.is_list]}"
        yield Change(subject, what, "major", was.is_list, now.is_list)
    if was.arg != now.arg:
        yield _argument_change(subject, was.arg, now.arg)
    for attribute in ("desc", "display"):
        a, b = getattr(was, attribute), getattr(now, attribute)
        if a != b:
            yield Change(subject, f"{attribute} {a!r} → {b!r}", "patch", a, b)


def _argument_change(subject: str, was: ArgInfo | None, now: ArgInfo | None) -> Change:
    """Return the change of an argument: minor if every valid reference stays valid."""
    a = was.to_dict() if was else None
    b = now.to_dict() if now else None
    bare_before = was is None or not was.required
    bare_after = now is None or not now.required
    kept = (
        (not bare_before or bare_after)
        and (was is None or now is not None)
        and (was is None or now is None or (was.key <= now.key))
        and (was is None or now is None or (was.index <= now.index))
    )
    level: Level = "minor" if kept else "major"
    words = "accepts more arguments" if kept else "accepts other arguments"
    return Change(subject, words, level, a, b)
