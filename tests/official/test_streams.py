"""The ways that k8saudit gets its events: files, folders, broken ones, live ones."""

from __future__ import annotations

import http.client
import json
import os
import socket
import threading
import time

import pytest

import workbench as wb

pytestmark = [pytest.mark.go, pytest.mark.official]

LONG_SEC = 20


def ids(frame):
    return frame["ka.auditid"].tolist()


def test_a_folder_is_read_by_age_of_its_files(k8saudit, audit_file, tmp_path, facts):
    folder = tmp_path / "audit"
    folder.mkdir()
    # Named against the order in which they are to be read.
    for age, (name, numbers) in enumerate([("b", (3, 4)), ("a", (1, 2)), ("c", (5,))]):
        path = audit_file(*numbers, name=f"audit/{name}.log")
        os.utime(path, (1_700_000_000 + age, 1_700_000_000 + age))
    events = k8saudit.capture(str(folder))
    told = [facts.at(facts.document(n), "/auditID") for n in (3, 4, 1, 2, 5)]
    assert ids(events.frame) == told


def test_lists_of_events_come_one_by_one(k8saudit, tmp_path, facts):
    chosen = [facts.document(n) for n in (1, 21, 62)]
    path = tmp_path / "lists.jsonl"
    lists = [
        {"kind": "EventList", "apiVersion": "audit.k8s.io/v1", "items": chosen},
        chosen[:2],
    ]
    path.write_text("\n".join(map(json.dumps, lists)))
    told = [document["auditID"] for document in chosen]
    assert ids(k8saudit.capture(str(path)).frame) == told + told[:2]


def test_what_is_no_audit_event_is_left_out_and_told_in_the_log(
    k8saudit, tmp_path, facts
):
    timeless = facts.document(2)
    del timeless["stageTimestamp"]
    lines = [
        facts.audit_lines[0],
        "{ not json",
        '{"kind":"Pod"}',
        json.dumps(timeless),
        facts.audit_lines[2],
    ]
    path = tmp_path / "broken.jsonl"
    path.write_text("\n".join(lines))
    events = k8saudit.capture(str(path))
    assert ids(events.frame) == [facts.document(n)["auditID"] for n in (1, 3)]
    said = "\n".join(line.message for line in k8saudit.log)
    assert "cannot parse" in said
    assert "data not recognized as a k8s audit event" in said
    assert "can't read stageTimestamp" in said


def test_a_line_longer_than_the_plugin_reads_ends_in_its_words(
    k8saudit, tmp_path, facts
):
    long = facts.document(3)
    long["requestObject"]["data"]["padding"] = "x" * 70_000
    path = tmp_path / "long.jsonl"
    path.write_text(facts.audit_lines[0] + "\n" + json.dumps(long))
    with pytest.raises(wb.PluginFailure, match="token too long") as caught:
        k8saudit.capture(str(path))
    # The SDK takes back what it had gathered for the same batch.
    assert ids(caught.value.events.frame) in ([], [facts.document(1)["auditID"]])


def test_values_of_other_types_than_expected_do_no_harm(k8saudit, tmp_path, facts):
    document = facts.document(21)
    document["objectRef"] = ["no", "object"]
    document["user"] = {"username": {"deep": [1]}, "groups": "none"}
    document["requestObject"]["spec"]["containers"] = {"image": 5}
    path = tmp_path / "odd.jsonl"
    path.write_text(json.dumps(document))
    events = k8saudit.capture(str(path), fields=["ka.auditid"])
    assert facts.values(events, "ka.target.name") == [None]
    assert facts.values(events, "ka.user.name") == ['{"deep":[1]}']
    assert facts.values(events, "ka.user.groups") == [None]
    assert facts.values(events, "ka.req.pod.containers.image") == [["5"]]


def test_text_with_markup_stays_text(k8saudit, tmp_path, facts):
    document = facts.document(21)
    document["user"]["username"] = "<script>alert(1)</script>\x1b[31m\u202e"
    path = tmp_path / "hostile.jsonl"
    path.write_text(json.dumps(document))
    events = k8saudit.capture(str(path), fields=["ka.user.name"])
    assert facts.values(events, "ka.user.name") == [document["user"]["username"]]
    assert "<script>" not in events._repr_html_()
    assert "\x1b" not in repr(events)


