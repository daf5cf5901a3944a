from __future__ import annotations

import pytest

from workbench.errors import ConditionError
from workbench.fields.declarations import ArgInfo, FieldInfo, FieldTable
from workbench.fields.reference import (
    NO_INDEX,
    parse_field_ref,
    resolve,
    resolve_column,
)

FIELDS = FieldTable(
    [
        FieldInfo("t.str", "string"),
        FieldInfo("t.strs", "string", is_list=True),
        FieldInfo("t.key", "string", arg=ArgInfo(required=True, key=True)),
        FieldInfo("t.opt", "string", arg=ArgInfo(key=True)),
        FieldInfo("t.idx", "uint64", arg=ArgInfo(required=True, index=True)),
        FieldInfo("t.both", "string", arg=ArgInfo(key=True, index=True)),
        FieldInfo("evt.numbers", "uint64"),
        FieldInfo("evt.mine", "uint64"),
    ]
)


@pytest.mark.parametrize(
    ("text", "column", "present", "key", "index"),
    [
        ("t.str", "t.str", False, None, NO_INDEX),
        ("evt.num", "evt.num", False, None, NO_INDEX),
        ("evt.mine", "evt.mine", False, None, NO_INDEX),
        ("t.opt", "t.opt", False, None, NO_INDEX),
        ("t.key[abc]", "t.key[abc]", True, b"abc", NO_INDEX),
        ("t.key['abc']", "t.key[abc]", True, b"abc", NO_INDEX),
        ('t.key["it\'s"]', "t.key[it's]", True, b"it's", NO_INDEX),
        ('t.key[""]', "t.key[]", True, b"", NO_INDEX),
        ('t.key["a[b"]', "t.key[a[b]", True, b"a[b", NO_INDEX),
        ("t.key[12]", "t.key[12]", True, b"12", NO_INDEX),
        ("t.idx[0]", "t.idx[0]", True, None, 0),
        ("t.idx[18446744073709551615]", "t.idx[18446744073709551615]", True, None, NO_INDEX),
        ("t.both[12]", "t.both[12]", True, b"12", 12),
        ("t.both[012]", "t.both[012]", True, b"012", NO_INDEX),
        ("t.both[x]", "t.both[x]", True, b"x", NO_INDEX),
    ],
)  # fmt: skip
def test_a_good_reference_says_what_to_ask_for(text, column, present, key, index):
    found = resolve(text, FIELDS)
    assert (found.column, found.arg_present) == (column, present)
    assert (found.arg_key, found.arg_index) == (key, index)
    assert resolve_column(column, FIELDS) == found


@pytest.mark.parametrize(
    ("text", "stage", "message"),
    [
        ("", "parse", "expected a field name"),
        ("t", "parse", "expected a field name"),
        ("t.str x", "parse", "expected '[' or the end of the field"),
        ("t.key[", "parse", "expected a valid field argument: a quoted string or a bare string"),
        ("t.key[]", "parse", "expected a valid field argument: a quoted string or a bare string"),
        ("t.key[abc", "parse", "expected a ']' token"),
        ("t.key[a b]", "parse", "expected a ']' token"),
        ("t.key[a]x", "parse", "expected the end of the field"),
        (r"t.key['\q']", "parse", r"unsupported string escape sequence: \q"),
        ("t.key", "compile", "filter 't.key': t.key requires an argument but none provided"),
        ("t.str[1]", "compile", "filter 't.str[1]': t.str does not allow nor require an argument but one is provided: 1"),
        ("t.key['a b']", "compile", "filter 't.key[a': t.key has unbalanced argument brackets"),
        ("t.key['a]b']", "compile", "filter_check called with nonexistent field t.key[a]b]"),
        ("t.idx[01]", "compile", "filter t.idx[01] t.idx has an invalid index argument starting with 0: 01"),
        ("t.idx['']", "compile", "filter t.idx[] t.idx has an invalid index argument starting with 0: "),
        ("t.idx[-1]", "compile", "filter t.idx[-1] t.idx has an invalid index argument not composed only by digits: -1"),
        ("t.idx[18446744073709551616]", "compile", "filter t.idx[18446744073709551616] t.idx has an invalid index argument not representable on 64 bit: 18446744073709551616"),
        ("t.nope", "compile", "filter_check called with nonexistent field t.nope"),
        ("evt.num[1]", "compile", "filter_check called with nonexistent field evt.num[1]"),
        ("evt.numbers", "compile", "filter_check called with nonexistent field evt.numbers"),
    ],
)  # fmt: skip
def test_a_bad_reference_gets_the_complaint_of_the_engine(text, stage, message):
    with pytest.raises(ConditionError) as caught:
        resolve(text, FIELDS)
    assert caught.value.stage == stage
    assert caught.value.diagnostics[0].message == message


def test_a_misspelt_field_is_answered_with_the_nearest_name():
    with pytest.raises(ConditionError) as caught:
        resolve("t.sttr", FIELDS)
    assert caught.value.hint == "did you mean t.str or t.strs?"


def test_a_reference_keeps_its_name_and_argument():
    ref = parse_field_ref("t.key['k=v']")
    assert (ref.name, ref.arg, ref.text) == ("t.key", "k=v", "t.key[k=v]")
