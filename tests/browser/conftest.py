"""A real JupyterLab and a real Chromium, once per session, with the network closed."""

from __future__ import annotations

import json
import os
import shutil
import signal
import socket
import subprocess
import sys
import urllib.error
import urllib.request
from pathlib import Path

import pytest

from tests.support.waiting import wait_until

ROOT = Path(__file__).resolve().parents[2]
CHROMIUM_FLAGS = [
    # Nothing but this machine can be reached.
    "--host-resolver-rules=MAP * ~NOTFOUND , EXCLUDE 127.0.0.1 , EXCLUDE localhost",
    "--disable-background-networking",
    "--disable-component-update",
    "--force-color-profile=srgb",
]
# Complaints of JupyterLab itself that say nothing about our widgets.
HARMLESS = (
    "reading 'schema'",
    "ResizeObserver loop",
    "favicon",
    "Failed to load resource",
)


def pytest_collection_modifyitems(items):
    here = Path(__file__).parent
    for item in items:
        if here in Path(str(item.fspath)).parents:
            item.add_marker(pytest.mark.browser)
            item.add_marker(pytest.mark.timeout(120))


def _free_port():
    with socket.socket() as listener:
        listener.bind(("127.0.0.1", 0))
        return listener.getsockname()[1]


def _write_settings(home):
    overrides = {
        "@jupyterlab/apputils-extension:notification": {
            "fetchNews": "false",
            "checkForUpdates": False,
        },
        "@jupyterlab/apputils-extension:themes": {"theme": "JupyterLab Light"},
    }
    folder = home / "config" / "labconfig"
    folder.mkdir(parents=True)
    (folder / "default_setting_overrides.json").write_text(json.dumps(overrides))


class Server:
    """JupyterLab on a free port, in folders of its own."""

    def __init__(self, home):
        self.home = home
        self.work = home / "work"
        self.work.mkdir(parents=True)
        _write_settings(home)
        self.port = _free_port()
        self.url = f"http://127.0.0.1:{self.port}"
        env = {
            **os.environ,
            "JUPYTER_CONFIG_DIR": str(home / "config"),
            "JUPYTER_RUNTIME_DIR": str(home / "runtime"),
            "JUPYTER_DATA_DIR": str(home / "data"),
            "JUPYTERLAB_SETTINGS_DIR": str(home / "settings"),
            "JUPYTERLAB_WORKSPACES_DIR": str(home / "workspaces"),
            "IPYTHONDIR": str(home / "ipython"),
            "XDG_STATE_HOME": str(home / "state"),
            "PYTHONPATH": os.pathsep.join(
                [str(ROOT), os.environ.get("PYTHONPATH", "")]
            ).rstrip(os.pathsep),
            "PYTHONWARNINGS": "",
        }
        self.log = (home / "server.log").open("w")
        self.process = subprocess.Popen(
            [
                sys.executable,
                "-m",
                "jupyterlab",
                "--no-browser",
                f"--port={self.port}",
                "--ServerApp.port_retries=0",
                "--IdentityProvider.token=",
                "--ServerApp.password=",
                "--ServerApp.disable_check_xsrf=True",
                "--LabApp.expose_app_in_browser=True",
                "--allow-root",
                f"--ServerApp.root_dir={self.work}",
            ],
            env=env,
            stdout=self.log,
            stderr=subprocess.STDOUT,
            start_new_session=True,
        )

    def wait(self):
        def answers_or_is_gone():
            try:
                with urllib.request.urlopen(f"{self.url}/api", timeout=2):
                    return "answers"
            except (urllib.error.URLError, OSError):
                return "" if self.process.poll() is None else "gone"

        if wait_until(answers_or_is_gone, 60, "JupyterLab answers") == "gone":
            raise RuntimeError((self.home / "server.log").read_text()[-3000:])

    def stop(self):
        for sign in (signal.SIGTERM, signal.SIGKILL):
            try:
                os.killpg(self.process.pid, sign)
                self.process.wait(8)
                break
            except (ProcessLookupError, subprocess.TimeoutExpired):
                continue
        self.log.close()


@pytest.fixture(scope="session")
def server(tmp_path_factory, require):
    require("chromium")
    pytest.importorskip("jupyterlab", reason="JupyterLab is not installed here")
    running = Server(tmp_path_factory.mktemp("jupyter"))
    try:
        running.wait()
        yield running
    finally:
        running.stop()


@pytest.fixture(scope="session")
def chromium(require):
    path = require("chromium")
    sync_api = pytest.importorskip(
        "playwright.sync_api", reason="playwright is not installed here"
    )
    with sync_api.sync_playwright() as tools:
        browser = tools.chromium.launch(executable_path=path, args=CHROMIUM_FLAGS)
        yield browser
        browser.close()


