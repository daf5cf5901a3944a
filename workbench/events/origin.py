"""Where events came from, as plain data that files keep."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Mapping

    from workbench.errors import EndReason

__all__ = ["Origin"]


@dataclass(frozen=True, slots=True)
class Origin:
    """Where events came from, as plain data that files keep.

    ``source``: event source, "" when unknown or mixed. ``start_ns``: time of the first
    event of the capture, from which evt.reltime counts. ``end_reason``: how the capture
    ended, None when unknown. ``notes``: what a reader should know. ``seen``: events
    read for these, also those that a condition left out; None: no others.
    """

    source: str = ""
    plugin: str | None = None
    plugin_version: str | None = None
    hostname: str = ""
    start_ns: int = 0
    end_reason: EndReason | None = None
    notes: tuple[str, ...] = ()
    extra: Mapping[str, Any] = field(default_factory=dict)
    seen: int | None = None
