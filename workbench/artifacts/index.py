"""The index of artifacts: which name stands for which repository.

An index is a YAML list, by default that of the Falco project. What was read from an
address is kept with the time, so that a second command needs no network and a name can
be corrected; a copy that is an hour old is fetched again, and used all the same when
that fails.
"""

from __future__ import annotations

import contextlib
import hashlib
import json
import time
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final

from workbench.artifacts.faults import ArtifactFault
from workbench.artifacts.layout import is_name
from workbench.paths import user_cache_dir
from workbench.saving import replacing
from workbench.yamlcpp import Node, SourceText, YamlError, load_documents

if TYPE_CHECKING:
    from collections.abc import Iterator

__all__ = ["DEFAULT_INDEX", "Entry", "Index", "known_plugins", "read_index"]

# The Falco project's own.
DEFAULT_INDEX: Final = "https://falcosecurity.github.io/falcoctl/index.yaml"

_MAX_BYTES: Final = 8 << 20
# Values of an index, aliases counted as often as they are used.
_MAX_VALUES: Final = 500_000
_MAX_CHARS: Final = 1024
_FRESH_SEC: Final = 3600
_COPIES: Final = 50


@dataclass(frozen=True, slots=True)
class Entry:
    """One artifact of an index. ``kind``: "plugin", "rulesfile" or "asset".

    ``signed``: its publisher signs it; the workbench does not check signatures.
    """

    name: str
    kind: str
    registry: str
    repository: str
    description: str = ""
    signed: bool = False


@dataclass(frozen=True, slots=True)
class Index:
    """The entries by name. ``where``: address or file; ``fetched``: epoch seconds."""

    where: str
    entries: dict[str, Entry]
    fetched: float
    note: str = ""

    def near(self, name: str) -> list[str]:
        """Return names that ``name`` may have been meant to be, closest first."""
        import difflib

        return difflib.get_close_matches(name, self.entries, 3, 0.6)


def _fault(reason: str, advice: str = "") -> ArtifactFault:
    return ArtifactFault("index", reason, advice)


def _parse(raw: bytes, where: str) -> dict[str, Entry]:
    """Return the usable entries of an index. Raises ArtifactFault."""
    advice = "an index is a YAML list of artifacts, as falcoctl has it"
    source = SourceText(raw, where)
    try:
        documents = load_documents(source)
    except YamlError as error:
        line, column = source.line_column(error.pos)
        text = f"{where}: line {line}, column {column}: {error.reason}"
        raise _fault(f"the index is not valid YAML: {text}", advice) from None
    root = documents[0] if documents else Node("sequence", 0, 0)
    if root.kind != "sequence":
        raise _fault(f"the index {where} is not a list", advice)
    if root.size > _MAX_VALUES:
        raise _fault(f"the index {where} holds more than {_MAX_VALUES:,} values")
    entries: dict[str, Entry] = {}
    for node in root.items:
        entry = _entry(node)
        if entry is not None:
            entries.setdefault(entry.name, entry)
    if root.items and not entries:
        raise _fault(f"the index {where} names no artifact", advice)
    return entries


def _entry(node: Node) -> Entry | None:
    """Return one entry, None for what nothing could be fetched with."""
    if node.kind != "mapping":
        return None

    def text(key: str) -> str:
        value = node.get(key)
        return value.text if value is not None and value.kind == "scalar" else ""

    entry = Entry(
        text("name"),
        text("type"),
        text("registry"),
        text("repository"),
        text("description")[:_MAX_CHARS],
        node.get("signature") is not None,
    )
    places = entry.registry, entry.repository
    if not is_name(entry.name) or not all(0 < len(p) < _MAX_CHARS for p in places):
        return None
    return entry


# -- from a file, from the network, from the kept copy -------------------------------


def _read_file(path: Path) -> bytes:
    try:
        with path.open("rb") as stream:
            raw = stream.read(_MAX_BYTES + 1)
    except OSError as error:
        raise _fault(
            f"the index {path} cannot be read: {error.strerror or error}",
            "an index is a file, or an address that begins with https://",
        ) from None
    if len(raw) > _MAX_BYTES:
        raise _fault(f"the index {path} has more than {_MAX_BYTES:,} bytes")
    return raw


