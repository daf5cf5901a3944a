"""What texts name exists: modules, classes and functions, files, links.

Docstrings and comments of the package (Python, C, JavaScript), and the pages in docs/
and beside the README.
"""

from __future__ import annotations

import ast
import io
import re
import tokenize

import pytest

from tests.package.names import (
    PACKAGE,
    ROOT,
    everywhere,
    is_file,
    is_known,
    is_known_in,
    module_of,
    own_files,
    tracked,
)

ROLE = re.compile(r":(?:class|func|mod|meth|data|attr|exc):`~?!?([^`<>]+)`")
CODE = re.compile(r"(?<!`)(`{1,2})(?!`)([^`\n]+)\1(?!`)")
DOTTED = re.compile(r"workbench(?:\.\w+)+")
SUFFIXES = "py|pyi|c|h|mjs|js|css"
FILE = re.compile(rf"(?<![\w./-])(?:[\w-]+/)*[\w-]+\.(?:{SUFFIXES})(?![\w/-])")
# Names of files that are not ours: system headers, and what users or builds write.
FOREIGN = re.compile(r"std\w+\.h|plugin\.(?:c|cpp|go|py)|setup\.py")


def docstrings(tree):
    """Each docstring, with its line and the class that it stands in."""

    def visit(node, owner):
        body = getattr(node, "body", [])
        if (
            body
            and isinstance(body[0], ast.Expr)
            and isinstance(body[0].value, ast.Constant)
            and isinstance(body[0].value.value, str)
        ):
            yield body[0].lineno, body[0].value.value, owner
        for child in ast.iter_child_nodes(node):
            if isinstance(child, ast.ClassDef):
                yield from visit(child, child.name)
            elif isinstance(child, ast.FunctionDef | ast.AsyncFunctionDef):
                yield from visit(child, owner)

    return visit(tree, None)


def file_mentions(text):
    return [name for name in FILE.findall(text) if not FOREIGN.fullmatch(name)]


def unknown_files(text):
    return [name for name in file_mentions(text) if not is_file(name)]


def resolves(target, module, owner):
    """Whether a cross-reference means something where it stands."""
    target = target.strip().removesuffix("()")
    if target.startswith("workbench."):
        return is_known(target)
    parts = target.split(".")
    if owner is not None and is_known_in(module, [owner, *parts]):
        return True
    # What a reader finds by searching for it will do.
    return is_known_in(module, parts) or target in everywhere()


def in_python(path):
    source = path.read_text("utf-8")
    module = module_of(path)
    wrong = []
    for line, text, owner in docstrings(ast.parse(source)):
        wrong += [
            f"{line}: {target}"
            for target in ROLE.findall(text)
            if not resolves(target, module, owner)
        ]
        for _, code in CODE.findall(ROLE.sub("", text)):
            dotted = DOTTED.fullmatch(code.removesuffix("()"))
            if dotted and not is_known(dotted[0]) and not is_file(code):
                wrong.append(f"{line}: {code}")
        wrong += [f"{line}: {name}" for name in unknown_files(text)]
    for token in tokenize.generate_tokens(io.StringIO(source).readline):
        if token.type == tokenize.COMMENT:
            names = unknown_files(token.string)
            wrong += [f"{token.start[0]}: {name}" for name in names]
    return wrong


@pytest.mark.parametrize("path", own_files(), ids=module_of)
def test_docstrings_and_comments_name_what_exists(path):
    assert in_python(path) == []


SOURCES = [
    ROOT / name
    for name in tracked()
    if re.search(r"\.([chj]|js|mjs)$", name)
    and name.startswith(
        ("workbench/native/", "workbench/authoring/", "workbench/ui/js")
    )
]
COMMENT = re.compile(r"/\*.*?\*/|(?<![:\w])//[^\n]*", re.DOTALL)


@pytest.mark.parametrize(
    "path", SOURCES, ids=lambda path: str(path.relative_to(PACKAGE))
)
def test_comments_in_c_and_scripts_name_files_that_exist(path):
    text = path.read_text("utf-8")
    wrong = [
        name for comment in COMMENT.findall(text) for name in unknown_files(comment)
    ]
    assert wrong == []


