from __future__ import annotations

import gzip
import json
import re
import subprocess
import unicodedata
from pathlib import Path

import pytest

from workbench.ui import build_js
from workbench.ui.widgets import assets

SOURCES = Path(assets.__file__).parents[1] / "js" / "src"
WIDGETS = ("lab", "later")


@pytest.mark.parametrize("name", WIDGETS)
def test_joined_scripts_are_modules_without_imports(name, tmp_path, require):
    node = require("node")
    text = assets._joined(name)
    assert not re.search(r"^import ", text, re.MULTILINE)
    script = tmp_path / f"{name}.mjs"
    script.write_text(text + "\nexport { };\n")
    probe = tmp_path / "probe.mjs"
    probe.write_text(
        f"import widget from './{name}.mjs';\nconsole.log(typeof (widget.render || widget.makeRules));\n"
    )
    done = subprocess.run([node, str(probe)], capture_output=True, text=True)
    assert done.stdout.strip() == "function", done.stderr


def test_text_reaches_the_page_as_text_only():
    for path in SOURCES.glob("*.js"):
        text = path.read_text()
        assert not re.search(
            r"innerHTML|outerHTML\s*=|insertAdjacentHTML|document\.write|eval\(|new Function",
            text,
        ), path.name


def test_nothing_is_fetched_from_elsewhere():
    for path in SOURCES.iterdir():
        found = set(re.findall(r"https?://[^\s\"'`)]+", path.read_text()))
        assert found <= {"http://www.w3.org/2000/svg"}, path.name


def test_the_lockfile_pins_hashes_and_names_no_registry():
    lock = json.loads((SOURCES.parent / "package-lock.json").read_text())
    packages = {name: each for name, each in lock["packages"].items() if name}
    assert packages
    for name, each in packages.items():
        assert "integrity" in each, name
        assert "resolved" not in each, name


def test_all_scripts_together_are_small():
    # The editor comes after the first paint; a browser without it can be used.
    first = len(gzip.compress(assets.script("lab").encode()))
    assert first <= 40 * 1024
    texts = [assets.script("lab"), assets.style()]
    later = [assets.module_bytes(n) or b"" for n in ("editor", "later")]
    sizes = [len(gzip.compress(text)) for text in [*map(str.encode, texts), *later]]
    assert sum(sizes) < 200 * 1024


def test_hidden_characters_are_spelled_alike_in_browser_and_python(tmp_path, require):
    from workbench.formatting.printable import printable

    node = require("node")
    (tmp_path / "text.mjs").write_text((SOURCES / "text.js").read_text())
    hostile = ["\x1b[31m", "a\u202eb", "\u200b", "\x00", "\u2066", "plain text é"]
    probe = tmp_path / "probe.mjs"
    probe.write_text(
        f"import {{ printable }} from './text.mjs';\nconsole.log(JSON.stringify({json.dumps(hostile)}.map(printable)));\n"
    )
    shown = json.loads(
        subprocess.run(
            [node, str(probe)], capture_output=True, text=True, check=True
        ).stdout
    )
    for text, in_browser in zip(hostile, shown, strict=True):
        assert in_browser.isprintable()
        assert in_browser.isprintable() == printable(text).isprintable()
        assert (in_browser == text) == (printable(text) == text)


def test_both_tables_of_hidden_characters_are_alike(tmp_path, require):
    from workbench.formatting.printable import printable

    node = require("node")
    (tmp_path / "text.mjs").write_text((SOURCES / "text.js").read_text())
    # What Python's Unicode does not know yet may be known to the browser's.
    known = [
        code
        for code in range(0x110000)
        if unicodedata.category(chr(code)) not in {"Cn", "Cs"}
    ]
    probe = tmp_path / "probe.mjs"
    (tmp_path / "codes.json").write_text(json.dumps(known))
    probe.write_text(
        "import { readFileSync } from 'node:fs';\n"
        "import { printable } from './text.mjs';\n"
        "const codes = JSON.parse(readFileSync(process.argv[2], 'utf8'));\n"
        "const hidden = codes.filter((code) => {\n"
        "  const text = String.fromCodePoint(code);\n"
        "  return printable(text) !== text;\n"
        "});\nconsole.log(JSON.stringify(hidden));\n"
    )
    done = subprocess.run(
        [node, str(probe), str(tmp_path / "codes.json")],
        capture_output=True,
        text=True,
        check=True,
    )
    assert json.loads(done.stdout) == [c for c in known if printable(chr(c)) != chr(c)]


def test_without_node_the_build_says_so_in_one_line(monkeypatch, capsys, tmp_path):
    monkeypatch.setattr(build_js, "_STATIC", tmp_path / "static")
    monkeypatch.setattr(build_js, "_npm", lambda: None)
    assert build_js.build() is False
    said = capsys.readouterr().err
    assert said.count("\n") == 1
    assert "text area" in said
