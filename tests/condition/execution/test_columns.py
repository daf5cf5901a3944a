"""Every Arrow layout of a field's values gives the same verdicts; wrong ones are named."""

from __future__ import annotations

import pickle
import threading

import numpy as np
import pyarrow as pa
import pytest

from workbench.condition import compile_condition, compile_conditions
from workbench.condition.binding.check import parse_and_bind
from workbench.condition.execution.compile import CompiledCondition, CompiledSet
from workbench.fields.declarations import as_field_table

FIELDS = [
    {"name": "x.s", "type": "string", "desc": ""},
    {"name": "x.n", "type": "uint64", "desc": ""},
    {"name": "x.at", "type": "abstime", "desc": ""},
    {"name": "x.took", "type": "reltime", "desc": ""},
    {"name": "x.ip", "type": "ipaddr", "desc": ""},
    {"name": "x.flag", "type": "bool", "desc": ""},
    {"name": "x.l", "type": "string", "isList": True, "desc": ""},
    {"name": "x.ns", "type": "uint64", "isList": True, "desc": ""},
]


def mask(text, column, name="x.s"):
    table = pa.table({name: column})
    return compile_condition(text, FIELDS).mask(table).to_pylist()


TEXTS = [b"abc", None, b"", b"zabcz", b"x"]


@pytest.mark.parametrize(
    "kind",
    [
        pa.binary(), pa.string(), pa.large_binary(), pa.large_string(),
        pa.binary_view(), pa.string_view(),
        *(pa.dictionary(i, pa.binary()) for i in (
            pa.int8(), pa.uint8(), pa.int16(), pa.uint16(),
            pa.int32(), pa.uint32(), pa.int64(), pa.uint64(),
        )),
        pa.dictionary(pa.int32(), pa.large_string()),
    ],
    ids=str,
)  # fmt: skip
def test_texts_in_any_layout(kind):
    plain = pa.array(TEXTS, pa.binary())
    if pa.types.is_dictionary(kind):
        column = plain.cast(kind.value_type).dictionary_encode().cast(kind)
    else:
        column = plain.cast(kind)
    for array in (column, pa.chunked_array([column.slice(0, 2), column.slice(2)])):
        assert mask("x.s contains abc", array) == [True, False, False, True, False]
        assert mask("x.s = ''", array) == [False, False, True, False, False]
        assert mask("x.s regex '.*b.*'", array) == [True, False, False, True, False]
        assert mask("x.s != abc", array) == [False, False, True, True, True]
        assert mask("len(x.s) > 2", array) == [True, False, False, True, False]


@pytest.mark.parametrize(
    "kind",
    [
        pa.list_(pa.binary()), pa.large_list(pa.string()), pa.list_view(pa.binary()),
        pa.large_list_view(pa.large_string()), pa.list_(pa.string_view()),
    ],
    ids=str,
)  # fmt: skip
def test_lists_in_any_layout(kind):
    values = [[b"a", b"b"], [], None, [b"c"], [b"a", b"a"]]
    texts = [v and [item.decode() for item in v] for v in values]
    column = pa.array(texts if "str" in str(kind) else values, kind)
    for array in (column, pa.concat_arrays([column, column]).slice(5)):
        assert mask("x.l in (a)", array, "x.l") == [False, False, False, False, True]
        assert mask("x.l intersects (b, c)", array, "x.l") == [
            True, False, False, True, False,
        ]  # fmt: skip
        assert mask("x.l exists", array, "x.l") == [True, False, False, True, True]
        assert mask("len(x.l) = 2", array, "x.l") == [True, False, False, False, True]


def test_lists_of_fixed_size_and_of_dictionaries():
    fixed = pa.array([[1, 2], None, [3, 3]], pa.list_(pa.uint64(), 2))
    assert mask("x.ns in (3)", fixed, "x.ns") == [False, False, True]
    items = pa.array(["a", "b", "a", "c"]).dictionary_encode()
    lists = pa.ListArray.from_arrays(pa.array([0, 2, 2, 4], pa.int32()), items)
    assert mask("x.l intersects (b)", lists, "x.l") == [True, False, False]
    assert mask("x.l in (a, c)", lists, "x.l") == [False, False, True]
    assert mask("x.l in (a, c)", lists.slice(2), "x.l") == [True]


def test_times_and_numbers_in_every_unit():
    ms = pa.array([1, None, 2000], pa.duration("ms"))
    assert mask("x.took > 1000000", ms, "x.took") == [False, False, True]
    at = pa.array([0, 5, None], pa.timestamp("ns", "UTC"))
    assert mask("x.at = 5", at, "x.at") == [False, True, False]
    seconds = pa.array([1, 2, None], pa.timestamp("s"))
    assert mask("x.at >= 2000000000", seconds, "x.at") == [False, True, False]
    small = pa.array([1, 2, None], pa.int16())
    assert mask("x.n < 2", small, "x.n") == [True, False, False]
    coded = pa.array([7, 8, None, 7], pa.uint64()).dictionary_encode()
    assert mask("x.n in (7)", coded, "x.n") == [True, False, False, True]


