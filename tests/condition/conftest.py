from __future__ import annotations

import pyarrow as pa
import pytest

from tests.condition.reference_rows import reference_mask
from workbench.condition import compile_condition
from workbench.errors import ConditionError
from workbench.fields.declarations import ArgInfo, FieldInfo, FieldTable

TYPES = ("string", "uint64", "reltime", "abstime", "bool", "ipaddr", "ipnet")
ARROW = {
    "string": pa.binary(),
    "uint64": pa.uint64(),
    "reltime": pa.uint64(),
    "abstime": pa.uint64(),
    "bool": pa.bool_(),
    "ipaddr": pa.binary(),
    "ipnet": pa.binary(),
}
KEY = ArgInfo(required=True, key=True)
INDEX = ArgInfo(required=True, index=True)

# Every type as t.<type>, t.<type>2 and, as a list, t.<type>s and t.<type>s2.
FIELDS = FieldTable(
    [
        FieldInfo(f"t.{type_}{plural}{second}", type_, is_list=bool(plural))
        for type_ in TYPES
        for plural in ("", "s")
        for second in ("", "2")
    ]
    + [
        FieldInfo("t.key", "string", arg=KEY),
        FieldInfo("t.idx", "uint64", arg=INDEX),
        FieldInfo("t.opt", "string", arg=ArgInfo(key=True)),
        FieldInfo("evt.numbers", "uint64"),
    ]
)


@pytest.fixture(scope="session")
def fields():
    return FIELDS


def _column(name, value):
    info = FIELDS.get(name.partition("[")[0])
    if info is None:
        return pa.array([value])
    kind = ARROW[info.type]
    return pa.array([value], pa.list_(kind) if info.is_list else kind)


@pytest.fixture(scope="session")
def verdict():
    """Call with a condition and values by field: the verdict both evaluators give."""

    def run(condition, **values):
        named = {f"t.{name}": value for name, value in values.items()}
        compiled = compile_condition(condition, FIELDS)
        columns = {
            name: _column(name, named.get(name)) for name in compiled.columns
        } or {"evt.num": pa.array([1], pa.uint64())}
        table = pa.table(columns)
        fast = compiled.mask(table).to_pylist()
        assert fast == reference_mask(compiled.bound.root, table)
        return fast[0]

    return run


@pytest.fixture(scope="session")
def refusal():
    """Call with a condition: the error with which it is refused."""

    def run(condition):
        with pytest.raises(ConditionError) as caught:
            compile_condition(condition, FIELDS)
        return caught.value

    return run


@pytest.fixture(scope="session")
def warnings_of():
    """Call with a condition: the codes of its warnings."""

    def run(condition):
        return [w.code for w in compile_condition(condition, FIELDS).warnings]

    return run
