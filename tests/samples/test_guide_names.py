"""The JSON extractor under the names of Falco's guides, as their falco.yaml has them."""

from __future__ import annotations

import shutil
import subprocess
import sys

import workbench as wb

CONFIG = """
plugins:
  - name: dummy_c
    library_path: libdummy_c.so
    init_config: '{"jitter": 0}'
    open_params: '{"start": 1, "maxEvents": 20}'
  - name: json
    library_path: libjson.so
    init_config: ""

# Optional
load_plugins: [dummy_c, json]

rules_files: [rules.yaml]
"""
RULES = """
- required_plugin_versions:
    - name: json
      version: 0.1.0
      alternatives:
        - name: json_extract
          version: 1.0.0

- rule: A number
  desc: The document itself
  condition: jevt.obj in (7, 8) or json.value[/no/such] exists
  output: number %jevt.obj at %jevt.rawtime
  priority: INFO
  source: dummy_c
"""


def test_a_configuration_of_the_guides_runs_unchanged(sample, tmp_path):
    for library in (sample("dummy_c"), sample("json_extract", "libjson.so")):
        shutil.copy(library, tmp_path)
    (tmp_path / "falco.yaml").write_text(CONFIG)
    rules = RULES.replace("0.1.0", wb.inspect(tmp_path / "libjson.so").version)
    (tmp_path / "rules.yaml").write_text(rules)
    done = subprocess.run(
        [
            *(sys.executable, "-m", "workbench", "run"),
            *("-c", tmp_path / "falco.yaml", "--plugin-dir", tmp_path),
        ],
        capture_output=True,
        text=True,
        check=False,
        timeout=60,
    )
    assert done.returncode == 0, done.stderr
    assert done.stdout.count("Informational number ") == 2


def test_the_fields_have_the_names_and_values_of_the_guides(sample):
    info = wb.inspect(sample("json_extract", "libjson.so"))
    assert info.name == "json"
    assert list(info.fields) == [
        f"{family}.{name}"
        for family in ("json", "jevt")
        for name in ("value", "obj", "rawtime")
    ]
    with wb.Workbench() as bench:
        bench.load(sample("dummy_c"))
        bench.load(sample("json_extract", "libjson.so"))
        events = bench.capture('{"start": 1, "maxEvents": 5}')
        times = events.table.column("evt.rawtime").to_pylist()
        frame = events.extract("jevt.value[/a]", "jevt.rawtime").frame
    assert list(frame["jevt.obj"]) == list(frame["dummy.strvalue"])
    assert frame["jevt.value[/a]"].isna().all(), "a number has no members"
    assert [int(text) for text in frame["jevt.rawtime"]] == times
