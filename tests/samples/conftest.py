from __future__ import annotations

import json
import os
import shutil
import struct
import subprocess
from dataclasses import dataclass
from pathlib import Path
from urllib.parse import unquote_to_bytes

import pytest

from tests.support.compiled import compiled, make_sample

HERE = Path(__file__).resolve().parent
ROOT = HERE.parent.parent
INCLUDE = ROOT / "workbench" / "authoring" / "include"
SANITIZERS = ("-fsanitize=address,undefined", "-fno-sanitize-recover=undefined")
TYPES = {
    "uint64": 8,
    "string": 9,
    "reltime": 20,
    "abstime": 21,
    "bool": 25,
    "ipaddr": 40,
    "ipnet": 41,
}


@dataclass
class Run:
    """What one run of the driver gave: a row of values per event, and its words."""

    status: int
    rows: list[list]
    numbers: list[tuple[int, int]]
    strings: list[bytes]
    words: str


def _value(text: str, kind: str, is_list: bool):
    if text == "-":
        return None
    if text.startswith("!"):
        return ValueError(text[1:])
    read = unquote_to_bytes if kind in {"string", "ipaddr", "ipnet"} else int
    values = [read(one.partition("@")[0]) for one in text.split(",")]
    return values if is_list else values[0]


class Driver:
    """Runs one library in the driver, under the sanitizers."""

    def __init__(self, program: Path, library: Path):
        self.program, self.library = program, library
        listed = self._call(str(library))
        assert listed.returncode == 0, listed.stderr
        self.fields = json.loads(listed.stdout.decode(errors="replace"))

    def _call(self, *arguments: str) -> subprocess.CompletedProcess:
        env = {**os.environ, "ASAN_OPTIONS": "detect_leaks=1:abort_on_error=0"}
        command = [str(self.program), *arguments]
        return subprocess.run(command, capture_output=True, env=env, timeout=120)

    def run(self, fields=(), *, config: str = "", params: str = "") -> Run:
        by_name = {field["name"]: (i, field) for i, field in enumerate(self.fields)}
        asked = []
        for text in fields:
            name, bracket, argument = text.partition("[")
            number, field = by_name[name]
            spec = (
                f"{number}:{TYPES[field['type']]}:{int(field.get('isList', False))}"
                f":{name}"
            )
            asked.append(spec + (":" + argument[:-1] if bracket else ""))
        done = self._call(str(self.library), config, params, *asked)
        words = done.stderr.decode(errors="replace")
        assert "Sanitizer" not in words, words
        assert "runtime error" not in words, words
        rows, numbers, strings = [], [], []
        for line in done.stdout.decode().splitlines():
            number, ts, *values = line.split("\t")
            kinds = [by_name[text.partition("[")[0]][1] for text in fields]
            numbers.append((int(number), int(ts)))
            strings.append(unquote_to_bytes("".join(values[len(kinds) :])))
            rows.append(
                [
                    _value(value, kind["type"], kind.get("isList", False))
                    for value, kind in zip(values, kinds, strict=False)
                ]
            )
        return Run(done.returncode, rows, numbers, strings, words)

    def extract(self, payloads: list[bytes], fields, folder: Path) -> Run:
        packed = b"".join(struct.pack("<I", len(p)) + p for p in payloads)
        path = folder / "payloads"
        path.write_bytes(packed)
        return self.run(fields, params=f"@{path}")


@pytest.fixture(scope="session")
def compile_sanitized():
    """Compile a C or C++ file under the sanitizers and give the path of the result."""

    def build(source: Path, output: str, *flags: str, plain: bool = False) -> Path:
        is_cpp = source.suffix == ".cpp"
        compiler = os.environ.get("CXX" if is_cpp else "CC", "c++" if is_cpp else "cc")
        if shutil.which(compiler) is None:
            pytest.skip(f"{compiler} is not installed here")
        return compiled(
            output,
            *("-Wall", "-Wextra", "-g", "-O1", f"-I{INCLUDE}", *flags),
            *(() if plain else SANITIZERS),
            source,
            libraries=("-ldl",),
            compiler=compiler,
        )

    return build


@pytest.fixture(scope="session")
def driver_program(compile_sanitized) -> Path:
    return compile_sanitized(HERE / "driver.c", "driver")


@pytest.fixture(scope="session")
def sanitized(driver_program, require):
    """Build a sample under the sanitizers and give a driver of its library."""

    def build(name: str, library: str | None = None) -> Driver:
        if name in {"dummy_c", "json_extract"}:
            require("cpp")
        folder = ROOT / "sample_plugins" / name
        assert "warning" not in make_sample(folder, "SAN=1")
        return Driver(
            driver_program, folder / "_build" / "san" / (library or f"lib{name}.so")
        )

    return build
