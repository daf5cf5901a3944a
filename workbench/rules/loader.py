"""Files in order → collection, compilation, and the verdict on each file.

The engine stops at the first error of a file, and its verdicts depend on that: what a
broken file defined before its error stays. So loading runs over the files as the engine
does, for verdicts, and, when something is wrong, once more going on after errors, for
all complaints.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from functools import partial
from typing import TYPE_CHECKING, Any

from workbench.rules.compiling.compiled import Compilation
from workbench.rules.compiling.compiler import compile_all
from workbench.rules.linting.requirements import unmet_requirements
from workbench.rules.loading.collector import Collector
from workbench.rules.loading.files import without_cycle_collector
from workbench.rules.loading.reader import read_file
from workbench.rules.loading.schema import schema_warnings
from workbench.rules.model.diagnostics_sink import DiagnosticSink

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from workbench.rules.compiling.output_stage import OutputAdditions
    from workbench.rules.loading.files import RulesFile
    from workbench.rules.model.rule_diagnostic import RuleDiagnostic
    from workbench.rules.target.target import Target

__all__ = ["FileResult", "Loaded", "load"]


@dataclass(slots=True)
class FileResult:
    """The engine's verdict on one file."""

    name: str
    successful: bool
    errors: list[RuleDiagnostic]
    warnings: list[RuleDiagnostic]
    schema: list[str] | None

    def engine_json(self, errors: list[RuleDiagnostic] | None = None) -> dict[str, Any]:
        """Return the engine's object; ``errors``: instead of the first one alone."""
        data: dict[str, Any] = {
            "name": self.name,
            "successful": self.successful,
            "errors": [
                p.engine_json() for p in (self.errors if errors is None else errors)
            ],
            "warnings": [p.engine_json() for p in self.warnings],
        }
        if self.schema is not None:
            data["schema_valid"] = not self.schema
            data["schema_warnings"] = self.schema
        return data


@dataclass(slots=True)
class Loaded:
    """What loading made.

    ``results``: the engine's verdict per file. ``diagnostics``: all of them, in file
    order. ``collector``, ``compilation``: the final state, going on after errors.
    ``requirements``: unmet plugin requirements, which end the engine's program.
    """

    results: list[FileResult]
    diagnostics: list[RuleDiagnostic]
    collector: Collector
    compilation: Compilation

    requirements: list[RuleDiagnostic] = field(default_factory=list)

    @property
    def successful(self) -> bool:
        """Whether the engine accepts every file and requirement."""
        return not self.requirements and all(r.successful for r in self.results)

    def engine_json(self) -> list[dict[str, Any]]:
        """Return the engine's result per file, with every error, not just the first."""
        found = []
        for result in self.results:
            errors = list(result.errors)
            if errors:
                known = {(p.code, p.message, _last_position(p)) for p in errors}
                errors += [
                    p
                    for p in self.diagnostics
                    if p.severity == "error"
                    and p.code.startswith("LOAD_")
                    and p.location.source_point().source.name == result.name
                    and (p.code, p.message, _last_position(p)) not in known
                ]
            data = result.engine_json(errors)
            for unmet in self.requirements:
                if unmet.location.source_point().source.name == result.name:
                    data["successful"] = False
                    data["errors"].append(unmet.engine_json())
            found.append(data)
        return found


@without_cycle_collector()
def load(
    files: Sequence[RulesFile],
    target: Target | None,
    *,
    least_priority: int = 7,
    additions: OutputAdditions | None = None,
) -> Loaded:
    """Load files in order: the engine's verdicts, and all complaints."""
    compile_into = partial(
        compile_all, least_priority=least_priority, additions=additions, cache={}
    )
    collector, compilation, results = _as_the_engine(files, target, compile_into)
    if all(result.successful for result in results):
        found = results[-1].warnings if results else []
    else:
        everything = DiagnosticSink(stop_at_first=False)
        collector = Collector(everything, target)
        for file in files:
            if file.fault is not None:
                everything.diagnostics.append(file.fault)
            else:
                read_file(file.source, file.documents, everything, collector)
        compilation = compile_into(collector, everything)
        found = everything.diagnostics
    unmet = unmet_requirements(collector.plugins, target)
    diagnostics = [*_merged(found, results), *unmet]
    return Loaded(results, diagnostics, collector, compilation, unmet)


def _as_the_engine(
    files: Sequence[RulesFile],
    target: Target | None,
    compile_into: Callable[[Collector, DiagnosticSink], Compilation],
) -> tuple[Collector, Compilation, list[FileResult]]:
    """Load one file after the other, each up to its first error."""
    collector = Collector(DiagnosticSink(stop_at_first=True), target)
    compilation = Compilation()
    results = []
    for file in files:
        name = file.source.name
        if file.fault is not None:
            results.append(FileResult(name, False, [file.fault], [], None))
            continue
        sink = collector.sink = DiagnosticSink(stop_at_first=True)
        read_file(file.source, file.documents, sink, collector)
        if not sink.error_count:
            compilation = compile_into(collector, sink)
        successful = not sink.error_count
        schema = schema_warnings(file.documents)
        errors, warnings = sink.of("error"), sink.of("warning")
        results.append(FileResult(name, successful, errors, warnings, schema))
    return collector, compilation, results


def _last_position(diagnostic: RuleDiagnostic) -> tuple[int, int]:
    position = diagnostic.location.chain()[-1].engine_json()["position"]
    return position["line"], position["column"]


def _merged(
    found: list[RuleDiagnostic], results: list[FileResult]
) -> list[RuleDiagnostic]:
    """Join both runs: the engine's complaints that the second run did not make too."""
    known = {(p.code, p.message) for p in found}
    merged = list(found)
    for result in results:
        for diagnostic in [*result.errors, *result.warnings]:
            # unused items of a file may be used by a later one
            if diagnostic.code in ("LOAD_UNUSED_MACRO", "LOAD_UNUSED_LIST"):
                continue
            if (diagnostic.code, diagnostic.message) not in known:
                known.add((diagnostic.code, diagnostic.message))
                merged.append(diagnostic)
    return merged
