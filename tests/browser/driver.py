"""The lab in a page, as a person drives it."""

from __future__ import annotations

from pathlib import Path

from tests.support.waiting import wait_until

UI = Path(__file__).parents[1] / "ui"

WEBLOG = """
import workbench as wb
plugin = wb.load({library!r})
lab = wb.lab(plugin{options})
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
READY = """() => {
    const lab = document.querySelector('.wb-lab[data-ready="1"]');
    const grid = lab && lab.querySelector('.wb-grid[data-ready="1"]');
    return Boolean(grid && grid.querySelector('.wb-rows .wb-tr'));
}"""
CONDITION = 'weblog.status >= 400 and weblog.path contains ".."'


def until(check, what, limit=10):
    return wait_until(check, limit, what)


class Lab:
    """One lab on screen."""

    def __init__(self, jupyter):
        self.jupyter, self.page = jupyter, jupyter.page
        self.node = self.page.locator(".wb-lab")

    def python(self, code):
        return self.jupyter.python(code)

    def open_weblog(self, library, *, start=True, options="", cells=()):
        self.jupyter.run(*cells, WEBLOG.format(library=str(library), options=options))
        self.page.wait_for_selector('.wb-lab[data-ready="1"]')
        self.page.wait_for_selector(".wb-lab .cm-content")
        if start:
            self.start()

    def open_table(self, rows):
        self.jupyter.run(TABLE.format(tests=str(UI), rows=rows))
        self.ready()
        self.page.wait_for_selector(".wb-lab .cm-content")

    def start(self):
        self.node.locator(".wb-run").click()
        self.page.wait_for_selector('.wb-pill[data-phase="ended"]')
        self.ready()

    def ready(self):
        self.page.wait_for_function(READY)

    def to_top(self):
        self.page.evaluate("() => document.querySelector('.wb-lab').scrollIntoView()")
        self.page.wait_for_timeout(150)

    def editor(self):
        return self.node.get_by_role("textbox", name="Condition")

    def type(self, text, delay=10):
        self.editor().click()
        self.page.keyboard.press("Control+a")
        self.page.keyboard.type(text, delay=delay)
        self.page.keyboard.press("Escape")
        self.settled(text)

    def settled(self, text):
        """Wait until the verdict on screen is that of ``text``."""
        self.page.wait_for_function(
            """(text) => {
                const node = document.querySelector('.wb-result');
                return node.dataset.text === text && !node.classList.contains('wb-old');
            }""",
            arg=text,
        )

    def matches(self):
        return self.page.locator(".wb-result").get_attribute("data-matches")

    def message(self):
        return self.page.locator(".wb-msg").inner_text()

    def button(self, name, exact=True):
        return self.node.get_by_role("button", name=name, exact=exact)

    def show(self, name):
        """Press a segment of the table bar."""
        segments = self.page.locator(".wb-tbar .wb-seg")
        segments.get_by_role("button", name=name, exact=False).click()

    def dock(self, name):
        """Show a page of the dock."""
        self.page.locator(".wb-dock-tab", has_text=name).click()

    def total(self):
        return int(self.page.locator(".wb-grid").get_attribute("aria-rowcount")) - 1

    def rows(self):
        return self.page.locator(".wb-rows .wb-tr")

    def column(self, name):
        """Texts of a column in view."""
        heads = self.page.locator(".wb-th .wb-td").all()
        names = [head.get_attribute("data-column") for head in heads]
        at = names.index(name) + 1
        return self.page.locator(
            f".wb-rows .wb-tr .wb-td:nth-child({at})"
        ).all_inner_texts()

    def columns(self):
        heads = self.page.locator(".wb-th .wb-td[data-column]").all()
        return [head.get_attribute("data-column") for head in heads]

    def focus_table(self):
        self.page.locator(".wb-grid").focus()

    def key(self, *keys):
        for key in keys:
            self.page.keyboard.press(key)

    def box(self, selector):
        return self.page.locator(selector).first.bounding_box()

    def doc(self):
        """The document as Python has it."""
        return self.python("print(lab.desk.doc)")
