"""falco.yaml sections: what the real program made of them, with stand-in libraries."""

from __future__ import annotations

import json
import shutil

import pytest

from workbench.__main__ import main

# Library → how the stand-in is compiled.
LIBRARIES = {
    "libprobe.so": {"SCHEMA": True, "SOURCE": '"probe"', "ID": 999},
    "libprobe2.so": {"NAME": '"probe2"', "SOURCE": '"probe2"', "ID": 998},
    "libprobeext.so": {"NAME": '"probeext"', "EXTRACT": '"probe"'},
    "libprobeclash.so": {
        "NAME": '"probeclash"',
        "EXTRACT": '"probe"',
        "FIELD": '"probe.str"',
    },
    "libprobelost.so": {"NAME": '"probelost"', "EXTRACT": '"nosuchsource"'},
    "libprobeapi.so": {"SOURCE": '"probe"', "ID": 999, "API": '"99.0.0"'},
    "emptylib.so": {"EMPTY": True},
}
RULES = """\
- rule: {name}
  desc: every event
  condition: evt.num > 0
  output: config=%{source}.initconfig
  priority: INFO
  source: {source}
"""
NAMES = {"probe": "one", "probe2": "two"}


@pytest.fixture(scope="session")
def libraries(plugin, tmp_path_factory):
    folder = tmp_path_factory.mktemp("libraries")
    for name, definitions in LIBRARIES.items():
        shutil.copy(plugin("standin", **definitions), folder / name)
    (folder / "notalib.so").write_text("no library\n")
    return folder


def test_configurations_start_or_are_refused_as_by_the_program(
    vectors, libraries, tmp_path, capfd, monkeypatch
):
    monkeypatch.setenv("PROBE_LABEL", "from-env")
    monkeypatch.setenv("LIBDIR", str(libraries))
    rules = tmp_path / "rules.yaml"
    rules.write_text("".join(RULES.format(name=n, source=s) for s, n in NAMES.items()))
    wrong = []
    for record in vectors.cases("configs"):
        config = tmp_path / "falco.yaml"
        config.write_text(record["config"])
        status = main(["run", "-c", str(config), "-r", str(rules), "--json"])
        out, err = capfd.readouterr()
        alerts: dict[str, int] = {}
        seen: dict[str, str] = {}
        for line in out.splitlines():
            alert = json.loads(line)
            alerts[alert["rule"]] = alerts.get(alert["rule"], 0) + 1
            for name, value in alert["output_fields"].items():
                if name.endswith("initconfig"):
                    seen[alert["rule"]] = value
        if status != record["exit_code"]:
            wrong.append(f"{record['id']}: status {status}: {err[-300:]}")
        elif alerts != record["alerts"]:
            wrong.append(f"{record['id']}: alerts {alerts}, not {record['alerts']}")
        elif status == 0 and seen != record["init_config_seen"]:
            wrong.append(f"{record['id']}: init config {seen}")
    assert not wrong, "\n".join(wrong)
