"""The sandbox as people meet it: options, words, what is left behind."""

from __future__ import annotations

import gc
import json
import os
import signal
import subprocess
import sys
import tempfile
import time
from collections import Counter
from pathlib import Path

import pytest

import workbench as wb
from tests.support.waiting import wait_until

LINE = b'192.0.2.7 - - [10/Oct/2025:13:55:36 +0000] "GET /a HTTP/1.1" 200 5 "-" "-"\n'
COMMANDS = [
    "inspect",
    "stream",
    "run",
    "validate",
    "test",
    "check",
    "diff",
    "record",
    "replay",
]


@pytest.fixture
def weblog(sample):
    return sample("weblog")


@pytest.fixture
def log(tmp_path):
    file = tmp_path / "access.log"
    file.write_bytes(LINE)
    return str(file.resolve())


def command(*words):
    line = [sys.executable, "-m", "workbench", *map(str, words)]
    return subprocess.run(line, capture_output=True, text=True, timeout=120)


# ---- options ------------------------------------------------------------------------


def test_the_kernel_itself_cannot_be_bound(weblog):
    with pytest.raises(wb.WorkbenchError, match='cannot be had with isolation="none"'):
        wb.load(weblog, sandbox=True, isolation="none")
    with pytest.raises(wb.WorkbenchError, match='cannot be had with isolation="none"'):
        wb.Workbench(sandbox=True, isolation="none")


@pytest.mark.parametrize(
    "options", [{"sandbox_read": ["/usr"]}, {"sandbox_network": True}]
)
def test_nothing_is_loosened_where_nothing_is_bound(weblog, options):
    for make in (
        wb.Workbench,
        lambda **o: wb.load(weblog, **o),
        lambda **o: wb.inspect(weblog, **o),
    ):
        with pytest.raises(wb.WorkbenchError, match="add sandbox=True"):
            make(**options)


def test_what_holds_is_said(weblog, log):
    with wb.load(weblog, sandbox=True, sandbox_read=[log]) as plugin:
        held = plugin.sandbox
        assert held.readable == (str(weblog.resolve()), log)
        assert not held.network
        shown = repr(held).splitlines()
        assert shown[0] == "Sandbox"
        assert shown[1].startswith("  holds     Landlock ")
        assert f"  may read  {log}" in shown
        assert "  network   denied" in shown
    with wb.load(weblog) as plugin:
        assert plugin.sandbox is None


def test_what_was_denied_is_in_the_log_and_in_the_errors(build):
    with wb.load(build("intruder"), sandbox=True) as plugin:
        assert plugin.sandbox.denied == ()
        with pytest.raises(wb.PluginOpenError) as caught:
            plugin.open("parent environ\nsession")
        words = (
            f"open /proc/{os.getpid()}/environ: denied by the sandbox (in plugin_open)"
        )
        assert words in caught.value.message
        assert "setsid: denied by the sandbox (in plugin_open)" in caught.value.message
        assert words in [x.message for x in plugin.log if x.component == "sandbox"]
        assert words in plugin.sandbox.denied
        assert f"  denied    {words}" in repr(plugin.sandbox)
        # Each error carries its own.
        with pytest.raises(wb.PluginOpenError) as caught:
            plugin.open("fork")
        assert "fork: denied by the sandbox" in caught.value.message
        assert "environ" not in caught.value.message


def test_inspecting_runs_the_constructor_in_the_sandbox(build, tmp_path):
    secret = tmp_path / "secret"
    secret.write_text("secret")
    library = build("intruder", f'-DAT_LOAD="{secret}"')
    assert wb.inspect(library).description == "ok"
    assert wb.inspect(library, sandbox=True).description == "EACCES"
    read = wb.inspect(library, sandbox=True, sandbox_read=[secret])
    assert read.description == "ok"


def test_errors_survive_pickling(build):
    import pickle

    with pytest.raises(wb.PluginInitError) as caught:
        wb.load(build("intruder"), config="read /etc/shadow", sandbox=True)
    assert "denied by the sandbox" in caught.value.message
    again = pickle.loads(pickle.dumps(caught.value))
    assert str(again) == str(caught.value)
    assert again.message == caught.value.message


def test_a_second_plugin_is_loaded_beside_the_first(weblog, build, log):
    with wb.Workbench(sandbox=True) as bench:
        bench.load(weblog)
        bench.load(build("intruder"))
        assert bench.sources == ["weblog", "intruder"]
        assert len(bench.capture(log, source="weblog")) == 1
        assert len(bench.sandbox.readable) == 3


# ---- what is left behind ------------------------------------------------------------


def private_folders() -> set[str]:
    return set(Path(tempfile.gettempdir()).glob("workbench-sandbox-*"))


