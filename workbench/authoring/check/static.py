"""Checks that need no initialised plugin: they read its manifest."""

from __future__ import annotations

import contextlib
import re
from typing import TYPE_CHECKING, Any

from workbench.authoring.facts.falco_names import FIELD_FAMILIES, RESERVED_SOURCES
from workbench.fields.builtin import BUILTIN_FIELDS
from workbench.schemas.resolving import resolve_schema

if TYPE_CHECKING:
    from collections.abc import Iterator

    from workbench.authoring.check.report import CheckReport
    from workbench.manifest import Manifest

__all__ = ["check_manifest", "registry_entry"]

NEWEST_API = (3, 12, 0)
_DEFINITIONS = ("definitions", "$defs")
_VERSION = re.compile(r"\d+\.\d+\.\d+")
_FIELD = re.compile(r"[A-Za-z]+[A-Za-z0-9_]*(\.[A-Za-z]+[A-Za-z0-9_]*)+")
_FOLLOWABLE = re.compile(
    r"[\w.+-]+@[\w-]+\.[\w.-]+|(https?://)?[\w-]+(\.[\w-]+)+(/\S*)?"
)

# Registered publicly: ID → (plugin name, event source).
REGISTERED = {
    1: ("k8saudit", "k8s_audit"),
    2: ("cloudtrail", "aws_cloudtrail"),
    3: ("dummy", "dummy"),
    4: ("dummy_c", "dummy_c"),
    5: ("docker", "docker"),
    6: ("seccompagent", "seccompagent"),
    7: ("okta", "okta"),
    8: ("github", "github"),
    9: ("k8saudit-eks", "k8s_audit"),
}


def check_manifest(report: CheckReport) -> None:
    """Check everything that ``wb.inspect`` returns."""
    manifest = report.manifest
    for complaint in manifest.complaints:
        report.add("LOAD", "library", complaint, "the plugin API reference says how")
    _check_versions(report, manifest)
    _check_words(report, manifest)
    if "sourcing" in manifest.capabilities:
        _check_source(report, manifest)
    if "extraction" in manifest.capabilities:
        _check_fields(report, manifest)
    _check_schema(report, manifest)
    report.done.append("what the library says of itself")


def _check_versions(report: CheckReport, manifest: Manifest) -> None:
    api = tuple(int(n) for n in re.findall(r"\d+", manifest.required_api_version)[:3])
    newest = ".".join(map(str, NEWEST_API))
    if len(api) == len(NEWEST_API):
        said = f"made for plugin API {manifest.required_api_version}"
        if api[0] < NEWEST_API[0]:
            hint = f"build against plugin API {newest}"
            report.add("API_OLD", "plugin API version", said, hint)
        elif api < NEWEST_API:
            report.add(
                "API_BEHIND", "plugin API version", f"{said}, newest is {newest}"
            )
    if manifest.version and not _VERSION.fullmatch(manifest.version):
        report.add("VERSION_FORM", "version", f"{manifest.version!r} is not x.y.z")


def _check_words(report: CheckReport, manifest: Manifest) -> None:
    if not manifest.description.strip():
        report.add("DESCRIPTION_MISSING", "description", "empty")
    contact = manifest.contact.strip()
    if not contact:
        hint = "give an address or the project's page in plugin_get_contact"
        report.add("CONTACT_MISSING", "contact", "empty", hint)
    elif not _FOLLOWABLE.search(contact):
        report.add(
            "CONTACT_FORM", "contact", f"{contact!r} is neither an address nor a page"
        )
    if manifest.name and not re.fullmatch(r"[a-z0-9][a-z0-9_-]*", manifest.name):
        hint = "use small letters, digits, - and _"
        report.add("NAME_FORM", "name", repr(manifest.name), hint)


def _check_source(report: CheckReport, manifest: Manifest) -> None:
    source = manifest.event_source
    if source in RESERVED_SOURCES:
        report.add("SOURCE_RESERVED", "event source", repr(source))
    if manifest.id == 999:
        hint = "ask the plugin registry for an ID before you publish"
        report.add("ID_TEST", "plugin ID", "999", hint)
    owner = REGISTERED.get(manifest.id)
    if owner and (manifest.name, source) != owner:
        said = f"{manifest.id} is registered for {owner[0]} (source {owner[1]})"
        report.add("ID_TAKEN", "plugin ID", said, "use 999 until you have your own")
    owners = {n: name for n, (name, taken) in REGISTERED.items() if taken == source}
    # Its own source, or that of a family: k8saudit-gke gives what k8saudit gives.
    family = any(f"{manifest.name}-".startswith(f"{o}-") for o in owners.values())
    if owners and not family and manifest.id not in owners:
        number, name = next(iter(owners.items()))
        said = f"{source!r} is the source of {name} (ID {number})"
        hint = "choose another name, unless the payloads are identical"
        report.add("SOURCE_TAKEN", "event source", said, hint)


