"""What Falco cannot express is refused, each construct with its diagnostic."""

from __future__ import annotations

import pickle
import subprocess
import sys

import pytest

import workbench as wb

INEXPRESSIBLE = {
    "keyword": ({"kw": ["foo"], "condition": "kw"}, "sigma-keyword"),
    "field": ({"web.pth": "x"}, "sigma-field"),
    "list-equal": ({"web.tags": "alpha"}, "sigma-list-field"),
    "list-prefix": ({"web.tags|startswith|cased": "a"}, "sigma-list-field"),
    "list-regex": ({"web.tags|re": "a"}, "sigma-regex"),
    "list-cidr": ({"web.tags|cidr": "10.0.0.0/8"}, "sigma-network"),
    "gt-in-text": ({"web.path|gt": 5}, "sigma-number-in-text"),
    "gt-negative": ({"web.status|gt": -1}, "sigma-number"),
    "fraction": ({"web.path": 1.5}, "sigma-number"),
    "text-in-number": ({"web.status": "abc"}, "sigma-type"),
    "wildcard-in-number": ({"web.status|startswith": "4"}, "sigma-wildcard"),
    "too-large": ({"web.status": 2**64}, "sigma-type"),
    "word-for-bool": ({"web.tls": "yes"}, "sigma-type"),
    "network-of-address": ({"web.peer|cidr": "10.0.0.0/8"}, "sigma-network"),
    "ipv6-in-text": ({"web.address|cidr": "2001:db8::/32"}, "sigma-network"),
    "letters": ({"web.path": "É"}, "sigma-case"),
    "long": ({"web.path|contains": "x" * 300}, "sigma-value"),
    "nul": ({"web.path|wide": "ab"}, "sigma-value"),
    "placeholder": ({"web.path|expand": "%admins%"}, "sigma-placeholder"),
    "time": ({"web.path|hour": 5}, "sigma-time"),
    "look-ahead": ({"web.path|re": "a(?=b)"}, "sigma-regex"),
    "look-behind": ({"web.path|re": "(?<!a)b"}, "sigma-regex"),
    "reference": ({"web.path|re": "(a)\\1"}, "sigma-regex"),
    "boundary": ({"web.path|re": "\\bword\\b"}, "sigma-regex"),
    "inline-flag": ({"web.path|re": "(?i)word"}, "sigma-regex"),
    "inner-anchor": ({"web.path|re": "a^b"}, "sigma-regex"),
    "case-beyond-ascii": ({"web.path|re|i": "é"}, "sigma-regex"),
    "lines": ({"web.path|re|m": "^a$"}, "sigma-regex"),
    "many": ({"web.path|re": "(a{1000}){1000}"}, "sigma-check"),
    "fieldref-types": ({"web.path|fieldref": "web.status"}, "sigma-fieldref"),
    "fieldref-unknown": ({"web.path|fieldref": "web.nothing"}, "sigma-field"),
    "aggregation": (
        {"s": {"web.path": "x"}, "condition": "s | count() > 5"},
        "sigma-aggregation",
    ),
    "timeframe": (
        {"s": {"web.path": "x"}, "timeframe": "5m", "condition": "s"},
        "sigma-aggregation",
    ),
    "no-such-part": ({"s": {"web.path": "x"}, "condition": "s and t"}, "sigma-rule"),
    "empty-selector": ({"s": {"web.path": "x"}, "condition": "1 of t*"}, "sigma-rule"),
    "syntax": ({"s": {"web.path": "x"}, "condition": "s and"}, "sigma-rule"),
    "modifier": ({"web.path|sounds": "x"}, "sigma-rule"),
    "bad-regex": ({"web.path|re": "(a"}, "sigma-rule"),
    "bad-cidr": ({"web.address|cidr": "10.0.0.0/99"}, "sigma-rule"),
    "detection-text": ("x", "sigma-rule"),
}


def whole(detection):
    if isinstance(detection, dict) and "condition" not in detection:
        return {"s": detection, "condition": "s"}
    return detection


@pytest.mark.parametrize(
    ("detection", "code"), INEXPRESSIBLE.values(), ids=INEXPRESSIBLE
)
def test_a_construct_that_falco_lacks_leaves_its_rule_out(imported, detection, code):
    rules = imported(whole(detection))
    assert len(rules) == 0
    (found,) = rules.diagnostics
    assert (found.severity, found.code) == ("error", code)
    assert found.context == ("rule A rule",)
    assert found.file.endswith("rule.yml")
    assert found.line >= 1


def test_every_construct_has_its_own_diagnostic_at_its_line(imported):
    rules = imported(
        whole(
            {
                "web.pth": "x",
                "web.path|re": "a(?=b)",
                "web.tags": "Alpha",
                "web.user": "fine",
            }
        )
    )
    assert [(d.code, d.line) for d in rules.diagnostics] == [
        ("sigma-field", 6),
        ("sigma-regex", 7),
        ("sigma-list-field", 8),
    ]
    assert "did you mean web.path" in rules.diagnostics[0].hint


CORRELATION = """
title: Base
name: base
logsource: {product: aws, service: cloudtrail}
detection:
  s: {eventName: ConsoleLogin}
  condition: s
---
title: Many
correlation:
  type: event_count
  rules: [base]
  group-by: [sourceIPAddress]
  timespan: 5m
  condition: {gte: 10}
"""


def test_a_correlation_is_refused_with_the_rules_it_is_made_of(tmp_path):
    path = tmp_path / "c.yml"
    path.write_text(CORRELATION)
    rules = wb.rules_from_sigma(path, source="aws_cloudtrail")
    assert len(rules) == 0
    assert [d.code for d in rules.diagnostics] == ["sigma-correlation"] * 2
    path.write_text(CORRELATION.replace("  type:", "  generate: true\n  type:"))
    rules = wb.rules_from_sigma(path, source="aws_cloudtrail")
    assert [rule.name for rule in rules] == ["Base"]


