"""The events of the vectors, column by column, as conditions and formats take them."""

from __future__ import annotations

import datetime as dt
import ipaddress

import pyarrow as pa

from tests.conformance.vectors import raw
from workbench.fields.builtin import BUILTIN_FIELDS
from workbench.fields.declarations import as_field_table
from workbench.fields.reference import resolve_column

ARROW = {
    "string": pa.binary(),
    "uint64": pa.uint64(),
    "reltime": pa.uint64(),
    "abstime": pa.uint64(),
    "bool": pa.bool_(),
    "ipaddr": pa.binary(),
    "ipnet": pa.binary(),
}


# Fields whose value is how they were asked, not what an event holds.
SHOW_ARGUMENT = {"probe.both", "probe.oboth"}
COMPUTED = SHOW_ARGUMENT | {"probe.initconfig"}


def plain(type_, value):
    """Turn a value of the vectors into one of the condition layout."""
    if value is None:
        return None
    if isinstance(value, list):
        return [plain(type_, item) for item in value]
    if type_ == "string" or isinstance(value, dict):
        return raw(value)
    if type_ in ("ipaddr", "ipnet"):
        return ipaddress.ip_address(value).packed
    return value


def arrow_type(info):
    return pa.list_(ARROW[info.type]) if info.is_list else ARROW[info.type]


class Probe:
    """The events of the probe plugin, column by column, in the condition layout."""

    def __init__(self, vectors) -> None:
        self.fields = as_field_table(vectors.fields)
        self.rows = vectors.cases("rows")
        self.columns = {}

    def table(self, names):
        for name in names:
            if name not in self.columns:
                self.columns[name] = self.column(name)
        if not names:
            return pa.table({"evt.num": self.column("evt.num")})
        return pa.table({name: self.columns[name] for name in names})

    def column(self, name):
        found = resolve_column(name, self.fields)
        if name in BUILTIN_FIELDS:
            values = [self.generic(name, row) for row in self.rows]
        else:
            values = [self.value(found, row["fields"]) for row in self.rows]
        return pa.array(values, arrow_type(found.info))

    def value(self, found, fields):
        if found.info.name == "probe.initconfig":
            return b"{}"
        if found.info.name in SHOW_ARGUMENT:
            key = "<null>" if found.arg_key is None else found.arg_key.decode()
            present = int(found.arg_present)
            return f"key={key};index={found.arg_index};present={present}".encode()
        name = found.info.name
        if found.arg_present:
            name += f"[{found.column[len(name) + 1 : -1]}]"
        return plain(found.info.type, fields.get(name))

    def generic(self, name, row):
        time_ns = row["ts"]
        seconds, rest = divmod(time_ns, 10**9)
        since = (time_ns - self.rows[0]["ts"]) % 2**64
        at = dt.datetime.fromtimestamp(seconds, dt.UTC)
        clock, day = at.strftime("%H:%M:%S"), at.strftime("%Y-%m-%d")
        made = {
            "evt.num": row["event"],
            "evt.time": f"{clock}.{rest:09}",
            "evt.time.s": clock,
            "evt.time.iso8601": f"{day}T{clock}.{rest:09}+0000",
            "evt.datetime": f"{day} {clock}.{rest:09}",
            "evt.datetime.s": f"{day} {clock}",
            "evt.rawtime": time_ns,
            "evt.rawtime.s": seconds,
            "evt.rawtime.ns": rest,
            "evt.reltime": since,
            "evt.reltime.s": since // 10**9,
            "evt.reltime.ns": since % 10**9,
            "evt.pluginname": "probe",
            "evt.plugininfo": f"row {row['event']}: {row['note']}",
            "evt.source": "probe",
            "evt.is_async": False,
            "evt.asynctype": None,
            "evt.hostname": "probe-host",
        }[name]
        return made.encode() if isinstance(made, str) else made
