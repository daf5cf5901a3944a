"""From what was asked for to what is to be fetched: index, manifests, dependencies.

Nothing is downloaded here but manifests and configs, so that everything that can be
refused is refused before.
"""

from __future__ import annotations

import contextlib
from dataclasses import dataclass
from typing import TYPE_CHECKING, Final

from workbench.artifacts.documents import (
    choose_platform,
    is_index,
    read_config,
    read_manifest,
)
from workbench.artifacts.faults import ArtifactFault, artifact_error
from workbench.artifacts.folders import find_plugin
from workbench.artifacts.index import Entry, Index, read_index
from workbench.artifacts.layout import this_platform
from workbench.artifacts.records import read_record
from workbench.artifacts.reference import (
    Reference,
    Request,
    parse_registry,
    parse_repository,
    parse_request,
)
from workbench.artifacts.registry import Registry
from workbench.artifacts.versions import check_requirements, will_do

if TYPE_CHECKING:
    from collections.abc import Callable

    from workbench.artifacts.layout import (
        ArtifactConfig,
        Dependency,
        Descriptor,
        Kind,
    )
    from workbench.errors import ArtifactError

__all__ = ["Artifact", "Resolver"]

_MAX_ARTIFACTS: Final = 32


@dataclass(frozen=True, slots=True)
class Artifact:
    """One artifact, known but not downloaded.

    ``reference``: with the digest of the manifest for this platform. ``tag``: what was
    asked for. ``layer``: its archive.
    """

    name: str
    kind: Kind
    version: str
    reference: Reference
    tag: str
    config: ArtifactConfig
    layer: Descriptor
    signed: bool

    @property
    def needs(self) -> list[str]:
        """The names of the artifacts that it depends on."""
        return [dependency.name for dependency in self.config.dependencies]


