"""How the notebook and the worker talk: short JSON messages, memory by descriptor.

1. Control: a SEQPACKET socketpair with one JSON object per packet; a body too large for
   a packet travels in a memfd. Requests carry ``op`` and ``seq``, replies the ``seq``.
2. Data: a second SEQPACKET socketpair, worker to notebook only, so that a dying worker
   never loses what it sent: one packet per chunk with the chunk's memfd.
3. The shared_page: a shared page with the call in flight, counters and the trace.

Both sides import this module; it must stay small (standard library only).
"""

from __future__ import annotations

import _socket  # the parts of socket that do not need enum and selectors
import os
import struct

from workbench.wire.small_json import decode, encode

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence
    from typing import Any

__all__ = [
    "CHUNK",
    "END",
    "MESSAGE",
    "HostError",
    "read_all",
    "receive",
    "send",
    "write_memfd",
]

# Kinds of packets on the data socket.
CHUNK = 1
END = 2
# magic, kind, seq, rows, bytes, cost
MESSAGE = struct.Struct("<IIQQQQ")
MAGIC = 0x4B434257

_LARGEST_PACKET = 60_000
_LARGEST_BODY = 1 << 30
_MOST_DESCRIPTORS = 16


class HostError(Exception):
    """An expected failure in the host, as data: name of an error class, facts."""

    def __init__(self, kind: str, message: str, **facts: Any) -> None:
        """Keep the class name of ``workbench.errors``, the message and the facts."""
        super().__init__(message)
        self.kind = kind
        self.message = message
        self.facts = facts

    def to_wire(self) -> dict[str, Any]:
        """Return plain data."""
        return {"kind": self.kind, "message": self.message, "facts": self.facts}


def write_memfd(name: str, parts: Iterable[Any]) -> int:
    """Put buffers one after the other into a new memfd and give its descriptor."""
    fd = os.memfd_create(name, os.MFD_CLOEXEC)
    try:
        for part in parts:
            view = memoryview(part).cast("B")
            while view:
                view = view[os.write(fd, view) :]
    except BaseException:
        os.close(fd)
        raise
    return fd


def read_all(fd: int, limit: int = _LARGEST_BODY) -> bytes:
    """Read a memfd from its beginning; ValueError when it is larger than ``limit``."""
    size = os.fstat(fd).st_size
    if size > limit:
        raise ValueError(f"a message of {size} bytes is too large")
    return os.pread(fd, size, 0)


def send(
    sock: _socket.socket, message: dict[str, Any], fds: Sequence[int] = ()
) -> None:
    """Send one message with descriptors."""
    data = encode(message).encode()
    body = -1
    if len(data) > _LARGEST_PACKET:
        body = write_memfd("workbench-message", [data])
        data = b""
        fds = [body, *fds]
    rights = struct.pack(f"{len(fds)}i", *fds)
    extra = [(_socket.SOL_SOCKET, _socket.SCM_RIGHTS, rights)] if fds else []
    try:
        sock.sendmsg([data or b"@"], extra, _socket.MSG_NOSIGNAL)
    finally:
        if body >= 0:
            os.close(body)


def receive(
    sock: _socket.socket, flags: int = 0
) -> tuple[dict[str, Any], list[int]] | None:
    """Receive one message and its descriptors; None when the other side is gone."""
    data, fds = receive_packet(sock, flags)
    if not data:
        return None
    if data == b"@":
        data = read_all(fds[0])
        os.close(fds.pop(0))
    message = decode(data.decode())
    if not isinstance(message, dict):
        raise ValueError("a message must be an object")  # noqa: TRY004 - bad data, not a bad call
    return message, fds


def receive_packet(sock: _socket.socket, flags: int = 0) -> tuple[bytes, list[int]]:
    """Receive one packet; b"" when the other side is gone."""
    fds: list[int] = []
    space = _socket.CMSG_SPACE(_MOST_DESCRIPTORS * 4)
    try:
        data, extra, _, _ = sock.recvmsg(
            _LARGEST_PACKET + 4096, space, flags | _socket.MSG_CMSG_CLOEXEC
        )
    except ConnectionError:
        return b"", []
    for level, kind, payload in extra:
        if level == _socket.SOL_SOCKET and kind == _socket.SCM_RIGHTS:
            whole = len(payload) // 4
            fds += struct.unpack_from(f"{whole}i", payload)
    return data, fds
