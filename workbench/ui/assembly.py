"""The lab: one widget over a Plugin, a Workbench or Events.

The parts are made and wired here; what they know is in the :class:`Desk`, how they look
in the scripts. Everything a person does has a Python name on :class:`Lab`.
"""

from __future__ import annotations

import contextlib
import weakref
from typing import TYPE_CHECKING, Any

import ipywidgets

from workbench.events import Events
from workbench.session.sandbox import sandbox_policy
from workbench.ui import engine
from workbench.ui.card import error_text
from workbench.ui.code import code_for
from workbench.ui.condition_part import ConditionPart
from workbench.ui.desk import Desk
from workbench.ui.detail_part import DetailPart
from workbench.ui.plugin_part import PluginPart
from workbench.ui.pump import Pump
from workbench.ui.rule_part import RulePart
from workbench.ui.ruleset_part import RuleSetPart
from workbench.ui.state_part import StatePart
from workbench.ui.stream_part import StreamPart
from workbench.ui.summary import lab_html, lab_text
from workbench.ui.table_part import TablePart
from workbench.ui.timeline_part import TimelinePart
from workbench.ui.widgets import Panel, Part

if TYPE_CHECKING:
    import os
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
        self.desk = Desk()
        self.target: Any = None
        self._late: set[str] = set()
        self.stream = StreamPart(self.desk)
        self.condition_part = ConditionPart(self.desk)
        self.table = TablePart(self.desk)
        self.timeline = TimelinePart(self.desk)
        self.detail = DetailPart(self.desk)
        self.plugin_part = PluginPart(self.use)
        self.state_part = StatePart(lambda: self.plugin_part.config, self._resting)
        self.rule_part = RulePart(self.desk)
        self.ruleset_part = RuleSetPart(self.desk, self.rule_part)
        self.nav = Panel(view="nav", page="explore")
        self.code_panel = Panel(view="code")
        super().__init__(self._layout())
        self.add_class("wb-lab")
        self._wire()
        self._pump = Pump(self)
        self.use(target)

    # -- making ----

    def _layout(self) -> list[Any]:
        explore = [
            _box(
                "Box",
                [
                    _box(
                        "VBox", [self.condition_part.editor, self.condition_part.near]
                    ),
                    self.condition_part.verdict,
                ],
                "wb-split",
            ),
            self.timeline.widget,
            _box("Box", [self.table.widget, self.detail.widget], "wb-split"),
        ]
        rule = self.rule_part
        form = _box("VBox", [rule.form, rule.output_label, rule.output, rule.parts])
        pages = [
            _box("VBox", explore, "wb-page", "wb-page-explore"),
            _box(
                "Box",
                [_box("Box", [form, rule.result], "wb-split", "wb-half")],
                "wb-page",
                "wb-page-rule",
            ),
            _box("VBox", [self.ruleset_part.widget], "wb-page", "wb-page-rules"),
            _box(
                "VBox",
                [self.plugin_part.widget, self.state_part.widget],
                "wb-page",
                "wb-page-plugin",
            ),
            _box("VBox", [self.code_panel], "wb-page", "wb-page-code"),
        ]
        return [self.nav, self.stream.widget, *pages]

    @property
    def _parts(self) -> list[Part]:
        return [
            self.nav,
            self.code_panel,
            self.stream.widget,
            self.condition_part.editor,
            self.condition_part.verdict,
            self.condition_part.near,
            self.table.widget,
            self.timeline.widget,
            self.detail.widget,
            self.plugin_part.widget,
            self.rule_part.form,
            self.rule_part.parts,
            self.rule_part.result,
            self.rule_part.output,
            self.ruleset_part.widget,
        ]

    def _wire(self) -> None:
        for part in self._parts:
            part.lock = self.desk.lock
            part.on_error = self._tell
        verdict = self.condition_part.verdict
        self.condition_part.near.handle("reveal", self.reveal)
        verdict.handle("make_rule", lambda: self.go("rule"))
        verdict.handle("show_code", lambda: self.go("code"))
        self.rule_part.result.handle("reveal", self.reveal)
        self.rule_part.result.handle("add", self.add_rule)
        self.ruleset_part.widget.handle("edit", self.edit_rule)
        self.plugin_part.on_use_field = self._use_field
        self.nav.put(pages=[{"id": i, "label": label} for i, label in _PAGES])

    # -- what it is about ----

    def use(self, target: Any) -> None:
        """Take another target: Plugin, Workbench, Events, or None to pick one here."""
        with self.desk.lock:
            self.target = target
            if isinstance(target, Events):
                self.stream.take_target(target)
                self.desk.take_events(target)
                self.table.widget.follow = False
            else:
                self.stream.take_target(target)
                plugins = engine.plugins_of(target)
                source = self.stream.source
                fields = target.fields_of(source) if plugins else {}
                self.desk.take_source(fields, source, None)
                if plugins:
                    first = plugins[0]
                    # What is loaded here again runs no freer than the target.
                    bound = first.roster.sandbox
                    self.plugin_part.options = bound.options if bound else {}
                    self.plugin_part.show_manifest(
                        first.info, config=getattr(first, "config", None) or None
                    )
                self.table.widget.follow = engine.can_stream(target)
            streams = isinstance(target, Events) or engine.can_stream(target)
            if not streams:
                self.go("plugin")
            elif self.nav.page == "plugin":
                self.go("explore")
            self.rule_part.take_target(target)
            self.state_part.take_target(target)
            self.nav.put(title="Falco Plugin Workbench", notice="")
        self.settle()
        self._pump.start()

    def start(self, params: str | None = None) -> None:
        """Start to stream with ``params``; raises what ``open`` raises."""
        with self.desk.lock:
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
        return self.desk.condition

    @condition.setter
    def condition(self, text: str) -> None:
        with self.desk.lock:
            self.condition_part.set_text(text)
        self.settle()

    @property
    def events(self) -> Events | None:
        """The events so far, with the labels given here; None before there are any."""
        with self.desk.lock:
            self.desk.work_rows()
            return self.desk.labelled_events()

    @property
    def matches(self) -> pd.DataFrame:
        """The events that match the condition; all without one."""
        self.settle()
        with self.desk.lock:
            return self.desk.matches()

    @property
    def selection(self) -> pd.DataFrame:
        """The rows selected in the table, in the order of selection."""
        with self.desk.lock:
            return self.desk.selected_frame()

    def select(self, *numbers: int) -> None:
        """Select events by their number, as a click on their rows does."""
        with self.desk.lock:
            found = [self.desk.store.find_number(number) for number in numbers]
            missing = [n for n, at in zip(numbers, found, strict=True) if at is None]
            if missing:
                raise KeyError(f"no event {missing[0]} here")
            self.table.select([at for at in found if at is not None])
        self.settle()

    @property
    def metrics(self) -> pd.DataFrame:
        """The plugins' metrics over time, a sample each second of a stream."""
        return self.state_part.metrics

    @property
    def rule(self) -> Rule:
        """The rule as the form has it; set it to fill the form."""
        return self.rule_part.draft.rule(self.desk.condition)

    @rule.setter
    def rule(self, rule: Rule) -> None:
        with self.desk.lock:
            self.condition_part.set_text(self.rule_part.take_rule(rule))
        self.settle()

    @property
    def rules(self) -> RuleSet:
        """The rule set being built."""
        return self.ruleset_part.rules

    @property
    def code(self) -> str:
        """The cell that does what is on screen."""
        return code_for(self)

    # -- moving about ----

    def go(self, page: str) -> None:
        """Show a page: explore, rule, rules, plugin or code."""
        if page not in dict(_PAGES):
            raise ValueError(f"no page {page!r}; pages are {', '.join(dict(_PAGES))}")
        self.nav.page = page

    def reveal(self, position: int) -> None:
        """Show and select the row at ``position`` (0-based) of the events."""
        with self.desk.lock:
            self.go("explore")
            self.table.reveal(int(position))

    def add_rule(self) -> None:
        """Add the rule of the form to the rule set."""
        with self.desk.lock:
            self.ruleset_part.add(self.rule)
            self.rule_part.result.put(
                saved=f"Added “{self.rule.name}” to the rule set."
            )

    def edit_rule(self, name: str) -> None:
        """Take a rule of the rule set into the form."""
        self.rule = self.ruleset_part.rule(name)
        self.go("rule")

    def take_over(self, before: Lab) -> None:
        """Take what a person made in another lab: condition, rule, labels, rule set."""
        with self.desk.lock, before.desk.lock:
            self.desk.labels.update(before.desk.labels)
            self.rule_part.take_draft(before.rule_part.draft, before.rule_part.path)
            self.ruleset_part.take(before.ruleset_part.rules)
            self.stream.take_settings(before.stream)
            self.table.widget.widths = dict(before.table.widget.widths)
            self.table.widget.shown = list(before.table.widget.shown)
            self.condition_part.set_text(before.condition)
            self.nav.page = before.nav.page
        self.settle()

    def notice(self, text: str) -> None:
        """Show a line under the title; "" takes it away."""
        self.nav.put(notice=text)

    def _use_field(self, name: str) -> None:
        text = self.desk.condition.rstrip()
        self.condition_part.set_text(f"{text} and {name} " if text else f"{name} ")
        self.go("explore")

    # -- the pump's side ----

    @property
    def live(self) -> bool:
        """Whether rows may still come."""
        return self.stream.live or self.desk.live

    def _resting(self) -> bool:
        stream = self.stream.stream
        return stream is not None and stream.phase not in {"running", "ended"}

    def tick(self) -> None:
        """Bring state and screen up to date."""
        try:
            self.state_part.tick(live=self.stream.live)
            with self.desk.lock:
                self.stream.tick()
                changes = self.desk.work()
                self._refresh(changes)
        except Exception as error:  # noqa: BLE001 - told on screen; the pump goes on
            self._tell(error)

    def refine(self) -> None:
        """Make funnel and near misses when they are due."""
        try:
            with self.desk.lock:
                self.detail.refine()
                if self.desk.refine_due():
                    self._refresh(self.desk.refine())
        except Exception as error:  # noqa: BLE001 - told on screen; the pump goes on
            self._tell(error)

    def finish(self) -> None:
        """Do what can wait until typing pauses: rule, rule set, code."""
        try:
            with self.desk.lock:
                late, self._late = self._late, set()
                if late:
                    self._show(late, self.rule_part, self.ruleset_part)
                    if late & _CODE_CHANGES:
                        self.code_panel.put(code=self.code, log=self._log())
        except Exception as error:  # noqa: BLE001 - told on screen; the pump goes on
            self._tell(error)

    def settle(self) -> None:
        """Bring everything up to date now, instead of within a tenth of a second."""
        self.tick()
        self.refine()
        self.finish()

    def _tell(self, error: Exception) -> None:
        with contextlib.suppress(Exception):
            self.notice(error_text(error))

    def _refresh(self, changes: set[str]) -> None:
        """Show what changed."""
        self._show(changes, self.stream)
        if changes:
            self._late |= changes
            parts = (self.condition_part, self.table, self.timeline, self.detail)
            self._show(changes, *parts)

    def _show(self, changes: set[str], *parts: Any) -> None:
        """Refresh parts; one that fails says so and holds up no other."""
        for part in parts:
            try:
                part.refresh(changes)
            except Exception as error:  # noqa: BLE001 - told on screen
                self._tell(error)

    def _log(self) -> list[str]:
        lines = getattr(self.target, "log", None)
        if not isinstance(lines, list):
            return []
        return [f"{line.severity:<8} {line.message}" for line in lines[-_LOG_LINES:]]

    def resend(self) -> None:
        """Send everything that changes once more."""
        with contextlib.suppress(Exception), self.desk.lock:
            for part in self._parts:
                part.resend()

    def close(self) -> None:
        """End the stream and take the lab off the screen; the target stays."""
        self.stream.stop()
        self._pump.close()
        self.state_part.close()
        for part in self._parts:
            part.close()
        super().close()

    # -- without a browser ----

    def __repr__(self) -> str:
        return lab_text(self)

    def _repr_mimebundle_(self, **kwargs: Any) -> Any:
        """Add a static summary, for exports and places without widgets."""
        given = super()._repr_mimebundle_(**kwargs)
        data, metadata = given if isinstance(given, tuple) else (given, {})
        data = {**data, "text/plain": lab_text(self), "text/html": lab_html(self)}
        return data, metadata


