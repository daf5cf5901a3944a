from __future__ import annotations

import re

import pytest

from tests.support.waiting import wait_until

OPEN_LAB = """
import workbench as wb
plugin = wb.load({library!r})
lab = wb.lab(plugin)
lab
"""

TABLE = """
import sys
sys.path.insert(0, {tests!r})
import workbench as wb
from conftest import FIELDS, make_table
events = wb.events_from_table(make_table({rows}), fields=FIELDS, source="web", plugin="web", plugin_version="1.0.0")
lab = wb.lab(events)
lab
"""


@pytest.fixture
def weblog(sample):
    return sample("weblog")


def until(check, what, limit=10):
    return wait_until(check, limit, what)


def open_table(jupyter, rows):
    from pathlib import Path

    tests = str(Path(__file__).parents[1] / "ui")
    jupyter.run(TABLE.format(tests=tests, rows=rows))
    ready(jupyter.page)


def ready(page):
    page.wait_for_function(
        "() => { const t = document.querySelector('.wb-table'); return t && t.dataset.ready === '1' && t.querySelector('.wb-body .wb-row'); }"
    )


def verdict(page):
    return page.locator(".wb-funnel").get_attribute("data-matches")


def inside(page):
    """Look for controls in the lab only: JupyterLab has buttons of the same names."""
    return page.locator(".wb-lab")


def editor(page):
    return inside(page).get_by_role("textbox", name="Condition")


def test_from_a_plugin_to_a_rules_file(jupyter, weblog, tmp_path):
    page = jupyter.page
    jupyter.run(OPEN_LAB.format(library=str(weblog)))
    inside(page).get_by_label("Open params").fill(
        str(weblog.parent / "data" / "access.log")
    )
    inside(page).get_by_role("button", name="Start", exact=True).click()
    page.wait_for_selector('.wb-stream[data-phase="ended"]')
    ready(page)
    total = page.locator(".wb-meters dd").first.inner_text()
    assert int(re.sub(r"\D", "", total)) > 20_000

    # Key by key: the list of fields opens, Tab takes the one meant.
    editor(page).click()
    page.keyboard.type("weblog.sta", delay=30)
    # The list may show what fitted a key ago: it narrows when the answer comes.
    chosen = page.locator(".cm-tooltip-autocomplete li[aria-selected]")
    chosen.filter(has_text="weblog.status").wait_for()
    # The editor takes no key for a completion just after the list has changed.
    page.wait_for_timeout(300)
    page.keyboard.press("Tab")
    page.keyboard.type(" >= 400 and weblog.pth contains admin", delay=10)
    page.keyboard.press("Escape")

    # A mistake is underlined and said in words; curing it takes both away.
    page.wait_for_selector(".cm-lintRange-error")
    until(
        lambda: "weblog.path" in page.locator(".wb-complaints").first.inner_text(),
        "the right name is proposed",
    )
    jupyter.python(
        "lab.condition = 'weblog.status >= 400 and weblog.path contains admin'"
    )
    page.wait_for_selector(".cm-lintRange-error", state="detached")
    expected = jupyter.python("print(len(lab.events.where(lab.condition)))")
    assert int(expected) > 100
    until(lambda: verdict(page) == expected, "the match count")

    # Why a row does not match.
    inside(page).get_by_role("button", name="Near misses").click()
    ready(page)
    page.locator(".wb-body .wb-row").first.click()
    inside(page).get_by_role("tab", name="Why?").click()
    until(
        lambda: "does not match" in page.locator(".wb-answer").inner_text(),
        "an explanation",
    )
    assert page.locator(".wb-node.wb-no").count() >= 1
    inside(page).get_by_role("button", name="All", exact=False).first.click()

    # A range of time restricts the table.
    plot = page.locator(".wb-plot").bounding_box()
    page.mouse.move(plot["x"] + 60, plot["y"] + 30)
    page.mouse.down()
    page.mouse.move(plot["x"] + 220, plot["y"] + 30, steps=5)
    page.mouse.up()
    inside(page).get_by_role("button", name="Clear range").wait_for()
    shown = int(jupyter.python("print(lab.table.widget.total)"))
    assert 0 < shown < int(re.sub(r"\D", "", total))
    inside(page).get_by_role("button", name="Clear range").click()

    # The rule: what is on screen is what is on disk, and it validates.
    inside(page).get_by_role("tab", name="Rule", exact=True).click()
    inside(page).get_by_label("Name", exact=True).first.fill("Admin pages probed")
    inside(page).get_by_role("textbox", name="Output").click()
    page.keyboard.press("Control+a")
    page.keyboard.type("Probe of %weblog.path by %weblog.client", delay=5)
    page.keyboard.press("Escape")
    until(
        lambda: (
            "Probe of" in page.locator(".wb-yaml").inner_text()
            and "Admin pages probed" in page.locator(".wb-yaml").inner_text()
        ),
        "the YAML follows the form",
    )
    until(lambda: page.locator(".wb-outputs li").count() > 3, "alerts are previewed")
    target = tmp_path / "probes.yaml"
    inside(page).get_by_label("Rules file to save").fill(str(target))
    inside(page).get_by_role("button", name="Save", exact=True).click()
    until(lambda: target.exists() and target.read_text(), "the file")
    assert target.read_text().strip() == page.locator(".wb-yaml").inner_text().strip()
    judged = jupyter.python(
        f"print([d for d in wb.load_rules({str(target)!r}).check(plugin) if d.severity == 'error'])"
    )
    assert judged == "[]"


