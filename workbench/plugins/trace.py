"""The trace: every call of the plugin API, drawn so that people can read it."""

from __future__ import annotations

from typing import TYPE_CHECKING

from workbench.errors import ArgumentError
from workbench.formatting.html import table, tag
from workbench.formatting.printable import printable
from workbench.formatting.units import duration_text

if TYPE_CHECKING:
    import pandas as pd

    from workbench.plugins.life_cycle import LifeCycle
    from workbench.session.types import TraceCall

__all__ = ["Trace"]

_HEADER = ("at", "plugin", "call", "arguments", "returned", "took")
_SHOWN = 200


def _since(at_ns: int, start_ns: int) -> str:
    return f"+{duration_text(max(0, at_ns - start_ns))}" if at_ns else ""


class Trace(list["TraceCall"]):
    """API calls, oldest first; hot calls are counted, not listed one by one."""

    def rows(self) -> list[tuple[str, str, str, str, str, str]]:
        """Return the cells of one line per call; times count from the first call."""
        # Hot calls are summed up: their rows have no one beginning.
        start = min((call.start_ns for call in self if call.start_ns), default=0)
        out = []
        for call in self:
            name = call.function
            took = duration_text(call.duration_ns)
            if call.count > 1:
                name += f" ×{call.count:,}"
                took += " in all"
            out.append(
                (
                    _since(call.start_ns, start),
                    printable(call.plugin, limit=40),
                    name,
                    printable(call.arguments, limit=80),
                    printable(call.return_code, limit=60),
                    took,
                )
            )
        return out

    def to_pandas(self) -> pd.DataFrame:
        """Return one row per call: plugin, function, arguments, return code, times."""
        import pandas as pd

        names = (
            "plugin",
            "function",
            "arguments",
            "return_code",
            "start_ns",
            "duration_ns",
            "count",
        )
        return pd.DataFrame(
            [{n: getattr(call, n) for n in names} for call in self], columns=list(names)
        )

    def picture(self, plugin: str | None = None) -> LifeCycle:
        """Return the plugin's life as an SVG picture: calls by phase, memory by owner.

        ``plugin``: its name, for a trace of several; default: the first. The picture's
        ``.save(path)`` writes a file. Raises ArgumentError for a name not in the trace.
        """
        from workbench.plugins.life_cycle import LifeCycle

        named = {call.plugin for call in self}
        if plugin is not None and plugin not in named:
            there = (
                ", ".join(sorted(printable(n, limit=40) for n in named)) or "nothing"
            )
            raise ArgumentError(
                f"expected a plugin of this trace, not {plugin!r:.60}; it has {there}",
                argument="plugin",
            )
        return LifeCycle(c for c in self if plugin is None or c.plugin == plugin)

    def __repr__(self) -> str:
        """Return one line per call, columns aligned."""
        if not self:
            return "Trace: no calls yet"
        rows = [_HEADER, *self.rows()[-_SHOWN:]]
        widths = [max(len(row[i]) for row in rows) for i in range(len(_HEADER))]
        lines = [
            "  ".join(c.ljust(w) for c, w in zip(row, widths, strict=True)).rstrip()
            for row in rows
        ]
        hidden = len(self) - _SHOWN
        if hidden > 0:
            lines.insert(1, f"… {hidden:,} earlier calls")
        return "\n".join(lines)

    def _repr_html_(self) -> str:
        hidden = max(0, len(self) - _SHOWN)
        head = tag("p", f"… {hidden:,} earlier calls") if hidden else ""
        return head + table(_HEADER, self.rows()[-_SHOWN:])
