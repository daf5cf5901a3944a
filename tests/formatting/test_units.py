from __future__ import annotations

import pytest

from workbench.formatting.units import counted, duration_text, moment_text


def test_a_number_has_its_noun():
    assert [counted(1, "field"), counted(1200, "event")] == ["1 field", "1,200 events"]


@pytest.mark.parametrize(
    ("duration", "text"),
    [(7, "7 ns"), (1_234_567, "1.23 ms"), (1_000, "1 µs"), (90 * 10**9, "90 s")],
)
def test_durations_have_a_unit(duration, text):
    assert duration_text(duration) == text


def test_durations_have_the_digits_asked_for():
    assert duration_text(1_234_567, digits=6) == "1.23457 ms"


def test_moments_are_in_utc_with_nanoseconds():
    assert moment_text(1_500_000_000) == "1970-01-01T00:00:01.500000000Z"
    assert moment_text(1_500_000_000, trimmed=True) == "1970-01-01T00:00:01.5Z"
    assert moment_text(0, trimmed=True) == "1970-01-01T00:00:00Z"
