"""The life of a plugin as a picture: who calls what, when, and who owns which memory.

Drawn from the calls of a trace and the table of the plugin API: the functions of the
plugin's own version, those that were called with their counts, the others pale.
"""

from __future__ import annotations

import itertools
from collections import Counter
from typing import TYPE_CHECKING

from workbench.api.functions import Function, exported_in
from workbench.api.versions import VERSIONS, known_version
from workbench.errors import ArgumentError
from workbench.formatting.html import escape
from workbench.formatting.printable import printable
from workbench.saving import save_text

if TYPE_CHECKING:
    import os
    from collections.abc import Iterable
    from pathlib import Path

    from workbench.session.types import TraceCall

__all__ = ["LifeCycle"]

_PHASES = ("load", "init", "open", "stream", "close", "destroy")
# Phases of the table that have no column of their own.
_SHOWN_IN = {"error": "init", "any": "stream", "free": "stream"}
_WIDE = {"load": 190, "init": 220, "open": 170, "stream": 230, "close": 120}
_COLUMN = 110
_LEFT = 120
_TOP = 60
_BOX = 20
_STEP = 25
_BAR = 24
_NAME_LIMIT = 60

# what | owner | from the beginning of | to the end of | until when
_MEMORY = (
    ("library and its constants", "plugin", "load", "destroy", "end of the process"),
    ("config text, input of init", "host", "init", "init", "init returns"),
    ("functions offered in init", "host", "init", "destroy", "destroy returns"),
    ("plugin state", "plugin", "init", "destroy", "destroy"),
    ("instance", "plugin", "open", "close", "close"),
    ("batch of events", "plugin", "stream", "stream", "next next_batch or close"),
    ("values of fields", "plugin", "stream", "stream", "next extract_fields"),
    ("error text", "plugin", "init", "destroy", "next get_last_error"),
)
# Up to API 0.1 whoever gets something frees it.
_CALLER_OWNS = ("batch of events", "values of fields", "error text")

_LEGEND = (
    "thick: required · plain: needed together · dashed: optional · filled: called here"
)