class Resolver:
    """Finds artifacts. Every method raises ArtifactError.

    ``registry``, ``index``: as of ``wb.get``. ``plugin_version``: gives the version of
    a library that is there, "" when it cannot tell. ``notify``: told what is odd.
    """

    def __init__(
        self,
        *,
        registry: str | None,
        index: str | None,
        insecure: bool,
        notify: Callable[[str], None],
        plugin_version: Callable[[str], str],
    ) -> None:
        """Ask nothing yet."""
        self._registry = registry
        self._where = index
        self._insecure = insecure
        self._notify = notify
        self._plugin_version = plugin_version
        self._index: Index | None = None
        self._place: Reference | None = None
        self._open: dict[str, Registry] = {}
        self._stack = contextlib.ExitStack()

    def close(self) -> None:
        """Close all connections (idempotent)."""
        self._stack.close()

    def registry(self, host: str) -> Registry:
        """Return the registry at ``host``."""
        if host not in self._open:
            made = Registry(host, insecure=self._insecure)
            self._open[host] = self._stack.enter_context(made)
        return self._open[host]

    def plan(self, text: str, version: str | None) -> list[Artifact]:
        """Return the artifacts to have, dependencies first, what was asked for last."""
        try:
            asked = parse_request(text, version)
        except ArtifactFault as fault:
            raise artifact_error(fault, text) from None
        planned: dict[str, Artifact] = {}
        todo = [asked]
        while todo:
            request = todo.pop(0)
            if _is_planned(request.name, request.tag, planned):
                continue
            self._place = None
            try:
                todo += self._take(request, planned)
            except ArtifactFault as fault:
                raise self._error(fault, asked.text, request.text) from None
        last = planned.pop(asked.name)
        return [*reversed(planned.values()), last]

    def _take(self, request: Request, planned: dict[str, Artifact]) -> list[Request]:
        """Add an artifact to what is planned; return what it needs beside that."""
        reference, signed = self._locate(request)
        self._place = reference
        found = self._fetch(request, reference, signed=signed)
        known = planned.pop(found.name, None)
        if known is not None:
            self._check_major(known, found)
        planned[found.name] = found
        if len(planned) > _MAX_ARTIFACTS:
            text = f"it depends on more than {_MAX_ARTIFACTS} artifacts"
            raise ArtifactFault("requirement", text)
        return self._missing(found, planned)

    def _error(self, fault: ArtifactFault, asked: str, at: str) -> ArtifactError:
        place = str(self._place) if self._place else None
        if at != asked:
            fault.reason = f"it needs {at} ({place or 'not found'}): {fault.reason}"
            place = None
        return artifact_error(fault, asked, place)

    @staticmethod
    def _check_major(known: Artifact, found: Artifact) -> None:
        """Raise ArtifactFault when a second, newer version breaks with the first."""
        if not will_do(found.version, known.version):
            raise ArtifactFault(
                "requirement",
                f"both {known.name} {known.version} and {found.version} are needed, "
                "and they do not go together",
            )

    # -- where it is -----------------------------------------------------------------

    def _locate(self, request: Request) -> tuple[Reference, bool]:
        """Return the place of an artifact, and whether its publisher signs it."""
        if request.host:
            return request.reference(request.host, request.repository), False
        if self._registry is None:
            entry = self._entry(request.name)
            try:
                host, folder = parse_registry(entry.registry)
                repository = parse_repository(
                    f"{folder}/{entry.repository}".lstrip("/")
                )
            except ArtifactFault as fault:
                text = f"its place in the index is unusable: {fault.reason}"
                raise ArtifactFault("index", text) from None
            return request.reference(host, repository), entry.signed
        host, folder = parse_registry(self._registry)
        repository, signed = request.name, False
        if self._where is not None:
            entry = self._entry(request.name)
            repository, signed = entry.repository, entry.signed
        if folder:
            repository = f"{folder}/{repository}"
        return request.reference(host, parse_repository(repository)), signed

    def _entry(self, name: str) -> Entry:
        if self._index is None or (
            name not in self._index.entries and not self._index.note
        ):
            self._index = read_index(self._where, insecure=self._insecure, wanted=name)
            if self._index.note:
                self._notify(self._index.note)
        entry = self._index.entries.get(name)
        if entry is None:
            near = self._index.near(name)
            meant = f"did you mean {' or '.join(near)}?" if near else ""
            advice = meant or "give the whole HOST/REPOSITORY, or another index"
            text = f"the index {self._index.where} has no {name!r}"
            raise ArtifactFault("index", text, advice)
        if entry.kind == "asset":
            text = "it is an asset, neither a plugin nor rules files"
            raise ArtifactFault("layout", text)
        return entry

    # -- what it is ------------------------------------------------------------------

    def _fetch(
        self, request: Request, reference: Reference, *, signed: bool
    ) -> Artifact:
        """Read manifest and config of an artifact; refuse what cannot work here."""
        registry = self.registry(reference.host)
        document = registry.manifest(reference)
        if is_index(document.body, document.media_type):
            chosen = choose_platform(document.body, this_platform())
            document = registry.manifest(reference.at(chosen.digest))
        kind, config_blob, layer = read_manifest(document.body)
        config = read_config(registry.config(reference, config_blob))
        check_requirements(config.requirements)
        return Artifact(
            # not the name in the config: whose files it may replace is not its to say
            name=request.name,
            kind=kind,
            version=config.version or reference.tag,
            reference=reference.at(document.digest),
            tag=reference.last,
            config=config,
            layer=layer,
            signed=signed,
        )

    # -- what it needs ---------------------------------------------------------------

    def _missing(
        self, artifact: Artifact, planned: dict[str, Artifact]
    ) -> list[Request]:
        """Return the dependencies that are neither there nor planned."""
        return [
            Request(dependency.name, dependency.version)
            for dependency in artifact.config.dependencies
            if not self._is_there(dependency, planned)
        ]

    def _is_there(self, wanted: Dependency, planned: dict[str, Artifact]) -> bool:
        for name, version in (
            (wanted.name, wanted.version),
            *((other.name, other.version) for other in wanted.alternatives),
        ):
            if _is_planned(name, version, planned):
                return True
            record = read_record(name)
            if record is not None:
                if record.whole and will_do(record.version, version):
                    return True
                continue
            library = find_plugin(name)
            if library is None:
                continue
            found = self._plugin_version(str(library))
            if will_do(found, version):
                return True
            if not found:
                self._notify(
                    f"{library} is there; whether it is {version} is not known"
                )
                return True
        return False


def _is_planned(name: str, version: str, planned: dict[str, Artifact]) -> bool:
    """Whether something that will do for ``name`` and ``version`` is planned."""
    return name in planned and will_do(planned[name].version, version)
