"""The sandbox of a worker, seen from the parent: what is asked for, and what holds.

1. ``sandbox=True`` becomes a :class:`SandboxPolicy`, which grows by what open params
   name: Landlock cannot be loosened, so a worker with less than is needed is replaced.
2. Each worker gets a :class:`SandboxPlan` of its own before it loads anything
   (``host.confine`` follows it), and answers with what holds.
3. ``plugin.sandbox`` shows that as a :class:`Sandbox`; what was denied comes as lines
   of the log, and at the end of the errors that it may have caused.
"""

from __future__ import annotations

import functools
import json
import os
import sysconfig
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

from workbench.errors import PluginLoadError, PluginOpenError, WorkbenchError
from workbench.formatting.printable import printable
from workbench.session.named_paths import named_paths

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

    from workbench.session.types import LogLine

__all__ = [
    "Denials",
    "Sandbox",
    "SandboxPlan",
    "SandboxPolicy",
    "sandbox_policy",
]

# What the guard's lines in the log are marked with.
_COMPONENT = "sandbox"
_SHOWN_DENIALS = 8
# What a worker sees of the environment: no keys, no tokens, nobody's home.
_KEPT_VARIABLES = frozenset(
    [
        *("PATH", "LANG", "LANGUAGE", "TZ", "LD_LIBRARY_PATH"),
        *("GOMAXPROCS", "GODEBUG", "GOGC", "GOMEMLIMIT", "GOTRACEBACK"),
        *("RUST_BACKTRACE", "RUST_LOG"),
    ]
)
_NETWORK_VARIABLES = frozenset(
    [
        *("http_proxy", "https_proxy", "no_proxy"),
        *("HTTP_PROXY", "HTTPS_PROXY", "NO_PROXY"),
        *("SSL_CERT_FILE", "SSL_CERT_DIR"),
    ]
)


@functools.cache
def _runtime_folders() -> list[str]:
    """Return the folders of this Python: plugins written in Python import from them."""
    paths = sysconfig.get_paths()
    found = [paths[name] for name in ("stdlib", "platstdlib", "purelib", "platlib")]
    found.append(str(Path(__file__).resolve().parents[1]))
    return list(dict.fromkeys(path for path in found if os.path.isdir(path)))  # noqa: PTH112


@dataclass(frozen=True, slots=True)
class SandboxPlan:
    """What one worker is bound to.

    ``libraries``: plugins that it loads. ``read``: files and folders that it may read
    besides. Both absolute. ``network``: whether it may use the Internet.
    """

    libraries: tuple[str, ...]
    read: tuple[str, ...]
    network: bool

    def includes(self, other: SandboxPlan) -> bool:
        """Whether a worker bound to this may do all that ``other`` allows."""
        return {*self.libraries, *self.read} >= {*other.libraries, *other.read} and (
            self.network or not other.network
        )

    def to_wire(self, folder: str) -> bytes:
        """Return the plan as the worker reads it; ``folder``: its private one."""
        plan = {
            "libraries": self.libraries,
            "read": self.read,
            "runtime": _runtime_folders(),
            "network": self.network,
            "folder": folder,
        }
        return json.dumps(plan).encode()

    def environment(self, folder: str, values: dict[str, str]) -> dict[str, str]:
        """Return what a worker sees of the environment ``values``."""
        kept = _KEPT_VARIABLES | (_NETWORK_VARIABLES if self.network else frozenset())
        seen = {k: v for k, v in values.items() if k in kept or k.startswith("LC_")}
        home = dict.fromkeys(("HOME", "TMPDIR", "TMP", "TEMP"), folder)
        return {**seen, **home, "PYTHONDONTWRITEBYTECODE": "1"}


class SandboxPolicy:
    """What the plugins loaded together may do; ``network`` and the paths to read."""

    def __init__(self, read: Iterable[str], *, network: bool) -> None:
        """Start with the paths that were given."""
        self.network = network
        self.given = tuple(read)
        self._read = dict.fromkeys(self.given)
        # What the latest worker answered.
        self.facts: dict[str, Any] = {}

    def read_named(self, params: str, *, suggested: bool = False) -> None:
        """Allow the files and folders that open params name to be read.

        ``suggested``: these params are the plugin's own words, by which it must not
        choose what it reads: PluginOpenError where they name anything new.
        """
        new = [path for path in named_paths(params) if not self._may_read(path)]
        if new and suggested:
            raise PluginOpenError(
                f"the open params {params!r} are the plugin's own suggestion, and in a "
                f"sandbox a plugin does not choose what it reads; to let it, load it "
                f"with sandbox_read={new!r}",
                params=params,
            )
        self._read |= dict.fromkeys(new)

    def _may_read(self, path: str) -> bool:
        return any(
            path == p or path.startswith(p.rstrip("/") + "/") for p in self._read
        )

    @property
    def options(self) -> dict[str, Any]:
        """The public keywords that give the same policy."""
        return {
            "sandbox": True,
            "sandbox_read": list(self.given),
            "sandbox_network": self.network,
        }

    def plan(self, libraries: Sequence[str]) -> SandboxPlan:
        """Return the plan for a worker that loads ``libraries``."""
        return SandboxPlan(tuple(libraries), tuple(self._read), self.network)


