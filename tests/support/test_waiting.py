from __future__ import annotations

import pytest

from tests.support.waiting import wait_until


def test_the_first_true_value_is_returned():
    values = iter(["", [], "there", "later"])
    assert wait_until(lambda: next(values), 5, "something") == "there"


def test_what_did_not_happen_is_told():
    with pytest.raises(AssertionError, match=r"^not within 0.05 s: the sky falls$"):
        wait_until(lambda: False, 0.05, "the sky falls")
