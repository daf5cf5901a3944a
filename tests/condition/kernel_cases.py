from __future__ import annotations

import pyarrow as pa
from hypothesis import strategies as st

from workbench.condition.binding.bound import (
    BoundAnd,
    BoundCheck,
    BoundNot,
    BoundOr,
    CallStep,
    ColumnStep,
    Constants,
    ConstStep,
    ListStep,
    Operand,
)
from workbench.condition.semantics.values import Network
from workbench.diagnostics import Span

NOWHERE = Span(0, 0)
# Column name → (field type, is list).
COLUMNS = {
    "p.str": ("string", False),
    "p.str2": ("string", False),
    "p.path": ("string", False),
    "p.num": ("uint64", False),
    "p.num2": ("uint64", False),
    "p.dur": ("reltime", False),
    "p.at": ("abstime", False),
    "p.flag": ("bool", False),
    "p.flag2": ("bool", False),
    "p.ip": ("ipaddr", False),
    "p.ip2": ("ipaddr", False),
    "p.net": ("ipnet", False),
    "p.strs": ("string", True),
    "p.strs2": ("string", True),
    "p.nums": ("uint64", True),
    "p.nums2": ("uint64", True),
    "p.flags": ("bool", True),
    "p.ips": ("ipaddr", True),
    "p.nets": ("ipnet", True),
}

texts = st.one_of(
    st.sampled_from(
        [
            b"",
            b"a",
            b"A",
            b"abc",
            b"ABC",
            b"abcabc",
            b"ab",
            b"/a/b/c",
            b"/a//b/",
            b"a/b",
            b"a\0b",
            b"a\0",
            b"\0",
            b"YWJj",
            b"YQBi",
            b"aGVsbG8",
            b"\xc3\xa9",
            b"\xff\xfe",
            b"a\nb",
            b"x" * 40 + b"abc",
            b"-nt",
        ]
    ),
    st.binary(max_size=12),
    st.text("ab/.*A", max_size=8).map(str.encode),
)
# As constants of tests on text arrive: cut at their first NUL.
constants = texts.map(lambda t: t.split(b"\0")[0])
globs = st.one_of(
    constants,
    st.text("ab*?[]!^-\\:/A", max_size=8).map(str.encode),
    st.sampled_from([b"*", b"a*", b"*b*", b"[[:alpha:]]*", b"[!a]*", b"?b?", b"*/*"]),
)
regexes = st.sampled_from(
    [
        b"",
        b"a",
        b"a.*",
        b".*b.*",
        b"(a|b)+",
        b"a+?",
        b"a**",
        b"[^a]*",
        b"[[:alpha:]]+",
        b"a$\n^b",
        b"\\.a",
        b"(/[a-z]+)*",
        b"a{2}?",
        b"\xc3\xa9",
        b"x*abc",
        b".",
        b"^a.*c$",
    ]
)
numbers = st.one_of(
    st.integers(0, 5),
    st.sampled_from([2**32, 2**63, 2**64 - 1]),
    st.integers(0, 2**64 - 1),
)
addresses = st.one_of(
    st.sampled_from(
        [
            b"\x0a\0\0\1",
            b"\x0a\0\0\0",
            b"\x0a\1\0\0",
            b"\0" * 16,
            b"\xfe\x80" + b"\0" * 14,
        ]
    ),
    st.binary(max_size=17),
)


@st.composite
def networks(draw):
    size = draw(st.sampled_from([4, 16]))
    prefix = draw(st.integers(0, size * 8))
    raw = draw(st.sampled_from([b"\x0a\0\0\1", b"\xfe\x80" + b"\0" * 14, b"\0" * 16]))
    keep = (1 << size * 8) - (1 << (size * 8 - prefix))
    bits = int.from_bytes(raw[:size].ljust(size, b"\0")) & keep
    return Network(bits.to_bytes(size), prefix)


VALUES = {
    "string": texts,
    "uint64": numbers,
    "reltime": numbers,
    "abstime": numbers,
    "bool": st.booleans(),
    "ipaddr": addresses,
    "ipnet": addresses,
}
CONSTANTS = {
    **VALUES,
    "string": constants,
    "ipaddr": st.sampled_from([b"\x0a\0\0\1", b"\x0a\0\0\0", b"\0" * 16]),
    "ipnet": networks(),
}
_ORDER = ["eq", "ne", "lt", "le", "gt", "ge"]
_TEXT = ["contains", "icontains", "startswith", "endswith"]


def operand(steps, type_, is_list):
    return Operand(tuple(steps), type_, is_list, NOWHERE)


@st.composite
def operands(draw, columns=None):
    name = draw(st.sampled_from(sorted(columns or COLUMNS)))
    type_, is_list = COLUMNS[name]
    steps = [ColumnStep(name, type_, is_list)]
    if type_ == "string":
        for call in draw(
            st.lists(
                st.sampled_from(["tolower", "toupper", "basename", "b64"]), max_size=2
            )
        ):
            steps.append(CallStep(call, (len(steps) - 1,), None, type_, is_list))
        if draw(st.integers(0, 5)) == 0:
            steps += [
                ConstStep(b"-"),
                CallStep("concat", (len(steps) - 1, len(steps)), None, "string", False),
            ]
            is_list = False
    if (type_ == "string" or is_list) and draw(st.integers(0, 4)) == 0:
        steps.append(CallStep("len", (len(steps) - 1,), None, "uint64", False))
        type_, is_list = "uint64", False
    return operand(steps, type_, is_list)


