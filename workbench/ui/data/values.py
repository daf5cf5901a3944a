"""The values of one field: the most frequent, or a histogram; each as a check.

Literals are written as conditions want them, so that a click gives working text.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from workbench.arrow.dictionaries import plain_array
from workbench.arrow.values import display_text, display_texts
from workbench.fields.literals import check_text
from workbench.ui.data.bins import round_width

if TYPE_CHECKING:
    from workbench.fields.declarations import FieldInfo

__all__ = ["distinct_count", "distribution"]

_TOP = 12
_FEW = 24
_HISTOGRAM = 12


def distinct_count(column: pa.ChunkedArray) -> int:
    """Return how many different values a column has, absent ones not counted."""
    if pa.types.is_dictionary(column.type):
        unified = column.unify_dictionaries()
        codes = [chunk.indices for chunk in unified.chunks]
        column = pa.chunked_array(codes, column.type.index_type)
    return int(pc.count_distinct(column, mode="only_valid").as_py())


def _flat(
    column: pa.ChunkedArray, matched: np.ndarray | None
) -> tuple[pa.ChunkedArray, np.ndarray | None, int]:
    """Return the values one by one, their rows' match flags, and the absent rows."""
    if not pa.types.is_list(column.type):
        return column, matched, column.null_count
    values, flags, absent, row = [], [], 0, 0
    for chunk in column.chunks:
        lengths = pc.fill_null(pc.list_value_length(chunk), 0).to_numpy()
        absent += int((lengths == 0).sum())
        values.append(chunk.flatten())
        if matched is not None:
            flags.append(np.repeat(matched[row : row + len(chunk)], lengths))
        row += len(chunk)
    flat = pa.chunked_array(values, column.type.value_type)
    return flat, (np.concatenate(flags) if flags else matched), absent


def distribution(
    name: str,
    column: pa.ChunkedArray,
    info: FieldInfo | None,
    matched: np.ndarray | None,
    *,
    most: int = _TOP,
) -> dict[str, Any]:
    """Describe the values of a column: rows of text, count, matches, value and check.

    ``matched``: one flag per row, None for no condition. ``most``: values named.
    """
    flat, flags, absent = _flat(column, matched)
    numeric = info is not None and info.type in {"uint64", "reltime", "abstime"}
    counted = flat.value_counts()
    keys, counts = counted.field(0), counted.field(1).to_numpy()
    if pa.types.is_dictionary(keys.type):
        keys = plain_array(keys)
    here = keys.is_valid().to_numpy(zero_copy_only=False)
    distinct = int(here.sum())
    if numeric and distinct > _FEW:
        rows = _histogram(name, flat, flags, info)
    else:
        counted_keys = (keys, np.where(here, counts, 0))
        rows = _top(name, counted_keys, (flat, flags), info, most)
    if absent:
        lost = None
        if matched is not None:
            missing = column.is_null().to_numpy()
            lost = int((missing & matched[: len(missing)]).sum())
        rows.append(
            {
                "text": "",
                "absent": True,
                "count": absent,
                "matches": lost,
                "check": f"not {name} exists",
                "value": None,
            }
        )
    return {
        "field": name,
        "rows": rows,
        "distinct": distinct,
    }


def _top(
    name: str,
    counted: tuple[pa.Array, np.ndarray],
    values: tuple[pa.ChunkedArray, np.ndarray | None],
    info: FieldInfo | None,
    most: int,
) -> list[dict[str, Any]]:
    keys, counts = counted
    flat, flags = values
    best = np.argsort(-counts, kind="stable")[:most]
    best = best[counts[best] > 0]
    chosen = keys.take(pa.array(best))
    texts = display_texts(chosen, info, limit=120)
    hits = _matched_counts(flat, flags, chosen)
    rows = []
    for at, value in enumerate(chosen.to_pylist()):
        rows.append(
            {
                "text": texts[at] or "",
                "count": int(counts[best[at]]),
                "matches": None if hits is None else hits[at],
                "check": check_text(name, value, info),
                "value": value,
            }
        )
    rest = int(counts.sum() - counts[best].sum())
    if rest:
        rows.append(
            {
                "text": "other values",
                "count": rest,
                "matches": None,
                "check": None,
                "value": None,
            }
        )
    return rows


def _matched_counts(
    flat: pa.ChunkedArray, flags: np.ndarray | None, chosen: pa.Array
) -> list[int] | None:
    if flags is None:
        return None
    kept = flat.filter(pa.array(flags[: len(flat)]))
    counted = kept.value_counts()
    keys = counted.field(0)
    if pa.types.is_dictionary(keys.type):
        keys = plain_array(keys)
    found = dict(zip(keys.to_pylist(), counted.field(1).to_pylist(), strict=True))
    return [int(found.get(value, 0)) for value in chosen.to_pylist()]


def _histogram(
    name: str, flat: pa.ChunkedArray, flags: np.ndarray | None, info: FieldInfo | None
) -> list[dict[str, Any]]:
    valid = flat.is_valid().to_numpy()
    numbers = flat.drop_null().cast(pa.uint64()).to_numpy()
    chosen = None if flags is None else numbers[flags[: len(valid)][valid]]
    low, high = int(numbers.min()), int(numbers.max())
    # Wide values spread over magnitudes are cut at powers of ten, others evenly.
    if low >= 0 and high > 1000 * max(1, int(np.median(numbers))):
        edges = [0, *(10**p for p in range(1, 20) if 10 ** (p - 1) <= high)]
    else:
        width = round_width((high - low) * 160 / _HISTOGRAM, time=False)
        start = low - low % width
        edges = list(range(start, high + width + 1, width))
    counts = np.histogram(numbers, edges)[0]
    hits = None if chosen is None else np.histogram(chosen, edges)[0]
    kind = info.type if info else ""
    rows = []
    for at, count in enumerate(counts):
        low_edge, high_edge = edges[at], edges[at + 1]
        last = at == len(counts) - 1
        top = max(low_edge, high if last else high_edge - 1)
        rows.append(
            {
                "text": f"{display_text(low_edge, kind)} – {display_text(top, kind)}",
                "count": int(count),
                "matches": None if hits is None else int(hits[at]),
                "check": f"({name} >= {low_edge} and {name} <= {top})",
                "value": None,
            }
        )
    return rows
