"""What a library says of itself, held against the rules of the real plugin loader.

Every complaint is collected, in the order in which the framework would meet it. Nothing
is initialised. The result is the plain data that ``Manifest.from_facts`` reads.
"""

from __future__ import annotations

from workbench.host.declarations import check_fields, string_list
from workbench.host.lenient_json import parse_json

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Any

    from workbench.host.handles import PluginHandle

__all__ = ["FRAMEWORK_API", "examine"]

FRAMEWORK_API = (3, 12, 0)
_COMPLAINT_CHARS = 1000
_OLDER_MAJORS = (0, 1, 2)
_RESERVED_SOURCE = "syscall"
_TYPE_SOURCE, _TYPE_EXTRACTOR = 1, 2

_BLANKS = " \t\n\v\f\r"

_ALWAYS = (
    "get_required_api_version",
    "get_version",
    "get_name",
    "get_description",
    "get_contact",
    "init",
    "destroy",
    "get_last_error",
)
# What plugins of API 0.x must export, by kind.
_ALWAYS_0 = ("get_type", *_ALWAYS)
_SOURCE_0 = ("get_id", "get_event_source", "open", "close", "event_to_string")
_EXTRACTOR_0 = ("get_fields", "extract_fields")


def parse_version(text: str) -> tuple[int, int, int] | None:
    """Read ``x.y.z`` as ``sscanf("%u.%u.%u")`` does, None when it could not.

    Blanks and a plus may stand before a number, anything after the third one.
    """
    numbers: list[int] = []
    rest = text
    while True:
        rest = rest.lstrip(_BLANKS).removeprefix("+")
        digits = len(rest) - len(rest.lstrip("0123456789"))
        if not digits:
            return None
        numbers.append(int(rest[: min(digits, 20)]) & 0xFFFFFFFF)
        rest = rest[digits:]
        if len(numbers) == 3:
            return numbers[0], numbers[1], numbers[2]
        if not rest.startswith("."):
            return None
        rest = rest[1:]


def _api_complaint(text: str, version: tuple[int, int, int]) -> str | None:
    major, minor, patch = version
    known_major, known_minor, known_patch = FRAMEWORK_API
    if major in _OLDER_MAJORS:
        return None
    if major != known_major:
        reason = "major versions disagree"
    elif minor > known_minor:
        reason = "framework's minor is less than the requested one"
    elif minor == known_minor and patch > known_patch:
        reason = "framework's patch is less than the requested one"
    else:
        return None
    ours = ".".join(map(str, FRAMEWORK_API))
    return (
        f"plugin required API version '{text}' not compatible with the framework's "
        f"API version '{ours}': {reason}"
    )


def _family(plugin: PluginHandle, major: int, minor: int) -> tuple[str, str | None]:
    """Decide which layout the functions have; give it, or "" and a complaint."""
    if major == 0:
        return ("A1" if minor <= 1 else "A2"), None
    if major == 1 and plugin.has("get_type"):
        if plugin.has("extract_str") or plugin.has("extract_u64"):
            return "", (
                "built for a prototype of the plugin API from before August 2021, "
                "which was never released: rebuild it with a released SDK"
            )
        if plugin.has("next"):
            return "A1", None
        return "", (
            "built for a development version of plugin API 1.0.0 (March to April "
            "2022), which was never released: rebuild it with a released SDK"
        )
    if major in (1, 2):
        return "B", None
    return "C", None


