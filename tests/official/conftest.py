from __future__ import annotations

import contextlib
import faulthandler
import importlib.util
import json
import os
from pathlib import Path

import pytest

import workbench as wb

HERE = Path(__file__).resolve().parent
EVENTS = HERE / "events"
AUDIT = EVENTS / "k8s_audit.jsonl"
TRAIL = EVENTS / "cloudtrail"


def _builder():
    spec = importlib.util.spec_from_file_location("official_build", HERE / "build.py")
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


@pytest.fixture(scope="session")
def builder():
    """Give the script that builds official plugins, as a module."""
    return _builder()


@pytest.fixture(scope="session")
def events_dir():
    """Give the folder of our own events."""
    return EVENTS


@contextlib.contextmanager
def _skipping():
    """Skip what cannot be built here: Go too old, modules out of reach."""
    try:
        yield
    except RuntimeError as error:
        if "go" in os.environ.get("WORKBENCH_REQUIRE", "").split(","):
            raise
        why = str(error).splitlines()[-1].strip()
        pytest.skip(f"official plugins cannot be built here: {why}")


@pytest.fixture(scope="session")
def official(require, builder):
    """Give a function: name of an official plugin to its library, built if needed."""
    require("go")
    # Where caches are is asked now: tests may change HOME later.
    with _skipping():
        folder = builder.cache_dir()

    def library(name):
        if not (folder / f"lib{name}.so").exists():
            # The first build takes longer than a test may before it is called stuck.
            faulthandler.cancel_dump_traceback_later()
        with _skipping():
            return builder.build(name, folder)

    return library


class Facts:
    """What the stored payloads say by themselves: no plugin takes part."""

    audit_lines = AUDIT.read_text(encoding="utf-8").splitlines()

    def document(self, number):
        """Give an audit event of the file, counted from 1."""
        return json.loads(self.audit_lines[number - 1])

    @staticmethod
    def documents(events):
        """Give the payloads of events, decoded."""
        return [json.loads(p) for p in events.extract("payload").frame["payload"]]

    @staticmethod
    def at(document, pointer):
        """Give the text at a JSON pointer as the plugins give it, None if absent."""
        for key in pointer.strip("/").split("/"):
            name = key.replace("~1", "/").replace("~0", "~")
            if isinstance(document, dict) and name in document:
                document = document[name]
            elif isinstance(document, list) and int(name) < len(document):
                document = document[int(name)]
            else:
                return None
        if isinstance(document, str):
            return document
        return json.dumps(document, ensure_ascii=False, separators=(",", ":"))

    def told(self, events, pointer):
        """Give what the payloads of events hold at a JSON pointer."""
        return [self.at(document, pointer) for document in self.documents(events)]

    @staticmethod
    def values(events, field):
        """Give what the plugins say of a field, None where it is absent."""
        column = events.extract(field).frame[field]
        return [
            None if missing else value
            for value, missing in zip(column, column.isna(), strict=True)
        ]

    @staticmethod
    def numbers(alerts):
        """Give rule → numbers of the events it alerted on."""
        found = {}
        for rule, number in zip(
            alerts.frame["rule"], alerts.frame["evt.num"], strict=True
        ):
            found.setdefault(str(rule), []).append(int(number))
        return found


@pytest.fixture(scope="session")
def facts():
    return Facts()


@pytest.fixture
def audit_file(tmp_path, facts):
    """Write the audit events of these numbers to a file; its path, as open params."""

    def write(*numbers, name=None):
        path = tmp_path / (name or f"audit-{'-'.join(map(str, numbers))}.jsonl")
        lines = [facts.audit_lines[number - 1] for number in numbers]
        path.write_text("\n".join(lines) + "\n", encoding="utf-8")
        return str(path)

    return write


@pytest.fixture
def trail_file(tmp_path):
    """Write some CloudTrail records, numbers from 1, to a folder; its path."""
    records = [
        record
        for path in sorted(TRAIL.glob("*.json"))
        for record in json.loads(path.read_text())["Records"]
        if "eventTime" in record and record["eventType"] != "AwsCloudTrailInsight"
    ]

    def write(*numbers):
        folder = tmp_path / f"trail-{'-'.join(map(str, numbers))}"
        folder.mkdir()
        chosen = {"Records": [records[number - 1] for number in numbers]}
        (folder / "some.json").write_text(json.dumps(chosen))
        return str(folder)

    return write


@pytest.fixture
def k8saudit(official):
    """Give the k8saudit plugin alone, loaded."""
    with wb.load(official("k8saudit")) as plugin:
        yield plugin


def bench_of(official, *names):
    """Give a Workbench with these official plugins."""
    with wb.Workbench() as bench:
        for name in names:
            bench.load(official(name))
        yield bench


@pytest.fixture
def cluster(official):
    """Give a Workbench with k8saudit and json, as Falco's own configuration has it."""
    yield from bench_of(official, "k8saudit", "json")


@pytest.fixture
def cloud(official):
    """Give a Workbench with cloudtrail and json."""
    yield from bench_of(official, "cloudtrail", "json")


@pytest.fixture
def both(official):
    """Give a Workbench with both sources, and json for either."""
    yield from bench_of(official, "k8saudit", "cloudtrail", "json")


@pytest.fixture(scope="module")
def audit(official):
    """Give all our audit events with every field; captured once, not to be changed."""
    for bench in bench_of(official, "k8saudit", "json"):
        yield bench.capture(str(AUDIT))


@pytest.fixture(scope="module")
def trail(official):
    """Give all our CloudTrail events with every field; captured once."""
    for bench in bench_of(official, "cloudtrail", "json"):
        yield bench.capture(str(TRAIL))


@pytest.fixture(scope="session")
def stored(plugin, tmp_path_factory):
    """Give payloads as a file of another plugin's events; its path.

    ``stored("okta", 7)`` for all of events/okta.jsonl, further numbers for some of it:
    for plugins whose own source is a service on the network.
    """

    def write(source, plugin_id, *numbers, suffix=".scap"):
        lines = (EVENTS / f"{source}.jsonl").read_text(encoding="utf-8").splitlines()
        chosen = [lines[n - 1] for n in numbers] if numbers else lines
        folder = tmp_path_factory.mktemp(source)
        (folder / "payloads").write_text("\n".join(chosen) + "\n", encoding="utf-8")
        carrier = plugin("carrier", ID=plugin_id, SOURCE=f'"{source}"')
        with wb.load(carrier) as bearer:
            events = bearer.capture(str(folder / "payloads"))
            return events.save(folder / f"{source}{suffix}")

    return write
