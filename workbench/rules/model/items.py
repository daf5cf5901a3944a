"""Rules, macros and lists as a sequence that is also looked up by name."""

from __future__ import annotations

from typing import Any, Generic, SupportsIndex, TypeVar, overload

__all__ = ["ItemList"]

_T = TypeVar("_T")


class ItemList(tuple[_T, ...], Generic[_T]):
    """Rules, macros or lists in definition order; also by name: ``rules["name"]``."""

    __slots__ = ()

    @overload
    def __getitem__(self, key: str | SupportsIndex) -> _T: ...

    @overload
    def __getitem__(self, key: slice) -> tuple[_T, ...]: ...

    def __getitem__(self, key: Any) -> Any:
        """Return an item by name or position."""
        if isinstance(key, str):
            for item in self:
                if item.name == key:  # type: ignore[attr-defined]
                    return item
            raise KeyError(key)
        return super().__getitem__(key)

    def __contains__(self, key: object) -> bool:
        """Whether an item, or one of that name, is there."""
        if isinstance(key, str):
            return key in self.keys()
        return super().__contains__(key)

    def keys(self) -> list[str]:
        """Return the names."""
        return [item.name for item in self]  # type: ignore[attr-defined]

    def values(self) -> list[_T]:
        """Return the items."""
        return list(self)

    def items(self) -> list[tuple[str, _T]]:
        """Return names and items."""
        return list(zip(self.keys(), self, strict=True))

    def get(self, name: str, default: Any = None) -> Any:
        """Return an item by name, or ``default``."""
        return next((i for n, i in self.items() if n == name), default)