def join_of_list_and_number():
    steps = (
        ConstStep(b","),
        ColumnStep("p.strs", "string", True),
        ColumnStep("p.num", "uint64", False),
        ListStep((1, 2), (False, True)),
        CallStep("join", (0, 3), None, "string", False),
    )
    return operand(steps, "string", False)


def check(left, test, right, combine=None):
    return BoundCheck(left, test, combine, right, test, None, test, NOWHERE)


@st.composite
def checks(draw):
    left = draw(
        st.one_of(
            operands(), operands(), operands(), st.just(join_of_list_and_number())
        )
    )
    plain = [n for n in COLUMNS if COLUMNS[n] == (left.type, left.is_list)]
    tests = ["exists", "in", "intersects"]
    if not left.is_list:
        tests += ["eq", "ne", "not_in"]
        if left.type in ("string", "uint64", "reltime", "abstime"):
            tests += _ORDER[2:]
        if left.type == "string":
            tests += [*_TEXT, *_TEXT, "glob", "iglob", "regex", "pmatch"]
    test = draw(st.sampled_from(tests))
    if test == "exists":
        return check(left, test, None)
    pair = plain and test not in ("regex", "pmatch") and left.type != "ipnet"
    if pair and draw(st.integers(0, 3)) == 0:
        right = draw(operands(plain))
        if (right.type, right.is_list) == (left.type, left.is_list):
            return check(left, test, right)
    values = {"glob": globs, "iglob": globs, "pmatch": globs, "regex": regexes}.get(
        test, CONSTANTS[left.type]
    )
    if test in ("in", "intersects", "not_in", "pmatch"):
        many = draw(st.lists(values, max_size=4))
        return check(left, test, Constants(tuple(many)))
    combine = draw(st.sampled_from([None, None, None, "any", "all", "one"]))
    if combine is None:
        return check(left, test, Constants((draw(values),)))
    many = draw(st.lists(values, max_size=3))
    return check(left, test, Constants(tuple(many)), combine)


trees = st.recursive(
    checks(),
    lambda inner: st.one_of(
        st.lists(inner, min_size=2, max_size=3).map(
            lambda c: BoundAnd(tuple(c), NOWHERE)
        ),
        st.lists(inner, min_size=2, max_size=3).map(
            lambda c: BoundOr(tuple(c), NOWHERE)
        ),
        inner.map(lambda c: BoundNot(c, NOWHERE)),
    ),
    max_leaves=5,
)


def without_nul(value):
    if isinstance(value, list):
        return [without_nul(item) for item in value]
    return value and value.replace(b"\0", b"")


@st.composite
def rows(draw, max_rows=9):
    count = draw(st.integers(0, max_rows))
    out = []
    # Without NULs in sight some operands take another, faster road.
    clean = draw(st.booleans())
    for _ in range(count):
        row = {}
        for name, (type_, is_list) in COLUMNS.items():
            value = VALUES[type_]
            item = st.one_of(value, value, value, value, st.none())
            strategy = st.lists(item, max_size=3) if is_list else value
            row[name] = draw(st.one_of(st.none(), strategy, strategy))
            if clean and type_ == "string":
                row[name] = without_nul(row[name])
        out.append(row)
    return out


def arrow_type(type_):
    if type_ in ("string", "ipaddr", "ipnet"):
        return pa.binary()
    return pa.bool_() if type_ == "bool" else pa.uint64()


def column_of(values, type_, is_list, layout):
    """Build an Arrow array of the same values in one of several layouts."""
    kind = arrow_type(type_)
    flat_layouts = layout % 4
    if flat_layouts == 1 and kind == pa.binary():
        kind = pa.large_binary()
    item = pa.dictionary(pa.int32(), kind) if flat_layouts == 2 else kind
    if flat_layouts == 2 and kind != pa.binary():
        item = kind
    if is_list:
        lists = pa.array(values, pa.list_(kind))
        if item is kind:
            return lists
        codes = lists.values.dictionary_encode()
        return pa.ListArray.from_arrays(
            pa.array([*_offsets(values)], pa.int32()),
            codes,
            mask=pa.array([v is None for v in values], pa.bool_()),
        )
    array = pa.array(values, kind)
    return array if item is kind else array.dictionary_encode()


def _offsets(values):
    total = 0
    yield 0
    for value in values:
        total += len(value or ())
        yield total


def table_of(the_rows, layouts, split):
    """Build a table; ``split`` > 0 cuts it into chunks and slices that start late."""
    data = {}
    for index, (name, (type_, is_list)) in enumerate(COLUMNS.items()):
        values = [row[name] for row in the_rows]
        layout = layouts[index % len(layouts)]
        if split:
            padded = [None, *values, None]
            array = column_of(padded, type_, is_list, layout).slice(1, len(values))
            data[name] = pa.chunked_array([array.slice(0, split), array.slice(split)])
        else:
            data[name] = column_of(values, type_, is_list, layout)
    return pa.table(data)
