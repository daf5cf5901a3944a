"""The shapes of replies, held against what real workers send."""

from __future__ import annotations

import pytest

from workbench.host.confine import missing_layers
from workbench.session.sandbox import SandboxPlan
from workbench.session.shapes import REPLIES, InvalidDataError, check
from workbench.session.worker_session import WorkerSession

HELLO = REPLIES["hello"].shape


@pytest.fixture(scope="module")
def facts():
    """Return what a worker in a sandbox says of it."""
    if missing := missing_layers():
        pytest.skip(f"no sandbox here: {missing[0]}")
    session = WorkerSession(plan=SandboxPlan((), (), network=False))
    yield session.sandbox
    session.close()


def test_a_sandbox_is_described_as_its_worker_does(facts):
    check(HELLO, {"calls": [], "sandbox": facts}, "hello")
    check(HELLO, {"calls": [], "sandbox": None}, "hello")


@pytest.mark.parametrize(
    "wrong",
    [
        {"guard": 0},
        {"guard": -1},
        {"guard": True},
        {"guard": 2**31},
        {"landlock": "7"},
        {"told": 1},
        {"readable": "/etc"},
        {"readable": [1]},
        {"error": {"message": "without a kind"}},
        {"another": 1},
    ],
)
def test_another_description_of_a_sandbox_is_refused(facts, wrong):
    with pytest.raises(InvalidDataError, match="a malformed hello"):
        check(HELLO, {"calls": [], "sandbox": {**facts, **wrong}}, "hello")


def test_a_hello_without_a_word_of_the_sandbox_is_refused():
    with pytest.raises(InvalidDataError, match="a malformed hello"):
        check(HELLO, {"calls": []}, "hello")