def _fetch(url: str, *, insecure: bool) -> bytes:
    from urllib.parse import urlsplit

    from workbench.artifacts.transport import Session, network_faults, read_bounded

    host = urlsplit(url).netloc
    with Session(insecure=insecure) as session:
        with network_faults(host, insecure=insecure):
            response = session.get(url, stream=True)
            if response.status_code == 200:
                return read_bounded(response, _MAX_BYTES, "index")
        status = f"{response.status_code} {response.reason or ''}".rstrip()
        raise _fault(f"{host} answers {status} for the index {url}")


def _copy_path(url: str) -> Path | None:
    folder = user_cache_dir()
    name = hashlib.sha256(url.encode()).hexdigest()[:32]
    return None if folder is None else folder / "index" / f"{name}.json"


def _read_copy(path: Path | None) -> Index | None:
    """Return a kept copy, None when there is none that can be used."""
    if path is None:
        return None
    with contextlib.suppress(OSError, ValueError, RecursionError, ArtifactFault):
        with path.open("rb") as stream:
            data: Any = json.loads(stream.read(4 * _MAX_BYTES))
        parts = data if isinstance(data, dict) else {}
        where, text = parts.get("where"), parts.get("text")
        fetched = parts.get("fetched")
        if isinstance(where, str) and isinstance(text, str):
            entries = _parse(text.encode("utf-8", "surrogateescape"), where)
            return Index(where, entries, fetched if isinstance(fetched, float) else 0.0)
    return None


def _keep_copy(path: Path | None, url: str, raw: bytes) -> None:
    """Keep what was fetched; a cache that cannot be written is no harm."""
    if path is None:
        return
    text = raw.decode("utf-8", "surrogateescape")
    body = json.dumps({"where": url, "fetched": time.time(), "text": text})
    with contextlib.suppress(OSError):
        path.parent.mkdir(parents=True, exist_ok=True)
        with replacing(path) as draft:
            draft.write_text(body, encoding="ascii")


def read_index(where: str | None, *, insecure: bool = False, wanted: str = "") -> Index:
    """Return an index. ``where``: address, file, or None for the Falco project's.

    ``wanted``: a name; a kept copy that lacks it is fetched again. ``insecure``:
    addresses without TLS will do. Raises ArtifactFault.
    """
    url = where or DEFAULT_INDEX
    scheme, _, rest = url.partition("://")
    if not rest or scheme == "file":
        path = Path(rest if scheme == "file" else url).expanduser()
        return Index(str(path), _parse(_read_file(path), str(path)), time.time())
    if scheme not in ("https", "http"):
        raise _fault(
            f"an index at {scheme}:// cannot be read",
            "fetch it and give the file, or an address that begins with https://",
        )
    if scheme == "http" and not insecure:
        text = f"the index {url} would come without TLS"
        raise _fault(text, "use https://, or insecure=True (--insecure)")
    copy_path = _copy_path(url)
    copy = _read_copy(copy_path)
    age = time.time() - copy.fetched if copy else 0.0
    if copy and 0 <= age < _FRESH_SEC and (not wanted or wanted in copy.entries):
        return copy
    try:
        raw = _fetch(url, insecure=insecure)
        entries = _parse(raw, url)
    except ArtifactFault as fault:
        if copy is None:
            raise ArtifactFault("index", fault.reason, fault.advice) from None
        when = time.strftime("%Y-%m-%d %H:%M", time.localtime(copy.fetched))
        note = f"{fault.reason}; using the copy of the index from {when}"
        return Index(copy.where, copy.entries, copy.fetched, note)
    _keep_copy(copy_path, url, raw)
    return Index(url, entries, time.time())


def known_plugins() -> Iterator[str]:
    """Yield the plugins that kept copies of indexes name; nothing is fetched."""
    folder = user_cache_dir()
    if folder is None:
        return
    for path in sorted((folder / "index").glob("*.json"))[:_COPIES]:
        copy = _read_copy(path)
        for entry in copy.entries.values() if copy else ():
            if entry.kind == "plugin":
                yield entry.name