def test_a_million_rows_scroll_at_once_and_do_not_drift(jupyter):
    page = jupyter.page
    open_table(jupyter, 1_000_000)
    # Straight to the middle with the scroll bar, then by wheel and key.
    page.locator(".wb-track").scroll_into_view_if_needed()
    track = page.locator(".wb-track").bounding_box()
    page.mouse.click(track["x"] + 5, track["y"] + track["height"] / 2)
    until(
        lambda: (
            400_000
            < int(page.locator(".wb-table").get_attribute("data-first"))
            < 600_000
        ),
        "the middle",
    )
    ready(page)
    first = page.locator(".wb-body .wb-row").first
    number = int(first.get_attribute("aria-rowindex")) - 1
    assert first.locator(".wb-cell").nth(1).inner_text() == str(number)
    page.locator(".wb-body").hover()
    for _ in range(20):
        page.mouse.wheel(0, 240)
    until(
        lambda: (
            int(page.locator(".wb-body .wb-row").first.get_attribute("aria-rowindex"))
            > number + 150
        ),
        "scrolled",
    )
    page.locator(".wb-grid").focus()
    page.keyboard.press("End")
    until(
        lambda: (
            page.locator(".wb-chosen .wb-cell").nth(1).inner_text() == "1000000"
            if page.locator(".wb-chosen").count()
            else False
        ),
        "the last row is selected",
    )
    until(
        lambda: (
            jupyter.python("print(lab.selection['evt.num'].tolist())") == "[1000000]"
        ),
        "Python knows the selection",
    )


