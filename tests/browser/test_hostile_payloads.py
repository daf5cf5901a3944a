from __future__ import annotations

import time
from pathlib import Path

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


def test_nothing_an_event_says_is_executed_anywhere(jupyter):
    page = jupyter.page
    jupyter.run(CELL.format(payloads=PAYLOADS), REPRS)
    lab = page.locator(".wb-lab")
    page.wait_for_function(
        "() => { const t = document.querySelector('.wb-table'); return t && t.dataset.ready === '1'; }"
    )
    settle(page)
    # The table spells what is hidden, and shows long values cut.
    lab.get_by_role("button", name="Columns").click()
    page.keyboard.press("Escape")
    text = lab.locator(".wb-body").inner_text()
    assert "<script>window.PWN_script=1</script>" in text
    assert "\\x1b[31mred" in text
    assert "\\u{202e}evil" in text or "\\u202eevil" in text
    assert "\u202e" not in text
    assert len(text) < 100_000
    # Every row's detail, every page of it.
    for row in range(len(PAYLOADS)):
        jupyter.python(f"lab.select({row + 1})")
        for name in ("Event", "Why?", "Payload", "Values"):
            lab.get_by_role("tab", name=name, exact=True).click()
        page.evaluate(GLIMPSE)
    settle(page)
    # A value becomes a check, an exception, a rule, code.
    lab.get_by_role("tab", name="Values", exact=True).click()
    lab.locator(".wb-value-row").first.click()
    lab.get_by_role("tab", name="Rule", exact=True).click()
    jupyter.python("lab.select(2); lab.rule = rule")
    lab.get_by_role("button", name="Never alert on this event").click()
    lab.get_by_role("button", name="Add exception").click()
    lab.get_by_role("button", name="Add to rule set").click()
    settle(page)
    assert "<img" in lab.locator(".wb-yaml").inner_text()
    for name in ("Rule set", "Plugin", "Code & log", "Explore"):
        lab.get_by_role("tab", name=name, exact=True).click()
        settle(page)
    # Complaints and completions quote what was typed.
    jupyter.python(
        "lab.condition = 'h.text = \"<img src=x onerror=window.PWN_typed=1>\" and <script>'"
    )
    page.locator(".wb-complaint").first.wait_for()
    lab.get_by_role("textbox", name="Condition").click()
    page.keyboard.press("Control+a")
    page.keyboard.type('h.text = "', delay=20)
    settle(page)
    page.keyboard.press("Escape")
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