def held() -> Counter:
    found: Counter = Counter()
    for _ in Path("/proc/self/fd").iterdir():
        found["descriptor"] += 1
    for task in Path("/proc/self/task").iterdir():
        found["thread"] += 1
        found["child"] += len((task / "children").read_text().split())
    return found


@pytest.fixture
def leaves_nothing():
    gc.collect()
    folders, before = private_folders(), held()
    yield
    gc.collect()
    deadline = time.monotonic() + 30  # a disk that is busy: the rest is done aside
    while not private_folders() <= folders and time.monotonic() < deadline:
        time.sleep(0.1)
    assert private_folders() <= folders
    assert not {kind: n for kind, n in held().items() if n > before[kind]}


@pytest.mark.usefixtures("leaves_nothing")
def test_closing_leaves_nothing(build, weblog, log):
    for _ in range(5):
        with wb.load(weblog, sandbox=True) as plugin:
            assert len(plugin.capture(log)) == 1
    wb.inspect(weblog, sandbox=True)
    with pytest.raises(wb.PluginInitError):
        wb.load(build("intruder"), config="temporary\nlitter", sandbox=True)


@pytest.mark.usefixtures("leaves_nothing")
@pytest.mark.parametrize("how", ["abort", "kill", "hang"])
def test_a_dead_worker_leaves_nothing(how, build, sample):
    if how == "abort":
        with pytest.raises(wb.PluginCrashed):
            wb.load(build("intruder"), config="litter\nabort", sandbox=True)
    elif how == "kill":
        with wb.load(build("intruder"), sandbox=True) as plugin:
            os.kill(plugin.pool._sessions[0].session.pid, signal.SIGKILL)
            with pytest.raises(wb.PluginCrashed):
                plugin.open("fork")
    else:
        faulty, hung = sample("faulty"), pytest.raises(wb.PluginHung)
        with wb.load(faulty, sandbox=True, call_timeout_sec=0.3) as plugin, hung:
            plugin.capture("hang@open")


@pytest.mark.usefixtures("leaves_nothing")
def test_the_plugin_goes_on_after_its_worker_died(weblog, log):
    with wb.load(weblog, sandbox=True, sandbox_read=[log]) as plugin:
        os.kill(plugin.pool._sessions[0].session.pid, signal.SIGKILL)
        with pytest.raises(wb.PluginCrashed):
            plugin.capture(log)
        assert len(plugin.capture(log)) == 1
        assert plugin.sandbox.readable[-1] == log


def test_without_its_guard_a_plugin_is_not_freer(build):
    with wb.load(build("intruder"), sandbox=True) as plugin:
        os.kill(plugin.pool._sessions[0].session.sandbox["guard"], signal.SIGKILL)
        time.sleep(0.1)
        with pytest.raises(wb.PluginOpenError) as caught:
            plugin.open("fork\nparent environ\nexec_memory\ntcp 9\nkill_all\nsession")
        assert caught.value.last_error.split() == ["ENOSYS"] * 6


def test_the_guard_is_bound_itself(build):
    with wb.load(build("intruder"), sandbox=True) as plugin:
        guard = plugin.pool._sessions[0].session.sandbox["guard"]
        status = Path(f"/proc/{guard}/status").read_text()
        assert "Name:\tworkbench-guard\n" in status
        assert "NoNewPrivs:\t1\n" in status
        assert "Seccomp:\t2\n" in status
        assert len(list(Path(f"/proc/{guard}/fd").iterdir())) == 2


_LEFT = """
import sys, time
import workbench as wb

sandbox = sys.argv[2] == "sandbox"
plugin = wb.load(sys.argv[1], sandbox=sandbox)
session = plugin.pool._sessions[0].session
print(session.pid, session.sandbox.get("guard", 0), flush=True)
time.sleep(60)
"""


def _runs(pid):
    try:
        stat = Path(f"/proc/{pid}/stat").read_text()
    except OSError:
        return False
    return stat.rpartition(")")[2].split()[0] not in "ZX"


@pytest.mark.parametrize("kind", ["sandbox", "open"])
def test_also_a_stopped_worker_ends_with_its_notebook(weblog, kind):
    arguments = [sys.executable, "-c", _LEFT, str(weblog), kind]
    with subprocess.Popen(arguments, stdout=subprocess.PIPE, text=True) as notebook:
        left = [int(word) for word in notebook.stdout.readline().split()]
        worker = left[0]
        os.kill(worker, signal.SIGSTOP)
        notebook.kill()
    ended = [pid for pid in left if pid]
    try:
        wait_until(lambda: not any(map(_runs, ended)), 20, "the end of the worker")
    finally:
        if _runs(worker):
            os.kill(worker, signal.SIGKILL)


