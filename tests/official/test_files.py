"""What official plugins gave comes back from files: columns, alerts, further fields."""

from __future__ import annotations

import csv
import gzip
import json

import pytest

import workbench as wb
from workbench.__main__ import main

pytestmark = [pytest.mark.go, pytest.mark.official]


@pytest.fixture(scope="module")
def rules(events_dir):
    return wb.load_rules(events_dir.parent / "k8s_rules.yaml")


def alert_lines(alerts):
    return alerts.frame[["evt.num", "rule", "output"]].to_numpy().tolist()


@pytest.mark.parametrize("suffix", [".scap", ".scap.gz", ".parquet", ".arrow"])
def test_a_saved_capture_is_the_capture(cluster, audit, rules, tmp_path, suffix):
    again = wb.open_events(audit.save(tmp_path / f"audit{suffix}"), plugins=[cluster])
    assert (len(again), again.source) == (90, "k8s_audit")
    assert again.frame.equals(audit.frame[list(again.frame.columns)])
    assert set(again.frame.columns) == set(audit.frame.columns)
    for every in (False, True):
        ours, theirs = (rules.run(e, all_matches=every) for e in (again, audit))
        assert alert_lines(ours) == alert_lines(theirs)


def test_a_parquet_file_needs_no_plugin_for_what_it_holds(audit, tmp_path, facts):
    events = wb.open_events(audit.save(tmp_path / "audit.parquet"))
    assert events.where("ka.verb = deletecollection").frame["evt.num"].tolist() == [
        *(76, 77)
    ]
    assert facts.values(events, "ka.auditid") == facts.told(events, "/auditID")
    with pytest.raises(wb.WorkbenchError, match=r"--with PLUGIN|attach"):
        events.extract("ka.uri.param[limit]")


def test_further_fields_come_from_a_file_later(official, audit, tmp_path, facts):
    path = audit.save(tmp_path / "audit.parquet")
    with wb.Workbench() as other:
        other.load(official("k8saudit"))
        other.load(official("json"))
        events = wb.open_events(path, plugins=[other])
        more = events.extract("jevt.value[/stageTimestamp]", "ka.uri.param[command]")
        column = "jevt.value[/stageTimestamp]"
        assert facts.values(more, column) == facts.told(events, "/stageTimestamp")
        assert facts.values(more, "ka.uri.param[command]")[47] == "/bin/sh"


def test_two_stored_captures_side_by_side(cluster, audit_file, facts, tmp_path):
    opened = []
    for numbers in ((62, 40), (46, 89)):
        events = cluster.capture(audit_file(*numbers), fields=["ka.verb"])
        path = events.save(tmp_path / f"{numbers[0]}.parquet")
        opened.append(wb.open_events(path, plugins=[cluster]))
    for events in reversed(opened):
        for row in (1, 0, 1):
            one = events[row : row + 1].extract("jevt.value[/auditID]")
            found = facts.values(one, "jevt.value[/auditID]")
            assert found == facts.told(one, "/auditID")


@pytest.fixture
def joined(official, events_dir, tmp_path):
    """Give a capture file of both sources, CloudTrail's events first."""
    parts = []
    for name, params in (
        ("cloudtrail", events_dir / "cloudtrail"),
        ("k8saudit", events_dir / "k8s_audit.jsonl"),
    ):
        with wb.load(official(name)) as plugin:
            events = plugin.capture(str(params), fields=[])
            parts.append(events.save(tmp_path / f"{name}.scap").read_bytes())
    path = tmp_path / "joined.scap"
    path.write_bytes(b"".join(parts))
    return path


@pytest.fixture(scope="module")
def all_rules(events_dir):
    here = events_dir.parent
    return wb.load_rules(here / "k8s_rules.yaml", here / "aws_rules.yaml")


