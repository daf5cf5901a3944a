"""The lab's numbers: size of the scripts, typing, first paint, scrolling, live, stop."""

from __future__ import annotations

import gzip
import importlib.util
import shutil
import statistics
import sys
import tempfile
import time
from pathlib import Path

from tests.support.waiting import wait_until

TESTS = Path(__file__).resolve().parents[1]
ROWS = 1_000_000
TYPED = (
    ("number", "web.status = 404"),
    ("text", "web.path contains passwd and web.status >= 400"),
    (
        "four checks",
        "web.method = POST and web.status = 500 and web.path startswith /a and web.took > 1000",
    ),
)

LAB_CELL = """
import sys
sys.path.insert(0, {ui!r})
import workbench as wb
from conftest import FIELDS, make_table
events = wb.events_from_table(make_table({rows}), fields=FIELDS, source="web")
"""
LIVE_CELL = """
import threading, time, os
from workbench.ui.lab_widget import Lab
lab = Lab(events[:0])
whole = events.table
used = {{"producer": 0.0, "done": False}}
lab.model.take_source(events.fields, "web", lambda table: wb.events_from_table(table, fields=events.fields, source="web"))
lab.model.live = True
lab.table.set_follow(True)
lab.condition = "web.status = 404 and web.method = POST"

def produce():
    began = time.monotonic()
    sent = 0
    while sent < {rows}:
        step = min({rows} - sent, 1000)
        lab.model.deliver(whole.slice(sent, step).combine_chunks().to_batches()[0])
        sent += step
        time.sleep(max(0.0, began + sent / 50_000 - time.monotonic()))
    used["producer"] = time.thread_time()
    used["done"] = True
lab
"""
MEASURE = """
start, cpu, ticks = time.monotonic(), time.process_time(), lab._refresh_loop.ticks
thread = threading.Thread(target=produce); thread.start()
while not used["done"]:
    time.sleep(0.05)
wall = time.monotonic() - start
print((time.process_time() - cpu - used["producer"]) / wall, (lab._refresh_loop.ticks - ticks) / wall, len(lab.model.store))
"""


def _entry(name, value, target, unit, note="", *, most=True):
    ok = value <= target if most else value >= target
    return {
        "name": name,
        "value": round(value, 3),
        "target": target,
        "ok": ok,
        "unit": unit,
        "note": note,
    }


def _load(name, path):
    spec = importlib.util.spec_from_file_location(name, path)
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


def _script_size():
    from workbench.ui.widgets.widgets import assets

    note = "" if assets.has_bundle("editor") else "not bundled"
    first = assets.script("lab").encode()
    later = [assets.module_bytes(name) or b"" for name in ("editor", "later")]
    every = [first, assets.style().encode(), *later]
    size = sum(len(gzip.compress(text, 9)) for text in every) / 1024
    shell = len(gzip.compress(first, 9)) / 1024
    return [
        _entry("ui: script of the first paint, gzip", shell, 40, "KiB", note),
        _entry("ui: all scripts and styles, gzip", size, 200, "KiB", note),
    ]


def _type(lab, text):
    message = {"p": "condition", "do": "text", "tab": "scratch", "text": text}
    lab.receive(None, message)


def _typing(rows):
    import workbench as wb
    from workbench.ui.lab_widget import Lab

    sys.path.insert(0, str(TESTS / "ui"))
    try:
        data = _load("ui_conftest", TESTS / "ui" / "conftest.py")
    finally:
        sys.path.remove(str(TESTS / "ui"))
    lab = Lab(
        wb.events_from_table(data.make_table(rows), fields=data.FIELDS, source="web")
    )
    lab._refresh_loop.close()
    out = []
    try:
        for name, text in TYPED:
            spent = []
            for again in range(5):
                _type(lab, "")
                lab.settle()
                began = time.perf_counter()
                _type(lab, text + " " * again)
                lab.tick()
                lab.refine()
                spent.append((time.perf_counter() - began) * 1000)
            # The editor waits 20 ms after the last key.
            out.append(
                _entry(
                    f"ui: key to count and funnel, {name}",
                    statistics.median(spent) + 20,
                    150,
                    "ms",
                    f"{rows:,} rows",
                )
            )
    finally:
        lab.close()
    return out