def test_rows_arrive_without_moving_the_ones_being_read(jupyter, weblog, tmp_path):
    page = jupyter.page
    log = tmp_path / "live.log"
    line = '198.51.100.{n} - - [21/Nov/2026:08:00:{s:02d} +0000] "GET /page/{n} HTTP/1.1" 200 5 "-" "agent"\n'
    log.write_text("".join(line.format(n=n % 200, s=n % 60) for n in range(500)))
    jupyter.run(
        f"import workbench as wb\nplugin = wb.load({str(weblog)!r}, config={{'follow': True}})\nlab = wb.lab(plugin)\nlab.start({str(log)!r})\nlab"
    )
    ready(page)
    until(
        lambda: jupyter.python("print(len(lab.model.store))") == "500", "the first rows"
    )
    assert (
        inside(page).get_by_role("button", name="Follow").get_attribute("aria-pressed")
        == "true"
    )
    # The newest rows are in view by themselves.
    until(
        lambda: (
            page.locator(".wb-body .wb-row")
            .last.locator(".wb-cell")
            .nth(1)
            .inner_text()
            == "500"
        ),
        "the tail",
    )
    with log.open("a") as more:
        more.writelines(line.format(n=n % 200, s=n % 60) for n in range(100))
    until(
        lambda: (
            page.locator(".wb-body .wb-row")
            .last.locator(".wb-cell")
            .nth(1)
            .inner_text()
            == "600"
        ),
        "followed",
    )
    # Reading further up holds: rows stay where they are.
    page.locator(".wb-body").hover()
    page.mouse.wheel(0, -2400)
    until(
        lambda: (
            inside(page)
            .get_by_role("button", name="Follow")
            .get_attribute("aria-pressed")
            == "false"
        ),
        "held",
    )
    ready(page)
    before = page.locator(".wb-body .wb-row .wb-cell:nth-child(2)").all_inner_texts()
    with log.open("a") as more:
        more.writelines(line.format(n=n % 200, s=n % 60) for n in range(3000))
    until(lambda: jupyter.python("print(len(lab.model.store))") == "3600", "more rows")
    until(
        lambda: page.locator(".wb-grid").get_attribute("aria-rowcount") == "3601",
        "told",
    )
    assert (
        page.locator(".wb-body .wb-row .wb-cell:nth-child(2)").all_inner_texts()
        == before
    )
    inside(page).get_by_role("button", name="Stop").click()
    page.wait_for_selector('.wb-stream[data-phase="ended"]', timeout=10_000)
    assert "stopped" in page.locator(".wb-stream").inner_text()


def test_a_crash_is_a_card_and_restart_works(jupyter, sample):
    library = sample("faulty")
    page = jupyter.page
    jupyter.run(
        f"import workbench as wb\nplugin = wb.load({str(library)!r})\nlab = wb.lab(plugin)\nlab"
    )
    inside(page).get_by_label("Open params").fill("segfault@next_batch:100")
    inside(page).get_by_role("button", name="Start", exact=True).click()
    card = page.locator(".wb-stream .wb-crash")
    card.wait_for()
    text = card.inner_text()
    assert "The plugin crashed" in text
    assert "SIGSEGV" in text
    assert "next_batch" in text
    jupyter.python("first = lab.stream.stream")
    inside(page).get_by_role("button", name="Restart", exact=True).click()
    again = "print(lab.stream.stream is not first and lab.stream.widget.state['card'] is not None)"
    until(lambda: jupyter.python(again) == "True", "it crashes again, in a new process")
    inside(page).get_by_role("button", name="Dismiss").click()
    card.wait_for(state="hidden")


def test_the_table_sorts_filters_and_chooses_columns(jupyter):
    page = jupyter.page
    open_table(jupyter, 5000)
    page.locator(".wb-head .wb-sort", has_text="web.status").click()
    page.locator(".wb-head .wb-sort", has_text="web.status").click()
    until(
        lambda: page.locator(".wb-head [aria-sort=descending]").count() == 1, "sorted"
    )
    ready(page)
    index = page.locator(".wb-head .wb-cell").all_inner_texts().index("web.status\n▼")
    until(
        lambda: (
            page.locator(".wb-body .wb-row")
            .first.locator(".wb-cell")
            .nth(index)
            .inner_text()
            == "500"
        ),
        "largest first",
    )
    inside(page).get_by_label("Quick filter", exact=False).fill("passwd")
    expected = jupyter.python(
        "print((lab.events.frame['web.path'] == '/etc/passwd').sum())"
    )
    until(
        lambda: jupyter.python("print(lab.table.widget.total)") == expected, "filtered"
    )
    inside(page).get_by_role("button", name="Columns").click()
    inside(page).get_by_label("Find a column").fill("method")
    page.locator(".wb-menu label:visible").click()
    until(
        lambda: "web.method" not in page.locator(".wb-head").inner_text(),
        "hidden column",
    )
    assert "web.method" not in jupyter.python("print(lab.table.widget.shown)")


