"""Which columns are for machines."""

from __future__ import annotations

__all__ = ["MACHINE_COLUMNS"]

# Bytes of whole events: shown in the detail, never in tables and lists of values.
MACHINE_COLUMNS = frozenset({"raw", "payload"})
