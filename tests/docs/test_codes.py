"""The page of codes: complete, and its examples get what they say."""

from __future__ import annotations

import ast
import re
import sys
from pathlib import Path

import pytest

from workbench.rules.model.rule_diagnostic import CODE_DESCRIPTIONS

ROOT = Path(__file__).resolve().parents[2]
PACKAGE = ROOT / "workbench"

sys.path.insert(0, str(ROOT / "docs"))
try:
    from pages.codes import diagnose, examples
finally:
    sys.path.remove(str(ROOT / "docs"))

EXAMPLES = examples()
CASES = [(kind, code) for kind in ("conditions", "rules") for code in EXAMPLES[kind]]
# Words of this form that are no codes.
NOT_CODES = {
    "built-in",
    "set-like",
    "skip-if-unknown-filter",
}
# Calls that take a code first, or second behind a severity.
SINKS = re.compile(r"Fault|Warning|Diagnostic|_warning|warn|error|fault|_error")


@pytest.mark.parametrize(("kind", "code"), CASES, ids=[code for _, code in CASES])
def test_the_wrong_example_gets_its_code_and_the_right_one_does_not(kind, code):
    entry = EXAMPLES[kind][code]
    assert code in [found.code for found in diagnose(kind, entry, "wrong")]
    if "file" not in entry:
        after = diagnose(kind, entry, "right")
        assert code not in [found.code for found in after]
        assert not [found for found in after if found.severity == "error"]


def codes_in(path: Path) -> set[str]:
    """The codes that are given to a fault, a warning or a diagnostic in a module."""
    found = set()
    for node in ast.walk(ast.parse(path.read_text("utf-8"))):
        if isinstance(node, ast.Call):
            name = getattr(node.func, "id", getattr(node.func, "attr", ""))
            if not SINKS.search(name):
                continue
            for value in node.args[:2]:
                if isinstance(value, ast.Constant) and isinstance(value.value, str):
                    found.add(value.value)
    return {
        word
        for word in found
        if re.fullmatch(r"[a-z]+(-[a-z]+)+|LOAD_[A-Z_]+", word)
        and word not in NOT_CODES
    }


def test_every_code_of_conditions_and_rules_is_on_the_page():
    made = set(CODE_DESCRIPTIONS)
    for folder in ("condition", "rules", "fields"):
        for path in (PACKAGE / folder).rglob("*.py"):
            made |= codes_in(path)
    described = {code for _, code in CASES} | set(EXAMPLES["elsewhere"])
    assert made - described == set()
    assert len(made) > 70  # the search above still finds them


def test_every_code_on_the_page_is_in_the_code():
    texts = "\n".join(
        path.read_text("utf-8")
        for folder in ("condition", "rules", "fields")
        for path in (PACKAGE / folder).rglob("*.py")
    )
    words = {code for _, code in CASES} | set(EXAMPLES["elsewhere"])
    # These two are put together: "always-matches" or "never-matches".
    parts = {"always-matches"}
    assert [w for w in words - parts if f'"{w}"' not in texts] == []
