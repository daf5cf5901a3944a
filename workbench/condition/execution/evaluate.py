"""One pass of a plan over a table: units of rows, lookup tables, threads.

table ─▶ batches of the columns needed ─▶ per batch: slots and lookup tables ─▶ kernel

The kernel asks back only for what C does not do: regular expressions (pyarrow's RE2 on
the rows that still matter) and rare operands (the reference evaluator, once for every
distinct combination of values).
"""

from __future__ import annotations

import os
import threading
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np
import numpy.typing as npt
import pyarrow as pa
import pyarrow.compute as pc

from workbench.condition.execution import kernel
from workbench.condition.execution.columns import batches, normalise
from workbench.condition.execution.derive import derive_check
from workbench.condition.execution.plan import Side, build_plan
from workbench.condition.semantics import regex

if TYPE_CHECKING:
    from collections.abc import Sequence

    from workbench.condition.execution.plan import Leaf, Plan

__all__ = ["Evaluation", "leaf_cost", "looked_up"]

# Below this many rows threads cost more than they bring.
_THREADED_ROWS = 300_000

# Nanoseconds a row on a plain column, roughly: only their order matters.
_COSTS = {
    "exists": 0.2,
    "eq": 3.0,
    "ne": 3.0,
    "in": 5.0,
    "not_in": 5.0,
    "intersects": 5.0,
    "startswith": 3.5,
    "endswith": 4.5,
    "contains": 8.0,
    "icontains": 10.0,
    "glob": 20.0,
    "iglob": 25.0,
    "pmatch": 30.0,
}
_NUMBER_COST = 1.0
_REGEX_COST = 80.0
_REFERENCE_COST = 2000.0
_LOOKUP_COST = 0.2


def leaf_cost(leaf: Leaf) -> float:
    """Return about how many nanoseconds a row an answer takes."""
    if leaf.how == "regex":
        return _REGEX_COST
    if leaf.how == "reference" or leaf.left is None:
        return _REFERENCE_COST
    side = leaf.left
    if leaf.test == "exists" and not side.steps:
        return _COSTS["exists"]
    number = side.type not in ("string", "ipaddr", "ipnet")
    cost = _NUMBER_COST if number else _COSTS.get(leaf.test.partition(" ")[0], 6.0)
    cost += 15.0 * len(side.steps) + (20.0 if leaf.right else 0.0)
    return cost * 3 + 3 if side.is_list else cost


def looked_up(leaf: Leaf, plan: Plan) -> bool:
    """Whether the answer of a leaf depends on one value of one column."""
    if leaf.how == "reference":
        columns = leaf.columns
        return len(columns) == 1 and not plan.column_types[columns[0]][1]
    side = leaf.left
    if side is None or leaf.right is not None:
        return False
    if side.is_list:
        return leaf.test != "exists" and not side.length and not side.steps
    return True


def _flat_dictionary(array: pa.Array) -> pa.Array | None:
    """Return the dictionary behind a column, or behind the items of a list column."""
    kind = array.type
    if pa.types.is_list(kind) or pa.types.is_large_list(kind):
        array = array.values
    return array.dictionary if pa.types.is_dictionary(array.type) else None


def _as_bytes(array: pa.Array) -> pa.Array:
    """Return ``array`` with texts as bytes and dictionaries decoded, for Python."""
    kind = array.type
    if pa.types.is_dictionary(kind):
        return _as_bytes(array.dictionary_decode())
    if pa.types.is_list(kind) or pa.types.is_large_list(kind):
        values = _as_bytes(array.values)
        cls = pa.LargeListArray if pa.types.is_large_list(kind) else pa.ListArray
        type_ = (pa.large_list if cls is pa.LargeListArray else pa.list_)(values.type)
        return cls.from_buffers(
            type_,
            len(array),
            array.buffers()[:2],
            offset=array.offset,
            children=[values],
        )
    if pa.types.is_string(kind):
        return array.view(pa.binary())
    if pa.types.is_large_string(kind):
        return array.view(pa.large_binary())
    return array


def python_values(array: pa.Array) -> list[Any]:
    """Return the values for the reference evaluator: bytes, int, bool, or lists."""
    return _as_bytes(array).to_pylist()  # type: ignore[no-any-return]


def _transformed(array: pa.Array, step: int) -> pa.Array:
    """Apply one of the kernel's transformers to an array of texts."""
    column = kernel.Column(array)
    rows = len(array)
    side = Side("", "string", is_list=False, steps=(step,))
    texts, absent = column.texts(
        side, 0, rows, kernel.pointer_to(kernel.all_rows(rows))
    )
    found = texts.view(pa.large_binary())
    return pc.if_else(pa.array(absent), pa.scalar(None, found.type), found)