# Labs by what they are over, as long as somebody holds them.
_LABS: weakref.WeakValueDictionary[str, Lab] = weakref.WeakValueDictionary()


def _key(target: Any) -> str:
    if target is None:
        return "none"
    if isinstance(target, Events):
        return f"events:{id(target)}"
    return "plugins:" + ":".join(str(p.path) for p in engine.plugins_of(target))


def _known(target: Any) -> bool:
    if target is None or isinstance(target, Events):
        return True
    return bool(engine.plugins_of(target)) or isinstance(
        getattr(target, "plugins", None), dict
    )


def lab(
    target: Any = None,
    *,
    sandbox: bool = False,
    sandbox_read: Iterable[str | os.PathLike[str]] = (),
    sandbox_network: bool = False,
) -> Lab:
    """Give the interactive workbench over a Plugin, a Workbench or Events.

    ``target``: None lets you pick a plugin in the lab. ``sandbox…``: as for ``load``,
    for plugins that are picked in the lab; beside a target that is in a sandbox they
    run in the same. Running the cell again gives the
    same lab, or, when the plugin was loaded anew, one with the same condition, rule,
    labels and rule set. Raises TypeError for anything else.
    """
    if not _known(target):
        kind = type(target).__name__
        raise TypeError(f"lab() takes a Plugin, a Workbench or Events, not {kind}")
    policy = sandbox_policy(sandbox, sandbox_read, network=sandbox_network)
    key = _key(target)
    before = _LABS.get(key)
    if before is not None and before.target is target and before.comm is not None:
        if policy is not None:
            before.plugin_part.options = policy.options
        return before
    made = Lab(target)
    if policy is not None:
        made.plugin_part.options = policy.options
    if before is not None:
        made.take_over(before)
    _LABS[key] = made
    return made
