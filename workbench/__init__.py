"""Falco Plugin Workbench: any Falco plugin in a notebook, and rules made live.

Names are loaded when first used, so that importing the package does no work.
"""

from __future__ import annotations

from workbench.lazy import lazy_names

# The worker process imports this package too: not even typing is loaded there.
TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Any

__version__ = "0.1.0"

# Public name → module that defines it.
_HOMES = {
    "Alerts": "workbench.rules",
    "Archive": "workbench.archives.archive",
    "ArgumentError": "workbench.errors",
    "ArtifactError": "workbench.errors",
    "CaptureFileError": "workbench.errors",
    "ConditionError": "workbench.errors",
    "ConditionWarning": "workbench.diagnostics",
    "Diagnostic": "workbench.diagnostics",
    "Events": "workbench.events.events",
    "FieldInfo": "workbench.fields.declarations",
    "Manifest": "workbench.manifest",
    "OpenParam": "workbench.manifest",
    "Plugin": "workbench.plugins.plugin",
    "PluginCrashed": "workbench.errors",
    "PluginFailure": "workbench.errors",
    "PluginHung": "workbench.errors",
    "PluginInitError": "workbench.errors",
    "PluginLoadError": "workbench.errors",
    "PluginOpenError": "workbench.errors",
    "Rule": "workbench.rules",
    "RuleSet": "workbench.rules",
    "RulesError": "workbench.errors",
    "Workbench": "workbench.plugins.workbench",
    "WorkbenchError": "workbench.errors",
    "api": "workbench.api",
    "archive": "workbench.archives.archive",
    "events_from_table": "workbench.events.from_table",
    "get": "workbench.artifacts.pull",
    "inspect": "workbench.plugins.plugin",
    "lab": "workbench.ui",
    "load": "workbench.plugins.plugin",
    "load_rules": "workbench.rules",
    "open_events": "workbench.events.opening",
    "parse_rules": "workbench.rules",
    "quiz": "workbench.teaching.quiz",
    "rules_from_sigma": "workbench.sigma.importing",
    "widgets": "workbench.ui.opening",
}

__all__ = sorted(_HOMES)  # noqa: PLE0605 - one table holds the names and their homes
__getattr__, __dir__ = lazy_names(__name__, _HOMES)


def load_ipython_extension(shell: Any) -> None:
    """Add the magics to a shell; called by ``%load_ext workbench``."""
    from workbench.magics import register

    register(shell)
