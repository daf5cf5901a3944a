"""Helpers of the YAML tests."""

from __future__ import annotations

from hypothesis import HealthCheck, settings

from workbench.yamlcpp import (
    SourceText,
    load_documents,
    plain_json,
)


def read(text):
    raw = text if isinstance(text, bytes) else text.encode("utf-8", "surrogateescape")
    return [plain_json(d) for d in load_documents(SourceText(raw))]


# The machine may be busy; that is no fault of the code.
PATIENT = settings(deadline=None, suppress_health_check=[HealthCheck.too_slow])
