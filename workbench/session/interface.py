"""The one interface between the objects people hold and the plugins they load.

:class:`Session` is a set of plugins in one host. ``worker.client.WorkerSession`` drives
a worker process, ``host.local.LocalSession`` runs the same C code in the kernel.
Everything above knows only this page.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Protocol

if TYPE_CHECKING:
    from collections.abc import Sequence

    import pyarrow as pa

    from workbench.manifest import Manifest, OpenParam
    from workbench.session.types import (
        CallErrors,
        CaptureOptions,
        Chunk,
        ColumnRequest,
        LogLine,
        Progress,
        TableSnapshot,
        TraceCall,
    )

__all__ = ["Session"]


class Session(Protocol):
    """Plugins in one host. Calls raise the errors of ``workbench.errors``."""

    @property
    def pid(self) -> int:
        """Process ID of the host; this process's own for one in the kernel."""

    @property
    def alive(self) -> bool:
        """False once the host is gone (closed, crashed, hung): make a new session."""

    def inspect(self, path: str) -> Manifest:
        """Return what a library is, with its complaints; never initialise it.

        Raises PluginLoadError only when there is no library to ask, PluginCrashed and
        PluginHung when asking it ends the host.
        """

    def load(self, path: str) -> tuple[int, Manifest]:
        """Load and check a library; raise PluginLoadError with every complaint."""

    def init(
        self, plugin: int, config: str, *, as_falco: bool = False
    ) -> tuple[OpenParam, ...]:
        """Initialise; give the suggested open params. Raise PluginInitError.

        ``as_falco``: call it exactly as Falco does, which gives no state tables to a
        plugin that neither extracts nor parses; only in a session to throw away.
        """

    def open(
        self,
        plugin: int,
        params: str,
        columns: Sequence[ColumnRequest],
        options: CaptureOptions,
    ) -> None:
        """Open the source of ``plugin``. Raise PluginOpenError."""

    def read(self, timeout_sec: float | None = None) -> Chunk | None:
        """Return the next chunk, None when ``timeout_sec`` passed without one.

        After the last chunk of a capture (its ``end`` is set) there is no other.
        Interruptible at any time; nothing that was received is lost.
        """

    def waiting_call(self) -> str:
        """Return the C name of the plugin call in flight, "" for none."""

    def reached(self) -> int:
        """Return the number of the event in work, about; 0 before the first."""

    def stop(self) -> None:
        """Ask the running capture to end; what was read still comes by ``read``.

        A source that does not return from next_batch is left behind after 50 ms: the
        capture has ended for the reader, and the next call waits for the source.
        """

    def close_capture(self) -> None:
        """Close the source (idempotent)."""

    def extract(
        self,
        raw: pa.Array,
        numbers: pa.Array,
        source: str,
        columns: Sequence[ColumnRequest],
        *,
        number_base: int | None = None,
        one_number: bool = False,
    ) -> pa.RecordBatch:
        """Re-feed stored 3.x events and give the requested columns, one row each.

        ``number_base``: of the capture of this session that the events come from, None
        when they come from elsewhere: plugins then see new numbers. ``one_number``:
        show plugins all events of a chunk under one event number, which mixes up what
        they cache by it; only in a session to throw away.
        """

    def rounds(self, plugin: int, config: str, count: int) -> dict[str, Any]:
        """Initialise and destroy further states of a loaded plugin, ``count`` times.

        Returns ``done``, ``failed`` (what the next round said, or None) and ``growth``
        (bytes of memory left behind per round).
        """

    def threads(
        self,
        plugin: int,
        config: str,
        raw: pa.Array,
        source: str,
        columns: Sequence[ColumnRequest],
        *,
        count: int,
    ) -> list[pa.RecordBatch]:
        """Extract from stored events in ``count`` further states, a thread each.

        All states are of one loaded plugin. The first batch comes from a state that
        worked alone, before the threads; the others in no particular order.
        """

    @property
    def number_base(self) -> int | None:
        """What plugins saw added to the event numbers of the latest capture."""

    def event_strings(self, plugin: int, raw: pa.Array, numbers: pa.Array) -> pa.Array:
        """Return ``event_to_string`` of stored events as binary, null when absent."""

    def progress(self) -> Progress:
        """Ask for the progress of the open capture."""

    def set_config(self, plugin: int, config: str) -> bool:
        """Hand over a new config (plugin API ≥ 3.4); False if not taken."""

    def metrics(self, plugin: int) -> list[dict[str, Any]]:
        """Return the plugin's metrics: name, type, value."""

    def tables(self, max_rows: int) -> list[TableSnapshot]:
        """Return the state tables with at most ``max_rows`` entries each."""

    def dump_state(self) -> list[bytes]:
        """Return the async events that describe the plugins' state (API ≥ 3.10)."""

    def call_errors(self) -> list[CallErrors]:
        """Return what failed in the latest capture, or extraction, without ending it.

        Works at any time, also after the host's death.
        """

    def trace(self, plugin: int | None = None) -> list[TraceCall]:
        """Return the calls made so far, oldest first."""

    def log(self, plugin: int | None = None) -> list[LogLine]:
        """Return the log so far, oldest first, bounded."""

    def close(self) -> None:
        """Destroy all plugins and end the host (idempotent)."""