def _in_browser(rows):
    from playwright.sync_api import sync_playwright

    browser_tools = _load("browser_conftest", TESTS / "browser" / "conftest.py")
    home = Path(tempfile.mkdtemp(prefix="bench-ui-"))
    server = browser_tools.Server(home)
    try:
        server.wait()
        with sync_playwright() as tools:
            found = shutil.which("chromium") or shutil.which("chromium-browser")
            chromium = tools.chromium.launch(
                executable_path=found, args=browser_tools.CHROMIUM_FLAGS
            )
            context = chromium.new_context(viewport={"width": 1280, "height": 900})
            page = browser_tools.LabPage(context.new_page(), server)
            page.open()
            out = _painted(page, rows)
            page.close()
            out += _live(page, min(rows, 250_000))
            page.close()
            chromium.close()
            return out
    finally:
        server.stop()
        shutil.rmtree(home, ignore_errors=True)


READY = "() => { const t = document.querySelector('.wb-grid'); return t && t.dataset.ready === '1' && t.querySelector('.wb-rows .wb-tr'); }"


SCROLL = """async (rows) => {
    const table = document.querySelector('.wb-grid');
    const body = table.querySelector('.wb-rows');
    const spent = [];
    for (let i = 0; i < 40; i++) {
        const start = performance.now();
        body.dispatchEvent(new WheelEvent('wheel', {deltaY: 24 * rows, bubbles: true, cancelable: true}));
        while (table.dataset.ready !== '1') await new Promise((r) => setTimeout(r, 1));
        spent.push(performance.now() - start);
        await new Promise((r) => setTimeout(r, 30));
    }
    return spent;
}"""


def _painted(lab, rows):
    page = lab.page
    lab.run(LAB_CELL.format(ui=str(TESTS / "ui"), rows=rows), "", name="paint.ipynb")
    page.evaluate(
        "() => { window.wbPanel.content.activeCellIndex = 1; window.wbPanel.content.model.cells.get(1).sharedModel.setSource('lab = wb.lab(events)\\nlab'); }"
    )
    began = time.perf_counter()
    page.evaluate("() => { window.jupyterapp.commands.execute('notebook:run-cell'); }")
    page.wait_for_function(READY)
    paint = time.perf_counter() - began
    # By the wheel rows are fetched ahead; a jump has to wait for them.
    wheel = page.evaluate(SCROLL, 5)
    jump = page.evaluate(SCROLL, 5000)
    return [
        _entry("ui: first paint after the cell runs", paint, 2, "s", f"{rows:,} rows"),
        _entry(
            "ui: scroll by one notch of the wheel",
            statistics.median(wheel),
            50,
            "ms",
            f"worst {max(wheel):.0f}",
        ),
        _entry(
            "ui: jump to rows far away",
            statistics.median(jump),
            50,
            "ms",
            f"worst {max(jump):.0f}",
        ),
    ]


def _live(lab, rows):
    lab.run(
        LAB_CELL.format(ui=str(TESTS / "ui"), rows=rows),
        LIVE_CELL.format(rows=rows),
        name="live.ipynb",
    )
    lab.page.wait_for_selector(".wb-table")
    share, rate, count = (float(word) for word in lab.python(MEASURE).split())
    return [
        _entry(
            "ui: live at 50,000 events/s, of one core",
            100 * share,
            15,
            "%",
            f"{count:,.0f} events",
        ),
        _entry("ui: updates per second", rate, 10.5, "1/s"),
    ]


def _stop():
    import workbench as wb
    from workbench.authoring.samples import sample_plugin
    from workbench.ui.lab_widget import Lab

    with tempfile.TemporaryDirectory() as folder:
        log = Path(folder) / "live.log"
        log.write_text(
            '::1 - - [21/Nov/2026:08:00:09 +0000] "GET / HTTP/1.1" 200 5 "-" "a"\n'
            * 100
        )
        plugin = wb.load(sample_plugin("weblog"), config={"follow": True})
        lab = Lab(plugin)
        try:
            spent = []
            for _ in range(5):
                lab.start(str(log))
                wait_until(lambda: len(lab.model.store) >= 100, 20, "100 rows")
                began = time.perf_counter()
                lab.stop()
                lab.wait(5)
                spent.append(time.perf_counter() - began)
        finally:
            lab.close()
            plugin.close()
    return _entry(
        "ui: stop to stopped",
        statistics.median(spent),
        0.3,
        "s",
        f"worst {max(spent):.2f}",
    )


def run(quick: bool) -> list[dict]:
    rows = 200_000 if quick else ROWS
    out = [*_script_size(), *_typing(rows), _stop()]
    has_browser = shutil.which("chromium") or shutil.which("chromium-browser")
    if (
        has_browser
        and importlib.util.find_spec("playwright")
        and importlib.util.find_spec("jupyterlab")
    ):
        out += _in_browser(rows)
    else:
        print(
            "ui: Chromium, playwright or JupyterLab is missing: browser numbers skipped"
        )
    return out
