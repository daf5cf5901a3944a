"""Plots of alerts, with matplotlib where it is installed."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from workbench.errors import WorkbenchError

if TYPE_CHECKING:
    from collections.abc import Callable

    import pandas as pd

__all__ = ["AlertPlots"]


class AlertPlots:
    """Plots of some alerts; each returns the matplotlib Axes it drew on."""

    def __init__(self, per: Callable[..., pd.Series]) -> None:
        """Plot what ``Alerts.per`` counts."""
        self._per = per

    def timeline(self, by: str = "rule", unit: str = "hour", *, ax: Any = None) -> Any:
        """Draw alerts per ``unit`` of time (see ``Alerts.per``), stacked by ``by``."""
        _require_matplotlib()
        table = self._per(by, unit).unstack(by, fill_value=0)  # noqa: PD010 - a Series
        if not len(table):
            return _empty(ax)
        axes = table.plot.bar(stacked=True, width=0.9, ax=ax)
        axes.set(xlabel=unit, ylabel="alerts")
        labels = [f"{moment:%Y-%m-%d %H:%M:%S}" for moment in table.index]
        axes.set_xticklabels(labels, rotation=45, ha="right")
        return axes

    def top(self, field: str = "rule", n: int = 20, *, ax: Any = None) -> Any:
        """Draw the ``n`` most frequent values of a column of ``Alerts.frame``."""
        _require_matplotlib()
        counts = self._per(field).nlargest(n)
        if not len(counts):
            return _empty(ax)
        axes = counts.iloc[::-1].plot.barh(ax=ax)
        axes.set(xlabel="alerts", ylabel=field)
        return axes


def _empty(ax: Any) -> Any:
    """Return axes that say that there is nothing to draw."""
    from matplotlib import pyplot as plt

    axes = ax if ax is not None else plt.subplots()[1]
    axes.set_title("no alerts")
    return axes


def _require_matplotlib() -> None:
    try:
        import matplotlib as mpl  # noqa: F401
    except ImportError:
        raise WorkbenchError(
            "plots need matplotlib, which is not installed: pip install matplotlib"
        ) from None
