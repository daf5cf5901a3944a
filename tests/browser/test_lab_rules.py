"""Scenarios 9 to 13 of the design: rules, their effect, their file, exceptions."""

from __future__ import annotations

import shutil

import pytest

from tests.browser.driver import CONDITION, Lab, until


@pytest.fixture
def file(sample, tmp_path):
    path = tmp_path / "weblog_rules.yaml"
    shutil.copy(sample("weblog").parent / "weblog_rules.yaml", path)
    return path


@pytest.fixture
def lab(jupyter, sample, file):
    made = Lab(jupyter)
    made.open_weblog(sample("weblog"), options=f", rules=wb.load_rules({str(file)!r})")
    return made


def open_rule(lab, name):
    lab.button("Rules", exact=False).first.click()
    lab.page.get_by_role("button", name=name, exact=True).click()
    until(lambda: lab.node.get_by_label("Name", exact=True).input_value() == name, name)
    lab.page.wait_for_selector(f'.wb-tab[aria-selected="true"]:has-text("{name}")')


def append(lab, text):
    lab.editor().click()
    lab.key("Control+End")
    lab.page.keyboard.type(text, delay=8)
    lab.key("Escape")


def test_9_scratch_goes_its_own_way_after_making_a_rule(lab):
    page = lab.page
    lab.type(CONDITION)
    lab.button("Make a rule").click()
    page.wait_for_selector('.wb-tab[aria-selected="true"]:has-text("New rule 1")')
    yaml = "print(lab.rule)"
    until(lambda: "New rule 1" in lab.python(yaml), "the rule")
    text = lab.python(yaml)
    page.locator(".wb-tab", has_text="Scratch").click()
    append(lab, " and weblog.bytes > 10")
    lab.settled(CONDITION + " and weblog.bytes > 10")
    page.locator(".wb-tab", has_text="New rule 1").click()
    lab.settled(CONDITION)
    assert lab.editor().inner_text() == CONDITION
    until(lambda: lab.python(yaml) == text, "the same rule")


def test_10_an_edit_shows_what_it_adds_and_removes(lab, file):
    page = lab.page
    before = file.read_bytes()
    open_rule(lab, "Path traversal")
    until(lambda: lab.matches() == "191", "as saved")
    append(lab, " and not weblog.client = 127.0.0.1")
    until(lambda: lab.matches() == "41", "as edited")
    effect = page.locator(".wb-effect")
    until(lambda: "150 no longer alert" in effect.inner_text(), "the effect")
    assert "191" in effect.inner_text()
    assert "0 new" in effect.inner_text()
    lab.show("Changed")
    until(lambda: lab.total() == 150, "the changed rows")
    lab.ready()
    assert page.locator(".wb-rows .wb-tr.wb-gone").count() == lab.rows().count()
    assert page.locator(".wb-tab .wb-dirty").count() == 1
    assert file.read_bytes() == before


def test_11_saving_changes_only_the_lines_of_the_rule(lab, file):
    before = file.read_text().splitlines()
    open_rule(lab, "Path traversal")
    append(lab, " and not weblog.client = 127.0.0.1")
    until(lambda: lab.matches() == "41", "as edited")
    lab.key("Control+s")
    until(lambda: file.read_text().splitlines() != before, "saved")
    until(lambda: lab.page.locator(".wb-tab .wb-dirty").count() == 0, "clean")
    after = file.read_text().splitlines()
    start = before.index("- rule: Path traversal")
    end = before.index("- rule: Injection in a query parameter")
    assert after[:start] == before[:start]
    assert after[-(len(before) - end) :] == before[end:]
    assert "weblog.client = 127.0.0.1" in "\n".join(after[start:])
    judged = lab.python(
        f"print([d for d in wb.load_rules({str(file)!r}).check(plugin) if d.severity == 'error'])"
    )
    assert judged == "[]"


def test_12_another_programs_change_is_never_overwritten(lab, file):
    page = lab.page
    open_rule(lab, "Path traversal")
    append(lab, " and not weblog.client = 127.0.0.1")
    until(lambda: lab.matches() == "41", "as edited")
    theirs = file.read_text().replace(
        "  priority: WARNING\n  source: weblog\n  tags: [exploit]",
        "  priority: CRITICAL\n  source: weblog\n  tags: [exploit]",
        1,
    )
    file.write_text(theirs + "# their last line\n")
    lab.key("Control+s")
    page.locator(".wb-conflict").get_by_text("changed by another program").wait_for()
    assert file.read_text() == theirs + "# their last line\n"
    page.locator(".wb-conflict").get_by_role("button", name="Merge").click()
    until(lambda: "127.0.0.1" in file.read_text(), "merged")
    text = file.read_text()
    assert text.endswith("# their last line\n")
    rule = lab.python(
        f"r = wb.load_rules({str(file)!r}).rules['Path traversal']; print(r.priority, '127.0.0.1' in r.condition)"
    )
    assert rule == "CRITICAL True"


