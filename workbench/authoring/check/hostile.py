"""Checks with input that an attacker would choose."""

from __future__ import annotations

from typing import TYPE_CHECKING

from workbench.authoring.check.feeding import field_texts
from workbench.authoring.check.payloads import (
    hostile_payloads,
    payload_of,
    plugin_events,
)
from workbench.errors import PluginHung, WorkbenchError

if TYPE_CHECKING:
    from collections.abc import Sequence

    import pyarrow as pa

    from workbench.authoring.check.feeding import ExtractionCrash, Feeding
    from workbench.authoring.check.report import CheckReport

__all__ = ["check_hostile_input"]

_RANDOM_PAYLOADS = 1500


def check_hostile_input(report: CheckReport, feeding: Feeding, raw: pa.Array) -> None:
    """Extract every field, with every kind of argument, from damaged events.

    ``raw``: sound events to damage, may be empty.
    """
    manifest = feeding.plugin.info
    known = [payload_of(event.as_py()) for event in raw[:200]]
    payloads = list(hostile_payloads(known, count=_RANDOM_PAYLOADS))
    events = plugin_events(payloads, manifest.id or 999)
    plain = field_texts(manifest)
    crashes = feeding.survive(events, plain)
    _report_crashes(report, crashes, payloads, "fields of damaged events")
    extreme = [t for t in field_texts(manifest, extreme=True) if t not in plain]
    if extreme:
        sound = raw[:100] if len(raw) else events[:100]
        for text in extreme:
            try:
                crashes = feeding.survive(sound, [text])
            except WorkbenchError as error:
                report.add("CHECK_FAILED", f"field {text[:60]}", str(error))
                continue
            said = [payload_of(e.as_py()) for e in sound]
            _report_crashes(report, crashes, said, f"field {text[:60]}")
    if "sourcing" in manifest.capabilities:
        crashes = feeding.texts_of_events(events)
        _report_crashes(report, crashes, payloads, "text of damaged events")
    report.done.append(f"{len(payloads)} damaged payloads, extreme arguments")


def _report_crashes(
    report: CheckReport,
    crashes: list[ExtractionCrash],
    payloads: Sequence[bytes],
    subject: str,
) -> None:
    for crash in crashes:
        code = (
            "HOSTILE_HANG" if isinstance(crash.error, PluginHung) else "HOSTILE_CRASH"
        )
        said = str(crash.error).splitlines()[0]
        if crash.row is not None:
            data = payloads[crash.row]
            cut = "…" if len(data) > 60 else ""
            said += f"; payload of {len(data)} bytes: {data[:60]!r}{cut}"
        report.add(code, subject, said, "check lengths and format before reading")
