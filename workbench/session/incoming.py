"""The one door for what comes from the worker: packets, replies and descriptors.

Nothing behind it is believed: a packet leaves its queue before it is decoded, its
descriptors are closed exactly once, and what is not as :mod:`workbench.session.shapes`
says is an InvalidDataError.
"""

from __future__ import annotations

import os
import select
import socket
from collections import deque
from contextlib import suppress
from typing import TYPE_CHECKING, Any

from workbench.session.host_errors import error_from_wire
from workbench.session.interrupts import undisturbed
from workbench.session.received_memory import map_memory, read_memory
from workbench.session.shapes import (
    END_SHAPE,
    ERROR_SHAPE,
    REPLIES,
    InvalidDataError,
    check,
)
from workbench.wire.messages import (
    CHUNK,
    END,
    LARGEST_BODY,
    MAGIC,
    MESSAGE,
    receive_packet,
)
from workbench.wire.small_json import decode

if TYPE_CHECKING:
    from collections.abc import Sequence

    from workbench.errors import WorkbenchError

__all__ = ["Incoming", "Packet", "close_all"]

# An honest worker has 33 chunks on the way, and an end.
_MOST_PACKETS = 256
_LARGEST_CHUNK = 1 << 30
_MOST_COST = 1 << 48


def close_all(fds: Sequence[int]) -> None:
    """Close descriptors that nobody needs."""
    for fd in fds:
        with suppress(OSError):
            os.close(fd)


class Packet:
    """Bytes and the descriptors that came with them; closed once, whatever happens."""

    def __init__(self, data: bytes, fds: list[int], *, whole: bool = True) -> None:
        """Own ``fds``; ``whole``: nothing was cut off on the way."""
        self.data = data
        self._fds = fds
        self._whole = whole

    def take(self, count: int) -> list[int]:
        """Hand over the descriptors, which must be ``count``."""
        if not self._whole:
            raise InvalidDataError(
                "a packet that was cut on its way (is the limit of open files reached?)"
            )
        if len(self._fds) != count:
            raise InvalidDataError(f"{len(self._fds)} descriptors instead of {count}")
        fds, self._fds = self._fds, []
        return fds

    def message(self) -> dict[str, Any]:
        """Decode a message of the control socket."""
        data = self.data
        if data == b"@" and self._fds:
            body = self._fds.pop(0)
            try:
                data = read_memory(body, LARGEST_BODY)
            finally:
                os.close(body)
        message = decode(data.decode())
        if not isinstance(message, dict):
            raise InvalidDataError("a reply that is not an object")
        return message

    def chunk(self) -> tuple[int, int, int, Any]:
        """Return sequence number, rows, cost in bytes and memory of a chunk."""
        _, _, seq, rows, size, cost = MESSAGE.unpack_from(self.data)
        if cost > _MOST_COST or len(self.data) != MESSAGE.size:
            raise InvalidDataError("a malformed chunk packet")
        fds = self.take(1)
        try:
            return seq, rows, cost, map_memory(fds[0], _LARGEST_CHUNK, size)
        finally:
            close_all(fds)

    def end(self) -> tuple[dict[str, Any], WorkbenchError | None, int]:
        """Return how a capture ended, the error that ended it, and events seen."""
        self.take(0)
        seen = MESSAGE.unpack_from(self.data)[3]
        told = decode(self.data[MESSAGE.size :].decode())
        end = check(END_SHAPE, told, "end of a capture")
        error = error_from_wire(end["error"]) if end["error"] else None
        return end, error, seen

    def kind(self) -> int:
        """Return CHUNK or END; raise InvalidDataError for any other packet."""
        if len(self.data) < MESSAGE.size:
            raise InvalidDataError("a packet that is too short")
        magic, kind = MESSAGE.unpack_from(self.data)[:2]
        if magic != MAGIC or kind not in (CHUNK, END):
            raise InvalidDataError("a packet of an unknown kind")
        return int(kind)

    def close(self) -> None:
        """Close what nobody took (idempotent)."""
        fds, self._fds = self._fds, []
        close_all(fds)


