"""What a lab shows at one moment, in plain data: what code and summary are made of."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from workbench.ui.state.rule_draft import RuleDraft
    from workbench.ui.state.stream import Limits

__all__ = ["LabSnapshot"]


@dataclass(frozen=True, slots=True)
class LabSnapshot:
    """The state of a lab.

    ``target``: Plugin, Workbench, Events or None. ``source``, ``params``, ``limits``:
    of its stream. ``condition``: stripped. ``selected``: number of the event selected
    last, or None. ``events``, ``matches``: counts; matches are None without a usable
    condition. ``steps``: check and rows left of the funnel. ``columns``, ``rows``: the
    first rows of the table as texts.
    """

    target: Any
    source: str
    params: str
    limits: Limits
    condition: str
    selected: int | None
    draft: RuleDraft | None
    events: int
    matches: int | None
    steps: tuple[tuple[str, int], ...]
    columns: tuple[str, ...]
    rows: tuple[tuple[str | None, ...], ...]
