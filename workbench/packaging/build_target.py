"""What the package is built for: the operating system, and the Python of the build."""

from __future__ import annotations

import sys
import sysconfig

__all__ = ["more_requirements", "refuse_other_systems", "wheel_options"]

_NAMES = {"darwin": "macOS", "win32": "Windows", "cygwin": "Cygwin"}


def refuse_other_systems() -> None:
    """Raise SystemExit with one sentence on anything but Linux.

    pip shows it as the build's whole output; a traceback or the complaints of a
    compiler would say less.
    """
    if sys.platform != "linux":
        raise SystemExit(
            "The Falco Plugin Workbench runs on Linux only, not on "
            f"{_NAMES.get(sys.platform, sys.platform)}: use it in a Linux container or "
            "virtual machine, or under WSL 2."
        )


def _free_threaded() -> bool:
    return bool(sysconfig.get_config_var("Py_GIL_DISABLED"))


def more_requirements() -> list[str]:
    """Return what this Python needs to build with, beside ``build-system.requires``."""
    # Older ones know nothing of Python without a global lock.
    return ["cffi>=2.0"] if _free_threaded() else []


def wheel_options() -> dict[str, str]:
    """Return the options of bdist_wheel: one wheel for every Python where that works.

    The extension keeps to the limited API, but free-threaded and debug builds of
    Python have another binary interface, so there cffi does not ask for it.
    """
    if _free_threaded() or hasattr(sys, "gettotalrefcount"):
        return {}
    return {"py_limited_api": "cp311"}
