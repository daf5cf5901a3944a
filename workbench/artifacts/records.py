"""What ``workbench get`` installed: one small JSON file per artifact.

<user's data folder>/plugins/lib….so        libraries
                     rules/NAME/….yaml      rules files
                     installed/NAME.json    these records
                     partial/               downloads that broke off
"""

from __future__ import annotations

import contextlib
import hashlib
import json
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import Any, Final

from workbench.artifacts.layout import KINDS, is_name
from workbench.paths import user_data_dir

__all__ = ["Record", "file_digest", "read_record", "read_records", "record_path"]

_FOLDER: Final = "installed"
_MAX_BYTES: Final = 1 << 20
_READ_BYTES: Final = 1 << 20


def file_digest(path: Path, algorithm: str = "sha256") -> str:
    """Return the digest of a file, "" when it is not there."""
    try:
        with path.open("rb") as stream:
            found = hashlib.file_digest(stream, algorithm)
    except OSError:
        return ""
    return f"{algorithm}:{found.hexdigest()}"


@dataclass(frozen=True, slots=True)
class Record:
    """One installed artifact.

    ``kind``: "plugin" or "rulesfile". ``digest``: of its manifest. ``reference``:
    where it came from. ``files``: path → digest, below the user's data folder.
    ``needs``: the artifacts that it depends on.
    """

    name: str
    kind: str
    version: str
    reference: str
    digest: str
    files: dict[str, str]
    installed: str = ""
    needs: list[str] = field(default_factory=list)
    root: Path = Path()

    @property
    def paths(self) -> list[Path]:
        """The installed files."""
        return [self.root / name for name in self.files]

    @property
    def main(self) -> Path:
        """What is used of it: the library, the rules file, or their folder."""
        paths = self.paths
        if self.kind == "rulesfile":
            return paths[0] if len(paths) == 1 else self.root / "rules" / self.name
        wanted = (f"lib{self.name}.so", f"{self.name}.so")
        return next((p for p in paths if p.name in wanted), paths[0])

    @property
    def whole(self) -> bool:
        """Whether every file is there as it was installed."""
        return all(file_digest(self.root / n) == d for n, d in self.files.items())

    def to_json(self) -> str:
        """Return the text of the file."""
        data = asdict(self)
        del data["root"]
        return json.dumps(data, indent=2) + "\n"


def record_path(root: Path, name: str) -> Path:
    """Return the file of the record of ``name``."""
    return root / _FOLDER / f"{name}.json"


def _is_inside(name: str) -> bool:
    parts = Path(name).parts
    return bool(parts) and not name.startswith("/") and ".." not in parts


def _parse(data: Any, root: Path) -> Record | None:
    """Return the record, None for what this never wrote."""
    try:
        record = Record(**data, root=root)
        sound = (
            is_name(record.name)
            and record.kind in KINDS
            and record.files
            and all(_is_inside(name) for name in record.files)
            and all(isinstance(text, str) for text in record.files.values())
            and all(isinstance(text, str) for text in record.needs)
        )
    except (TypeError, AttributeError, ValueError):
        return None
    return record if sound else None


def _read(path: Path, root: Path) -> Record | None:
    with contextlib.suppress(OSError, ValueError, RecursionError):
        with path.open("rb") as stream:
            data = json.loads(stream.read(_MAX_BYTES))
        if isinstance(data, dict):
            return _parse(data, root)
    return None


def read_record(name: str) -> Record | None:
    """Return the record of an installed artifact, None when there is none."""
    root = user_data_dir()
    if root is None or not is_name(name):
        return None
    return _read(record_path(root, name), root)


def read_records() -> list[Record]:
    """Return the records of all installed artifacts, by name."""
    root = user_data_dir()
    if root is None or not (root / _FOLDER).is_dir():
        return []
    found = [_read(path, root) for path in sorted((root / _FOLDER).glob("*.json"))]
    return [record for record in found if record is not None]
