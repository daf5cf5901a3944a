"""A plugin from source text: written into a project, built, loaded."""

from __future__ import annotations

import re
import tempfile
from pathlib import Path
from typing import TYPE_CHECKING

from workbench.authoring.builder import build_project
from workbench.authoring.languages import named_language
from workbench.authoring.scaffold import new_project
from workbench.plugins.plugin import load
from workbench.saving import save_text

if TYPE_CHECKING:
    from workbench.plugins.plugin import Plugin

__all__ = ["language_of_text", "load_source"]

# What identifies a language, looked for in this order.
_SIGNS = tuple(
    (word, re.compile(pattern, re.MULTILINE))
    for word, pattern in (
        ("go", r"^\s*package\s+\w+"),
        ("rust", r"^\s*(use\s+[\w:]+|pub\s+fn|fn|impl|#!\[)"),
        ("cpp", r"falcosecurity_plugin\.h|\bnamespace\b|\btemplate\s*<|\bstd::"),
        ("c", r"^\s*#\s*include\b"),
    )
)


def language_of_text(source: str) -> str:
    """Return the language of a plugin's source: c, cpp, go, rust or python."""
    for word, sign in _SIGNS:
        if sign.search(source):
            return word
    return "python"


def load_source(
    source: str,
    *,
    language: str | None = None,
    config: str | None = None,
    directory: str | None = None,
) -> Plugin:
    """Build a plugin from its source text and load it.

    ``language``: None detects it from the text. ``directory``: where to keep the
    project, a temporary folder by default. Raises BuildError with the compiler's
    messages, and what ``load`` raises.
    """
    row = named_language(language or language_of_text(source))
    if directory is None:
        folder = Path(tempfile.mkdtemp(prefix="workbench-")) / "plugin_cell"
    else:
        folder = Path(directory).expanduser()
    if not (folder / "Makefile").exists():
        new_project(folder, language=row.word)
    save_text(folder / row.main, source)
    return load(build_project(folder).library, config=config)