def test_addresses_of_fixed_width():
    raw = pa.array([b"\x0a\0\0\1", None, b"\x0a\0\0\0"], pa.binary(4))
    assert mask("x.ip = 10.0.0.0", raw, "x.ip") == [False, False, True]
    assert mask("x.ip in (10.0.0.1, ::1)", raw, "x.ip") == [True, False, False]


def test_null_columns_and_empty_tables():
    assert mask("x.s = a or not x.s exists", pa.nulls(3)) == [True, True, True]
    assert mask("x.l in (a)", pa.nulls(2), "x.l") == [False, False]
    assert mask("x.s = a", pa.array([], pa.binary())) == []
    empty = pa.table({"x.s": pa.chunked_array([], pa.binary())})
    compiled = compile_condition("x.s = a", FIELDS)
    assert compiled.mask(empty).to_pylist() == []
    assert compiled.count(empty) == 0


def test_a_mask_has_a_bit_per_row_and_no_nulls():
    column = pa.array([b"a", None] * 1000, pa.binary())
    found = compile_condition("not x.s = a", FIELDS).mask(pa.table({"x.s": column}))
    assert found.null_count == 0
    assert found.type == pa.bool_()
    assert found.true_count == 1000
    assert sum(b.size for b in found.buffers() if b) <= 2000 / 8 + 8


def test_conditions_without_columns_count_the_rows():
    compiled = compile_condition('concat("a", "b") = ab', FIELDS)
    assert compiled.columns == []
    assert compiled.mask(pa.table({"y": pa.array(range(70))})).true_count == 70


def test_record_batches_are_tables_too():
    batch = pa.record_batch({"x.s": pa.array([b"a", b"b"], pa.binary())})
    assert compile_condition("x.s = b", FIELDS).mask(batch).to_pylist() == [False, True]


def test_many_tiny_chunks_are_joined():
    chunks = [pa.array([f"v{i % 7}".encode()]).dictionary_encode() for i in range(3000)]
    table = pa.table({"x.s": pa.chunked_array(chunks)})
    expected = [i % 7 == 3 for i in range(3000)]
    assert compile_condition("x.s = v3", FIELDS).mask(table).to_pylist() == expected


def test_what_a_table_lacks_is_named():
    compiled = compile_condition("x.s = a and x.n > 1", FIELDS)
    table = pa.table({"x.s": pa.array([b"a"], pa.binary())})
    with pytest.raises(KeyError, match=r"x\.n"):
        compiled.mask(table)
    twice = pa.Table.from_arrays([table.column(0)] * 2, names=["x.s", "x.s"])
    with pytest.raises(KeyError, match="2 columns of this name"):
        compile_condition("x.s = a", FIELDS).mask(twice)


@pytest.mark.parametrize(
    ("text", "column", "words"),
    [
        ("x.s = a", pa.array([1]), "column x.s holds int64; its field needs binary"),
        (
            "x.n = 1",
            pa.array([b"a"]),
            "column x.n holds binary; its field needs uint64",
        ),
        ("x.took = 1", pa.array(["a"]), "needs uint64 or duration"),
        ("x.flag = true", pa.array([1]), "column x.flag holds int64"),
        ("x.l in (a)", pa.array([b"a"]), "column x.l holds binary"),
    ],
)
def test_columns_of_another_type_are_refused_by_name(text, column, words):
    name = text.split()[0]
    with pytest.raises(TypeError, match=words):
        compile_condition(text, FIELDS).mask(pa.table({name: column}))


@pytest.mark.parametrize("offsets", [[0, 90, 3], [0, -5, 3], [2, 1, 3]])
def test_broken_offsets_are_an_error_not_a_crash(offsets):
    raw = pa.py_buffer(np.array(offsets, np.int32))
    array = pa.Array.from_buffers(pa.binary(), 2, [None, raw, pa.py_buffer(b"abc")])
    with pytest.raises(ValueError, match=r"x\.s: .*broken offsets"):
        mask("x.s contains b", array)


def test_broken_codes_count_as_absent():
    codes = pa.py_buffer(np.array([0, 77, -1, 1], np.int32))
    array = pa.DictionaryArray.from_buffers(
        pa.dictionary(pa.int32(), pa.string()), 4, [None, codes], pa.array(["a", "b"])
    )
    assert mask("x.s exists", array) == [True, False, False, True]


