"""What a falco.yaml changes in rules and alerts: outputs, switches, static fields."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from workbench.events.builtin_columns import host_name
from workbench.rules.compiling.output_stage import OutputAdditions
from workbench.rules.outputs.output import OutputFault, parse_output
from workbench.rules.running.alert_format import AlertFormat
from workbench.rules.running.options import RunOptions

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from workbench.fields.declarations import FieldInfo, FieldTable
    from workbench.rules.model.entries import RuleEntry
    from workbench.rules.outputs.output import Output

__all__ = ["falco_options", "wildcard_matches"]


def falco_options(config: Any) -> RunOptions:
    """Return how rules run under a configuration, a FalcoConfig."""
    appended = tuple(config.appended)
    return RunOptions(
        config.priority,
        _ConfiguredFormat(
            iso_time=config.time_iso,
            include_message=config.json_include_message,
            include_output=config.json_include_output,
            include_output_fields=config.json_include_output_fields,
            include_tags=config.json_include_tags,
            hostname=host_name(),
            appended=appended,
        ),
        _ConfiguredAdditions(appended),
        _Switches(tuple(config.switches)),
        tuple(config.static_fields.items()),
    )


def _entries(appended: Sequence[Any], entry: RuleEntry) -> list[Any]:
    tags = frozenset(entry.tags)
    return [a for a in appended if a.matches(entry.source, entry.name, tags)]


@dataclass(frozen=True, slots=True)
class _ConfiguredAdditions(OutputAdditions):
    """Adds what entries of ``append_output`` hold (AppendedOutput)."""

    appended: tuple[Any, ...]

    def added_text(self, entry: RuleEntry, fields: FieldTable) -> str:
        """Return the texts to append to a rule's output, with blanks between."""
        texts = []
        for added in _entries(self.appended, entry):
            if added.output:
                texts.append(added.output)
            if added.suggested:
                texts += [
                    f"{name.replace('.', '_')}=%{name}"
                    for name, info in fields.items()
                    if info.add_output
                ]
        return " ".join(texts)

    def formats(self, entry: RuleEntry) -> list[str]:
        """Return the formats of extra fields."""
        return [
            f"%{name}" if text is None else text
            for added in _entries(self.appended, entry)
            for name, text in added.fields
        ]


@dataclass(frozen=True, slots=True)
class _ConfiguredFormat(AlertFormat):
    """An alert format that adds the extra fields of ``append_output``."""

    appended: tuple[Any, ...] = ()

    def extra_fields(
        self, entry: RuleEntry, fields: Mapping[str, FieldInfo]
    ) -> tuple[tuple[str, Output, bool], ...]:
        """Return the fields to add to ``output_fields``."""
        found = []
        for added in _entries(self.appended, entry):
            for name, text in added.fields:
                try:
                    output = parse_output(
                        f"*%{name}" if text is None else f"*{text}", fields
                    )
                except OutputFault:  # pragma: no cover - refused when rules were loaded
                    continue
                found.append((name, output, text is None))
        return tuple(found)


@dataclass(frozen=True, slots=True)
class _Switches:
    """Decides whether a rule is on: its own key, then each switch in order.

    ``switches``: enable or disable, "rule" or "tag", and a pattern or a tag.
    """

    switches: tuple[tuple[bool, str, str], ...]

    def __call__(self, entry: RuleEntry) -> bool:
        """Whether ``entry`` is on."""
        on = entry.enabled
        for enable, kind, pattern in self.switches:
            if kind == "rule":
                hit = wildcard_matches(pattern, entry.name)
            else:
                hit = pattern in entry.tags
            on = enable if hit else on
        return on


def wildcard_matches(pattern: str, text: str) -> bool:
    """Match ``*`` as the engine does: at the first occurrence, never going back."""
    head, *rest = pattern.split("*")
    if not text.startswith(head):
        return False
    if not rest:
        return text == pattern
    at = len(head)
    for literal in rest:
        if not literal:
            continue
        found = text.find(literal, at)
        if found < 0:
            return False
        at = found + len(literal)
    return not rest[-1] or at == len(text)
