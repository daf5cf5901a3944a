"""The rule form and what comes of it: alerts, YAML, diagnostics, tests."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from workbench.errors import WorkbenchError
from workbench.saving import save_text
from workbench.ui.data.error_card import error_text
from workbench.ui.state import condition_queries as queries
from workbench.ui.state import rule_queries
from workbench.ui.state.rule_draft import (
    Proposal,
    RuleDraft,
    fragment_state,
    nameable_fragments,
    propose_exception,
)
from workbench.ui.widgets.widgets import Editor, StateWidget

if TYPE_CHECKING:
    from workbench.rules import Rule
    from workbench.ui.state.model import LabModel

__all__ = ["RulePanel"]

_TEXTS = frozenset({"name", "desc", "output", "priority", "source", "tags"})
_MAX_FAILURES = 20


class RulePanel:
    """Keeps form, output editor and result panel in step with draft and model."""

    def __init__(self, model: LabModel) -> None:
        self.model = model
        self.draft = RuleDraft()
        self._filled_source = ""
        self.path = "my_rules.yaml"
        self.proposal: Proposal | None = None
        self.target: Any = None
        self.form = StateWidget(
            view="rule", state={"priorities": rule_queries.priority_keys()}
        )
        self.parts = StateWidget(view="parts")
        self.output = Editor(
            language="output",
            label="Output",
            placeholder="what to say, with %fields in it",
        )
        self.output_label = StateWidget(view="caption", state={"text": "Output"})
        self.result = StateWidget(view="result", state={"path": self.path})
        for part in (self.form, self.parts, self.output, self.result):
            part.lock = model.lock
        self.output.observe(self._on_output, ["text"])
        self.output.handle("complete", self.complete)
        for name, handler in (
            ("set", self._on_set),
            ("propose", self._on_propose),
            ("accept", self._on_accept),
            ("cancel_proposal", self._on_cancel),
            ("remove_exception", self._on_remove),
            ("extract", self._on_extract),
        ):
            (self.form if name == "set" else self.parts).handle(name, handler)
        self.result.handle("set", self._on_path)
        self.result.handle("save", self.save)

    # -- the form ----

    def take_target(self, target: Any) -> None:
        """Check against another plugin, bench or events."""
        self.target = target
        if self.model.source and self.draft.source != self.model.source:
            self.draft.source = self.model.source
        if not self.draft.output:
            names = [n for n, f in self.model.fields.items() if f.arg is None][:3]
            if names:
                shown = " ".join(f"{n.split('.')[-1]}=%{n}" for n in names)
                self.draft.output = f"Seen {shown}"
                self.output.set_text(self.draft.output)
        self.model.touch("rule")

    def take_rule(self, rule: Rule) -> str:
        """Fill the form from ``rule`` and give its condition."""
        self.draft.take(rule)
        self._fill_source()
        self.output.set_text(rule.output)
        self.model.touch("rule")
        condition: str = rule.condition
        return condition

    def _fill_source(self) -> None:
        """Take the source of the events where the draft has none, or Falco's default.

        Rules without a source are rules for system calls, which no plugin's events
        can match.
        """
        source = self.model.source
        if source and self.draft.source in {"", "syscall", self._filled_source}:
            self.draft.source = self._filled_source = source

    def take_draft(self, draft: RuleDraft, path: str) -> None:
        """Go on with a draft begun elsewhere."""
        self.draft, self.path = draft, path
        self.result.put(path=path)
        self.output.set_text(draft.output)
        self.model.touch("rule")

    def _on_set(self, key: str, value: Any) -> None:
        if key in _TEXTS:
            setattr(self.draft, key, str(value))
            self.model.touch("rule")

    def _on_output(self, change: Any) -> None:
        with self.model.lock:
            self.draft.output = str(change["new"])
            self.model.touch("rule")

    def complete(self, text: str, cursor: int, id: int = 0) -> None:  # noqa: A002 - the message's key
        """Send the fields that continue the ``%name`` before the cursor."""
        reply = queries.output_completions(text, cursor, self.model.fields)
        self.output.send({"do": "completions", "id": id, **reply})

    def _on_propose(self) -> None:
        chosen = self.model.selection[:200]
        if chosen:
            self.proposal = propose_exception(
                self.model.store, chosen, self.model.condition
            )
            self.parts.put(proposal=self.proposal.to_state())

    def _on_accept(self, name: str, fields: list[str]) -> None:
        if self.proposal is not None:
            self.draft.exceptions.append(self.proposal.exception(name, fields))
            self._on_cancel()
            self.model.touch("rule")

    def _on_cancel(self) -> None:
        self.proposal = None
        self.parts.put(proposal=None)

    def _on_remove(self, index: int) -> None:
        if 0 <= index < len(self.draft.exceptions):
            del self.draft.exceptions[index]
            self.model.touch("rule")

    def _on_extract(self, index: int, name: str) -> None:
        condition = self.model.condition
        found = nameable_fragments(condition)
        if 0 <= index < len(found) and name.strip():
            self.draft.name_fragment(name.strip(), found[index], condition)
            self.model.touch("rule")

    # -- saving ----

    def _on_path(self, key: str, value: str) -> None:
        if key == "path":
            self.path = str(value)

    def yaml(self) -> str:
        """Return the rules file of this rule alone, as it will be exported."""
        text: str = self.draft.rule_set(
            self.model.condition, self.rules_target
        ).to_yaml()
        return text

    @property
    def rules_target(self) -> Any:
        """What the rule is checked against: the events, else the target."""
        return self.model.events if self.model.events is not None else self.target

    def save(self, path: str | None = None) -> Path:
        """Write the rules file shown to ``path`` and give its absolute path."""
        target = Path(path or self.path).expanduser().resolve()
        if not target.suffix:
            target = target.with_suffix(".yaml")
        try:
            text = self.result.state.get("yaml") or self.yaml()
            save_text(target, text)
        except (OSError, WorkbenchError) as error:
            self.result.put(saved=f"Not saved: {error_text(error)}")
            raise
        self.path = str(path or self.path)
        self.result.put(saved=f"Saved to {target}", path=self.path)
        return target

    # -- showing ----

    def refresh(self, changes: set[str]) -> None:
        """Show what changed."""
        model, draft = self.model, self.draft
        if "source" in changes:
            self._fill_source()
        if changes & {"selection", "source"}:
            self.parts.put(selected=len(model.selection))
        if not changes & {"rule", "condition", "funnel", "source", "labels", "ended"}:
            return
        self.form.put(
            name=draft.name,
            desc=draft.desc,
            priority=draft.priority,
            source=draft.source,
            tags=draft.tags,
            sources=[model.source] if model.source else [draft.source or "syscall"],
        )
        self.parts.put(
            exceptions=[
                {"name": e.name, "text": rule_queries.exception_text(e)}
                for e in draft.exceptions
            ],
            parts=[
                fragment_state(fragment, model.condition)
                for fragment in nameable_fragments(model.condition)
            ],
        )
        if model.live and changes <= {"funnel"}:
            return
        self._show_result()

    def _show_result(self) -> None:
        model = self.model
        outputs: list[str] = []
        try:
            rules = self.draft.rule_set(model.condition, self.rules_target)
        except WorkbenchError as error:
            found = rule_queries.diagnostics_of(None, None, error_text(error))
            self.result.put(yaml="", diagnostics=found, outputs=[], tests=self._tests())
            return
        text = rules.to_yaml()
        diagnostics = rule_queries.diagnostics_of(rules, self.rules_target)
        output_error, alerts = "", None
        mask, events = model.matcher.mask, model.events
        if events is not None and mask is not None:
            outputs, output_error, alerts = rule_queries.preview(rules, events, mask)
        self.result.put(
            yaml=text,
            diagnostics=diagnostics,
            outputs=outputs,
            output_error=output_error,
            matches=alerts,
            tests=self._tests(),
        )

    def _tests(self) -> dict[str, Any]:
        model = self.model
        must = [n for n, verdict in model.labels.items() if verdict]
        mustnot = [n for n, verdict in model.labels.items() if not verdict]
        failures = []
        mask = model.matcher.mask
        if model.labels and mask is not None and len(mask):
            numbers = model.store.numbers[: len(mask)]
            for number, verdict in sorted(model.labels.items()):
                at = np.flatnonzero(numbers == np.uint64(number))
                if len(at) and bool(mask[at[0]]) is not verdict:
                    why = "must match, but does not" if verdict else "must not match"
                    failures.append(
                        {"position": int(at[0]), "num": str(number), "why": why}
                    )
        return {
            "must": len(must),
            "not": len(mustnot),
            "failures": failures[:_MAX_FAILURES],
        }
