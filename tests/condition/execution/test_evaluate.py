from __future__ import annotations

import pickle

import pyarrow as pa
from hypothesis import HealthCheck, assume, given, settings
from hypothesis import strategies as st

from tests.condition.reference_rows import reference_mask
from workbench.condition import compile_conditions
from workbench.condition.syntax.operators import OPERATORS, legal_operators
from workbench.fields.declarations import ArgInfo, FieldInfo, FieldTable

TYPES = ["string", "uint64", "reltime", "abstime", "bool", "ipaddr", "ipnet"]
FIELDS = FieldTable(
    [
        FieldInfo(f"p.{type_}{plural}{second}", type_, is_list=bool(plural))
        for type_ in TYPES
        for plural in ("", "s")
        for second in ("", "b")
    ]
    + [FieldInfo("p.key", "string", arg=ArgInfo(required=True, key=True))]
)
COLUMNS = [*(name for name in FIELDS if name != "p.key"), "p.key[k]", "p.key[]"]

text_values = st.one_of(
    st.sampled_from(
        [b"", b"a", b"A", b"ab", b"/a/b", b"/A//b/", b"a\0b", b"\0", b"YQ==", b"YQBi", b"5", b"10", b"-n",
         b"caf\xc3\xa9", b"\xff", b"a\nb", b"p.string", b"true"]
    ),
    st.binary(max_size=6),
)  # fmt: skip
numbers = st.one_of(
    st.sampled_from([0, 1, 5, 10, 2**63, 2**64 - 1]), st.integers(0, 2**64 - 1)
)
addresses = st.sampled_from(
    [b"\x0a\0\0\1", b"\x0a\1\2\3", b"\xff" * 4, b"\0" * 16, b"\0" * 10 + b"\xff\xff\x0a\0\0\1",
     b"\x20\x01\x0d\xb8" + b"\0" * 11 + b"\x05", b"", b"\x0a\0\0"]
)  # fmt: skip
VALUES = {
    "string": text_values,
    "uint64": numbers,
    "reltime": numbers,
    "abstime": numbers,
    "bool": st.booleans(),
    "ipaddr": addresses,
    "ipnet": addresses,
}
ARROW = {
    "string": [pa.binary(), pa.large_binary(), pa.dictionary(pa.int32(), pa.binary())],
    "uint64": [pa.uint64()],
    "reltime": [pa.uint64(), pa.duration("ns")],
    "abstime": [pa.uint64(), pa.timestamp("ns")],
    "bool": [pa.bool_()],
    "ipaddr": [pa.binary()],
    "ipnet": [pa.binary(), pa.dictionary(pa.int8(), pa.binary())],
}

# --- conditions as text ---------------------------------------------------------------

words = st.sampled_from(
    ["a", "A", "ab", "''", "'a b'", "5", "10", "/a", "/a/*", "*", "a*", "'?'", "[ab]", "'YQ=='", "true",
     "p.string", "'tolower(p.string)'", "café", "<NA>", "'\\n'", "-n", "'a\\\\*'"]
)  # fmt: skip
patterns = st.sampled_from(
    ["a", "'a.*'", "'.'", "'[a-z]+'", "'(a|b)*'", "'^a$'", "''", "'.*\n.*'", "'[^a]'"]
)
CONSTANTS = {
    "string": words,
    "uint64": st.sampled_from(["0", "5", "010", "-1", "18446744073709551616", "'+10'"]),
    "bool": st.sampled_from(["true", "false"]),
    "ipaddr": st.sampled_from(
        ["10.0.0.1", "10.1.2.3", "::", "::ffff:a00:1", "2001:db8::5"]
    ),
    "ipnet": st.sampled_from(
        [
            "10.0.0.0/8",
            "10.0.0.0/264",
            "0.0.0.0/0",
            "2001:db8::/33",
            "::/1",
            "10.1.2.3/32",
        ]
    ),
}
CONSTANTS["reltime"] = CONSTANTS["abstime"] = CONSTANTS["uint64"]


@st.composite
def operands(draw):
    """Give the text of a field or call, its type and whether it is a list."""
    name = draw(st.sampled_from(COLUMNS))
    info = FIELDS[name.partition("[")[0]]
    kind = (info.type, info.is_list)
    written = name.replace("[]", "['']")
    for _ in range(draw(st.integers(0, 2))):
        call = draw(st.sampled_from(["tolower", "toupper", "basename", "b64", "len"]))
        if call == "len":
            if kind[0] != "string" and not kind[1]:
                continue
            kind = ("uint64", False)
        elif kind[0] != "string":
            continue
        written = f"{call}({written})"
    more = draw(st.integers(0, 11))
    if kind == ("string", True) and more < 5:
        forms = [
            (f"join('-', {written})", ("string", False)),
            (f"join(tolower('-'), {written})", ("string", False)),
            (f"getopt({written}, 'nt:')", ("string", True)),
            (f"getopt({written}, 'nt:')[n]", ("string", False)),
            (f"join(',', ({written}, p.uint64, 5))", ("string", False)),
        ]
        return forms[more] if "getopt" not in written else (written, kind)
    if kind == ("string", False) and more < 2:
        written = [f"concat({written}, 'x')", f"concat('x', {written}, p.string)"][more]
    return written, kind


