from __future__ import annotations

import json
import shutil

import pytest

from workbench.__main__ import main


@pytest.fixture(autouse=True)
def briefly(monkeypatch):
    """Feed fewer events than a real check."""
    monkeypatch.setattr("workbench.authoring.check.endurance._BUDGET_SEC", 0.3)
    monkeypatch.setattr("workbench.authoring.check.endurance.ROUNDS", 20)
    monkeypatch.setattr("workbench.authoring.check.states.ROUNDS", 20)
    monkeypatch.setattr("workbench.authoring.check.hostile._RANDOM_PAYLOADS", 200)


def check(capsys, *words):
    """Run ``workbench check --json`` and give status, findings by code, and all."""
    status = main(["check", *map(str, words), "--json"])
    data = json.loads(capsys.readouterr().out)
    found = {}
    for finding in data["findings"]:
        found.setdefault(finding["code"], []).append(finding)
    return status, found, data


def test_a_new_project_has_nothing_to_complain_about(capsys, counter):
    status, found, data = check(capsys, counter)
    assert status == 0
    assert set(found) == {"ID_TEST"}
    assert data["measured"]["events extracted"] > 1000
    assert "sourcing" in data["registry_entry"]


FAULTS = [
    ("segfault@extract:100", "CRASH", "SIGSEGV in plugin_extract_fields at event #100"),
    ("abort@next_batch", "CRASH", "SIGABRT in plugin_next_batch"),
    ("exit@open", "CRASH", "plugin_open"),
    ("segfault@close", "CRASH", "plugin_close"),
    ("stdout@open", "STDOUT", "printed"),
    ("id@next_batch:3", "STREAM_FAILED", "unexpected plugin ID"),
    ("fail@next_batch:3", "STREAM_FAILED", ""),
    ("fail@open", "NOT_STREAMED", ""),
    ("bytes@extract:2", "NOT_UTF8", "not UTF-8"),
    ("length@extract:2", "VALUE_REFUSED", "left out"),
    ("null@extract:2", "VALUE_REFUSED", "left out"),
]


@pytest.mark.crash
@pytest.mark.slow
@pytest.mark.parametrize(("fault", "code", "said"), FAULTS)
def test_a_fault_is_found_and_named(capsys, sample, fault, code, said):
    _, found, _ = check(capsys, sample("faulty"), "--open", fault)
    assert code in found, sorted(found)
    assert any(said in finding["message"] for finding in found[code])


@pytest.mark.crash
@pytest.mark.parametrize(
    ("fault", "code"),
    [("segfault@init", "CRASH"), ("fail@init", "INIT_FAILED"), ("hang@init", "HANG")],
)
def test_a_fault_while_initialising_is_found(capsys, sample, monkeypatch, fault, code):
    monkeypatch.setattr("workbench.authoring.check.initialising.CALL_TIMEOUT_SEC", 1.0)
    status, found, _ = check(capsys, sample("faulty"), "--config", fault)
    assert (status, code in found) == (1, True)


@pytest.mark.crash
def test_a_fault_while_loading_is_found(capsys, sample, tmp_path):
    library = tmp_path / "libfaulty--segfault@dlopen.so"
    shutil.copy(sample("faulty"), library)
    status, found, _ = check(capsys, library)
    assert status == 1
    assert "dlopen" in found["CRASH"][0]["message"]


def test_hostile_input_that_kills_an_extractor_is_shown(capsys, tmp_path):
    from workbench.authoring.builder import build_project
    from workbench.authoring.scaffold import new_project

    folder = tmp_path / "fragile"
    new_project(folder, language="c", contact="me@example.org")
    source = folder / "plugin.c"
    source.write_text(
        source.read_text().replace(
            "if (data == NULL || len == 0 || len >= ROOM) {",
            "if (data != NULL && len > 2 && data[0] == '{') { abort(); }\n"
            "  if (data == NULL || len == 0 || len >= ROOM) {",
        )
    )
    status, found, _ = check(capsys, build_project(folder).library)
    assert status == 1
    death = found["HOSTILE_CRASH"][0]
    assert "SIGABRT in plugin_extract_fields" in death["message"]
    assert "b'{" in death["message"]


def test_a_field_that_depends_on_more_than_the_event_is_found(capsys, tmp_path):
    from workbench.authoring.builder import build_project
    from workbench.authoring.scaffold import new_project

    folder = tmp_path / "moody"
    new_project(folder, language="c", contact="me@example.org")
    source = folder / "plugin.c"
    text = source.read_text()
    assert "p->number = value;" in text
    source.write_text(
        text.replace("p->number = value;", "p->number = value + p->seen++;").replace(
            "char error[256];", "char error[256];\n  uint64_t seen;"
        )
    )
    status, found, _ = check(capsys, build_project(folder).library)
    assert status == 1
    assert found["NOT_REPEATABLE"][0]["subject"] == "field moody.value"


def test_sarif_and_text_carry_the_findings(capsys, counter, tmp_path):
    out = tmp_path / "check.sarif"
    assert main(["check", str(counter), "--sarif", str(out)]) == 0
    assert "1 note" in capsys.readouterr().out
    sarif = json.loads(out.read_text())
    (run,) = sarif["runs"]
    assert [r["ruleId"] for r in run["results"]] == ["ID_TEST"]
    assert run["results"][0]["level"] == "note"


def test_what_is_no_library_is_one_clear_message(capsys, tmp_path):
    (tmp_path / "x.so").write_text("hello")
    status, found, _ = check(capsys, tmp_path / "x.so")
    assert status == 1
    assert "LOAD" in found
    status, found, _ = check(capsys, tmp_path / "none.so")
    assert status == 1
    assert "no such file" in found["LOAD"][0]["message"]


def test_empty_open_params_are_not_tried_unasked(capsys, plugin):
    library = plugin("carrier", ID=4321, SOURCE='"carried"')
    _, found, _ = check(capsys, library)
    assert "OPEN_NONE" in found
    assert "nothing was opened" in found["NOT_STREAMED"][0]["message"]
    _, found, _ = check(capsys, library, "--open", "")
    assert "nothing was opened" not in found["NOT_STREAMED"][0]["message"]
