"""The C declarations of each plugin API, held against compilers and real libraries."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import cffi
import pytest

import workbench as wb
from tests.support.compiled import compiled
from workbench.api.functions import FUNCTIONS, exported_in
from workbench.api.versions import known_version

HEADERS = Path(wb.__file__).parent / "authoring" / "include"


def declared(version):
    ffi = cffi.FFI()
    ffi.cdef(wb.api.cdef(version))
    return ffi


@pytest.mark.parametrize("version", wb.api.VERSIONS)
def test_cffi_takes_the_declarations_of_every_version(version):
    ffi = declared(version)
    assert ffi.typeof("ss_plugin_rc") is ffi.typeof("int32_t")
    text = wb.api.cdef(version)
    for function in exported_in(known_version(version)):
        assert f" {function.name}(" in text.replace("\n    ", " ")


# Measured with plugins compiled against each generation.
SIZES = {
    "0.1": {"extract_field": 40, "event": 32},
    "0.3": {"extract_field": 48, "event": 32},
    "1.0": {"extract_field": 64, "event": 32},
    "2.1": {"extract_field": 64, "byte_buffer": 16},
    "3.0": {
        "extract_field": 64,
        "table_input": 128,
        "init_tables_input": 48,
        "init_input": 32,
        "field_extract_input": 64,
        "event_parse_input": 96,
    },
    "3.1": {
        "table_input": 152,
        "init_tables_input": 56,
        "field_extract_input": 72,
        "event_parse_input": 112,
    },
    "3.3": {"init_input": 40},
    "3.5": {"init_tables_input": 72, "metric": 32},
    "3.7": {"capture_listen_input": 32},
    "3.9": {"capture_listen_input": 40},
    "3.11": {"field_extract_input": 80},
}


@pytest.mark.parametrize(
    ("version", "name", "size"),
    [(v, n, s) for v, sizes in SIZES.items() for n, s in sizes.items()],
)
def test_structures_have_the_sizes_of_their_time(version, name, size):
    assert declared(version).sizeof(f"ss_plugin_{name}") == size


def test_every_member_lies_where_the_header_for_authors_has_it(tmp_path):
    """All structures of 3.12, offset by offset, by the C compiler."""
    ffi = declared("3.12")
    lines = []
    for name in ffi.list_types()[0]:
        kind = ffi.typeof(name)
        if kind.kind not in {"struct", "union"}:
            continue
        if name != "ss_plugin_event":  # its padding is cdef's alone
            lines.append(f'_Static_assert(sizeof({name}) == {ffi.sizeof(kind)}, "");')
        lines += [
            f'_Static_assert(offsetof({name}, {member}) == {field.offset}, "");'
            for member, field in kind.fields
        ]
    assert len(lines) > 80
    program = tmp_path / "layout.c"
    body = "\n".join(lines)
    program.write_text(
        f'#include "falco_plugin.h"\n{body}\nint main(void) {{ return 0; }}\n'
    )
    made = compiled("layout", f"-I{HEADERS}", program, folder=tmp_path)
    assert subprocess.run([made], check=False, timeout=30).returncode == 0


def test_the_functions_of_the_newest_version_fit_the_header_for_authors(tmp_path):
    """A second declaration of each function, which C takes only if it is the same."""
    wanted = [f.declaration for f in FUNCTIONS if f.since <= (3, 12) <= f.until]
    program = tmp_path / "functions.c"
    # in the header, kinds are enumerations
    text = "\n".join(wanted).replace("ss_plugin_schema_type", "ss_plugin_schema_type")
    program.write_text(
        f'#include "falco_plugin.h"\n{text}\nint main(void) {{ return 0; }}\n'
    )
    made = compiled("functions", f"-I{HEADERS}", program, folder=tmp_path)
    assert made.exists()


@pytest.mark.parametrize(
    "version", ["3.13", "4.0", "0.0", "1.2", "3", "", "3.x", "3.1.2.3", None, "٣.١"]
)
def test_a_version_that_never_was_is_refused_with_those_that_were(version):
    with pytest.raises(wb.WorkbenchError, match=r"0\.1, 0\.2.*3\.12"):
        wb.api.cdef(version)


def test_a_third_number_changes_nothing_and_the_default_is_the_newest():
    assert wb.api.cdef("3.4.1") == wb.api.cdef("3.4")
    assert wb.api.cdef() == wb.api.cdef(wb.api.VERSIONS[-1])


def test_metric_kinds_count_from_one_in_3_5_alone():
    assert "_TYPE_U32 = 1," in wb.api.cdef("3.5")
    assert "_TYPE_U32 = 0," in wb.api.cdef("3.6")
    assert "METRIC" not in wb.api.cdef("3.4")


# The whole program: cffi, the declarations and a library.
BY_HAND = """
import sys
import cffi

