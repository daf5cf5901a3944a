"""Events in Arrow files: everything as it was in memory."""

from __future__ import annotations

from typing import TYPE_CHECKING

from workbench.captures.contents import CaptureContents, undescribe
from workbench.captures.decoding import Decoded, read_all

if TYPE_CHECKING:
    import os
    from collections.abc import Iterator

    import pyarrow as pa

__all__ = ["iter_arrow", "read_arrow"]


def read_arrow(
    path: str | os.PathLike[str], *, max_bytes: int | None = None
) -> CaptureContents:
    """Read an Arrow file of events.

    ``max_bytes``: stop with an error beyond so many bytes of events, counted as they
    are decoded; None means half of the available memory. Raises CaptureFileError; its
    ``events`` are the CaptureContents read before.
    """
    table, failed = read_all(path, "arrow", max_bytes=max_bytes)
    facts, _ = undescribe(table.schema.metadata)
    contents = CaptureContents(table.replace_schema_metadata(None), **facts)
    if failed is not None:
        failed.events = contents
        raise failed
    return contents


def iter_arrow(
    path: str | os.PathLike[str],
    *,
    batch_rows: int = 65536,
    max_bytes: int | None = None,
) -> Iterator[pa.RecordBatch]:
    """Yield the rows as record batches, one of the file's in memory at a time.

    ``max_bytes``: what one batch and the decoding of it may take, roughly; None means
    half of the available memory. Raises CaptureFileError.
    """
    with Decoded(path, "arrow", rows=batch_rows, max_bytes=max_bytes) as file:
        yield from file
