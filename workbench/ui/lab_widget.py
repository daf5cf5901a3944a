"""The lab: one widget over a Plugin, a Workbench or Events.

The panels are made and wired here; what they know is in the :class:`LabModel`, how they
look in the scripts. Everything a person does has a Python name on :class:`Lab`.
"""

from __future__ import annotations

import contextlib
import os
import weakref
from typing import TYPE_CHECKING, Any

import ipywidgets

from workbench.condition.analysis.fragments import add_check
from workbench.errors import WorkbenchError
from workbench.events.events import Events
from workbench.plugins.group import PluginGroup
from workbench.session.sandbox import sandbox_policy
from workbench.ui.data.error_card import error_text
from workbench.ui.export.code import code_for
from workbench.ui.export.snapshot import LabSnapshot
from workbench.ui.export.summary import lab_html, lab_text
from workbench.ui.panels.condition import ConditionPanel
from workbench.ui.panels.detail import DetailPanel
from workbench.ui.panels.plugin import PluginPanel
from workbench.ui.panels.rule import RulePanel
from workbench.ui.panels.ruleset import RuleSetPanel
from workbench.ui.panels.state_tables import StatePanel
from workbench.ui.panels.stream import StreamPanel
from workbench.ui.panels.table import TablePanel
from workbench.ui.panels.timeline import TimelinePanel
from workbench.ui.refresh_loop import RefreshLoop
from workbench.ui.state import condition_queries as queries
from workbench.ui.state.model import LabModel
from workbench.ui.widgets.widgets import LabWidget, StateWidget

if TYPE_CHECKING:
    from collections.abc import Iterable

    import pandas as pd

    from workbench.rules import Rule, RuleSet

__all__ = ["Lab", "lab"]

_PAGES = (
    ("explore", "Explore"),
    ("rule", "Rule"),
    ("rules", "Rule set"),
    ("plugin", "Plugin"),
    ("code", "Code & log"),
)
_LOG_LINES = 200
# How much of the table a static summary shows; cells in characters.
_SUMMARY_ROWS = 8
_SUMMARY_COLUMNS = 10
_SUMMARY_CELL = 60
_CODE_CHANGES = {"source", "condition", "ended", "rule", "stream"}


def _box(kind: str, children: list[Any], *classes: str) -> Any:
    box = getattr(ipywidgets, kind)(children)
    for name in classes:
        box.add_class(name)
    return box