class _BatchEvaluation:
    """One batch of rows: its columns, and the answers that Python has to give."""

    def __init__(
        self, owner: Evaluation, batch: pa.RecordBatch, *, backwards: bool
    ) -> None:
        self._owner = owner
        self._plan = owner.plan
        self.rows = batch.num_rows
        self._arrays: dict[str, pa.Array] = {}
        self._columns: dict[str, kernel.Column] = {}
        for name, (type_, is_list) in owner.plan.column_types.items():
            if name not in owner.columns:
                continue
            array = normalise(batch.column(name), name, type_, is_list=is_list)
            array = owner.maybe_decoded(array)
            self._arrays[name] = array
            try:
                column = kernel.Column(array)
            except ValueError as error:
                raise ValueError(f"column {name}: {error}") from None
            column.look_for_nul()
            self._columns[name] = column
        self.groups: list[kernel.Group] = []
        self.slots = self._slots(backwards=backwards)

    def _slots(self, *, backwards: bool) -> list[kernel.Slot]:
        where: dict[int, int] = {}
        # Threads that start together make different tables first.
        names = sorted(self._columns, reverse=backwards)
        for name in names:
            dictionary = _flat_dictionary(self._arrays[name])
            leaves = self._owner.lookups.get(name)
            if dictionary is None or not leaves:
                continue
            if not self._columns[name].has_codes:
                continue
            for first in range(0, len(leaves), 8):
                part = tuple(leaves[first : first + 8])
                lut = self._owner.lookup_table(name, dictionary, part)
                where.update(dict.fromkeys(part, len(self.groups)))
                self.groups.append(kernel.Group(self._columns[name], lut, part))
        slots = []
        for number, leaf in enumerate(self._plan.leaves):
            group = where.get(number, -1)
            left = self._columns.get(leaf.left.column) if leaf.left else None
            right = self._columns.get(leaf.right.column) if leaf.right else None
            usable = leaf.how == "kernel" and number in self._owner.wanted
            compiled = kernel.leaf_for(leaf) if usable else None
            cost = _LOOKUP_COST if group >= 0 else leaf_cost(leaf)
            slots.append(kernel.Slot(compiled, left, right, group, cost))
        return slots

    def answer(
        self, number: int, start: int, rows: int, need: Any
    ) -> npt.NDArray[np.bool_]:
        """Answer one leaf for the needed rows, in their order."""
        leaf = self._plan.leaves[number]
        if leaf.how == "regex":
            column = self._columns[leaf.side.column]
            texts, absent = column.texts(leaf.side, start, rows, need)
            found = regex.matches(leaf.constants[0], texts) & ~absent
            return np.asarray(found)
        wanted = pa.array(kernel.needed_rows(need, rows) + start)
        taken = {
            name: _as_bytes(self._arrays[name].take(wanted)) for name in leaf.columns
        }
        if not any(self._columns[name].may_have_nul for name in taken):
            made = self._owner.ask_made_columns(leaf, taken)
            if made is not None:
                return made
        values = [array.to_pylist() for array in taken.values()]
        return self._owner.ask_reference(leaf, values, len(wanted))


@dataclass(slots=True)
class _LookupTable:
    """A dictionary and, once made, the answers for its values."""

    dictionary: pa.Array
    lock: threading.Lock
    lut: npt.NDArray[np.uint8] | None = None


