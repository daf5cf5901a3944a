"""Files in order → collection, compilation, and the verdict on each file.

The engine stops at the first error of a file, and its verdicts depend on that: what a
broken file defined before its error stays. So loading runs over the files as the engine
does, for verdicts, and, when something is wrong, once more going on after errors, for
all complaints.
"""

from __future__ import annotations

import contextlib
import gc
import os
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Any

from workbench.rules.compiling.compiled import Compilation
from workbench.rules.compiling.compiler import compile_all
from workbench.rules.linting.requirements import requirement_problems
from workbench.rules.loading.collector import Collector
from workbench.rules.loading.reader import read_file
from workbench.rules.loading.schema import schema_warnings
from workbench.rules.model.diagnostics_sink import DiagnosticSink
from workbench.rules.model.locations import Location, RuleDiagnostic
from workbench.yamlcpp import SourceText, YamlError, load_documents

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

    from workbench.rules.compiling.output_stage import OutputAdditions
    from workbench.rules.target.target import Target
    from workbench.yamlcpp import Node

__all__ = ["MAX_FILE_BYTES", "FileResult", "Loaded", "RulesFile", "load", "read_path"]

# No rules file is anywhere near this; more would only exhaust memory.
MAX_FILE_BYTES = 32 << 20

_YAML = "LOAD_ERR_YAML_PARSE"


@dataclass(slots=True)
class RulesFile:
    """A file as read. ``fault``: why it could not be read or parsed at all."""

    source: SourceText
    documents: list[Node] = field(default_factory=list)
    fault: RuleDiagnostic | None = None


@dataclass(slots=True)
class FileResult:
    """The engine's verdict on one file."""

    name: str
    successful: bool
    errors: list[RuleDiagnostic]
    warnings: list[RuleDiagnostic]
    schema: list[str] | None

    def engine_json(self, errors: list[RuleDiagnostic] | None = None) -> dict[str, Any]:
        """Give the engine's object; ``errors``: in place of the first one alone."""
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
    """What loading gave.

    ``results``: the engine's verdict per file. ``problems``: every complaint, in file
    order. ``collector``, ``compilation``: the final state, going on after errors.
    ``requirements``: unmet plugin requirements, which end the engine's program.
    """

    results: list[FileResult]
    problems: list[RuleDiagnostic]
    collector: Collector
    compilation: Compilation

    requirements: list[RuleDiagnostic] = field(default_factory=list)

    @property
    def successful(self) -> bool:
        """Say whether the engine accepts every file and requirement."""
        return not self.requirements and all(r.successful for r in self.results)

    def engine_json(self) -> list[dict[str, Any]]:
        """Give the engine's result per file, with every error instead of the first."""
        found = []
        for result in self.results:
            errors = list(result.errors)
            if errors:
                known = {(p.code, p.message, _last_position(p)) for p in errors}
                errors += [
                    p
                    for p in self.problems
                    if p.severity == "error"
                    and p.code.startswith("LOAD_")
                    and p.place.spot().source.name == result.name
                    and (p.code, p.message, _last_position(p)) not in known
                ]
            data = result.engine_json(errors)
            for unmet in self.requirements:
                if unmet.place.spot().source.name == result.name:
                    data["successful"] = False
                    data["errors"].append(unmet.engine_json())
            found.append(data)
        return found


@contextlib.contextmanager
def _without_collector() -> Iterator[None]:
    """Pause the collector of cycles: nothing of what loading makes is garbage yet."""
    if not gc.isenabled():
        yield
        return
    gc.disable()
    try:
        yield
    finally:
        gc.enable()


@_without_collector()
def parse_file(raw: bytes, name: str) -> RulesFile:
    """Parse the bytes of one file."""
    source = SourceText(raw, name)
    parsed = RulesFile(source)
    if len(raw) > MAX_FILE_BYTES:
        parsed.fault = RuleDiagnostic(
            "error",
            "LOAD_ERR_FILE_READ",
            f"the file has {len(raw):,} bytes, more than {MAX_FILE_BYTES:,}",
            Location(source, 0),
            "split the rules over several files",
        )
        return parsed
    try:
        parsed.documents = load_documents(source)
    except YamlError as error:
        row, column = source.row_column(error.pos)
        if error.at_end:
            column = 0
        place = Location(source, 0)
        parsed.fault = RuleDiagnostic(
            "error",
            _YAML,
            f"yaml-cpp: error at line {row + 1}, column {column + 1}: {error.reason}",
            Location(source, error.pos, "value for", "", place, error.at_end),
            _yaml_hint(error.reason, source),
        )
    return parsed


