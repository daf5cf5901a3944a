"""The documentation builds without a warning, holds every public name, and its links lead somewhere."""

from __future__ import annotations

import html
import html.parser
import importlib
import importlib.util
import json
import os
import subprocess
import sys
import urllib.parse
import zlib
from pathlib import Path

import pytest

from workbench.cli import COMMANDS
from workbench.condition.semantics.transformers import TRANSFORMER_INFO
from workbench.condition.syntax.operators import OPERATORS

ROOT = Path(__file__).resolve().parents[2]
MODULES = ("workbench", "workbench.condition", "workbench.rules")

pytestmark = [pytest.mark.slow, pytest.mark.timeout(300)]


@pytest.fixture(scope="module")
def site(tmp_path_factory) -> Path:
    """The whole site, built with warnings as errors."""
    if importlib.util.find_spec("sphinx") is None:
        if "docs" in os.environ.get("WORKBENCH_REQUIRE", "").split(","):
            pytest.fail("WORKBENCH_REQUIRE lists docs, but Sphinx is missing")
        pytest.skip("Sphinx is missing: pip install --group docs")
    out = tmp_path_factory.mktemp("site")
    done = subprocess.run(
        [sys.executable, "-m", "sphinx", "--fail-on-warning", "-q", "docs", str(out)],
        cwd=ROOT,
        capture_output=True,
        text=True,
    )
    assert done.returncode == 0, done.stderr
    return out


class Page(html.parser.HTMLParser):
    """What a page links to, and what it can be linked at."""

    def __init__(self, text: str) -> None:
        super().__init__()
        self.links: set[str] = set()
        self.loads: set[str] = set()
        self.anchors: set[str] = set()
        self.feed(text)

    def handle_starttag(self, tag, attributes):
        facts = dict(attributes)
        if facts.get("id"):
            self.anchors.add(facts["id"])
        if tag == "a" and facts.get("href"):
            self.links.add(facts["href"])
        if tag in ("img", "script") and facts.get("src"):
            self.loads.add(facts["src"])
        if tag == "link" and facts.get("rel") == "stylesheet":
            self.loads.add(facts["href"])


@pytest.fixture(scope="module")
def pages(site) -> dict[Path, Page]:
    return {
        path: Page(path.read_text("utf-8"))
        for path in site.rglob("*.html")
        # templates of the theme
        if "_static" not in path.parts
    }


def outside(address: str) -> bool:
    return bool(urllib.parse.urlsplit(address).scheme)


def test_every_internal_link_leads_to_a_page_and_a_place(pages):
    dead = []
    for path, page in pages.items():
        for link in page.links:
            if outside(link) or link == "#":
                continue
            target, _, anchor = urllib.parse.unquote(link).partition("#")
            there = (
                (path.parent / target.partition("?")[0]).resolve() if target else path
            )
            if not there.is_file() or (
                anchor and there in pages and anchor not in pages[there].anchors
            ):
                dead.append((path.name, link))
    assert dead == []


def test_the_site_loads_nothing_from_elsewhere(pages):
    loaded = {(p.name, src) for p, page in pages.items() for src in page.loads}
    assert [pair for pair in loaded if outside(pair[1])] == []
    missing = [
        (path.name, src)
        for path, page in pages.items()
        for src in page.loads
        if not outside(src) and not (path.parent / src.partition("?")[0]).is_file()
    ]
    assert missing == []


def test_every_page_is_reached_from_the_first(pages, site):
    seen, ahead = set(), [site / "index.html"]
    while ahead:
        path = ahead.pop()
        if path in seen:
            continue
        seen.add(path)
        for link in pages[path].links:
            there = (
                path.parent / urllib.parse.unquote(link).partition("#")[0]
            ).resolve()
            if not outside(link) and there in pages:
                ahead.append(there)
    # What the theme's buttons open.
    other = {"search.html", "genindex.html"}
    assert {p.name for p in pages} - {p.name for p in seen} - other == set()


def inventory(site: Path) -> set[str]:
    raw = (site / "objects.inv").read_bytes()
    packed = raw.split(b"\n", 4)[4]
    return {
        line.split(" ")[0] for line in zlib.decompress(packed).decode().splitlines()
    }


def test_every_public_name_has_its_entry(site):
    known = inventory(site)
    public = {
        f"{module}.{name}"
        for module in MODULES
        for name in importlib.import_module(module).__all__
    }
    assert public - known == set()
    assert "workbench.Events.where" in known  # members, too


def test_search_finds_a_method_and_a_code(site):
    text = (site / "searchindex.js").read_text("utf-8")
    index = json.loads(text[text.index("(") + 1 : text.rindex(")")])
    terms = {**index["terms"], **index["titleterms"]}
    for word in ("funnel", "near_miss", "pmatch"):
        assert any(term.startswith(word) for term in terms), word


def test_every_command_operator_and_call_is_described(site):
    commands = (site / "generated" / "commands.html").read_text("utf-8")
    for command in COMMANDS:
        assert f'<section id="{command.name}">' in commands
    language = (site / "generated" / "condition-language.html").read_text("utf-8")
    for name in OPERATORS:
        assert f">{html.escape(name)}<" in language
    for call in TRANSFORMER_INFO:
        assert f"{call}(" in language


def test_every_notebook_is_shown(pages):
    shown = {path.stem for path in pages if path.parent.name == "notebooks"}
    assert shown == {path.stem for path in (ROOT / "notebooks").glob("*.ipynb")}
