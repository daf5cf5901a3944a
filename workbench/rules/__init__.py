"""Rules: read, check, run, test and write them as Falco does.

files ─▶ YAML nodes ─▶ items ─▶ collection ─▶ conditions and outputs ─▶ alerts
"""

from __future__ import annotations

from typing import Any

# Public name → module that defines it; loaded on first use.
_HOMES = {
    "Alerts": "workbench.rules.alerts",
    "Macro": "workbench.rules.model",
    "Rule": "workbench.rules.model",
    "RuleException": "workbench.rules.model",
    "RuleList": "workbench.rules.model",
    "RuleSet": "workbench.rules.ruleset",
    "Target": "workbench.rules.target",
    "compile_output": "workbench.rules.output",
    "load_rules": "workbench.rules.ruleset",
    "parse_rules": "workbench.rules.ruleset",
}

__all__ = sorted(_HOMES)  # noqa: PLE0605 - one table holds the names and their homes


def __getattr__(name: str) -> Any:
    """Load a public name from its home on first use."""
    home = _HOMES.get(name)
    if home is None:
        raise AttributeError(f"module 'workbench.rules' has no attribute {name!r}")
    import importlib

    value = getattr(importlib.import_module(home), name)
    globals()[name] = value
    return value


def __dir__() -> list[str]:
    return sorted({*globals(), *_HOMES})
