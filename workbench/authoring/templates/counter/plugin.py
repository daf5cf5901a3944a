"""@NAME@: counts events of @SOURCE@, so that rules can ask how many there were.

A rule of Falco sees one event at a time. This plugin sees them all, keeps a table of
when each key was counted, and gives rules the number within a time: its field
``@FIELD@.count``.
"""

from __future__ import annotations

import json
import re
from collections import OrderedDict, deque

from workbench.authoring.python import PluginEvent, PluginInfo, PythonPlugin
from workbench.fields.declarations import FieldInfo

SOURCE = "@SOURCE@"
NS_PER_SEC = 10**9


# @COUNTED@


class CountTable:
    """State: key → the times it was counted at, within ``window_ns``.

    At most ``max_keys`` are kept, those counted last: what comes from events must not
    fill the memory.
    """

    def __init__(self, window_ns: int, max_keys: int, max_count: int) -> None:
        self.window_ns = window_ns
        self.max_keys = max_keys
        self.max_count = max_count
        self.times: OrderedDict[str, deque[int]] = OrderedDict()

    def add(self, key: str, time_ns: int) -> int:
        """Count ``key`` once and return how often it was within the window."""
        times = self.times.pop(key, None)
        if times is None:
            times = deque(maxlen=self.max_count)
        times.append(time_ns)
        while times[0] <= time_ns - self.window_ns:
            times.popleft()
        self.times[key] = times
        if len(self.times) > self.max_keys:
            self.times.popitem(last=False)
        return len(times)


class Counter(PythonPlugin):
    """The plugin: one for each initialised state."""

    init_schema = {
        "type": "object",
        "additionalProperties": False,
        "properties": {
            "window_sec": {
                "type": "integer",
                "minimum": 1,
                "default": 300,
                "description": "How far back events count, in seconds",
            },
            "max_keys": {
                "type": "integer",
                "minimum": 1,
                "default": 10000,
                "description": "How many keys are remembered",
            },
        },
    }

    def info(self) -> PluginInfo:
        return PluginInfo(
            name="@NAME@",
            version="0.1.0",
            description="Counts events of @SOURCE@ by key, within a time",
            contact="@CONTACT@",
            extract_event_sources=(SOURCE,),
        )

    def fields(self) -> list[FieldInfo]:
        return [
            FieldInfo(
                "@FIELD@.count",
                "uint64",
                desc="How many such events this key had within the window, this one "
                "included; absent on events that do not count",
            ),
            FieldInfo("@FIELD@.key", "string", desc="What the event was counted under"),
        ]

    def init(self, config: dict) -> None:
        window_ns = config.get("window_sec", 300) * NS_PER_SEC
        self.table = CountTable(window_ns, config.get("max_keys", 10_000), 100_000)
        # of the event parsed last: its number, key and count
        self.latest: tuple[int, str, int] | None = None

    def parse(self, event: PluginEvent) -> None:
        """See every event once, before rules ask about it."""
        if event.source != SOURCE:
            return
        key = counted_key(event.data)
        if key is not None:
            count = self.table.add(key, event.timestamp)
            self.latest = (event.number, key, count)

    def extract(
        self, event: PluginEvent, name: str, arg: str | int | None
    ) -> str | int | None:
        if self.latest is None or self.latest[0] != event.number:
            return None
        _, key, count = self.latest
        return count if name == "@FIELD@.count" else key
