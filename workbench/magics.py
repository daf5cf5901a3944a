"""Cell magics: ``%%condition``, ``%%rule``, ``%%rules``, ``%%plugin``.

Each reads options from its line and the text from its cell, calls one function, and
shows the result. Complaints are shown with a caret under the text they are about and
without a traceback. Conditions are completed through IPython's matcher interface.
"""

from __future__ import annotations

import atexit
import re
import sys
from typing import TYPE_CHECKING, Any
from weakref import WeakKeyDictionary

from IPython.core.error import UsageError
from IPython.core.magic import Magics, line_cell_magic, magics_class
from IPython.display import display

from workbench.diagnostics import render_diagnostics
from workbench.errors import ConditionError, RulesError, WorkbenchError
from workbench.magic_completion import matcher
from workbench.magic_options import (
    condition_parser,
    parsed_options,
    plugin_parser,
    rules_parser,
)

if TYPE_CHECKING:
    import argparse
    from collections.abc import Callable

    from workbench.diagnostics import Diagnostic
    from workbench.events.events import Events
    from workbench.rules import Alerts
    from workbench.rules.ruleset import RuleSet

__all__ = ["WorkbenchMagics", "register"]

_NAMES = ("condition", "plugin", "rule", "rules")
_HELP = re.compile(rf"\s*%%({'|'.join(_NAMES)})\b([^\n]*(?:-h|--help)\b[^\n]*)\n*\Z")


def _complain(text: str) -> None:
    """Write a complaint to standard error, without a traceback."""
    sys.stderr.write(text.rstrip("\n") + "\n")


