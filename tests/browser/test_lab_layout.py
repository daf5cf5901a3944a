"""Scenarios 1, 2, 3, 5, 6 of the design: the layout stands still and fits."""

from __future__ import annotations

import pytest

from tests.browser.driver import CONDITION, Lab, until

SIDEWAYS = """() => {
    const root = document.querySelector('.wb-lab');
    const limit = root.getBoundingClientRect().right + 1;
    return [...root.querySelectorAll('*')].filter((node) => {
        const box = node.getBoundingClientRect();
        if (!box.width || box.right <= limit) return false;
        for (let up = node; up && up !== root; up = up.parentElement) {
            if (getComputedStyle(up).overflowX !== 'visible') return false;
        }
        return true;
    }).map((node) => node.className.toString()).slice(0, 5);
}"""


@pytest.fixture
def lab(jupyter):
    yield Lab(jupyter)
    jupyter.page.set_viewport_size({"width": 1280, "height": 900})


def test_1_the_whole_lab_fits_the_pane(lab, sample):
    page = lab.page
    page.set_viewport_size({"width": 1440, "height": 900})
    lab.open_weblog(sample("weblog"))
    lab.to_top()
    pane = lab.box(".jp-WindowedPanel-outer")
    box = lab.box(".wb-lab")
    assert box["y"] >= pane["y"] - 1
    assert box["y"] + box["height"] <= pane["y"] + pane["height"] + 1


def test_2_nothing_overflows_and_enough_rows_are_seen(lab, sample):
    page = lab.page
    lab.open_weblog(sample("weblog"))
    lab.type(CONDITION)
    for width, height, least in ((1024, 700, 11), (1280, 720, 12), (1440, 900, 19)):
        page.set_viewport_size({"width": width, "height": height})
        page.wait_for_timeout(400)
        lab.to_top()
        assert page.evaluate(SIDEWAYS) == []
        seen = int(page.locator(".wb-grid").get_attribute("data-rows"))
        assert seen >= least, (width, height, seen)
    lab.button("Full window (Shift+F)").click()
    until(lambda: lab.box(".wb-lab")["width"] == 1440, "full window")
    page.wait_for_timeout(300)
    box = lab.box(".wb-lab")
    assert (box["x"], box["y"], box["height"]) == (0, 0, 900)
    assert page.evaluate(SIDEWAYS) == []
    assert int(page.locator(".wb-grid").get_attribute("data-rows")) >= 26
    lab.focus_table()
    lab.key("Shift+F")
    until(lambda: lab.box(".wb-lab")["width"] < 1440, "back in the notebook")


def test_3_nothing_moves_while_a_person_types(lab, sample):
    lab.open_weblog(sample("weblog"))
    lab.to_top()
    parts = (".wb-timeline", ".wb-table", ".wb-status", ".wb-cks")
    before = [lab.box(part)["y"] for part in parts]
    lab.editor().click()
    for key in CONDITION:
        lab.page.keyboard.type(key)
        assert [lab.box(part)["y"] for part in parts] == before, key
    lab.page.wait_for_timeout(900)
    assert [lab.box(part)["y"] for part in parts] == before


def test_5_the_first_screen_says_how_to_begin_and_rows_come(lab, sample):
    page = lab.page
    lab.open_weblog(sample("weblog"), start=False)
    assert page.locator(".wb-field-row").count() >= 15
    first = page.locator(".wb-first").get_by_role("button", name="Start")
    first.wait_for()
    # Every state of the table between Start and the first rows says something.
    page.evaluate(
        """() => {
            window.wbSeen = [];
            const look = () => {
                const grid = document.querySelector('.wb-grid');
                const empty = document.querySelector('.wb-empty');
                const rows = grid.querySelectorAll('.wb-rows .wb-tr').length;
                window.wbSeen.push(rows > 0 || !empty.hidden);
                window.wbLooking = requestAnimationFrame(look);
            };
            look();
        }"""
    )
    first.click()
    lab.ready()
    seen = page.evaluate(
        "() => { cancelAnimationFrame(window.wbLooking); return window.wbSeen; }"
    )
    # One frame may lie between the count and its rows.
    assert seen.count(False) <= 2
    # A file is read from its beginning.
    until(lambda: lab.column("evt.num")[0] == "1", "the first rows")


def test_6_eight_columns_are_readable_and_seven_beside_the_dock(lab, sample):
    page = lab.page
    page.set_viewport_size({"width": 1440, "height": 900})
    lab.open_weblog(sample("weblog"))
    page.wait_for_timeout(300)
    assert round(lab.box(".wb-lab")["width"]) == pytest.approx(1008, abs=12)
    assert len(lab.columns()) >= 8
    assert page.locator(".wb-fields").is_visible()
    lab.rows().nth(2).click()
    lab.key("Enter")
    page.locator(".wb-dock").wait_for()
    until(lambda: page.locator(".wb-rail").is_visible(), "fields fold to the rail")
    assert len(lab.columns()) >= 7
    lab.button("Close the dock (3)").click()
    until(lambda: page.locator(".wb-fields").is_visible(), "fields come back")


def test_rows_are_there_whatever_happens_between(lab):
    """Fault B1: mount, push, resize and theme in any order."""
    lab.open_table(5000)
    page = lab.page
    for turn in range(12):
        width = 1100 + 60 * (turn % 5)
        page.set_viewport_size({"width": width, "height": 800})
        if turn % 3 == 0:
            lab.python(f"lab.condition = 'web.status = {[200, 404][turn % 2]}'")
        if turn % 4 == 0:
            theme = "JupyterLab Dark" if turn % 8 else "JupyterLab Light"
            lab.jupyter.theme(theme)
        lab.ready()
        assert lab.rows().count() > 8
        assert lab.rows().first.locator(".wb-td").nth(1).inner_text() != ""
    lab.jupyter.theme("JupyterLab Light")


def test_a_million_rows_scroll_at_once_and_do_not_drift(lab):
    page = lab.page
    lab.open_table(1_000_000)
    lab.to_top()
    track = lab.box(".wb-track")
    page.mouse.click(track["x"] + 5, track["y"] + track["height"] / 2)

    def first():
        return int(page.locator(".wb-grid").get_attribute("data-first"))

    until(lambda: 400_000 < first() < 600_000, "the middle")
    lab.ready()
    row = lab.rows().first
    number = int(row.get_attribute("aria-rowindex")) - 1
    assert row.locator(".wb-td").nth(1).inner_text() == str(number)
    page.locator(".wb-rows").hover()
    page.wait_for_timeout(300)
    for _ in range(20):
        page.mouse.wheel(0, 240)
    until(lambda: first() > number + 150, "scrolled")
    lab.focus_table()
    lab.key("Control+End")
    selected = "print(lab.selected)"
    until(lambda: lab.python(selected) == "[1000000]", "the last row is selected")


def test_a_selection_covers_rows_that_were_never_loaded(lab):
    """Fault B6: a range by Shift is a range of events, not of loaded rows."""
    lab.open_table(20_000)
    lab.rows().nth(1).click()
    lab.key("Control+Shift+End")
    until(lambda: lab.python("print(lab.model.selected_count)") == "19999", "all below")
    lab.key("Control+a")
    until(
        lambda: lab.python("print(lab.model.selection)") == "[(0, 19999)]", "one range"
    )
