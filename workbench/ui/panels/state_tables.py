"""What plugins keep and count: state tables, metrics over time, a config set live."""

from __future__ import annotations

import threading
import time
from typing import TYPE_CHECKING, Any

from workbench.errors import WorkbenchError
from workbench.ui.data.error_card import error_text
from workbench.ui.state import condition_queries as queries

if TYPE_CHECKING:
    from collections.abc import Callable

    import pandas as pd

    from workbench.ui.widgets.part import Part

__all__ = ["StatePanel"]

_ROWS = 50
_MAX_TABLES = 40
_MAX_CELL = 200
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

    def __init__(
        self, part: Part, config: Callable[[], Any], resting: Callable[[], bool]
    ) -> None:
        self.part = part
        self.target: Any = None
        self.samples: list[dict[str, Any]] = []
        self._config = config
        self._resting = resting
        self._asked_at = 0.0
        self._asking = threading.Lock()
        part.put(said="", tables=[])
        part.handle(
            tables=self.show_tables, metrics=self.show_metrics, config=self.set_config
        )

    def take_target(self, target: Any) -> None:
        """Ask another target from now on."""
        self.target = target
        self.samples = []
        self.part.put(said="", tables=[])

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

        def ask() -> dict[str, Any]:
            tables = self.target.pool.tables()
            shown = []
            for name in list(tables)[:_MAX_TABLES]:
                whole = tables[name]
                frame = whole.head(_ROWS)
                # Keys of plugins' tables are their secret; ours are the index.
                frame = frame.reset_index() if frame.index.name else frame
                rows = frame.astype(object).itertuples(index=False)
                cells = [[str(v)[:_MAX_CELL] for v in row] for row in rows]
                head = [str(c) for c in frame.columns]
                title = f"{name}: {len(whole):,} entries"
                shown.append({"title": title, "columns": head, "rows": cells})
            said = "" if shown else "These plugins keep no state tables."
            return {"tables": shown, "said": said}

        self._answer(ask)

    def show_metrics(self) -> None:
        """Take a sample and show the latest values with their change."""

        def ask() -> dict[str, Any]:
            self._sample()
            latest: dict[tuple[str, str], list[Any]] = {}
            for row in self.samples:
                values = latest.setdefault((row["plugin"], row["metric"]), [])
                values.append(row["value"])
            if not latest:
                return {"tables": [], "said": "These plugins have no metrics."}
            head = ["plugin", "metric", "value", "change", "samples"]
            rows = [
                [plugin, metric, str(v[-1]), str(v[-1] - v[0]), str(len(v))]
                for (plugin, metric), v in latest.items()
            ]
            table = {"title": "Metrics", "columns": head, "rows": rows}
            return {"tables": [table], "said": ""}

        self._answer(ask)

    def set_config(self) -> None:
        """Hand the config of the form to the first plugin while it runs."""

        def ask() -> dict[str, Any]:
            plugins = queries.plugins_of(self.target)
            taken = plugins[0].set_config(self._config())
            verb = "accepted the new config" if taken else "does not accept a config"
            said = f"{plugins[0].name} {verb}{'' if taken else ' while it runs'}."
            return {"tables": [], "said": said}

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

    def _answer(self, ask: Callable[[], dict[str, Any]]) -> None:
        if not queries.plugins_of(self.target):
            said = "Load a plugin first: stored events keep no state."
            self.part.put(tables=[], said=said)
            return
        found: list[dict[str, Any]] = []

        def work() -> None:
            with self._asking:
                try:
                    found.append(ask())
                except Exception as error:  # noqa: BLE001 - shown in the panel
                    found.append({"tables": [], "said": error_text(error)})

        worker = threading.Thread(target=work, daemon=True)
        worker.start()
        worker.join(_PATIENCE_SEC)
        self.part.put(**(found[0] if found else {"tables": [], "said": _BUSY}))


def _symbols(plugin: Any) -> tuple[str, ...]:
    return tuple(
        s if s.startswith("plugin_") else f"plugin_{s}" for s in plugin.info.symbols
    )
