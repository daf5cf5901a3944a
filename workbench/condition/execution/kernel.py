"""The seam to the C kernel: leaves, columns and programs as the C core takes them.

Nothing else of the condition room imports the extension. Memory of Arrow is lent to C
for the time of a call; what C makes is given back when its owner goes.
"""

from __future__ import annotations

import threading
from collections import Counter
from typing import TYPE_CHECKING, Any, NamedTuple
from weakref import WeakKeyDictionary

import numpy as np
import numpy.typing as npt
import pyarrow as pa

from workbench.native._core import ffi, lib

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from workbench.condition.execution.plan import Leaf, Plan, Side

__all__ = ["Column", "Group", "KernelLeaf", "Program", "Slot", "Words", "bool_array"]

Words = npt.NDArray[np.uint64]

_OPS = {
    "exists": lib.WBK_EXISTS,
    "eq": lib.WBK_EQ,
    "ne": lib.WBK_EQ,
    "lt": lib.WBK_LT,
    "le": lib.WBK_LE,
    "gt": lib.WBK_GT,
    "ge": lib.WBK_GE,
    "contains": lib.WBK_CONTAINS,
    "icontains": lib.WBK_ICONTAINS,
    "startswith": lib.WBK_STARTSWITH,
    "endswith": lib.WBK_ENDSWITH,
    "glob": lib.WBK_GLOB,
    "iglob": lib.WBK_IGLOB,
    "pmatch": lib.WBK_PMATCH,
    "in": lib.WBK_IN,
    "intersects": lib.WBK_IN,
    "not_in": lib.WBK_IN,
}
_WHOLE = frozenset(["in", "intersects", "not_in", "pmatch"])
NODE_OPS = {
    "leaf": lib.WBK_LEAF,
    "and": lib.WBK_AND,
    "or": lib.WBK_OR,
    "not": lib.WBK_NOT,
    "one": lib.WBK_ONE,
}


def words_for(rows: int) -> Words:
    """Return a zeroed bitmap of 64-bit words for ``rows`` rows."""
    return np.zeros((rows + 63) >> 6, np.uint64)


def all_rows(rows: int) -> Words:
    """Return a bitmap of ``rows`` rows, all set."""
    words = np.full((rows + 63) >> 6, ~np.uint64(0))
    if rows & 63:
        words[-1] = np.uint64((1 << (rows & 63)) - 1)
    return words


def pointer_to(words: Words) -> Any:
    """Return the address of a bitmap for C; the caller keeps the bitmap."""
    return ffi.cast("uint64_t *", words.ctypes.data)


def bool_array(words: Words, rows: int) -> pa.BooleanArray:
    """Wrap a bitmap as an Arrow array without nulls, without copying."""
    return pa.BooleanArray.from_buffers(
        pa.bool_(), rows, [None, pa.py_buffer(words)], null_count=0
    )


def question(leaf: Leaf) -> tuple[int, int]:
    """Return operation and flags of a leaf as the kernel takes them."""
    test, _, kind = leaf.test.partition(" ")
    op = lib.WBK_NET if kind == "net" else _OPS[test]
    flags = lib.WBK_NEGATE if test in ("ne", "not_in") else 0
    if test == "in":
        flags |= lib.WBK_ALL
    flags |= _view_flags(leaf.side, test, kind)
    if leaf.right is not None and leaf.right.length:
        flags |= lib.WBK_RIGHT_LENGTH | lib.WBK_CUT
    return int(op), int(flags)


def is_packed(program: bytes) -> bool:
    """Whether a worker would accept a packed program."""
    return bool(lib.wbk_packed_check(program, len(program)) >= 0)


class KernelLeaf:
    """One check compiled for the kernel; read-only, usable from several threads."""

    def __init__(self, leaf: Leaf) -> None:
        """Compile ``leaf``, which has to be one for the kernel."""
        op, flags = question(leaf)
        items = b"".join(leaf.constants)
        ends = np.cumsum([len(c) for c in leaf.constants], dtype=np.int64)
        made = lib.wbk_leaf_new(
            op,
            flags,
            ffi.from_buffer("uint8_t[]", items or b"\0"),
            ffi.cast("int64_t *", ends.ctypes.data) if len(ends) else ffi.NULL,
            len(ends),
            bytes(leaf.side.steps),
            bytes(leaf.right.steps) if leaf.right else b"",
        )
        if made == ffi.NULL:
            raise MemoryError
        self.pointer = ffi.gc(made, lib.wbk_leaf_free)

    def eval(self, left: Column, right: Column | None = None) -> Words:
        """Answer for every row of ``left``."""
        out = words_for(left.rows)
        other = ffi.NULL if right is None else right.pointer
        if lib.wbk_leaf_eval(
            self.pointer, left.pointer, other, 0, left.rows, ffi.NULL, pointer_to(out)
        ):
            raise MemoryError
        return out