class Incoming:
    """Both sockets of a worker, read whenever something is there.

    ``packets``: from the data socket, not yet taken. ``arrived``: how much came that
    somebody waits for. ``control_ended``, ``data_ended``: the worker closed that end.
    """

    def __init__(self, control: socket.socket, data: socket.socket) -> None:
        """Read from ``control`` and ``data``."""
        self._control, self._data = control, data
        self.packets: deque[Packet] = deque()
        self.arrived = 0
        self.control_ended = self.data_ended = False
        self._awaited: int | None = None
        self._answer: tuple[dict[str, Any], Packet] | None = None
        # Asked by somebody who was interrupted: answered all the same.
        self._abandoned: set[int] = set()

    def expect(self, seq: int) -> None:
        """Wait for the reply to request ``seq`` from now on, for no other."""
        answer, self._answer = self._answer, None
        if answer is not None:
            answer[1].close()
        elif self._awaited is not None:
            self._abandoned.add(self._awaited)
        self._awaited = seq

    @property
    def unanswered(self) -> bool:
        """Whether a question is still with the worker."""
        awaited = self._awaited is not None and self._answer is None
        return awaited or bool(self._abandoned)

    def take_in(self) -> None:
        """Take in what both sockets hold; raise InvalidDataError for nonsense."""
        self.take_packets()
        while not self.control_ended:
            with undisturbed():
                packet = self._received(self._control)
                if packet is None:
                    return
                if not packet.data:
                    self.control_ended = True
                    return
                self._sort(packet)

    def take_packets(self) -> None:
        """Take in what the data socket holds; raise InvalidDataError for nonsense."""
        while not self.data_ended:
            with undisturbed():
                packet = self._received(self._data)
                if packet is None:
                    return
                if not packet.data:
                    self.data_ended = True
                    return
                self.packets.append(packet)
                self.arrived += 1
            if len(self.packets) > _MOST_PACKETS:
                raise InvalidDataError("more packets than it may have on the way")

    def _received(self, sock: socket.socket) -> Packet | None:
        """Return the next packet, an empty one at the end of the stream, or None."""
        try:
            data, fds, whole = receive_packet(sock, socket.MSG_DONTWAIT)
        except BlockingIOError:
            return None
        if not data:
            close_all(fds)
            poller = select.poll()
            poller.register(sock, 0)
            if not any(what & select.POLLHUP for _, what in poller.poll(0)):
                raise InvalidDataError("an empty packet")
        return Packet(data, fds, whole=whole)

    def _sort(self, packet: Packet) -> None:
        """Keep the reply that is awaited, drop one that nobody awaits any more."""
        kept = False
        try:
            message = packet.message()
            seq = message.get("seq")
            if type(seq) is not int:
                raise InvalidDataError("a reply without a number")
            if seq == self._awaited and self._answer is None:
                self._answer = message, packet
                self.arrived += 1
                kept = True
            elif seq in self._abandoned:
                self._abandoned.discard(seq)
            else:
                raise InvalidDataError("a reply that nobody asked for")
        finally:
            if not kept:
                packet.close()

    def answer(self, op: str) -> tuple[Any, list[int]] | None:
        """Return the checked reply to the request ``op`` and its descriptors, or None.

        Raises the error that the worker reported, InvalidDataError for nonsense.
        """
        if self._answer is None:
            return None
        (message, packet), self._answer, self._awaited = self._answer, None, None
        try:
            if "error" in message:
                packet.take(0)
                check(ERROR_SHAPE, message["error"], f"error in the reply to {op}")
                raise error_from_wire(message["error"])
            reply = REPLIES[op]
            if "ok" not in message:
                raise InvalidDataError(f"a reply to {op} without an answer")
            answer = check(reply.shape, message["ok"], f"reply to {op}")
            return answer, packet.take(reply.descriptors)
        finally:
            packet.close()

    def drop_packets(self) -> None:
        """Forget what came for a capture that nobody reads any more."""
        for packet in self.packets:
            packet.close()
        self.packets.clear()

    def close(self) -> None:
        """Close every descriptor that is still here (idempotent)."""
        self.drop_packets()
        answer, self._answer = self._answer, None
        if answer is not None:
            answer[1].close()
