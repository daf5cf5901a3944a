"""Run the demo with the lowest and the newest dependencies that are allowed.

``python tests/packaging/matrix.py WHEEL [lowest|newest …]``, on the Python that runs it.
Each runs in a new environment, with no compiler in reach.
"""

from __future__ import annotations

import re
import subprocess
import sys
import tempfile
import tomllib
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]


def lowest() -> list[str]:
    """The direct dependencies, each at its lower bound."""
    project = tomllib.loads((ROOT / "pyproject.toml").read_text("utf-8"))["project"]
    return [re.sub(r">=", "==", text, count=1) for text in project["dependencies"]]


def attempt(wheel: Path, kind: str) -> bool:
    """Install into a new environment and run the demo; print what came of it."""
    with tempfile.TemporaryDirectory() as folder:
        place = Path(folder) / "env"
        subprocess.run([sys.executable, "-m", "venv", str(place)], check=True)
        python = str(place / "bin" / "python")
        wanted = lowest() if kind == "lowest" else []
        install = [python, "-m", "pip", "install", "-q", "--only-binary", ":all:"]
        done = subprocess.run(
            [*install, str(wheel), *wanted], capture_output=True, text=True
        )
        if done.returncode:
            print(f"{kind}: cannot be installed\n{done.stderr}")
            return False
        shown = subprocess.run(
            [str(place / "bin" / "workbench"), "demo"],
            cwd=folder,
            env={"PATH": str(place / "bin"), "HOME": folder},
            capture_output=True,
            text=True,
        )
        listed = subprocess.run(
            [python, "-m", "pip", "list", "--format=freeze"],
            capture_output=True,
            text=True,
        ).stdout.split()
        main = [x for x in listed if re.match(r"(pandas|pyarrow|numpy|anywidget)=", x)]
        verdict = "demo runs" if shown.returncode == 0 else "demo fails"
        print(f"{kind}: {verdict} with {', '.join(main)}")
        if shown.returncode:
            print(shown.stdout[-2000:], shown.stderr[-2000:], sep="\n")
        return shown.returncode == 0


if __name__ == "__main__":
    kinds = sys.argv[2:] or ["lowest", "newest"]
    results = [attempt(Path(sys.argv[1]).resolve(), kind) for kind in kinds]
    sys.exit(not all(results))
