"""Brings planned artifacts into the user's folder: downloads, unpacks, commits."""

from __future__ import annotations

import contextlib
import errno
import os
import shutil
import time
from dataclasses import dataclass
from typing import TYPE_CHECKING

from workbench.artifacts.archive import check_library, unpack
from workbench.artifacts.download import download
from workbench.artifacts.faults import ArtifactFault, artifact_error, disk_fault
from workbench.artifacts.install import Change, commit, staging, write_staged
from workbench.artifacts.layout import this_platform
from workbench.artifacts.progress import Bar
from workbench.artifacts.records import (
    Record,
    file_digest,
    read_record,
    read_records,
    record_path,
)
from workbench.errors import ArtifactError

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from workbench.artifacts.resolve import Artifact, Resolver

__all__ = ["Installer", "Pulled"]


@dataclass(frozen=True, slots=True)
class Pulled:
    """One artifact that is installed now. ``fresh``: it was not there before."""

    record: Record
    fresh: bool
    signed: bool


class Installer:
    """Installs one plan below ``root``, all of it or nothing."""

    def __init__(self, resolver: Resolver, root: Path) -> None:
        """Fetch nothing yet."""
        self.resolver = resolver
        self.root = root
        self.change = Change()
        self.blobs: list[Path] = []

    def run(self, plan: list[Artifact]) -> list[Pulled]:
        """Return what is installed afterwards. Raises ArtifactError."""
        done: list[Pulled] = []
        keep = False
        with staging(self.root) as folder, staging(self.root) as aside:
            try:
                for artifact in plan:
                    record = read_record(artifact.name)
                    fresh = not _is_current(record, artifact)
                    if record is None or fresh:
                        record = self._bring(artifact, folder / str(len(done)))
                    done.append(Pulled(record, fresh, artifact.signed))
                with self._naming(plan[-1]):
                    commit(self.change, aside)
            except ArtifactError as error:
                # What came whole before the network failed need not come again.
                keep = error.stage == "registry"
                raise
            finally:
                for blob in [] if keep else self.blobs:
                    blob.unlink(missing_ok=True)
        return done

    @contextlib.contextmanager
    def _naming(self, artifact: Artifact) -> Iterator[None]:
        """Turn faults of one artifact, and of the disk, into ArtifactError."""
        try:
            yield
        except ArtifactFault as fault:
            reference = str(artifact.reference)
            raise artifact_error(fault, artifact.name, reference) from None
        except OSError as error:
            full = disk_fault(error, self.root)
            raise artifact_error(full, artifact.name) from None

    def _bring(self, artifact: Artifact, folder: Path) -> Record:
        """Download one artifact, unpack it into ``folder``, and plan its renaming."""
        with self._naming(artifact):
            if shutil.disk_usage(self.root).free < artifact.layer.size:
                raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))
            reference = artifact.reference
            registry = self.resolver.registry(reference.host)
            with Bar(artifact.name) as bar:
                blob = download(
                    registry, reference, artifact.layer, self.root / "partial", bar
                )
            self.blobs.append(blob)
            return self._stage(artifact, blob, folder)

    def _stage(self, artifact: Artifact, blob: Path, folder: Path) -> Record:
        files = folder / "files"
        files.mkdir(parents=True)
        names = unpack(blob, files, artifact.kind)
        below = self.root / "plugins"
        if artifact.kind.name == "plugin":
            for name in names:
                check_library(files / name, this_platform())
        else:
            below = self.root / "rules" / artifact.name
        targets = {below / name: files / name for name in names}
        self._check_owners(artifact.name, targets)
        old = read_record(artifact.name)
        record = self._record(artifact, targets)
        text = folder / "record.json"
        write_staged(text, record.to_json())
        self.change.put.update(targets)
        self.change.put[record_path(self.root, artifact.name)] = text
        if old is not None:
            self.change.drop += [path for path in old.paths if path not in targets]
        return record

    def _record(self, artifact: Artifact, targets: dict[Path, Path]) -> Record:
        place = artifact.reference
        return Record(
            name=artifact.name,
            kind=artifact.kind.name,
            version=artifact.version,
            reference=f"{place.host}/{place.repository}",
            digest=place.digest,
            files={
                str(target.relative_to(self.root)): file_digest(staged)
                for target, staged in targets.items()
            },
            installed=time.strftime("%Y-%m-%dT%H:%M:%SZ", time.gmtime()),
            needs=artifact.needs,
            root=self.root,
        )

    def _check_owners(self, name: str, targets: dict[Path, Path]) -> None:
        """Raise ArtifactFault when a file would take the place of somebody else's."""
        owners = {
            path: record.name for record in read_records() for path in record.paths
        }
        for target, staged in targets.items():
            owner = owners.get(target)
            if target in self.change.put or owner not in (None, name):
                whose = f"of {owner}" if owner else "of another artifact"
                text = f"its file {target.name} would take the place of that {whose}"
                raise ArtifactFault("install", text, "remove that one first")
            if owner is not None or not target.exists():
                continue
            if file_digest(target) != file_digest(staged):
                text = f"{target} is there already, and no workbench get put it there"
                raise ArtifactFault("install", text, "move it away first")


def _is_current(record: Record | None, artifact: Artifact) -> bool:
    """Whether exactly this artifact is installed, unchanged."""
    return (
        record is not None
        and record.digest == artifact.reference.digest
        and record.whole
    )