def _yaml_hint(reason: str, source: SourceText) -> str:
    if b"\0" in source.data[:4096]:
        return "this is a binary file, not YAML"
    hints = {
        "illegal map value": "quote the text before: ': ' begins a mapping",
        "illegal tab when looking for indentation": "indent with spaces, not tabs",
        "end of sequence not found": "indent all items alike and begin each with '- '",
        "end of map not found": "indent all keys of an item alike",
        "unknown token": "quote texts that begin with % @ ` & * or !",
        "illegal block entry": "a sequence item begins on its own line",
    }
    return hints.get(reason, "correct the YAML at this place")


def read_path(path: str | os.PathLike[str]) -> RulesFile:
    """Read and parse a file; what goes wrong becomes its ``fault``."""
    name = os.fspath(path)
    message = hint = None
    raw = b""
    try:
        found = Path(path)
        if found.is_dir():
            message = f"{name} is a directory without rules files (.yaml, .yml)"
            hint = "name a rules file"
        elif found.exists() and not found.is_file():
            message = f"{name} is not a regular file"
            hint = "copy its content to a file first"
        else:
            with found.open("rb") as stream:
                raw = stream.read(MAX_FILE_BYTES + 1)
    except (OSError, ValueError) as error:
        reason = getattr(error, "strerror", None) or str(error)
        message = f"Could not open file {name} for reading: {reason}"
        hint = "check the path and its permissions"
    if message is None:
        return parse_file(raw, name)
    source = SourceText(b"", name)
    problem = RuleDiagnostic(
        "error", "LOAD_ERR_FILE_READ", message, Location(source, 0), hint
    )
    return RulesFile(source, [], problem)


@_without_collector()
def load(
    files: Iterable[RulesFile],
    target: Target | None,
    *,
    least_priority: int = 7,
    additions: OutputAdditions | None = None,
) -> Loaded:
    """Load files in order: the engine's verdicts, and all complaints."""
    files = list(files)
    cache: dict[bytes, Any] = {}
    strict = DiagnosticSink(stop_at_first=True)
    collector = Collector(strict, target)
    compilation = Compilation()
    results = []
    for file in files:
        report = DiagnosticSink(stop_at_first=True)
        collector.report = report
        if file.fault is not None:
            results.append(FileResult(file.source.name, False, [file.fault], [], None))
            continue
        read_file(file.source, file.documents, report, collector)
        if not report.error_count:
            compilation = compile_all(
                collector,
                report,
                least_priority=least_priority,
                additions=additions,
                cache=cache,
            )
        schema = schema_warnings(file.documents)
        results.append(
            FileResult(
                file.source.name,
                not report.error_count,
                report.errors(),
                report.warnings(),
                schema,
            )
        )
    if all(result.successful for result in results):
        problems = _merged([], results)
        if results:
            problems = _merged(results[-1].warnings, results)
    else:
        everything = DiagnosticSink(stop_at_first=False)
        collector = Collector(everything, target)
        for file in files:
            if file.fault is not None:
                everything.problems.append(file.fault)
            else:
                read_file(file.source, file.documents, everything, collector)
        compilation = compile_all(
            collector,
            everything,
            least_priority=least_priority,
            additions=additions,
            cache=cache,
        )
        problems = _merged(everything.problems, results)
    unmet = requirement_problems(collector.plugins, target)
    return Loaded(results, [*problems, *unmet], collector, compilation, unmet)


def _last_position(problem: RuleDiagnostic) -> tuple[int, int]:
    position = problem.place.chain()[-1].location()["position"]
    return position["line"], position["column"]


def _merged(
    found: list[RuleDiagnostic], results: list[FileResult]
) -> list[RuleDiagnostic]:
    """Join both runs: the engine's complaints that the second run did not make too."""
    known = {(p.code, p.message) for p in found}
    merged = list(found)
    for result in results:
        for problem in [*result.errors, *result.warnings]:
            # unused items of a file may be used by a later one
            if problem.code in ("LOAD_UNUSED_MACRO", "LOAD_UNUSED_LIST"):
                continue
            if (problem.code, problem.message) not in known:
                known.add((problem.code, problem.message))
                merged.append(problem)
    return merged
