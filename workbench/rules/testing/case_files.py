"""Files of rule tests: which events, and which rules must fire on them.

```yaml
source: weblog              # event source of the cases
rules: [weblog_rules.yaml]  # beside this file; `workbench test -r` overrides it
plugins: [libweblog.so]     # what to load for payloads, a file or a name; with an
                            # init config: {library: libweblog.so, config: '{…}'}; or:
fields: {weblog.path: string, weblog.tags: list of string}
capture: traffic.parquet    # for cases with `events`
cases:
  - name: a climbing request
    event: {weblog.path: /../etc/passwd, weblog.status: 400}
    fires: [Path traversal]     # these fire …
    quiet: [No HTTP at all]     # … and these do not, when all that they read is given
  - name: the raw line
    payload: '127.0.0.1 - - [10/Oct/2000:13:55:36 -0700] "GET / HTTP/1.0" 200 2326'
    number: 3                   # its evt.num, and
    time: 1700000000000000000   # its evt.rawtime, in nanoseconds; when not given: any
    exactly: []                 # these fire and no other: what is not given is absent
  - name: what was seen on Monday
    events: [3, 10-12]          # numbers in the capture; each must satisfy the case
    fires: [Path traversal]
```

Such files are called ``*rule_tests.yaml``: so pytest and ``workbench test FOLDER`` find
them. A rule under ``quiet`` that reads fields that ``event`` does not give is *not
decided*, which is never a pass; ``weblog.user: null`` says that a field is absent.

A field that takes an argument is declared as ``weblog.query[]: string``. Texts that are
not UTF-8 are written as ``{hex: fffe}``. The time of an event is ``evt.rawtime``, in
nanoseconds since the epoch.
"""

from __future__ import annotations

import binascii
import re
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

from workbench.errors import WorkbenchError
from workbench.fields.declarations import ArgInfo, FieldInfo
from workbench.fields.types import FIELD_TYPES
from workbench.formatting.printable import shortened
from workbench.reading import read_regular
from workbench.yamlcpp import Node, SourceText, YamlError, load_documents

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator
    from pathlib import Path

__all__ = ["Case", "TestFile", "is_test_file", "read_tests", "test_files"]

# How the names of such files end.
_ENDINGS = ("rule_tests.yaml", "rule_tests.yml")

_MAX_BYTES = 64 << 20
_MAX_EVENTS = 1_000_000
_KEYS = frozenset(("source", "rules", "plugins", "fields", "capture", "cases"))
_CASE_KEYS = frozenset(
    (
        *("name", "event", "payload", "number", "time", "events", "capture"),
        *("fires", "quiet", "exactly"),
    )
)
_PLUGIN_KEYS = frozenset(("library", "config"))
_RANGE = re.compile(r"(\d{1,18})(?:-(\d{1,18}))?")


@dataclass(slots=True)
class Case:
    """One case. Exactly one of ``event``, ``payload`` and ``numbers`` is given.

    ``event``: column → value node. ``fires``, ``quiet``: names of rules; ``exactly``:
    names, or None when other rules may fire too. ``number``, ``time_ns``: of a payload.
    """

    name: str
    line: int
    event: dict[str, Node] | None = None
    payload: bytes | None = None
    number: int = 1
    time_ns: int | None = None
    numbers: list[int] | None = None
    capture: Path | None = None
    fires: list[str] = field(default_factory=list)
    quiet: list[str] = field(default_factory=list)
    exactly: list[str] | None = None


@dataclass(slots=True)
class TestFile:
    """A file of cases; paths are relative to it.

    ``plugins``: library (a text is a name) and init config, None for none.
    """

    __test__ = False

    path: Path
    source: str = ""
    rules: list[Path] = field(default_factory=list)
    plugins: list[tuple[Path | str, str | None]] = field(default_factory=list)
    fields: dict[str, FieldInfo] = field(default_factory=dict)
    cases: list[Case] = field(default_factory=list)


def is_test_file(name: str) -> bool:
    """Whether files of that name hold rule tests."""
    return name.endswith(_ENDINGS)


def test_files(path: Path) -> list[Path]:
    """Return ``path``, or for a folder the files of rule tests in it, sorted.

    Raises WorkbenchError for a folder without any.
    """
    if not path.is_dir():
        return [path]
    found = sorted(p for p in path.rglob("*rule_tests.y*ml") if is_test_file(p.name))
    if not found:
        raise WorkbenchError(
            f"{path} holds no files of rule tests: they are called *{_ENDINGS[0]}"
        )
    return found


