"""Real files with random damage: one CaptureFileError, or events, and nothing else."""

from __future__ import annotations

import json
import random
import subprocess
import sys

import pyarrow as pa
import pyarrow.parquet as pq
import pytest

import workbench as wb
from workbench.captures.scap import write_scap
from workbench.errors import CaptureFileError

# Mutations of each kind of file; more than 2,000 together.
MUTATIONS = 800
THOROUGH = 8

# One process decodes many mutants; the next one goes on after a mutant that ended it.
DECODE = """
import os, resource, sys
from workbench.captures import decoder, nearby
from workbench.captures.soundness import sound
from workbench.errors import CaptureFileError

resource.setrlimit(resource.RLIMIT_DATA, (1 << 30, 1 << 30))
form, folder, where = sys.argv[1:4]
first, count = map(int, sys.argv[4:])

def here(form, fd):
    with nearby.open_nearby(fd, form, 1 << 28) as file:
        sound(file.whole(None, 1 << 28), "file").to_pylist()

report = os.fdopen(os.dup(1), "w")
os.dup2(os.open(os.devnull, os.O_WRONLY), 1)
for number in range(first, count):
    print(number, end=" ", file=report, flush=True)
    fd = os.open(f"{folder}/{number}", os.O_RDONLY)
    try:
        here(form, fd) if where == "here" else decoder.serve(form, fd, None, 1000)
        said = "whole"
    except (*nearby.NEARBY_ERRORS, NotImplementedError, CaptureFileError) as error:
        said = type(error).__name__
    os.close(fd)
    print(said, file=report, flush=True)
"""


def table():
    count = 200
    return pa.table(
        {
            "evt.num": pa.array(range(count), pa.uint64()),
            "evt.rawtime": pa.array(range(count), pa.uint64()),
            "evt.source": pa.array(["t"] * count).dictionary_encode(),
            "t.text": pa.array([f"text {n}" if n % 7 else None for n in range(count)]),
            "t.list": pa.array([[f"{n}"] * (n % 4) for n in range(count)]),
            "t.raw": pa.array([bytes([n]) * n for n in range(count)]),
        }
    ).replace_schema_metadata({"workbench": json.dumps({"fields": [], "source": "t"})})


def mutated(data, dice):
    """Return ``data`` with a few bytes changed, cut, doubled or exchanged."""
    out = bytearray(data)
    for _ in range(dice.choice((1, 1, 2, 8))):
        at, size = dice.randrange(len(out)), dice.choice((1, 1, 4, 64))
        how = dice.randrange(5)
        if how == 0:
            out[at : at + size] = dice.randbytes(size)
        elif how == 1:
            del out[at : at + size]
        elif how == 2:
            out[at:at] = out[at : at + size]
        elif how == 3:
            out[at : at + 4] = dice.choice(
                (b"\xff\xff\xff\x7f", b"\0" * 4, b"\xff" * 4)
            )
        else:
            out[at] ^= 1 << dice.randrange(8)
        out = out or bytearray(b"\0")
    return bytes(out)


def write(path, form):
    if form == "arrow":
        with pa.ipc.new_file(str(path), table().schema) as writer:
            writer.write_table(table(), max_chunksize=70)
    elif form == "packed":
        options = pa.ipc.IpcWriteOptions(compression="zstd")
        with pa.ipc.new_file(str(path), table().schema, options=options) as writer:
            writer.write_table(table(), max_chunksize=70)
    else:
        pq.write_table(table(), path, row_group_size=70, compression="zstd")


def mutants(folder, form):
    write(folder / "seed", form)
    seed, dice = (folder / "seed").read_bytes(), random.Random(form)
    for number in range(MUTATIONS):
        (folder / str(number)).write_bytes(mutated(seed, dice))


def decoded(form, folder, where):
    """Return what became of each mutant; "ended" where the process did."""
    fates = {}
    while len(fates) < MUTATIONS:
        words = [form, str(folder), where, str(len(fates)), str(MUTATIONS)]
        done = subprocess.run(
            [sys.executable, "-c", DECODE, *words],
            capture_output=True,
            text=True,
            timeout=150,
        )
        for line in done.stdout.splitlines():
            number, _, said = line.partition(" ")
            fates[int(number)] = said or "ended"
        # A Python error that nobody expects is no way to end.
        assert done.returncode <= 0, done.stderr
    return fates


def opened(path):
    """Return what was said against a file, "" for nothing."""
    said = ""
    try:
        repr(wb.open_events(path))
    except CaptureFileError as error:
        said = str(error)
    assert len(said) < 2000
    return said


@pytest.mark.timeout(300)
@pytest.mark.parametrize("form", ["arrow", "packed", "parquet"])
def test_random_damage_is_one_error_or_none(tmp_path, form):
    mutants(tmp_path, form)
    kind = "parquet" if form == "parquet" else "arrow"
    fates = decoded(kind, tmp_path, "decoder")
    assert set(fates) == set(range(MUTATIONS))
    assert {"whole"} < set(fates.values())
    # In the notebook's own process nothing may end it.
    here = decoded(kind, tmp_path, "here")
    assert "whole" in here.values()
    assert "ended" not in here.values()
    assert all(fates[n] == "whole" for n, fate in here.items() if fate == "whole")
    # The whole way, for those that ended the decoder and for some others.
    dice = random.Random(form)
    ended = [n for n, fate in fates.items() if fate == "ended"][:THOROUGH]
    for number in [*ended, *dice.sample(range(MUTATIONS), THOROUGH)]:
        path = tmp_path / f"{number}.{kind}"
        path.write_bytes((tmp_path / str(number)).read_bytes())
        said = opened(path)
        if fates[number] == "whole":
            assert not said or "holds no events" in said or "cannot read" in said
        else:
            assert said


@pytest.mark.timeout(300)
def test_random_damage_of_a_capture_is_one_error_or_none(tmp_path, make):
    raws = [make.plugin_event(b"payload %d" % n, time=n) for n in range(60)]
    write_scap(tmp_path / "seed.scap", make.table_of(raws))
    seed, dice = (tmp_path / "seed.scap").read_bytes(), random.Random("scap")
    path = tmp_path / "x.scap"
    fates = set()
    for _ in range(MUTATIONS):
        path.write_bytes(mutated(seed, dice))
        fates.add(bool(opened(path)))
    assert fates == {True, False}