def _view_flags(left: Side, test: str, kind: str) -> int:
    if left.length:
        return int(lib.WBK_LENGTH | lib.WBK_CUT)
    if left.type != "string" or kind == "whole":
        return 0
    if test not in _WHOLE:
        return int(lib.WBK_CUT)
    return 0 if left.is_list else int(lib.WBK_TRIM)


class Column:
    """An Arrow array of a normalised layout, lent to C."""

    def __init__(self, array: pa.Array) -> None:
        """Describe ``array`` to C. Raises ValueError when its buffers are broken."""
        self.array = array
        self.rows = len(array)
        self._keep: list[Any] = []
        self.pointer = self._describe(array)
        if self.rows and lib.wbk_column_check(self.pointer):
            raise ValueError(f"an Arrow array of {array.type} has broken offsets")

    @property
    def has_codes(self) -> bool:
        """Whether a lookup table can answer: dictionary codes, maybe in lists."""
        described = self.pointer
        if described.kind in (lib.WBK_LIST32, lib.WBK_LIST64):
            described = described.child
        return bool(described.kind == lib.WBK_DICT)

    @property
    def may_have_nul(self) -> bool:
        """Whether texts may hold NUL bytes; numbers have none."""
        return bool(self.pointer.has_nul)

    def look_for_nul(self) -> None:
        """Find out whether texts may hold NUL bytes; until then they may."""
        self.pointer.has_nul = lib.wbk_column_has_nul(self.pointer)

    def _buffer(self, buffer: pa.Buffer | None, needed: int) -> Any:
        if buffer is None or buffer.size == 0:
            if needed > 0:
                raise ValueError("an Arrow array lacks a buffer")
            return ffi.cast("void *", _NOTHING.ctypes.data)
        if buffer.size < needed:
            raise ValueError("an Arrow array has a buffer that is too short")
        self._keep.append(buffer)
        return ffi.cast("void *", buffer.address)

    def _describe(self, array: pa.Array) -> Any:
        out = ffi.new("wbk_column *")
        self._keep += [out, array]
        kind = array.type
        rows, offset = len(array), array.offset
        out.length = rows
        out.offset = offset
        out.has_nul = 1
        if pa.types.is_null(kind) or not rows:
            out.kind = lib.WBK_NULL
            return out
        end = offset + rows
        if pa.types.is_dictionary(kind):
            out.kind = lib.WBK_DICT
            out.width = kind.index_type.bit_width // 8
            codes = array.indices
            out.offset = offset = codes.offset
            end = offset + rows
            buffers = codes.buffers()
            out.values = self._buffer(buffers[1], end * out.width)
            child = self._describe(array.dictionary)
            if child.kind == lib.WBK_NULL:
                # No values: every code points nowhere.
                out.kind = lib.WBK_NULL
                return out
            out.child = child
            nulls = codes.null_count
        else:
            buffers = array.buffers()
            nulls = array.null_count
            self._describe_values(out, array, buffers, end)
        if nulls and buffers[0] is not None:
            bits = self._buffer(buffers[0], (end + 7) // 8)
            out.validity = ffi.cast("uint8_t *", bits)
        return out

    def _describe_values(
        self, out: Any, array: pa.Array, buffers: Sequence[Any], end: int
    ) -> None:
        kind = array.type
        if pa.types.is_boolean(kind):
            out.kind = lib.WBK_BOOL
            out.values = self._buffer(buffers[1], (end + 7) // 8)
        elif pa.types.is_uint64(kind):
            out.kind = lib.WBK_U64
            out.values = self._buffer(buffers[1], end * 8)
        elif pa.types.is_fixed_size_binary(kind):
            out.kind = lib.WBK_FIXED
            out.width = kind.byte_width
            out.data = ffi.cast("uint8_t *", self._buffer(buffers[1], end * out.width))
            out.data_bytes = buffers[1].size if buffers[1] is not None else 0
        elif pa.types.is_list(kind) or pa.types.is_large_list(kind):
            large = pa.types.is_large_list(kind)
            out.kind = lib.WBK_LIST64 if large else lib.WBK_LIST32
            out.values = self._buffer(buffers[1], (end + 1) * (8 if large else 4))
            out.child = self._describe(array.values)
        else:
            large = pa.types.is_large_binary(kind) or pa.types.is_large_string(kind)
            out.kind = lib.WBK_BYTES64 if large else lib.WBK_BYTES32
            out.values = self._buffer(buffers[1], (end + 1) * (8 if large else 4))
            out.data = ffi.cast("uint8_t *", self._buffer(buffers[2], 0))
            out.data_bytes = buffers[2].size if buffers[2] is not None else 0

    def texts(
        self, side: Side, start: int, rows: int, need: Any
    ) -> tuple[pa.Array, npt.NDArray[np.bool_]]:
        """Copy the transformed texts of the needed rows, without trailing NULs.

        Gives them as a large_string view of bytes, and which of them are absent.
        """
        wanted = int(lib.wbk_count(need, rows))
        ends = np.zeros(wanted + 1, np.int64)
        absent = np.zeros(wanted + 1, np.uint8)
        data = ffi.new("uint8_t **")
        count = lib.wbk_texts(
            self.pointer,
            bytes(side.steps),
            lib.WBK_TRIM,
            start,
            rows,
            need,
            ffi.cast("int64_t *", ends.ctypes.data + 8),
            ffi.cast("uint8_t *", absent.ctypes.data),
            data,
        )
        if count < 0:
            raise MemoryError
        owned = ffi.gc(data[0], lib.wbk_free)
        size = int(ends[wanted])
        body = pa.py_buffer(ffi.buffer(owned, size)) if size else pa.py_buffer(b"")
        array = pa.Array.from_buffers(
            pa.large_string(), wanted, [None, pa.py_buffer(ends), body]
        )
        return array, absent[:wanted].astype(bool)


_NOTHING = np.zeros(8, np.uint64)


class Slot(NamedTuple):
    """How one leaf of a plan is answered over one batch.

    ``leaf``: None when the callback answers. ``group``: number of the lookup table
    that answers, or -1. ``cost``: nanoseconds a row, roughly.
    """

    leaf: KernelLeaf | None
    left: Column | None
    right: Column | None
    group: int
    cost: float


class Group(NamedTuple):
    """Up to eight leaves on one dictionary-encoded column and their lookup table."""

    column: Column
    lut: npt.NDArray[np.uint8]
    leaves: tuple[int, ...]


def lut_put(lut: npt.NDArray[np.uint8], words: Words, rows: int, bit: int) -> None:
    """Set ``bit`` of every entry of ``lut`` whose bit is set in ``words``."""
    lib.wbk_lut_put(
        ffi.cast("uint8_t *", lut.ctypes.data), pointer_to(words), rows, bit
    )


class _Context:
    """What the callback of one run works with, and what went wrong in it."""

    def __init__(self, answer: Callable[[int, int, int, Any], Any]) -> None:
        self.answer = answer
        self.error: BaseException | None = None


@ffi.def_extern(error=-1)  # type: ignore[untyped-decorator]
def wbk_python_callback(  # noqa: PLR0917 - the C side sets the order
    context: Any, slot: int, start: int, rows: int, need: Any, out: Any
) -> int:
    """Answer a leaf that Python gives instead of C, for the needed rows only."""
    held: _Context = ffi.from_handle(context)
    try:
        found = held.answer(slot, start, rows, need)
        packed = np.packbits(found, bitorder="little")
        if len(packed):
            source = ffi.cast("uint8_t *", packed.ctypes.data)
            lib.wbk_scatter(need, rows, source, 0, out)
    except BaseException as error:  # noqa: BLE001 - raised again behind the C call
        held.error = error
        return -1
    return 0


class Program:
    """The nodes of a plan as C arrays; read-only, usable from several threads."""

    def __init__(self, plan: Plan) -> None:
        """Lay out ``plan``."""
        children: list[int] = []
        roots = Counter(plan.roots)
        self.nodes = ffi.new("wbk_node[]", max(1, len(plan.nodes)))
        for index, node in enumerate(plan.nodes):
            out = self.nodes[index]
            out.op = NODE_OPS[node.op]
            if node.op == "leaf":
                out.first = node.children[0]
            else:
                out.first = len(children)
                children += node.children
            out.count = len(node.children)
            out.shared = plan.uses[index] + roots[index] > 1
        self.children = ffi.new("int32_t[]", children or [0])
        self.n_children = len(children)
        self.n_nodes = len(plan.nodes)

    def run(
        self,
        roots: Sequence[int],
        slots: Sequence[Slot],
        groups: Sequence[Group],
        rows: int,
        *,
        out: Sequence[Words] | None,
        out_offset: int,
        answer: Callable[[int, int, int, Any], Any],
        first_match: bool = False,
    ) -> npt.NDArray[np.int64]:
        """Evaluate the nodes ``roots`` over ``rows`` rows; give a count for each.

        ``out``: bitmaps to write into from row ``out_offset`` on, or None. ``answer``:
        called for slots without leaf. Raises what ``answer`` raised.
        """
        program = ffi.new("wbk_program *")
        program.nodes, program.n_nodes = self.nodes, self.n_nodes
        program.children, program.n_children = self.children, self.n_children
        # C keeps no reference: these names live until it is done.
        c_roots = ffi.new("int32_t[]", list(roots) or [0])
        program.roots, program.n_roots = c_roots, len(roots)
        c_slots, c_groups = _slots_for_c(slots), _groups_for_c(groups)
        program.slots, program.n_slots = c_slots, len(slots)
        program.groups, program.n_groups = c_groups, len(groups)
        context = _Context(answer)
        handle = ffi.new_handle(context)
        program.callback, program.context = lib.wbk_python_callback, handle
        program.first_match = first_match
        c_out: Any = ffi.NULL
        if out is not None:
            c_out = ffi.new(
                "uint8_t *[]",
                [ffi.cast("uint8_t *", words.ctypes.data) for words in out],
            )
        counts = np.zeros(len(roots), np.int64)
        c_counts = ffi.cast("int64_t *", counts.ctypes.data)
        failed = lib.wbk_run(program, rows, c_out, out_offset, c_counts)
        if context.error is not None:
            raise context.error
        if failed:
            raise MemoryError
        return counts


def _slots_for_c(slots: Sequence[Slot]) -> Any:
    c_slots = ffi.new("wbk_slot[]", max(1, len(slots)))
    for index, slot in enumerate(slots):
        item = c_slots[index]
        item.leaf = slot.leaf.pointer if slot.leaf else ffi.NULL
        item.left = slot.left.pointer if slot.left else ffi.NULL
        item.right = slot.right.pointer if slot.right else ffi.NULL
        item.group, item.cost = slot.group, slot.cost
    return c_slots


def _groups_for_c(groups: Sequence[Group]) -> Any:
    c_groups = ffi.new("wbk_group[]", max(1, len(groups)))
    for index, group in enumerate(groups):
        item = c_groups[index]
        item.column = group.column.pointer
        item.lut = ffi.cast("uint8_t *", group.lut.ctypes.data)
        item.count = len(group.leaves)
        for bit, leaf in enumerate(group.leaves):
            item.slots[bit] = leaf
    return c_groups


_leaves_lock = threading.Lock()
_leaves: dict[Any, KernelLeaf] = {}
_MAX_LEAVES = 4096


def leaf_for(leaf: Leaf) -> KernelLeaf:
    """Return the compiled leaf of ``leaf``, made once per process."""
    with _leaves_lock:
        made = _leaves.get(leaf)
        if made is None:
            if len(_leaves) >= _MAX_LEAVES:
                _leaves.clear()
            made = _leaves[leaf] = KernelLeaf(leaf)
        return made


def count_rows(words: Words, rows: int) -> int:
    """Count the rows set in a bitmap."""
    words = np.ascontiguousarray(words)
    return int(lib.wbk_count(pointer_to(words), rows))


def set_rows(words: Words, rows: int) -> npt.NDArray[np.int64]:
    """Return the row numbers set in a bitmap."""
    bits = np.unpackbits(words.view(np.uint8), bitorder="little")
    # of flags, numpy finds the set ones ten times faster than of numbers
    return np.flatnonzero(bits[:rows].view(np.bool_))


_programs: WeakKeyDictionary[Plan, Program] = WeakKeyDictionary()


def program_for(plan: Plan) -> Program:
    """Return the laid-out nodes of ``plan``, made once for as long as it lives."""
    with _leaves_lock:
        program = _programs.get(plan)
        if program is None:
            program = _programs[plan] = Program(plan)
        return program


def needed_rows(need: Any, rows: int) -> npt.NDArray[np.int64]:
    """Return the row numbers set in a bitmap that C handed to a callback."""
    raw = np.frombuffer(ffi.buffer(need, ((rows + 63) >> 6) * 8), np.uint8)
    return np.flatnonzero(np.unpackbits(raw, bitorder="little")[:rows])
