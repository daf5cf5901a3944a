"""Loading again and again: rounds, rebuilds, files that change under a loaded plugin."""

from __future__ import annotations

import gc
import os
import shutil
import subprocess
from pathlib import Path

import pytest

import workbench as wb
from tests.support.compiled import c_compiler, compiled

HERE = Path(__file__).resolve().parent
INCLUDE = HERE.parents[1] / "workbench" / "authoring" / "include"


@pytest.mark.parametrize("name", ["dummy_c", "dummy_go"])
def test_two_hundred_rounds_of_one_mapped_library(sample, name):
    library = sample(name)
    source = HERE / "rounds.c"
    program = compiled("rounds", "-O1", f"-I{INCLUDE}", source, libraries=("-ldl",))
    done = subprocess.run([program, library, "200"], capture_output=True, text=True)
    assert done.returncode == 0, (done.returncode, done.stderr)
    early, late = (tuple(map(int, line.split())) for line in done.stdout.splitlines())
    assert (late[0] - early[0]) * os.sysconf("SC_PAGESIZE") < 16 << 20
    # Go's runtime opens two or three of its own when it first needs them.
    assert late[1] - early[1] < 5


@pytest.mark.parametrize("name", ["dummy_c", "dummy_go"])
def test_rounds_of_load_and_close_leave_nothing(sample, name):
    def held() -> int:
        gc.collect()
        return len(list(Path("/proc/self/fd").iterdir()))

    library = sample(name)
    wb.load(library).close()
    before = held()
    for _ in range(20):
        with wb.load(library, config={"jitter": 0}) as plugin:
            assert plugin.open_params
    assert held() <= before


def test_a_go_plugin_outlives_more_captures_than_it_has_handles(sample):
    with wb.load(sample("dummy_go"), config={"jitter": 0}) as plugin:
        for _ in range(260):
            assert len(plugin.capture('{"start": 0, "maxEvents": 1}')) == 1


NUMBERED = """
#include <falco_plugin.h>
#include <stdlib.h>
const char* plugin_get_required_api_version(void) {{ return "3.0.0"; }}
const char* plugin_get_name(void) {{ return "build"; }}
const char* plugin_get_version(void) {{ return "{version}"; }}
const char* plugin_get_description(void) {{ return ""; }}
const char* plugin_get_contact(void) {{ return ""; }}
const char* plugin_get_last_error(ss_plugin_t* s) {{ (void)s; return ""; }}
void plugin_destroy(ss_plugin_t* s) {{ free(s); }}
uint32_t plugin_get_id(void) {{ return 999; }}
const char* plugin_get_event_source(void) {{ return "build"; }}
ss_plugin_t* plugin_init(const ss_plugin_init_input* in, ss_plugin_rc* rc) {{
  (void)in;
  *rc = SS_PLUGIN_SUCCESS;
  return malloc(1);
}}
struct run {{ ss_plugin_event* events[1]; char blob[64]; int left; }};
ss_instance_t* plugin_open(ss_plugin_t* s, const char* params, ss_plugin_rc* rc) {{
  (void)s;
  struct run* h = calloc(1, sizeof *h);
  h->left = atoi(params);
  *rc = SS_PLUGIN_SUCCESS;
  return h;
}}
void plugin_close(ss_plugin_t* s, ss_instance_t* h) {{ (void)s; free(h); }}
ss_plugin_rc plugin_next_batch(ss_plugin_t* s, ss_instance_t* instance, uint32_t* n,
                               ss_plugin_event*** events) {{
  struct run* h = instance;
  (void)s;
  if (h->left-- <= 0) return SS_PLUGIN_EOF;
  memcpy(falco_plugin_event_begin(h->blob, 1, 5), "{version}", 5);
  h->events[0] = (ss_plugin_event*)(void*)h->blob;
  *n = 1;
  *events = h->events;
  return SS_PLUGIN_SUCCESS;
}}
const char* plugin_get_fields(void) {{
  return "[{{\\"type\\":\\"string\\",\\"name\\":\\"build.version\\",\\"desc\\":\\"x\\"}}]";
}}
ss_plugin_rc plugin_extract_fields(ss_plugin_t* s, const ss_plugin_event_input* evt,
                                   const ss_plugin_field_extract_input* in) {{
  static const char* version = "{version}";
  (void)s; (void)evt;
  for (uint32_t i = 0; i < in->num_fields; i++) {{
    in->fields[i].res.str = &version;
    in->fields[i].res_len = 1;
  }}
  return SS_PLUGIN_SUCCESS;
}}
"""


@pytest.fixture
def build(tmp_path):
    def compile_version(version: str, name: str) -> Path:
        source = tmp_path / f"{name}.c"
        source.write_text(NUMBERED.format(version=version))
        target = tmp_path / name
        command = [c_compiler(), "-shared", "-fPIC", f"-I{INCLUDE}", str(source)]
        subprocess.run([*command, "-o", str(target)], check=True)
        return target

    return compile_version


def versions(plugin) -> set[str]:
    return set(plugin.capture("50").frame["build.version"])


def test_a_rebuild_is_what_the_next_load_gets(build):
    path = build("1.0.0", "libbuild.so")
    with wb.load(path) as old:
        assert versions(old) == {"1.0.0"}
        build("2.0.0", "libbuild.so")
        with wb.load(path) as new:
            assert (old.info.version, new.info.version) == ("1.0.0", "2.0.0")
            assert versions(new) == {"2.0.0"}
            assert versions(old) == {"1.0.0"}
    assert wb.inspect(path).version == "2.0.0"


@pytest.mark.parametrize("how", ["overwritten", "truncated", "replaced", "removed"])
def test_a_file_that_changes_under_a_running_capture(build, tmp_path, how):
    path = build("1.0.0", "libbuild.so")
    other = build("2.0.0", "libother.so")
    with wb.load(path) as plugin:
        rows = 0
        with plugin.open("200000") as capture:
            for frame in capture:
                if not rows and how == "overwritten":
                    path.write_bytes(other.read_bytes())
                elif not rows and how == "truncated":
                    path.write_bytes(b"")
                elif not rows and how == "replaced":
                    shutil.copy(other, tmp_path / "new")
                    (tmp_path / "new").replace(path)
                elif not rows:
                    path.unlink()
                rows += len(frame)
                assert set(frame["build.version"]) == {"1.0.0"}
        assert rows == 200_000
    if how in {"overwritten", "replaced"}:
        with wb.load(path) as plugin:
            assert versions(plugin) == {"2.0.0"}
    else:
        with pytest.raises(wb.PluginLoadError):
            wb.load(path)
    path.write_bytes(other.read_bytes())
    assert wb.inspect(path).version == "2.0.0"


def test_one_file_under_two_names_is_two_libraries(build, tmp_path):
    path = build("1.0.0", "libbuild.so")
    copy = Path(shutil.copy(path, tmp_path / "libcopy.so"))
    with wb.load(path) as one, wb.load(copy) as two:
        assert versions(one) == versions(two) == {"1.0.0"}
    with wb.Workbench() as bench:
        bench.load(path)
        with pytest.raises(wb.PluginLoadError, match="found another plugin with name"):
            bench.load(copy)
        assert versions(bench.plugins["build"]) == {"1.0.0"}
