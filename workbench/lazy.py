"""Public names of a package, and whole modules, loaded on first use.

Importing a package then does no work. A ``.pyi`` file beside the package's
``__init__.py`` declares the same names to type checkers; a test holds both equal.
"""

from __future__ import annotations

import importlib
import sys

# The worker process imports this module too: not even typing is loaded there.
TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable, Mapping
    from typing import Any

__all__ = ["lazy_module", "lazy_names"]


class _LazyModule:
    """Stands for a module; imports it when a name of it is asked for first."""

    def __init__(self, name: str) -> None:
        self.__name__ = name

    def __getattr__(self, name: str) -> Any:
        value = getattr(importlib.import_module(self.__name__), name)
        self.__dict__[name] = value
        return value


def lazy_module(name: str) -> Any:
    """Return what stands for module ``name`` and imports it when it is used.

    For what is large and often not needed. Type checkers are told beside it:
    ``if TYPE_CHECKING: import … else: … = lazy_module(…)``.
    """
    return _LazyModule(name)


def lazy_names(
    package: str, homes: Mapping[str, str]
) -> tuple[Callable[[str], Any], Callable[[], list[str]]]:
    """Return ``__getattr__`` and ``__dir__`` for ``package``.

    ``homes``: public name → module that defines it.
    """
    namespace = vars(sys.modules[package])

    def load(name: str) -> Any:
        home = homes.get(name)
        if home is None:
            raise AttributeError(f"module {package!r} has no attribute {name!r}")
        module = importlib.import_module(home)
        # a public folder stands for itself
        value = module if home == f"{package}.{name}" else getattr(module, name)
        namespace[name] = value
        return value

    def names() -> list[str]:
        return sorted({*namespace, *homes})

    return load, names
