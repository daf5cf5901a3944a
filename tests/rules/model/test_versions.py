from __future__ import annotations

import pytest

from workbench.rules.model.versions import parse_version


@pytest.mark.parametrize(
    ("text", "version"),
    [
        ("1.2.3", (1, 2, 3)),
        ("0.+4.00005", (0, 4, 5)),
        ("4294967296.0.-1", (0, 0, 4294967295)),
        ("18446744073709551616.0.0", (4294967295, 0, 0)),
        ("9" * 10_000 + ".0.0", (4294967295, 0, 0)),
        ("0" * 10_000 + "7.0.0", (7, 0, 0)),
    ],
)
def test_numbers_are_read_as_c_reads_them(text, version):
    assert parse_version(text) == version
