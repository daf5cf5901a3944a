"""One log line as the C host packs it: head, component, text."""

from __future__ import annotations

import struct

from workbench.session.types import LogLine

__all__ = ["LARGEST_LOG_PACKET", "decode_log_packet"]

LARGEST_LOG_PACKET = 16_384
_HEAD = struct.Struct("<IiQII")  # plugin, severity, time ns, lengths of the two texts
_SEVERITIES = {
    1: "fatal",
    2: "critical",
    3: "error",
    4: "warning",
    5: "notice",
    6: "info",
    7: "debug",
    8: "trace",
}


def decode_log_packet(packet: bytes) -> tuple[int, LogLine] | None:
    """Return the plugin's number and the line, None for a packet that is none."""
    if len(packet) < _HEAD.size:
        return None
    plugin, severity, time_ns, component, text = _HEAD.unpack_from(packet)
    body = packet[_HEAD.size :]
    words = body[component : component + text].decode("utf-8", "replace")
    line = LogLine(
        time_ns=time_ns,
        stream="log",
        severity=_SEVERITIES.get(severity, str(severity)),
        component=body[:component].decode("utf-8", "replace"),
        message=words.removesuffix("\n"),
    )
    return plugin, line