path, params, wanted = sys.argv[1:]
ffi = cffi.FFI()
ffi.cdef(sys.stdin.read())
lib = ffi.dlopen(path)
declared = ffi.string(lib.plugin_get_required_api_version()).decode()
major, minor = map(int, declared.split(".")[:2])
rc = ffi.new("ss_plugin_rc*", lib.SS_PLUGIN_FAILURE)
config = ffi.new("char[]", b"")
if major >= 3:
    owner_error = ffi.callback("char*(void*)", lambda owner: ffi.NULL)
    keep = ffi.new("ss_plugin_init_input*", {"config": config})
    keep.get_owner_last_error = ffi.cast("char*(*)(void*)", owner_error)
    state = lib.plugin_init(keep, rc)
else:
    state = lib.plugin_init(config, rc)
assert rc[0] == lib.SS_PLUGIN_SUCCESS, ffi.string(lib.plugin_get_last_error(state))
instance = lib.plugin_open(state, params.encode(), rc)
assert rc[0] == lib.SS_PLUGIN_SUCCESS

def value(field):
    string = field.ftype == lib.FTYPE_STRING
    if major == 0:
        if not field.field_present:
            return None
        return ffi.string(field.res_str) if string else field.res_u64
    if not field.res_len:
        return None
    return ffi.string(field.res.str[0]) if string else field.res.u64[0]

def extract(event, number, name, index, kind):
    fields = ffi.new("ss_plugin_extract_field[1]")
    text = ffi.new("char[]", name.encode())
    fields[0].field, fields[0].ftype = text, kind
    if (major, minor) >= (0, 2):
        fields[0].field_id = index
    if major < 1:
        fields[0].arg = empty
    if major < 3:
        assert lib.plugin_extract_fields(state, event, 1, fields) == 0
        return value(fields[0])
    source = ffi.new("char[]", b"legacy")
    seen = ffi.new("ss_plugin_event_input*", {"evt": event, "evtnum": number, "evtsrc": source})
    given = ffi.new("ss_plugin_field_extract_input*", {"num_fields": 1, "fields": fields})
    assert lib.plugin_extract_fields(state, seen, given) == 0
    return value(fields[0])

empty = ffi.new("char[]", b"")
name, index, kind = wanted.split(",")
answers = []
while True:
    count = ffi.new("uint32_t*")
    events = ffi.new("ss_plugin_event***" if major >= 3 else "ss_plugin_event**")
    code = lib.plugin_next_batch(state, instance, count, events)
    for at in range(count[0]):
        event = events[0][at] if major >= 3 else ffi.addressof(events[0][at])
        answers.append(extract(event, len(answers) + 1, name, int(index), int(kind)))
    if code != lib.SS_PLUGIN_SUCCESS:
        break
assert code == lib.SS_PLUGIN_EOF, code
lib.plugin_close(state, instance)
lib.plugin_destroy(state)
print(declared, [a.decode() if isinstance(a, bytes) else a for a in answers])
assert not [m for m in sys.modules if m.startswith("workbench")]
"""


def by_hand(version, library, params, wanted):
    done = subprocess.run(
        [sys.executable, "-c", BY_HAND, library, params, wanted],
        input=wb.api.cdef(version),
        capture_output=True,
        text=True,
        check=False,
        timeout=60,
    )
    assert done.returncode == 0, done.stderr
    return done.stdout.strip()


def expected(library, params, field):
    with wb.load(library) as plugin:
        return plugin.capture(params, fields=[field]).table.column(field).to_pylist()


@pytest.mark.parametrize("version", ["0.1", "0.3", "1.0", "2.0", "3.0"])
def test_old_libraries_answer_to_cffi_alone(version, sample):
    sample("legacy", "liblegacy_3_0.so")
    library = sample("legacy", f"liblegacy_{version.replace('.', '_')}.so")
    asked = 0
    for index, (name, field) in enumerate(wb.inspect(library).fields.items()):
        plain = field.type in {"string", "uint64"} and not field.is_list
        if not plain or (field.arg and field.arg.required):
            continue
        kind = {"string": 9, "uint64": 8}[field.type]
        said = by_hand(version, library, "7", f"{name},{index},{kind}")
        values = text_of(expected(library, "7", name))
        assert said == f"{version}.0 {values}"
        assert len(values) == 7
        asked += 1
    assert asked >= 2


def text_of(values):
    return [v.decode() if isinstance(v, bytes) else v for v in values]


def test_a_new_library_answers_to_cffi_alone(sample, tmp_path):
    library = sample("weblog")
    log = tmp_path / "short.log"
    whole = (library.parent / "data" / "access.log").read_text().splitlines()
    log.write_text("\n".join(whole[:50]) + "\n")
    info = wb.inspect(library)
    for name, kind in {"weblog.path": 9, "weblog.status": 8}.items():
        wanted = f"{name},{list(info.fields).index(name)},{kind}"
        said = by_hand("3.12", library, str(log), wanted)
        values = text_of(expected(library, str(log), name))
        assert said == f"{info.required_api_version} {values}"
        assert len(values) == 50
