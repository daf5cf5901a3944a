from __future__ import annotations

import pytest

from workbench.yamlcpp import as_int
from workbench.yamlcpp.convert import as_uint32


@pytest.mark.parametrize("text", ["9" * 10_000, "-" + "1" * 5000, "0x" + "f" * 10_000])
def test_numbers_of_thousands_of_digits_fit_no_type(text):
    assert as_int(text) is None
    assert as_uint32(text) is None