@st.composite
def checks(draw):
    left, (type_, is_list) = draw(operands())
    op = draw(st.sampled_from(legal_operators(type_, is_list=is_list)))
    row = OPERATORS[op]
    if op == "exists":
        return f"{left} exists"
    if row.field_right and draw(st.integers(0, 3)) == 0:
        right, kind = draw(operands())
        if kind == (type_, is_list) and type_ != "ipnet":
            return f"{left} {op} {right if '(' in right else f'val({right})'}"
    constants = patterns if op == "regex" else CONSTANTS[type_]
    if row.right == "list":
        return f"{left} {op} ({', '.join(draw(st.lists(constants, max_size=4)))})"
    if row.right == "number":
        return f"{left} {op} {draw(st.sampled_from(['0', '5', '-1', '10']))}"
    if type_ in row.modifiers and draw(st.integers(0, 2)) == 0:
        modifier = draw(st.sampled_from(["oneof", "anyof", "allof"]))
        return f"{left} {op} {modifier} ({', '.join(draw(st.lists(constants, max_size=3)))})"
    return f"{left} {op} {draw(constants)}"


conditions = st.recursive(
    checks(),
    lambda inner: st.one_of(
        st.tuples(inner, st.sampled_from([" and ", " or "]), inner).map("".join),
        st.tuples(
            st.just("("), inner, st.sampled_from([" and ", " or "]), inner, st.just(")")
        ).map("".join),
        inner.map(lambda text: f"not ({text})"),
    ),
    max_leaves=6,
)


@st.composite
def tables(draw, names, rows):
    columns = {}
    for name in names:
        info = FIELDS[name.partition("[")[0]]
        value = VALUES[info.type]
        kind = draw(st.sampled_from(ARROW[info.type]))
        if info.is_list:
            value = st.lists(value, max_size=3)
            kind = pa.list_(ARROW[info.type][0])
        values = draw(st.lists(st.none() | value, min_size=rows, max_size=rows))
        plain = pa.list_(ARROW[info.type][0]) if info.is_list else ARROW[info.type][0]
        array = pa.array(values, plain)
        if kind in (pa.duration("ns"), pa.timestamp("ns")):
            array = array.view(pa.int64()).view(kind)
        else:
            array = array.cast(kind)
        cut = draw(st.integers(0, rows))
        columns[name] = pa.chunked_array([array[:cut], array[cut:]])
    return pa.table(columns or {"evt.num": pa.array(range(rows), pa.uint64())})


@settings(max_examples=400, deadline=None, suppress_health_check=list(HealthCheck))
@given(data=st.data())
def test_the_fast_evaluator_gives_the_verdicts_of_the_reference(data):
    texts = data.draw(st.lists(conditions, min_size=1, max_size=3))
    compiled = compile_conditions(texts, FIELDS)
    names = sorted({name for one in compiled for name in one.columns})
    table = data.draw(tables(names, data.draw(st.integers(0, 5))))
    for text, one in zip(texts, compiled, strict=True):
        mask = one.mask(table)
        assert mask.null_count == 0
        assert mask.to_pylist() == reference_mask(one.bound.root, table), text
        again = pickle.loads(pickle.dumps(one))
        assert again.mask(table).equals(mask)


@settings(max_examples=100, deadline=None, suppress_health_check=list(HealthCheck))
@given(data=st.data())
def test_not_gives_the_opposite_and_and_or_combine_rows(data):
    first, second = data.draw(st.tuples(checks(), checks()))
    one, two, none, both, any_ = compile_conditions(
        [
            first,
            second,
            f"not ({first})",
            f"{first} and {second}",
            f"{first} or {second}",
        ],
        FIELDS,
    )
    assume(not [w for w in both.warnings if w.code == "printed-alike"])
    names = sorted({*one.columns, *two.columns})
    table = data.draw(tables(names, 4))
    a, b = one.mask(table).to_pylist(), two.mask(table).to_pylist()
    assert none.mask(table).to_pylist() == [not x for x in a]
    assert both.mask(table).to_pylist() == [x and y for x, y in zip(a, b, strict=True)]
    assert any_.mask(table).to_pylist() == [x or y for x, y in zip(a, b, strict=True)]
