"""``workbench new``: a small complete plugin project that builds and streams."""

from __future__ import annotations

import re
import shutil
from pathlib import Path

from workbench.authoring.facts.falco_names import FIELD_FAMILIES, RESERVED_SOURCES
from workbench.authoring.languages import Language, named_language
from workbench.errors import WorkbenchError
from workbench.paths import include_dir
from workbench.saving import file_errors, replacing, save_text

__all__ = ["TEMPLATES", "new_project", "render_source", "write_project"]

_TEMPLATES = Path(__file__).resolve().parent / "templates"
_SOURCE = re.compile(r"[a-z][a-z0-9_]{0,60}")
# Template → what it makes.
TEMPLATES = {
    "source": "an event source with fields",
    "counter": "a counter of another plugin's events, such as five of one user",
}
_NAME = re.compile(r"[a-z][a-z0-9_]*")
_TAKEN = FIELD_FAMILIES | RESERVED_SOURCES | {"evt", "json", "jevt"}


def new_project(
    directory: str | Path,
    *,
    language: str = "python",
    contact: str = "you@example.org",
    template: str = "source",
    source: str = "",
) -> list[Path]:
    """Write a plugin project into ``directory``, which is made if missing.

    The plugin gets the folder's name. ``language``: c, cpp, go, rust or python.
    ``template``: "source" for an event source of its own, "counter" for a plugin in
    Python that counts the events of another's event source, ``source``.
    Returns the files written. Raises WorkbenchError when the folder is not empty, its
    name cannot be a plugin's, or template, language and source make no sense together.
    """
    row = named_language(language)
    _check_template(template, row, source)
    folder = Path(directory)
    name = _plugin_name(folder)
    if folder.exists() and (not folder.is_dir() or any(folder.iterdir())):
        raise WorkbenchError(f"{folder} exists and is not an empty folder")
    if template == "counter":
        return _write_counter(folder, row, name, contact, source)
    return write_project(folder, row, name, contact)


def _check_template(template: str, row: Language, source: str) -> None:
    if template not in TEMPLATES:
        known = ", ".join(TEMPLATES)
        raise WorkbenchError(f"unknown template {template!r}; choose from {known}")
    if template == "source":
        if source:
            raise WorkbenchError(
                f"a project from the template 'source' is an event source itself, not "
                f"over {source}; the template 'counter' is"
            )
        return
    if row.word != "python":
        raise WorkbenchError(f"the template 'counter' is in Python, not in {row.title}")
    if not _SOURCE.fullmatch(source):
        raise WorkbenchError(
            "the template 'counter' needs the event source whose events it counts, "
            f"such as k8s_audit, not {source!r}"
        )


def _write_counter(
    folder: Path, row: Language, name: str, contact: str, source: str
) -> list[Path]:
    """Write the project of a plugin that counts events of ``source``."""
    known = _TEMPLATES / "counted" / f"{source}.py"
    counted = known if known.is_file() else known.with_name("other.py")
    words = {
        "# @COUNTED@": counted.read_text(encoding="utf-8").strip(),
        **_words(row, name, contact),
        "@SOURCE@": source,
    }
    renamed = {"rules.yaml": f"{name}_rules.yaml", "gitignore": ".gitignore"}
    return [
        _write(folder / renamed.get(path.name, path.name), path, words)
        for path in sorted((_TEMPLATES / "counter").iterdir())
    ]


def write_project(
    folder: Path, row: Language, name: str, contact: str = "you@example.org"
) -> list[Path]:
    """Write the project of a plugin called ``name``; return the files written."""
    words = _words(row, name, contact)
    return [_write(folder / target, text, words) for target, text in _files(row, name)]


def render_source(language: str, name: str, contact: str = "you@example.org") -> str:
    """Return the source text of the project's plugin alone, as for a notebook cell."""
    row = named_language(language)
    text = (_TEMPLATES / row.word / row.main).read_text(encoding="utf-8")
    return _filled(text, _words(row, name, contact))


def _words(row: Language, name: str, contact: str) -> dict[str, str]:
    """Return what stands for the marks of a template."""
    return {
        "@NAME@": name,
        "@IDENT@": name,
        "@FIELD@": name,
        "@CONTACT@": contact,
        "@LANGUAGE@": row.title,
        "@MAIN@": row.main,
    }


def _filled(text: str, words: dict[str, str]) -> str:
    for mark, value in words.items():
        text = text.replace(mark, value)
    return text


def _plugin_name(folder: Path) -> str:
    name = folder.resolve().name.lower().replace("-", "_")
    if not _NAME.fullmatch(name) or "__" in name:
        raise WorkbenchError(
            f"{name!r} cannot name a plugin and its fields: use a folder name of "
            "letters, digits and underscores that starts with a letter"
        )
    if name in _TAKEN:
        raise WorkbenchError(
            f"{name!r} is a field class or source of Falco itself: choose another name"
        )
    return name


def _files(row: Language, name: str) -> list[tuple[str, Path]]:
    """List the files of a project: where they go, and their templates."""
    files = [
        (str(path.relative_to(_TEMPLATES / row.word)), path)
        for path in sorted((_TEMPLATES / row.word).rglob("*"))
        if path.is_file()
    ]
    renamed = {
        "rules.yaml": f"{name}_rules.yaml",
        "test.yaml": f"{name}_rule_tests.yaml",
        "gitignore": ".gitignore",
    }
    files += [
        (renamed.get(path.name, path.name), path)
        for path in sorted((_TEMPLATES / "common").iterdir())
    ]
    if row.headers:
        found = sorted(include_dir().glob(row.headers))
        files += [(f"include/{header.name}", header) for header in found]
    return files


def _write(target: Path, template: Path, words: dict[str, str]) -> Path:
    target.parent.mkdir(parents=True, exist_ok=True)
    if template.suffix == ".h":
        with file_errors(target, "write"), replacing(target) as draft:
            shutil.copyfile(template, draft)
        return target
    return save_text(target, _filled(template.read_text(encoding="utf-8"), words))