def _check_fields(report: CheckReport, manifest: Manifest) -> None:
    if not manifest.fields:
        hint = "declare at least one field in plugin_get_fields"
        report.add("FIELDS_NONE", "fields", "none declared", hint)
    prefixes: dict[str, str] = {}
    for name, info in manifest.fields.items():
        subject = f"field {name}"
        if not _FIELD.fullmatch(name):
            hint = "join parts by dots, each a letter and then letters, digits or _"
            report.add("FIELD_NAME", subject, "no condition can name it", hint)
        prefix = name.split(".")[0]
        prefixes.setdefault(prefix, name)
        if prefix == "evt" or any(name.startswith(g) for g in BUILTIN_FIELDS):
            hint = f"call it {manifest.name or 'yourplugin'}.…"
            report.add("FIELD_GENERIC", subject, "overlaps the built-in fields", hint)
        elif prefix in FIELD_FAMILIES:
            report.add(
                "FIELD_FAMILY", subject, f"{prefix}.* is a family of Falco's own"
            )
        if not info.desc.strip() or info.desc.strip() == name:
            report.add("FIELD_DESC", subject, "the description says nothing new")
    if len(prefixes) > 1:
        said = f"fields begin with {', '.join(sorted(prefixes))}"
        report.add("FIELD_PREFIX", "fields", said, "begin all of them alike")
    if not manifest.extract_event_sources and "sourcing" not in manifest.capabilities:
        said = "no extract event sources declared: it gets events of every source"
        report.add("ANY_SOURCE", "extract event sources", said)


def _check_schema(report: CheckReport, manifest: Manifest) -> None:
    if manifest.init_schema is None:
        return
    from workbench.schemas.validating import UnusableSchemaError, schema_errors

    try:
        schema_errors(manifest.init_schema, {})
    except UnusableSchemaError as error:
        report.add("SCHEMA_INVALID", "init schema", str(error))
        return
    resolved = resolve_schema(manifest.init_schema)
    for path, schema in _properties(resolved, "config"):
        # References that stay, to the schema itself, need its definitions.
        known = {k: v for k, v in manifest.init_schema.items() if k in _DEFINITIONS}
        with contextlib.suppress(UnusableSchemaError):
            if "default" in schema and schema_errors(
                {**known, **schema}, schema["default"]
            ):
                said = f"the default {schema['default']!r} does not fit its own schema"
                report.add("SCHEMA_DEFAULT", path, said)
        if not schema.get("description") and not schema.get("title"):
            report.add("SCHEMA_UNDESCRIBED", path, "no title and no description")


def _properties(
    schema: dict[str, Any], path: str, depth: int = 0
) -> Iterator[tuple[str, dict[str, Any]]]:
    properties = schema.get("properties")
    if not isinstance(properties, dict) or depth > 20:
        return
    for name, inner in properties.items():
        if isinstance(inner, dict):
            yield f"{path}.{name}", inner
            yield from _properties(inner, f"{path}.{name}", depth + 1)


def registry_entry(manifest: Manifest) -> str:
    """Return the YAML text that registers the plugin, ready to be completed."""
    import json

    lines = [
        f"  - name: {json.dumps(manifest.name)}",
        f"    description: {json.dumps(manifest.description)}",
        "    authors: # your organisation",
        f"    contact: {json.dumps(manifest.contact)}",
        "    maintainers: []",
        "    keywords: []",
        "    url: # where the source is",
        "    license: Apache-2.0",
        "    capabilities:",
    ]
    if "sourcing" in manifest.capabilities:
        number = (
            "# assigned by the registry" if manifest.id in (0, 999) else manifest.id
        )
        lines += [
            "      sourcing:",
            "        supported: true",
            f"        id: {number}",
            f"        source: {json.dumps(manifest.event_source)}",
        ]
    if "extraction" in manifest.capabilities:
        sources = list(manifest.extract_event_sources) or [manifest.event_source]
        lines += ["      extraction:", "        supported: true"]
        if any(sources):
            lines.append(f"        sources: {json.dumps([s for s in sources if s])}")
    return "\n".join(lines) + "\n"
