"""What plugins keep and count: state tables, metrics over time, a config set live."""

from __future__ import annotations

import threading
import time
from typing import TYPE_CHECKING, Any

import ipywidgets

from workbench.errors import WorkbenchError
from workbench.formatting.html import escape, tag
from workbench.formatting.html import table as html_table
from workbench.ui.data.error_card import error_text
from workbench.ui.state import condition_queries as queries

if TYPE_CHECKING:
    from collections.abc import Callable

    import pandas as pd

__all__ = ["StatePanel"]

_ROWS = 50
_SAMPLE_SEC = 1.0
_MAX_SAMPLES = 3600
# A plugin that is busy in a call answers later; the lab waits no longer than this.
_PATIENCE_SEC = 2.0
_BUSY = "The plugin is busy in a call; try again when events come, or stop the stream."


class StatePanel:
    """Asks the target's host on a press; samples metrics while a stream runs.

    ``config``: gives the config of the plugin form, to be handed over live.
    ``resting``: whether the stream waits in its source, where nothing is answered.
    """

    def __init__(self, config: Callable[[], Any], resting: Callable[[], bool]) -> None:
        self.target: Any = None
        self.samples: list[dict[str, Any]] = []
        self._config = config
        self._resting = resting
        self._asked_at = 0.0
        self._asking = threading.Lock()
        self._out = ipywidgets.HTML()
        buttons = []
        for label, help_, action in (
            ("State tables", "Show what the plugins keep", self.show_tables),
            ("Metrics", "Show what the plugins count", self.show_metrics),
            ("Set config live", "Hand over the config of the form", self.set_config),
        ):
            button = ipywidgets.Button(description=label, tooltip=help_)
            button.on_click(lambda _button, act=action: act())
            buttons.append(button)
        row = ipywidgets.HBox(buttons, layout=ipywidgets.Layout(grid_gap="8px"))
        self.widget = ipywidgets.VBox([row, self._out])

    def take_target(self, target: Any) -> None:
        """Ask another target from now on."""
        self.target = target
        self.samples = []
        self._show("")

    # -- what there is to see ----

    @property
    def metrics(self) -> pd.DataFrame:
        """The metrics over time: time, plugin, metric, type, value."""
        import pandas as pd

        columns = ["time", "plugin", "metric", "type", "value"]
        frame = pd.DataFrame(list(self.samples), columns=columns)
        frame["time"] = pd.to_datetime(frame["time"], unit="ns", utc=True)
        return frame

    def show_tables(self) -> None:
        """Show every state table with its first entries."""

        def ask() -> str:
            tables = self.target.pool.tables()
            parts = [tables._repr_html_()]
            for name in tables:
                frame = tables[name].head(_ROWS)
                if not len(frame):
                    continue
                # Keys of plugins' tables are their secret; ours are the index.
                shown = frame.reset_index() if frame.index.name else frame
                rows = shown.astype(object).itertuples(index=False)
                body = html_table([str(c) for c in shown.columns], rows)
                parts.append(tag("h4", escape(name)))
                parts.append(tag("div", body, style="overflow-x: auto"))
            return "".join(parts)

        self._answer(ask)

    def show_metrics(self) -> None:
        """Take a sample and show the latest values with their change."""

        def ask() -> str:
            self._sample()
            latest: dict[tuple[str, str], list[Any]] = {}
            for row in self.samples:
                values = latest.setdefault((row["plugin"], row["metric"]), [])
                values.append(row["value"])
            if not latest:
                return tag("p", "These plugins have no metrics.")
            rows = [
                (plugin, metric, values[-1], values[-1] - values[0], len(values))
                for (plugin, metric), values in latest.items()
            ]
            return html_table(["plugin", "metric", "value", "change", "samples"], rows)

        self._answer(ask)

    def set_config(self) -> None:
        """Hand the config of the form to the first plugin while it runs."""

        def ask() -> str:
            plugins = queries.plugins_of(self.target)
            taken = plugins[0].set_config(self._config())
            name = escape(plugins[0].name)
            if taken:
                return tag("p", f"{name} accepted the new config.")
            return tag("p", f"{name} does not accept a config while it runs.")

        self._answer(ask)

    # -- sampling ----

    def tick(self, *, live: bool) -> None:
        """Take a sample each second while a stream runs; never waits."""
        now = time.monotonic()
        if not live or now - self._asked_at < _SAMPLE_SEC or self._resting():
            return
        self._asked_at = now
        if self._counting() and not self._asking.locked():
            threading.Thread(target=self._quietly, daemon=True).start()

    def _quietly(self) -> None:
        if self._asking.acquire(blocking=False):
            try:
                self._sample()
            except (WorkbenchError, OSError):
                return
            finally:
                self._asking.release()

    def _counting(self) -> list[Any]:
        plugins = queries.plugins_of(self.target)
        return [p for p in plugins if "plugin_get_metrics" in _symbols(p)]

    def _sample(self) -> None:
        now = time.time_ns()
        for plugin in self._counting():
            self.samples += [
                {
                    "time": now,
                    "plugin": plugin.name,
                    "metric": row["name"],
                    "type": row["type"],
                    "value": row["value"],
                }
                for row in plugin.metrics
            ]
        del self.samples[:-_MAX_SAMPLES]

    def close(self) -> None:
        """Ask no more, and let the question in flight end."""
        self.target = None
        if self._asking.acquire(timeout=_PATIENCE_SEC):
            self._asking.release()

    # -- asking without hanging the notebook ----

    def _answer(self, ask: Callable[[], str]) -> None:
        if not queries.plugins_of(self.target):
            self._show(tag("p", "Load a plugin first: stored events keep no state."))
            return
        found: list[str] = []

        def work() -> None:
            with self._asking:
                try:
                    found.append(ask())
                except Exception as error:  # noqa: BLE001 - shown in the panel
                    found.append(tag("p", escape(error_text(error))))

        worker = threading.Thread(target=work, daemon=True)
        worker.start()
        worker.join(_PATIENCE_SEC)
        self._show(found[0] if found else tag("p", _BUSY))

    def _show(self, html: str) -> None:
        self._out.value = html


def _symbols(plugin: Any) -> tuple[str, ...]:
    return tuple(
        s if s.startswith("plugin_") else f"plugin_{s}" for s in plugin.info.symbols
    )
