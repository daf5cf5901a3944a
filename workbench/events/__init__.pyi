# What type checkers see: the names of the table in __init__.py, which a test holds
# equal.

from workbench.events.events import Events
from workbench.events.from_table import events_from_table
from workbench.events.opening import open_events

__all__ = [
    "Events",
    "events_from_table",
    "open_events",
]
