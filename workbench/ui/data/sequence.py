"""The calls between workbench and plugin, drawn as a sequence diagram.

Hot calls (``next_batch``, ``extract_fields``) are one arrow with their count. Texts
from the plugin are escaped; colours follow the notebook's theme.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from workbench.formatting.html import escape
from workbench.formatting.printable import printable
from workbench.formatting.units import duration_text

if TYPE_CHECKING:
    from collections.abc import Iterable

    from workbench.session.types import TraceCall

__all__ = ["SequenceDiagram"]

_STEP = 30
_LEFT = 110
_RIGHT = 560
_WIDTH = 760
_MOST = 60
_TEXT = 44


class SequenceDiagram:
    """Draws a trace: left the workbench, right the plugin, time downwards.

    ``calls``: TraceCall rows, such as ``plugin.trace``. The last 60 are drawn.
    """

    def __init__(self, calls: Iterable[TraceCall]) -> None:
        self.calls = _in_order(list(calls))[-_MOST:]

    def __repr__(self) -> str:
        lines = ["workbench                          plugin"]
        for call in self.calls:
            lines.append(f"    ── {self._asked(call)} ─▶")
            lines.append(f"    ◀─ {self._answer(call)}")
        return "\n".join(lines)

    def _asked(self, call: TraceCall) -> str:
        name = call.function.removeprefix("plugin_")
        count = f" ×{call.count:,}" if call.count > 1 else ""
        arguments = printable(call.arguments, limit=_TEXT) if count == "" else "…"
        return f"{name}({arguments}){count}"

    def _answer(self, call: TraceCall) -> str:
        code = printable(call.return_code, limit=_TEXT) or "done"
        return f"{code}, {duration_text(call.duration_ns)}"

    def _repr_html_(self) -> str:
        height = 60 + 2 * _STEP * len(self.calls)
        ink = "var(--jp-ui-font-color1,#222)"
        faint = "var(--jp-ui-font-color2,#666)"
        blue = "var(--jp-brand-color1,#2f6fb3)"
        size = f'width="{_WIDTH}" height="{height}" viewBox="0 0 {_WIDTH} {height}"'
        look = 'style="max-width:100%;font:12px monospace"'
        label = 'role="img" aria-label="Calls between workbench and plugin"'
        parts = [f'<svg xmlns="http://www.w3.org/2000/svg" {label} {size} {look}>']
        for at, name in ((_LEFT, "workbench"), (_RIGHT, "plugin")):
            parts.append(
                f'<text x="{at}" y="18" text-anchor="middle" fill="{ink}" '
                f'font-weight="bold">{name}</text>'
                f'<line x1="{at}" x2="{at}" y1="28" y2="{height - 8}" '
                f'stroke="{faint}" stroke-dasharray="3 4"/>'
            )
        for index, call in enumerate(self.calls):
            y = 52 + 2 * _STEP * index
            place = f'x="{_RIGHT - 4}" y="{y}" width="8" height="{_STEP}"'
            parts += [
                _arrow((_LEFT, _RIGHT, y), self._asked(call), stroke=blue, ink=ink),
                f'<rect {place} fill="{blue}" opacity="0.35"/>',
                _arrow(
                    (_RIGHT, _LEFT, y + _STEP),
                    self._answer(call),
                    stroke=faint,
                    ink=faint,
                ),
            ]
        return "".join([*parts, "</svg>"])


def _in_order(calls: list[TraceCall]) -> list[TraceCall]:
    """Put calls that are only counted where they happened: before the last close."""
    listed = [call for call in calls if call.count <= 1]
    counted = [call for call in calls if call.count > 1]
    closes = [at for at, c in enumerate(listed) if c.function == "plugin_close"]
    at = closes[-1] if closes else len(listed)
    return [*listed[:at], *counted, *listed[at:]]


def _arrow(span: tuple[int, int, int], text: str, *, stroke: str, ink: str) -> str:
    """Draw one arrow (from, to, height) with its text above it."""
    start, end, y = span
    back = -1 if end > start else 1
    tip = f"{end},{y} {end + back * 8},{y - 4} {end + back * 8},{y + 4}"
    dash = "" if back < 0 else ' stroke-dasharray="5 3"'
    left = min(start, end) + 12
    return (
        f'<line x1="{start}" x2="{end}" y1="{y}" y2="{y}" stroke="{stroke}"{dash}/>'
        f'<polygon points="{tip}" fill="{stroke}"/>'
        f'<text x="{left}" y="{y - 5}" fill="{ink}">{escape(text)}</text>'
    )
