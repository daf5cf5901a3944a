from __future__ import annotations

import pickle

import pytest

from workbench import errors
from workbench.diagnostics import Diagnostic, Span

CLASSES = [
    found for name in errors.__all__ if isinstance(found := getattr(errors, name), type)
]
SAMPLES = {
    "path": "/x.so",
    "complaints": ["one", "two"],
    "plugin": "demo",
    "signal": 11,
    "backtrace": ["frame"],
    "limit_sec": 1.5,
    "diagnostics": [Diagnostic("error", "x", "text", span=Span(0, 1))],
}


@pytest.mark.parametrize("cls", CLASSES, ids=lambda c: c.__name__)
def test_every_error_survives_pickling_with_all_its_facts(cls):
    facts = {name: SAMPLES.get(name, 7) for name in cls._facts}
    error = cls("what failed", **facts)
    error.add_note("said later")
    error.events = ["kept"]
    copy = pickle.loads(pickle.dumps(error))
    assert type(copy) is cls
    assert str(copy) == "what failed"
    assert copy.args == error.args
    assert {n: getattr(copy, n) for n in cls._facts} == facts
    assert copy.events == ["kept"]
    assert copy.__notes__ == ["said later"]


@pytest.mark.parametrize("cls", CLASSES, ids=lambda c: c.__name__)
def test_every_error_is_a_workbench_error_and_refuses_unknown_facts(cls):
    assert issubclass(cls, errors.WorkbenchError)
    with pytest.raises(TypeError, match="nonsense"):
        cls("x", nonsense=1)


def test_an_interrupted_capture_is_a_keyboard_interrupt_that_survives_pickling():
    from workbench.plugins.collect import CaptureInterrupted

    copy = pickle.loads(pickle.dumps(CaptureInterrupted("after 3 events", None)))
    assert isinstance(copy, KeyboardInterrupt)
    assert str(copy) == "after 3 events"
