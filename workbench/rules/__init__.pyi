# What type checkers see: the names of the table in __init__.py, which a test holds
# equal.

from workbench.rules.model.model import Macro, RuleException, RuleList
from workbench.rules.outputs.output import compile_output
from workbench.rules.ruleset import Rule, RuleSet, load_rules, parse_rules
from workbench.rules.running.alerts import Alerts
from workbench.rules.target.target import Target

__all__ = [
    "Alerts",
    "Macro",
    "Rule",
    "RuleException",
    "RuleList",
    "RuleSet",
    "Target",
    "compile_output",
    "load_rules",
    "parse_rules",
]
