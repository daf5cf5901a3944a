"""Every target in Python for FUZZ_SECONDS (3), from case FUZZ_FIRST (0) on."""

from __future__ import annotations

import pytest

from tests.fuzz.cases import MODULES
from tests.fuzz.running import for_a_moment


@pytest.mark.parametrize("target", MODULES)
def test_nothing_is_found(target):
    for_a_moment(target)