@magics_class
class WorkbenchMagics(Magics):
    """The magics of one shell."""

    # Builds the plugin cells; made when first needed.
    _cell: Any = None

    def __init__(self, shell: Any) -> None:
        """Serve ``shell``."""
        super().__init__(shell)
        # Rule set → cell → the text that it added.
        self._added: WeakKeyDictionary[RuleSet, dict[Any, str]] = WeakKeyDictionary()

    # -- finding things ----------------------------------------------------------

    def _variable(self, name: str) -> Any:
        space = self.shell.user_ns
        if name not in space:
            raise UsageError(f"there is no variable {name!r}")
        return space[name]

    def _only(self, kinds: tuple[type, ...], what: str) -> Any:
        """Return the only object of its kind among the user's variables."""
        space = self.shell.user_ns
        found = {
            id(value): name
            for name, value in space.items()
            if isinstance(value, kinds) and not name.startswith("_")
        }
        if len(found) != 1:
            names = ", ".join(sorted(found.values())) or "none"
            raise UsageError(f"name the {what} on the magic's line (found: {names})")
        return space[next(iter(found.values()))]

    def _events(self, name: str | None) -> Events:
        from workbench.events.events import Events

        usual = self.shell.user_ns.get("events")
        if name is None and isinstance(usual, Events):
            return usual
        value = self._variable(name) if name else self._only((Events,), "events")
        if not isinstance(value, Events):
            kind = type(value).__name__
            raise UsageError(f"{name} is of type {kind}; capture() returns Events")
        return value

    def _held_rules(self, name: str) -> RuleSet:
        from workbench.rules.ruleset import RuleSet

        value = self._variable(name)
        if not isinstance(value, RuleSet):
            kind = type(value).__name__
            raise UsageError(
                f"{name} is of type {kind}; load_rules() returns a RuleSet"
            )
        return value

    def _target(self, name: str | None) -> Any:
        from workbench.events.events import Events
        from workbench.plugins.plugin import Plugin
        from workbench.plugins.workbench import Workbench

        if name:
            return self._variable(name)
        usual = self.shell.user_ns.get("events")
        if isinstance(usual, Events):
            return usual
        for kinds, what in (((Events,), "events"), ((Plugin, Workbench), "plugin")):
            try:
                return self._only(kinds, what)
            except UsageError:
                continue
        return None

    # -- %%condition ---------------------------------------------------------------

    @line_cell_magic
    def condition(self, line: str, cell: str | None = None) -> None:
        """Evaluate a condition over events; see ``%%condition -h``."""
        if cell is None and line.strip() and not line.strip().startswith("-"):
            line, cell = self._apart(line.strip())
        parser = condition_parser()
        options = parsed_options(parser, line)
        if options is None:
            return
        if cell is None:
            raise UsageError(
                "write the condition behind %condition, or in the lines below "
                "%%condition"
            )
        events = self._events(options.events)
        text = cell.strip("\n")
        if (
            options.rules
            and text.strip() in self._held_rules(options.rules).rules.keys()  # noqa: SIM118 - names, not items
        ):
            text = text.strip()
        try:
            self._show_condition(events, text, options)
        except ConditionError as error:
            _complain(_condition_complaint(error, text))
        except (WorkbenchError, KeyError) as error:
            _complain(str(error))

    def _apart(self, line: str) -> tuple[str, str]:
        """Return the events named first in ``%condition`` on one line, and the rest."""
        from workbench.events.events import Events

        first, _, rest = line.partition(" ")
        named = rest.strip() and isinstance(self.shell.user_ns.get(first), Events)
        return (first, rest.strip()) if named else ("", line)

    def _show_condition(
        self, events: Events, text: str, options: argparse.Namespace
    ) -> None:
        from workbench.condition import compile_condition

        rules = self._held_rules(options.rules) if options.rules else None
        if rules is None:
            compiled = compile_condition(text, events.fields)
        else:
            compiled = rules.compile_condition(text, events)
        if compiled.warnings and not compiled.rule:
            _complain(render_diagnostics(compiled.warnings, text))
        matches = events.where(compiled)
        if options.output:
            self.shell.user_ns[options.output] = matches
        share = f" ({100 * len(matches) / len(events):.2g} %)" if len(events) else ""
        print(f"{len(matches):,} of {len(events):,} events match{share}")  # noqa: T201 - a magic prints
        if not options.no_funnel:
            display(events.funnel(compiled))
        if options.near:
            display(events.near_misses(compiled))
        if options.explain is not None:
            display(events.explain(options.explain, compiled, rules=rules))
        if options.rows > 0 and len(matches):
            display(matches[: options.rows].frame)

    # -- %%rule, %%rules -------------------------------------------------------------

    @line_cell_magic
    def rule(self, line: str, cell: str | None = None) -> None:
        """Check one rule and run it on events; see ``%%rule -h``."""
        self._rules("rule", line, cell)

    @line_cell_magic
    def rules(self, line: str, cell: str | None = None) -> None:
        """Check rules and run them on events; see ``%%rules -h``."""
        self._rules("rules", line, cell)

    def _rules(self, name: str, line: str, cell: str | None) -> None:
        options = parsed_options(rules_parser(name), line)
        if options is None:
            return
        if cell is None:
            raise UsageError(f"use %%{name}, with YAML in the lines below")
        text = _as_items(cell) if name == "rule" else cell
        try:
            self._show_rules(name, text, options)
        except RulesError as error:
            found = render_diagnostics(error.diagnostics) or str(error)
            _complain(found)
        except WorkbenchError as error:
            _complain(str(error))

    def _show_rules(self, name: str, text: str, options: argparse.Namespace) -> None:
        from workbench.events.events import Events
        from workbench.rules import parse_rules

        target = self._target(options.target)
        own = parse_rules(text)
        named = own.named_items()
        first = [item for kind, item in named if kind == "rule"]
        if name == "rule" and len(first) != 1:
            raise UsageError(
                f"%%rule takes one rule, but found {len(first)}; use %%rules"
            )
        if options.rules:
            rules = self._held_rules(options.rules)
            known = {(d.code, d.message) for d in rules.check(target).errors}
            undo = self._amend(rules, text, named)
        else:
            rules, undo, known = own, None, set()
        found = list(rules.check(target)) if target is not None else []
        if options.rules:
            # What was wrong before is not this cell's matter.
            found = [
                item
                for item in found
                if _concerns(item, named) and (item.code, item.message) not in known
            ]
        if found:
            _complain(render_diagnostics(found))
        if any(item.severity == "error" for item in found):
            if undo is not None:
                undo()
                _complain(f"{options.rules} stays as it was")
            return
        kept = rules.rules[first[0]] if name == "rule" else rules
        self.shell.user_ns[options.output] = kept
        if options.save:
            rules.save(options.save)
            print(f"saved to {options.save}")  # noqa: T201 - a magic prints
        if isinstance(target, Events):
            alerts = rules.run(target, all_matches=options.all_matches)
            ran = [rule for rule in first if rule in alerts.matched]
            matched = [rule for rule, number in alerts.matched.items() if number]
            shown = ran if options.rules and ran else matched
            self._show_alerts(alerts, shown, options.rows)

    def _show_alerts(self, alerts: Alerts, shown: list[str], rows: int) -> None:
        """Print what became of some rules, and their first alerts."""
        hidden = alerts.hidden
        for rule in shown:
            count = alerts.counts[rule]
            earlier = ", ".join(
                f"{number:,} by {name}" for name, number in hidden.get(rule, {}).items()
            )
            more = f" ({alerts.matched[rule]:,} matched; hidden: {earlier})"
            print(f"{count:,} alerts: {rule}{more if earlier else ''}")  # noqa: T201 - a magic prints
        if rows > 0:
            frame = alerts.of(shown).head(rows).frame
            if len(frame):
                display(frame)

    def _amend(
        self, rules: RuleSet, text: str, named: list[tuple[str, str]]
    ) -> Callable[[], Any]:
        """Put a cell's items into a rule set; return what undoes it."""
        added = self._added.setdefault(rules, {})
        cell = _cell_id(self.shell) or frozenset(named)
        before = added.get(cell, "")
        rules.amend(text, instead_of=before)
        added[cell] = text

        def undo() -> None:
            rules.amend(before, instead_of=text)
            added[cell] = before

        return undo

    # -- %%plugin ----------------------------------------------------------------------

    @line_cell_magic
    def plugin(self, line: str, cell: str | None = None) -> None:
        """Compile and load a plugin; see ``%%plugin -h``."""
        options = parsed_options(plugin_parser(), line)
        if options is None:
            return
        if cell is None:
            raise UsageError("use %%plugin, with the source code in the lines below")
        from workbench.authoring.builder import BuildError

        if not options.name.isidentifier():
            raise UsageError(f"%%plugin: {options.name!r} cannot name a variable")
        try:
            result = self._plugin_cell().run(
                options.language,
                options.name,
                cell,
                config=options.config,
                params=options.open,
                max_events=options.events,
                sandbox=options.sandbox,
                sandbox_read=options.sandbox_read,
                sandbox_network=options.sandbox_network,
            )
        except BuildError as error:
            _complain(_build_complaint(error, cell))
            return
        except WorkbenchError as error:
            _complain(str(error))
            return
        self.shell.user_ns[options.name] = result.plugin
        if options.output:
            self.shell.user_ns[options.output] = result.events
        display(result)

    def _plugin_cell(self) -> Any:
        """Return what builds this shell's plugin cells."""
        if self._cell is None:
            from workbench.authoring.notebook_cell import PluginCell

            self._cell = PluginCell()
            atexit.register(self._cell.forget)
        return self._cell