# -- live ----------------------------------------------------------------------------------


class Reader(threading.Thread):
    """Iterates a capture to its end and keeps the frames."""

    def __init__(self, capture):
        super().__init__(daemon=True)
        self.capture, self.frames, self.error = capture, [], None

    def run(self):
        try:
            self.frames.extend(self.capture)
        except Exception as error:  # noqa: BLE001 - looked at by the test
            self.error = error

    def ids(self):
        return [one for frame in list(self.frames) for one in ids(frame)]

    def wait_for(self, count):
        limit = time.monotonic() + LONG_SEC
        while len(self.ids()) < count and time.monotonic() < limit:
            assert self.error is None, self.error
            time.sleep(0.02)
        return self.ids()


def free_port():
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return probe.getsockname()[1]


def post(port, path, document, kind="application/json"):
    """Send one request as the API server's webhook does; the status of the answer."""
    limit = time.monotonic() + LONG_SEC
    while True:
        line = http.client.HTTPConnection("127.0.0.1", port, timeout=LONG_SEC)
        try:
            line.request("POST", path, json.dumps(document), {"Content-Type": kind})
            return line.getresponse().status
        except ConnectionRefusedError:
            # The plugin's server starts in its own time.
            if time.monotonic() > limit:
                raise
            time.sleep(0.05)
        finally:
            line.close()


def test_a_webhook_gets_events_while_the_capture_runs(k8saudit, facts):
    port = free_port()
    first, second = ([facts.document(n) for n in ns] for ns in ((1, 2, 3), (62, 63)))
    capture = k8saudit.open(f"http://127.0.0.1:{port}/k8s-audit", keep_events=True)
    reader = Reader(capture)
    reader.start()
    try:
        items = {"kind": "EventList", "apiVersion": "audit.k8s.io/v1", "items": first}
        assert post(port, "/k8s-audit", items) == 200
        told = [document["auditID"] for document in first]
        assert reader.wait_for(3) == told
        assert post(port, "/k8s-audit", first[0], kind="text/plain") == 400
        assert post(port, "/elsewhere", first[0]) == 404
        assert post(port, "/k8s-audit", second) == 200
        told += [document["auditID"] for document in second]
        assert reader.wait_for(5) == told
    finally:
        capture.stop()
        reader.join(LONG_SEC)
    assert not reader.is_alive()
    assert reader.error is None
    assert capture.end_reason == "cancelled"


def test_a_port_that_is_taken_is_said_in_the_plugins_words(k8saudit):
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        taken.listen()
        port = taken.getsockname()[1]
        with pytest.raises(wb.PluginFailure, match="address already in use"):
            k8saudit.capture(f"http://127.0.0.1:{port}/k8s-audit", timeout_sec=LONG_SEC)


def test_a_file_that_grows_is_followed(k8saudit, tmp_path, facts):
    path = tmp_path / "growing.log"
    path.write_text(facts.audit_lines[0] + "\n")
    # The number of the event before: what a live capture begins with is its own.
    k8saudit.capture(str(path))
    capture = k8saudit.open(f"file://{path}")
    reader = Reader(capture)
    reader.start()
    told = []
    try:
        # What is in the file already is not read, and the watch starts in its own time.
        limit = time.monotonic() + LONG_SEC
        while not reader.ids() and time.monotonic() < limit:
            with path.open("a") as log:
                log.write(facts.audit_lines[61] + "\n")
            time.sleep(0.2)
        with path.open("a") as log:
            log.write(facts.audit_lines[62] + "\n")
        last = facts.document(63)["auditID"]
        while last not in reader.ids() and time.monotonic() < limit:
            time.sleep(0.02)
        told = reader.ids()
    finally:
        capture.stop()
        reader.join(LONG_SEC)
    assert told[-1] == last
    assert set(told[:-1]) == {facts.document(62)["auditID"]}
