"""Describe the cffi extension ``workbench.native._core`` to the build.

Every ``cdef/*.h`` is shown to cffi; every ``src/**/*.c`` is compiled and linked. So a
room of the C core is added by adding files, never by editing this list.
"""

from __future__ import annotations

import os
from pathlib import Path

from cffi import FFI

HERE = Path(__file__).resolve().parent
# setuptools wants paths relative to setup.py.
ROOT = HERE.parent.parent
SOURCES = sorted(str(p.relative_to(ROOT)) for p in HERE.glob("src/**/*.c"))
HEADERS = sorted(p.name for p in HERE.glob("cdef/*.h"))

ffibuilder = FFI()
for name in HEADERS:
    ffibuilder.cdef((HERE / "cdef" / name).read_text(encoding="utf-8"))
ffibuilder.set_source(
    "workbench.native._core",
    "".join(f'#include "{name.removesuffix(".h")}_api.h"\n' for name in HEADERS),
    sources=SOURCES,
    include_dirs=["workbench/native/src", "workbench/authoring/include"],
    extra_compile_args=[
        "-O3",
        # The pump's rooms are separate files; its hot path is one.
        "-flto",
        "-g",
        "-std=gnu11",
        "-Wall",
        "-Wextra",
        "-Wno-unused-parameter",
        "-fvisibility=hidden",
        *os.environ.get("WORKBENCH_CFLAGS", "").split(),
    ],
    extra_link_args=[
        "-flto",
        "-O3",
        "-ldl",
        "-lpthread",
        *os.environ.get("WORKBENCH_LDFLAGS", "").split(),
    ],
)

if __name__ == "__main__":
    os.chdir(ROOT)
    ffibuilder.compile(verbose=True)
