from __future__ import annotations

from tests.conformance.vectors import SLICE, Slice, pack_numbers, unpack_numbers


def test_numbers_are_written_as_ranges_and_read_back():
    for numbers in ([], [7], [1, 2, 3], [1, 3, 4, 5, 9, 10, 123]):
        assert unpack_numbers(pack_numbers(numbers)) == numbers
    assert pack_numbers([2, 3, 4, 8]) == "2-4 8"


def test_the_slice_is_compact_and_large_enough():
    assert len(Slice().cases("conditions")) >= 1500
    assert sum(path.stat().st_size for path in SLICE.iterdir()) < 1_000_000