class Evaluation:
    """A plan over one table, for the conditions numbered ``roots``.

    Raises KeyError naming a column that is needed and missing.
    """

    def __init__(
        self, plan: Plan, table: pa.Table, roots: Sequence[int] | None = None
    ) -> None:
        self.plan = plan
        self.table = table
        self.roots = list(plan.roots if roots is None else roots)
        self.wanted = self._reach(self.roots)
        self.columns = {
            name for number in self.wanted for name in plan.leaves[number].columns
        }
        self.lookups: dict[str, list[int]] = {}
        for number in sorted(self.wanted):
            leaf = plan.leaves[number]
            if looked_up(leaf, plan):
                self.lookups.setdefault(leaf.columns[0], []).append(number)
        self._program = kernel.program_for(plan)
        self._tables: dict[Any, _LookupTable] = {}
        self._answers: dict[Leaf, dict[Any, bool]] = {}
        self._lock = threading.RLock()

    def _reach(self, roots: Sequence[int]) -> set[int]:
        seen: set[int] = set()
        leaves: set[int] = set()
        todo = list(roots)
        while todo:
            number = todo.pop()
            if number in seen:
                continue
            seen.add(number)
            node = self.plan.nodes[number]
            if node.op == "leaf":
                leaves.add(node.children[0])
            else:
                todo += node.children
        return leaves

    def maybe_decoded(self, array: pa.Array) -> pa.Array:
        """Decode a dictionary larger than the table: looking up would cost more."""
        kind = array.type
        if not pa.types.is_dictionary(kind):
            return array
        if len(array.dictionary) > max(1024, self.table.num_rows):
            return array.dictionary_decode()
        return array

    def lookup_table(
        self, name: str, dictionary: pa.Array, leaves: tuple[int, ...]
    ) -> npt.NDArray[np.uint8]:
        """Answer ``leaves`` for every value of a dictionary, one bit each."""
        buffers = tuple(
            (b.address, b.size) if b else None for b in dictionary.buffers()
        )
        key = (name, leaves, len(dictionary), dictionary.offset, buffers)
        with self._lock:
            # The dictionary is kept: its addresses are part of the key.
            fresh = _LookupTable(dictionary, threading.Lock())
            table = self._tables.setdefault(key, fresh)
        with table.lock:
            if table.lut is None:
                table.lut = self._make_table(dictionary, leaves)
            return table.lut

    def _make_table(
        self, dictionary: pa.Array, leaves: tuple[int, ...]
    ) -> npt.NDArray[np.uint8]:
        size = len(dictionary)
        lut = np.zeros(size + 1, np.uint8)
        if not size:
            return lut
        column = kernel.Column(dictionary)
        column.look_for_nul()
        for bit, number in enumerate(leaves):
            leaf = self.plan.leaves[number]
            if leaf.how == "kernel":
                words = kernel.leaf_for(leaf).eval(column)
                kernel.lut_put(lut, words, size, bit)
                continue
            if leaf.how == "regex":
                need = kernel.all_rows(size)
                texts, absent = column.texts(
                    leaf.side, 0, size, kernel.pointer_to(need)
                )
                found = regex.matches(leaf.constants[0], texts) & ~absent
            else:
                found = self.ask_reference(leaf, [python_values(dictionary)], size)
            lut[:size] |= found.astype(np.uint8) << np.uint8(bit)
        return lut

    def ask_made_columns(
        self, leaf: Leaf, arrays: dict[str, pa.Array]
    ) -> npt.NDArray[np.bool_] | None:
        """Answer a check on put-together texts; None where the reference has to."""
        if leaf.check is None or not arrays:
            return None
        derived = derive_check(leaf.check, arrays, _transformed)
        if derived is None:
            return None
        check, columns = derived
        table = pa.table(list(columns.values()), names=list(columns))
        words = Evaluation(build_plan([check]), table).words(threads=1)[0]
        rows = table.num_rows
        return np.unpackbits(words.view(np.uint8), bitorder="little")[:rows] > 0

    def ask_reference(
        self, leaf: Leaf, values: Sequence[list[Any]], rows: int
    ) -> npt.NDArray[np.bool_]:
        """Ask the reference evaluator once for each distinct combination of values."""
        from workbench.condition.execution.reference import check_row

        check = leaf.check
        if check is None:
            raise TypeError("this leaf is not for the reference evaluator")
        with self._lock:
            answers = self._answers.setdefault(leaf, {})
        if len(answers) > 100_000:
            answers.clear()
        names = leaf.columns
        out = np.zeros(rows, np.bool_)
        for index in range(rows):
            row = [column[index] for column in values]
            key = tuple(tuple(v) if isinstance(v, list) else v for v in row)
            known = answers.get(key)
            if known is None:
                known = check_row(check, dict(zip(names, row, strict=True)))
                answers[key] = known
            out[index] = known
        return out

    def _run_unit(
        self,
        number: int,
        first: int,
        batch: pa.RecordBatch,
        out: Sequence[kernel.Words] | None,
        *,
        first_match: bool,
    ) -> npt.NDArray[np.int64]:
        unit = _BatchEvaluation(self, batch, backwards=number % 2 == 1)
        return self._program.run(
            self.roots,
            unit.slots,
            unit.groups,
            unit.rows,
            out=out,
            out_offset=first,
            answer=unit.answer,
            first_match=first_match,
        )

    def _units(self, threads: int) -> list[tuple[int, pa.RecordBatch]]:
        names = [name for name in self.plan.column_types if name in self.columns]
        if names:
            return list(batches(self.table, names, threads=threads))
        # Nothing but constants: the rows count all the same.
        empty = pa.RecordBatch.from_arrays([pa.nulls(self.table.num_rows)], names=[""])
        return [(0, empty)] if self.table.num_rows else []

    def _each_unit(
        self, out: Sequence[kernel.Words] | None, threads: int | None, *, first: bool
    ) -> npt.NDArray[np.int64]:
        total = np.zeros(len(self.roots), np.int64)
        if threads is None:
            enough = self.table.num_rows >= _THREADED_ROWS
            threads = len(os.sched_getaffinity(0)) if enough else 1
        units = self._units(max(1, threads))
        threads = min(threads, len(units))
        if threads <= 1:
            for row, batch in units:
                total += self._run_unit(0, row, batch, out, first_match=first)
            return total
        with ThreadPoolExecutor(threads) as pool:
            futures = [
                pool.submit(self._run_unit, at, row, batch, out, first_match=first)
                for at, (row, batch) in enumerate(units)
            ]
            try:
                for future in futures:
                    total += future.result()
            except BaseException:
                pool.shutdown(wait=True, cancel_futures=True)
                raise
        return total

    def words(
        self, *, threads: int | None = None, first_match: bool = False
    ) -> list[kernel.Words]:
        """Return one bitmap per root: bit i is row i.

        ``first_match``: a row counts for the first of its roots only.
        """
        out = [kernel.words_for(self.table.num_rows) for _ in self.roots]
        self._each_unit(out, threads, first=first_match)
        return out

    def counts(
        self, *, threads: int | None = None, first_match: bool = False
    ) -> list[int]:
        """Count the rows of each root, without keeping bitmaps."""
        totals = self._each_unit(None, threads, first=first_match)
        return [int(n) for n in totals]
