"""The lab: one widget over a Plugin, a Workbench or Events.

The panels are made and wired here; what a person makes is the desk's document, what is
known of the events the :class:`LabModel`, how all of it looks the scripts. Everything a
person does has a Python name on :class:`Lab`.
"""

from __future__ import annotations

import contextlib
import time
from dataclasses import replace
from typing import TYPE_CHECKING, Any

import traitlets

from workbench.condition.analysis.fragments import add_check
from workbench.errors import WorkbenchError
from workbench.events.events import Events
from workbench.ui.data.error_card import error_text
from workbench.ui.export.code import code_for
from workbench.ui.export.snapshot import LabSnapshot
from workbench.ui.export.summary import lab_html, lab_text
from workbench.ui.panels.condition import ConditionPanel
from workbench.ui.panels.event import EventPanel
from workbench.ui.panels.fields import FieldsPanel
from workbench.ui.panels.plugin import PluginPanel
from workbench.ui.panels.rule import RulePanel
from workbench.ui.panels.ruleset import RuleSetPanel
from workbench.ui.panels.state_tables import StatePanel
from workbench.ui.panels.stream import StreamPanel
from workbench.ui.panels.table import TablePanel
from workbench.ui.panels.timeline import TimelinePanel
from workbench.ui.refresh_loop import RefreshLoop
from workbench.ui.state import condition_queries as queries
from workbench.ui.state.desk import Desk
from workbench.ui.state.model import LabModel
from workbench.ui.state.rule_draft import RuleDraft
from workbench.ui.widgets import assets
from workbench.ui.widgets.widgets import LabWidget

if TYPE_CHECKING:
    import os
    from pathlib import Path

    import pandas as pd

    from workbench.rules import RuleSet
    from workbench.ui.state.session_file import SessionFile

__all__ = ["Lab"]

_PLACES = ("events", "rules", "plugin")
_LOG_LINES = 200
# How much of the table a static summary shows; cells in characters.
_SUMMARY_ROWS = 8
_SUMMARY_COLUMNS = 10
_SUMMARY_CELL = 60
_CODE_CHANGES = {"source", "condition", "ended", "rule", "stream", "document"}
_MAX_SELECTED = 10_000
# A stream that ended this soon was a file: its first rows are what is read first.
_FILE_SEC = 5.0
# Counting the parts of a condition longer than this is shown as a second step.
_SLOW_SEC = 0.03
# What dir() names: the rest is the widgets' own.
_OURS = (
    "add_rule",
    "close",
    "code",
    "condition",
    "events",
    "go",
    "labels",
    "layout",
    "match_count",
    "matches",
    "metrics",
    "observe",
    "redo",
    "report",
    "restore",
    "rule",
    "rules",
    "running",
    "save",
    "select",
    "selected",
    "selection",
    "start",
    "start_fresh",
    "stop",
    "target",
    "undo",
    "unobserve",
    "use",
    "wait",
)


class _RuleText(traitlets.Unicode[str, Any]):
    """A rule as YAML; a Rule is taken as well."""

    def validate(self, obj: Any, value: Any) -> Any:
        """Return the text of a rule."""
        if hasattr(value, "to_yaml"):
            value = value.to_yaml()
        return super().validate(obj, value)


