"""The bytes before the payload of a plugin event, in the layout of Falco's captures."""

from __future__ import annotations

import struct

__all__ = ["NO_TIME", "PAYLOAD_OFFSET", "event_header"]

# ts, tid, len, type, nparams, then the two parameter lengths and the plugin ID.
_LAYOUT = struct.Struct("<QQIHIIII")
_PLUGIN_EVENT = 322
_NO_THREAD = 2**64 - 1

PAYLOAD_OFFSET = _LAYOUT.size
# As event time: the host puts the present time in.
NO_TIME = 2**64 - 1


def event_header(time_ns: int, payload_bytes: int, plugin_id: int) -> bytes:
    """Return what stands before a payload of ``payload_bytes`` bytes."""
    return _LAYOUT.pack(
        time_ns,
        _NO_THREAD,
        PAYLOAD_OFFSET + payload_bytes,
        _PLUGIN_EVENT,
        2,
        4,
        payload_bytes,
        plugin_id,
    )
