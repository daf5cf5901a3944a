"""A file of events that stays on disk: read part by part, only the columns asked for.

A part is a row group of a Parquet file or a record batch of an Arrow file. One that is
known to take little is decoded here, any other in the process of ``decoding``, some
rows at a time; so memory is bounded whatever the size of the file.
"""

from __future__ import annotations

import contextlib
import os
import weakref
from typing import TYPE_CHECKING, Final

import pyarrow as pa

from workbench.captures.contents import CaptureContents, undescribe
from workbench.captures.decoding import Decoded
from workbench.captures.nearby import NEARBY_ERRORS, NearbyFile, open_nearby
from workbench.captures.soundness import sound
from workbench.errors import CaptureFileError
from workbench.formatting.printable import shortened
from workbench.memory import half_of_memory
from workbench.reading import open_regular

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Sequence

    from workbench.captures.nearby import Range

__all__ = ["FORMS", "StoredFile", "open_stored"]

# Suffix → form of files that are read in parts.
FORMS: Final = {".parquet": "parquet", ".arrow": "arrow"}
# A part that may take more is read elsewhere, some rows at a time.
_PART_BYTES: Final = 256 << 20


def _release(file: NearbyFile, fd: int) -> None:
    file.close()
    os.close(fd)


class StoredFile:
    """A file open for reading in parts; what replaces it later is not seen.

    ``path``: as given. ``form``: "arrow" or "parquet". ``schema``: with the file's
    metadata. ``part_rows``: rows of each part. ``max_bytes``: what decoding may take.
    """

    def __init__(
        self, path: str, form: str, fd: int, file: NearbyFile, max_bytes: int
    ) -> None:
        """Own ``fd`` and ``file``; made by :func:`open_stored`."""
        self.path = path
        self.form = form
        self.schema = file.schema
        self.part_rows = list(file.part_rows)
        self.max_bytes = max_bytes
        self._fd = fd
        self._file = file
        weakref.finalize(self, _release, file, fd)

    @property
    def rows(self) -> int:
        """How many rows there are."""
        return sum(self.part_rows)

    def contents(self) -> CaptureContents:
        """Return everything but the rows."""
        facts, ours = undescribe(self.schema.metadata)
        notes = () if ours or self.form == "arrow" else (_foreign_note(),)
        empty = self.schema.remove_metadata().empty_table()
        return CaptureContents(table=empty, notes=notes, **facts)

    def part(self, number: int, columns: Sequence[str] | None) -> Iterator[pa.Table]:
        """Yield the rows of one part, every buffer checked.

        ``columns``: only these (at least one), None: all. Raises CaptureFileError for
        damage, after the rows before it.
        """
        budget = min(_PART_BYTES, self.max_bytes // 2)
        try:
            table = sound(self._file.part(number, columns, budget), self.path)
        except (*NEARBY_ERRORS, CaptureFileError):
            yield from self._elsewhere(number, columns)
            return
        yield table.replace_schema_metadata(None)

    def ranges(self, number: int, columns: Iterable[str]) -> dict[str, Range]:
        """Return least and most value of columns of a part, as far as it tells."""
        return self._file.ranges(number, set(columns))

    def head(self, number: int, columns: Sequence[str]) -> Iterator[pa.Table]:
        """Yield some first rows of a part, then all of them; else as :meth:`part`."""
        with contextlib.suppress(*NEARBY_ERRORS, CaptureFileError):
            budget = min(_PART_BYTES, self.max_bytes // 2)
            table = self._file.head(number, columns, budget)
            yield sound(table, self.path).replace_schema_metadata(None)
        yield from self.part(number, columns)

    def _elsewhere(
        self, number: int, columns: Sequence[str] | None
    ) -> Iterator[pa.Table]:
        with Decoded(
            f"/proc/self/fd/{self._fd}",
            self.form,
            columns=columns,
            max_bytes=self.max_bytes,
            part=number,
            shown=self.path,
        ) as batches:
            for batch in batches:
                try:
                    table = sound(pa.Table.from_batches([batch]), self.path)
                except (pa.ArrowException, UnicodeDecodeError, MemoryError) as error:
                    name = shortened(self.path)
                    text = f"cannot read {name}: {shortened(str(error))}"
                    raise CaptureFileError(text, path=self.path) from None
                if columns is not None:
                    table = table.select(list(columns))
                yield table


def _foreign_note() -> str:
    from workbench.captures.parquet import FOREIGN

    return FOREIGN


def open_stored(
    path: str | os.PathLike[str], form: str, *, max_bytes: int | None = None
) -> StoredFile | None:
    """Return a file to be read in parts, None for one that has to be read whole.

    That is a damaged file, one of unusual columns, or of a huge footer. ``max_bytes``:
    what decoding may take, None means half of the available memory.
    """
    limit = half_of_memory() if max_bytes is None else max_bytes
    try:
        fd = open_regular(path)
    except (OSError, ValueError):
        return None
    try:
        file = open_nearby(fd, form, limit // 2)
    except NEARBY_ERRORS:
        os.close(fd)
        return None
    except BaseException:
        os.close(fd)
        raise
    return StoredFile(os.fspath(path), form, fd, file, limit)