def test_the_environment_is_not_the_users(build, monkeypatch):
    monkeypatch.setenv("AWS_SECRET_ACCESS_KEY", "secret")
    monkeypatch.setenv("LC_ALL", "C.UTF-8")
    with wb.load(build("intruder"), sandbox=True) as plugin:
        pid = plugin.pool._sessions[0].session.pid
        variables = dict(
            entry.split("=", 1)
            for entry in Path(f"/proc/{pid}/environ").read_text().split("\0")
            if entry
        )
        folder = variables["TMPDIR"]
        assert variables["HOME"] == folder
        assert Path(folder).stat().st_mode & 0o777 == 0o700
        assert variables["LC_ALL"] == "C.UTF-8"
        assert "AWS_SECRET_ACCESS_KEY" not in variables
        limits = Path(f"/proc/{pid}/limits").read_text()
        assert "Max core file size        0                    0" in limits
    assert not Path(folder).exists()


# ---- faces --------------------------------------------------------------------------


@pytest.mark.parametrize("name", COMMANDS)
def test_every_command_that_loads_plugins_has_the_options(name):
    text = command(name, "--help").stdout
    for word in ("--sandbox ", "--sandbox-read PATH", "--sandbox-network"):
        assert word in text


def test_the_command_line_streams_and_says_what_was_denied(weblog, log):
    done = command("stream", weblog, "--open", log, "--format", "jsonl", "--sandbox")
    assert done.returncode == 0, done.stderr
    assert json.loads(done.stdout)["weblog.path"] == "/a"
    assert "denied by the sandbox (in plugin_list_open_params)" in done.stderr


def test_the_command_line_refuses_options_that_make_no_sense(weblog):
    done = command("stream", weblog, "--sandbox-read", "/usr")
    assert done.returncode == 2
    assert done.stderr == "workbench: --sandbox-read goes with --sandbox\n"
    done = command("inspect", weblog, "--sandbox-network")
    assert done.returncode == 2
    done = command("inspect", weblog, "--sandbox", "--sandbox-read", "/not/there")
    assert done.returncode == 1
    assert "sandbox_read names /not/there, which does not exist" in done.stderr


def test_the_command_line_inspects_in_the_sandbox(build, tmp_path):
    secret = tmp_path / "secret"
    secret.write_text("secret")
    library = build("intruder", f'-DAT_LOAD="{secret}"')
    for words, said in (([], "ok"), (["--sandbox"], "EACCES")):
        done = command("inspect", library, "--json", *words)
        assert json.loads(done.stdout)["description"] == said


@pytest.mark.slow
def test_the_checks_run_in_the_sandbox(sample):
    words = ["check", sample("faulty"), "--open", "events=200", "--json"]
    free, bound = command(*words), command(*words, "--sandbox")
    codes = [
        sorted({finding["code"] for finding in json.loads(done.stdout)["findings"]})
        for done in (free, bound)
    ]
    assert codes[0] == codes[1]


@pytest.fixture
def shell(tmp_path, monkeypatch):
    """Give a real IPython shell with the magics loaded."""
    from IPython.core.interactiveshell import InteractiveShell
    from traitlets.config import Config

    monkeypatch.setenv("IPYTHONDIR", str(tmp_path))
    config = Config()
    config.HistoryManager.enabled = False
    shell = InteractiveShell(config=config)
    shell.run_line_magic("load_ext", "workbench")
    yield shell
    for value in list(shell.user_ns.values()):
        if type(value).__name__ == "Plugin":
            value.close()


def test_a_cell_is_built_and_runs_in_the_sandbox(shell):
    from workbench.authoring.scaffold import render_source

    source = render_source("c", "boxed")
    shell.run_cell_magic("plugin", "c boxed --sandbox --open 5 -o got", source)
    assert shell.user_ns["boxed"].sandbox is not None
    assert len(shell.user_ns["got"]) == 5


def test_the_lab_keeps_the_sandbox(weblog, log):
    with wb.load(weblog, sandbox=True, sandbox_read=[log]) as plugin:
        lab = wb.lab(plugin)
        try:
            code = lab.code
            assert f"sandbox=True, sandbox_read=['{log}']" in code
            lab.plugin_panel.load(str(weblog))
            assert lab.target is not plugin
            assert lab.target.sandbox is not None
            lab.target.close()
        finally:
            lab.close()


def test_the_lab_loads_in_a_sandbox_when_asked(weblog):
    lab = wb.lab(None, sandbox=True)
    try:
        lab.plugin_panel.load(str(weblog))
        assert lab.target.sandbox is not None
        lab.target.close()
    finally:
        lab.close()
