# What type checkers see: the names of the table in __init__.py, which a test holds
# equal.

from workbench.condition.analysis.completion import complete
from workbench.condition.binding.recover import check_condition
from workbench.condition.execution.compile import compile_condition, compile_conditions

__all__ = [
    "check_condition",
    "compile_condition",
    "compile_conditions",
    "complete",
]
