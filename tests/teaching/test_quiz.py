"""Exercises: answers however typed, hints step by step, nothing hidden, all escaped."""

from __future__ import annotations

import numpy as np
import pandas as pd
import pytest

import workbench as wb
from workbench.teaching import quiz as module
from workbench.teaching.answers import same_answer
from workbench.teaching.exercises import all_exercises


@pytest.fixture(autouse=True)
def fresh():
    module._wrong.clear()


@pytest.mark.parametrize(
    ("expected", "given"),
    [
        (12, 12),
        (12, np.int64(12)),
        (12, " 12 "),
        (12, 12.0),
        (1020, "1,020"),
        (True, "yes"),
        ("end", "  End. "),
        ("plugin_next_batch", "`plugin_next_batch`"),
        ("open params", "Open  Params"),
        ([1, 2], (2, 1)),
        ([1, 2], {1, 2}),
        ([1, 2], np.array([2, 1])),
        ([1, 2], pd.Series([1, 2])),
        (["a", "b"], ["B", "a"]),
        ([], []),
    ],
)
def test_an_answer_counts_however_it_was_typed(expected, given):
    assert same_answer(expected, given)


@pytest.mark.parametrize(
    ("expected", "given"),
    [
        (12, 13),
        (1, True),
        (True, 1),
        (12, [12]),
        ([12], 12),
        ([1, 2], [1, 2, 2]),
        ([1, 2], [1]),
        ("end", None),
        ("end", object()),
        ([1], range(10**12)),
        (1, float("nan")),
    ],
)
def test_something_else_is_no_answer(expected, given):
    assert not same_answer(expected, given)


def test_the_order_counts_where_the_exercise_says_so():
    assert not same_answer([1, 2], [2, 1], ordered=True)
    assert same_answer([1, 2], [1, 2], ordered=True)


@pytest.mark.parametrize("key", all_exercises())
def test_each_exercise_takes_its_answers_and_no_mistake(key):
    asked = all_exercises()[key]
    for answer in (asked.answer, *asked.accept):
        assert wb.quiz(key, answer).right is True
    for mistake in asked.mistakes:
        given = mistake.split(",") if isinstance(asked.answer, list) else mistake
        verdict = wb.quiz(key, given)
        assert verdict.right is False
        assert asked.mistakes[mistake] in verdict.says
    assert len(asked.hints) == 3
    assert asked.question.strip().endswith(("?", ":"))
    assert asked.because.endswith(".")


def test_hints_come_one_by_one_and_the_solution_stays_folded():
    hints = all_exercises()["00/found"].hints
    for count in (1, 2, 3, 3):
        verdict = wb.quiz("00/found", 5)
        assert verdict.right is False
        assert [h for h in hints if any(h in said for said in verdict.says)] == list(
            hints[:count]
        )
        html = verdict._repr_html_()
        assert "<details><summary>Solution</summary>" in html
        assert " open" not in html[html.index("<details") :].partition(">")[0]
        assert all_exercises()["00/found"].solution not in repr(verdict)
    assert wb.quiz("00/found", 12)
    assert len(wb.quiz("00/found", 5).says) == 2, "a right answer starts afresh"


def test_without_an_answer_there_is_the_question_and_no_solution():
    asked = wb.quiz("00/found")
    assert asked.right is None
    assert not asked
    assert "three dots" in repr(asked)
    assert "details" not in asked._repr_html_()
    assert wb.quiz("00/found", ...) == asked


def test_several_values_are_asked_for_as_such():
    assert wb.quiz("04/absent", 2).says == (
        "This exercise wants a list, such as [1, 2].",
    )
    assert wb.quiz("00/found", [12]).says == ("This exercise wants one value.",)


def test_an_answer_with_markup_is_shown_and_not_run():
    verdict = wb.quiz("02/crash", "<script>alert(1)</script>\x1b[31m" + "x" * 5000)
    html = verdict._repr_html_()
    assert "<script>" not in html
    assert "&lt;script&gt;" in html
    assert "\x1b" not in html + repr(verdict)
    assert len(html) < 3000


@pytest.mark.parametrize("key", ["00/fund", "00", "", None, 7, "99/x", "../00/found"])
def test_an_unknown_key_is_refused_with_near_ones(key):
    with pytest.raises(wb.WorkbenchError, match=r"expected the key .*perhaps \d\d/"):
        wb.quiz(key, 1)
