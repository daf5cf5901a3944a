"""The slice of the project tells what the full set tells."""

from __future__ import annotations

import json
from collections import Counter

import pytest

from tests.conformance.probe import COMPUTED
from tests.conformance.slice import write_slice
from tests.conformance.vectors import KINDS, SLICE, Slice, full_set

FULL = full_set()
if FULL is None:
    pytest.skip(
        "the full conformance set is not here (WORKBENCH_CONFORMANCE names its "
        "folder): only the slice is checked",
        allow_module_level=True,
    )


@pytest.fixture(scope="module")
def origin():
    """The full set, if it is the one that the slice was taken from."""
    known = {case["id"] for case in FULL.cases("conditions")}
    if not any(case["id"] in known for case in Slice().cases("conditions")):
        pytest.skip("this full set has other cases than the one of the slice")
    return FULL


def test_the_fields_that_the_probe_computes_are_those_of_the_events():
    for row in FULL.recorded("rows"):
        computed = {n for n, spec in row["fields"].items() if "computed" in spec}
        assert computed == COMPUTED
        assert row["fields"].keys() == {field["name"] for field in FULL.fields}
    assert FULL.fields == Slice().fields
    assert FULL.cases("rows") == Slice().cases("rows")


@pytest.mark.parametrize("kind", KINDS)
def test_the_slice_tells_what_the_full_set_tells(kind, origin):
    told = {json.dumps(case, sort_keys=True) for case in origin.cases(kind)}
    here = [json.dumps(case, sort_keys=True) for case in Slice().cases(kind)]
    assert [case for case in here if case not in told] == []
    assert len(set(here)) == len(here)


@pytest.mark.parametrize("kind", ["formats", "configs", "newer-formats"])
def test_the_slice_holds_all_of_the_small_kinds(kind, origin):
    assert len(Slice().cases(kind)) == len(origin.recorded(kind))


@pytest.mark.parametrize("kind", ["conditions", "rules"])
def test_the_slice_has_cases_of_every_group(kind, origin):
    everywhere = Counter(case["group"] for case in origin.recorded(kind))
    here = Counter(case["group"] for case in Slice().cases(kind))
    few = {g: here[g] for g, number in everywhere.items() if here[g] < min(number, 3)}
    assert not few


def test_the_script_makes_the_slice_again(origin, tmp_path):
    write_slice(origin, tmp_path)
    for path in tmp_path.iterdir():
        assert (SLICE / path.name).read_bytes() == path.read_bytes(), path.name
