"""The trace read by several threads."""

from __future__ import annotations

import sys
import threading
import time

from workbench.session.call_trace import Tracer


class Ring:
    """The calls of a ring, read as slowly as a busy machine does."""

    def __init__(self, calls):
        self.calls = calls

    def trace_since(self, seen):
        rest = [s for s in self.calls if s[0] > seen]
        time.sleep(0.001)
        return rest


def test_threads_that_drain_the_same_ring_keep_every_call_once():
    ring = Ring([(n, 0, 0, 0, 0, 0, 1, "", "") for n in range(1, 200)])
    tracer = Tracer(ring)
    barrier = threading.Barrier(8)
    interval = sys.getswitchinterval()
    sys.setswitchinterval(1e-6)

    def drain():
        barrier.wait()
        tracer.drain()

    try:
        threads = [threading.Thread(target=drain) for _ in range(8)]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
    finally:
        sys.setswitchinterval(interval)
    assert [slot[0] for slot in tracer._slots] == list(range(1, 200))