class _Examination:
    """Complaints and facts about one library, gathered step by step."""

    def __init__(self, plugin: PluginHandle, path: str) -> None:
        self.plugin = plugin
        self.complaints: list[str] = []
        self.family = ""
        self.minor = 0
        self.facts: dict[str, Any] = {
            "path": path,
            "name": "",
            "version": "",
            "description": "",
            "contact": "",
            "id": 0,
            "event_source": "",
            "required_api_version": "",
            "capabilities": [],
            "extract_event_sources": [],
            "parse_event_sources": [],
            "async_event_sources": [],
            "async_events": [],
            "fields": [],
            "init_schema": None,
            "open_params": None,
            "symbols": plugin.symbols(),
        }
        self.field_ids: dict[str, int] = {}

    def run(self) -> None:
        known = self._api()
        self._information()
        if not known:
            return
        if self.family in ("A1", "A2"):
            self._capabilities_0()
        else:
            self._capabilities()
        self._source()
        self._extraction()
        self._other_sources()
        self._schema()

    def _api(self) -> bool:
        plugin = self.plugin
        if not plugin.has("get_required_api_version"):
            self.complaints.append(
                "plugin_get_required_api_version symbol not implemented"
            )
            return False
        text = plugin.text("get_required_api_version") or ""
        self.facts["required_api_version"] = text
        version = parse_version(text)
        if version is None:
            self.complaints.append(
                f"plugin provided an invalid required API version: '{text}'"
            )
            return False
        major, self.minor, _ = version
        complaint = _api_complaint(text, version)
        if complaint:
            self.complaints.append(complaint)
        self.family, refusal = _family(plugin, major, self.minor)
        if refusal:
            self.complaints.append(refusal)
            return False
        if self.family == "A1":
            # From here on texts are ours to give back.
            plugin.describe("A1", self.minor, "", "", 0)
        required = _ALWAYS_0 if self.family.startswith("A") else _ALWAYS
        for name in required:
            if not plugin.has(name):
                self.complaints.append(self._missing(name))
        return True

    def _missing(self, name: str) -> str:
        if self.family.startswith("A"):
            return f"Dynamic library symbol plugin_{name} not present"
        return f"required symbol not implemented: '{name}'"

    def _information(self) -> None:
        for name in ("name", "description", "contact", "version"):
            self.facts[name] = self.plugin.text(f"get_{name}") or ""
        version = self.facts["version"]
        if self.plugin.has("get_version") and parse_version(version) is None:
            self.complaints.append(
                f"plugin provided an invalid version string: '{version}'"
            )

    def _capabilities_0(self) -> None:
        """0.x: the kind of plugin says what must be there."""
        plugin = self.plugin
        kind = plugin.number("get_type")
        if kind == _TYPE_SOURCE:
            needed: tuple[str, ...] = _SOURCE_0
            if self.family == "A2":
                needed = (*needed, "next_batch")
            elif not plugin.has("next_batch"):
                needed = (*needed, "next")
            self.facts["capabilities"].append("sourcing")
        elif kind == _TYPE_EXTRACTOR:
            needed = _EXTRACTOR_0
        else:
            self.complaints.append(f"Unknown plugin type {kind}")
            return
        missing = [name for name in needed if not plugin.has(name)]
        self.complaints += [self._missing(name) for name in missing]
        if plugin.has("get_fields") and plugin.has("extract_fields"):
            self.facts["capabilities"].append("extraction")

    def _capabilities(self) -> None:
        plugin = self.plugin
        strict = self.family == "C"
        broken: list[str] = []
        words: list[str] = self.facts["capabilities"]

        def group(names: tuple[str, ...], word: str, complaint: str) -> None:
            present = [name for name in names if plugin.has(name)]
            if len(present) == len(names):
                words.append(word)
            elif strict and present and (len(names) > 2 or names[0] in present):
                broken.append(complaint)

        if strict:
            group(
                ("open", "close", "next_batch"),
                "sourcing",
                "must implement all of 'plugin_open', 'plugin_close', and "
                "'plugin_next_batch' (event sourcing)",
            )
            if "sourcing" in words:
                has_id = plugin.number("get_id") != 0
                if has_id != bool(plugin.text("get_event_source")):
                    words.remove("sourcing")
                    broken.append(
                        "must implement both 'plugin_get_id' and "
                        "'plugin_get_event_source' or neither (event sourcing)"
                    )
        else:
            group(
                ("get_id", "get_event_source", "open", "close", "next_batch"),
                "sourcing",
                "",
            )
        # The function that acts comes first: it alone makes a group broken.
        group(
            ("extract_fields", "get_fields"),
            "extraction",
            "must implement both 'plugin_get_fields' and 'plugin_extract_fields' "
            "(field extraction)",
        )
        if strict:
            if plugin.has("parse_event"):
                words.append("parsing")
            group(
                ("set_async_event_handler", "get_async_events"),
                "async",
                "must implement both 'plugin_get_async_events' and "
                "'plugin_set_async_event_handler' (async events)",
            )
            group(
                ("capture_open", "capture_close"),
                "capture_listening",
                "must implement both 'plugin_capture_open' and 'plugin_capture_close' "
                "(capture listening)",
            )
        if broken:
            self.complaints.append("broken plugin capabilities: " + ", ".join(broken))
        elif not words:
            self.complaints.append("plugin does not implement any capability")

    def _source(self) -> None:
        if "sourcing" not in self.facts["capabilities"]:
            return
        number = self.plugin.number("get_id")
        if not number and self.family == "C":
            return
        source = self.plugin.text("get_event_source") or ""
        self.facts["id"] = number
        self.facts["event_source"] = source
        if source == _RESERVED_SOURCE:
            self.complaints.append(
                "plugin can't implement the reserved event source 'syscall'"
            )

    def _extraction(self) -> None:
        if "extraction" not in self.facts["capabilities"]:
            return
        text = self.plugin.text("get_fields")
        old = self.family.startswith("A")
        fields, ids, wrong = check_fields(
            text,
            allow_new_types=self.family == "C",
            argument_required=old,
            may_be_empty=self.family != "C",
        )
        self._complain(wrong)
        self.facts["fields"] = fields
        self.field_ids = ids
        if old and "sourcing" in self.facts["capabilities"]:
            # 0.x: a source plugin extracts from its own events only.
            self.facts["extract_event_sources"] = [self.facts["event_source"]]
            return
        self._sources("extract")

    def _other_sources(self) -> None:
        words = self.facts["capabilities"]
        if "parsing" in words:
            self._sources("parse")
        if "async" not in words:
            return
        self._sources("async")
        names, wrong = string_list(
            self.plugin.text("get_async_events"), "get_async_events"
        )
        if names is None and wrong is None:
            wrong = "'get_async_events' did not return a json array but it should"
        self._complain([wrong] if wrong else [])
        self.facts["async_events"] = names or []

    def _sources(self, what: str) -> None:
        symbol = f"get_{what}_event_sources"
        text = self.plugin.text(symbol)
        if text == "" and self.family != "C" and self.plugin.has(symbol):
            self._complain([f"{symbol} returned an empty string"])
        names, wrong = string_list(text, symbol)
        self._complain([wrong] if wrong else [])
        sources = names or []
        own = self.facts["event_source"]
        if "sourcing" in self.facts["capabilities"] and own and own not in sources:
            sources.append(own)
        self.facts[f"{what}_event_sources"] = sources

    def _schema(self) -> None:
        text, kind = self.plugin.init_schema()
        if not text or kind == 0:
            return
        if kind != 1:
            self._complain([f"get_init_schema returned an unknown schema type {kind}"])
            return
        try:
            schema = parse_json(text)
        except ValueError:
            schema = None
        if isinstance(schema, dict):
            self.facts["init_schema"] = schema
        else:
            self._complain(["get_init_schema did not return a json object"])

    def _complain(self, texts: list[str]) -> None:
        name = self.facts["name"]
        self.complaints += [f"error in plugin {name}: {text}" for text in texts]


def examine(
    plugin: PluginHandle, path: str
) -> tuple[dict[str, Any], dict[str, int], int]:
    """Ask a library everything that needs no init.

    Returns facts for ``Manifest.from_facts`` (``complaints`` among them), the number
    of each field for ``extract_fields``, and the minor of its API version.
    """
    examination = _Examination(plugin, path)
    examination.run()
    facts = examination.facts
    # Complaints quote the plugin, and a plugin may say megabytes.
    facts["complaints"] = [
        text if len(text) <= _COMPLAINT_CHARS else text[:_COMPLAINT_CHARS] + "…"
        for text in examination.complaints
    ]
    facts["family"] = examination.family
    return facts, examination.field_ids, examination.minor
