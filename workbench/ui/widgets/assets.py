"""The scripts and styles of the widgets: the bundles, or the sources joined here."""

from __future__ import annotations

import functools
import re
from pathlib import Path

__all__ = ["has_bundle", "module_bytes", "script", "style"]

_HERE = Path(__file__).resolve().parents[1]
_STATIC = _HERE / "static"
_SOURCES = _HERE / "js" / "src"

_IMPORT = re.compile(r'^import \{ ([^}]*) \} from "\./(\w+)\.js";$', re.MULTILINE)
_EXPORT = re.compile(r"^export (?:async )?(?:function|const) (\w+)", re.MULTILINE)
_SHEET = re.compile(r'^@import "\./(\w+\.css)";$', re.MULTILINE)
# What needs an npm package has a twin that does not.
_TWINS = {"icons": "icons_plain"}
_DEFAULT = re.compile(r"^export default ", re.MULTILINE)


def has_bundle(name: str) -> bool:
    """Whether the bundle ``name`` was built."""
    return (_STATIC / f"{name}.js").exists()


@functools.cache
def script(name: str) -> str:
    """Return the ES module ``name``: the bundle if built, else the joined sources.

    Only modules that import nothing but our own files can be joined: without bundles
    icons are characters and the editor is a plain box.
    """
    if has_bundle(name):
        return (_STATIC / f"{name}.js").read_text("utf-8")
    return _joined(name)


def module_bytes(name: str) -> bytes | None:
    """Return a module that comes after the first paint, None for none.

    The code editor needs npm packages: it is there only when it was bundled.
    """
    if name not in {"editor", "later"} or (name == "editor" and not has_bundle(name)):
        return None
    return script(name).encode()


@functools.cache
def style() -> str:
    """Return the style sheet of all widgets."""
    built = _STATIC / "lab.css"
    if built.exists():
        return built.read_text("utf-8")
    names = _SHEET.findall((_SOURCES / "lab.css").read_text("utf-8"))
    return "".join((_SOURCES / name).read_text("utf-8") for name in names)


def _joined(name: str) -> str:
    """Join a module and what it imports: each becomes a function's result."""
    order: list[str] = []
    pieces: dict[str, str] = {}

    def visit(module: str) -> None:
        if module in pieces:
            return
        file = _TWINS.get(module, module)
        text = (_SOURCES / f"{file}.js").read_text("utf-8")
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
