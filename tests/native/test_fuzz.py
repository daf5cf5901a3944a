"""Every fuzzer in C for FUZZ_SECONDS (3), from case FUZZ_FIRST (0) on."""

from __future__ import annotations

import pytest

from tests.fuzz.running import PROGRAMS, for_a_moment


@pytest.mark.sanitizer
@pytest.mark.parametrize("target", PROGRAMS)
def test_c_code_stays_in_its_buffers_and_gives_the_right_answers(target):
    for_a_moment(target)
