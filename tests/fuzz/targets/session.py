"""A whole session with a worker that lies: every reply, packet and descriptor of it."""

from __future__ import annotations

import json
import os
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pyarrow as pa

from tests.fuzz.material import OPTIONS, recording
from tests.fuzz.mutation import damaged, damaged_document, stray
from tests.fuzz.stand_in import StandIn, session_with
from workbench.errors import WorkbenchError
from workbench.wire.messages import CHUNK, END, MAGIC, MESSAGE, write_memfd

if TYPE_CHECKING:
    from collections.abc import Callable
    from random import Random

    from workbench.session.worker_session import WorkerSession

_RAW = pa.array([bytes(38)] * 3, pa.binary())
_NUMBERS = pa.array([1, 2, 3], pa.uint64())
_LONGEST_TEXT = 20_000
# Request → what a notebook does that makes it.
_ACTS: dict[str, Callable[[WorkerSession], Any]] = {
    "load": lambda session: _looked_at(session.load("libprobe.so")[1]),
    "init": lambda session: session.init(0, ""),
    "open": lambda session: session.open(0, "", recording().columns, OPTIONS),
    "progress": lambda session: session.progress(),
    "close_capture": lambda session: session.close_capture(),
    "metrics": lambda session: session.metrics(0),
    "tables": lambda session: session.tables(10),
    "dump_state": lambda session: session.dump_state(),
    "extract": lambda session: session.extract(
        _RAW, _NUMBERS, "probe", recording().columns
    ),
    "event_strings": lambda session: session.event_strings(0, _RAW, _NUMBERS),
    "set_config": lambda session: session.set_config(0, ""),
}


@dataclass
class Packet:
    """One packet: on which socket, and what kind of memory goes with it."""

    data: bytes
    memory: bytes = b""
    descriptors: tuple[str, ...] = ()
    on_data: bool = False


@dataclass
class Script:
    """What the worker says before each act, in order; and words in the shared page."""

    hello: Packet
    steps: list[tuple[str, list[Packet]]] = field(default_factory=list)
    page: bytes = b""


def prepare() -> None:
    assert recording().chunks


def _looked_at(manifest: Any) -> None:
    repr(manifest)
    manifest._repr_html_()
    manifest.to_dict()


def _descriptors(dice: Random, honest: int) -> tuple[str, ...]:
    if dice.randrange(12):
        return ("sealed",) * honest
    kinds = ("sealed", "open", "pipe", "file", "socket")
    return tuple(dice.choices(kinds, k=dice.randrange(4)))


def _reply(dice: Random, op: str, seq: int, *, sound: bool) -> Packet:
    made = recording()
    memory = made.memory.get(op, b"")
    descriptors = 1 if op in made.memory or op == "open" else 0
    message: Any = {"seq": seq, "ok": made.replies[op]}
    if sound:
        return Packet(json.dumps(message).encode(), memory, ("sealed",) * descriptors)
    kind = dice.randrange(8)
    if kind == 0:
        facts = {"last_error": stray(dice), dice.choice(("path", "x")): stray(dice)}
        message = {
            "seq": seq,
            "error": {"kind": "PluginInitError", "message": "no", "facts": facts},
        }
    elif kind == 1:
        memory = damaged(dice, memory)
    if kind <= 5:
        message["ok" if "ok" in message and dice.randrange(8) else "seq"] = (
            damaged_document(dice, message.get("ok", seq))
        )
    data = json.dumps(message).encode()
    if kind >= 5:
        data = damaged(dice, data)
    if dice.randrange(10) == 0 or len(data) > 60_000:
        return Packet(b"@", data, ("sealed", *_descriptors(dice, descriptors)))
    return Packet(data, memory, _descriptors(dice, descriptors))


