# What type checkers see: the names of the table in __init__.py, which a test holds
# equal.

from workbench.ui.lab_widget import Lab
from workbench.ui.opening import lab

__all__ = [
    "Lab",
    "lab",
]