class LabPage:
    """One page of JupyterLab, driven through its application object."""

    def __init__(self, page, server):
        self.page = page
        self.server = server
        self.outside = []
        self.errors = []
        page.on("request", self._on_request)
        page.on("pageerror", lambda error: self.errors.append(str(error)))
        page.on("console", self._on_console)

    def _on_request(self, request):
        url = request.url
        if url.startswith(("data:", "blob:", "about:")):
            return
        if not url.startswith((self.server.url, self.server.url.replace("http", "ws"))):
            self.outside.append(url)

    def _on_console(self, message):
        if message.type == "error":
            self.errors.append(message.text)

    def open(self):
        self.page.goto(f"{self.server.url}/lab?reset", wait_until="domcontentloaded")
        self.page.wait_for_function(
            "() => window.jupyterapp && window.jupyterapp.restored", timeout=60000
        )
        self.page.evaluate("async () => { await window.jupyterapp.restored; }")

    def theme(self, name):
        self.page.evaluate(
            "async (name) => { await window.jupyterapp.commands.execute('apputils:change-theme', {theme: name}); }",
            name,
        )
        light = "true" if "Light" in name else "false"
        self.page.wait_for_selector(
            f'body[data-jp-theme-light="{light}"]', state="attached"
        )

    def run(self, *cells, name="test.ipynb", wait=True):
        """Write a notebook, open it, run all its cells; raise what a cell raised."""
        import nbformat

        nb = nbformat.v4.new_notebook(
            cells=[nbformat.v4.new_code_cell(cell) for cell in cells]
        )
        nb.metadata["kernelspec"] = {
            "name": "python3",
            "display_name": "Python 3",
            "language": "python",
        }
        path = self.server.work / name
        path.write_text(nbformat.writes(nb))
        self.page.evaluate(
            """async (path) => {
                const app = window.jupyterapp;
                const panel = await app.commands.execute('docmanager:open', {path, factory: 'Notebook'});
                await panel.context.ready;
                await panel.sessionContext.ready;
                window.wbPanel = panel;
                window.wbRun = app.commands.execute('notebook:run-all-cells');
            }""",
            name,
        )
        if wait:
            self.finish()

    def finish(self):
        self.page.evaluate("async () => { await window.wbRun; }")
        problem = self.page.evaluate(
            """() => {
                for (const cell of window.wbPanel.content.model.cells) {
                    if (!cell.outputs) continue;
                    for (let i = 0; i < cell.outputs.length; i++) {
                        const o = cell.outputs.get(i).toJSON();
                        if (o.output_type === 'error') return (o.traceback || []).join('\\n');
                    }
                }
                return null;
            }"""
        )
        if problem:
            raise AssertionError(problem[-3000:])

    def python(self, code):
        """Run code in the notebook's kernel; give what it prints."""
        return self.page.evaluate(
            """async (code) => {
                const kernel = window.wbPanel.sessionContext.session.kernel;
                const future = kernel.requestExecute({code, store_history: false});
                let text = '';
                future.onIOPub = (msg) => {
                    if (msg.header.msg_type === 'stream') text += msg.content.text;
                    if (msg.header.msg_type === 'error') text += msg.content.traceback.join('\\n');
                };
                await future.done;
                return text;
            }""",
            code,
        ).strip()

    def close(self):
        self.page.evaluate(
            """async () => {
                const panel = window.wbPanel;
                if (!panel) return;
                // A question about a file that changed would wait for ever.
                const late = new Promise((done) => setTimeout(done, 5000));
                await Promise.race([panel.context.save().catch(() => null), late]);
                for (const b of document.querySelectorAll('.jp-Dialog .jp-mod-reject')) {
                    b.click();
                }
                await panel.sessionContext.shutdown();
                panel.dispose();
                window.wbPanel = null;
            }"""
        )

    def check(self):
        """Nothing left this machine, nothing was executed, nothing failed."""
        assert self.outside == []
        assert (
            self.page.evaluate(
                "() => Object.keys(window).filter((k) => k.startsWith('PWN'))"
            )
            == []
        )
        assert [e for e in self.errors if not any(h in e for h in HARMLESS)] == []


@pytest.fixture(scope="session")
def lab_session(chromium, server):
    context = chromium.new_context(viewport={"width": 1280, "height": 900})
    opened = LabPage(context.new_page(), server)
    opened.open()
    # What a person waits for comes sooner than this, or not at all.
    opened.page.set_default_timeout(12_000)
    yield opened
    context.close()


@pytest.fixture
def jupyter(lab_session):
    """The session's JupyterLab page, with one fresh notebook per test."""
    # What a lab of an earlier test kept is not restored in this one.
    shutil.rmtree(lab_session.server.home / "state", ignore_errors=True)
    lab_session.errors.clear()
    lab_session.outside.clear()
    yield lab_session
    lab_session.close()
    lab_session.check()
