"""Which rows the table shows, in which order: positions of a RowStore.

Filters (matches, near misses, quick filter, brush) and one sort column give ``order``;
without any of them rows are shown as they came, and nothing is kept.
"""

from __future__ import annotations

import ipaddress
import time
from typing import TYPE_CHECKING

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from workbench.arrow.types import column_info
from workbench.ui.data.column_sets import MACHINE_COLUMNS

if TYPE_CHECKING:
    from collections.abc import Mapping

    from workbench.fields.declarations import FieldInfo
    from workbench.ui.data.row_store import RowStore

__all__ = ["RowOrder", "quick_mask", "sort_order"]

# A sorted view of a live stream is sorted again at most this often, and never for more
# than a tenth of the time.
_RESORT_SEC = 1.0


def _plain(column: pa.Array) -> pa.Array:
    if pa.types.is_dictionary(column.type):
        return column.dictionary.take(column.indices)
    return column


def _contains(column: pa.Array, needle: str) -> pa.Array:
    if pa.types.is_dictionary(column.type):
        found = _contains(column.dictionary, needle)
        return found.take(column.indices)
    pattern = needle if pa.types.is_string(column.type) else needle.encode()
    return pc.match_substring(column, pattern, ignore_case=True)


def _address_prefix(needle: str) -> bytes | None:
    """Return the leading bytes of the IPv4 or IPv6 address that is being typed."""
    try:
        return ipaddress.ip_address(needle).packed
    except ValueError:
        pass
    parts = needle.rstrip(".").split(".")
    if len(parts) > 4 or not all(p.isdigit() and int(p) < 256 for p in parts):
        return None
    return bytes(int(p) for p in parts) if "." in needle else None


def _column_hits(
    column: pa.Array, info: FieldInfo | None, needle: str
) -> np.ndarray | None:
    kind = column.type
    if pa.types.is_list(kind) or pa.types.is_large_list(kind):
        items = _column_hits(column.values, info, needle)
        if items is None:
            return None
        running = np.concatenate([[0], np.cumsum(items)])
        offsets = column.offsets.to_numpy()
        hits: np.ndarray = running[offsets[1:]] > running[offsets[:-1]]
        return hits
    name = info.type if info else "string"
    found = None
    if name in {"ipaddr", "ipnet"}:
        prefix = _address_prefix(needle)
        if prefix is not None:
            found = pc.starts_with(_plain(column).cast(pa.binary()), prefix)
    elif name == "string":
        found = _contains(column, needle)
    elif name == "uint64" and needle.isdigit() and int(needle) < 2**64:
        found = pc.equal(_plain(column), pa.scalar(int(needle), pa.uint64()))
    elif name == "bool" and needle in {"true", "false"}:
        found = pc.equal(column, needle == "true")
    if found is None:
        return None
    flags: np.ndarray = pc.fill_null(found, False).to_numpy(zero_copy_only=False)
    return flags.astype(bool, copy=False)


def quick_mask(
    table: pa.Table, fields: Mapping[str, FieldInfo], needle: str
) -> np.ndarray:
    """Return one flag per row: ``needle`` occurs in a column, case ignored.

    Numbers and addresses must be equal (addresses: also begin with it).
    """
    out = np.zeros(table.num_rows, bool)
    for name in table.column_names:
        if name in MACHINE_COLUMNS or name == "evt.rawtime":
            continue
        info = column_info(name, fields)
        start = 0
        for chunk in table.column(name).chunks:
            hits = _column_hits(chunk, info, needle)
            if hits is not None:
                out[start : start + len(chunk)] |= hits
            start += len(chunk)
    return out


def _first_items(column: pa.ListArray) -> pa.Array:
    """Return the first item of each list, null for absent and empty ones."""
    lengths = pc.fill_null(pc.list_value_length(column), 0).to_numpy()
    starts = column.offsets.to_numpy()[:-1]
    picks = pa.array(starts, mask=lengths == 0)
    return _plain(column.values).take(picks)


