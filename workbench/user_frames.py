"""What a notebook shows of an error raised on purpose: the user's frames, the words.

How we got from the user's call to the refusal helps nobody; ``%debug`` still has all.
"""

from __future__ import annotations

import contextlib
import copy
import os
import sys
from types import TracebackType

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable

__all__ = ["notebook_lines", "user_frames"]

_OURS = os.path.dirname(os.path.abspath(__file__)) + os.sep  # noqa: PTH100, PTH120


def user_frames(trace: TracebackType | None) -> TracebackType | None:
    """Return the part of a traceback that is the user's own; None for nothing.

    Left out are the frames of the shell that ran the cell, those of this package, and
    those of libraries that this package called.
    """
    frames = []
    while trace is not None:
        frames.append(trace)
        trace = trace.tb_next
    shell = _folders(["IPython", "ipykernel"])
    begin = next((i for i, f in enumerate(frames) if not _in(f, shell)), len(frames))
    own = next(
        (i for i, f in enumerate(frames) if i >= begin and _in(f, (_OURS,))),
        len(frames),
    )
    libraries = _libraries()
    kept = frames[begin:own]
    kept += [f for f in frames[own:] if not _in(f, (_OURS, *libraries))]
    made: TracebackType | None = None
    for frame in reversed(kept):
        made = TracebackType(made, frame.tb_frame, frame.tb_lasti, frame.tb_lineno)
    return made


def _in(trace: TracebackType, folders: tuple[str, ...]) -> bool:
    return trace.tb_frame.f_code.co_filename.startswith(folders)


def _folders(packages: list[str]) -> tuple[str, ...]:
    found = (getattr(sys.modules.get(name), "__file__", None) for name in packages)
    return tuple(os.path.dirname(path) + os.sep for path in found if path)  # noqa: PTH120


def _libraries() -> tuple[str, ...]:
    import sysconfig

    paths = sysconfig.get_paths()
    names = ("stdlib", "platstdlib", "purelib", "platlib")
    return (*{paths[name] + os.sep for name in names}, "<frozen ")


def notebook_lines(error: BaseException, words: list[str]) -> list[str]:
    """Return the lines that a notebook prints for ``error``; ``words``: without frames.

    The shell draws the frames, as for any other error; ``words`` alone stand where it
    cannot, and where there are none.
    """
    frames = user_frames(error.__traceback__)
    draw = _drawer()
    if frames is None or draw is None:
        return words
    with contextlib.suppress(Exception):
        # A copy has no causes and contexts, which would show frames of ours.
        return draw(type(error), copy.copy(error), frames, 0)
    return words


def _drawer() -> Callable[..., list[str]] | None:
    get_ipython = getattr(sys.modules.get("IPython"), "get_ipython", None)
    shell = get_ipython() if get_ipython is not None else None
    return getattr(getattr(shell, "InteractiveTB", None), "structured_traceback", None)
