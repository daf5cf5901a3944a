"""``wb.rules_from_sigma``: files of Sigma rules → a RuleSet, and what was left out."""

from __future__ import annotations

import os
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, Self

from workbench.arguments import Kind, takes
from workbench.diagnostics import Diagnostic
from workbench.errors import RulesError
from workbench.formatting.printable import printable
from workbench.rules.loading.files import parse_file
from workbench.rules.model.diagnostic_list import DiagnosticList
from workbench.rules.ruleset import RuleSet
from workbench.sigma.documents import files_of, read_documents
from workbench.sigma.faults import Inexpressible
from workbench.sigma.sources import SigmaSource, source_of

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable

    from workbench.rules.model.model import Rule
    from workbench.sigma.documents import SigmaDocument

__all__ = ["SigmaRules", "rules_from_sigma"]

_FILES = Kind("a path (a text or a Path)", lambda v: isinstance(v, str | os.PathLike))
_INSTALL = "pip install 'falco-plugin-workbench[sigma]'"
_MAX_FILES_SHOWN = 5
_COUNTING = "a counting plugin gives such a field: workbench new DIR --template counter"


class SigmaRules(RuleSet):
    """Rules made from Sigma's. ``diagnostics``: what was left out, and what to know.

    An error stands for a construct that Falco cannot express; its rule is left out.
    """

    diagnostics: DiagnosticList

    @classmethod
    def made_of(
        cls, items: Iterable[Rule], diagnostics: Iterable[Diagnostic], name: str
    ) -> Self:
        """Hold ``items``, as the text of a file called ``name``."""
        text = "\n".join(item.to_yaml() for item in items)
        rules = cls([parse_file(text.encode(), name)])
        rules.diagnostics = DiagnosticList(diagnostics)
        return rules

    def __reduce__(self) -> tuple[Any, ...]:
        """Travel as any RuleSet, with the diagnostics."""
        rebuild, parts = super().__reduce__()
        return _rebuilt, (rebuild, parts, list(self.diagnostics))


def _rebuilt(
    rebuild: Callable[..., RuleSet], parts: tuple[Any, ...], found: list[Diagnostic]
) -> SigmaRules:
    rules = SigmaRules()
    vars(rules).update(vars(rebuild(*parts)), diagnostics=DiagnosticList(found))
    return rules


@takes(paths=_FILES)
def rules_from_sigma(
    *paths: str | os.PathLike[str], source: Any, pipeline: Any = None
) -> SigmaRules:
    """Return Falco rules that mean what Sigma rules mean, for one event source.

    ``paths``: files of Sigma rules, or folders of them. ``source``: aws_cloudtrail,
    k8s_audit, okta, github or gcp_auditlog; for others, and for the fields of the very
    plugin, a Plugin or Events. ``pipeline``: a ProcessingPipeline of pySigma, or the
    path of one in YAML, that maps further names; it runs before that of the source.

    A rule with a construct that Falco cannot express is left out, never changed: each
    is an error in ``.diagnostics``. Texts are compared without regard to case (ASCII),
    ``re`` is found anywhere in a value, an absent field matches nothing but null.
    Raises RulesError, with all of them in ``.diagnostics``, for files that are not
    Sigma at all; and where pySigma is missing.
    """
    try:
        import sigma  # noqa: F401
    except ImportError:
        raise RulesError(
            f"Sigma rules are read with pySigma, which is not installed: {_INSTALL}"
        ) from None
    from workbench.sigma.pipelines import whole_pipeline

    if not paths:
        raise RulesError("name at least one file of Sigma rules")
    known = source_of(source)
    items = whole_pipeline(known, pipeline)
    documents: list[SigmaDocument] = []
    faults: list[Diagnostic] = []
    for path in (inner for given in paths for inner in files_of(given)):
        found = read_documents(path)
        if isinstance(found, Diagnostic):
            faults.append(found)
        else:
            documents += found
    if faults:
        raise _refused(faults)
    importer = _Importer(known, items)
    importer.take(documents)
    name = f"{known.name}_sigma_rules.yaml"
    return SigmaRules.made_of(importer.rules, importer.diagnostics, name)


