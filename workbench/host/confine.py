"""Bind this process before a stranger's plugin runs in it.

Once, in the worker, while it has a single thread:

1. Limits of resources; capabilities given up.
2. Landlock: files may be read where the plan says, written in one private folder.
3. The guard starts, a process that tells what is denied.
4. The filter of system calls. From here on nothing can be had back.
"""

from __future__ import annotations

import errno
import os
import resource

from workbench.host.needed import needed_files
from workbench.host.surroundings import DEVICES, readable_paths
from workbench.native._core import ffi, lib
from workbench.wire.messages import HostError

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Any

__all__ = ["confine", "missing_layers"]

_READ, _DEVICE, _FOLDER = 0, 1, 2
# What a plugin may hold at most. Files: each one in its private folder or in memory.
_MOST_DESCRIPTORS = 4096
_LARGEST_FILE_BYTES = 4 << 30
# Threads beside what runs already; the limit counts all of this user's.
_MOST_THREADS = 4096

_WHY_NO_LANDLOCK = {
    errno.ENOSYS: "this kernel has no Landlock; it needs Linux 5.13 or newer, built "
    "with CONFIG_SECURITY_LANDLOCK",
    errno.EOPNOTSUPP: "Landlock is switched off in this kernel; add landlock to the "
    "lsm= list of its command line",
    errno.EPERM: "Landlock is forbidden here, probably by the container's seccomp "
    "profile; allow landlock_create_ruleset, landlock_add_rule and "
    "landlock_restrict_self in it",
}
_WHY_NO_SECCOMP = {
    errno.ENOEXEC: "the filter of system calls is made for x86-64 and arm64 only",
    errno.ENOSYS: "this kernel has no seccomp; it needs one built with "
    "CONFIG_SECCOMP_FILTER",
    errno.EINVAL: "this kernel's seccomp cannot be built upon; it needs one built with "
    "CONFIG_SECCOMP_FILTER",
    errno.EOPNOTSUPP: "this kernel's seccomp is too old; it needs Linux 5.5 or newer",
    errno.EPERM: "seccomp is forbidden here, probably by the container's profile; "
    "allow the system call seccomp in it",
}


def _why(table: dict[int, str], name: str, code: int) -> str:
    return table.get(-code, f"{name} does not work here: {os.strerror(-code)}")


def missing_layers() -> list[str]:
    """Return what this system lacks for a sandbox; nothing when it has all."""
    missing = []
    landlock = lib.wb_landlock_version()
    if landlock < 0:
        missing.append(_why(_WHY_NO_LANDLOCK, "Landlock", landlock))
    seccomp = lib.wb_seccomp_check()
    if seccomp < 0:
        missing.append(_why(_WHY_NO_SECCOMP, "seccomp", seccomp))
    return missing


def _refuse(complaints: list[str]) -> HostError:
    shown = "\n  ".join(complaints)
    return HostError(
        "PluginLoadError",
        f"no sandbox can be made here, so nothing was loaded:\n  {shown}\n"
        "  (without sandbox=True a plugin runs with all your rights)",
        complaints=complaints,
    )


def _must(code: int, what: str) -> int:
    if code < 0:
        raise _refuse([f"{what} failed: {os.strerror(-code)}"])
    return code


def _limit(kind: int, most: int) -> None:
    _, hard = resource.getrlimit(kind)
    if hard != resource.RLIM_INFINITY:
        most = min(most, hard)
    resource.setrlimit(kind, (most, most))


def _threads_of_all() -> int:
    """Count the threads of the whole machine: this user has no more."""
    fd = os.open("/proc/loadavg", os.O_RDONLY | os.O_CLOEXEC)
    try:
        return int(os.read(fd, 256).split()[3].partition(b"/")[2])
    finally:
        os.close(fd)


def _limit_resources() -> None:
    _limit(resource.RLIMIT_CORE, 0)
    _limit(resource.RLIMIT_MSGQUEUE, 0)
    _limit(resource.RLIMIT_NOFILE, _MOST_DESCRIPTORS)
    _limit(resource.RLIMIT_FSIZE, _LARGEST_FILE_BYTES)
    _limit(resource.RLIMIT_NPROC, _threads_of_all() + _MOST_THREADS)


def _enforce_landlock(readable: list[str], folder: str, *, network: bool) -> None:
    rules = _must(lib.wb_landlock_new(network), "making Landlock's rules")
    try:
        for path in readable:
            code = lib.wb_landlock_allow(rules, os.fsencode(path), _READ)
            if code not in (0, -errno.ENOENT, -errno.EACCES):
                _must(code, f"allowing {path} to be read")
        for path in DEVICES:
            lib.wb_landlock_allow(rules, path.encode(), _DEVICE)
        allowed = lib.wb_landlock_allow(rules, os.fsencode(folder), _FOLDER)
        _must(allowed, f"allowing {folder} to be written")
        # The rule is tied to the entry for this process, which /proc may forget.
        os.open("/proc/self", os.O_PATH | os.O_DIRECTORY | os.O_CLOEXEC)
        _must(lib.wb_landlock_enforce(rules), "Landlock")
    finally:
        os.close(rules)


def _lines(paths: list[str]) -> Any:
    # A line feed in a path would only make the guard's words less exact.
    text = b"".join(os.fsencode(path) + b"\n" for path in paths)
    return ffi.from_buffer(bytearray(text + b"\0"))


def confine(plan: dict[str, Any], shared_page: Any, log_fd: int) -> dict[str, Any]:
    """Bind this process as ``plan`` says; tell what holds from now on.

    ``plan``: ``libraries`` and ``read`` (absolute paths), ``runtime`` (folders of the
    Python that runs here), ``network``, ``folder`` (the private one). Raises HostError
    (PluginLoadError) when anything is missing: never less than all of it.
    """
    complaints = missing_layers()
    if len(os.listdir("/proc/self/task")) != 1:  # noqa: PTH208 - the worker does not load pathlib
        complaints.append("the worker has threads already (a bug of the workbench)")
    if complaints:
        raise _refuse(complaints)
    network, folder = bool(plan["network"]), str(plan["folder"])
    libraries = [str(path) for path in plan["libraries"]]
    own = [*libraries, *needed_files(libraries), *plan["read"]]
    readable = [*readable_paths(network=network), *plan["runtime"], *own]
    canonical = list(dict.fromkeys(map(os.path.realpath, readable)))
    _limit_resources()
    _must(lib.wb_drop_capabilities(), "giving up capabilities")
    landlock = lib.wb_landlock_version()
    _enforce_landlock(canonical, folder, network=network)
    writable = [os.path.realpath(folder), *DEVICES]
    guard = _must(
        lib.wb_guard_start(
            log_fd, ffi.from_buffer(shared_page), _lines(canonical), _lines(writable)
        ),
        "starting the guard",
    )
    code = lib.wb_filter_enforce(network, landlock, 1)
    told = code != -errno.EBUSY
    if not told:
        # Somebody else hears of our calls already, such as a container's manager.
        code = lib.wb_filter_enforce(network, landlock, 0)
    facts = {
        "guard": guard,
        "landlock": landlock,
        "told": told,
        "readable": [os.path.realpath(path) for path in own],
        "error": None,
    }
    if code < 0:
        facts["error"] = _refuse([f"seccomp failed: {os.strerror(-code)}"]).to_wire()
    return facts
