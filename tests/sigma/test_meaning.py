"""Every construct means in Falco's condition what it means in Sigma's tree."""

from __future__ import annotations

import sys
from pathlib import Path

import pytest

sys.path.insert(0, str(Path(__file__).parent))

from conftest import sigma_rule
from sigma_meaning import sigma_matches

CASES = {
    "case": {"web.user": "ROOT"},
    "any-of": {"web.user": ["root", "passwd", "it's"]},
    "cased": {"web.user|cased": "Root"},
    "cased-any": {"web.user|cased": ["Root", "passwd"]},
    "fields-and": {"web.user": "root", "web.status": 404},
    "prefix": {"web.path|startswith": "/ADMIN"},
    "suffix": {"web.path|endswith": "LOGIN"},
    "contains": {"web.path|contains": "MIN/l"},
    "contains-all": {"web.path|contains|all": ["admin", "LOGIN"]},
    "cased-contains": {"web.path|contains|cased": "Admin"},
    "cased-startswith": {"web.path|startswith|cased": "/Admin"},
    "star": {"web.path": "/a*B"},
    "star-middle": {"web.agent": "*x*y*"},
    "literal-star": {"web.path": "/a\\*b"},
    "literal-question": {"web.path": "/a\\?b"},
    "question": {"web.path": "/a?b"},
    "questions": {"web.path": "/A??b"},
    "any-value": {"web.path": "*"},
    "one-character": {"web.path": "?"},
    "brackets": {"web.agent": "x[y]*"},
    "glob-brackets": {"web.agent": "*[y]?"},
    "backslash": {"web.user": "\\"},
    "trailing-backslash": {"web.user": "C:\\temp\\"},
    "backslash-prefix": {"web.user|startswith": "c:\\"},
    "quotes": {"web.agent": 'say "hi"'},
    "apostrophe": {"web.user": "it's"},
    "keyword-text": {"web.path": "and", "web.agent|contains": " or "},
    "comma": {"web.user": ["a,b", "(x)"]},
    "newline-star": {"web.agent": "line*more"},
    "newline-contains": {"web.agent|contains": "\n"},
    "empty": {"web.path": ""},
    "null": {"web.path": None},
    "empty-list": {"web.path": []},
    "null-or": {"web.path": [None, "and"]},
    "exists": {"web.address|exists": True},
    "exists-not": {"web.address|exists": False},
    "number": {"web.status": 404},
    "numbers": {"web.status": [200, 404, 10]},
    "number-as-text": {"web.status": "404"},
    "number-in-text": {"web.path": 5},
    "gt": {"web.status|gt": 9},
    "gte-lt": {"web.status|gte": 9, "web.status|lt": 200},
    "lte": {"web.status|lte": 0},
    "bool": {"web.tls": True},
    "bool-false": {"web.tls": False},
    "bool-in-text": {"web.user": True},
    "neq": {"web.user|neq": "root"},
    "cidr": {"web.address|cidr": "10.0.0.0/9"},
    "cidr-octets": {"web.address|cidr": ["192.168.0.0/16", "172.16.0.0/12"]},
    "cidr-all": {"web.address|cidr": "0.0.0.0/0"},
    "cidr-one": {"web.address|cidr": "10.1.2.3/32"},
    "cidr-30": {"web.address|cidr": "10.1.2.0/30"},
    "cidr-net": {"web.net|cidr": "10.0.0.0/8"},
    "cidr-net6": {"web.net|cidr": "2001:db8::/32"},
    "address": {"web.peer": "10.0.0.1"},
    "address6": {"web.peer": ["2001:db8::1", "192.0.2.1"]},
    "fieldref": {"web.path|fieldref|endswith": "web.user"},
    "fieldref-equal": {"web.agent|fieldref": "web.user"},
    "fieldref-contains": {"web.path|fieldref|contains": "web.agent"},
    "fieldref-starts": {"web.path|fieldref|startswith": "web.agent"},
    "fieldref-number": {"web.status|fieldref": "web.bytes"},
    "list-cased": {"web.tags|cased": "beta"},
    "list-cased-any": {"web.tags|cased": ["gamma", "beta"]},
    "list-contains": {"web.tags|contains": "LPH"},
    "list-contains-cased": {"web.tags|contains|cased": "lph"},
    "list-all": {"web.tags|contains|all": ["alpha", "BETA"]},
    "list-number": {"web.ports": 443},
    "list-numbers": {"web.ports|all": [22, 443]},
    "list-null": {"web.tags": None},
    "windash": {"web.agent|contains|windash": " -enc"},
    "base64": {"web.user|base64": "root"},
    "base64offset": {"web.user|base64offset|contains": "oot"},
    "re": {"web.agent|re": "xy?z"},
    "re-anchored": {"web.path|re": "^/tmp/[a-z]+\\d+$"},
    "re-start": {"web.agent|re": "^curl"},
    "re-dollar": {"web.user|re": "word$"},
    "re-i": {"web.user|re|i": "^w[N-P]rd$"},
    "re-i-negated": {"web.user|re|i": "^[^w]oot$"},
    "re-alternatives": {"web.path|re": "^/etc|in$|b"},
    "re-group": {"web.path|re": "/(?:a|tmp/a)(a|X)+"},
    "re-lazy": {"web.path|re": "^/.*?1{2}$"},
    "re-classes": {"web.agent|re": "\\w+-\\d+\\s[\\w-]+"},
    "re-dot-line": {"web.agent|re": "^line.more$"},
    "re-dotall": {"web.agent|re|s": "^line.more$"},
    "re-special": {"web.agent|re": '\\(x\\)|\\[y\\]|\\"'},
    "re-any-of": {"web.path|re": ["^/etc/", "login$"]},
    "re-not-class": {"web.path|re": "^[^/]\\D*$"},
    "maps": [{"web.user": "root"}, {"web.status": 404, "web.tls": False}],
}