@pytest.mark.parametrize(
    ("content", "message"),
    [
        (b"", "the file is empty"),
        (b"- rule: x\n  condition: y\n", "is not a mapping"),
        (b"title: x\nname: y\n", "has no detection"),
        (b"just words", "is not a mapping"),
        (b"title: 'x", "is not valid YAML"),
        (b"title: x\ntitle: y\ndetection: {}\n", "is not valid YAML"),
        (
            "title: Zürich\ndetection: {}\n".encode("latin-1"),
            "the byte 0xfc is not valid UTF-8",
        ),
        ("title: Zürich\n".encode() + "x: Zürich\n".encode("cp1252"), "the byte 0xfc"),
        ("title: x\ndetection: {}\n".encode("utf-16"), "the file is UTF-16"),
        (b"\x7fELF\0\0\0", "the file is binary data"),
        (b"title: " + b"x" * (5 << 20), "the file has more than 4,194,304 bytes"),
        (b"detection: " + b"[" * 50_000, "nests deeper than 60 levels"),
        (b"detection: [" + b"1," * 600_000 + b"]", "holds more than 500,000 values"),
    ],
    ids=lambda v: v[:20] if isinstance(v, str) else None,
)
def test_a_file_that_is_no_sigma_is_one_clear_error(tmp_path, content, message):
    path = tmp_path / "bad.yml"
    path.write_bytes(content)
    with pytest.raises(wb.RulesError) as caught:
        wb.rules_from_sigma(path, source="okta")
    (found,) = caught.value.diagnostics
    assert message in found.message
    assert (found.code, found.file) == ("sigma-file", str(path))
    assert message in str(caught.value)
    assert pickle.loads(pickle.dumps(caught.value)).diagnostics == [found]


def test_all_bad_files_are_told_of_at_once(tmp_path):
    (tmp_path / "a.yml").write_bytes(b"words")
    (tmp_path / "b.yml").write_bytes(b"\xff\xfe")
    with pytest.raises(wb.RulesError, match="2 files are not Sigma") as caught:
        wb.rules_from_sigma(tmp_path, source="okta")
    assert len(caught.value.diagnostics) == 2


def test_an_alias_bomb_is_refused_quickly(tmp_path):
    lines = ["title: x", "a0: &a0 [x, x]"]
    lines += [f"a{n}: &a{n} [*a{n - 1}, *a{n - 1}]" for n in range(1, 40)]
    lines += ["detection: {s: {web: *a39}, condition: s}"]
    path = tmp_path / "bomb.yml"
    path.write_text("\n".join(lines))
    rules = wb.rules_from_sigma(path, source="okta")
    assert [d.code for d in rules.diagnostics] == ["sigma-rule"]


def test_a_deep_condition_is_taken_or_refused(imported):
    selection = {"web.path": "x"}
    deep = {"s": selection, "condition": "(" * 100 + "s" + ")" * 100}
    assert imported(deep).rules[0].condition == 'tolower(web.path) = "x"'
    deeper = {"s": selection, "condition": "not (" * 5_000 + "s" + ")" * 5_000}
    assert [d.code for d in imported(deeper).diagnostics] == ["sigma-rule"]


def test_without_pysigma_the_error_tells_how_to_install_it():
    script = (
        "import sys; sys.modules['sigma'] = None\n"
        "import workbench as wb\n"
        "try:\n    wb.rules_from_sigma('x.yml', source='okta')\n"
        "except wb.RulesError as error:\n    print(error)\n"
    )
    done = subprocess.run(
        [sys.executable, "-c", script], capture_output=True, text=True
    )
    assert "pip install 'falco-plugin-workbench[sigma]'" in done.stdout, done.stderr


def test_nothing_of_pysigma_is_imported_otherwise():
    script = (
        "import sys, workbench.cli.import_sigma, workbench as wb\n"
        "wb.parse_rules(''); wb.rules_from_sigma\n"
        "print([m for m in sys.modules if m.split('.')[0] in ('sigma', 'yaml')])\n"
    )
    done = subprocess.run(
        [sys.executable, "-c", script], capture_output=True, text=True
    )
    assert done.stdout == "[]\n", done.stderr


@pytest.mark.parametrize(
    ("given", "message"),
    [
        ("aws_cloudtrial", "did you mean aws_cloudtrail"),
        ("syscall", "Known are aws_cloudtrail, k8s_audit"),
        (5, "a Plugin or Events"),
    ],
)
def test_an_unknown_source_is_refused(tmp_path, given, message):
    with pytest.raises(wb.RulesError, match=message):
        wb.rules_from_sigma(tmp_path / "x.yml", source=given)


def test_rules_with_diagnostics_travel(imported):
    rules = imported(whole({"web.user": "x"}), status="deprecated")
    again = pickle.loads(pickle.dumps(rules))
    assert again.diagnostics == rules.diagnostics
    assert again.to_yaml() == rules.to_yaml()
    assert [d.code for d in again.diagnostics] == ["sigma-status"]
    assert not again.rules[0].enabled


def test_pipelines_that_are_none_are_refused(tmp_path):
    bad = tmp_path / "p.yml"
    for text in (
        "[",
        "x: [1]\ntransformations: 5",
        "transformations: [{type: nothing}]",
    ):
        bad.write_text(text)
        with pytest.raises(wb.RulesError, match="the pipeline"):
            wb.rules_from_sigma("x.yml", source="okta", pipeline=bad)
    with pytest.raises(wb.WorkbenchError, match="cannot read"):
        wb.rules_from_sigma("x.yml", source="okta", pipeline=tmp_path / "none.yml")
