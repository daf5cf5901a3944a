from __future__ import annotations

import numpy as np
import pytest

from workbench.ui.data.bins import Bins, round_width


def test_bins_count_every_event_once_however_they_arrive():
    rng = np.random.default_rng(3)
    times = np.sort(rng.integers(10**18, 10**18 + 10**12, 20_000)).astype(np.uint64)
    matched = rng.random(20_000) < 0.1
    bins = Bins()
    for end in (1, 50, 1000, 7000, 20_000):
        bins.update(times[:end], matched[:end])
        assert bins.counts.sum() == end
        assert bins.matches.sum() == matched[:end].sum()
        assert len(bins.counts) <= 320
    whole = Bins()
    whole.rebuild(times, matched)
    edges = bins.start + bins.width * np.arange(len(bins.counts) + 1)
    assert bins.counts.tolist() == np.histogram(times.astype(float), edges)[0].tolist()


def test_an_event_before_the_first_bin_makes_new_bins():
    bins = Bins()
    bins.update(np.array([10**12, 2 * 10**12], np.uint64), None)
    bins.update(np.array([10**12, 2 * 10**12, 5], np.uint64), None)
    assert bins.counts.sum() == 3
    assert bins.start == 0


@pytest.mark.parametrize(
    "span", [1, 999, 10**6, 3 * 10**9, 86400 * 10**9, 400 * 86400 * 10**9]
)
def test_widths_are_round_and_give_at_most_320_bins(span):
    width = round_width(span, time=True)
    assert span / width <= 160
    assert width >= 1


def test_a_range_in_bins_and_back():
    bins = Bins()
    bins.rebuild(np.arange(10**12, 10**12 + 10**10, 10**7).astype(np.uint64), None)
    low, high = bins.range_of(2.5, 7)
    assert bins.bins_of(low, high) == (2.5, 7)