class Lab(ipywidgets.VBox):
    """The interactive workbench; :func:`lab` makes it.

    ``condition`` (str), ``rule`` (Rule): two-way. ``events`` (Events or None),
    ``matches`` and ``selection`` (DataFrame), ``code`` (str): what is on screen.
    """

    def __init__(self, target: Any = None) -> None:
        self.model = LabModel()
        self.target: Any = None
        self._late: set[str] = set()
        self.stream = StreamPanel(self.model)
        self.condition_panel = ConditionPanel(self.model)
        self.table = TablePanel(self.model)
        self.timeline = TimelinePanel(self.model)
        self.detail = DetailPanel(self.model)
        self.plugin_panel = PluginPanel(self.use)
        self.state_panel = StatePanel(lambda: self.plugin_panel.config, self._resting)
        self.rule_panel = RulePanel(self.model)
        self.ruleset_panel = RuleSetPanel(self.model, self.rule_panel)
        self.nav = StateWidget(view="nav", page="explore")
        self.code_panel = StateWidget(view="code")
        super().__init__(self._layout())
        self.add_class("wb-lab")
        self._wire()
        self._refresh_loop = RefreshLoop(self)
        self.use(target)

    # -- making ----

    def _layout(self) -> list[Any]:
        explore = [
            _box(
                "Box",
                [
                    _box(
                        "VBox", [self.condition_panel.editor, self.condition_panel.near]
                    ),
                    self.condition_panel.verdict,
                ],
                "wb-split",
            ),
            self.timeline.widget,
            _box("Box", [self.table.widget, self.detail.widget], "wb-split"),
        ]
        rule = self.rule_panel
        form = _box("VBox", [rule.form, rule.output_label, rule.output, rule.parts])
        pages = [
            _box("VBox", explore, "wb-page", "wb-page-explore"),
            _box(
                "Box",
                [_box("Box", [form, rule.result], "wb-split", "wb-half")],
                "wb-page",
                "wb-page-rule",
            ),
            _box("VBox", [self.ruleset_panel.widget], "wb-page", "wb-page-rules"),
            _box(
                "VBox",
                [self.plugin_panel.widget, self.state_panel.widget],
                "wb-page",
                "wb-page-plugin",
            ),
            _box("VBox", [self.code_panel], "wb-page", "wb-page-code"),
        ]
        return [self.nav, self.stream.widget, *pages]

    @property
    def _widgets(self) -> list[LabWidget]:
        return [
            self.nav,
            self.code_panel,
            self.stream.widget,
            self.condition_panel.editor,
            self.condition_panel.verdict,
            self.condition_panel.near,
            self.table.widget,
            self.timeline.widget,
            self.detail.widget,
            self.plugin_panel.widget,
            self.rule_panel.form,
            self.rule_panel.parts,
            self.rule_panel.result,
            self.rule_panel.output,
            self.ruleset_panel.widget,
        ]

    def _wire(self) -> None:
        for widget in self._widgets:
            widget.lock = self.model.lock
            widget.on_error = self._show_error
        verdict = self.condition_panel.verdict
        self.condition_panel.near.handle("reveal", self.reveal)
        verdict.handle("make_rule", lambda: self.go("rule"))
        verdict.handle("show_code", lambda: self.go("code"))
        self.rule_panel.result.handle("reveal", self.reveal)
        self.rule_panel.result.handle("add", self.add_rule)
        self.ruleset_panel.widget.handle("edit", self.edit_rule)
        self.plugin_panel.on_use_field = self._use_field
        self.nav.put(pages=[{"id": i, "label": label} for i, label in _PAGES])

    # -- what it is about ----

    def use(self, target: Any) -> None:
        """Take another target: Plugin, Workbench, Events, or None to pick one here."""
        with self.model.lock:
            self.target = target
            if isinstance(target, Events):
                self.stream.take_target(target)
                self.model.take_events(target)
                self.table.widget.follow = False
            else:
                self.stream.take_target(target)
                plugins = queries.plugins_of(target)
                source = self.stream.source
                fields = target.fields_of(source) if plugins else {}
                self.model.take_source(fields, source, None)
                if plugins:
                    first = plugins[0]
                    # What is loaded here again runs no freer than the target.
                    bound = first.pool.sandbox
                    self.plugin_panel.options = bound.options if bound else {}
                    self.plugin_panel.show_manifest(
                        first.info, config=getattr(first, "config", None) or None
                    )
                self.table.widget.follow = queries.can_stream(target)
            streams = isinstance(target, Events) or queries.can_stream(target)
            if not streams:
                self.go("plugin")
            elif self.nav.page == "plugin":
                self.go("explore")
            self.rule_panel.take_target(target)
            self.state_panel.take_target(target)
            self.nav.put(title="Falco Plugin Workbench", notice="")
        self.settle()
        self._refresh_loop.start()

    def start(self, params: str | None = None) -> None:
        """Start to stream with ``params``; raises what ``open`` raises."""
        with self.model.lock:
            self.stream.start(params)

    def stop(self) -> None:
        """Stop the stream; events so far stay."""
        self.stream.stop()

    def wait(self, timeout_sec: float | None = None) -> bool:
        """Wait until the stream ended; False when ``timeout_sec`` passed first."""
        stream = self.stream.stream
        ended = stream is None or stream.wait(timeout_sec)
        self.settle()
        return ended

    # -- the two-way state -------------------------------------------------------------

    @property
    def condition(self) -> str:
        """The condition; set it to change the editor, the matches, everything."""
        return self.model.condition

    @condition.setter
    def condition(self, text: str) -> None:
        with self.model.lock:
            self.condition_panel.set_text(text)
        self.settle()

    @property
    def events(self) -> Events | None:
        """The events so far, with the labels given here; None before there are any."""
        with self.model.lock:
            self.model.work_rows()
            return self.model.labelled_events()

    @property
    def matches(self) -> pd.DataFrame:
        """The events that match the condition; all without one."""
        self.settle()
        with self.model.lock:
            return self.model.matches()

    @property
    def selection(self) -> pd.DataFrame:
        """The rows selected in the table, in the order of selection."""
        with self.model.lock:
            return self.model.selected_frame()

    def select(self, *numbers: int) -> None:
        """Select events by their number, as a click on their rows does."""
        with self.model.lock:
            found = [self.model.store.find_number(number) for number in numbers]
            missing = [n for n, at in zip(numbers, found, strict=True) if at is None]
            if missing:
                raise KeyError(f"no event {missing[0]} here")
            self.table.select([at for at in found if at is not None])
        self.settle()

    @property
    def metrics(self) -> pd.DataFrame:
        """The plugins' metrics over time, a sample each second of a stream."""
        return self.state_panel.metrics

    @property
    def rule(self) -> Rule:
        """The rule as the form has it; set it to fill the form."""
        return self.rule_panel.draft.rule(self.model.condition)

    @rule.setter
    def rule(self, rule: Rule) -> None:
        with self.model.lock:
            self.condition_panel.set_text(self.rule_panel.take_rule(rule))
        self.settle()

    @property
    def rules(self) -> RuleSet:
        """The rule set being built."""
        return self.ruleset_panel.rules

    @property
    def code(self) -> str:
        """The cell that does what is on screen."""
        return code_for(self.snapshot())

    def snapshot(self) -> LabSnapshot:
        """Return what the lab shows now, for code and summary."""
        with self.model.lock:
            model = self.model
            store, selection = model.store, model.selection
            columns = self.table.widget.shown[:_SUMMARY_COLUMNS]
            positions = model.view.positions(0, _SUMMARY_ROWS)
            rows = store.rows(positions, columns, limit=_SUMMARY_CELL)
            return LabSnapshot(
                target=self.target,
                source=self.stream.source,
                params=self.stream.params,
                limits=self.stream.limits,
                condition=model.condition.strip(),
                selected=int(store.numbers[selection[-1]]) if selection else None,
                draft=self.rule_panel.draft,
                events=len(store),
                matches=model.matcher.count,
                steps=tuple((s["text"], s["rows"]) for s in model.matcher.steps),
                columns=tuple(columns),
                rows=tuple(map(tuple, rows)),
            )

    # -- moving about ----

    def go(self, page: str) -> None:
        """Show a page: explore, rule, rules, plugin or code."""
        if page not in dict(_PAGES):
            raise ValueError(f"no page {page!r}; pages are {', '.join(dict(_PAGES))}")
        self.nav.page = page

    def reveal(self, position: int) -> None:
        """Show and select the row at ``position`` (0-based) of the events."""
        with self.model.lock:
            self.go("explore")
            self.table.reveal(int(position))

    def add_rule(self) -> None:
        """Add the rule of the form to the rule set."""
        with self.model.lock:
            self.ruleset_panel.add(self.rule)
            self.rule_panel.result.put(
                saved=f"Added “{self.rule.name}” to the rule set."
            )

    def edit_rule(self, name: str) -> None:
        """Take a rule of the rule set into the form."""
        self.rule = self.ruleset_panel.rule(name)
        self.go("rule")

    def take_over(self, before: Lab) -> None:
        """Take what a person made in another lab: condition, rule, labels, rule set."""
        with self.model.lock, before.model.lock:
            self.model.labels.update(before.model.labels)
            self.rule_panel.take_draft(before.rule_panel.draft, before.rule_panel.path)
            self.ruleset_panel.take(before.ruleset_panel.rules)
            self.stream.take_settings(before.stream)
            self.table.widget.widths = dict(before.table.widget.widths)
            self.table.widget.shown = list(before.table.widget.shown)
            self.condition_panel.set_text(before.condition)
            self.nav.page = before.nav.page
        self.settle()

    def notice(self, text: str) -> None:
        """Show a line under the title; "" takes it away."""
        self.nav.put(notice=text)

    def _use_field(self, name: str) -> None:
        self.condition_panel.set_text(add_check(self.model.condition, f"{name} "))
        self.go("explore")

    # -- called by the refresh loop ----

    @property
    def live(self) -> bool:
        """Whether rows may still come."""
        return self.stream.live or self.model.live

    def _resting(self) -> bool:
        stream = self.stream.stream
        return stream is not None and stream.phase not in {"running", "ended"}

    def tick(self) -> None:
        """Bring state and screen up to date."""
        try:
            self.state_panel.tick(live=self.stream.live)
            with self.model.lock:
                self.stream.tick()
                changes = self.model.work()
                self._refresh(changes)
        except Exception as error:  # noqa: BLE001 - shown; the loop goes on
            self._show_error(error)

    def refine(self) -> None:
        """Make funnel and near misses when they are due."""
        try:
            with self.model.lock:
                self.detail.refine()
                if self.model.refine_due():
                    self._refresh(self.model.refine())
        except Exception as error:  # noqa: BLE001 - shown; the loop goes on
            self._show_error(error)

    def finish(self) -> None:
        """Do what can wait until typing pauses: rule, rule set, code."""
        try:
            with self.model.lock:
                late, self._late = self._late, set()
                if late:
                    self._show(late, self.rule_panel, self.ruleset_panel)
                    if late & _CODE_CHANGES:
                        self.code_panel.put(code=self.code, log=self._log())
        except Exception as error:  # noqa: BLE001 - shown; the loop goes on
            self._show_error(error)

    def settle(self) -> None:
        """Bring everything up to date now, instead of within a tenth of a second."""
        self.tick()
        self.refine()
        self.finish()

    def _show_error(self, error: Exception) -> None:
        with contextlib.suppress(Exception):
            self.notice(error_text(error))

    def _refresh(self, changes: set[str]) -> None:
        """Show what changed."""
        self._show(changes, self.stream)
        if changes:
            self._late |= changes
            panels = (self.condition_panel, self.table, self.timeline, self.detail)
            self._show(changes, *panels)

    def _show(self, changes: set[str], *panels: Any) -> None:
        """Refresh panels; one that fails shows why and holds up no other."""
        for panel in panels:
            try:
                panel.refresh(changes)
            except Exception as error:  # noqa: BLE001 - shown on screen
                self._show_error(error)

    def _log(self) -> list[str]:
        lines = getattr(self.target, "log", None)
        if not isinstance(lines, list):
            return []
        return [f"{line.severity:<8} {line.message}" for line in lines[-_LOG_LINES:]]

    def resend(self) -> None:
        """Send everything that changes once more."""
        with contextlib.suppress(Exception), self.model.lock:
            for widget in self._widgets:
                widget.resend()

    def close(self) -> None:
        """End the stream and take the lab off the screen; the target stays."""
        self.stream.stop()
        self._refresh_loop.close()
        self.state_panel.close()
        for widget in self._widgets:
            widget.close()
        super().close()

    # -- without a browser ----

    def __repr__(self) -> str:
        return lab_text(self.snapshot())

    def _repr_mimebundle_(self, **kwargs: Any) -> Any:
        """Add a static summary, for exports and places without widgets."""
        given = super()._repr_mimebundle_(**kwargs)
        data, metadata = given if isinstance(given, tuple) else (given, {})
        shown = self.snapshot()
        data = {**data, "text/plain": lab_text(shown), "text/html": lab_html(shown)}
        return data, metadata


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
    kind = type(target).__name__
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
        f"wb.lab takes a Plugin, a Workbench or Events, not a {kind}{advice}"
    )


def lab(
    target: Any = None,
    *,
    sandbox: bool = False,
    sandbox_read: Iterable[str | os.PathLike[str]] = (),
    sandbox_network: bool = False,
) -> Lab:
    """Return the interactive workbench over a Plugin, a Workbench or Events.

    ``target``: None lets you pick a plugin in the lab. ``sandbox…``: as for ``load``,
    for plugins that are picked in the lab; beside a target that is in a sandbox they
    run in the same. Running the cell again gives the
    same lab, or, when the plugin was loaded anew, one with the same condition, rule,
    labels and rule set. Raises WorkbenchError for anything else, and for a plugin that
    is closed.
    """
    _check_target(target)
    policy = sandbox_policy(sandbox, sandbox_read, network=sandbox_network)
    key = _key(target)
    before = _LABS.get(key)
    if before is not None and before.target is target and before.comm is not None:
        if policy is not None:
            before.plugin_panel.options = policy.options
        return before
    made = Lab(target)
    if policy is not None:
        made.plugin_panel.options = policy.options
    if before is not None:
        made.take_over(before)
    _LABS[key] = made
    return made