def test_sets_answer_as_their_conditions_do_alone():
    rng = np.random.default_rng(3)
    words = np.array([b"a", b"bb", b"abc", b"/x/y", b""], object)
    table = pa.table(
        {
            "x.s": pa.array(words[rng.integers(0, 5, 5000)], pa.binary()),
            "x.n": pa.array(rng.integers(0, 9, 5000).astype(np.uint64)),
        }
    )
    texts = ["x.s = a", "x.n > 3 and x.s contains b", "not x.s = a", "x.n in (1, 2)"]
    found = compile_conditions(texts, FIELDS)
    alone = [compile_condition(t, FIELDS).mask(table) for t in texts]
    assert [m.equals(a) for m, a in zip(found.masks(table), alone, strict=True)] == [
        True
    ] * 4
    assert found.counts(table) == [a.true_count for a in alone]
    first = [
        next((k for k, a in enumerate(alone) if a[row].as_py()), None)
        for row in range(5000)
    ]
    assert found.first_match(table).to_pylist() == first
    only = found.masks(table, first_match=True)
    assert sum(m.true_count for m in only) == sum(f is not None for f in first)
    assert found.columns == ["x.s", "x.n"]
    assert len(found) == 4
    assert found[1].ast == "(x.n > 3 and x.s contains b)"


def test_threads_and_units_do_not_change_the_answer():
    rows = 700_000
    numbers = np.arange(rows, dtype=np.uint64)
    table = pa.table({"x.n": pa.array(numbers), "x.s": pa.array(numbers.astype(str))})
    compiled = compile_condition(
        "x.n > 10 and x.s endswith 7 or x.s regex '.*99'", FIELDS
    )
    expected = ((numbers > 10) & (numbers % 10 == 7)) | (numbers % 100 == 99)
    for threads in (1, 2, 5, None):
        found = compiled.mask(table.slice(3), threads=threads)
        assert np.array_equal(found.to_numpy(zero_copy_only=False), expected[3:])


def test_one_condition_may_run_in_several_threads_at_once():
    table = pa.table({"x.s": pa.array([b"a", b"b"] * 50_000, pa.binary())})
    compiled = compile_condition("x.s regex 'a|c' and x.s glob '*'", FIELDS)
    found = []
    workers = [
        threading.Thread(target=lambda: found.append(compiled.count(table)))
        for _ in range(6)
    ]
    for worker in workers:
        worker.start()
    for worker in workers:
        worker.join()
    assert found == [50_000] * 6


def test_compiled_conditions_travel():
    table = pa.table({"x.s": pa.array([b"a", b""], pa.binary())})
    fields = as_field_table(FIELDS)
    _, bound = parse_and_bind("not (x.s = '' or x.s = b)", fields)
    elsewhere = CompiledCondition.from_bound(
        bound, text="from a rule", ast="not …", fields=fields
    )
    for condition in (compile_condition("x.s = ''", FIELDS), elsewhere):
        again = pickle.loads(pickle.dumps(condition))
        assert again.ast == condition.ast
        assert again.mask(table).equals(condition.mask(table))
    together = pickle.loads(pickle.dumps(CompiledSet([elsewhere, elsewhere])))
    assert together.counts(table) == [1, 1]


def test_an_error_in_python_passes_through_the_kernel(monkeypatch):
    from workbench.condition.semantics import regex

    def broken(*_):
        raise RuntimeError("from the middle")

    monkeypatch.setattr(regex, "matches", broken)
    with pytest.raises(RuntimeError, match="from the middle"):
        mask("x.s regex 'a.*b'", pa.array([b"a--b"], pa.binary()))


def test_deep_conditions_run_in_bounded_memory():
    levels = 3000
    text = "not (x.n = 1 or " * levels + "x.n exists" + ")" * levels
    table = pa.table({"x.n": pa.array([1, 2], pa.uint64())})
    assert compile_condition(text, FIELDS).mask(table).to_pylist() == [False, True]


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ('concat(x.s, "-", x.s) = a-a', [True, False, False, False]),
        ('tolower(concat(x.s, "X")) endswith bx', [False, True, False, False]),
        ('len(concat(x.s, "12")) = 3', [True, True, False, False]),
        ('concat(toupper(x.s), "") in (A, "")', [True, False, True, False]),
        ('join(",", x.l) = "p,q"', [True, False, False, False]),
        ('join("+", (x.s, x.n, "z", x.l)) = "a+7+z+p+q"', [True, False, False, False]),
        ('join(",", x.l) exists', [True, True, False, False]),
        ('x.s = concat(x.s, "")', [True, True, True, False]),
    ],
)
@pytest.mark.parametrize("coded", [False, True])
def test_texts_put_together_from_columns(text, expected, coded, monkeypatch):
    texts = pa.array([b"a", b"B", b"", None], pa.binary())
    table = pa.table(
        {
            "x.s": texts.dictionary_encode() if coded else texts,
            "x.n": pa.array([7, 8, None, 9], pa.uint64()),
            "x.l": pa.array([[b"p", b"q"], [b"r"], [], None], pa.list_(pa.binary())),
        }
    )
    compiled = compile_condition(text, FIELDS)
    assert compiled.mask(table).to_pylist() == expected
    # The slow road gives the same.
    from workbench.condition.execution.evaluate import Evaluation

    monkeypatch.setattr(Evaluation, "ask_made_columns", lambda *_: None)
    assert compiled.mask(table).to_pylist() == expected
