"""The Python API: one page per module with public names, from the docstrings."""

from __future__ import annotations

import importlib
import inspect

__all__ = ["MODULES", "api_pages"]

MODULES = ("workbench", "workbench.condition", "workbench.rules")
_INTRODUCTIONS = {
    "workbench": "`import workbench as wb`. Everything that notebooks need.",
    "workbench.condition": "Conditions over Arrow tables, without any plugin.",
    "workbench.rules": "Rules files and what is in them, without any plugin.",
}


def api_pages() -> dict[str, str]:
    """Return name of page → text; every public name of ``MODULES`` has an entry."""
    return {f"api-{name}.md": _page(name) for name in MODULES}


def _page(name: str) -> str:
    module = importlib.import_module(name)
    parts = [f"# {name}", _INTRODUCTIONS[name]]
    groups: dict[str, list[str]] = {
        title: [] for title in ("Functions", "Classes", "Modules", "Errors")
    }
    for public in module.__all__:
        value = getattr(module, public)
        if inspect.ismodule(value):
            groups["Modules"].append(public)
        elif inspect.isclass(value) and issubclass(value, Exception):
            groups["Errors"].append(public)
        else:
            groups["Classes" if inspect.isclass(value) else "Functions"].append(public)
    for title, names in groups.items():
        if names:
            parts += [f"## {title}", *(_entry(name, public) for public in names)]
    return "\n\n".join(parts) + "\n"


def _entry(module: str, name: str) -> str:
    value = getattr(importlib.import_module(module), name)
    whole = f"{module}.{name}"
    home = _home(value)
    heading = f"### {name}"
    if home is not None and home != whole:
        text = f"The same as {{py:obj}}`{home}`."
        return f"{heading}\n\n```{{py:data}} {whole}\n{text}\n```"
    if inspect.ismodule(value):
        summary = (inspect.getdoc(value) or "").partition("\n\n")[0].replace("\n", " ")
        inner = [_described(f"{whole}.{n}", getattr(value, n)) for n in value.__all__]
        top = f"```{{py:data}} {whole}\n{summary}\n```"
        return "\n\n".join([heading, top, *inner])
    return f"{heading}\n\n{_described(whole, value)}"


def _described(whole: str, value: object) -> str:
    """Return what autodoc says of ``value``; of a widget only what is its own."""
    if not callable(value):
        return f"```{{py:data}} {whole}\n```"
    kind = "class" if inspect.isclass(value) else "function"
    options = ":members:\n"
    if not inspect.isclass(value):
        options = ""
    elif not hasattr(value, "traits"):
        options += ":inherited-members: Exception, tuple, object\n"
    body = f".. auto{kind}:: {whole}\n" + "".join(
        f"   {line}\n" for line in options.splitlines()
    )
    return f"```{{eval-rst}}\n{body}```"


def _home(value: object) -> str | None:
    """Return the name under which something is described: the first module's."""
    for module in MODULES:
        for name in importlib.import_module(module).__all__:
            if getattr(importlib.import_module(module), name) is value:
                return f"{module}.{name}"
    return None
