"""Falco Plugin Workbench: any Falco plugin in a notebook, rules prototyped live.

Names are loaded when first used, so that importing the package does no work.
"""

from __future__ import annotations

import importlib

# The worker process imports this package too: not even typing is loaded there.
TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Any

__version__ = "0.1.0"

# Public name → module that defines it.
_HOMES = {
    "Alerts": "workbench.rules",
    "ArtifactError": "workbench.errors",
    "CaptureFileError": "workbench.errors",
    "ConditionError": "workbench.errors",
    "Diagnostic": "workbench.diagnostics",
    "Events": "workbench.events",
    "FieldInfo": "workbench.fields",
    "Manifest": "workbench.manifest",
    "OpenParam": "workbench.manifest",
    "Plugin": "workbench.plugin",
    "PluginCrashed": "workbench.errors",
    "PluginFailure": "workbench.errors",
    "PluginHung": "workbench.errors",
    "PluginInitError": "workbench.errors",
    "PluginLoadError": "workbench.errors",
    "PluginOpenError": "workbench.errors",
    "Rule": "workbench.rules",
    "RuleSet": "workbench.rules",
    "RulesError": "workbench.errors",
    "Workbench": "workbench.bench",
    "WorkbenchError": "workbench.errors",
    "events_from_table": "workbench.events",
    "get": "workbench.artifacts.pull",
    "inspect": "workbench.plugin",
    "lab": "workbench.ui",
    "load": "workbench.plugin",
    "load_rules": "workbench.rules",
    "open_events": "workbench.events",
    "parse_rules": "workbench.rules",
}

__all__ = sorted(_HOMES)  # noqa: PLE0605 - one table holds the names and their homes


def __getattr__(name: str) -> Any:
    """Load a public name from its home on first use."""
    home = _HOMES.get(name)
    if home is None:
        raise AttributeError(f"module 'workbench' has no attribute {name!r}")
    value = getattr(importlib.import_module(home), name)
    globals()[name] = value
    return value


def __dir__() -> list[str]:
    return sorted({*globals(), *_HOMES})


def load_ipython_extension(shell: Any) -> None:
    """Bring the magics; called by ``%load_ext workbench``."""
    from workbench.magics import register

    register(shell)
