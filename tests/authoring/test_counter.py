"""The template for counting rules: built, and run over other plugins' events."""

from __future__ import annotations

import json
from collections import Counter, defaultdict, deque

import pytest

import workbench as wb
from workbench.__main__ import main
from workbench.authoring.builder import build_project
from workbench.authoring.scaffold import new_project
from workbench.errors import WorkbenchError

WINDOW_NS = 300 * 10**9


@pytest.fixture
def refusals(tmp_path):
    """Build a counter of refused requests."""
    new_project(tmp_path / "refusals", template="counter", source="weblog")
    return build_project(tmp_path / "refusals").library


def counts_of(frame):
    """Count by hand: event number → refusals of its client within five minutes."""
    found, times = {}, defaultdict(deque)
    for number, time, client, status in frame.itertuples(index=False):
        if status in (401, 403, 429):
            own = times[client]
            own.append(time.value)
            while own[0] <= time.value - WINDOW_NS:
                own.popleft()
            found[number] = len(own)
    return found


def test_refused_requests_are_counted_by_client(refusals, sample):
    fields = ["weblog.client", "weblog.status", "refusals.count", "refusals.key"]
    with wb.Workbench() as bench:
        weblog = bench.load(sample("weblog"))
        counter = bench.load(refusals)
        assert counter.info.capabilities == ["extraction", "parsing"]
        events = bench.capture(weblog.open_params[0].value, fields=fields)
        frame = events.frame
        rules = wb.load_rules(refusals.parent / "refusals_rules.yaml")
        assert not rules.check(bench)
        alerts = rules.run(events)
    wanted = counts_of(frame[["evt.num", "evt.time", "weblog.client", "weblog.status"]])
    given = frame[frame["refusals.count"].notna()]
    assert dict(zip(given["evt.num"], given["refusals.count"], strict=True)) == wanted
    assert (given["refusals.key"] == given["weblog.client"]).all()
    fives = [number for number, count in wanted.items() if count == 5]
    assert [number for number, _ in alerts.pairs()] == fives
    assert fives


def test_the_command_line_makes_and_builds_it(tmp_path, capfd):
    folder = tmp_path / "many_secrets"
    words = ["new", str(folder), "--template", "counter", "--source", "k8s_audit"]
    assert main(words) == 0
    assert main(["build", str(folder)]) == 0
    capfd.readouterr()
    assert main(["inspect", str(folder / "libmany_secrets.so"), "--json"]) == 0
    found = json.loads(capfd.readouterr().out)
    assert found["complaints"] == []
    assert found["extract_event_sources"] == ["k8s_audit"]
    assert [field["name"] for field in found["fields"]] == [
        "many_secrets.count",
        "many_secrets.key",
    ]
    assert "@" not in (folder / "plugin.py").read_text().replace("you@example.org", "")


def test_reads_of_secrets_are_counted_and_nothing_else(tmp_path):
    new_project(tmp_path / "many_secrets", template="counter", source="k8s_audit")
    plugin = made(tmp_path / "many_secrets")
    plugin.init({"window_sec": 60, "max_keys": 3})
    seen = Counter()
    for at, (second, user, verb, resource) in enumerate(
        [
            (0, "eve", "get", "secrets"),
            (10, "eve", "list", "secrets"),
            (20, "bob", "get", "secrets"),
            (30, "eve", "get", "pods"),
            (40, "eve", "create", "secrets"),
            (65, "eve", "watch", "secrets"),
        ]
    ):
        payload = audit_event(user, verb, resource)
        event = made_event(at, second * 10**9, payload)
        plugin.parse(event)
        count = plugin.extract(event, "many_secrets.count", None)
        key = plugin.extract(event, "many_secrets.key", None)
        seen[at] = count
        assert (key is None) == (count is None)
    assert dict(seen) == {0: 1, 1: 2, 2: 1, 3: None, 4: None, 5: 2}


@pytest.mark.parametrize(
    "payload", [b"", b"[]", b"null", b'{"objectRef": 5}', b"\xff", b'{"verb": "get"}']
)
def test_what_is_no_audit_event_is_not_counted(tmp_path, payload):
    new_project(tmp_path / "many_secrets", template="counter", source="k8s_audit")
    plugin = made(tmp_path / "many_secrets")
    plugin.init({})
    plugin.parse(made_event(1, 0, payload))
    assert plugin.extract(made_event(1, 0, payload), "many_secrets.count", None) is None


def test_the_table_keeps_so_many_keys(tmp_path):
    new_project(tmp_path / "many_secrets", template="counter", source="k8s_audit")
    plugin = made(tmp_path / "many_secrets")
    plugin.init({"max_keys": 100})
    for number in range(1000):
        payload = audit_event(f"user {number}", "get", "secrets")
        plugin.parse(made_event(number, number, payload))
    assert len(plugin.table.times) == 100
    assert next(iter(plugin.table.times)) == "user 900"


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({"template": "counter"}, "needs the event source"),
        ({"template": "counter", "source": "a b"}, "needs the event source"),
        ({"template": "counter", "source": "x", "language": "go"}, "is in Python"),
        ({"template": "other"}, "unknown template"),
        ({"source": "weblog"}, "is an event source itself"),
    ],
)
def test_what_makes_no_sense_together_is_told(tmp_path, options, message):
    with pytest.raises(WorkbenchError, match=message):
        new_project(tmp_path / "x", **options)
    assert not list(tmp_path.iterdir())


def test_a_source_without_a_recipe_gets_a_place_to_begin(tmp_path):
    new_project(tmp_path / "mine", template="counter", source="my_source")
    text = (tmp_path / "mine" / "plugin.py").read_text()
    assert "read the payload of my_source here" in text
    assert made(tmp_path / "mine").info().extract_event_sources == ("my_source",)


def audit_event(user, verb, resource):
    event = {"user": {"username": user}, "verb": verb}
    return json.dumps({**event, "objectRef": {"resource": resource}}).encode()


def made(folder):
    """Make the plugin's object from its source, as its library does."""
    from workbench.authoring.python.model import find_plugin_class

    names = {"__name__": "made"}
    exec(compile((folder / "plugin.py").read_text(), "plugin.py", "exec"), names)
    return find_plugin_class(names)()


def made_event(number, time_ns, payload):
    from workbench.authoring.python import PluginEvent

    return PluginEvent(number, time_ns, payload, "k8s_audit")
