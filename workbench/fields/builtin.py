"""The ``evt.*`` fields that every event source has, as declarations.

Who shows or computes their values is not decided here; the types are the engine's.
"""

from __future__ import annotations

from workbench.fields.declarations import FieldInfo, FieldTable

__all__ = ["ASYNC_FIELDS", "BUILTIN_FIELDS", "generic_owner"]

BUILTIN_FIELDS = FieldTable(
    FieldInfo(name=name, type=type_, desc=desc)
    for name, type_, desc in (
        ("evt.num", "uint64", "Running number of the event within its source, from 1."),
        ("evt.time", "string", "Local time of day with nanoseconds."),
        ("evt.time.s", "string", "Local time of day in whole seconds."),
        ("evt.time.iso8601", "string", "UTC date and time with nanoseconds."),
        ("evt.datetime", "string", "Local date and time with nanoseconds."),
        ("evt.datetime.s", "string", "Local date and time in whole seconds."),
        ("evt.rawtime", "abstime", "Event time: nanoseconds since the epoch."),
        ("evt.rawtime.s", "abstime", "Event time: whole seconds since the epoch."),
        ("evt.rawtime.ns", "abstime", "Event time: nanoseconds within the second."),
        ("evt.reltime", "reltime", "Nanoseconds since the first event of the capture."),
        ("evt.reltime.s", "reltime", "Whole seconds since the first event."),
        ("evt.reltime.ns", "reltime", "Nanosecond remainder since the first event."),
        ("evt.pluginname", "string", "Name of the plugin that produced the event."),
        ("evt.plugininfo", "string", "The plugin's own one-line summary of the event."),
        ("evt.source", "string", "Name of the event source."),
        ("evt.is_async", "bool", "True for asynchronous events."),
        ("evt.asynctype", "string", "Kind of an asynchronous event, absent otherwise."),
        ("evt.hostname", "string", "Name of the host that captured the event."),
    )
)


def generic_owner(text: str) -> str | None:
    """Return the generic field that claims a field reference, or None.

    The engine asks its generic fields first, and a name that is the beginning of the
    reference claims it, although only the exact name is usable: ``evt.numbers`` is
    claimed by ``evt.num`` and thereby lost to any plugin that declares it.
    """
    if not text.startswith("evt."):
        return None
    owners = [name for name in BUILTIN_FIELDS if text.startswith(name)]
    return max(owners, key=len, default=None)


# Shown by default where plugins may inject events of their own.
ASYNC_FIELDS = ("evt.is_async", "evt.asynctype")
