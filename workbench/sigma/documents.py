"""Sigma files: bytes → documents, with the lines that their words stand on.

Files come from strangers. Before anything builds objects from them, they are read as a
stream of YAML events, which tells how deep and how large they are.
"""

from __future__ import annotations

import os
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Any

from workbench.diagnostics import Diagnostic
from workbench.formatting.printable import printable, shortened
from workbench.reading import read_regular

if TYPE_CHECKING:
    from collections.abc import Iterator

__all__ = ["SigmaDocument", "files_of", "read_documents"]

_MAX_BYTES = 4 << 20
_MAX_DEPTH = 60
_MAX_EVENTS = 500_000
_SUFFIXES = (".yml", ".yaml")
_UTF16 = (b"\xff\xfe", b"\xfe\xff")
# A document with one of these is Sigma's.
_MARKS = ("detection", "correlation", "filter", "action")


@dataclass(slots=True)
class SigmaDocument:
    """One document of a file. ``lines``: word → line that it stands on first."""

    file: str
    line: int
    data: dict[str, Any]
    lines: dict[str, int] = field(default_factory=dict)

    def line_of(self, word: str) -> int:
        """Return the line of a key, with or without modifiers, else the first line."""
        found = self.lines.get(word)
        if found is None and word:
            start = f"{word}|"
            found = next(
                (n for w, n in self.lines.items() if w.startswith(start)), None
            )
        return self.line if found is None else found


def files_of(path: str | os.PathLike[str]) -> list[Path]:
    """Return a file; for a folder, the YAML files in and below it, sorted."""
    found = Path(path)
    if not found.is_dir():
        return [found]
    inside = sorted(p for p in found.rglob("*") if p.suffix in _SUFFIXES)
    return [p for p in inside if p.is_file()] or [found]


def _fault(
    name: str, message: str, line: int | None = None, hint: str | None = None
) -> Diagnostic:
    return Diagnostic("error", "sigma-file", message, name, line, None, hint)


def read_documents(path: Path) -> list[SigmaDocument] | Diagnostic:
    """Return the documents of a file, or what is wrong with it as a whole."""
    name = os.fspath(path)
    try:
        raw = read_regular(path, _MAX_BYTES + 1)
    except (OSError, ValueError) as error:
        reason = getattr(error, "strerror", None) or str(error)
        hint = "check the path and its permissions"
        if path.is_dir():
            reason, hint = "it is a folder without .yml and .yaml files", "name a file"
        return _fault(name, f"cannot read {shortened(name)}: {reason}", hint=hint)
    if len(raw) > _MAX_BYTES:
        message = f"the file has more than {_MAX_BYTES:,} bytes"
        return _fault(name, message, hint="no Sigma rule is that large; split the file")
    if raw.startswith(_UTF16) or b"\0" in raw:
        kind = "UTF-16" if raw.startswith(_UTF16) else "binary data"
        return _fault(name, f"the file is {kind}, not UTF-8", hint="save it as UTF-8")
    try:
        text = raw.decode("utf-8-sig")
    except UnicodeDecodeError as error:
        line = raw.count(b"\n", 0, error.start) + 1
        message = f"the byte 0x{raw[error.start]:02x} is not valid UTF-8"
        hint = "the file mixes encodings, or has another one: save it as UTF-8"
        return _fault(name, message, line, hint)
    return _documents(text, name)


def _documents(text: str, name: str) -> list[SigmaDocument] | Diagnostic:
    import yaml
    from sigma.rule.base import SigmaYAMLLoader

    try:
        heads = list(_outline(text, name))
        values = list(yaml.load_all(text, SigmaYAMLLoader))
    except _TooLargeError as error:
        return _fault(name, str(error), hint="no Sigma rule is like that")
    except (yaml.YAMLError, ValueError, RecursionError, TypeError) as error:
        mark = getattr(error, "problem_mark", None)
        reason = getattr(error, "problem", None) or str(error).partition("\n")[0]
        line = None if mark is None else mark.line + 1
        message = f"the file is not valid YAML: {printable(str(reason), limit=200)}"
        return _fault(name, message, line, "correct the YAML here")
    found = []
    for head, value in zip(heads, values, strict=False):
        if value is None:
            continue
        if not isinstance(value, dict) or not any(mark in value for mark in _MARKS):
            what = "has no detection" if isinstance(value, dict) else "is not a mapping"
            message = f"this is not a Sigma rule: the document {what}"
            hint = "a rule has the keys title, logsource and detection"
            return _fault(name, message, head.line, hint)
        head.data = value
        found.append(head)
    if not found:
        return _fault(name, "this is not a Sigma rule: the file is empty")
    return found


class _TooLargeError(ValueError):
    """A document nests too deeply or holds too much."""


def _outline(text: str, name: str) -> Iterator[SigmaDocument]:
    """Yield the documents without their data. Raises _TooLargeError."""
    import yaml

    depth = 0
    document = SigmaDocument(name, 1, {})
    for count, event in enumerate(yaml.parse(text, Loader=yaml.CSafeLoader)):
        if count > _MAX_EVENTS:
            raise _TooLargeError(f"the file holds more than {_MAX_EVENTS:,} values")
        if isinstance(event, yaml.DocumentStartEvent):
            document = SigmaDocument(name, event.start_mark.line + 1, {})
        elif isinstance(event, yaml.DocumentEndEvent):
            yield document
        elif isinstance(event, yaml.CollectionStartEvent):
            if not depth:
                document.line = event.start_mark.line + 1
            depth += 1
            if depth > _MAX_DEPTH:
                raise _TooLargeError(f"the file nests deeper than {_MAX_DEPTH} levels")
        elif isinstance(event, yaml.CollectionEndEvent):
            depth -= 1
        elif isinstance(event, yaml.ScalarEvent):
            document.lines.setdefault(event.value, event.start_mark.line + 1)
