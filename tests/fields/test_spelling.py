from __future__ import annotations

import pytest

from workbench.fields.spelling import edits_between, names_ending_in, nearest_names


@pytest.mark.parametrize(
    ("first", "second", "edits"),
    [("", "", 0), ("a", "", 1), ("ab", "ba", 1), ("abc", "axc", 1), ("kitten", "sitting", 3)],
)  # fmt: skip
def test_edits_are_counted(first: str, second: str, edits: int) -> None:
    assert edits_between(first, second) == edits_between(second, first) == edits


def test_the_fewest_edits_come_first() -> None:
    names = ["weblog.client_ip", "weblog.agent", "weblog.client"]
    assert nearest_names("weblog.clientt", names)[0] == "weblog.client"
    assert nearest_names("nothing.like.it", names) == []


def test_a_last_part_finds_its_names() -> None:
    names = ["a.status", "b.status", "b.path", "status"]
    assert names_ending_in("status", names) == ["a.status", "b.status"]
    assert names_ending_in("pth", names) == ["b.path"]
