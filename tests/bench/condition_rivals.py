"""The same rules in plain pyarrow.compute: what the condition kernel is measured against.

Two ways: every check anew on plain columns ("naive"), and each distinct check once,
dictionary columns answered on their dictionary ("shared"). Both follow the engine's
rule for absent values: a check is false before ``not`` is applied.
"""

from __future__ import annotations

import ipaddress

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

BATCH_ROWS = 65_536


def _flat_check(array, check, number):
    field, operator, value = check
    if field == "b.net":
        net = ipaddress.ip_network(value)
        low, high = int(net.network_address), int(net.broadcast_address)
        low, high = pa.scalar(low, pa.uint32()), pa.scalar(high, pa.uint32())
        return pc.and_(pc.greater_equal(number, low), pc.less_equal(number, high))
    if operator == "exists":
        return pc.is_valid(array)
    if field == "b.flag":
        return array if value == "true" else pc.invert(array)
    kind = array.type
    if operator == "in":
        return pc.is_in(array, value_set=pa.array(list(value)).cast(kind))
    if operator == "=":
        return pc.equal(array, pa.scalar(value).cast(kind))
    if operator == ">":
        return pc.greater(array, pa.scalar(value, kind))
    if operator == ">=":
        return pc.greater_equal(array, pa.scalar(value, kind))
    if operator == "startswith":
        return pc.starts_with(array, value)
    if operator == "endswith":
        return pc.ends_with(array, value)
    if operator == "contains":
        return pc.match_substring(array, value)
    if operator == "glob":
        return pc.match_like(array, value.replace("*", "%"))
    return pc.match_substring_regex(array, f"^(?:{value})$")


def _list_check(array, check, loaded):
    """From "is the item one of these" to rows: any or all, empty lists never."""
    _, operator, _ = check
    if operator == "in":
        loaded = pc.invert(loaded)
    parents = pc.list_parent_indices(array)
    rows = parents.filter(loaded).to_numpy()
    hits = np.zeros(len(array), bool)
    hits[rows] = True
    if operator == "in":
        hits = ~hits & (pc.list_value_length(array).fill_null(0).to_numpy() > 0)
    return pa.array(hits)


def _answer(batch, check, *, shared):
    array = batch.column(check[0])
    number = batch.column("number")
    if pa.types.is_list(array.type):
        items = array.flatten()
        as_in = (check[0], "in", check[2])
        if shared and pa.types.is_dictionary(items.type):
            table = _flat_check(items.dictionary, as_in, None)
            loaded = table.take(items.indices)
        else:
            loaded = _flat_check(items, as_in, None)
        return _list_check(array, check, loaded.fill_null(False))
    if shared and pa.types.is_dictionary(array.type):
        found = _flat_check(array.dictionary, check, number).take(array.indices)
    else:
        found = _flat_check(array, check, number)
    return found.fill_null(False)


def plain(table):
    """Decode every dictionary: what a table without them looks like."""
    columns = {}
    for name in table.column_names:
        array = table.column(name).combine_chunks()
        if pa.types.is_dictionary(array.type):
            array = array.dictionary_decode()
        elif pa.types.is_list(array.type):
            items = array.values.dictionary_decode()
            array = pa.ListArray.from_arrays(array.offsets, items)
        columns[name] = array
    return pa.table(columns)


def counts(table, rules, *, shared):
    """Count the rows of every rule, batch by batch."""
    total = [0] * len(rules)
    for batch in table.to_batches(max_chunksize=BATCH_ROWS):
        memo = {}
        for index, rule in enumerate(rules):
            verdict = None
            for negated, check in rule:
                found = memo.get(check) if shared else None
                if found is None:
                    found = memo[check] = _answer(batch, check, shared=shared)
                if negated:
                    found = pc.invert(found)
                verdict = found if verdict is None else pc.and_(verdict, found)
            total[index] += verdict.true_count
    return total