def test_13_an_exception_says_what_it_takes_away(lab):
    page = lab.page
    open_rule(lab, "Path traversal")
    until(lambda: lab.matches() == "191", "as saved")
    lab.show("Matches")
    until(lambda: lab.total() == 191, "the matches")
    lab.ready()
    lab.rows().nth(1).click()
    lab.key("Shift+ArrowDown", "Shift+ArrowDown")
    until(lambda: lab.python("print(len(lab.selected))") == "3", "three events")
    lab.focus_table()
    lab.key("x")
    dialog = page.locator(".wb-dialog")
    dialog.get_by_text("more than the 3 chosen").wait_for()
    said = dialog.locator(".wb-plan-effect").inner_text()
    assert "Takes away" in said
    lab.key("Escape")
    # A wanted event among those taken away: the button says so.
    lab.rows().nth(1).click()
    lab.key("m")
    until(lambda: lab.python("print(lab.labels)") != "{}", "a label")
    lab.key("x")
    dialog.get_by_role("button", name="Add anyway").wait_for()
    dialog.get_by_role("button", name="Add anyway").click()
    until(lambda: "exceptions:" in lab.python("print(lab.rule)"), "the exception")
    page.locator(".wb-exception").get_by_text("takes away").wait_for()


def test_a_rule_that_falco_refuses_is_not_saved_by_the_way(lab, file):
    """Fault B4."""
    page = lab.page
    before = file.read_bytes()
    open_rule(lab, "Path traversal")
    append(lab, " and unknown_macro")
    page.locator(".wb-msg.wb-err").wait_for()
    assert "unknown_macro" in lab.message()
    lab.key("Control+s")
    page.locator(".wb-conflict").get_by_text("Falco would refuse it").wait_for()
    assert file.read_bytes() == before


def test_the_main_flow_from_a_plugin_to_a_rules_file(jupyter, sample, tmp_path):
    """Start, type, why, rule, exception, save, reload of the page."""
    lab = Lab(jupyter)
    main_flow(lab, sample("weblog"), tmp_path / "probes.yaml")


def main_flow(lab, library, target):
    page = lab.page
    lab.open_weblog(library)
    lab.type('weblog.status >= 400 and weblog.path contains "admin"')
    expected = lab.python("print(len(lab.events.where(lab.condition)))")
    assert lab.matches() == expected
    # Why a row nearly matches.
    lab.show("Near")
    until(lambda: page.locator(".wb-rows .wb-near").count() > 3, "near misses")
    lab.rows().first.click()
    lab.key("Enter")
    page.locator(".wb-ver").get_by_text("Near miss").wait_for()
    assert page.locator(".wb-why-line .wb-no").count() == 1
    # A rule of it, with an exception.
    lab.show("Matches")
    lab.show("Near")
    until(lambda: str(lab.total()) == expected, "matches alone")
    lab.ready()
    lab.button("Make a rule").first.click()
    name = lab.node.get_by_label("Name", exact=True)
    until(lambda: name.input_value() == "New rule 1", "the form")
    name.fill("Admin pages probed")
    page.locator(".wb-output-box .cm-content").click()
    lab.key("Control+a")
    page.keyboard.type("Probe of %weblog.path by %weblog.client", delay=5)
    lab.key("Escape")
    until(lambda: "Probe of" in page.locator(".wb-yaml").inner_text(), "the YAML")
    lab.rows().first.click()
    lab.key("x")
    dialog = page.locator(".wb-dialog")
    dialog.get_by_text("Takes away").first.wait_for()
    dialog.get_by_role("button", name="Add", exact=False).last.click()
    page.locator(".wb-exception").first.wait_for()
    # Saved as shown, and as Falco loads it.
    lab.focus_table()
    lab.key("Control+s")
    page.get_by_label("Rules file to save").fill(str(target))
    lab.key("Enter")
    until(lambda: target.exists() and "Probe of" in target.read_text(), "the file")
    judged = lab.python(
        f"print([d for d in wb.load_rules({str(target)!r}).check(plugin) if d.severity == 'error'])"
    )
    assert judged == "[]"
    same = f"print(wb.load_rules({str(target)!r}).rules['Admin pages probed'] == wb.parse_rules(lab.rule).rules['Admin pages probed'])"
    until(lambda: lab.python(same) == "True", "the rule on screen is the file's")
    count = until(lab.matches, "a count")
    # The page is loaded again: the same lab, at once.
    reload(lab)
    until(lambda: lab.matches() == count, "the same count")
    page.locator('.wb-tab[aria-selected="true"]', has_text="Admin pages").wait_for()


def reload(lab):
    """Load the page again; the notebook's outputs show the lab by themselves."""
    page = lab.page
    page.evaluate("async () => { await window.wbPanel.context.save(); }")
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
        }"""
    )
    lab.ready()
