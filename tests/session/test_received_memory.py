from __future__ import annotations

import os

import pytest

from workbench.session import received_memory
from workbench.session.received_memory import map_memory, read_memory
from workbench.session.shapes import InvalidDataError
from workbench.wire.messages import write_memfd


@pytest.fixture
def pieces(monkeypatch):
    """Read in pieces as small as a test needs; the kernel gives 2 GiB at most."""
    monkeypatch.setattr(received_memory, "_PIECE_BYTES", 1000)


@pytest.mark.parametrize("size", [999, 1000, 1001, 3000, 12_345])
@pytest.mark.usefixtures("pieces")
def test_memory_of_many_pieces_is_read_whole(size):
    data = os.urandom(size)
    fd = write_memfd("whole", [data])
    try:
        assert read_memory(fd, size) == data
        assert map_memory(fd, size).to_pybytes() == data
    finally:
        os.close(fd)


@pytest.mark.usefixtures("pieces")
def test_memory_that_shrinks_between_two_pieces_is_damage(monkeypatch):
    fd = os.memfd_create("shrinks", os.MFD_CLOEXEC)
    os.ftruncate(fd, 5000)
    read = os.pread

    def cut(descriptor, size, offset):
        if offset == 2000:
            os.ftruncate(fd, 2500)
        return read(descriptor, size, offset)

    monkeypatch.setattr(os, "pread", cut)
    try:
        with pytest.raises(InvalidDataError, match="2500 bytes where it announced"):
            read_memory(fd, 10_000)
    finally:
        os.close(fd)
