"""Forked processes: they find free locks, and leave the parent's worker alone.

A lock that another thread held at the moment of the fork would never be released in the
child, where that thread does not exist.
"""

from __future__ import annotations

import os
import weakref
from typing import Protocol

from workbench.errors import WorkbenchError

__all__ = ["inherited_error", "renew_in_forks"]


class _Renewable(Protocol):
    def renew_locks(self) -> None:
        """Make new locks, which nobody holds."""


_holders: weakref.WeakSet[_Renewable] = weakref.WeakSet()


def renew_in_forks(holder: _Renewable) -> None:
    """Call ``renew_locks`` of ``holder`` in every fork while it is alive."""
    _holders.add(holder)


def _renew() -> None:
    for holder in list(_holders):
        holder.renew_locks()


os.register_at_fork(after_in_child=_renew)


def inherited_error() -> WorkbenchError:
    """Return the error for a plugin that is used in a fork."""
    return WorkbenchError(
        "this plugin belongs to the process that loaded it, of which this one is a "
        "fork; load it again here with wb.load()"
    )
