"""Official plugins are built, load, and say of themselves what they should."""

from __future__ import annotations

import json
import subprocess
import sys
import threading
from concurrent.futures import ThreadPoolExecutor

import pytest

import workbench as wb
from workbench.__main__ import main

pytestmark = [pytest.mark.go, pytest.mark.official]

# Name → ID, event source, number of fields, keys of the init schema.
FACTS = {
    "k8saudit": (1, "k8s_audit", 100, {"useAsync", "maxEventSize", "sslCertificate"}),
    "json": (0, "", 6, {"useAsync"}),
    "cloudtrail": (2, "aws_cloudtrail", 73, {"s3Interval", "sqsDelete", "aws"}),
    "okta": (7, "okta", 54, {"api_token", "organization", "cache_expiration"}),
    "github": (8, "github", 25, {"websocketServerURL", "secretsDir", "useHTTPs"}),
    "gcpaudit": (12, "gcp_auditlog", 25, {"project_id", "num_goroutines"}),
}


def keys_of(schema):
    """Give the names of an init schema's properties, behind one reference."""
    if "$ref" in schema:
        for part in schema["$ref"].removeprefix("#/").split("/"):
            schema = schema[part]
    return set(schema["properties"])


def test_go_mod_lists_these_plugins_and_the_go_sum_pins_them(builder):
    assert set(builder.commands()) == set(builder.versions()) == set(FACTS)
    sums = (builder.HERE / "go.sum").read_text()
    for name, version in builder.versions().items():
        assert f"/plugins/plugins/{name} v{version} h1:" in sums
    # The fork that the plugins' own go.mod names, unknown to the checksum database.
    assert "geraldcombs/fastjson v0.0.0-20250801170450-bf39244e60b8 h1:" in sums


def test_a_library_is_built_once_for_all_processes(official, builder):
    first = official("json")
    stamp = first.stat().st_mtime_ns
    with ThreadPoolExecutor(4) as pool:
        assert set(pool.map(builder.build, ["json"] * 8)) == {first}
    said = subprocess.run(
        [sys.executable, builder.HERE / "build.py", "json"],
        capture_output=True,
        text=True,
        check=True,
    )
    assert said.stdout == f"{first}\n"
    assert first.stat().st_mtime_ns == stamp


def test_a_cache_of_other_contents_is_another_one(official, builder, monkeypatch):
    official("json")
    before = builder.cache_dir()
    monkeypatch.setattr(builder, "FLAGS", (*builder.FLAGS, "-v"))
    assert builder.cache_dir() != before
    assert builder.cache_dir().parent == before.parent


def test_the_builder_names_what_there_is_when_asked_for_more(builder):
    done = subprocess.run(
        [sys.executable, builder.HERE / "build.py", "nothing"],
        capture_output=True,
        text=True,
    )
    assert done.returncode == 2
    assert "go.mod lists no nothing, only ['cloudtrail', 'gcpaudit'" in done.stderr


@pytest.mark.parametrize("name", FACTS)
def test_an_official_plugin_loads_and_names_itself(official, builder, name):
    number, source, count, keys = FACTS[name]
    with wb.load(official(name)) as plugin:
        info = plugin.info
        assert (info.name, info.id, info.event_source) == (name, number, source)
        assert info.version == builder.versions()[name]
        assert info.required_api_version == "3.11.0"
        words = ["sourcing", "extraction"] if source else ["extraction"]
        assert list(info.capabilities) == words
        assert list(info.extract_event_sources) == ([source] if source else [])
        assert len(plugin.fields) == count
        assert keys <= keys_of(plugin.init_schema)
        assert all(field.desc for field in plugin.fields.values())
    assert wb.inspect(official(name)).complaints == []


def test_fields_come_with_their_arguments(official):
    with wb.load(official("k8saudit")) as plugin:
        param = plugin.fields["ka.uri.param"]
        assert (param.type, param.is_list) == ("string", False)
        assert (param.arg.required, param.arg.key, param.arg.index) == (1, 1, 0)
        images = plugin.fields["ka.req.pod.containers.image"]
        assert (images.type, images.is_list) == ("string", True)
        assert (images.arg.required, images.arg.key, images.arg.index) == (0, 0, 1)
    with wb.load(official("cloudtrail")) as plugin:
        assert plugin.fields["s3.bytes"].type == "uint64"
        assert plugin.fields["ct.shortsrc"].display == "AWS Service"


