"""Exercises as the files in ``exercises`` have them: one file per notebook.

Lecturers change and add them there: a table per exercise, named in ``wb.quiz`` by file
and table, such as ``"04/absent"``.
"""

from __future__ import annotations

import difflib
import tomllib
from dataclasses import dataclass, field
from functools import cache
from pathlib import Path
from typing import Any

from workbench.errors import ArgumentError

__all__ = ["HINTS", "Exercise", "all_exercises", "exercise"]

HINTS = 3
_FOLDER = Path(__file__).parent / "exercises"


@dataclass(frozen=True, slots=True)
class Exercise:
    """A question, its answer, hints from gentle to plain, and how to get there.

    ``answer``: a number, a truth value, a text, or several of them; ``accept``: other
    answers that are right. ``ordered``: whether the order of several matters.
    ``mistakes``: an answer people give, as text, and what is wrong with it.
    ``solution``: Python code that computes the answer in the notebook; ``because``: one
    or two sentences.
    """

    key: str
    question: str
    answer: Any
    hints: tuple[str, str, str]
    solution: str
    because: str
    accept: tuple[Any, ...] = ()
    ordered: bool = False
    mistakes: dict[str, str] = field(default_factory=dict)


@cache
def all_exercises() -> dict[str, Exercise]:
    """Return every exercise by its key, in the order of the files."""
    found: dict[str, Exercise] = {}
    for path in sorted(_FOLDER.glob("*.toml")):
        for name, row in tomllib.loads(path.read_text("utf-8")).items():
            key = f"{path.stem}/{name}"
            found[key] = Exercise(
                key=key,
                **{
                    **row,
                    "hints": tuple(row["hints"]),
                    "accept": tuple(row.get("accept", ())),
                },
            )
    return found


def exercise(key: str) -> Exercise:
    """Return an exercise; raises ArgumentError for an unknown key, naming near ones."""
    known = all_exercises()
    if isinstance(key, str) and key in known:
        return known[key]
    near = difflib.get_close_matches(str(key)[:80], known, 3, 0.6)
    folder = f"{key}"[:2]
    there = near or [k for k in known if k.startswith(f"{folder}/")] or list(known)[:3]
    raise ArgumentError(
        f"expected the key of an exercise, not {key!r:.80}; perhaps {', '.join(there)}"
    )
