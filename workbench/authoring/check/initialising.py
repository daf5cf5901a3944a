"""Checks of ``init``: with the config given, one made up, and one that is junk."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

from workbench.authoring.check.report import first_line
from workbench.errors import (
    PluginCrashed,
    PluginHung,
    PluginInitError,
    WorkbenchError,
)
from workbench.plugins.plugin import load
from workbench.schemas.resolving import resolve_schema

if TYPE_CHECKING:
    from workbench.authoring.check.report import CheckReport
    from workbench.plugins.plugin import Plugin

__all__ = ["CALL_TIMEOUT_SEC", "check_init", "example_config"]

CALL_TIMEOUT_SEC = 10.0


def check_init(report: CheckReport, path: str, config: Any) -> Plugin | None:
    """Initialise the plugin; None when that cannot be done."""
    manifest = report.manifest
    configs = [config]
    if config is None and manifest.init_schema is not None:
        configs.append(example_config(resolve_schema(manifest.init_schema)))
    plugin = None
    for attempt in configs:
        try:
            plugin = load(path, config=attempt, call_timeout_sec=CALL_TIMEOUT_SEC)
            break
        except PluginInitError as error:
            if attempt is not configs[-1]:
                said = first_line(error)
                report.add("INIT_NEEDS_CONFIG", "init config", said)
                continue
            said = first_line(error)
            hint = "give a config that works: --config '…'"
            report.add("INIT_FAILED", "init", said, hint)
            if not error.last_error and not error.config_path:
                report.add("NO_LAST_ERROR", "init", "failed without saying why")
        except (PluginCrashed, PluginHung) as error:
            report.add_crash("init", error)
            break
        except WorkbenchError as error:
            report.add("LOAD", "library", first_line(error))
            break
    report.done.append("initialising")
    if plugin is not None and manifest.init_schema is not None:
        _check_junk_config(report, path)
    return plugin


def _check_junk_config(report: CheckReport, path: str) -> None:
    """See whether a config with a key nobody knows is refused."""
    junk = {"no_such_option_anywhere": 1}
    try:
        load(path, config=junk, call_timeout_sec=CALL_TIMEOUT_SEC).close()
    except PluginInitError:
        return
    except (PluginCrashed, PluginHung) as error:
        report.add_crash(f"init with {json.dumps(junk)}", error)
        return
    except WorkbenchError:
        return
    hint = 'add "additionalProperties": false to the schema'
    report.add("INIT_ACCEPTS_JUNK", "init schema", "an unknown key is accepted", hint)


def example_config(schema: dict[str, Any], depth: int = 0) -> Any:
    """Make a config that a schema accepts, as far as defaults and types tell."""
    for key in ("default", "const"):
        if key in schema:
            return schema[key]
    for key in ("enum", "examples"):
        if isinstance(schema.get(key), list) and schema[key]:
            return schema[key][0]
    kind = schema.get("type")
    kind = kind[0] if isinstance(kind, list) and kind else kind
    if kind == "object" or "properties" in schema:
        properties = schema.get("properties") or {}
        needed = schema.get("required") or []
        if depth > 10 or not isinstance(properties, dict):
            return {}
        return {
            name: example_config(properties.get(name) or {}, depth + 1)
            for name in needed
        }
    plain: dict[Any, Any] = {"array": [], "boolean": False, "string": "example"}
    if kind in ("integer", "number"):
        return schema.get("minimum", 1)
    return plain.get(kind)
