"""Exercises in the notebooks: an answer goes in, a verdict and the next hint come out.

The third wrong answer gets the plainest hint. The solution is folded away: who opens it
wants to.
"""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass
from typing import Any

from workbench.formatting.html import escape, tag
from workbench.formatting.printable import printable
from workbench.teaching.answers import same_answer, same_kind, spoken
from workbench.teaching.exercises import HINTS, Exercise, exercise

__all__ = ["Verdict", "quiz"]

_MOST_SHOWN = 120
# Wrong answers so far, by key: of this notebook, as long as its kernel lives.
_wrong: Counter[str] = Counter()


@dataclass(frozen=True, slots=True)
class Verdict:
    """What became of an answer. ``right``: None when none was given.

    ``says``: sentences for the learner, the hints included.
    """

    exercise: Exercise
    right: bool | None
    says: tuple[str, ...]

    def __bool__(self) -> bool:
        """Whether the answer is right."""
        return bool(self.right)

    @property
    def _mark(self) -> str:
        return {None: "?", True: "✓", False: "✗"}[self.right]

    def __repr__(self) -> str:
        """Return question, verdict and hints as lines."""
        question = " ".join(self.exercise.question.split())
        lines = [f"{self.exercise.key}: {question}"]
        lines += [f"{self._mark} {said}" for said in self.says]
        return "\n".join(lines)

    def _repr_html_(self) -> str:
        colour = {None: "#8a6d00", True: "#1a7f37", False: "#b42318"}[self.right]
        parts = [tag("p", tag("b", escape(self.exercise.question.strip())))]
        parts += [tag("p", escape(f"{self._mark} {said}")) for said in self.says]
        if self.right is not None:
            fold = [
                tag("summary", "Solution"),
                tag("pre", escape_lines(self.exercise.solution.strip())),
                tag("p", escape(self.exercise.because.strip())),
            ]
            parts.append(tag("details", *fold))
        look = f"border-left:4px solid {colour};padding:2px 12px"
        return tag("div", *parts, style=look)


def escape_lines(text: str) -> str:
    """Return several lines escaped, line by line."""
    return "\n".join(escape(line) for line in text.splitlines())


def quiz(key: str, answer: Any = ...) -> Verdict:
    """Return whether ``answer`` answers the exercise ``key``, with a hint if not.

    ``key``: notebook and name, such as ``"00/funnel"``. ``answer``: a number, a text,
    or several of them in any order; left out or ``...`` asks for the question. Each
    wrong answer brings the next of three hints; the solution stays folded. Raises
    ArgumentError for an unknown key.
    """
    asked = exercise(key)
    if answer is ...:
        return Verdict(asked, None, ("Put your answer in place of the three dots.",))
    answers = (asked.answer, *asked.accept)
    if any(same_answer(a, answer, ordered=asked.ordered) for a in answers):
        _wrong.pop(key, None)
        return Verdict(asked, True, (f"Right. {' '.join(asked.because.split())}",))
    return Verdict(asked, False, _told(asked, answer))


def _told(asked: Exercise, answer: Any) -> tuple[str, ...]:
    """Return what to say about a wrong answer: it, a known mistake, hints so far."""
    if not same_kind(asked.answer, answer):
        many = not same_kind(asked.answer, "one")
        wanted = "a list, such as [1, 2]" if many else "one value"
        return (f"This exercise wants {wanted}.",)
    _wrong[asked.key] += 1
    said = [f"Not yet: {printable(spoken(answer), limit=_MOST_SHOWN)}"]
    for mistake, why in asked.mistakes.items():
        wrong_way = mistake.split(",") if "," in mistake else mistake
        if same_answer(wrong_way, answer) or (
            not same_kind(wrong_way, answer) and same_answer([wrong_way], answer)
        ):
            said.append(why)
    step = min(_wrong[asked.key], HINTS)
    hints = enumerate(asked.hints[:step], 1)
    return (*said, *(f"Hint {at} of {HINTS}: {hint}" for at, hint in hints))
