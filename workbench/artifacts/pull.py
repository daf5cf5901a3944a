"""``workbench get``: from a name to files in the user's folder.

name ──index──► reference ──registry──► manifests, configs, dependencies   resolve
──► archives, by digest                                                    download
──► files beside their places ──► all renamed into place, with records     installer
"""

from __future__ import annotations

import contextlib
import warnings
from typing import TYPE_CHECKING

from workbench.artifacts.asking import Asker
from workbench.artifacts.download import forget_old_parts
from workbench.artifacts.faults import ArtifactFault, artifact_error
from workbench.artifacts.install import owned_root
from workbench.artifacts.installer import Installer, Pulled
from workbench.artifacts.resolve import Resolver

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

__all__ = ["Pulled", "get", "pull"]


def get(
    name: str,
    *,
    version: str | None = None,
    registry: str | None = None,
    index: str | None = None,
    insecure: bool = False,
) -> Path:
    """Return the plugin or rules file ``name``, fetched from an OCI registry.

    It goes into the user's folder, together with what it depends on; what is there
    already, unchanged, is not fetched again. Afterwards ``wb.load(name)`` finds a
    plugin. Of rules files that are several, their folder is returned.

    ``name``: looked up in the index, or HOST/REPOSITORY; ``:TAG`` or ``@DIGEST`` may
    follow. ``version``: the tag; None for latest. ``registry``: HOST or HOST/FOLDER
    to fetch from; without ``index`` the artifact is HOST/FOLDER/name, with it the
    repository of the index there. ``index``: address or file; None for that of the
    Falco project. ``insecure``: without TLS, for a registry on this machine.

    A plugin is not loaded for this. One that is there already may be asked for its
    version, in the sandbox; where the kernel has none, in a worker process alone, with
    a warning. Digests are verified, signatures are not. Credentials are docker's.
    Raises ArtifactError, with nothing installed.
    """

    def warn(text: str) -> None:
        warnings.warn(text, stacklevel=2)

    pulled = pull(
        name,
        version=version,
        registry=registry,
        index=index,
        insecure=insecure,
        notify=warn,
    )
    return pulled[-1].record.main


def pull(
    name: str,
    *,
    version: str | None = None,
    registry: str | None = None,
    index: str | None = None,
    insecure: bool = False,
    notify: Callable[[str], None],
) -> list[Pulled]:
    """Fetch as :func:`get` does; return dependencies first, what was asked for last.

    ``notify``: told what is odd, one sentence each. Raises ArtifactError.
    """
    resolver = Resolver(
        registry=registry,
        index=index,
        insecure=insecure,
        notify=notify,
        plugin_version=_version_by(Asker(notify)),
    )
    with contextlib.closing(resolver):
        try:
            with owned_root(notify) as root:
                forget_old_parts(root / "partial")
                plan = resolver.plan(name, version)
                return Installer(resolver, root).run(plan)
        except ArtifactFault as fault:
            raise artifact_error(fault, name) from None


def _version_by(ask: Asker) -> Callable[[str], str]:
    """Return what tells the version of a library that is there, "" when it cannot."""

    def version(path: str) -> str:
        from workbench.errors import WorkbenchError

        with contextlib.suppress(WorkbenchError):
            return ask(path).version
        return ""

    return version
