"""Scenarios 15 to 18 and 20 of the design: restart, crash, live, keyboard, no colours."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

from tests.browser.driver import CONDITION, Lab, until

AXE = (
    Path(__file__).parents[2]
    / "workbench"
    / "ui"
    / "js"
    / "node_modules"
    / "axe-core"
    / "axe.min.js"
)
RUN_AXE = """async () => {
    const found = await window.axe.run(document.querySelector('.wb-lab'), {
        runOnly: ['wcag2a', 'wcag2aa', 'wcag21a', 'wcag21aa', 'wcag22aa'],
    });
    return found.violations.map((v) => `${v.id}: ${v.nodes.length} × ${v.nodes[0].html.slice(0, 160)} ${v.nodes[0].failureSummary.slice(0, 300)}`);
}"""


@pytest.fixture
def lab(jupyter):
    yield Lab(jupyter)
    jupyter.page.set_viewport_size({"width": 1280, "height": 900})
    jupyter.page.emulate_media(forced_colors="none")


def boxes(lab):
    parts = (".wb-appbar", ".wb-cond", ".wb-cks", ".wb-body", ".wb-table", ".wb-status")
    return {part: lab.box(part) for part in parts}


def test_15_a_restart_of_the_kernel_keeps_everything_in_place(lab, sample):
    page = lab.page
    lab.open_weblog(sample("weblog"))
    lab.type(CONDITION)
    lab.rows().nth(2).click()
    lab.key("m")
    until(lambda: lab.python("print(len(lab.labels))") == "1", "labelled")
    lab.button("Make a rule").click()
    page.wait_for_selector('.wb-tab[aria-selected="true"]:has-text("New rule 1")')
    # The session is written a moment after the last change.
    kept = "import glob, os; print(len(glob.glob(os.environ['XDG_STATE_HOME'] + '/falco-workbench/sessions/*.json')))"
    until(lambda: lab.python(kept) == "1", "the session is kept")
    page.wait_for_timeout(2500)
    before, rows = boxes(lab), lab.rows().all_inner_texts()
    page.evaluate(
        "async () => { await window.wbPanel.sessionContext.session.kernel.restart(); }"
    )
    gone = page.locator(".wb-ban-gone")
    gone.wait_for()
    assert "No kernel behind this lab" in gone.inner_text()
    assert boxes(lab) == before
    assert lab.rows().all_inner_texts() == rows
    assert CONDITION in lab.editor().inner_text()
    gone.get_by_role("button", name="Copy condition").wait_for()
    page.evaluate(
        "async () => { await window.jupyterapp.commands.execute('notebook:run-all-cells'); }"
    )
    page.wait_for_selector('.wb-lab[data-ready="1"]:not(.wb-gone-kernel)')
    page.wait_for_selector('.wb-tab[aria-selected="true"]:has-text("New rule 1")')
    assert lab.python("print(len(lab.labels))") == "1"
    assert lab.python("print(lab.condition)") == CONDITION
    lab.jupyter.errors.clear()


@pytest.mark.crash
def test_16_a_crash_leaves_rows_that_can_be_worked_with(lab, sample):
    page = lab.page
    lab.jupyter.run(
        f"import workbench as wb\nplugin = wb.load({str(sample('faulty'))!r})\nlab = wb.lab(plugin)\nlab"
    )
    page.wait_for_selector('.wb-lab[data-ready="1"]')
    lab.node.locator(".wb-src").click()
    page.get_by_label("Open params").fill("segfault@next_batch:100")
    lab.key("Enter")
    banner = page.locator(".wb-ban-bad")
    banner.wait_for()
    said = banner.inner_text()
    assert "The plugin crashed" in said
    assert "SIGSEGV" in said
    assert "next_batch" in said
    lab.ready()
    kept = int(lab.python("print(len(lab.events))"))
    assert kept > 0
    banner.get_by_role("button", name="Details").click()
    page.locator(".wb-dialog").get_by_text("events kept").wait_for()
    lab.key("Escape")
    # The rows can be sorted, filtered and explained.
    for _ in range(2):
        page.locator('.wb-th .wb-td[data-column="evt.num"]').click()
        page.wait_for_timeout(300)
    until(lambda: lab.column("evt.num")[0] == str(kept), "sorted")
    name = lab.python(
        "print(next(c for c in lab.events.columns if '.' in c and not c.startswith('evt.')))"
    )
    lab.type(f"{name} exists")
    lab.rows().nth(1).click()
    lab.key("Enter")
    page.locator(".wb-ver").wait_for()
    lab.python("first = lab.stream.stream")
    banner.get_by_role("button", name="Start again").click()
    again = "print(lab.stream.stream is not first and lab.stream.part.state['card'] is not None)"
    until(lambda: lab.python(again) == "True", "it crashes again, in a new process")
    banner.get_by_role("button", name="Dismiss").click()
    banner.wait_for(state="hidden")


LINE = '198.51.100.{n} - - [21/Nov/2026:08:00:{s:02d} +0000] "GET /page/{n} HTTP/1.1" 200 5 "-" "agent"\n'


def last(lab):
    """Number of the last event in view, 0 while it is not there yet."""
    shown = lab.column("evt.num")
    return int(shown[-1]) if shown and shown[-1].isdigit() else 0


def lines(count):
    return "".join(LINE.format(n=n % 200, s=n % 60) for n in range(count))


def test_17_a_live_stream_is_followed_and_can_be_read(lab, sample, tmp_path):
    page = lab.page
    log = tmp_path / "live.log"
    log.write_text(lines(500))
    lab.jupyter.run(
        f"import workbench as wb\nplugin = wb.load({str(sample('weblog'))!r}, config={{'follow': True}})\nlab = wb.lab(plugin)\nlab.start({str(log)!r})\nlab"
    )
    lab.ready()
    until(lambda: lab.python("print(len(lab.model.store))") == "500", "first rows")
    until(lambda: last(lab) >= 499, "the tail")
    with log.open("a") as more:
        more.write(lines(100))
    until(lambda: lab.total() == 600, "more rows")
    until(lambda: last(lab) >= 599, "followed")
    page.locator(".wb-rows").hover()
    page.wait_for_timeout(300)
    page.mouse.wheel(0, -2400)
    follow = lab.button("Follow the newest (G)")
    until(lambda: follow.get_attribute("aria-pressed") == "false", "held")
    lab.ready()
    before = lab.column("evt.num")
    with log.open("a") as more:
        more.write(lines(3000))
    until(lambda: lab.total() == 3600, "told")
    assert lab.column("evt.num") == before
    pill = page.locator(".wb-pill-new")
    until(lambda: "newer rows" in pill.inner_text(), "the pill")
    # Typing goes on while rows come.
    lab.type("weblog.status = 200")
    assert lab.matches() == "3600"
    pill.click()
    until(lambda: last(lab) >= 3599, "the newest")
    lab.button("Stop (Shift+S)").click()
    page.wait_for_selector('.wb-pill[data-phase="ended"]')


def test_18_tab_passes_the_lab_in_few_stops(lab):
    page = lab.page
    lab.open_table(500)
    lab.type("web.status = 404 and web.method = POST")
    lab.node.locator(".wb-appbar button:visible").first.focus()
    stops = []
    for _ in range(30):
        where = page.evaluate(
            """() => {
                const node = document.activeElement;
                if (!node.closest('.wb-lab')) return '';
                const region = node.closest('[data-region]');
                return (region ? region.dataset.region : 'none') + ' / ' + (node.getAttribute('aria-label') || node.className);
            }"""
        )
        if not where:
            break
        stops.append(where)
        page.keyboard.press("Tab")
    regions = list(dict.fromkeys(stop.split(" / ")[0] for stop in stops))
    for name in (
        "app bar",
        "tabs",
        "editor",
        "result",
        "fields",
        "timeline",
        "table",
    ):
        assert name in regions, stops
    assert len(stops) <= 8, stops


def test_18_regions_are_reached_by_f6_and_keys_work(lab):
    page = lab.page
    lab.open_table(500)
    lab.type("web.status = 404")
    lab.focus_table()
    seen = []
    for _ in range(8):
        lab.key("F6")
        seen.append(
            page.evaluate(
                "() => (document.activeElement.closest('[data-region]') || {dataset: {}}).dataset.region || ''"
            )
        )
    assert {
        "app bar",
        "tabs",
        "editor",
        "fields",
        "timeline",
        "table",
    } <= set(seen), seen
    lab.focus_table()
    lab.key("c")
    until(
        lambda: page.evaluate(
            "() => document.activeElement.classList.contains('cm-content')"
        ),
        "the editor",
    )
    lab.key("Escape")
    until(
        lambda: page.evaluate(
            "() => document.activeElement.classList.contains('wb-grid')"
        ),
        "the table",
    )
    lab.key("]")
    until(lambda: lab.python("print(len(lab.selected))") == "1", "next match")
    number = lab.python("print(lab.selected[0])")
    assert lab.python("print(int(lab.matches['evt.num'][0]))") == number
    lab.key("Shift+F10")
    page.locator(".wb-menu").wait_for()
    lab.key("Escape")
    lab.key("b")
    page.locator(".wb-break .wb-bd").first.wait_for()
    lab.key("Escape")
    lab.key("?")
    page.locator(".wb-help").wait_for()
    lab.key("Escape")
    lab.focus_table()
    lab.key("3")
    page.locator(".wb-dock").wait_for()
    lab.key("3")
    page.locator(".wb-dock").wait_for(state="hidden")


@pytest.mark.parametrize("theme", ["JupyterLab Light", "JupyterLab Dark"])
def test_18_axe_finds_no_fault(lab, sample, theme):
    if not AXE.exists():
        pytest.skip("axe-core is not installed: npm ci in workbench/ui/js")
    page = lab.page
    page.set_viewport_size({"width": 1440, "height": 900})
    rules = sample("weblog").parent / "weblog_rules.yaml"
    lab.open_weblog(sample("weblog"), options=f", rules=wb.load_rules({str(rules)!r})")
    lab.jupyter.theme(theme)
    try:
        page.evaluate(AXE.read_text())
        lab.type(CONDITION)
        lab.rows().nth(2).click()
        lab.key("m", "Enter")
        page.locator(".wb-why").wait_for()
        page.wait_for_timeout(400)
        assert page.evaluate(RUN_AXE) == []
        lab.button("Make a rule").click()
        page.locator(".wb-alert").first.wait_for()
        page.wait_for_timeout(400)
        assert page.evaluate(RUN_AXE) == []
        for place in ("Rules", "Plugin"):
            seg = page.locator(".wb-appbar .wb-seg")
            seg.get_by_role("button", name=re.compile(f"^{place}")).click()
            page.wait_for_timeout(900)
            assert page.evaluate(RUN_AXE) == [], place
    finally:
        lab.jupyter.theme("JupyterLab Light")


def test_20_marks_are_told_without_colours(lab, sample):
    page = lab.page
    lab.open_weblog(sample("weblog"))
    lab.type(CONDITION)
    page.emulate_media(forced_colors="active")
    lab.show("Matches")
    until(lambda: lab.total() == 145, "matches")
    lab.ready()
    lab.rows().nth(1).click()
    lab.key("m")
    lab.rows().nth(2).click()
    lab.key("n")
    until(lambda: page.locator(".wb-rows svg.wb-x").count() == 1, "labels")

    def shape(selector):
        return page.locator(selector).first.evaluate("(node) => node.innerHTML")

    shapes = {
        shape(".wb-rows svg.wb-m"),
        shape(".wb-rows svg.wb-y"),
        shape(".wb-rows svg.wb-x"),
        shape(".wb-seg svg.wb-n"),
    }
    assert len(shapes) == 4
    dot = page.locator(".wb-dot")
    assert dot.evaluate("(node) => getComputedStyle(node).borderRadius") == "1px"
    words = lab.rows().nth(1).locator(".wb-gutter").get_attribute("aria-label")
    assert words == "match, must match"
