from __future__ import annotations

import time
from pathlib import Path

from tests.browser.driver import Lab, until

PAYLOADS = [
    "<script>window.PWN_script=1</script>",
    '<img src=x onerror="window.PWN_img=1">',
    "</script><script>window.PWN_close=1</script>",
    '"><svg onload=window.PWN_svg=1>',
    '<a href="javascript:window.PWN_link=1">x</a>',
    "javascript:window.PWN_url=1",
    '<style>body{display:none}</style><b style="position:fixed;inset:0">',
    "\x1b[31mred\x1b[0m\x07\x00nul",
    "\u202eevil\u2066hidden\u200b",
    "${window.PWN_template=1} {{constructor.constructor('window.PWN_ng=1')()}}",
    "%evt.num %s {} \\u003cscript\\u003e",
    '- rule: x\n  output: "\'"',
    "A" * 1_000_000,
]

CELL = """
import pyarrow as pa, numpy as np
import workbench as wb
from IPython.display import display
payloads = {payloads!r}
rows = len(payloads) * 4
values = [p.encode() for p in payloads] * 4
table = pa.table({{
    "evt.num": pa.array(np.arange(1, rows + 1, dtype=np.uint64)),
    "evt.rawtime": pa.array(np.arange(rows, dtype=np.uint64) * 10**9 + 1_790_000_000_000_000_000),
    "h.text": pa.array(values),
    "h.list": pa.array([[v, v] for v in values]),
    "h.key[<img src=x onerror=window.PWN_column=1>]": pa.array(values),
}})
fields = [
    {{"name": "h.text", "type": "string", "desc": payloads[1], "display": payloads[0]}},
    {{"name": "h.list", "type": "string", "isList": True, "desc": payloads[2]}},
    {{"name": "h.key", "type": "string", "arg": {{"isKey": True}}, "desc": payloads[4]}},
]
events = wb.events_from_table(table, fields=fields, source="hostile", plugin=payloads[1], plugin_version="1.0.0")
lab = wb.lab(events)
lab.condition = 'h.text icontains "script"'
lab
"""

REPRS = """
rule = wb.Rule(name="<img src=x onerror=window.PWN_name=1>", desc="<script>window.PWN_desc=1</script>",
               condition='h.text icontains "script"', output="<img src=x onerror=window.PWN_out=1> %h.text",
               priority="WARNING", source="hostile", tags=["<b>t</b>"])
rules = wb.RuleSet().add(rule)
for shown in (events, events.fields, events.where(lab.condition), rules, rules.check(events), rules.run(events),
              events.funnel(lab.condition), events.near_misses(lab.condition), events.explain(1, lab.condition),
              events.frame.head(13)):
    display(shown)
from workbench.condition import check_condition
display(check_condition('h.<img src=x onerror=window.PWN_diag=1> = 1 and h.text = "<script>', events.fields))
"""

GLIMPSE = "() => Object.keys(window).filter((k) => k.startsWith('PWN'))"


def settle(page):
    # Handlers of errors and loads run later; nothing tells that none is to come.
    time.sleep(0.4)
    assert page.evaluate(GLIMPSE) == []
    assert page.evaluate("() => getComputedStyle(document.body).display") != "none"


