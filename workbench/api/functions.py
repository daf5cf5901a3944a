"""The table of functions: who must export what, in which versions, called when."""

# ruff: noqa: E501 - a row of the table is one line
from __future__ import annotations

from dataclasses import dataclass

__all__ = ["FUNCTIONS", "Function", "exported_in", "version_range"]


@dataclass(frozen=True, slots=True)
class Function:
    """A function of the plugin API in a range of versions.

    ``group``: "plugin" for what concerns all plugins, else a capability. ``need``:
    "required", "optional", or "together" when the capability needs all such functions.
    ``phase``: when a host calls it. ``since`` and ``until``: major and minor number.
    """

    name: str
    result: str
    arguments: str
    group: str
    need: str
    phase: str
    since: tuple[int, int]
    until: tuple[int, int]

    @property
    def declaration(self) -> str:
        """The function as a line of C."""
        return f"{self.result} {self.name}({self.arguments});"


# name | result | arguments | need | phase | versions
_ROWS = {
    "plugin": """
get_required_api_version | const char* | void | required | load |
get_type | uint32_t | void | required | load | 0.1-0.3
get_name | const char* | void | required | load |
get_version | const char* | void | required | load |
get_description | const char* | void | required | load |
get_contact | const char* | void | required | load |
free_mem | void | void* memory | required | free | 0.1-0.1
get_init_schema | const char* | ss_plugin_schema_type* type | optional | load | 0.2-
init | ss_plugin_t* | const char* config, ss_plugin_rc* rc | required | init | 0.1-2.1
init | ss_plugin_t* | const ss_plugin_init_input* in, ss_plugin_rc* rc | required | init | 3.0-
get_last_error | const char* | ss_plugin_t* s | required | error |
set_config | ss_plugin_rc | ss_plugin_t* s, const ss_plugin_set_config_input* in | optional | init | 3.4-
get_metrics | ss_plugin_metric* | ss_plugin_t* s, uint32_t* count | optional | any | 3.5-
get_required_event_schema_version | const char* | ss_plugin_t* s | optional | init | 3.12-
destroy | void | ss_plugin_t* s | required | destroy |
""",
    "sourcing": """
get_id | uint32_t | void | together | load | 0.1-2.1
get_id | uint32_t | void | optional | load | 3.0-
get_event_source | const char* | void | together | load | 0.1-2.1
get_event_source | const char* | void | optional | load | 3.0-
list_open_params | const char* | ss_plugin_t* s, ss_plugin_rc* rc | optional | init | 0.2-
open | ss_instance_t* | ss_plugin_t* s, const char* params, ss_plugin_rc* rc | together | open |
next | ss_plugin_rc | ss_plugin_t* s, ss_instance_t* h, ss_plugin_event** event | together | stream | 0.1-0.1
next_batch | ss_plugin_rc | ss_plugin_t* s, ss_instance_t* h, uint32_t* count, ss_plugin_event** events | optional | stream | 0.1-0.1
next_batch | ss_plugin_rc | ss_plugin_t* s, ss_instance_t* h, uint32_t* count, ss_plugin_event** events | together | stream | 0.2-2.1
next_batch | ss_plugin_rc | ss_plugin_t* s, ss_instance_t* h, uint32_t* count, ss_plugin_event*** events | together | stream | 3.0-
get_progress | const char* | ss_plugin_t* s, ss_instance_t* h, uint32_t* hundredths | optional | stream |
event_to_string | const char* | ss_plugin_t* s, const uint8_t* data, uint32_t datalen | together | stream | 0.1-0.3
event_to_string | const char* | ss_plugin_t* s, const ss_plugin_event* event | optional | stream | 1.0-2.1
event_to_string | const char* | ss_plugin_t* s, const ss_plugin_event_input* event | optional | stream | 3.0-
close | void | ss_plugin_t* s, ss_instance_t* h | together | close |
""",
    "extraction": """
get_fields | const char* | void | together | load |
get_extract_event_sources | const char* | void | optional | load |
get_extract_event_types | uint16_t* | uint32_t* count | optional | init | 3.0-3.0
get_extract_event_types | uint16_t* | uint32_t* count, ss_plugin_t* s | optional | init | 3.1-
extract_fields | ss_plugin_rc | ss_plugin_t* s, const ss_plugin_event* event, uint32_t count, ss_plugin_extract_field* fields | together | stream | 0.1-2.1
extract_fields | ss_plugin_rc | ss_plugin_t* s, const ss_plugin_event_input* event, const ss_plugin_field_extract_input* in | together | stream | 3.0-
""",
    "parsing": """
get_parse_event_sources | const char* | void | optional | load | 3.0-
get_parse_event_types | uint16_t* | uint32_t* count | optional | init | 3.0-3.0
get_parse_event_types | uint16_t* | uint32_t* count, ss_plugin_t* s | optional | init | 3.1-
parse_event | ss_plugin_rc | ss_plugin_t* s, const ss_plugin_event_input* event, const ss_plugin_event_parse_input* in | together | stream | 3.0-
""",
    "async events": """
get_async_events | const char* | void | together | load | 3.0-
get_async_event_sources | const char* | void | optional | load | 3.0-
set_async_event_handler | ss_plugin_rc | ss_plugin_t* s, ss_plugin_owner_t* owner, const ss_plugin_async_event_handler_t handler | together | open | 3.0-
dump_state | ss_plugin_rc | ss_plugin_t* s, ss_plugin_owner_t* owner, const ss_plugin_async_event_handler_t handler | optional | open | 3.10-
""",
    "capture listening": """
capture_open | ss_plugin_rc | ss_plugin_t* s, const ss_plugin_capture_listen_input* in | together | open | 3.7-
capture_close | ss_plugin_rc | ss_plugin_t* s, const ss_plugin_capture_listen_input* in | together | close | 3.7-
""",
}


def version_range(text: str) -> tuple[tuple[int, int], tuple[int, int]]:
    """Return first and last version of a range such as ``0.1-2.1``, ``3.1-`` or none."""
    first, _, last = text.strip().partition("-")

    def numbers(version: str) -> tuple[int, int]:
        major, _, minor = version.partition(".")
        return int(major), int(minor)

    return numbers(first or "0.1"), numbers(last or "999.0")


def _functions() -> tuple[Function, ...]:
    found = []
    for group, rows in _ROWS.items():
        for row in rows.strip().splitlines():
            name, result, arguments, need, phase, versions = (
                cell.strip() for cell in row.split("|")
            )
            since, until = version_range(versions)
            found.append(
                Function(
                    f"plugin_{name}",
                    result,
                    arguments,
                    group,
                    need,
                    phase,
                    since,
                    until,
                )
            )
    return tuple(found)


FUNCTIONS = _functions()


def exported_in(version: tuple[int, int]) -> list[Function]:
    """Return the functions that a version of the plugin API knows, in life's order."""
    return [f for f in FUNCTIONS if f.since <= version <= f.until]
