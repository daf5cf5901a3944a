"""Which keys a falco.yaml may have: a misspelt one would be ignored without a word."""

from __future__ import annotations

from typing import TYPE_CHECKING

from workbench.formatting.printable import printable

if TYPE_CHECKING:
    from collections.abc import Iterator

    from workbench.yamlcpp import Node, SourceText

__all__ = ["schema_verdict", "unknown_keys"]

_SIMILARITY = 0.75
_MAX_NOTES = 20
# Long enough for any real key; similarity of huge ones would take long.
_MAX_LENGTH = 80

_TOP = frozenset(
    (  # noqa: SIM905 - fifty lines otherwise
        "append_output base_syscalls buffer_format_base64 buffered_outputs capture "
        "config_files container_engines engine falco_libs file_output grpc grpc_output "
        "http_output json_include_message_property json_include_output_fields_property "
        "json_include_output_property json_include_tags_property json_output "
        "libs_logger load_plugins log_level log_stderr log_syslog metrics "
        "output_timeout outputs outputs_queue plugins plugins_hostinfo priority "
        "program_output rule_files rule_matching rules rules_file rules_files "
        "static_fields stdout_output syscall_buf_size_preset "
        "syscall_drop_failed_exit syscall_event_drops syscall_event_timeouts "
        "syslog_output time_format_iso_8601 watch_config_files webserver"
    ).split()
)
_CLOSED = (
    "Object contains a property that could not be validated using 'properties' or "
    "'additionalProperties' constraints: "
)
# Section → keys of its entries; sections that the workbench does not read are left out.
_SECTIONS: dict[str, frozenset[str]] = {
    "plugins": frozenset(("name", "library_path", "init_config", "open_params")),
    "rules": frozenset(("enable", "disable")),
    "append_output": frozenset(
        ("match", "extra_output", "extra_fields", "suggested_output")
    ),
}
_INNER: dict[tuple[str, str], frozenset[str]] = {
    ("rules", "enable"): frozenset(("rule", "tag")),
    ("rules", "disable"): frozenset(("rule", "tag")),
    ("append_output", "match"): frozenset(("source", "rule", "tags")),
}


def unknown_keys(root: Node, source: SourceText, path: str) -> list[str]:
    """Return one sentence with file and line for every key that Falco does not know."""
    notes: list[str] = []
    for node, where, known in _unknown(root):
        name = printable(node.text, limit=_MAX_LENGTH)
        if len(notes) == _MAX_NOTES:
            notes.append(f"{path}: more unknown keys are not listed")
            break
        inside = f" in {where}" if where else ""
        line = source.line_column(node.start)[0]
        notes.append(
            f"{path}:{line}: unknown key '{name}'{inside} is ignored"
            f"{_nearest(node.text, known)}"
        )
    return notes


def schema_verdict(root: Node) -> str:
    """Return what Falco's schema validation says: "ok", or the first that failed.

    Falco prints it when it starts, and goes on.
    """
    faults = [f"{place}: {_CLOSED}'{name}'." for place, name in _first_unknown(root)]
    return f"failed for {printable(faults[0], limit=300)}" if faults else "ok"


def _first_unknown(root: Node) -> Iterator[tuple[str, str]]:
    """Yield place and key as the engine's validator comes across them: inner first."""
    for section, known in sorted(_SECTIONS.items()):
        node = root.get(section)
        items = node.items if node is not None and node.kind == "sequence" else []
        for number, item in enumerate(items):
            place = f"<root>[{section}][{number}]"
            for (outer, key), inner in sorted(_INNER.items()):
                child = item.get(key) if outer == section else None
                if child is not None:
                    for found, _, _ in _others(child, "", inner):
                        yield f"{place}[{key}]", found.text
            for found, _, _ in _others(item, "", known):
                yield place, found.text
    for found, _, _ in _others(root, "", _TOP):
        yield "<root>", found.text


def _nearest(text: str, known: frozenset[str]) -> str:
    import difflib

    if len(text) > _MAX_LENGTH:
        return ""
    near = difflib.get_close_matches(text, sorted(known), 1, _SIMILARITY)
    return f"; did you mean '{near[0]}'?" if near else ""


def _unknown(root: Node) -> Iterator[tuple[Node, str, frozenset[str]]]:
    """Yield the node of an unknown key, the section around it and the known keys."""
    yield from _others(root, "", _TOP)
    for section, known in _SECTIONS.items():
        node = root.get(section)
        for item in node.items if node is not None else ():
            yield from _others(item, section, known)
            for (outer, key), inner in _INNER.items():
                child = item.get(key) if outer == section else None
                if child is not None:
                    yield from _others(child, f"{section}.{key}", inner)


def _others(
    node: Node, where: str, known: frozenset[str]
) -> Iterator[tuple[Node, str, frozenset[str]]]:
    for key, _ in node.pairs:
        if key.kind == "scalar" and key.text not in known:
            yield key, where, known
