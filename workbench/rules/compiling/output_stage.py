"""The output of a rule: its text with additions, compiled, and where its faults are."""

from __future__ import annotations

from typing import TYPE_CHECKING

from workbench.rules.compiling.engine_warnings import DEPRECATED_FIELDS
from workbench.rules.compiling.source_map import source_offset
from workbench.rules.model.entries import as_text, joined
from workbench.rules.outputs.output import OutputFault, parse_output
from workbench.rules.outputs.syscall_output import check_syscall_output

if TYPE_CHECKING:
    from workbench.fields.declarations import FieldTable
    from workbench.rules.model.diagnostics_sink import DiagnosticSink
    from workbench.rules.model.entries import RuleEntry
    from workbench.rules.model.locations import Location
    from workbench.rules.outputs.output import Output
    from workbench.rules.target.target import Target

__all__ = ["OutputAdditions", "OutputStage"]

_OUTPUT = "LOAD_ERR_COMPILE_OUTPUT"
_CONTAINER_INFO = "%container.info"


class OutputAdditions:
    """What a configuration adds to outputs; the default adds nothing."""

    def added_text(self, entry: RuleEntry, fields: FieldTable) -> str:  # noqa: ARG002
        """Return text to append to a rule's output."""
        return ""

    def formats(self, entry: RuleEntry) -> list[str]:  # noqa: ARG002
        """Return further formats that must compile for a rule to load."""
        return []


class OutputStage:
    """Compiles the outputs of rules, complaining to ``sink``."""

    def __init__(
        self,
        sink: DiagnosticSink,
        target: Target | None,
        additions: OutputAdditions | None,
    ) -> None:
        """Check against ``target``; None: no field is known."""
        self.sink = sink
        self.target = target
        self.additions = additions or OutputAdditions()

    def compile(
        self, entry: RuleEntry, fields: FieldTable | None, advice: str | None = None
    ) -> tuple[Output | None, bool]:
        """Compile a rule's output; return also whether to go on with the rule.

        ``advice``: what mends unknown fields.
        """
        if not entry.output:
            return None, True
        text = as_text(joined(entry.output))
        if _CONTAINER_INFO in text:
            self.sink.warn(
                "LOAD_DEPRECATED_ITEM",
                "%container.info is deprecated and no more useful, and will be dropped "
                "by Falco 1.0.0. The container plugin will automatically add required "
                "fields to the output message.",
                entry.location,
                "remove %container.info from the output",
            )
            text = text.replace(_CONTAINER_INFO, "", 1)
        if fields is None:
            self._check_shape(entry, text)
            return None, True
        extra = self.additions.added_text(entry, fields)
        full = f"{text} {extra}" if extra else text
        try:
            output = self._parsed(entry, full, fields)
        except OutputFault as fault:
            skipped = entry.skip_if_unknown_filter and "unknown filter" in fault.message
            code = "LOAD_UNKNOWN_FILTER" if skipped else _OUTPUT
            report = self.sink.warn if skipped else self.sink.error
            location = self._location(entry, fault.at, full)
            unknown = "unknown filter" in fault.message
            hint = advice if unknown and advice else fault.hint
            report(code, fault.message, location, hint)
            return None, not skipped
        self._warn_of_deprecated(entry, text)
        return output, True

    def _warn_of_deprecated(self, entry: RuleEntry, text: str) -> None:
        name = next((name for name in DEPRECATED_FIELDS if name in text), None)
        if name is not None:
            self.sink.warn(
                "LOAD_DEPRECATED_ITEM",
                f"usage of deprecated field '{name}' has been detected in the rule "
                "output",
                entry.output_location,
                f"remove {name}",
            )

    def _parsed(self, entry: RuleEntry, text: str, fields: FieldTable) -> Output | None:
        if not text:
            raise OutputFault("empty formatting token", 0, 0, "write a message")
        if entry.source == "syscall":
            if self.target is not None:
                check_syscall_output(text, self.target)
            return None
        for added in self.additions.formats(entry):
            parse_output("*" + added, fields)
        return parse_output("*" + text, fields)

    def _check_shape(self, entry: RuleEntry, text: str) -> None:
        """Check what can be checked of an output without knowing any field."""
        message = None
        if not text:
            message, hint = "empty formatting token", "write a message"
        elif text.endswith("%"):
            message = "invalid formatting syntax: formatting cannot end with a %"
            hint = "remove the percent sign: outputs cannot print one"
        if message is not None:
            self.sink.error(
                _OUTPUT, message, self._location(entry, len(text), text), hint
            )

    def _location(self, entry: RuleEntry, offset: int, text: str) -> Location:
        location = entry.output_location
        if not entry.output:
            return location
        # a leading * was put before the text
        raw = text.encode("utf-8", "surrogateescape")
        at = max(0, min(offset - 1, len(raw)))
        for piece in entry.output:
            if at <= len(piece.text):
                inner = source_offset(piece.node, piece.source, at, piece.text)
                return location.pointing_at(piece.source, inner)
            at -= len(piece.text) + 1
        return location
