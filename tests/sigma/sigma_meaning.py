"""What a Sigma rule means, from the condition tree that pySigma parses: the oracle.

It knows nothing of Falco: events are mappings of Sigma's names to values, lists match
when any item does, an absent field only where null is asked for.
"""

from __future__ import annotations

import ipaddress
import re

import yaml
from sigma.conditions import ConditionAND, ConditionNOT, ConditionOR
from sigma.rule import SigmaRule
from sigma.types import (
    SigmaBool,
    SigmaCasedString,
    SigmaCIDRExpression,
    SigmaCompareExpression,
    SigmaExists,
    SigmaExpansion,
    SigmaFieldReference,
    SigmaNull,
    SigmaNumber,
    SigmaRegularExpression,
    SigmaString,
)

from workbench.sigma.policy import reading_policy

COMPARE = {
    "LT": lambda a, b: a < b,
    "LTE": lambda a, b: a <= b,
    "GT": lambda a, b: a > b,
    "GTE": lambda a, b: a >= b,
}


def sigma_matches(text: str, events) -> list[bool]:
    """Give the verdict on every event."""
    rule = SigmaRule.from_dict(yaml.safe_load(text), policy=reading_policy())
    trees = [condition.parsed for condition in rule.detection.parsed_condition]
    return [any(holds(tree, event) for tree in trees) for event in events]


def holds(node, event) -> bool:
    if isinstance(node, ConditionAND):
        return all(holds(arg, event) for arg in node.args)
    if isinstance(node, ConditionOR):
        return any(holds(arg, event) for arg in node.args)
    if isinstance(node, ConditionNOT):
        return not holds(node.args[0], event)
    found = event.get(node.field)
    if isinstance(node.value, SigmaNull):
        return found is None
    if isinstance(node.value, SigmaExists):
        return (found is not None) == node.value.exists
    values = found if isinstance(found, list) else [found]
    return any(v is not None and value_holds(v, node.value, event) for v in values)


def value_holds(found, value, event) -> bool:
    text = str(found).lower() if isinstance(found, bool) else str(found)
    if isinstance(value, SigmaExpansion):
        return any(value_holds(found, each, event) for each in value.values)
    if isinstance(value, SigmaString):
        flags = re.DOTALL
        if not isinstance(value, SigmaCasedString):
            flags |= re.IGNORECASE
        pattern = "".join(
            re.escape(p) if isinstance(p, str) else (".*" if "MULTI" in p.name else ".")
            for p in value.s
        )
        return re.fullmatch(pattern, text, flags) is not None
    if isinstance(value, SigmaBool):
        return text == ("true" if value.boolean else "false")
    if isinstance(value, SigmaNumber):
        return text == str(value.number)
    if isinstance(value, SigmaRegularExpression):
        flags = re.ASCII
        for flag in value.flags:
            flags |= value.sigma_to_python_flags[flag]
        return re.search(str(value.regexp), text, flags) is not None
    if isinstance(value, SigmaCIDRExpression):
        try:
            return ipaddress.ip_address(text) in value.network
        except ValueError:
            return False
    if isinstance(value, SigmaCompareExpression):
        return COMPARE[value.op.name](int(found), value.number.number)
    if isinstance(value, SigmaFieldReference):
        other = event.get(value.field)
        if other is None:
            return False
        one, two = text.lower(), str(other).lower()
        if value.starts_with and value.ends_with:
            return two in one
        if value.starts_with:
            return one.startswith(two)
        return one.endswith(two) if value.ends_with else one == two
    raise AssertionError(f"no meaning for {value!r}")