def _refused(faults: list[Diagnostic]) -> RulesError:
    lines = [str(fault) for fault in faults[:_MAX_FILES_SHOWN]]
    if len(faults) > _MAX_FILES_SHOWN:
        lines.append(f"… and {len(faults) - _MAX_FILES_SHOWN} more; see .diagnostics")
    noun = "file is" if len(faults) == 1 else "files are"
    text = "\n".join(f"  {line}" for line in lines)
    return RulesError(
        f"{len(faults)} {noun} not Sigma:\n{text}", diagnostics=DiagnosticList(faults)
    )


@dataclass(slots=True)
class _Importer:
    """Converts documents one after the other. Needs pySigma."""

    source: SigmaSource
    pipeline: Any
    rules: list[Rule] = field(default_factory=list)
    diagnostics: list[Diagnostic] = field(default_factory=list)
    names: dict[str, str] = field(default_factory=dict)

    def take(self, documents: list[SigmaDocument]) -> None:
        """Convert every document; what cannot be becomes a diagnostic."""
        parts = _parts_of_correlations(documents)
        for document in documents:
            try:
                _check_kind(document, parts)
                self._convert(document)
            except Inexpressible as fault:
                self._note(document, fault)

    def _note(
        self,
        document: SigmaDocument,
        fault: Inexpressible,
        severity: Any = "error",
        field: str = "",
    ) -> None:
        title = printable(
            str(document.data.get("title") or "without a title"), limit=200
        )
        self.diagnostics.append(
            Diagnostic(
                severity,
                fault.code,
                printable(fault.reason, limit=600),
                document.file,
                document.line_of(field or fault.field),
                None,
                printable(fault.hint, limit=400) or None,
                context=(f"rule {title}",),
            )
        )

    def _convert(self, document: SigmaDocument) -> None:
        from sigma.exceptions import SigmaError
        from sigma.rule import SigmaRule

        from workbench.sigma.policy import reading_policy

        self._check_text(document)
        try:
            rule = SigmaRule.from_dict(document.data, policy=reading_policy())
            self._check_source(rule)
            self._write(rule, document)
        except (SigmaError, RecursionError) as error:
            reason = str(error) or type(error).__name__
            raise Inexpressible(
                "sigma-rule", f"the rule is not valid: {reason}"
            ) from None
        except (TypeError, AttributeError, KeyError, ValueError) as error:
            if isinstance(error, Inexpressible):
                raise
            # pySigma checks less than everything of what strangers write
            reason = f"pySigma cannot read the rule: {type(error).__name__}: {error}"
            raise Inexpressible("sigma-rule", reason) from None

    @staticmethod
    def _check_text(document: SigmaDocument) -> None:
        """Raise Inexpressible for aggregations of old rules."""
        detection = document.data.get("detection")
        if not isinstance(detection, dict):
            raise Inexpressible("sigma-rule", "the detection is not a mapping")
        given = detection.get("condition")
        conditions = given if isinstance(given, list) else [given]
        if any(isinstance(text, str) and "|" in text for text in conditions) or (
            "timeframe" in detection
        ):
            raise Inexpressible(
                "sigma-aggregation",
                "the condition counts events within a time; Falco decides every event "
                "alone",
                _COUNTING,
                field="condition",
            )

    def _check_source(self, rule: Any) -> None:
        """Raise Inexpressible for a rule about other events."""
        product = (rule.logsource.product or "").lower()
        service = (rule.logsource.service or "").lower()
        aside = self.source.aside.get(service)
        if aside is not None:
            raise Inexpressible("sigma-logsource", aside, field="logsource")
        fitting = self.source.logsources
        if not fitting or not (product or service):
            return
        if any(
            product in ("", wanted) and (service in ("", special) or not special)
            for wanted, special in fitting
        ):
            return
        shown = " ".join(part for part in (product, service) if part)
        raise Inexpressible(
            "sigma-logsource",
            f"the rule is about {shown}, not about events of {self.source.name}",
            "choose the source that its logsource names",
            field="logsource",
        )

    def _write(self, rule: Any, document: SigmaDocument) -> None:
        from workbench.sigma.backend import FalcoBackend
        from workbench.sigma.rule_text import falco_rule

        before = list(document.lines)
        self.pipeline.apply(rule)
        backend = FalcoBackend(
            self.source.fields, self.pipeline, mapping=self.source.mapping
        )
        texts = [
            backend.convert_condition(condition.parsed, _state())
            for condition in rule.detection.parsed_condition
        ]
        texts = [text for text in texts if text is not None]
        if backend.faults:
            seen: set[tuple[str, str]] = set()
            for fault in backend.faults:
                if (fault.code, fault.reason) not in seen:
                    seen.add((fault.code, fault.reason))
                    self._note(document, fault, field=self._written(fault, before))
            return
        if not texts:
            raise Inexpressible("sigma-rule", "the pipeline left nothing of the rule")
        whole = texts[0] if len(texts) == 1 else " or ".join(f"({t})" for t in texts)
        shown = [
            f for f in rule.fields or () if f.partition("[")[0] in self.source.fields
        ]
        name = self._name(rule, document)
        made = falco_rule(
            rule, whole, self.source.name, name=name, fields=[*backend.used, *shown]
        )
        self.rules.append(made)
        self._remarks(rule, document, backend.used)

    def _written(self, fault: Inexpressible, words: list[str]) -> str:
        """Return how the rule itself writes the field of a fault."""
        names = {
            theirs
            for theirs, ours in self.source.mapping.items()
            if ours == fault.field
        }
        return next((w for w in words if w.partition("|")[0] in names), fault.field)

    def _name(self, rule: Any, document: SigmaDocument) -> str:
        """Return a name that no other rule has: a second one would redefine it."""
        title = (
            printable(" ".join(str(rule.title or "").split()), limit=200)
            or "Sigma rule"
        )
        name, number = title, 1
        while name in self.names:
            number += 1
            name = f"{title} ({number})"
        if name != title:
            reason = (
                f"the title is that of a rule in {self.names[title]}: named {name!r}"
            )
            self._note(
                document, Inexpressible("sigma-title", reason), "warning", "title"
            )
        self.names[name] = document.file
        return name

    def _remarks(self, rule: Any, document: SigmaDocument, used: Iterable[str]) -> None:
        """Note what does not change the rule's meaning, but is worth knowing."""
        if str(rule.status or "").lower() in ("deprecated", "unsupported"):
            reason = f"the rule is {str(rule.status).lower()}: it is switched off"
            self._note(
                document, Inexpressible("sigma-status", reason), "warning", "status"
            )
        paths = [name for name in used if name.startswith("json.value[")]
        if paths:
            fault = Inexpressible(
                "sigma-json",
                f"{', '.join(paths)}: read by the json plugin, to be loaded too; a "
                "path does not look into lists",
            )
            self._note(document, fault, "hint", "detection")


