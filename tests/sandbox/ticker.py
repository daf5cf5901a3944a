from __future__ import annotations

import decimal  # an extension module of the standard library
import zoneinfo

from workbench.authoring.python import EndOfEvents, PluginInfo, PythonPlugin
from workbench.fields import FieldInfo


class Ticker(PythonPlugin):
    def info(self):
        return PluginInfo("ticker", "0.1.0", "counts", "me@example.org", 998, "ticker")

    def fields(self):
        return [
            FieldInfo("ticker.value", "uint64", desc="the number"),
            FieldInfo("ticker.zone", "string", desc="a zone"),
        ]

    def open(self, params):
        return [int(params)]

    def next_batch(self, stream):
        if not stream[0]:
            raise EndOfEvents
        count, stream[0] = stream[0], 0
        return [(n + 1, b"%d" % n) for n in range(count)]

    def extract(self, event, name, _arg):
        if name == "ticker.zone":
            return str(zoneinfo.ZoneInfo("Europe/Berlin"))
        return int(decimal.Decimal(event.data.decode()))
