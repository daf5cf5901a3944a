"""C declarations of the plugin API in one version, for cffi."""

from __future__ import annotations

from textwrap import wrap

from workbench.api.functions import exported_in, version_range
from workbench.api.structures import STRUCTURES
from workbench.api.versions import known_version

__all__ = ["cdef"]


def _structures(version: tuple[int, int]) -> list[str]:
    lines = []
    for row in STRUCTURES.splitlines():
        versions, bar, line = row.partition("|")
        if not bar:
            lines.append("")
            continue
        first, last = version_range(versions)
        if first <= version <= last:
            lines.append(line[1:])
    # one blank line between declarations, also where whole ones are missing
    shown = [line for at, line in enumerate(lines) if line or lines[at - 1]]
    return shown[:-1] if shown and not shown[-1] else shown


def cdef(version: str = "3.12") -> str:
    """Return C declarations of the plugin API ``version`` for cffi's ``ffi.cdef``.

    All structures, constants and functions that a plugin of that version knows, such as
    ``plugin_init`` and ``ss_plugin_event``. Return codes and kinds are plain 32-bit
    numbers with named constants. Versions are those of ``workbench.api.VERSIONS``; a
    third number is ignored, as it never changed a declaration. Raises ArgumentError
    for any other.

    >>> import cffi
    >>> ffi = cffi.FFI()
    >>> ffi.cdef(cdef("2.0"))
    >>> ffi.sizeof("ss_plugin_event")
    32
    """
    number = known_version(version)
    lines = [f"/* Falco plugin API {number[0]}.{number[1]} */", *_structures(number)]
    group = ""
    for function in exported_in(number):
        if function.group != group:
            group = function.group
            title = "every plugin" if group == "plugin" else f"capability {group}"
            lines += ["", f"/* {title} */"]
        wrapped = wrap(
            function.declaration, 76, subsequent_indent="    ", break_long_words=False
        )
        wrapped[-1] += f"  /* {function.need} */" if function.need != "together" else ""
        lines += wrapped
    return "\n".join(lines) + "\n"
