"""What any plugin may read: the files of the system that runtimes need.

Nothing here is the user's own. Accounts (``/etc/passwd``), the keys under ``/etc/ssl``
and what other processes show of themselves are left out.
"""

from __future__ import annotations

import os

from workbench.host.needed import SYSTEM_FOLDERS

__all__ = ["DEVICES", "readable_paths"]

# May also be written: they hold nothing.
DEVICES = ("/dev/null", "/dev/zero", "/dev/full", "/dev/random", "/dev/urandom")

_ALWAYS = (
    # The dynamic loader, and what the C library reads at any time.
    "/etc/ld.so.cache",
    "/etc/ld.so.preload",
    "/etc/localtime",
    "/etc/timezone",
    "/usr/share/zoneinfo",
    "/usr/share/locale",
    "/usr/share/i18n",
    "/etc/ssl/openssl.cnf",
    # The process itself, and the machine it runs on: Go, Rust and C++ runtimes count
    # processors, memory and pages at their start.
    "/proc/self",
    "/proc/cpuinfo",
    "/proc/meminfo",
    "/proc/stat",
    "/proc/filesystems",
    "/proc/version",
    "/proc/sys/vm/overcommit_memory",
    "/proc/sys/vm/max_map_count",
    "/proc/sys/kernel/osrelease",
    "/proc/sys/kernel/cap_last_cap",
    "/proc/sys/kernel/pid_max",
    "/sys/devices/system/cpu",
    "/sys/devices/system/node",
    "/sys/kernel/mm/transparent_hugepage",
)
# Finding other machines, and knowing them by their certificates.
_NETWORK = (
    "/etc/resolv.conf",
    "/etc/hosts",
    "/etc/host.conf",
    "/etc/hostname",
    "/etc/nsswitch.conf",
    "/etc/gai.conf",
    "/etc/services",
    "/etc/protocols",
    "/etc/ssl/certs",
    "/etc/ssl/cert.pem",
    "/etc/pki/tls/certs",
    "/etc/pki/ca-trust",
    "/etc/ca-certificates",
    "/usr/share/ca-certificates",
    "/usr/local/share/ca-certificates",
    "/proc/sys/net/core/somaxconn",
    "/proc/sys/net/ipv6/conf/all/disable_ipv6",
)
# The limits of a container, from which runtimes take their number of threads.
_LIMITS = {
    "": ("cpu.max", "cpuset.cpus.effective", "memory.max", "memory.high"),
    "cpu": ("cpu.cfs_quota_us", "cpu.cfs_period_us", "cpu.shares"),
    "memory": ("memory.limit_in_bytes",),
}


def _cgroup_files() -> list[str]:
    """Return the files with the limits of this process's control groups."""
    found = []
    try:
        with open("/proc/self/cgroup", encoding="utf-8") as file:  # noqa: PTH123 - the worker does not load pathlib
            lines = file.read(1 << 16).splitlines()
    except (OSError, ValueError):
        return []
    for line in lines:
        _, _, rest = line.partition(":")
        controllers, _, group = rest.partition(":")
        for controller in controllers.split(","):
            root = f"/sys/fs/cgroup/{controllers}" if controllers else "/sys/fs/cgroup"
            # A limit of any group above holds as well.
            parts = [p for p in group.split("/") if p not in {"", "..", "."}]
            for depth in range(len(parts) + 1):
                folder = "/".join([root, *parts[:depth]])
                found += [f"{folder}/{name}" for name in _LIMITS.get(controller, ())]
    return found


def readable_paths(*, network: bool) -> list[str]:
    """Return the system's files and folders that a plugin may read, if they exist."""
    paths = [*SYSTEM_FOLDERS, *_ALWAYS, *_cgroup_files()]
    if network:
        paths += _NETWORK
    return [path for path in paths if os.path.exists(path)]  # noqa: PTH110 - as above