test_files.__test__ = False  # type: ignore[attr-defined] # no test of pytest's


def read_tests(path: Path) -> TestFile:
    """Read a file of rule tests. Raises WorkbenchError with the location of a fault."""
    try:
        raw = read_regular(path, _MAX_BYTES + 1)
    except OSError as error:
        message = f"{shortened(str(path))} cannot be read: {error.strerror or error}"
        raise WorkbenchError(message) from None
    if len(raw) > _MAX_BYTES:
        raise WorkbenchError(f"{path} has more than {_MAX_BYTES:,} bytes")
    return _Reader(path, SourceText(raw, str(path))).read()


def _library(folder: Path, text: str) -> Path | str:
    """Return a library beside the file, or as text a name that ``wb.load`` looks up."""
    path = folder / text
    named = "/" not in text and "." not in text
    return text if named and not path.exists() else path


class _Reader:
    def __init__(self, path: Path, text: SourceText) -> None:
        self.text = text
        self.file = TestFile(path)

    def fault(self, node: Node | int, message: str) -> WorkbenchError:
        pos = node if isinstance(node, int) else node.start
        line, column = self.text.line_column(pos)
        return WorkbenchError(f"{self.file.path}:{line}:{column}: {message}")

    def read(self) -> TestFile:
        try:
            documents = load_documents(self.text)
        except YamlError as error:
            raise self.fault(error.pos, error.reason) from None
        if not documents or documents[0].kind != "mapping":
            raise self.fault(
                0, "a file of rule tests is a mapping with the key 'cases'"
            )
        root = documents[0]
        self._known(root, _KEYS)
        file, folder = self.file, self.file.path.parent
        source = root.get("source")
        file.source = "" if source is None else self._text(source)
        file.rules = [folder / t for t in self._texts(root.get("rules"))]
        file.plugins = list(self._plugins(root.get("plugins"), folder))
        self._fields(root.get("fields"))
        capture = root.get("capture")
        shared = None if capture is None else folder / self._text(capture)
        cases = root.get("cases")
        if cases is None or cases.kind != "sequence":
            raise self.fault(cases or root, "'cases' is a sequence of cases")
        for number, item in enumerate(cases.items, 1):
            file.cases.append(self._case(item, number, shared))
        return file

    def _known(self, node: Node, keys: frozenset[str]) -> None:
        for key, _ in node.pairs:
            if key.text not in keys:
                known = ", ".join(sorted(keys))
                raise self.fault(key, f"unknown key '{key.text}'; known: {known}")

    def _text(self, node: Node) -> str:
        if node.kind != "scalar":
            raise self.fault(node, "expected a text")
        return node.text

    def _texts(self, node: Node | None) -> list[str]:
        if node is None or node.kind == "null":
            return []
        if node.kind == "scalar":
            return [node.text]
        if node.kind != "sequence":
            raise self.fault(node, "expected a sequence of texts")
        return [self._text(item) for item in node.items]

    def _plugins(
        self, node: Node | None, folder: Path
    ) -> Iterator[tuple[Path | str, str | None]]:
        several = node is not None and node.kind == "sequence"
        for item in node.items if node is not None and several else [node]:
            if item is None or item.kind == "null":
                continue
            if item.kind != "mapping":
                yield _library(folder, self._text(item)), None
                continue
            self._known(item, _PLUGIN_KEYS)
            library, config = item.get("library"), item.get("config")
            if library is None:
                raise self.fault(item, "a plugin needs 'library', a file or a name")
            text = None if config is None else self._text(config)
            yield _library(folder, self._text(library)), text

    def _fields(self, node: Node | None) -> None:
        if node is None:
            return
        if node.kind != "mapping":
            raise self.fault(node, "'fields' maps names to types")
        for key, value in node.pairs:
            kind = self._text(value).strip()
            is_list = kind.startswith("list of ")
            kind = kind.removeprefix("list of ")
            if kind not in FIELD_TYPES:
                known = ", ".join(FIELD_TYPES)
                raise self.fault(value, f"unknown type '{kind}'; one of {known}")
            written = self._text(key)
            name = written.removesuffix("[]")
            arg = None
            if written != name:
                arg = ArgInfo(required=False, index=True, key=True)
            self.file.fields[name] = FieldInfo(name, kind, is_list, arg)

    def _case(self, item: Node, number: int, shared: Path | None) -> Case:
        if item.kind != "mapping":
            raise self.fault(item, "a case is a mapping")
        self._known(item, _CASE_KEYS)
        name = item.get("name")
        line, _ = self.text.line_column(item.start)
        case = Case(f"case {number}" if name is None else self._text(name), line)
        given = [k for k in ("event", "payload", "events") if item.get(k) is not None]
        if len(given) != 1:
            raise self.fault(item, "a case has one of event, payload and events")
        value = item.get(given[0])
        if value is None:  # pragma: no cover - chosen because it is there
            raise self.fault(item, "no event")
        if given[0] == "event":
            if value.kind != "mapping":
                raise self.fault(value, "'event' maps fields to values")
            case.event = {self._text(k): v for k, v in reversed(value.pairs)}
        elif given[0] == "payload":
            case.payload = self._bytes(value)
            self._moment(item, case)
        else:
            case.numbers = self._numbers(value)
            capture = item.get("capture")
            case.capture = shared
            if capture is not None:
                case.capture = self.file.path.parent / self._text(capture)
            if case.capture is None:
                raise self.fault(value, "'events' needs a 'capture' here or above")
        case.fires = self._texts(item.get("fires"))
        case.quiet = self._texts(item.get("quiet"))
        exactly = item.get("exactly")
        case.exactly = None if exactly is None else self._texts(exactly)
        if exactly is None and not case.fires and not case.quiet:
            raise self.fault(item, "name what is expected: fires, quiet or exactly")
        return case

    def _moment(self, item: Node, case: Case) -> None:
        """Read number and time of a payload."""
        for key, name in (("number", "number"), ("time", "time_ns")):
            node = item.get(key)
            if node is not None:
                setattr(
                    case, name, read_value(node, FieldInfo(key, "uint64"), self.fault)
                )

    def _bytes(self, node: Node) -> bytes:
        inner = node.get("hex") if node.kind == "mapping" else None
        if inner is None:
            return self._text(node).encode("utf-8", "surrogateescape")
        try:
            return binascii.unhexlify(self._text(inner).replace(" ", ""))
        except (binascii.Error, ValueError):
            raise self.fault(inner, "expected pairs of hex digits") from None

    def _numbers(self, node: Node) -> list[int]:
        items: Iterable[Node] = node.items if node.kind == "sequence" else [node]
        found: list[int] = []
        for item in items:
            match = _RANGE.fullmatch(self._text(item))
            if match is None:
                raise self.fault(item, "expected a number, or a range such as 10-12")
            first = int(match.group(1))
            last = int(match.group(2) or first)
            if last < first or last - first > _MAX_EVENTS:
                raise self.fault(item, f"a range of at most {_MAX_EVENTS:,} numbers")
            found.extend(range(first, last + 1))
        return found

    def value(self, node: Node, info: FieldInfo) -> Any:
        """Read a value for a field: None when absent."""
        if node.kind == "null":
            return None
        if info.is_list:
            if node.kind != "sequence":
                raise self.fault(node, f"{info.name} is a list: write [a, b]")
            return [self._one(item, info) for item in node.items]
        return self._one(node, info)

    def _one(self, node: Node, info: FieldInfo) -> Any:
        return read_value(node, info, self.fault)


