"""``wb.lab``: one lab per thing it is over, opened again with what it knew."""

from __future__ import annotations

import contextlib
import os
import weakref
from dataclasses import replace
from typing import TYPE_CHECKING, Any

from workbench.archives.archive import Archive
from workbench.arguments import FLAG, PATHS, described, takes, wrong
from workbench.errors import WorkbenchError
from workbench.events.events import Events
from workbench.plugins.group import PluginGroup
from workbench.session.sandbox import sandbox_policy
from workbench.ui import widgets
from workbench.ui.lab_widget import Lab
from workbench.ui.state import condition_queries as queries
from workbench.ui.state.session_file import SessionFile

if TYPE_CHECKING:
    from collections.abc import Iterable

    from workbench.rules import RuleSet

__all__ = ["lab", "widgets"]

# Events drawn from an archive.
_SAMPLE = 50_000
# Labs by what they are over, as long as somebody holds them.
_LABS: weakref.WeakValueDictionary[str, Lab] = weakref.WeakValueDictionary()


def _key(target: Any) -> str:
    if target is None:
        return "none"
    if isinstance(target, Events):
        return f"events:{id(target)}"
    return "plugins:" + ":".join(str(p.path) for p in queries.plugins_of(target))


def _check_target(target: Any) -> None:
    """Raise WorkbenchError for what no lab can be over, saying what to do."""
    if target is None or isinstance(target, Events):
        return
    if isinstance(target, PluginGroup):
        if getattr(target, "closed", target.pool.closed):
            what = f"plugin {target.name}" if hasattr(target, "name") else "Workbench"
            raise WorkbenchError(
                f"this {what} is closed, so no lab can be over it; load it again"
            )
        return
    kind = described(target) if hasattr(target, "columns") else _article(target)
    advice = ""
    if hasattr(target, "columns") or isinstance(target, (list, dict)):
        advice = (
            "; give the Events that it came from (events.where(…) and events[mask] "
            "select rows of them), or make some of an Arrow table with "
            "wb.events_from_table(…)"
        )
    elif isinstance(target, (str, os.PathLike)):
        advice = "; load a plugin with wb.load(…) or a file with wb.open_events(…)"
    raise WorkbenchError(
        f"wb.lab takes a Plugin, a Workbench or Events, not {kind}{advice}"
    )


def _sampled(archive: Archive) -> Events:
    """Return some events of an archive, which say that they are not all."""
    events = archive.sample(_SAMPLE)
    if len(events) == len(archive):
        return events
    note = (
        f"{len(events):,} of {len(archive):,} events of an archive, drawn at random; "
        "archive.count(…) asks all of them"
    )
    origin = replace(events.origin, notes=(*events.origin.notes, note))
    return Events(events.table, fields=events.fields, origin=origin)


def _article(target: Any) -> str:
    return f"a {type(target).__name__}"


def _restore(made: Lab, target: Any) -> None:
    """Go on where the notebook's lab over the same thing was left."""
    made.session_file = SessionFile.of(queries.target_name(target) if target else "")
    if made.session_file is not None:
        with contextlib.suppress(WorkbenchError, OSError):
            made.session_file.restore(made)


@takes(sandbox=FLAG, sandbox_read=PATHS, sandbox_network=FLAG)
def lab(
    target: Any = None,
    *,
    rules: RuleSet | None = None,
    session: str | os.PathLike[str] | None = None,
    sandbox: bool = False,
    sandbox_read: Iterable[str | os.PathLike[str]] = (),
    sandbox_network: bool = False,
) -> Lab:
    """Return the interactive workbench over a Plugin, a Workbench or Events.

    ``target``: None lets you pick a plugin in the lab; of an Archive, 50,000 events
    drawn from all are explored. ``rules``: a rule set beside it;
    its macros and lists are known in all conditions, its rules open as tabs.
    ``session``: a file that ``Lab.save`` wrote, to go on with. ``sandbox…``: as for
    ``load``, for plugins that are picked in the lab; beside a target that is in a
    sandbox they run in the same. Running the cell again returns the same lab, or, when
    the plugin was loaded anew, one with the same condition, rule, labels and rule set.
    Raises WorkbenchError for anything else, and for a plugin that is closed.
    """
    if isinstance(target, Archive):
        target = _sampled(target)
    _check_target(target)
    if rules is not None and not hasattr(rules, "texts"):
        raise wrong("lab", "rules", "a RuleSet or None", rules)
    policy = sandbox_policy(sandbox, sandbox_read, network=sandbox_network)
    key = _key(target)
    before = _LABS.get(key)
    if before is not None and before.target is target and before.comm is not None:
        if policy is not None:
            before.plugin_panel.options = policy.options
        if rules is not None:
            before.rules = rules
        if session is not None:
            before.restore(session)
        return before
    made = Lab(target, rules=rules)
    if policy is not None:
        made.plugin_panel.options = policy.options
    if before is not None:
        made.take_over(before)
        made.session_file = before.session_file
        if rules is not None:
            made.rules = rules
    else:
        _restore(made, target)
    if session is not None:
        made.restore(session)
    _LABS[key] = made
    return made
