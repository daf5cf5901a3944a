"""Compile a plugin written in Python into a library that any Falco host can load.

Run as ``python -m workbench.authoring.python.build SOURCE OUT``: the author's source is
executed once to get its info and fields, so this happens in a process of its own;
 :func:`build_library` starts that process.
"""

from __future__ import annotations

import contextlib
import io
import json
import os
import shutil
import subprocess
import sys
import sysconfig
import tempfile
from pathlib import Path
from typing import TYPE_CHECKING, Any

from workbench.authoring.python.model import (
    API_VERSION,
    find_plugin_class,
    overrides,
)
from workbench.errors import WorkbenchError
from workbench.saving import file_errors, replacing

if TYPE_CHECKING:
    from workbench.authoring.python.model import PythonPlugin

__all__ = ["build_library"]

_TYPES = """
typedef struct { uint8_t *evt; uint64_t evtnum; const char *evtsrc; } wbp_event_input;
typedef struct {
    uint64_t number, time; const char *data; uint64_t size; const char *source;
} wbp_event;
typedef struct { uint32_t len; const void *ptr; } wbp_byte_buffer;
typedef struct {
    void *res; uint64_t res_len; uint32_t field_id; const char *field;
    const char *arg_key; uint64_t arg_index; uint32_t arg_present; uint32_t ftype;
    uint32_t flist;
} wbp_extract_field;
typedef struct {
    void *owner; void *get_owner_last_error; uint32_t num_fields;
    wbp_extract_field *fields;
} wbp_extract_input;
typedef struct {
    const char *config; void *owner; void *get_owner_last_error; void *tables;
    void *log_fn;
} wbp_init_input;
"""

_CALLS = """
void *wbp_py_init(const char *config, void *owner, void *log, int32_t *rc);
void wbp_py_destroy(void *s);
const char *wbp_py_last_error(void *s);
const char *wbp_py_list_open_params(void *s, int32_t *rc);
void *wbp_py_open(void *s, const char *params, int32_t *rc);
void wbp_py_close(void *s, void *h);
int32_t wbp_py_next_batch(void *s, void *h, uint32_t *count, uint8_t **arena);
const char *wbp_py_progress(void *s, void *h, uint32_t *pct);
const char *wbp_py_event_to_string(void *s, const wbp_event *event);
int32_t wbp_py_extract(void *s, const wbp_event *event, uint32_t count,
                       wbp_extract_field *fields);
int32_t wbp_py_parse(void *s, const wbp_event *event);
"""

# Runs in the interpreter inside the library, before the first call.
_START = """
import sys
for _path in {paths!r}:
    if _path not in sys.path:
        sys.path.append(_path)
from workbench.authoring.python.runtime import install
from {module} import ffi, lib
install(ffi, lib, {source!r}, {name!r}, {filename!r})
"""


def build_library(source: str | Path, out: str | Path) -> Path:
    """Compile the plugin in the file ``source`` into the library ``out``.

    Returns the path of the library. Raises WorkbenchError with what the compiler or the
    author's own code said.
    """
    command = [sys.executable, "-m", __name__, str(source), str(out)]
    done = subprocess.run(  # noqa: S603 - our own interpreter, no shell
        command, capture_output=True, text=True, check=False
    )
    if done.returncode:
        detail = (done.stderr.strip() or done.stdout.strip()).splitlines()
        text = "\n".join(detail[-40:])
        raise WorkbenchError(f"{source} does not build as a plugin:\n{text}")
    return Path(out)


def _c_text(text: str) -> str:
    """Return ``text`` as a C string literal, byte for byte."""
    return (
        '"'
        + "".join(f"\\{b:03o}" for b in text.encode("utf-8", "surrogateescape"))
        + '"'
    )


def _libpython() -> str:
    """Return the path of this interpreter's shared library.

    Raises WorkbenchError when the interpreter has none: it cannot be embedded then.
    """
    name = sysconfig.get_config_var("INSTSONAME") or ""
    folders = [sysconfig.get_config_var("LIBDIR"), sysconfig.get_config_var("LIBPL")]
    multiarch = sysconfig.get_config_var("MULTIARCH")
    if folders[0] and multiarch:
        folders.append(str(Path(folders[0]) / multiarch))
    if ".so" in name:
        for folder in folders:
            if folder and (Path(folder) / name).exists():
                return str(Path(folder) / name)
    raise WorkbenchError(
        f"{sys.executable} has no shared libpython, so it cannot be embedded in a "
        "library; install it (Debian: apt-get install libpython3-dev) or use a Python "
        "built with --enable-shared"
    )


