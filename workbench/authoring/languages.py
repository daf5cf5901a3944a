"""The languages that a plugin can be written in: one row holds all facts of one."""

from __future__ import annotations

import shutil
from dataclasses import dataclass

from workbench.errors import WorkbenchError

__all__ = ["LANGUAGES", "Language", "language_of", "named_language"]


@dataclass(frozen=True, slots=True)
class Language:
    """``main``: the source file of a project. ``tool``: the program that builds it.

    ``headers``: pattern of our headers and the linker's script, copied beside the
    source; "" for none. ``install``: what to do when the tool is missing.
    """

    word: str
    title: str
    main: str
    tool: str
    headers: str = ""
    install: str = ""


LANGUAGES: dict[str, Language] = {
    row.word: row
    for row in (
        Language("c", "C", "plugin.c", "cc", "falco_plugin*.h", "apt-get install gcc"),
        Language("cpp", "C++", "plugin.cpp", "c++", "*", "apt-get install g++"),
        Language("go", "Go", "plugin.go", "go", "", "see go.dev/doc/install"),
        Language("rust", "Rust", "src/lib.rs", "cargo", "", "see rustup.rs"),
        Language("python", "Python", "plugin.py", "cc", "", "apt-get install gcc"),
    )
}


def named_language(word: str) -> Language:
    """Return the language called ``word``. Raises WorkbenchError with those known."""
    aliases = {"c++": "cpp", "rs": "rust", "py": "python", "golang": "go"}
    found = LANGUAGES.get(aliases.get(word.lower(), word.lower()))
    if found is None:
        raise WorkbenchError(
            f"unknown language {word!r}; choose from {', '.join(LANGUAGES)}"
        )
    return found


def language_of(names: set[str]) -> Language | None:
    """Return the language of a project, from the relative paths of its files."""
    for row in LANGUAGES.values():
        if row.main in names:
            return row
    return None


def require_tool(language: Language) -> str:
    """Return the path of the language's compiler. Raises WorkbenchError if missing."""
    found = shutil.which(language.tool)
    if found is None:
        raise WorkbenchError(
            f"{language.title} plugins need {language.tool!r}, which is not installed "
            f"({language.install})"
        )
    return found
