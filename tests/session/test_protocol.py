"""What crosses the border is checked on arrival."""

from __future__ import annotations

import json
import socket
import subprocess
import sys
from pathlib import Path

import pytest

from workbench.session.host_errors import error_from_wire
from workbench.session.types import CaptureOptions
from workbench.wire.messages import HostError, receive, send
from workbench.wire.small_json import decode, encode

ROOT = Path(__file__).resolve().parents[2]

VALUES = [
    None,
    True,
    -5,
    2**64 - 1,
    1.5,
    "",
    '\0\x1f"\\/é\u2028\U0001f600\udcff',
    [],
    {},
    {"a": [1, {"b": [None, False]}], "é": "x" * 1000},
]


@pytest.mark.parametrize("value", VALUES, ids=repr)
def test_small_json_agrees_with_json(value):
    assert json.loads(encode(value)) == value
    assert decode(" \n" + json.dumps(value) + " trailing") == value


@pytest.mark.parametrize(
    "text", ["", "  ", "[1,", "{'a': 1}", "nul", "[" * 100_000, '{"a" 1}', "\ufeff"]
)
def test_bad_json_is_a_value_error(text):
    with pytest.raises(ValueError, match=r"."):
        decode(text)


def test_small_json_works_without_its_c_functions():
    code = (
        "import sys; sys.modules['_json'] = None;"
        "from workbench.wire.small_json import decode, encode;"
        "assert decode(encode({'a': [1, 'é']})) == {'a': [1, 'é']};"
        "print('json' in sys.modules)"
    )
    done = subprocess.run(
        [sys.executable, "-c", code], cwd=ROOT, capture_output=True, text=True
    )
    assert done.stdout == "True\n", done.stderr


def test_messages_of_any_size_arrive_with_their_descriptors(tmp_path):
    ours, theirs = socket.socketpair(socket.AF_UNIX, socket.SOCK_SEQPACKET)
    with ours, theirs, (tmp_path / "f").open("wb") as file:
        for size in (0, 10, 59_000, 60_001, 3_000_000):
            send(ours, {"text": "x" * size}, [file.fileno()])
            message, fds = receive(theirs)
            assert message == {"text": "x" * size}
            assert len(fds) == 1
            socket.close(fds[0])
        ours.close()
        assert receive(theirs) is None


def test_errors_cross_as_data():
    told = HostError("PluginOpenError", "no", plugin="p", params="x", secret=5)
    error = error_from_wire(json.loads(json.dumps(told.to_wire())))
    assert type(error).__name__ == "PluginOpenError"
    assert (error.plugin, error.params, error.last_error) == ("p", "x", None)
    assert type(error_from_wire({"kind": "SystemExit"})).__name__ == "WorkbenchError"


FUZZ = """
import random, sys
import pyarrow as pa
from workbench.session.chunk_reader import ChunkReader
chunk = open(sys.argv[1], "rb").read()
names = sys.argv[2].split(",")
bad = good = 0
for seed in range(4000):
    dice = random.Random(seed)
    data = bytearray(chunk)
    # Mostly the head and the columns' rows; now and then offsets and codes.
    reach = len(data) if seed % 3 == 0 else 64 + 136 * len(names)
    for _ in range(dice.randint(1, 6)):
        at = dice.randrange(reach)
        data[at] = dice.choice([0, 1, 0x7f, 0x80, 0xff, dice.randrange(256)])
    if seed % 7 == 0:
        data = data[: dice.randrange(len(data))]
    try:
        batch = ChunkReader(names, "s").read(pa.py_buffer(bytes(data)))
        batch.to_pylist()
        good += 1
    except ValueError:
        bad += 1
print(bad > 500 and good > 100, bad, good)
"""


def test_a_damaged_chunk_is_refused_never_trusted(plugin, columns, tmp_path):
    from workbench.host.handles import memory_at
    from workbench.session.local_session import LocalSession

    session = LocalSession()
    index, manifest = session.load(str(plugin("probe")))
    session.init(index, "")
    session.open(index, "n=100", columns(manifest), CaptureOptions())
    pump = session._plugin_host.pump
    pump.run(-1, 10**9)
    address, size, free = pump.take()
    (tmp_path / "chunk").write_bytes(memory_at(address, size)[:])
    free()
    names = ",".join(session._reader._names)
    session.close()
    done = subprocess.run(
        [sys.executable, "-c", FUZZ, str(tmp_path / "chunk"), names],
        cwd=ROOT,
        capture_output=True,
        text=True,
    )
    assert done.returncode == 0, done.stderr[-2000:]
    assert done.stdout.startswith("True"), done.stdout
