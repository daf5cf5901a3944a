"""Whether a tag may become a release: ``python tests/packaging/check_release.py v1.2.3``."""

from __future__ import annotations

import re
import sys
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]


def written_version() -> str:
    """The version, read without importing the package."""
    text = (ROOT / "workbench" / "__init__.py").read_text("utf-8")
    (version,) = re.findall(r'^__version__ = "([^"]+)"$', text, re.MULTILINE)
    return version


def complaints(tag: str) -> list[str]:
    """What keeps ``tag`` from being released."""
    version = written_version()
    found = []
    if tag != f"v{version}":
        found.append(f"the tag is {tag}, the version {version}: tag v{version}")
    changelog = (ROOT / "CHANGELOG.md").read_text("utf-8")
    if not re.search(rf"^## \[?{re.escape(version)}\b", changelog, re.MULTILINE):
        found.append(f"CHANGELOG.md has no section '## {version}'")
    citation = (ROOT / "CITATION.cff").read_text("utf-8")
    if f"\nversion: {version}\n" not in citation:
        found.append(f"CITATION.cff does not say 'version: {version}'")
    return found


if __name__ == "__main__":
    found = complaints(sys.argv[1])
    print("\n".join(found), file=sys.stderr)
    sys.exit(bool(found))