def test_every_control_has_a_name_and_keys_reach_all_of_it(jupyter):
    page = jupyter.page
    open_table(jupyter, 200)
    jupyter.python("lab.condition = 'web.status = 404'; lab.select(1)")
    for name in ("Explore", "Rule", "Rule set", "Plugin", "Code & log"):
        inside(page).get_by_role("tab", name=name, exact=True).click()
        nameless = page.evaluate(
            """() => [...document.querySelectorAll('.wb-lab button, .wb-lab input, .wb-lab select, .wb-lab textarea, .wb-lab [tabindex="0"], .wb-lab [contenteditable=true]')]
                .filter((e) => e.offsetParent !== null)
                .filter((e) => !(e.getAttribute('aria-label') || e.getAttribute('title') || (e.labels && e.labels.length) || e.textContent.trim() || e.getAttribute('role') === 'tabpanel'))
                .map((e) => e.outerHTML.slice(0, 120))"""
        )
        assert nameless == []
    # Arrow keys move between pages; Tab goes on into the page.
    inside(page).get_by_role("tab", name="Code & log").focus()
    page.keyboard.press("ArrowRight")
    assert (
        inside(page).get_by_role("tab", name="Explore").get_attribute("aria-selected")
        == "true"
    )
    reached = set()
    for _ in range(60):
        page.keyboard.press("Tab")
        reached.add(
            page.evaluate(
                "() => { const e = document.activeElement; return e.getAttribute('aria-label') || e.textContent.trim().slice(0, 20); }"
            )
        )
    assert {"Condition", "Events", "Field on the axis"} <= reached
    # In the grid arrows select; the detail follows.
    page.locator(".wb-grid").focus()
    page.keyboard.press("Home")
    page.keyboard.press("ArrowDown")
    until(
        lambda: page.locator(".wb-detail .wb-title").inner_text() == "Event 2",
        "the second event",
    )
    assert page.locator(".wb-grid").get_attribute("aria-activedescendant")
    # Jupyter's own keys do not fire: d d would delete the cell.
    page.keyboard.press("d")
    page.keyboard.press("d")
    assert page.locator(".wb-grid").count() == 1


def test_without_the_bundle_a_text_area_takes_its_place(jupyter):
    from pathlib import Path

    page = jupyter.page
    tests = str(Path(__file__).parents[1] / "ui")
    plain = "from workbench.ui.widgets import assets, widgets\nwidgets.Editor._esm = assets._joined('editor_plain')\n"
    jupyter.run(plain + TABLE.format(tests=tests, rows=500))
    ready(page)
    area = page.locator("textarea.wb-code").first
    area.click()
    page.keyboard.type("web.stat", delay=20)
    page.locator(".wb-candidates button", has_text="web.status").click()
    until(
        lambda: (
            area.input_value().startswith("web.status")
            and area.evaluate("e => document.activeElement === e")
        ),
        "the candidate is taken and the text area has the keyboard again",
    )
    page.keyboard.type(" = 404")
    expected = jupyter.python("print(len(lab.events.where('web.status = 404')))")
    until(lambda: verdict(page) == expected, "the same count")
    area.fill("web.nope = 1")
    until(
        lambda: "web.nope" in page.locator(".wb-complaints").first.inner_text(),
        "the same complaints",
    )


def test_the_state_survives_a_reload_of_the_page(jupyter):
    page = jupyter.page
    open_table(jupyter, 500)
    jupyter.python("lab.condition = 'web.status = 404'; lab.select(3)")
    until(
        lambda: page.locator(".wb-detail .wb-title").inner_text() == "Event 3",
        "selected",
    )
    count = verdict(page)
    page.reload()
    page.wait_for_function(
        "() => window.jupyterapp && window.jupyterapp.restored", timeout=60000
    )
    page.evaluate(
        """async () => {
            await window.jupyterapp.restored;
            const panel = await window.jupyterapp.commands.execute('docmanager:open', {path: 'test.ipynb', factory: 'Notebook'});
            await panel.context.ready;
            await panel.sessionContext.ready;
            window.wbPanel = panel;
            await window.jupyterapp.commands.execute('notebook:run-all-cells');
        }"""
    )
    ready(page)
    assert jupyter.python("print(lab.condition)") in ("", "web.status = 404")
    assert count
    # The reload ended the kernel's shell for widget messages: the new one is used.
    inside(page).get_by_role("tab", name="Rule", exact=True).click()
    until(lambda: jupyter.python("print(lab.nav.page)") == "rule", "a click arrives")