def _cell_id(shell: Any) -> str | None:
    """Return what JupyterLab calls the cell that runs; None elsewhere."""
    parent = getattr(shell, "parent_header", None) or {}
    metadata = parent.get("metadata") if isinstance(parent, dict) else None
    found = metadata.get("cellId") if isinstance(metadata, dict) else None
    return found if isinstance(found, str) else None


def _concerns(item: Diagnostic, named: list[tuple[str, str]]) -> bool:
    """Whether a diagnostic is about one of the named items."""
    return item.severity == "error" or any(
        text == f"{kind} {name}" or f"{kind} {name}" in text.partition(", used by ")[2]
        for text in item.context
        for kind, name in named
    )


def _build_complaint(error: Any, cell: str) -> str:
    """Return the compiler's messages at the lines of the cell, magic line included."""
    lines = cell.splitlines()
    shown = []
    for item in error.diagnostics or ():
        text = f"{item.severity}: {item.message}"
        if item.line and item.line <= len(lines):
            shown.append(f"line {item.line + 1}: {text}\n    {lines[item.line - 1]}")
        else:
            shown.append(f"{item.file}: {text}")
    return "\n".join(shown) or str(error)


def _as_items(text: str) -> str:
    """Put a rule written without its leading dash into a list."""
    lines = text.splitlines()
    first = next((at for at, row in enumerate(lines) if _is_key(row)), None)
    if first is None or lines[first].lstrip().startswith("-"):
        return text
    return "\n".join(
        row if at < first else ("- " if at == first else "  ") + row
        for at, row in enumerate(lines)
    )


def _is_key(row: str) -> bool:
    return bool(row.strip()) and not row.lstrip().startswith("#")


def _condition_complaint(error: ConditionError, text: str) -> str:
    """Return all complaints about a condition, each with a caret."""
    if error.diagnostics:
        return render_diagnostics(error.diagnostics, text)
    return str(error)


# -- completion and help -----------------------------------------------------------


def _help_first(lines: list[str]) -> list[str]:
    """Turn ``%%name -h`` without a body into the line magic, so that it works."""
    found = _HELP.match("".join(lines))
    return [f"%{found[1]}{found[2]}\n"] if found else lines


def register(shell: Any) -> None:
    """Add the magics, their help and their completion to an IPython shell."""
    shell.register_magics(WorkbenchMagics(shell))
    transforms = shell.input_transformers_cleanup
    if _help_first not in transforms:
        transforms.append(_help_first)
        shell.Completer.custom_matchers.append(matcher(shell))
