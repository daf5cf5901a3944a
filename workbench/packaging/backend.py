"""The build backend: setuptools, plus the C core, the JavaScript and the shared files.

Four things happen beyond plain setuptools, each in its own step of the build:

1. the cffi extension is described by ``workbench/native/build_core.py``;
2. the browser scripts are bundled by ``workbench/ui/build_js.py`` when Node is present;
3. notebooks and sample plugins, which live at the top of a clone, are copied to
   ``workbench/_share`` of a wheel, so that an installed package has them too;
4. the ``weblog`` sample is built there, so that a first look needs no compiler.

Run as a script it takes setuptools commands, for example ``build_ext --inplace``.
"""

from __future__ import annotations

import importlib.util
import os
import shutil
import subprocess
import sys
import warnings
from pathlib import Path
from typing import TYPE_CHECKING, Any

import setuptools
from build_target import more_requirements, refuse_other_systems, wheel_options
from setuptools import build_meta
from setuptools.command.build_py import build_py
from setuptools.command.sdist import sdist

if TYPE_CHECKING:
    from collections.abc import Iterator

ROOT = Path(__file__).resolve().parents[2]
SHARED = ("notebooks", "sample_plugins")
# What building a sample leaves behind stays out of wheels and source archives.
_LEFT_OUT_DIRS = {"target", "_build", "__pycache__", ".ipynb_checkpoints"}
_TIMEOUT_SEC = 300
_LEFT_OUT_SUFFIXES = {".so", ".o", ".a", ".pyc", ".h.gch", ".stamp"}


def shared_files() -> Iterator[Path]:
    """Yield the files of the shared folders, relative to the clone's root."""
    for folder in SHARED:
        for path in sorted((ROOT / folder).rglob("*")):
            relative = path.relative_to(ROOT)
            if path.is_dir() or _LEFT_OUT_DIRS & set(relative.parts):
                continue
            if path.suffix not in _LEFT_OUT_SUFFIXES:
                yield relative


def _module(*parts: str) -> Any:
    """Return one module of the package by its path: the package needs more."""
    path = ROOT.joinpath("workbench", *parts)
    spec = importlib.util.spec_from_file_location(f"workbench_{path.stem}", path)
    if spec is None or spec.loader is None:
        raise ImportError(f"{path} is not there")
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


def build_scripts() -> None:
    """Bundle the browser scripts."""
    _module("ui", "build_js.py").build()


def build_sample(samples: Path) -> None:
    """Build the ``weblog`` sample in ``samples``, and note what it was built from.

    ``CC`` chooses the compiler, as for the C core. Without make, or a compiler, the
    wheel brings the sources alone.
    """
    folder = samples / "weblog"
    headers = ROOT / "workbench" / "authoring" / "include"
    make = shutil.which("make")
    if make is None:
        print("workbench: make not found, so no sample is built", file=sys.stderr)  # noqa: T201 - a build prints
        return
    compiler = os.environ.get("CC") or "cc"
    subprocess.run(  # noqa: S603 - no shell
        [make, "-C", str(folder), f"INCLUDE={headers}", f"CC={compiler}", "CFLAGS=-O2"],
        stdin=subprocess.DEVNULL,
        stdout=sys.stderr,
        check=True,
        timeout=_TIMEOUT_SEC,
    )
    prebuilt = _module("authoring", "prebuilt.py")
    digest = prebuilt.sample_digest(folder, headers)
    (folder / prebuilt.PREBUILT).write_text(digest + "\n", "ascii")


class BuildPy(build_py):
    """Copy the package, its bundled scripts, and the shared folders."""

    def run(self) -> None:
        """Bundle first, so that the bundles are found as package data."""
        build_scripts()
        # setuptools looked for data files before they were made.
        self.__dict__.pop("data_files", None)
        super().run()
        if getattr(self, "editable_mode", False):
            return
        target = Path(self.build_lib) / "workbench" / "_share"
        shutil.rmtree(target, ignore_errors=True)
        for relative in shared_files():
            (target / relative).parent.mkdir(parents=True, exist_ok=True)
            shutil.copy2(ROOT / relative, target / relative)
        build_sample(target / "sample_plugins")


class SourceArchive(sdist):
    """Add the bundled scripts and the shared folders to the source archive.

    With the scripts inside, building from the archive needs no Node.
    """

    def run(self) -> None:
        """Bundle first, so that the bundles are found as package data."""
        build_scripts()
        super().run()

    def make_distribution(self) -> None:
        """List what setuptools found, without single tests, then ours."""
        files = [name for name in self.filelist.files if not name.startswith("tests/")]
        files += [str(path) for path in shared_files()]
        self.filelist.files = [*files, "CHANGELOG.md"]
        super().make_distribution()


def _setup() -> None:
    refuse_other_systems()
    os.chdir(ROOT)
    # An editable install of a flat layout is meant here, not a mistake.
    warnings.filterwarnings("ignore", message=r"(?s).*Editable installation")
    setuptools.setup(
        cffi_modules=["workbench/native/build_core.py:ffibuilder"],
        cmdclass={"build_py": BuildPy, "sdist": SourceArchive},
        options={"bdist_wheel": wheel_options()},
    )


class _Backend(build_meta._BuildMetaBackend):  # noqa: SLF001 - the hook it offers
    """setuptools' own backend with our setup() instead of a setup.py."""

    def run_setup(self, setup_script: str = "setup.py") -> None:
        """Run our setup(); ``setup_script`` is not used."""
        del setup_script
        _setup()


_backend: Any = _Backend()
build_wheel = _backend.build_wheel
build_sdist = _backend.build_sdist
build_editable = _backend.build_editable
prepare_metadata_for_build_wheel = _backend.prepare_metadata_for_build_wheel
prepare_metadata_for_build_editable = _backend.prepare_metadata_for_build_editable


def get_requires_for_build_wheel(config_settings: Any = None) -> list[str]:
    """Return what building a wheel needs. The first of all hooks that pip calls."""
    refuse_other_systems()
    found: list[str] = _backend.get_requires_for_build_wheel(config_settings)
    return [*found, *more_requirements()]


get_requires_for_build_sdist = get_requires_for_build_wheel
get_requires_for_build_editable = get_requires_for_build_wheel

if __name__ == "__main__":
    # Found beside this file, these names would shadow real packages.
    sys.path[:] = [
        p for p in sys.path if Path(p or ".").resolve() != Path(__file__).parent
    ]
    _setup()
