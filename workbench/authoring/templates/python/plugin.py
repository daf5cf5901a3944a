"""@NAME@: a Falco plugin that counts, and says what it counted.

An event's payload is a number in decimal text. Replace ``next_batch`` with your own
source and ``extract`` with your own fields.
"""

from __future__ import annotations

from workbench.authoring.python import (
    EndOfEvents,
    PluginEvent,
    PluginInfo,
    PythonPlugin,
)
from workbench.fields.declarations import ArgInfo, FieldInfo
from workbench.manifest import OpenParam

BATCH = 128


class Stream:
    """One open stream."""

    def __init__(self, end: int) -> None:
        self.done = 0
        self.end = end


class Counter(PythonPlugin):
    """The plugin: one for each initialised state."""

    init_schema = {
        "type": "object",
        "additionalProperties": False,
        "properties": {
            "step": {
                "type": "integer",
                "minimum": 1,
                "default": 1,
                "description": "How much each event adds to the count",
            }
        },
    }

    def info(self) -> PluginInfo:
        return PluginInfo(
            name="@NAME@",
            version="0.1.0",
            description="Counts, and says what it counted",
            contact="@CONTACT@",
            id=999,  # for trials; ask for one of your own
            event_source="@NAME@",
        )

    def fields(self) -> list[FieldInfo]:
        return [
            FieldInfo("@FIELD@.value", "uint64", desc="The number counted to"),
            FieldInfo("@FIELD@.text", "string", desc="The number as text"),
            FieldInfo("@FIELD@.even", "bool", desc="True for even numbers"),
            FieldInfo(
                "@FIELD@.divisible",
                "uint64",
                arg=ArgInfo(required=True, index=True),
                desc="1 if the number is divisible by the argument, else 0",
            ),
        ]

    def init(self, config: dict) -> None:
        self.step = config.get("step", 1)

    def open_params(self) -> list[OpenParam]:
        return [OpenParam("1000", "count a thousand events")]

    def open(self, params: str) -> Stream:
        if params and not params.isdecimal():
            raise ValueError(f"open params: {params!r} is no number of events")
        return Stream(int(params or 1000))

    def next_batch(self, stream: Stream) -> list[bytes]:
        if stream.done == stream.end:
            raise EndOfEvents
        stop = min(stream.end, stream.done + BATCH)
        events = [b"%d" % (i * self.step) for i in range(stream.done, stop)]
        stream.done = stop
        return events

    def progress(self, stream: Stream) -> tuple[float, str]:
        text = f"{stream.done} of {stream.end} events"
        return 100 * stream.done / max(1, stream.end), text

    def event_to_string(self, event: PluginEvent) -> str:
        return f"counted to {event.data.decode()}"

    def extract(
        self, event: PluginEvent, name: str, arg: str | int | None
    ) -> str | int | bool | None:
        value = int(event.data)
        if name == "@FIELD@.value":
            return value
        if name == "@FIELD@.text":
            return str(value)
        if name == "@FIELD@.even":
            return value % 2 == 0
        return int(value % arg == 0) if arg else None
