"""Values seen in events, for completion: the most frequent first."""

from __future__ import annotations

from collections import Counter
from typing import TYPE_CHECKING, Any

import numpy as np
import pyarrow as pa

from workbench.ui.data.column_sets import MACHINE_COLUMNS

if TYPE_CHECKING:
    from collections.abc import Sequence

    from workbench.events.events import Events

__all__ = ["frequent_values", "seen_values"]

_FREQUENT = 40
# Rows looked at per piece, and pieces: completion need not be exact.
_ROWS = 20_000
_PIECES = 4


def _frequent(pieces: list[pa.Array]) -> list[Any]:
    """Return the most frequent values of some arrays, as Python values."""
    counts: Counter[Any] = Counter()
    for piece in pieces:
        flat = piece.flatten() if pa.types.is_list(piece.type) else piece
        found = flat.value_counts()
        keys, sizes = found.field(0), found.field(1).to_numpy()
        best = np.argsort(-sizes, kind="stable")[:_FREQUENT]
        chosen = keys.take(pa.array(best))
        if pa.types.is_dictionary(chosen.type):
            chosen = chosen.dictionary.take(chosen.indices)
        for value, size in zip(chosen.to_pylist(), sizes[best], strict=True):
            if value is not None:
                counts[value] += int(size)
    return [value for value, _ in counts.most_common(_FREQUENT)]


def frequent_values(batches: Sequence[pa.RecordBatch]) -> dict[str, list[Any]]:
    """Return column → values, the most frequent first, from some of the rows."""
    if not batches:
        return {}
    some = batches[:: max(1, len(batches) // _PIECES)][:_PIECES]
    return {
        name: _frequent([batch.column(name).slice(0, _ROWS) for batch in some])
        for name in batches[0].schema.names
        if name not in MACHINE_COLUMNS and not name.startswith("evt.")
    }


def seen_values(events: Events | None) -> dict[str, list[Any]]:
    """Return the frequent values of events, {} for None."""
    return {} if events is None else frequent_values(events.table.to_batches())