def test_nothing_an_event_says_is_executed_anywhere(jupyter, tmp_path):
    page = jupyter.page
    jupyter.run(CELL.format(payloads=PAYLOADS), REPRS)
    lab = Lab(jupyter)
    lab.ready()
    page.wait_for_selector(".wb-lab .cm-content")
    settle(page)
    # The table spells what is hidden, and shows long values cut.
    text = page.locator(".wb-rows").inner_text()
    assert "<script>window.PWN_script=1</script>" in text
    assert "\\x1b[31mred" in text
    assert "\\u{202e}evil" in text or "\\u202eevil" in text
    assert "\u202e" not in text
    assert len(text) < 100_000
    # Fields and their values, as filters and breakdowns.
    page.locator(".wb-field-row", has_text="text").first.click()
    page.locator(".wb-v").first.wait_for()
    page.locator(".wb-v").first.click()
    lab.focus_table()
    lab.key("ArrowDown", "ArrowRight", "ArrowRight", "b")
    page.locator(".wb-break .wb-bd").first.wait_for()
    for kind in ("Over time", "Table", "Bars"):
        page.locator(".wb-break").get_by_role("button", name=kind).click()
    lab.key("Escape")
    settle(page)
    # Every row's event: why, fields, payload.
    lab.rows().first.click()
    lab.key("Enter")
    for row in range(len(PAYLOADS)):
        jupyter.python(f"lab.select({row + 1})")
        number = f"Event {row + 1}"
        page.locator(".wb-dock-tab", has_text=number).wait_for()
    page.get_by_role("button", name="Show all").first.click()
    settle(page)
    # Menus, filters, labels name values.
    jupyter.python("lab.select(1)")
    lab.rows().first.locator(".wb-td").nth(3).click(button="right")
    page.locator(".wb-menu").wait_for()
    page.locator(".wb-menu").get_by_text("Hide this value").click()
    page.locator(".wb-chips .wb-chip").first.wait_for()
    settle(page)
    # A rule with hostile texts: form, alerts, YAML, tab, exception, code.
    jupyter.python("lab.rule = rule")
    page.locator(".wb-tab", has_text="<img").wait_for()
    lab.dock("Rule")
    until(lambda: "<img" in page.locator(".wb-yaml").inner_text(), "the YAML")
    jupyter.python("lab.select(1, 2)")
    lab.focus_table()
    lab.key("x")
    page.locator(".wb-dialog").wait_for()
    lab.key("Escape", "l")
    page.locator(".wb-drawer").wait_for()
    lab.key("l")
    settle(page)
    for place in ("Rules", "Plugin", "Events"):
        places = page.locator(".wb-appbar .wb-seg")
        places.get_by_role("button", name=place, exact=False).click()
        page.wait_for_timeout(400)
        settle(page)
    # Complaints and completions quote what was typed.
    jupyter.python(
        "lab.condition = 'h.text = \"<img src=x onerror=window.PWN_typed=1>\" and <script>'"
    )
    page.locator(".wb-msg.wb-err").wait_for()
    lab.editor().click()
    page.keyboard.press("Control+a")
    page.keyboard.type('h.text = "', delay=20)
    settle(page)
    page.keyboard.press("Escape")
    # The report holds the same texts and runs nothing.
    path = tmp_path / "report.html"
    jupyter.python(
        f"lab.condition = 'h.text icontains \"script\"'; lab.report({str(path)!r})"
    )
    assert "<script" not in path.read_text()
    # Reprs of everything, in this page.
    assert page.locator(".jp-OutputArea-output").count() >= 10
    settle(page)


def test_exported_html_executes_nothing(jupyter, lab_session):
    import nbformat
    from nbconvert import HTMLExporter

    page = jupyter.page
    jupyter.run(CELL.format(payloads=PAYLOADS[:-1]), REPRS)
    page.evaluate("async () => { await window.wbPanel.context.save(); }")
    notebook = nbformat.read(lab_session.server.work / "test.ipynb", 4)
    exporter = HTMLExporter()
    exporter.exclude_input = True
    # Offline: only our outputs matter, not the exporter's own scripts.
    body, _ = exporter.from_notebook_node(notebook)
    target = Path(lab_session.server.work) / "files.html"
    target.write_text(body)
    other = page.context.new_page()
    try:
        other.route(
            "**/*",
            lambda route: (
                route.continue_()
                if route.request.url.startswith("file:")
                else route.abort()
            ),
        )
        other.goto(target.as_uri())
        # As in settle.
        time.sleep(0.5)
        assert other.evaluate(GLIMPSE) == []
        assert "Falco Plugin Workbench" in other.locator("body").inner_text()
    finally:
        other.close()