def test_inspect_prints_the_same(official, capfd):
    assert main(["inspect", str(official("cloudtrail")), "--json"]) == 0
    said = json.loads(capfd.readouterr().out)
    assert (said["name"], said["id"], len(said["fields"])) == ("cloudtrail", 2, 73)
    assert said["capabilities"] == ["sourcing", "extraction"]
    assert said["complaints"] == []


def test_an_init_config_reaches_the_plugin(official, audit_file):
    path = audit_file(21, 50)
    with wb.load(official("k8saudit"), config={"maxEventSize": 900}) as plugin:
        assert len(plugin.capture(path)) == 0
        said = [line.message for line in plugin.log]
        assert (
            sum("event larger than maxEventSize: size=" in text for text in said) == 2
        )
    with wb.load(official("k8saudit"), config={"useAsync": False}) as plugin:
        assert len(plugin.capture(path)) == 2


def test_a_config_of_the_wrong_type_is_refused_before_init(official):
    with pytest.raises(wb.PluginInitError) as caught:
        wb.load(official("k8saudit"), config={"maxEventSize": "much"})
    assert "maxEventSize" in str(caught.value)
    assert "'much' is not of type 'integer'" in str(caught.value)


@pytest.mark.parametrize(
    ("name", "params", "words"),
    [
        ("k8saudit", "there/is/none.jsonl", "stat there/is/none.jsonl: no such file"),
        ("k8saudit", "ftp://audit", 'scheme "ftp" is not supported'),
        ("cloudtrail", "", "missing input directory argument"),
        ("cloudtrail", "there/is/none", "cannot open there/is/none"),
        ("github", "harbour-example/shop", "GitHub token missing"),
        ("gcpaudit", "", "no subscriptionID provided"),
    ],
)
def test_what_cannot_be_opened_is_said_in_the_plugins_words(
    official, name, params, words, monkeypatch, tmp_path
):
    library = official(name)
    monkeypatch.delenv("GITHUB_PLUGIN_TOKEN", raising=False)
    monkeypatch.setenv("HOME", str(tmp_path))
    with (
        wb.load(library) as plugin,
        pytest.raises(wb.PluginOpenError) as caught,
    ):
        plugin.capture(params)
    assert words in str(caught.value)


def test_an_extractor_alone_says_that_it_has_no_events(official):
    with (
        wb.load(official("json")) as plugin,
        pytest.raises(wb.WorkbenchError) as caught,
    ):
        plugin.capture("")
    assert "json" in str(caught.value)
    assert "sourc" in str(caught.value)


IN_PROCESS = """
import sys
import workbench as wb
k8saudit, json, cloudtrail, audit, trail = sys.argv[1:]
with wb.Workbench(isolation="none") as bench:
    for library in (k8saudit, cloudtrail, json):
        bench.load(library)
    events = bench.capture(audit, source="k8s_audit")
    print(len(events), events.where('jevt.value[/verb] = watch').frame["evt.num"].tolist())
    events = bench.capture(trail, source="aws_cloudtrail")
    print(len(events), events.where('ct.error exists').frame["evt.num"].tolist())
"""


def test_three_go_plugins_run_in_the_process_of_the_caller(official, events_dir):
    # Go's runtime cannot be unloaded: the process that tries this is not pytest's own.
    libraries = [str(official(n)) for n in ("k8saudit", "json", "cloudtrail")]
    done = subprocess.run(
        [
            *(sys.executable, "-W", "error", "-c", IN_PROCESS),
            *(
                *libraries,
                str(events_dir / "k8s_audit.jsonl"),
                str(events_dir / "cloudtrail"),
            ),
        ],
        capture_output=True,
        text=True,
        timeout=60,
    )
    assert done.returncode == 0, done.stderr
    assert done.stdout.splitlines() == ["90 [11]", "36 [18, 27]"]


def test_plugins_close_without_leaving_threads(official, audit_file):
    before = threading.active_count()
    for _ in range(3):
        with wb.load(official("k8saudit")) as plugin:
            assert len(plugin.capture(audit_file(1, 2, 3))) == 3
    assert threading.active_count() == before