PAGES = [
    ROOT / name
    for name in tracked()
    if name.endswith(".md")
    and (name.startswith(("docs/", ".github/")) or "/" not in name)
]
# The record of what was: it names what was renamed since.
PAGES = [page for page in PAGES if page.name != "CHANGELOG.md"]
LINK = re.compile(r"\]\((?!https?:|#|mailto:)([^)#\s]+)[^)]*\)")
FENCE = re.compile(r"^```.*?^```", re.DOTALL | re.MULTILINE)
C_LIBRARY = {"exit", "_exit", "dlopen", "dlclose"}
CALL = re.compile(r"[A-Za-z_]\w*(?:\.\w+)?\(\)")
MEMBER = re.compile(r"[A-Z]\w*[a-z]\w*\.\w+")


TEST = re.compile(r"(tests/(?:\w+/)*test_\w+\.py)::(test_\w+)")


def is_test(code):
    """Whether ``code`` is a test of ours, written as pytest names it."""
    named = TEST.fullmatch(code)
    if not named or not (ROOT / named[1]).is_file():
        return False
    tree = ast.parse((ROOT / named[1]).read_text("utf-8"))
    return any(
        isinstance(node, ast.FunctionDef) and node.name == named[2]
        for node in tree.body
    )


def unknown_in_code(code):
    """What a code span of a page names, if it is nothing of ours."""
    if "::" in code:
        return None if is_test(code) else code
    if re.search(r"[\s{*…<=\"']", code):
        return None
    dotted = DOTTED.fullmatch(code.removesuffix("()"))
    if dotted:
        return None if is_known(dotted[0]) or is_file(code) else code
    if "/" in code:
        return None if is_file(code) or code.startswith(("/", "-", ".venv/")) else code
    if file_mentions(code) == [code]:
        return None if is_file(code) else code
    if code.startswith("wb_"):
        return None if code.removesuffix("()") in c_names() else code
    if CALL.fullmatch(code) or MEMBER.fullmatch(code):
        name = code.removesuffix("()")
        return None if name in everywhere() | C_LIBRARY else code
    return None


def c_names():
    found = set()
    for path in (PACKAGE / "native").rglob("*.[ch]"):
        found |= set(re.findall(r"\bwb_\w+", path.read_text("utf-8")))
    return found


def _made(page, link):
    """Whether the build of the documentation makes what a page of it links."""
    if not page.is_relative_to(ROOT / "docs"):
        return False
    # Sphinx, where a warning is an error, holds the links to generated pages.
    return "generated/" in link or (ROOT / link).exists()


@pytest.mark.parametrize("page", PAGES, ids=lambda page: str(page.relative_to(ROOT)))
def test_pages_name_and_link_what_exists(page):
    text = page.read_text("utf-8")
    wrong = [
        link
        for link in LINK.findall(text)
        if not (page.parent / link).resolve().exists() and not _made(page, link)
    ]
    prose = FENCE.sub("", text)
    wrong += [code for _, code in CODE.findall(prose) if unknown_in_code(code)]
    assert wrong == []


def test_every_attack_of_the_promise_has_its_test():
    text = (ROOT / "SECURITY.md").read_text("utf-8")
    rows = re.findall(r"^\| ([A-E]\d+) \|(.*)\|$", text, re.MULTILINE)
    areas = {"A": range(1, 7), "B": (7, 8), "C": range(9, 13), "D": range(13, 19)}
    points = {
        f"{area}{number}" for area, numbers in areas.items() for number in numbers
    }
    assert {point for point, _ in rows} == points | {"E19"}
    for point, row in rows:
        *told, test = row.rsplit("|", 3)
        assert len(told) == 3, (point, row)
        assert is_test(test.strip(" `")), (point, test)


def test_the_reader_of_names_finds_what_is_not_there():
    assert is_known("workbench.events.events.Events.where")
    assert is_known("workbench.events.Events")
    assert not is_known("workbench.events.events.Events.nowhere")
    assert not is_known("workbench.nothing")
    assert is_file("native/src")
    assert not is_file("native/nothing.c")
    assert unknown_in_code("workbench/nothing.py")
    assert unknown_in_code("Events.nowhere")
    here = "tests/package/test_references.py::test_pages_name_and_link_what_exists"
    assert unknown_in_code(here) is None
    assert unknown_in_code(f"{here}_not") == f"{here}_not"
    assert unknown_in_code("tests/package/test_nothing.py::test_nothing")
    assert unknown_in_code("Events.where()") is None
