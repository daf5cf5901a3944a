"""How much memory there is to use: of the machine, and of the group we run in."""

from __future__ import annotations

from pathlib import Path

__all__ = ["available_memory", "half_of_memory"]

_FALLBACK = 8 << 30
_PROC = Path("/proc")
_CGROUPS = Path("/sys/fs/cgroup")
# Version of control groups → limit, usage, and what of the usage can be given back.
_FILES = {
    2: ("memory.max", "memory.current", "inactive_file"),
    1: ("memory.limit_in_bytes", "memory.usage_in_bytes", "total_inactive_file"),
}


def _machine() -> int:
    try:
        text = (_PROC / "meminfo").read_text(encoding="ascii")
        for line in text.splitlines():
            if line.startswith("MemAvailable:"):
                return int(line.split()[1]) * 1024
    except (OSError, ValueError, IndexError):
        pass
    return _FALLBACK


def _groups() -> list[tuple[int, Path]]:
    """Return version and folder of every control group that holds this process."""
    try:
        text = (_PROC / "self" / "cgroup").read_text(encoding="utf-8")
    except (OSError, ValueError):
        return []
    found = []
    for line in text.splitlines():
        number, _, rest = line.partition(":")
        controllers, _, path = rest.partition(":")
        if number == "0" and not controllers:
            version, root = 2, _CGROUPS
        elif "memory" in controllers.split(","):
            version, root = 1, _CGROUPS / "memory"
        else:
            continue
        # In a container the path may be that of the outside: then the root is ours.
        folder = root / path.lstrip("/")
        folders = [folder, *folder.parents] if ".." not in folder.parts else [root]
        found += [(version, f) for f in folders if f == root or root in f.parents]
        found.append((version, root))
    return found


def _free_in(version: int, folder: Path) -> int | None:
    limit_file, usage_file, cache = _FILES[version]
    try:
        limit = int((folder / limit_file).read_text(encoding="ascii"))
        usage = int((folder / usage_file).read_text(encoding="ascii"))
        stat = (folder / "memory.stat").read_text(encoding="ascii")
    except (OSError, ValueError):
        return None  # "max", the root group, or no such group here
    for line in stat.splitlines():
        name, _, value = line.partition(" ")
        if name == cache and value.isdigit():
            usage -= int(value)
    return max(0, limit - max(0, usage))


def available_memory() -> int:
    """Return the bytes that can be taken now, of the machine and of its groups."""
    free = [_free_in(version, folder) for version, folder in _groups()]
    return min([_machine(), *(size for size in free if size is not None)])


def half_of_memory() -> int:
    """Return half of the memory available now, bytes; never less than 64 MiB."""
    return max(available_memory() // 2, 64 << 20)
