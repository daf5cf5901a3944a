"""The scripts and styles of the widgets: the bundles, or the sources joined here."""

from __future__ import annotations

import functools
import re
from pathlib import Path

__all__ = ["has_bundle", "script", "style"]

_HERE = Path(__file__).resolve().parents[1]
_STATIC = _HERE / "static"
_SOURCES = _HERE / "js" / "src"

_IMPORT = re.compile(r'^import \{ ([^}]*) \} from "\./(\w+)\.js";$', re.MULTILINE)
_EXPORT = re.compile(r"^export (?:async )?(?:function|const) (\w+)", re.MULTILINE)
_DEFAULT = re.compile(r"^export default ", re.MULTILINE)


def has_bundle(name: str) -> bool:
    """Whether the bundle ``name`` was built."""
    return (_STATIC / f"{name}.js").exists()


@functools.cache
def script(name: str) -> str:
    """Return the ES module ``name``: the bundle if built, else the joined sources.

    Only modules that import nothing but our own files can be joined; the editor then
    is ``editor_plain``.
    """
    if has_bundle(name):
        return (_STATIC / f"{name}.js").read_text("utf-8")
    return _joined("editor_plain" if name == "editor" else name)


@functools.cache
def style() -> str:
    """Return the style sheet of all widgets."""
    built = _STATIC / "lab.css"
    path = built if built.exists() else _SOURCES / "lab.css"
    return path.read_text("utf-8")


def _joined(name: str) -> str:
    """Join a module and what it imports: each becomes a function's result."""
    order: list[str] = []
    pieces: dict[str, str] = {}

    def visit(module: str) -> None:
        if module in pieces:
            return
        text = (_SOURCES / f"{module}.js").read_text("utf-8")
        pieces[module] = ""
        for match in _IMPORT.finditer(text):
            visit(match[2])
        exports = ", ".join(_EXPORT.findall(text))
        body = _IMPORT.sub(r"const { \1 } = module_\2;", text)
        body = re.sub(r"^export (?!default)", "", body, flags=re.MULTILINE)
        body = _DEFAULT.sub("return ", body)
        if exports:
            body += f"\nreturn {{ {exports} }};"
        pieces[module] = f"const module_{module} = (() => {{\n{body}\n}})();\n"
        order.append(module)

    visit(name)
    joined = "".join(pieces[module] for module in order)
    return f"{joined}export default module_{name};\n"