class LifeCycle:
    """Lanes from dlopen to destroy, of the calls in a trace; SVG in a notebook.

    ``calls``: TraceCall rows of one plugin. Functions that every plugin must export
    have a thick frame, those that a capability needs a plain one, optional ones a
    dashed one.
    """

    def __init__(self, calls: Iterable[TraceCall]) -> None:
        rows = list(calls)
        self.plugin = rows[0].plugin if rows else ""
        own = [call for call in rows if call.plugin == self.plugin]
        self.calls: Counter[str] = Counter()
        for call in own:
            self.calls[call.function] += call.count
        self.version = _version(own)

    def __repr__(self) -> str:
        """Return one line per phase, with the calls that were made."""
        name = printable(self.plugin, limit=_NAME_LIMIT)
        lines = [f"life of {name or 'a plugin'}, API {_dotted(self.version)}"]
        for phase in _PHASES:
            done = [f for f in self._functions() if _phase(f) == phase]
            called = [self._text(f.name) for f in done if f.name in self.calls]
            if phase == "load" and "dlopen" in self.calls:
                called.insert(0, "dlopen")
            lines.append(f"  {phase:8} {', '.join(called) or '–'}")
        return "\n".join(lines)

    def save(self, path: str | os.PathLike[str]) -> Path:
        """Write the picture as an SVG file and return its path.

        Raises WorkbenchError when the file cannot be written.
        """
        return save_text(path, self._repr_svg_())

    def _functions(self) -> list[Function]:
        return exported_in(self.version)

    def _text(self, name: str) -> str:
        count = self.calls[name]
        short = name.removeprefix("plugin_")
        return f"{short} ×{count:,}" if count > 1 else short

    def _repr_svg_(self) -> str:
        edges = _columns()
        lanes, bottom = self._lanes(edges)
        memory, height = self._memory(edges, bottom + 30)
        width = edges["end"] + 10
        name = escape(self.plugin, limit=_NAME_LIMIT)
        title = f"Life of {name or 'a plugin'}, plugin API {_dotted(self.version)}"
        size = f'width="{width}" height="{height}" viewBox="0 0 {width} {height}"'
        look = (
            f'aria-label="{title}" style="max-width:100%" font-family="sans-serif" '
            'font-size="11"'
        )
        parts = [
            f'<svg xmlns="http://www.w3.org/2000/svg" {size} role="img" {look}>',
            f'<rect width="{width}" height="{height}" fill="#ffffff"/>',
            _label(8, 20, f"<tspan font-weight='bold'>{title}</tspan>"),
            _label(
                width - 8,
                20,
                _LEGEND,
                anchor="end",
            ),
        ]
        for phase in _PHASES:
            at = edges[phase]
            parts.append(_label(at + 4, _TOP - 14, phase, colour="#0b4a8f"))
            parts.append(
                f'<line x1="{at}" x2="{at}" y1="{_TOP - 28}" y2="{height - 8}" '
                'stroke="#c9d1d9"/>'
            )
        return "".join([*parts, *lanes, *memory, "</svg>"])

    def _lanes(self, edges: dict[str, int]) -> tuple[list[str], int]:
        """Return the lanes, one per group of functions, and where they end."""
        parts: list[str] = []
        y = _TOP
        for group in dict.fromkeys(f.group for f in self._functions()):
            members = [f for f in self._functions() if f.group == group]
            parts.append(
                _label(8, y + 14, "every plugin" if group == "plugin" else group)
            )
            used = any(f.name in self.calls for f in members)
            if not (used or group == "plugin"):
                text = "no function of this capability was called"
                parts.append(_label(_LEFT + 34, y + 14, text, colour="#6e7781"))
                y += _STEP + 8
                continue
            rows: Counter[str] = Counter()
            if group == "plugin":
                parts.append(self._box("dlopen", "required", edges, "load", y))
                rows["load"] = 1
            for function in members:
                phase = _phase(function)
                at = y + rows[phase] * _STEP
                parts.append(self._box(function.name, function.need, edges, phase, at))
                rows[phase] += 1
            y += max(rows.values()) * _STEP + 8
            parts.append(
                f'<line x1="8" x2="{edges["end"]}" y1="{y - 4}" y2="{y - 4}" '
                'stroke="#d0d7de"/>'
            )
        return parts, y

    def _box(
        self, name: str, need: str, edges: dict[str, int], phase: str, y: int
    ) -> str:
        wide = _WIDE.get(phase, _COLUMN) - 8
        called = name in self.calls
        frame = {
            "required": ' stroke-width="2.5"',
            "optional": ' stroke-dasharray="3 2"',
        }
        fill = "#dbeafe" if called else "#ffffff"
        ink = "#1f2328" if called else "#6e7781"
        place = f'x="{edges[phase] + 4}" y="{y}" width="{wide}" height="{_BOX}"'
        return (
            f'<rect {place} rx="3" fill="{fill}" stroke="#57606a"'
            f"{frame.get(need, '')}/>"
            + _label(edges[phase] + 9, y + 14, escape(self._text(name)), colour=ink)
        )

    def _memory(self, edges: dict[str, int], y: int) -> tuple[list[str], int]:
        """Return the bars of the memory, and where they end."""
        ends = {**dict(itertools.pairwise(_PHASES)), "destroy": "end"}
        parts = [_label(8, y, "<tspan font-weight='bold'>memory</tspan>")]
        y += 8
        for what, owner, first, last, end_of_life in _MEMORY:
            whose, until = owner, end_of_life
            if self.version <= (0, 1) and what in _CALLER_OWNS:
                whose, until = "host", "the host frees it"
            fill = "#fde68a" if whose == "host" else "#bbf7d0"
            start, end = edges[first] + 4, edges[ends[last]] - 4
            place = f'x="{start}" y="{y}" width="{end - start}" height="{_BOX}"'
            parts += [
                _label(8, y + 15, what),
                f'<rect {place} rx="3" fill="{fill}"/>',
                _label(start + 5, y + 14, f"{whose}’s, until {until}"),
            ]
            y += _BAR
        return parts, y + 10


def _version(calls: list[TraceCall]) -> tuple[int, int]:
    """Return the version that the plugin said it was written for, else the newest."""
    said = [
        call.return_code
        for call in calls
        if call.function == "plugin_get_required_api_version"
    ]
    try:
        return known_version(said[-1])
    except (ArgumentError, IndexError):
        return known_version(VERSIONS[-1])


def _dotted(version: tuple[int, int]) -> str:
    return f"{version[0]}.{version[1]}"


def _phase(function: Function) -> str:
    return _SHOWN_IN.get(function.phase, function.phase)


def _columns() -> dict[str, int]:
    """Return where each phase begins, and where the last one ends."""
    edges, at = {}, _LEFT + 30
    for phase in _PHASES:
        edges[phase] = at
        at += _WIDE.get(phase, _COLUMN)
    edges["end"] = at
    return edges


def _label(
    x: int, y: int, text: str, *, colour: str = "#1f2328", anchor: str = "start"
) -> str:
    """Return a text; ``text`` is escaped already."""
    return f'<text x="{x}" y="{y}" fill="{colour}" text-anchor="{anchor}">{text}</text>'