def read_value(node: Node, info: FieldInfo, fault: Any) -> Any:
    """Read one scalar for a field's type; ``fault`` makes the error for a node."""
    import socket

    from workbench.yamlcpp import as_bool

    if info.type == "string":
        inner = node.get("hex") if node.kind == "mapping" else None
        if inner is not None:
            try:
                return binascii.unhexlify(inner.text.replace(" ", ""))
            except (binascii.Error, ValueError):
                raise fault(inner, "expected pairs of hex digits") from None
    if node.kind != "scalar":
        raise fault(node, f"{info.name} takes a {info.type}")
    text = node.text
    if info.type == "string":
        return text.encode("utf-8", "surrogateescape")
    if info.type == "bool":
        truth = as_bool(text)
        if truth is None:
            raise fault(node, f"{info.name} is true or false")
        return truth
    if info.type in ("ipaddr", "ipnet"):
        family = socket.AF_INET6 if ":" in text else socket.AF_INET
        try:
            return socket.inet_pton(family, text)
        except OSError:
            raise fault(node, f"{text!r} is not an address") from None
    digits = text.lstrip("0")[:21] or "0"
    if not text.isascii() or not text.isdigit() or int(digits) >= 1 << 64:
        raise fault(node, f"{info.name} takes a number from 0 to 2^64-1")
    return int(digits)


def value_reader(file: TestFile) -> Any:
    """Return the function that reads a case's values: (node, field) → value."""
    raw = read_regular(file.path, _MAX_BYTES)
    return _Reader(file.path, SourceText(raw, str(file.path))).value
