"""Pictures of events: over time, the most frequent values, two fields as a grid.

Values come from events: what stands on an axis is made printable, cut short, and never
read as the markup of formulas.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from workbench.arguments import TEXT, Kind, either, takes
from workbench.errors import WorkbenchError
from workbench.events.kinds import NUMBER
from workbench.formatting.printable import printable

if TYPE_CHECKING:
    from collections.abc import Callable

    import pandas as pd
    from matplotlib.axes import Axes

__all__ = ["EventPlots"]

# Bars of a timeline, and most values that get a colour or a line of their own.
_BARS = 80
_LINES = 8
_CELLS = 20
_LABEL = 40
_SPANS = (
    *("1ms", "10ms", "100ms", "1s", "5s", "10s", "30s", "1min", "5min", "10min"),
    *("30min", "1h", "3h", "6h", "12h", "1D", "7D", "30D", "365D", "3650D", "36500D"),
)

_AXES = either(Kind("Axes of matplotlib", lambda v: hasattr(v, "barh")), None)


class EventPlots:
    """What :attr:`Events.plot` offers; each call draws one matplotlib Axes."""

    def __init__(self, column: Callable[[str], pd.Series[Any]]) -> None:
        """Draw columns of events; ``column`` returns that of a name, row by row."""
        self._column = column

    def __repr__(self) -> str:
        """Name the pictures."""
        return "events.plot: .timeline(by=None), .top(field, n=20), .heatmap(a, b)"

    @takes(by=either(TEXT, None), ax=_AXES)
    def timeline(self, by: str | None = None, *, ax: Axes | None = None) -> Axes:
        """Draw how many events there are over time.

        ``by``: a field; its most frequent values are stacked, the others are "rest".
        ``ax``: Axes to draw on. Returns the Axes. Raises WorkbenchError without events
        or without matplotlib, ConditionError for an unknown field.
        """
        import pandas as pd

        times = self._column("evt.time")
        known = times.notna()
        if not known.any():
            raise WorkbenchError("there are no events with a time to draw")
        span = _span(times)
        # Of every event a one, summed in each span of time.
        data = pd.DataFrame({"time": times[known].dt.floor(span)})
        if by is None:
            counts = data.groupby("time").size().to_frame("events")
        else:
            kept = _most(self._labels(by)[known], _LINES)
            counts = pd.crosstab(data["time"], kept)
            counts = counts[counts.sum().sort_values(ascending=False).index]
        every = pd.date_range(counts.index.min(), counts.index.max(), freq=span)
        counts = counts.reindex(every, fill_value=0)
        ax = _axes(ax)
        width = pd.Timedelta(span) * 0.9
        below: Any = 0
        for name in counts.columns:
            heights = counts[name].to_numpy()
            label = None if by is None else _text(name)
            ax.bar(
                counts.index,
                heights,
                width=width,
                bottom=below,
                align="edge",
                label=label,
            )
            below = below + heights
        ax.set_ylabel(f"events per {span}")
        if by is not None:
            legend = ax.legend(
                title=_text(by),
                fontsize="small",
                loc="upper left",
                bbox_to_anchor=(1, 1),
            )
            _verbatim(legend.get_texts())
        ax.tick_params(axis="x", rotation=30)
        return ax

    @takes(field=TEXT, n=NUMBER, ax=_AXES)
    def top(self, field: str, n: int = 20, *, ax: Axes | None = None) -> Axes:
        """Draw the ``n`` most frequent values of ``field`` as bars, absent included.

        Returns the Axes. Raises as :meth:`timeline`.
        """
        if n < 1:
            raise WorkbenchError(f"n is the number of values to draw, not {n}")
        counts = self._labels(field).value_counts()[:n][::-1]
        ax = _axes(ax)
        ax.barh(range(len(counts)), counts.to_numpy())
        ax.set_yticks(range(len(counts)), [_text(v) for v in counts.index])
        _verbatim(ax.get_yticklabels())
        ax.set_xlabel("events")
        ax.set_title(_text(field), parse_math=False)
        return ax

    @takes(a=TEXT, b=TEXT, ax=_AXES)
    def heatmap(self, a: str, b: str, *, ax: Axes | None = None) -> Axes:
        """Draw how often the values of field ``a`` meet those of ``b``.

        The most frequent values of each are shown. Returns the Axes. Raises as
        :meth:`timeline`.
        """
        import pandas as pd

        rows, columns = (_most(self._labels(name), _CELLS) for name in (a, b))
        counts = pd.crosstab(rows.to_numpy(), columns.to_numpy())
        if counts.empty:
            raise WorkbenchError("there are no events to draw")
        by_size = counts.sum(axis=1).sort_values(ascending=False).index
        across = counts.sum().sort_values(ascending=False).index
        counts = counts.loc[by_size, across]
        ax = _axes(ax)
        from matplotlib.colors import LogNorm

        # Rare pairs are seen beside frequent ones, and what never met stays white.
        norm = LogNorm(vmin=0.5, vmax=max(1, counts.to_numpy().max()))
        image = ax.imshow(counts.to_numpy(), aspect="auto", cmap="Blues", norm=norm)
        ax.set_yticks(range(len(counts.index)), [_text(v) for v in counts.index])
        ax.set_xticks(range(len(counts.columns)), [_text(v) for v in counts.columns])
        _verbatim([*ax.get_yticklabels(), *ax.get_xticklabels()])
        ax.tick_params(axis="x", rotation=60)
        ax.set_ylabel(_text(a), parse_math=False)
        ax.set_xlabel(_text(b), parse_math=False)
        ax.figure.colorbar(image, ax=ax, label="events")
        return ax

    def _labels(self, field: str) -> pd.Series[str]:
        """Return each event's value of ``field`` as a text."""
        return self._column(field).astype("string").fillna("(absent)")


def _text(value: object) -> str:
    return printable(str(value), limit=_LABEL)


def _span(times: pd.Series[pd.Timestamp]) -> str:
    """Return the smallest span of time that gives at most so many bars."""
    import pandas as pd

    length = times.max() - times.min()
    fitting = (s for s in _SPANS if length <= pd.Timedelta(s) * _BARS)
    return next(fitting, _SPANS[-1])


def _most(labels: pd.Series[str], count: int) -> pd.Series[str]:
    """Return labels with all but the ``count`` most frequent called "rest"."""
    kept = labels.value_counts().index[:count]
    return labels.where(labels.isin(kept), "(rest)")


def _axes(ax: Axes | None) -> Axes:
    if ax is not None:
        return ax
    try:
        from matplotlib import pyplot as plt
    except ImportError:
        raise WorkbenchError(
            "pictures need matplotlib: pip install 'falco-plugin-workbench[lab]', or "
            "pip install matplotlib"
        ) from None
    return plt.subplots(layout="constrained")[1]


def _verbatim(texts: Any) -> None:
    """Take texts as they are: a value with dollar signs is no formula."""
    for text in texts:
        text.set_parse_math(False)
