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
import fcntl
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
    "LARGEST_BODY",
    "LARGEST_TEXT",
    "MAGIC",
    "MESSAGE",
    "SEALED",
    "HostError",
    "receive",
    "receive_packet",
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
# A JSON text of this size can become a hundred times more in objects.
LARGEST_BODY = 16 << 20
# What a plugin says in an error is cut to so many characters.
LARGEST_TEXT = 4_000
# Memory under these seals can neither change nor go away.
SEALED = fcntl.F_SEAL_SHRINK | fcntl.F_SEAL_GROW | fcntl.F_SEAL_WRITE
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
        """Return plain data, its texts cut to what a packet can carry."""
        facts = {k: _cut(v) if isinstance(v, str) else v for k, v in self.facts.items()}
        return {"kind": self.kind, "message": _cut(self.message), "facts": facts}


def _cut(text: str) -> str:
    if len(text) <= LARGEST_TEXT:
        return text
    return f"{text[:LARGEST_TEXT]}… ({len(text):,} characters)"


def write_memfd(name: str, parts: Iterable[Any]) -> int:
    """Put buffers one after the other into a new memfd and return its descriptor.

    It is sealed: whoever receives it may map it.
    """
    fd = os.memfd_create(name, os.MFD_CLOEXEC | os.MFD_ALLOW_SEALING)
    try:
        for part in parts:
            view = memoryview(part).cast("B")
            while view:
                view = view[os.write(fd, view) :]
        fcntl.fcntl(fd, fcntl.F_ADD_SEALS, SEALED | fcntl.F_SEAL_SEAL)
    except BaseException:
        os.close(fd)
        raise
    return fd


def send(
    sock: _socket.socket,
    message: dict[str, Any],
    fds: Sequence[int] = (),
    flags: int = 0,
) -> None:
    """Send one message with descriptors; ValueError when it is too large."""
    data = encode(message).encode()
    if len(data) > LARGEST_BODY:
        raise ValueError(f"a message of {len(data):,} bytes is too large")
    body = -1
    if len(data) > _LARGEST_PACKET:
        body = write_memfd("workbench-message", [data])
        data = b""
        fds = [body, *fds]
    rights = struct.pack(f"{len(fds)}i", *fds)
    extra = [(_socket.SOL_SOCKET, _socket.SCM_RIGHTS, rights)] if fds else []
    try:
        sock.sendmsg([data or b"@"], extra, flags | _socket.MSG_NOSIGNAL)
    finally:
        if body >= 0:
            os.close(body)


def receive(sock: _socket.socket) -> tuple[dict[str, Any], list[int]] | None:
    """Receive one request and its descriptors; None when the notebook is gone.

    For the worker alone: the notebook trusts nothing, see ``session/incoming.py``.
    """
    data, fds, _ = receive_packet(sock)
    if not data:
        return None
    if data == b"@":
        body = fds.pop(0)
        data = os.pread(body, os.fstat(body).st_size, 0)
        os.close(body)
    return decode(data.decode()), fds


def receive_packet(
    sock: _socket.socket, flags: int = 0
) -> tuple[bytes, list[int], bool]:
    """Receive one packet, its descriptors, and whether it came whole.

    b"" is the end of the stream, or a packet of no bytes.
    """
    fds: list[int] = []
    space = _socket.CMSG_SPACE(_MOST_DESCRIPTORS * 4)
    try:
        data, extra, told, _ = sock.recvmsg(
            _LARGEST_PACKET + 4096, space, flags | _socket.MSG_CMSG_CLOEXEC
        )
    except ConnectionError:
        return b"", [], True
    for level, kind, payload in extra:
        if level == _socket.SOL_SOCKET and kind == _socket.SCM_RIGHTS:
            whole = len(payload) // 4
            fds += struct.unpack_from(f"{whole}i", payload)
    return data, fds, not told & (_socket.MSG_TRUNC | _socket.MSG_CTRUNC)
