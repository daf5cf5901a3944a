"""A session with a worker that says what no worker says."""

from __future__ import annotations

import json
import os
from pathlib import Path

import pytest

from tests.fuzz.material import OPTIONS, recording
from tests.fuzz.stand_in import StandIn, session_with
from workbench.errors import PluginCrashed
from workbench.wire.messages import write_memfd


def say(worker: StandIn, op: str, seq: int, fds=(), **changes) -> None:
    answer = recording().replies[op]
    answer = {**answer, **changes} if changes else answer
    worker.say(json.dumps({"seq": seq, "ok": answer}).encode(), fds)


def open_files() -> int:
    return len(list(Path("/proc/self/fd").iterdir()))


def test_a_source_that_is_no_text_is_damage_and_keeps_nothing_open():
    recording()
    before = open_files()
    worker = StandIn()
    say(worker, "hello", 0)
    with session_with(worker) as session:
        arena = write_memfd("arena", [])
        say(worker, "open", 1, [arena], source="\ud800")
        os.close(arena)
        with pytest.raises(PluginCrashed, match="sent invalid data"):
            session.open(0, "", recording().columns, OPTIONS)
        session.close()
    assert open_files() == before
