"""What a plugin says of itself, gathered once and passed around as plain data."""

from __future__ import annotations

import json
import re
from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING, Any

from workbench.fields.declarations import FieldInfo, FieldTable
from workbench.formatting.html import escape, tag
from workbench.formatting.printable import printable
from workbench.formatting.units import counted

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

__all__ = [
    "CAPABILITIES",
    "Manifest",
    "OpenParam",
    "facts_html",
    "fields_html",
    "manifest_lines",
    "plugin_title",
]

# Names of fields listed in a repr.
_MAX_FIELDS = 12

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
        """Return the JSON form of the command line."""
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


# The Falco whose verdicts are reproduced here, and the newest plugin API it loads.
FALCO_VERSION = "0.44.1"
FALCO_API = (3, 12, 0)
FALCO_API_TEXT = ".".join(map(str, FALCO_API[:2]))


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
        """Return every sequence as a list of its own."""
        for name in _SEQUENCES:
            object.__setattr__(self, name, list(getattr(self, name)))
        if self.open_params is not None:
            object.__setattr__(self, "open_params", list(self.open_params))

    @property
    def falco_refusal(self) -> str:
        """Why Falco does not load this plugin, by its plugin API version, or "".

        The workbench loads such plugins all the same, to explore them.
        """
        found = re.match(r"(\d{1,9})\.(\d{1,9})\.(\d{1,9})", self.required_api_version)
        if found is None:
            return ""
        wanted = tuple(map(int, found.groups()))
        major, *_ = FALCO_API
        if wanted[0] == major and wanted <= FALCO_API:
            return ""
        short = ".".join(map(str, wanted[:2]))
        needs = f"{major}.x" if wanted[0] != major else f"at most {FALCO_API_TEXT}"
        return (
            f"Falco {FALCO_VERSION} does not load this plugin: API {short}, it needs "
            f"{needs}"
        )

    def __repr__(self) -> str:
        """Return what there is to say in short, complaints included."""
        lines = [f"Manifest of {plugin_title(self)}", *manifest_lines(self)]
        if self.falco_refusal:
            lines.append(f"  {self.falco_refusal}")
        if self.complaints:
            lines.append(f"  {counted(len(self.complaints), 'complaint')}:")
            lines += [f"    {printable(c, limit=400)}" for c in self.complaints]
        return "\n".join(lines)

    def _repr_html_(self) -> str:
        complaints = "".join(tag("li", escape(c)) for c in self.complaints)
        if complaints:
            count = escape(counted(len(self.complaints), "complaint"))
            complaints = tag("div", tag("b", count), tag("ul", complaints))
        title = tag("b", "Manifest of " + escape(plugin_title(self)))
        return tag("div", title, facts_html(self), complaints, fields_html(self))

    def to_dict(self) -> dict[str, Any]:
        """Return the JSON form of ``workbench inspect --json``."""
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
        """Return a copy that knows the suggested open params."""
        return replace(self, open_params=list(params))

    def to_wire(self) -> str:
        """Return JSON text that :meth:`from_wire` reads back unchanged."""
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


def plugin_title(info: Manifest) -> str:
    """Return name and version, printable."""
    name = printable(info.name, limit=80) or "(no name)"
    return f"{name} {printable(info.version, limit=40)}".rstrip()


def _facts(info: Manifest) -> list[tuple[str, str]]:
    """Return label and text of what there is to say in short."""
    rows = [("", printable(info.description, limit=200))]
    source = info.event_source
    if source:
        number = f" (plugin ID {info.id})" if info.id else ""
        rows.append(("event source", printable(source, limit=80) + number))
    rows.append(("capabilities", ", ".join(info.capabilities) or "none"))
    if info.extract_event_sources:
        listed = ", ".join(info.extract_event_sources)
        rows.append(("extracts from", printable(listed, limit=200)))
    rows.append(("plugin API", printable(info.required_api_version, limit=40)))
    if info.open_params:
        values = ", ".join(repr(p.value) for p in info.open_params[:5])
        rows.append(("open params", printable(values, limit=200)))
    return [row for row in rows if row[1]]


def manifest_lines(info: Manifest) -> list[str]:
    """Return the facts and the names of the fields, a line each."""
    lines = [f"  {k + ': ' if k else ''}{v}" for k, v in _facts(info)]
    if info.fields:
        names = ", ".join(list(info.fields)[:_MAX_FIELDS])
        more = ", …" if len(info.fields) > _MAX_FIELDS else ""
        lines.append(
            f"  {counted(len(info.fields), 'field')}: "
            f"{printable(names, limit=400)}{more}"
        )
    return lines


def facts_html(info: Manifest) -> str:
    """Return the facts as escaped lines."""
    return "".join(
        tag("div", (tag("b", escape(k)) + " " if k else "") + escape(v))
        for k, v in _facts(info)
    )


def fields_html(info: Manifest) -> str:
    """Return the field table, folded; "" without fields."""
    if not info.fields:
        return ""
    return tag(
        "details",
        tag("summary", escape(counted(len(info.fields), "field"))),
        info.fields._repr_html_(),
    )
