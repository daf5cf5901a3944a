# What type checkers see: the names of the table in __init__.py, which a test holds
# equal.

from typing import Any

from workbench import api as api
from workbench.archives.archive import Archive, archive
from workbench.artifacts.pull import get
from workbench.diagnostics import ConditionWarning, Diagnostic
from workbench.errors import (
    ArgumentError,
    ArtifactError,
    CaptureFileError,
    ConditionError,
    PluginCrashed,
    PluginFailure,
    PluginHung,
    PluginInitError,
    PluginLoadError,
    PluginOpenError,
    RulesError,
    WorkbenchError,
)
from workbench.events.events import Events
from workbench.events.from_table import events_from_table
from workbench.events.opening import open_events
from workbench.fields.declarations import FieldInfo
from workbench.manifest import Manifest, OpenParam
from workbench.plugins.plugin import Plugin, inspect, load
from workbench.plugins.workbench import Workbench
from workbench.rules import Alerts, Rule, RuleSet, load_rules, parse_rules
from workbench.sigma.importing import rules_from_sigma
from workbench.teaching.quiz import quiz
from workbench.ui import lab
from workbench.ui.opening import widgets

__all__ = [
    "Alerts",
    "Archive",
    "ArgumentError",
    "ArtifactError",
    "CaptureFileError",
    "ConditionError",
    "ConditionWarning",
    "Diagnostic",
    "Events",
    "FieldInfo",
    "Manifest",
    "OpenParam",
    "Plugin",
    "PluginCrashed",
    "PluginFailure",
    "PluginHung",
    "PluginInitError",
    "PluginLoadError",
    "PluginOpenError",
    "Rule",
    "RuleSet",
    "RulesError",
    "Workbench",
    "WorkbenchError",
    "api",
    "archive",
    "events_from_table",
    "get",
    "inspect",
    "lab",
    "load",
    "load_rules",
    "open_events",
    "parse_rules",
    "quiz",
    "rules_from_sigma",
    "widgets",
]

__version__: str

def load_ipython_extension(shell: Any) -> None: ...
