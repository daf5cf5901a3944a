"""Names that belong to Falco itself, so that no plugin should take them."""

from __future__ import annotations

__all__ = ["FIELD_FAMILIES", "RESERVED_SOURCES"]

RESERVED_SOURCES = frozenset({"syscall", "internal", "plugins"})
# Families of fields that Falco has for system calls, or that its own plugins use.
FIELD_FAMILIES = frozenset(
    [
        *("proc", "thread", "fd", "fdlist", "fs", "user", "group", "container"),
        *("k8s", "k8smeta", "mesos", "span", "evtin", "syslog"),
    ]
)