def test_a_file_of_two_sources(both, joined, all_rules, facts):
    events = wb.open_events(joined, plugins=[both])
    assert events.sources == ["aws_cloudtrail", "k8s_audit"]
    assert len(events) == 126
    by_source = events.by_source()
    trail, audit = by_source["aws_cloudtrail"], by_source["k8s_audit"]
    assert facts.values(trail, "ct.id") == facts.told(trail, "/eventID")
    assert facts.values(audit, "ka.auditid") == facts.told(audit, "/auditID")
    found = facts.numbers(all_rules.run(by_source))
    # Events are counted on through the second part of the file.
    assert found["Trail changed"] == [24, 25]
    assert found["Bound to cluster-admin"] == [36 + 62, 36 + 63]


def test_rules_over_a_file_of_two_sources(both, joined, all_rules, facts):
    events = wb.open_events(joined, plugins=[both])
    found = facts.numbers(all_rules.run(events))
    assert found == facts.numbers(all_rules.run(events.by_source()))


def test_text_files_hold_what_people_read(audit, tmp_path):
    lines = audit.save(tmp_path / "audit.jsonl").read_text().splitlines()
    assert len(lines) == 90
    row = json.loads(lines[21])
    assert row["evt.num"] == 22
    assert row["ka.req.pod.containers.image"] == [
        *("registry.harbour.example/shop/front:2.8.0", "docker.io/library/nginx:1.27")
    ]
    with audit.save(tmp_path / "audit.csv").open(newline="") as table:
        head, *rest = csv.reader(table)
    assert head[:4] == ["evt.num", "evt.time", "evt.source", "ka.auditid"]
    assert len(rest) == 90
    assert rest[62][head.index("ka.target.name")] == "helper-2"


def test_record_replay_and_run_on_the_command_line(
    official, events_dir, tmp_path, capfd, rules, audit
):
    k8saudit, extractor = str(official("k8saudit")), str(official("json"))
    out = tmp_path / "audit.scap"
    params = str(events_dir / "k8s_audit.jsonl")
    assert main(["record", k8saudit, "--open", params, "--out", str(out)]) == 0
    capfd.readouterr()
    pair = ["--with", k8saudit, "--with", extractor]
    assert main(["replay", str(out), *pair, "--check"]) == 0
    assert "90" in capfd.readouterr().out
    file = str(events_dir.parent / "k8s_rules.yaml")
    assert main(["run", "--events", str(out), *pair, "-r", file, "--json"]) == 0
    said = [json.loads(line) for line in capfd.readouterr().out.splitlines()]
    assert [alert["rule"] for alert in said] == list(rules.run(audit).frame["rule"])


def test_cloudtrail_reads_packed_files_in_folders_of_folders(
    official, events_dir, tmp_path, facts
):
    folder = tmp_path / "AWSLogs" / "111122223333" / "CloudTrail"
    for region, path in zip(
        ("eu-central-1", "us-east-1"),
        sorted((events_dir / "cloudtrail").glob("*.json")),
        strict=True,
    ):
        (folder / region).mkdir(parents=True)
        packed = gzip.compress(path.read_bytes())
        (folder / region / f"{path.name}.gz").write_bytes(packed)
    (folder / "digest.txt").write_text("not of this kind")
    with wb.load(official("cloudtrail")) as plugin:
        plain = plugin.capture(str(events_dir / "cloudtrail"))
        events = plugin.capture(str(tmp_path / "AWSLogs"))
    assert events.frame.equals(plain.frame)
    assert facts.values(events, "ct.id") == facts.told(events, "/eventID")


def test_the_saved_events_of_the_notebook_are_what_the_plugins_give(
    cluster, audit, rules
):
    from workbench.paths import notebooks_dir

    saved = wb.open_events(notebooks_dir() / "data" / "k8s_audit.parquet")
    asked = audit.extract(*rules.columns(cluster, "k8s_audit"))
    assert saved.frame.equals(asked.frame[list(saved.frame.columns)])
    assert alert_lines(rules.run(saved)) == alert_lines(rules.run(audit))
