"""Rules: read, check, run, test and write them as Falco does.

files ─▶ YAML nodes ─▶ items ─▶ collection ─▶ conditions and outputs ─▶ alerts
"""

from __future__ import annotations

from workbench.lazy import lazy_names

# Public name → module that defines it; loaded on first use.
_HOMES = {
    "Alerts": "workbench.rules.running.alerts",
    "Macro": "workbench.rules.model.model",
    "Rule": "workbench.rules.ruleset",
    "RuleException": "workbench.rules.model.model",
    "RuleList": "workbench.rules.model.model",
    "RuleSet": "workbench.rules.ruleset",
    "Target": "workbench.rules.target.target",
    "compile_output": "workbench.rules.outputs.output",
    "load_rules": "workbench.rules.ruleset",
    "parse_rules": "workbench.rules.ruleset",
}

__all__ = sorted(_HOMES)  # noqa: PLE0605 - one table holds the names and their homes
__getattr__, __dir__ = lazy_names(__name__, _HOMES)