class Lab(LabWidget):
    """The interactive workbench; :func:`lab` makes it.

    Traits: ``condition`` (str) and ``rule`` (YAML of the rule being edited, "" in
    Scratch; a Rule can be assigned), both two-way; ``selected`` (event numbers,
    two-way); ``match_count`` (int); ``running`` (bool: set it to start or stop).
    """

    condition = traitlets.Unicode("").tag(sync=True)
    match_count = traitlets.Int(0).tag(sync=True)
    selected: Any = traitlets.List(traitlets.Int()).tag(sync=True)
    rule = _RuleText("").tag(sync=True)
    running = traitlets.Bool(default_value=False).tag(sync=True)
    config: Any = traitlets.Dict().tag(sync=True)
    _view_part = ""

    def __init__(self, target: Any = None, *, rules: RuleSet | None = None) -> None:
        self.model = LabModel()
        self.desk = Desk(self.model)
        self.target: Any = None
        self._late: set[str] = set()
        self._mirroring = False
        self._refine_sec = 0.0
        self.session_file: SessionFile | None = None
        super().__init__(config={"view": self._view_part})
        self.model.lock = self.lock
        self._make_panels()
        self._wire()
        self._refresh_loop = RefreshLoop(self)
        if rules is not None:
            self.desk.take_rules(rules)
        self.use(target)

    # -- making ----

    def _make_panels(self) -> None:
        desk = self.desk
        self.main = self.part("lab", place="events", drawer=False, notice="", layout={})
        self.stream = StreamPanel(self.part("stream"), self.model)
        self.condition_panel = ConditionPanel(self.part("condition"), desk)
        self.table = TablePanel(self.part("table"), desk)
        self.timeline = TimelinePanel(self.part("timeline"), desk)
        self.fields_panel = FieldsPanel(self.part("fields"), desk)
        self.event_panel = EventPanel(self.part("event"), desk)
        self.rule_panel = RulePanel(self.part("rule"), desk)
        self.ruleset_panel = RuleSetPanel(self.part("rules"), desk)
        self.plugin_panel = PluginPanel(self.part("plugin"), self.use)
        self.state_panel = StatePanel(
            self.part("state"), lambda: self.plugin_panel.config, self._resting
        )

    def _wire(self) -> None:
        self.main.handle(
            hello=self.whole,
            module=assets.module_bytes,
            place=self.go,
            notice=lambda: self.notice(""),
            layout=self._on_layout,
            code=lambda: {"code": self.code, "log": self._log()},
            fresh=self.start_fresh,
        )
        self.plugin_panel.on_use_field = self._use_field
        self.stream.on_started = self._on_started
        self.observe(self._on_condition, ["condition"])
        self.observe(self._on_rule, ["rule"])
        self.observe(self._on_selected, ["selected"])
        self.observe(self._on_running, ["running"])

    def _on_layout(self, layout: dict[str, Any]) -> None:
        if isinstance(layout, dict) and len(str(layout)) < 4000:
            self.main.state["layout"] = layout
            self.model.touch("layout")

    # -- what it is about ----

    def use(self, target: Any) -> None:
        """Take another target: Plugin, Workbench, Events, or None to pick one here."""
        with self.lock:
            self.target = target
            self.stream.take_target(target)
            plugins = queries.plugins_of(target)
            if isinstance(target, Events):
                self.model.take_events(target)
                given = {**target.labels, **self.desk.doc.labels}
                self.desk.settle(replace(self.desk.doc, labels=given))
            else:
                source = self.stream.source
                fields = target.fields_of(source) if plugins else {}
                self.model.take_source(fields, source, None)
            if plugins:
                first = plugins[0]
                # What is loaded here again runs no freer than the target.
                bound = first.pool.sandbox
                self.plugin_panel.options = bound.options if bound else {}
                config = getattr(first, "config", None) or None
                self.plugin_panel.show_manifest(first.info, config=config)
            streams = isinstance(target, Events) or queries.can_stream(target)
            if not streams:
                self.go("plugin")
            elif self.main.state["place"] == "plugin":
                self.go("events")
            self.rule_panel.target = target
            self.state_panel.take_target(target)
            self.notice("")
        self.settle()
        self._refresh_loop.start()

    def start(self, params: str | None = None) -> None:
        """Start to stream with ``params``; raises what ``open`` raises."""
        with self.lock:
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

    def _on_started(self) -> None:
        self.model.select([])
        self.table.set_follow(True)

    # -- the traits ----

    def _mirror(self) -> None:
        """Let the traits say what is on screen, in one message."""
        model, tab = self.model, self.desk.tab
        numbers = model.store.numbers
        chosen = model.selected_positions(_MAX_SELECTED)
        text = ""
        if tab.draft is not None:
            with contextlib.suppress(WorkbenchError):
                text = tab.draft.rule(tab.text).to_yaml()
        self._mirroring = True
        try:
            with self.hold_sync():
                self.condition = tab.text
                self.match_count = model.matcher.count or 0
                self.selected = [int(n) for n in numbers[chosen]]
                self.rule = text
                self.running = self.stream.live
        finally:
            self._mirroring = False

    def _on_condition(self, change: Any) -> None:
        if not self._mirroring:
            with self.lock:
                self.desk.set_condition(str(change["new"]), "set from Python")
            self.settle()

    def _on_rule(self, change: Any) -> None:
        if not self._mirroring and str(change["new"]).strip():
            self.open_rules(str(change["new"]))

    def _on_selected(self, change: Any) -> None:
        if not self._mirroring:
            self.select(*change["new"])

    def _on_running(self, change: Any) -> None:
        if self._mirroring or change["new"] == self.stream.live:
            return
        if change["new"]:
            self.start()
        else:
            self.stop()

    def open_rules(self, text: str) -> None:
        """Open the rules of a YAML text as tabs, the last one in front.

        A tab of the same name takes the text. Raises RulesError for what is no rule.
        """
        from workbench.errors import RulesError
        from workbench.rules import parse_rules

        given = parse_rules(text)
        rules = list(given.rules.values())
        if not rules:
            found = list(given.check())
            said = found[0].message if found else "there is no rule in it"
            raise RulesError(f"not a rule: {said}", diagnostics=found)
        with self.lock:
            others = [*given.lists.values(), *given.macros.values()]
            if others:
                self.desk.library.put(others)
            for rule in rules:
                self._open_rule(rule)
        self.settle()

    def _open_rule(self, rule: Any) -> None:
        desk = self.desk
        same = next((t for t in desk.doc.tabs if t.draft and t.name == rule.name), None)
        if same is None:
            same = desk.open_rule(rule)
            same = desk.doc.tab_of(same.id) or same
        draft = RuleDraft.of(rule)
        if self.model.source and draft.source in {"", "syscall"}:
            draft.source = self.model.source
        doc = desk.doc.with_tab(same.id, text=rule.condition, draft=draft)
        desk.edit(f"take rule {rule.name}", replace(doc, active=same.id))

    def add_rule(self) -> None:
        """Put the rule of the tab being edited into the rule set, in memory."""
        with self.lock:
            desk, tab = self.desk, self.desk.tab
            if tab.draft is None:
                raise WorkbenchError("Scratch is no rule; make or open one first")
            rule = tab.draft.rule(tab.text)
            desk.library.put([*tab.draft.used_items(tab.text), rule])
            desk.settle(desk.doc.with_tab(tab.id, origin=rule.name))
            self.model.touch("rules", "document")
        self.settle()

    @property
    def events(self) -> Events | None:
        """The events so far, with the labels given here; None before there are any."""
        with self.lock:
            self.model.work_rows()
            return self.model.labelled_events()

    @property
    def labels(self) -> dict[int, bool]:
        """Event number → must match, as labelled here."""
        return dict(self.desk.doc.labels)

    @property
    def matches(self) -> pd.DataFrame:
        """The events that match the condition; all without one."""
        self.settle()
        with self.lock:
            return self.model.matches()

    @property
    def selection(self) -> pd.DataFrame:
        """The rows selected in the table, in the order of selection."""
        with self.lock:
            return self.model.selected_frame()

    def select(self, *numbers: int) -> None:
        """Select events by their number, as a click on their rows does."""
        with self.lock:
            found = [self.model.store.find_number(int(number)) for number in numbers]
            missing = [n for n, at in zip(numbers, found, strict=True) if at is None]
            if missing:
                raise KeyError(f"no event {missing[0]} here")
            self.model.select([(at, at) for at in found if at is not None])
            if self.model.current is not None:
                at = self.model.view.index_of(self.model.current)
                self.table.part.passing(reveal=at)
        self.settle()

    @property
    def metrics(self) -> pd.DataFrame:
        """The plugins' metrics over time, a sample each second of a stream."""
        return self.state_panel.metrics

    @property
    def rules(self) -> RuleSet:
        """The rule set of the lab; its macros and lists are known in conditions."""
        return self.desk.library.rules

    @rules.setter
    def rules(self, rules: RuleSet) -> None:
        with self.lock:
            self.desk.take_rules(rules)
        self.settle()

    @property
    def code(self) -> str:
        """The cell that does what is on screen."""
        return code_for(self.snapshot())

    def snapshot(self) -> LabSnapshot:
        """Return what the lab shows now, for code, summary and report."""
        with self.lock:
            model, tab = self.model, self.desk.tab
            store, current = model.store, model.current
            columns = self.table.shown[:_SUMMARY_COLUMNS]
            positions = model.view.positions(0, _SUMMARY_ROWS)
            rows = store.rows(positions, columns, limit=_SUMMARY_CELL)
            return LabSnapshot(
                target=self.target,
                source=self.stream.source,
                params=self.stream.params,
                limits=self.stream.limits,
                condition=model.condition.strip(),
                selected=None if current is None else int(store.numbers[current]),
                draft=tab.draft,
                events=len(store),
                matches=model.matcher.count,
                steps=tuple((c.text, c.passed) for c in model.matcher.cells),
                columns=tuple(columns),
                rows=tuple(map(tuple, rows)),
            )

    # -- moving about ----

    def go(self, place: str) -> None:
        """Show a place: events, rules or plugin."""
        if place not in _PLACES:
            raise ValueError(f"no place {place!r}; places are {', '.join(_PLACES)}")
        self.main.put(place=place)
        self.ruleset_panel.part.receive("seen", on=place == "rules")

    def undo(self) -> str:
        """Take back the last step and return what it was, "" for none."""
        with self.lock:
            label = self.desk.undo()
        self.settle()
        return label

    def redo(self) -> str:
        """Do again what was taken back and return what it was."""
        with self.lock:
            label = self.desk.redo()
        self.settle()
        return label

    def take_over(self, before: Lab) -> None:
        """Take what a person made in another lab: document, rules, stream settings."""
        with self.lock, before.lock:
            self.desk.take_rules(before.rules)
            self.desk.settle(before.desk.doc)
            self.stream.take_settings(before.stream)
            self.main.put(layout=before.main.state["layout"])
            self.main.put(place=before.main.state["place"])
        self.settle()

    # -- keeping ----

    def save(self, path: str | os.PathLike[str]) -> Path:
        """Write tabs, labels, filters, columns and layout to a file; not the events."""
        from workbench.ui.state.session_file import save_session

        with self.lock:
            return save_session(self, path)

    def restore(self, path: str | os.PathLike[str]) -> None:
        """Take what :meth:`save` wrote. Raises WorkbenchError for anything else."""
        from workbench.ui.state.session_file import load_session

        with self.lock:
            load_session(self, path)
        self.settle()

    def report(self, path: str | os.PathLike[str]) -> Path:
        """Write one HTML file of what is on screen, without scripts; return its path.

        It holds the rule, its checks, a timeline, events, alerts and YAML.
        """
        from workbench.ui.export.report import write_report

        self.settle()
        with self.lock:
            written: Path = write_report(self, path)
            return written

    def start_fresh(self) -> None:
        """Drop what was restored: tabs, labels, filters; undo brings it back."""
        from workbench.ui.state.document import Document

        with self.lock:
            self.desk.edit("start fresh", Document())
            self.main.put(restored="")

    def notice(self, text: str) -> None:
        """Show a line over the table; "" takes it away."""
        self.main.put(notice=text)

    def _use_field(self, name: str) -> None:
        self.desk.set_condition(add_check(self.model.condition, f"{name} "))
        self.go("events")

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
            with self.lock:
                self.stream.tick()
                changes = self.model.work()
                if "ended" in changes:
                    self._on_ended()
                self._refresh(changes)
                if self._refine_sec > _SLOW_SEC or not self.model.refine_due():
                    self.flush()
        except Exception as error:  # noqa: BLE001 - shown; the loop goes on
            self.show_error(error)

    def _on_ended(self) -> None:
        stream = self.stream.stream
        if stream is not None and stream.elapsed < _FILE_SEC and self.table.follow:
            self.table.set_follow(False)
            self.table.part.passing(top=True)

    def refine(self) -> None:
        """Count parts and near misses when they are due."""
        try:
            with self.lock:
                if self.model.refine_due():
                    began = time.perf_counter()
                    changes = self.model.refine()
                    self._refine_sec = time.perf_counter() - began
                    self._refresh(changes)
                self.flush()
        except Exception as error:  # noqa: BLE001 - shown; the loop goes on
            self.show_error(error)

    def finish(self) -> None:
        """Do what can wait until typing pauses: rule, rule set, traits."""
        try:
            with self.lock:
                late, self._late = self._late, set()
                if late:
                    for panel in (self.rule_panel, self.ruleset_panel):
                        self._guard(panel.refine, late)
                self.condition_panel.rest()
                self._mirror()
                self.flush()
        except Exception as error:  # noqa: BLE001 - shown; the loop goes on
            self.show_error(error)

    def settle(self) -> None:
        """Bring everything up to date now, instead of within a tenth of a second."""
        self.tick()
        self.refine()
        self.finish()

    def show_error(self, error: Exception) -> None:
        """Show what failed, until it is dismissed."""
        with contextlib.suppress(Exception):
            self.notice(error_text(error))

    def _refresh(self, changes: set[str]) -> None:
        """Show what changed."""
        self._guard(self.stream.refresh, changes)
        if changes:
            self._late |= changes
            for panel in (
                self.condition_panel,
                self.table,
                self.timeline,
                self.fields_panel,
                self.event_panel,
                self.rule_panel,
            ):
                self._guard(panel.refresh, changes)
        if self.desk.note:
            self.main.passing(said=self.desk.note)
            self.desk.note = ""

    def _guard(self, refresh: Any, changes: set[str]) -> None:
        """Refresh a panel; one that fails shows why and holds up no other."""
        try:
            refresh(changes)
        except Exception as error:  # noqa: BLE001 - shown on screen
            self.show_error(error)

    def _log(self) -> list[str]:
        lines = getattr(self.target, "log", None)
        if not isinstance(lines, list):
            return []
        return [f"{line.severity:<8} {line.message}" for line in lines[-_LOG_LINES:]]

    def resend(self) -> None:
        """Let views that missed a message ask for everything; keep the session."""
        with contextlib.suppress(Exception), self.lock:
            self.send({"do": "rest", "seq": self._serial})
            if self.session_file is not None:
                self.session_file.keep(self)

    def close(self) -> None:
        """End the stream and take the lab off the screen; the target stays."""
        self.stream.stop()
        self._refresh_loop.close()
        self.state_panel.close()
        super().close()

    # -- without a browser ----

    def __dir__(self) -> list[str]:
        return list(_OURS)

    def __repr__(self) -> str:
        return lab_text(self.snapshot())

    def _repr_mimebundle_(self, **kwargs: Any) -> Any:
        """Add a static summary, for exports and places without widgets."""
        given = super()._repr_mimebundle_(**kwargs)
        data, metadata = given if isinstance(given, tuple) else (given or {}, {})
        shown = self.snapshot()
        data = {**data, "text/plain": lab_text(shown), "text/html": lab_html(shown)}
        return data, metadata
