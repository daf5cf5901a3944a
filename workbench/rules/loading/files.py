"""Rules files from disk or memory: bytes → YAML documents, or why not."""

from __future__ import annotations

import contextlib
import gc
import os
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING

from workbench.formatting.printable import shortened
from workbench.reading import read_regular
from workbench.rules.loading.indentation import indentation_fault
from workbench.rules.model.locations import Location
from workbench.rules.model.rule_diagnostic import RuleDiagnostic
from workbench.yamlcpp import SourceText, YamlError, load_documents

if TYPE_CHECKING:
    from collections.abc import Iterator

    from workbench.yamlcpp import Node

__all__ = [
    "MAX_FILE_BYTES",
    "RulesFile",
    "parse_file",
    "read_path",
    "without_cycle_collector",
]

# No rules file is anywhere near this; more would only exhaust memory.
MAX_FILE_BYTES = 32 << 20


@dataclass(slots=True)
class RulesFile:
    """A file as read. ``fault``: why it could not be read or parsed at all."""

    source: SourceText
    documents: list[Node] = field(default_factory=list)
    fault: RuleDiagnostic | None = None


@contextlib.contextmanager
def without_cycle_collector() -> Iterator[None]:
    """Pause the collector of cycles: nothing of what loading makes is garbage yet."""
    if not gc.isenabled():
        yield
        return
    gc.disable()
    try:
        yield
    finally:
        gc.enable()


@without_cycle_collector()
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
        location = Location(source, 0)
        parsed.fault = RuleDiagnostic(
            "error",
            "LOAD_ERR_YAML_PARSE",
            f"yaml-cpp: error at line {row + 1}, column {column + 1}: {error.reason}",
            Location(source, error.pos, "value for", "", location, error.at_end),
            _yaml_hint(error, source),
        )
    return parsed


def _yaml_hint(error: YamlError, source: SourceText) -> str:
    if b"\0" in source.data[:4096]:
        return "this is a binary file, not YAML"
    if error.reason == "illegal map value":
        found = indentation_fault(source.data, error.pos)
        return found or "quote the text before: ': ' begins a mapping"
    hints = {
        "illegal tab when looking for indentation": "wrong indentation: indent with "
        "spaces, not tabs",
        "end of sequence not found": "wrong indentation: indent all items alike and "
        "begin each with '- '",
        "end of map not found": "wrong indentation: indent all keys of an item alike",
        "unknown token": "quote texts that begin with % @ ` & * or !",
        "illegal block entry": "a sequence item begins on its own line",
    }
    return hints.get(error.reason, "correct the YAML here")


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
            raw = read_regular(found, MAX_FILE_BYTES + 1)
    except (OSError, ValueError) as error:
        reason = getattr(error, "strerror", None) or str(error)
        message = f"Could not open file {shortened(name)} for reading: {reason}"
        hint = "check the path and its permissions"
    if message is None:
        return parse_file(raw, name)
    source = SourceText(b"", name)
    diagnostic = RuleDiagnostic(
        "error", "LOAD_ERR_FILE_READ", message, Location(source, 0), hint
    )
    return RulesFile(source, [], diagnostic)
