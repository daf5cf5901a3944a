"""The C core with another C library than glibc: musl, as on Alpine Linux."""

from __future__ import annotations

import subprocess
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[2]
SRC = ROOT / "workbench" / "native" / "src"


@pytest.fixture(scope="module")
def kernel_headers(tmp_path_factory):
    """A folder with the kernel's headers alone, which no C library brings."""
    found = tmp_path_factory.mktemp("kernel")
    for name in ("linux", "asm", "asm-generic"):
        places = [Path("/usr/include", name), *Path("/usr/include").glob(f"*/{name}")]
        place = next((p for p in places if p.is_dir()), None)
        if place is not None:
            (found / name).symlink_to(place)
    return found


@pytest.fixture(scope="module")
def compiler(require, kernel_headers):
    flags = ["-O1", "-std=gnu11", "-Wall", "-Wextra", "-Werror"]
    return [require("musl"), *flags, "-idirafter", str(kernel_headers)]


@pytest.fixture(scope="module")
def objects(compiler, tmp_path_factory):
    """Compile every source of the core."""
    out = tmp_path_factory.mktemp("objects")
    made = []
    for source in sorted(SRC.glob("*/*.c")):
        made.append(out / f"{source.parent.name}-{source.stem}.o")
        command = [*compiler, "-Wno-unused-parameter", f"-I{SRC}", "-c", str(source)]
        done = subprocess.run(
            [*command, "-o", str(made[-1])], capture_output=True, text=True
        )
        assert done.returncode == 0, done.stderr
    return made


def test_the_host_pumps_a_plugin_on_musl(compiler, objects, tmp_path):
    program, library = tmp_path / "run_host", tmp_path / "libprobe.so"
    tests = ROOT / "tests"
    for command in (
        [
            *(*compiler, f"-I{SRC}", str(tests / "native" / "run_host.c")),
            *(*map(str, objects), "-o", str(program)),
        ],
        [
            *(
                *(compiler[0], *compiler[1:3]),
                "-fPIC",
                "-shared",
                str(tests / "support" / "plugins" / "probe.c"),
            ),
            *("-o", str(library)),
        ],
    ):
        built = subprocess.run(command, capture_output=True, text=True)
        assert built.returncode == 0, built.stderr
    # Payload, raw event, plugin information, dictionaries; see run_host.c.
    done = subprocess.run(
        [str(program), str(library), "", "n=3000", "23", "0"],
        capture_output=True,
        text=True,
    )
    assert (done.returncode, done.stderr) == (0, "")
    assert "end 1, events 3000, rows 3000" in done.stdout
    assert done.stdout.endswith("live 0\n")
