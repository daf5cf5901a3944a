# What type checkers see: the names of the table in __init__.py, which a test holds
# equal.

from workbench.ui.standalone import ConditionEditor, EventTable, RuleForm, Timeline

__all__ = [
    "ConditionEditor",
    "EventTable",
    "RuleForm",
    "Timeline",
]