def _ranks(column: pa.ChunkedArray) -> np.ndarray:
    """Return numbers that sort as the values do; absent values sort last."""
    if pa.types.is_dictionary(column.type):
        column = column.unify_dictionaries()
        words = column.chunk(0).dictionary if column.num_chunks else pa.array([])
        order = pc.sort_indices(words).to_numpy()
        rank = np.empty(len(words) + 1, np.int64)
        rank[order] = np.arange(len(words))
        rank[len(words)] = len(words)
        codes = np.concatenate(
            [
                c.indices.fill_null(len(words)).to_numpy(zero_copy_only=False)
                for c in column.chunks
            ]
            or [np.zeros(0, np.int64)]
        )
        ranked: np.ndarray = rank[codes]
        return ranked
    if pa.types.is_list(column.type):
        first = [_first_items(chunk) for chunk in column.chunks]
        kind = first[0].type if first else pa.binary()
        column = pa.chunked_array(first, kind)
    # "min" gives equal values one rank, so that they stay in order of arrival.
    ranks: np.ndarray = (
        pc.rank(column, sort_keys="ascending", tiebreaker="min")
        .to_numpy()
        .astype(np.int64)
    )
    return ranks


def sort_order(store: RowStore, name: str, *, descending: bool) -> np.ndarray:
    """Return all positions ordered by a column, absent values always last."""
    if name == "evt.time":
        keys = store.times
    elif name == "evt.num":
        keys = store.numbers
    else:
        keys = _ranks(store.table().column(name))
    if not descending:
        return np.argsort(keys, kind="stable")
    if name in {"evt.time", "evt.num"}:
        return np.argsort(~keys, kind="stable")
    absent = keys == (keys.max() if len(keys) else 0)
    flipped = np.where(absent & _absent(store, name), np.iinfo(np.int64).max, -keys)
    return np.argsort(flipped, kind="stable")


def _absent(store: RowStore, name: str) -> np.ndarray:
    flags: np.ndarray = store.table().column(name).is_null().to_numpy()
    return flags


class RowOrder:
    """The rows to show. Set the filters, call :meth:`reset`, read ``total``."""

    def __init__(self, store: RowStore) -> None:
        self.store = store
        self.version = 0
        self.order: np.ndarray | None = None
        self.total = 0
        self.quick = ""
        self.sort: tuple[str, bool] | None = None
        self._seen = 0
        self._sorted_at = 0.0
        self._sort_cost = 0.0

    def reset(
        self, *, only: np.ndarray | None, within: np.ndarray | None = None
    ) -> None:
        """Build the view anew. ``only``, ``within``: row flags, None for all rows."""
        self.version += 1
        rows = len(self.store)
        self._seen = rows
        flags = only if only is None else only[:rows]
        if within is not None:
            flags = within[:rows] if flags is None else flags & within[:rows]
        if self.quick:
            hits = quick_mask(self.store.table(), self.store.fields, self.quick)
            flags = hits if flags is None else flags & hits
        if self.sort is not None:
            began = time.monotonic()
            order = sort_order(self.store, self.sort[0], descending=self.sort[1])
            self.order = order if flags is None else order[flags[order]]
            self._sorted_at = time.monotonic()
            self._sort_cost = self._sorted_at - began
        else:
            self.order = None if flags is None else np.flatnonzero(flags)
        self.total = rows if self.order is None else len(self.order)

    def extend(
        self, *, only: np.ndarray | None, within: np.ndarray | None = None
    ) -> bool:
        """Take in appended rows; True when the order changed, so caches are stale."""
        rows = len(self.store)
        start, self._seen = self._seen, rows
        if start == rows:
            return False
        if self.sort is not None:
            wait = max(_RESORT_SEC, 10 * self._sort_cost)
            if time.monotonic() - self._sorted_at < wait:
                self._seen = start
                return False
            self.reset(only=only, within=within)
            return True
        if self.order is None:
            self.total = rows
            return False
        flags = np.ones(rows - start, bool)
        for given in (only, within):
            if given is not None:
                flags &= given[start:rows]
        if self.quick:
            flags &= quick_mask(self.store.table(start), self.store.fields, self.quick)
        self.order = np.concatenate([self.order, np.flatnonzero(flags) + start])
        self.total = len(self.order)
        return False

    @property
    def behind(self) -> bool:
        """Whether rows arrived that a sorted view does not show yet."""
        return self._seen < len(self.store)

    def positions(self, first: int, count: int) -> np.ndarray:
        """Return the positions of shown rows ``first`` to ``first + count``."""
        first = max(0, first)
        end = min(self.total, first + max(0, count))
        if self.order is None:
            return np.arange(first, end, dtype=np.int64)
        return self.order[first:end].astype(np.int64)

    def index_of(self, position: int) -> int:
        """Return where a position is shown, -1 if it is not."""
        if self.order is None:
            return position if 0 <= position < self.total else -1
        found = np.flatnonzero(self.order == position)
        return int(found[0]) if len(found) else -1
