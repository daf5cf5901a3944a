from __future__ import annotations

import threading
import time

import workbench as wb
from workbench.ui.state.stream import Limits, Stream


class FakeCapture:
    """A source that gives prepared batches; the real ones are tested with plugins."""

    end_reason = None

    def __init__(self, table, pause=0.0, error=None):
        self.table, self.pause, self.error = table, pause, error
        self.stopped = threading.Event()

    def record_batches(self):
        for batch in self.table.to_batches(max_chunksize=100):
            if self.stopped.is_set():
                break
            yield batch
            time.sleep(self.pause)
        if self.error:
            raise self.error
        self.end_reason = "cancelled" if self.stopped.is_set() else "eof"

    def stop(self):
        self.stopped.set()

    def close(self):
        pass


def run_stream(capture, **limits):
    got = []
    full = {"events": 10**6, "seconds": 60, "mebibytes": 100, **limits}
    stream = Stream(capture, deliver=got.append, limits=Limits(**full))
    stream.start()
    assert stream.wait(10)
    return stream, sum(batch.num_rows for batch in got)


def test_a_stream_stops_exactly_at_its_limit_of_events(table_of):
    stream, rows = run_stream(FakeCapture(table_of(5000)), events=1234)
    assert rows == 1234
    assert stream.phase == "ended"
    assert "1,234 events" in stream.ended_by


def test_a_stream_stops_soon_after_its_limit_of_seconds(table_of):
    began = time.monotonic()
    run_stream(FakeCapture(table_of(5000), pause=0.05), seconds=0.3)
    assert time.monotonic() - began < 1


def test_a_paused_stream_takes_no_rows(table_of):
    got = []
    stream = Stream(
        FakeCapture(table_of(5000), pause=0.01),
        deliver=got.append,
        limits=Limits(10**6, 60, 100),
    )
    stream.start()
    stream.pause()
    time.sleep(0.15)
    seen = len(got)
    time.sleep(0.15)
    assert len(got) == seen
    assert stream.phase == "paused"
    stream.resume()
    assert stream.wait(10)
    assert sum(b.num_rows for b in got) == 5000


def test_rows_before_an_error_are_kept(table_of):
    stream, rows = run_stream(
        FakeCapture(table_of(500), error=wb.PluginFailure("it broke"))
    )
    assert (rows, stream.phase, str(stream.error)) == (500, "failed", "it broke")
