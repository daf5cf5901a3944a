from __future__ import annotations

import pytest

from tests.conformance.probe import Probe
from tests.conformance.vectors import Slice, full_set

FULL = full_set()
SETS = {"slice": Slice()} | ({"full": FULL} if FULL else {})


@pytest.fixture(scope="session", params=SETS)
def vectors(request):
    """The slice of the project; then, where it is found, the full set."""
    return SETS[request.param]


@pytest.fixture(scope="session")
def probe():
    """The events that all sets share."""
    return Probe(SETS["slice"])