def _described(plugin: type[PythonPlugin]) -> dict[str, Any]:
    """Return the constants to compile in, from the author's class."""
    made = plugin()
    info = made.info()
    fields = []
    for item in made.fields():
        entry: dict[str, Any] = {
            "type": item.type,
            "name": item.name,
            "desc": item.desc,
            "display": item.display,
            "isList": item.is_list,
            "properties": list(item.properties),
            "addOutput": item.add_output,
        }
        if item.arg is not None:
            entry["arg"] = {
                "isRequired": item.arg.required,
                "isIndex": item.arg.index,
                "isKey": item.arg.key,
            }
        fields.append(entry)
    sources = list(info.extract_event_sources)
    schema = plugin.init_schema
    return {
        "NAME": info.name,
        "VERSION": info.version,
        "DESCRIPTION": info.description,
        "CONTACT": info.contact,
        "API_VERSION": API_VERSION,
        "SOURCE": info.event_source,
        "FIELDS": json.dumps(fields),
        "SCHEMA": json.dumps(schema) if schema is not None else "",
        "EXTRACT_SOURCES": json.dumps(sources) if sources else "",
        "ID": info.id,
        "HAS_SOURCING": int(overrides(plugin, "next_batch")),
        "HAS_EXTRACTION": int(overrides(plugin, "extract")),
        "HAS_PARSING": int(overrides(plugin, "parse")),
    }


def _compile(source: Path, out: Path) -> None:
    from cffi import FFI

    text = source.read_text(encoding="utf-8")
    namespace: dict[str, Any] = {"__name__": source.stem, "__file__": str(source)}
    exec(compile(text, str(source), "exec"), namespace)  # noqa: S102 - the author's own
    facts = _described(find_plugin_class(namespace))
    facts |= {"LIBPYTHON": _libpython(), "EXECUTABLE": sys.executable}
    defines = "".join(
        f"#define WBP_{key} {value if isinstance(value, int) else _c_text(value)}\n"
        for key, value in facts.items()
    )
    module = "_wbp_" + "".join(c if c.isalnum() else "_" for c in facts["NAME"])
    package_root = str(Path(__file__).resolve().parents[3])
    paths = [p for p in sys.path if p and Path(p).is_dir()]
    paths += [package_root] if package_root not in paths else []
    ffi = FFI()
    ffi.cdef(_TYPES + "void wbp_call_log(void *, void *, const char *, int32_t);")
    ffi.embedding_api(_CALLS)
    glue = Path(__file__).with_name("glue.c").read_text(encoding="utf-8")
    ffi.set_source(
        module,
        "#include <stdint.h>\n" + _TYPES + _CALLS + defines + glue,
        py_limited_api=False,
    )
    ffi.embedding_init_code(
        _START.format(
            paths=paths,
            module=module,
            source=text,
            name=facts["NAME"],
            filename=os.path.abspath(source),  # noqa: PTH100 - links stay as named
        )
    )
    with tempfile.TemporaryDirectory(prefix="workbench-build-") as folder:
        c_file = Path(folder) / f"{module}.c"
        built = Path(folder) / "plugin.so"
        with contextlib.redirect_stdout(io.StringIO()):
            ffi.emit_c_code(str(c_file))
        _run_compiler(c_file, built)
        out.parent.mkdir(parents=True, exist_ok=True)
        # A new file: one that is mapped by a running worker must not change under it.
        with file_errors(out, "write"), replacing(out) as draft:
            shutil.copyfile(built, draft)
            draft.chmod(0o755)


def _run_compiler(c_file: Path, built: Path) -> None:
    compiler = shutil.which(os.environ.get("CC", "cc"))
    if compiler is None:
        raise WorkbenchError("no C compiler found; install one (apt-get install gcc)")
    library = Path(_libpython())
    command = [
        compiler,
        *("-shared", "-fPIC", "-O2", "-g", "-fvisibility=hidden"),
        f"-I{sysconfig.get_path('include')}",
        f"-I{sysconfig.get_path('platinclude')}",
        *("-o", str(built), str(c_file)),
        *(str(library), f"-Wl,-rpath,{library.parent}", "-ldl", "-lpthread"),
    ]
    done = subprocess.run(  # noqa: S603 - no shell
        command, capture_output=True, text=True, check=False
    )
    if done.returncode:
        raise WorkbenchError(done.stderr)


def _main() -> int:
    source, out = Path(sys.argv[1]), Path(sys.argv[2])
    try:
        _compile(source, out)
    except WorkbenchError as error:
        print(error, file=sys.stderr)  # noqa: T201 - this module is also a program
        return 1
    return 0


if __name__ == "__main__":
    raise SystemExit(_main())
