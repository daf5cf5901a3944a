from __future__ import annotations

import pytest

from workbench.rules.running.falco_options import wildcard_matches


@pytest.mark.parametrize(
    ("pattern", "text", "hit"),
    [
        ("*", "anything", True),
        ("abc", "abcd", False),
        ("a*", "abc", True),
        ("*c", "abc", True),
        ("a*c", "abbc", True),
        ("*abc", "abcabc", False),
        ("*b*", "abc", True),
    ],
)
def test_wildcards_never_go_back(pattern, text, hit):
    assert wildcard_matches(pattern, text) is hit