def _state() -> Any:
    from sigma.conversion.state import ConversionState

    return ConversionState()


def _parts_of_correlations(documents: list[SigmaDocument]) -> set[str]:
    """Return names and ids of rules that only correlations use."""
    found: set[str] = set()
    for document in documents:
        about = document.data.get("correlation")
        if isinstance(about, dict) and about.get("generate") is not True:
            named = about.get("rules")
            found |= {str(n) for n in (named if isinstance(named, list) else [named])}
    return found - {"None"}


def _check_kind(document: SigmaDocument, parts: set[str]) -> None:
    """Raise Inexpressible for what is no rule by itself.

    ``parts``: names and ids of rules that only correlations use.
    """
    data = document.data
    if "correlation" in data:
        raise Inexpressible(
            "sigma-correlation",
            "a correlation counts or orders several events; Falco decides every event "
            "alone",
            _COUNTING,
            field="correlation",
        )
    if "filter" in data or "action" in data:
        kind = "filter" if "filter" in data else "action"
        raise Inexpressible(
            "sigma-document",
            f"a document with {kind} changes others; it is not converted, and rules "
            "that need it would mean something else",
            "write what it adds into the rules",
            field=kind,
        )
    if {str(data.get("name")), str(data.get("id"))} & parts:
        raise Inexpressible(
            "sigma-correlation",
            "the rule is part of a correlation, and no rule by itself",
            "generate: true in the correlation makes it one",
        )
