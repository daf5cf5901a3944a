"""What a Sigma rule says around its condition: name, description, priority, tags."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Any

from workbench.rules.model.model import Rule

if TYPE_CHECKING:
    from collections.abc import Iterable

__all__ = ["description", "falco_rule", "priority_of", "tags_of"]

# Sigma's level → Falco's priority; a rule without a level is a medium one.
_PRIORITIES = {
    "informational": "INFO",
    "low": "NOTICE",
    "medium": "WARNING",
    "high": "ERROR",
    "critical": "CRITICAL",
}
_TECHNIQUE = re.compile(r"[tgs]\d{4}(\.\d{3})?", re.IGNORECASE)
_BLANKS = re.compile(r"\s+")
_FIELDS_SHOWN = 12
_MAX_TEXT = 4000


def _line(text: Any) -> str:
    """Return a text of the rule on one line."""
    shown = "".join(c if c.isprintable() else " " for c in str(text))
    return _BLANKS.sub(" ", shown).strip()[:_MAX_TEXT]


def priority_of(rule: Any) -> str:
    """Return the priority for the level of a rule."""
    level = "medium" if rule.level is None else str(rule.level).lower()
    return _PRIORITIES.get(level, "WARNING")


def tags_of(rule: Any) -> list[str]:
    """Return Falco's tags: T1078.004, mitre_initial_access, CVE-2024-1 and the rest."""
    found = []
    for tag in rule.tags:
        space, name = tag.namespace.lower(), _line(tag.name).replace(" ", "_")
        if space == "attack" and _TECHNIQUE.fullmatch(name):
            found.append(name.upper())
        elif space == "attack":
            found.append("mitre_" + name.lower().replace("-", "_"))
        elif space == "cve":
            found.append("CVE-" + name.upper().removeprefix("CVE-"))
        else:
            found.append(f"{space}.{name}")
    return list(dict.fromkeys(found))


def description(rule: Any) -> str:
    """Return description, false positives, references and where the rule is from."""
    parts = [_line(rule.description or rule.title)]
    if parts[0] and parts[0][-1] not in ".!?":
        parts[0] += "."
    for title, values in (
        ("False positives", rule.falsepositives),
        ("References", rule.references),
    ):
        texts = [_line(value) for value in values or () if _line(value)]
        if texts:
            parts.append(f"{title}: {'; '.join(texts)}.")
    if rule.id or rule.author:
        origin = f" {rule.id}" if rule.id else ""
        author = f" by {_line(rule.author)}" if rule.author else ""
        parts.append(f"From the Sigma rule{origin}{author}.")
    return " ".join(parts)


def _output(name: str, fields: Iterable[str]) -> str:
    """Return the message: the name, and the fields that tell what happened."""
    shown = [
        f"{re.split(r'[./]', field.rstrip(']'))[-1].partition('[')[0]}=%{field}"
        for field in list(dict.fromkeys(fields))[:_FIELDS_SHOWN]
    ]
    # A percent sign begins a field.
    head = re.sub(r"\s*%", " percent", name).strip()
    return f"{head} ({' '.join(shown)})" if shown else head


def falco_rule(
    rule: Any, condition: str, source: str, *, name: str, fields: Iterable[str]
) -> Rule:
    """Return the rule with its condition. ``fields``: for the output, Falco's names."""
    status = str(rule.status).lower() if rule.status is not None else ""
    return Rule(
        name=name,
        desc=description(rule),
        condition=condition,
        output=_output(name, fields),
        priority=priority_of(rule),
        source=source,
        tags=tags_of(rule),
        enabled=status not in ("deprecated", "unsupported"),
    )