@pytest.mark.parametrize("selection", CASES.values(), ids=CASES)
@pytest.mark.parametrize("condition", ["selection", "not selection"])
def test_a_construct_matches_the_same_events(
    imported, events, rows, selection, condition
):
    detection = {"selection": selection, "condition": condition}
    rules = imported(detection)
    assert not rules.diagnostics.errors, rules.diagnostics
    (rule,) = rules.rules
    assert not rules.check(events).errors
    assert list(events.mask(rule)) == sigma_matches(sigma_rule(detection), rows)


PARTS = {
    "selection_a": {"web.user|contains": "o"},
    "selection_b": {"web.status": [404, 10]},
    "filter_x": {"web.path|startswith": "/a"},
    "filter_y": {"web.tls": True},
}
CONDITIONS = [
    "selection_a and not filter_x",
    "1 of selection*",
    "all of selection*",
    "any of them",
    "1 of selection_* and not 1 of filter_*",
    "not (selection_a or filter_y) or selection_b",
    "selection_a or selection_b and filter_x",
    "(selection_a or selection_b) and (filter_x or not filter_y)",
    "not not selection_a",
    ["selection_a and filter_y", "selection_b"],
]


@pytest.mark.parametrize("condition", CONDITIONS, ids=str)
def test_parts_are_joined_as_the_condition_says(imported, events, rows, condition):
    detection = {**PARTS, "condition": condition}
    rules = imported(detection)
    (rule,) = rules.rules
    found = list(events.mask(rule))
    assert found == sigma_matches(sigma_rule(detection), rows)
    assert any(found)


def test_the_cases_tell_matching_events_from_others(imported, events):
    """Of all constructs but one, each matches some event and not every one."""
    dull = []
    for name, selection in CASES.items():
        (rule,) = imported({"s": selection, "condition": "s"}).rules
        if events.mask(rule).sum() in (0, len(events)):
            dull.append(name)
    assert dull == ["re-dot-line"]  # a dot is no line feed
