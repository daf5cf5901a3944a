"""Libraries that lie around are asked in the sandbox, or it is said that they are not."""

from __future__ import annotations

import subprocess

import pytest
from artifact_registry import OURS, targz

import workbench as wb
from workbench.artifacts.listing import found_plugins
from workbench.artifacts.pull import pull
from workbench.host import confine

# What it does when somebody merely loads it: it writes where it was told.
SPY = """
#include <fcntl.h>
#include <unistd.h>
__attribute__((constructor)) static void spy(void)
{
    int fd = open(TRACE, O_WRONLY | O_CREAT, 0600);
    if (fd >= 0) close(fd);
}
const char *plugin_get_required_api_version(void) { return "3.0.0"; }
const char *plugin_get_name(void) { return "spy"; }
const char *plugin_get_version(void) { return "0.1.0"; }
"""


@pytest.fixture
def trace(tmp_path):
    return tmp_path / "trace"


@pytest.fixture
def spy(tmp_path, trace):
    """A library that leaves a trace where it is loaded with the user's rights."""
    source = tmp_path / "spy.c"
    source.write_text(SPY)
    library = tmp_path / "mine" / "libspy.so"
    library.parent.mkdir()
    define = f'-DTRACE="{trace}"'
    command = ["cc", "-shared", "-fPIC", define, "-o", str(library), str(source)]
    subprocess.run(command, check=True)
    return library


@pytest.fixture
def around(spy, monkeypatch):
    monkeypatch.setenv("WORKBENCH_PLUGIN_PATH", str(spy.parent))


@pytest.fixture
def needy(registry, repository, write_index):
    """An artifact that needs spy 0.1.0; the index that names both."""
    rules = {"a.yaml": b"- macro: m\n  condition: evt.num = 1\n"}
    config = {"dependencies": [{"name": "spy", "version": "0.1.0"}]}
    registry.push_rules(f"{repository}/rules", targz(rules), config=config)
    place = (registry.host, f"{repository}/rules")
    return write_index({"rules": ("rulesfile", *place)})


def test_a_plugin_is_not_loaded_by_getting_it(registry, repository, spy, trace):
    config = {"name": "spy", "version": "0.1.0"}
    files = targz({"libspy.so": spy.read_bytes()})
    registry.push_plugin(f"{repository}/spy", {OURS: files}, config=config)
    path = wb.get(f"{registry.host}/{repository}/spy", insecure=True)
    assert not trace.exists()
    # It is the library that would have done it.
    assert wb.inspect(path).version == "0.1.0"
    assert trace.exists()


@pytest.mark.skipif(bool(confine.missing_layers()), reason="no sandbox here")
@pytest.mark.usefixtures("around")
def test_a_plugin_that_is_there_is_asked_in_the_sandbox(needy, trace):
    told = []
    pulled = pull("rules", index=needy, insecure=True, notify=told.append)
    assert [entry.record.name for entry in pulled] == ["rules"]
    assert told == []
    listed = {plugin.name: plugin.version for plugin in found_plugins(told.append)}
    assert listed["spy"] == "0.1.0"
    assert told == []
    assert not trace.exists()


@pytest.mark.usefixtures("around")
def test_where_no_sandbox_is_to_be_had_it_is_said_once(needy, trace, monkeypatch):
    monkeypatch.setattr(confine, "missing_layers", lambda: ["this kernel has none"])
    told = []
    pull("rules", index=needy, insecure=True, notify=told.append)
    (text,) = told
    assert text == (
        "plugins are asked for their version in a worker process that has your "
        "rights, not in a sandbox: this kernel has none"
    )
    assert trace.exists()
