"""What the methods of RuleSet take."""

from __future__ import annotations

import os

from workbench.arguments import Kind, either, several
from workbench.rules.loading.files import RulesFile
from workbench.rules.model.model import Macro, Rule, RuleList

__all__ = ["FILE", "FILES", "ITEM", "ITEM_OR_TEXT", "KIND", "OPTIONS", "SOURCE"]

OPTIONS = either(Kind("RunOptions", lambda v: hasattr(v, "additions")), None)
ITEM = Kind(
    "a Rule, Macro or RuleList",
    lambda v: isinstance(v, Rule | Macro | RuleList),
)
ITEM_OR_TEXT = Kind(
    "a Rule, Macro, RuleList or YAML text",
    lambda v: isinstance(v, str) or ITEM.fits(v),
)
KIND = Kind(
    '"rule", "macro" or "list"',
    lambda v: isinstance(v, str) and v in {"rule", "macro", "list"},
)
# A name that no file can have is a file that cannot be read.
FILE = Kind("a path (a text or a Path)", lambda v: isinstance(v, str | os.PathLike))
FILES = Kind(
    "what load_rules and parse_rules hand over",
    several(lambda v: isinstance(v, RulesFile)),
)
SOURCE = Kind("a text or bytes", lambda v: isinstance(v, str | bytes))