def sandbox_policy(
    sandbox: bool,  # noqa: FBT001 - the public keyword's value
    read: Iterable[str | os.PathLike[str]],
    *,
    network: bool,
    isolation: str = "process",
) -> SandboxPolicy | None:
    """Return the policy that the public keywords ask for, None for no sandbox.

    Raises WorkbenchError where they make no sense together, and for a path that does
    not exist.
    """
    if isinstance(read, str | os.PathLike):
        read = [read]
    paths = [os.path.realpath(os.path.expanduser(os.fspath(p))) for p in read]  # noqa: PTH111
    if not sandbox:
        if paths or network:
            raise WorkbenchError(
                "sandbox_read and sandbox_network loosen a sandbox, but none is asked "
                "for; add sandbox=True"
            )
        return None
    if isolation == "none":
        raise WorkbenchError(
            'sandbox=True cannot be had with isolation="none": it would bind this '
            'process itself, for ever; leave isolation at "process"'
        )
    for path in paths:
        if not os.path.exists(path):  # noqa: PTH110
            raise WorkbenchError(f"sandbox_read names {path}, which does not exist")
    return SandboxPolicy(paths, network=network)


class Denials:
    """What the guard told and no error carries yet."""

    def __init__(self) -> None:
        """Start with nothing told."""
        self._seen_ns = 0

    def explain(self, error: WorkbenchError, lines: Iterable[LogLine]) -> None:
        """Add to ``error`` what was denied since the latest error, bounded."""
        new = [line for line in denied(lines) if line.time_ns > self._seen_ns]
        if not new:
            return
        self._seen_ns = new[-1].time_ns
        texts = list(dict.fromkeys(printable(line.message) for line in new))
        shown = texts[:_SHOWN_DENIALS]
        if len(texts) > len(shown):
            shown.append(f"… and {len(texts) - len(shown)} more (see plugin.sandbox)")
        error.message += "\n  the sandbox denied it before:\n    " + "\n    ".join(
            shown
        )
        error.message += "\n  (sandbox_read and sandbox_network allow more)"
        error.args = (error.message,)
        if isinstance(error, PluginLoadError) and error.complaints:
            error.complaints = [*error.complaints, *shown]


def denied(lines: Iterable[LogLine]) -> list[LogLine]:
    """Return the lines that tell what was denied."""
    return [x for x in lines if x.stream == "log" and x.component == _COMPONENT]


@dataclass(frozen=True, slots=True)
class Sandbox:
    """What holds for a plugin in the sandbox.

    ``layers``: what binds it, in words. ``readable``: the files and folders it may read
    beside the system's own, canonical. ``network``: whether it may use the Internet.
    ``denied``: what was denied so far, oldest first.
    """

    layers: tuple[str, ...]
    readable: tuple[str, ...]
    network: bool
    denied: tuple[str, ...]

    def __repr__(self) -> str:
        rows = ["Sandbox", *(f"  holds     {layer}" for layer in self.layers)]
        rows += [f"  may read  {printable(path)}" for path in self.readable]
        rows.append(f"  network   {'allowed' if self.network else 'denied'}")
        rows += [f"  denied    {printable(text)}" for text in self.denied[-20:]]
        if not self.denied:
            rows.append("  denied    nothing so far")
        return "\n".join(rows)


def sandbox_shown(policy: SandboxPolicy, lines: Iterable[LogLine]) -> Sandbox:
    """Return what holds for the latest worker of ``policy``, and what was denied."""
    facts = policy.facts
    files = "it reads system libraries and the paths below, writes a private folder"
    layers = [
        f"Landlock {facts.get('landlock')}: {files}",
        "seccomp: no programs, processes, signals to others, mounts, keys, tracing",
        "no new privileges, capabilities, core dumps; bounded files and threads",
        "an environment without your variables",
    ]
    if not facts.get("told", True):
        layers.append("what is denied cannot be shown: seccomp already has a listener")
    texts = dict.fromkeys(line.message for line in denied(lines))
    readable = tuple(str(path) for path in facts.get("readable", ()))
    return Sandbox(tuple(layers), readable, policy.network, tuple(texts))
