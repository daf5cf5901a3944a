"""What a plugin says of itself, gathered once and passed around as plain data."""

from __future__ import annotations

import json
from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING, Any

from workbench.fields.declarations import FieldInfo, FieldTable
from workbench.reprs import manifest_html, manifest_text

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

__all__ = ["CAPABILITIES", "Manifest", "OpenParam"]

# Word → sentence for people, in the order of the capability bits.
CAPABILITIES: dict[str, str] = {
    "sourcing": "opens an event source and produces events",
    "extraction": "gives the values of fields for events",
    "parsing": "watches every event to keep state",
    "async": "injects events of its own at any time",
    "capture_listening": "is told when a capture starts and ends",
}


@dataclass(frozen=True, slots=True)
class OpenParam:
    """One suggested text for ``open``; ``separator`` splits a list of values."""

    value: str
    desc: str = ""
    separator: str = ""

    def to_dict(self) -> dict[str, str]:
        """Give the JSON form of the command line."""
        return {"value": self.value, "desc": self.desc, "separator": self.separator}


_SEQUENCES = (
    "capabilities",
    "extract_event_sources",
    "parse_event_sources",
    "async_event_sources",
    "async_events",
    "complaints",
    "symbols",
)


@dataclass(frozen=True, slots=True, repr=False)
class Manifest:
    """What a library says of itself, without initialising it.

    Sequences are lists, whatever they were given as. ``id``: 0 for none.
    ``event_source``: "" for none. ``capabilities``: words of
    ``CAPABILITIES``. ``extract_event_sources``: [] for any. ``init_schema``: decoded
    JSON schema or None. ``open_params``: known only after init, else None.
    ``complaints``: everything that a loader would object to, in its order.
    ``family``: layout of its functions: "A1", "A2", "B", "C" or "" if undecided.
    """

    path: str
    name: str = ""
    version: str = ""
    description: str = ""
    contact: str = ""
    id: int = 0
    event_source: str = ""
    required_api_version: str = ""
    capabilities: Sequence[str] = ()
    extract_event_sources: Sequence[str] = ()
    parse_event_sources: Sequence[str] = ()
    async_event_sources: Sequence[str] = ()
    async_events: Sequence[str] = ()
    fields: FieldTable = field(default_factory=FieldTable)
    init_schema: dict[str, Any] | None = None
    open_params: Sequence[OpenParam] | None = None
    complaints: Sequence[str] = ()
    family: str = ""
    symbols: Sequence[str] = ()

    def __post_init__(self) -> None:
        """Give every sequence as a list of its own."""
        for name in _SEQUENCES:
            object.__setattr__(self, name, list(getattr(self, name)))
        if self.open_params is not None:
            object.__setattr__(self, "open_params", list(self.open_params))

    def __repr__(self) -> str:
        """Give what there is to say in short, complaints included."""
        return manifest_text(self)

    def _repr_html_(self) -> str:
        return manifest_html(self)

    def to_dict(self) -> dict[str, Any]:
        """Give the JSON form of ``workbench inspect --json``."""
        params = None
        if self.open_params is not None:
            params = [p.to_dict() for p in self.open_params]
        return {
            "name": self.name,
            "version": self.version,
            "description": self.description,
            "contact": self.contact,
            "id": self.id,
            "event_source": self.event_source,
            "required_api_version": self.required_api_version,
            "capabilities": list(self.capabilities),
            "extract_event_sources": list(self.extract_event_sources),
            "fields": [f.to_dict() for f in self.fields.values()],
            "init_schema": self.init_schema,
            "open_params": params,
            "complaints": list(self.complaints),
        }

    def with_open_params(self, params: Sequence[OpenParam]) -> Manifest:
        """Give a copy that knows the suggested open params."""
        return replace(self, open_params=list(params))

    def to_wire(self) -> str:
        """Give JSON text that :meth:`from_wire` reads back unchanged."""
        data = self.to_dict()
        data.update(
            path=self.path,
            family=self.family,
            symbols=list(self.symbols),
            parse_event_sources=list(self.parse_event_sources),
            async_event_sources=list(self.async_event_sources),
            async_events=list(self.async_events),
            fields=[
                {
                    **f.to_dict(),
                    "properties": list(f.properties),
                    "add_output": f.add_output,
                    "id": self.fields.field_id(f.name),
                }
                for f in self.fields.values()
            ],
        )
        return json.dumps(data)

    @classmethod
    def from_wire(cls, text: str) -> Manifest:
        """Read what :meth:`to_wire` wrote."""
        return cls.from_facts(json.loads(text))

    @classmethod
    def from_facts(cls, facts: Mapping[str, Any]) -> Manifest:
        """Read the decoded form of :meth:`to_wire`, which is also the host's answer."""
        data = dict(facts)
        params = data.pop("open_params")
        entries = data.pop("fields")
        fields = FieldTable(
            [FieldInfo.from_json(f) for f in entries],
            [f.get("id", number) for number, f in enumerate(entries)],
        )
        opened = None if params is None else [OpenParam(**p) for p in params]
        return cls(**data, fields=fields, open_params=opened)
