"""The plugin panel: find a library, see what it says of itself, configure, load."""

from __future__ import annotations

import json
from pathlib import Path
from typing import TYPE_CHECKING, Any

from workbench.fields.declarations import describe_argument
from workbench.manifest import CAPABILITIES, Manifest
from workbench.ui.data.error_card import error_text
from workbench.ui.data.form_schema import form_schema

if TYPE_CHECKING:
    from collections.abc import Callable

    from workbench.ui.widgets.part import Part

__all__ = ["PluginPanel"]

_MAX_PATHS = 40


class PluginPanel:
    """Shows a manifest and loads plugins; ``on_load(target)`` gets what was loaded."""

    def __init__(self, part: Part, on_load: Callable[[Any], None]) -> None:
        self.part, self.on_load = part, on_load
        self.path = ""
        # Further keywords of load, for what is loaded here: those of a sandbox.
        self.options: dict[str, Any] = {}
        self.config: Any = None
        self.config_text = ""
        self.manifest: Manifest | None = None
        self.on_use_field: Callable[[str], None] = lambda _name: None
        part.put(config_serial=0)
        part.handle(
            paths=self._on_paths,
            inspect=self.inspect,
            load=self.load,
            config=self._on_config,
            config_text=self._on_config_text,
            use_field=self._on_use,
        )
        self.part.put(samples=_found_samples())

    # -- from the browser ----

    def _on_paths(self, prefix: str) -> None:
        self.part.put(paths=path_candidates(prefix))

    def inspect(self, path: str) -> None:
        """Show what the library (or falco.yaml) at ``path`` says of itself."""
        from workbench.plugins.plugin import inspect

        self.path = path.strip()
        self.part.put(path=self.path, error="")
        if not self.path or self.path.endswith((".yaml", ".yml")):
            return
        try:
            self.show_manifest(inspect(self.path, **self.options))
        except Exception as error:  # noqa: BLE001 - shown in the panel
            self.part.put(error=error_text(error))

    def load(self, path: str) -> None:
        """Load the plugin at ``path`` with the config of the form."""
        from workbench.plugins.plugin import load
        from workbench.plugins.workbench import Workbench

        self.path = path.strip() or self.path
        self.part.put(path=self.path, error="")
        try:
            if self.path.endswith((".yaml", ".yml")):
                target: Any = Workbench.from_falco_yaml(self.path, **self.options)
            else:
                target = load(self.path, config=self._given_config(), **self.options)
        except Exception as error:  # noqa: BLE001 - shown in the panel
            self.part.put(error=error_text(error))
            self._show_config_errors()
            return
        self.on_load(target)

    def _given_config(self) -> Any:
        return self.config if self.config is not None else (self.config_text or None)

    def _on_config(self, value: Any) -> None:
        self.config, self.config_text = value, json.dumps(value)
        self._show_config_errors()

    def _on_config_text(self, value: str) -> None:
        self.config_text = value
        try:
            parsed = json.loads(value) if value.strip() else None
        except ValueError:
            parsed = None
        self.config = parsed if isinstance(parsed, dict) else None
        self.part.put(
            config_value=self.config or {},
            config_text=value,
            config_serial=self.part.state["config_serial"] + 1,
        )
        self._show_config_errors()

    def _on_use(self, name: str) -> None:
        self.on_use_field(name)

    # -- to the browser ----

    def _show_config_errors(self) -> None:
        schema = self.manifest.init_schema if self.manifest else None
        self.part.put(config_errors=config_errors(self.config or {}, schema))

    def show_manifest(self, manifest: Manifest, *, config: Any = None) -> None:
        """Show a manifest: facts, capabilities, config form, fields."""
        self.manifest = manifest
        self.config = config if isinstance(config, dict) else None
        if isinstance(config, str):
            self.config_text = config
        else:
            self.config_text = "" if config is None else json.dumps(config)
        self.part.put(
            path=manifest.path,
            about=_about(manifest, in_sandbox=bool(self.options)),
            schema=form_schema(manifest.init_schema),
            config_value=self.config or {},
            config_text=self.config_text,
            config_serial=self.part.state["config_serial"] + 1,
            config_errors={},
            fields=[
                {
                    "name": f.name,
                    "type": f.type,
                    "is_list": f.is_list,
                    "argument": describe_argument(f.arg),
                    "desc": f.desc,
                    "display": f.display,
                }
                for f in manifest.fields.values()
            ],
        )


def _about(manifest: Manifest, *, in_sandbox: bool) -> dict[str, Any]:
    """Return what the panel shows of a plugin besides config and fields."""
    extracts = ", ".join(manifest.extract_event_sources) or "any source"
    facts = [
        ["event source", manifest.event_source or "none"],
        ["plugin ID", str(manifest.id or "none")],
        ["plugin API", manifest.required_api_version],
        ["extracts from", extracts if "extraction" in manifest.capabilities else ""],
        ["contact", manifest.contact],
        ["file", manifest.path],
    ]
    if in_sandbox:
        facts.append(["runs", "in a sandbox"])
    return {
        "name": manifest.name,
        "version": manifest.version,
        "description": manifest.description,
        "facts": [fact for fact in facts if fact != ["extracts from", ""]],
        "capabilities": [
            {"name": word.replace("_", " "), "sentence": CAPABILITIES[word]}
            for word in manifest.capabilities
            if word in CAPABILITIES
        ],
        "complaints": list(manifest.complaints),
    }


def config_errors(value: Any, schema: dict[str, Any] | None) -> dict[str, str]:
    """Return JSON pointer → what is wrong there, for all that breaks the schema.

    A schema that is itself broken, or refers elsewhere, gives no errors here.
    """
    if not schema:
        return {}
    from workbench.schemas.validating import UnusableSchemaError, schema_errors

    out: dict[str, str] = {}
    try:
        found = schema_errors(schema, value)
    except UnusableSchemaError:
        return out
    for error in found:
        parts = [
            str(p).replace("~", "~0").replace("/", "~1") for p in error.absolute_path
        ]
        where, message = "".join(f"/{p}" for p in parts), error.message
        if error.validator == "required":
            for key in error.validator_value:
                if key not in error.instance:
                    out.setdefault(f"{where}/{key}", "is required")
            continue
        out.setdefault(where, message[:300])
    return out


def path_candidates(prefix: str) -> list[str]:
    """Return files and folders that continue ``prefix``: .so, .yaml, folders."""
    text = prefix.strip()
    base = Path(text).expanduser() if text else Path.cwd()
    folder = base if text.endswith("/") or not text else base.parent
    start = "" if text.endswith("/") or not text else base.name
    found = []
    try:
        for entry in sorted(folder.iterdir()):
            if not entry.name.startswith(start) or entry.name.startswith("."):
                continue
            if entry.is_dir():
                found.append(f"{entry}/")
            elif entry.suffix in {".so", ".yaml", ".yml"}:
                found.append(str(entry))
            if len(found) >= _MAX_PATHS:
                break
    except OSError:
        return []
    return found


def _found_samples() -> list[dict[str, str]]:
    """Return the built sample plugins: name and path."""
    from workbench.authoring.samples import cached_samples_dir
    from workbench.paths import sample_plugins_dir

    folder = sample_plugins_dir()
    try:
        paths = sorted(folder.glob("*/*.so")) + sorted(folder.glob("*/_build/*.so"))
        paths += sorted(cached_samples_dir().glob("*/*.so"))
    except OSError:
        return []
    return [
        {"name": path.stem.removeprefix("lib"), "path": str(path)} for path in paths
    ]
