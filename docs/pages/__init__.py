"""The pages that are made from the code: never written by hand, never committed."""

from __future__ import annotations

import os
import re
import shutil
from pathlib import Path
from typing import TYPE_CHECKING

from pages.api import api_pages
from pages.codes import codes_page
from pages.commands import commands_page
from pages.language import language_page
from pages.schemas import rule_tests_page

if TYPE_CHECKING:
    from sphinx.application import Sphinx

__all__ = ["GENERATED", "plain_links_out", "write"]

ROOT = Path(__file__).resolve().parents[2]
GENERATED = "generated"
_LINK = re.compile(
    r"(?<!!)\[([^\]\n]*)\]\((?!https?:|#|mailto:)([^)\s#]+)(#[^)\s]*)?\)"
)


def write(docs: Path) -> None:
    """Write all generated pages below ``docs``; unchanged ones keep their time."""
    made = {
        "commands.md": commands_page(),
        "condition-language.md": language_page(),
        "diagnostics.md": codes_page(),
        "rule-tests.md": rule_tests_page(),
        "changelog.md": (ROOT / "CHANGELOG.md").read_text("utf-8"),
        "security.md": (ROOT / "SECURITY.md").read_text("utf-8"),
        "contributing.md": (ROOT / "CONTRIBUTING.md").read_text("utf-8"),
        **api_pages(),
    }
    for name, text in made.items():
        _write_changed(docs / GENERATED / name, text.encode())
    for path in sorted((ROOT / "notebooks").glob("*.ipynb")):
        _write_changed(docs / "notebooks" / path.name, path.read_bytes())
    for path in sorted((ROOT / "notebooks" / "images").iterdir()):
        _write_changed(docs / "notebooks" / "images" / path.name, path.read_bytes())
    known = {path.name for path in (ROOT / "notebooks").glob("*.ipynb")}
    for path in (docs / "notebooks").glob("*.ipynb"):
        if path.name not in known:
            path.unlink()
    shutil.rmtree(docs / "notebooks" / ".ipynb_checkpoints", ignore_errors=True)


def _write_changed(path: Path, content: bytes) -> None:
    if not path.is_file() or path.read_bytes() != content:
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(content)


def plain_links_out(app: Sphinx, name: str, source: list[str]) -> None:
    """Turn links to files of the clone that are no pages into mere text.

    The decisions get their table of contents; drawings stay text, as nothing that
    draws them is fetched.

    The README, notebooks and decisions are read in the clone, too, where they work.
    """
    base = Path(app.srcdir) / os.path.dirname(name)  # noqa: PTH120 - a name, no path
    moved = {"SECURITY.md": "security", "CONTRIBUTING.md": "contributing"}

    def link(found: re.Match[str]) -> str:
        text, target, anchor = found[1], found[2], found[3] or ""
        page = moved.get(target.rsplit("/", 1)[-1])
        if page:
            up = "../" * name.count("/")
            return f"[{text}]({up}{GENERATED}/{page}.md{anchor})"
        inside = target.startswith("/") or (base / target).is_file()
        if name.startswith("notebooks/") and not inside:
            return text
        if name.startswith(GENERATED) and not inside and (ROOT / target).exists():
            near = os.path.relpath(ROOT / target, base)
            return f"[{text}]({near})" if target.startswith("docs/") else text
        return found[0]

    text = _LINK.sub(link, source[0]).replace("```mermaid", "```text")
    if name == "decisions/README":
        text += "\n```{toctree}\n:hidden:\n:glob:\n\n[0-9]*\n```\n"
    source[0] = text