def _chunks(dice: Random) -> list[Packet]:
    head, memory = recording().chunks[0]
    packets = []
    for number in range(1, 1 + dice.randrange(3)):
        facts = list(MESSAGE.unpack(head))
        facts[2] = number
        if dice.randrange(3) == 0:
            facts[dice.randrange(6)] = dice.choice((0, 1, 255, 2**32 - 1))
        data = MESSAGE.pack(*facts)
        if dice.randrange(8) == 0:
            data = damaged(dice, data)
        sent = memory if dice.randrange(3) else damaged(dice, memory, reach=2_000)
        packets.append(Packet(data, sent, _descriptors(dice, 1), on_data=True))
    end = recording().end
    if dice.randrange(3) == 0:
        end = damaged(dice, end)
    if dice.randrange(6) == 0:
        end = MESSAGE.pack(MAGIC, dice.choice((END, CHUNK, 7)), 1, 2, 3, 4)
        end += json.dumps(
            damaged_document(dice, {"end": "eof", "error": None})
        ).encode()
    return [*packets, Packet(end, on_data=True)]


def make(dice: Random) -> Script:
    """Mostly sound until one step, so that every step is reached."""
    ops = ["load", "init", *dice.sample(list(_ACTS)[2:], k=dice.randrange(1, 7))]
    wrong = dice.randrange(-1, len(ops))
    script = Script(_reply(dice, "hello", 0, sound=wrong >= 0))
    for at, op in enumerate(ops):
        packets = [_reply(dice, op, at + 1, sound=at != wrong)]
        if op == "open":
            packets += _chunks(dice)
        if dice.randrange(30) == 0:
            packets.insert(0, Packet(damaged(dice, b'{"seq": 1}')))
        script.steps.append((op, packets))
    if dice.randrange(4) == 0:
        script.page = dice.randbytes(200)
    return script


def _opened(packet: Packet) -> list[int]:
    made = []
    for kind in packet.descriptors:
        if kind == "sealed":
            made.append(write_memfd("fuzz", [packet.memory] if packet.memory else []))
        elif kind == "open":
            made.append(os.memfd_create("fuzz", os.MFD_CLOEXEC))
            os.write(made[-1], packet.memory)
        elif kind == "pipe":
            ours, theirs = os.pipe()
            os.close(theirs)
            made.append(ours)
        elif kind == "file":
            made.append(os.open("/proc/self/maps", os.O_RDONLY | os.O_CLOEXEC))
        else:
            made.append(os.open("/dev/zero", os.O_RDONLY | os.O_CLOEXEC))
    return made


def _say(worker: StandIn, packets: list[Packet]) -> None:
    for packet in packets:
        fds = _opened(packet)
        try:
            if packet.data and len(packet.data) < 65_000:
                worker.say(packet.data, fds, on_data=packet.on_data)
        finally:
            for fd in fds:
                os.close(fd)


def _open_files() -> int:
    return len(list(Path("/proc/self/fd").iterdir()))


def check(script: Script) -> None:
    """Every act does its work or raises one error of ours; nothing stays open."""
    before = _open_files()
    worker = StandIn()
    _say(worker, [script.hello])
    try:
        with session_with(worker) as session:
            _run(worker, session, script)
    except WorkbenchError as error:
        assert len(str(error)) < _LONGEST_TEXT, len(str(error))
    finally:
        worker.close()
    assert _open_files() <= before


def _run(worker: StandIn, session: WorkerSession, script: Script) -> None:
    try:
        for op, packets in script.steps:
            if script.page and op == "open":
                worker.page[8:44] = bytes(4) + script.page[:32]
                worker.page[72:208] = script.page[32:168]
            _say(worker, packets)
            _act(session, op)
            session.trace()
    finally:
        connection = session._connection
        seq = connection._seq + 1
        _say(worker, [_reply_to_close(seq)] * 2)
        worker.hang_up()
        session.close()


def _act(session: WorkerSession, op: str) -> None:
    try:
        _ACTS[op](session)
        if op == "open":
            while not (chunk := session.read(0.0)) or not chunk.end:
                if chunk is None:
                    return
                chunk.batch.to_pylist()
    except WorkbenchError as error:
        assert len(str(error)) < _LONGEST_TEXT, len(str(error))
        repr(error)
        if not session.alive:
            raise


def _reply_to_close(seq: int) -> Packet:
    return Packet(json.dumps({"seq": seq, "ok": None}).encode())
