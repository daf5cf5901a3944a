"""The versions of the plugin API, and reading their names."""

from __future__ import annotations

from workbench.errors import ArgumentError

__all__ = ["VERSIONS", "known_version"]

# Each version whose libraries may be met, with its minor numbers.
VERSIONS = tuple(
    f"{major}.{minor}"
    for major, minors in ((0, (1, 2, 3)), (1, (0, 1)), (2, (0, 1)), (3, range(13)))
    for minor in minors
)


def known_version(text: str) -> tuple[int, int]:
    """Return major and minor number of a version such as ``"3.12"`` or ``"3.4.1"``.

    Raises ArgumentError for a version of the plugin API that never was. The third
    number never changed a declaration.
    """
    parts = text.split(".") if isinstance(text, str) else []
    if len(parts) in {2, 3} and all(p.isascii() and p.isdigit() for p in parts):
        plain = [int(p) for p in parts if len(p) <= 3]
        if len(plain) == len(parts) and f"{plain[0]}.{plain[1]}" in VERSIONS:
            return plain[0], plain[1]
    raise ArgumentError(
        f"expected a version of the plugin API, not {text!r:.40}; there are "
        f"{', '.join(VERSIONS)}"
    )
