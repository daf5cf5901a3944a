"""The rows of a stored file as events: laid out part by part, by the columns asked.

Columns that the file lacks are made from those it has (``evt.*`` from number, time and
the stored event), and only those are read that something needs.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Final

import pyarrow as pa

from workbench.errors import CaptureFileError
from workbench.events.builtin_columns import first_time
from workbench.events.columns import with_number_and_time
from workbench.fields.builtin import BUILTIN_FIELDS
from workbench.formatting.printable import shortened

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Sequence

    from workbench.captures.stored import StoredFile

__all__ = ["Part", "StoredRows"]

# Made from the stored event itself.
_OF_RAW: Final = frozenset(
    ("evt.pluginname", "evt.plugininfo", "evt.is_async", "evt.asynctype", "payload")
)
_CLOCK: Final = ("evt.num", "evt.rawtime", "evt.time")


@dataclass(frozen=True, slots=True)
class Part:
    """A part of a file: its number, its first row among all, how many rows it has."""

    number: int
    first: int
    rows: int


class StoredRows:
    """The rows of ``file`` in the condition layout. ``names``: the columns it has."""

    def __init__(self, file: StoredFile) -> None:
        """Look at the schema; no row is read."""
        self.file = file
        self._in_file = file.schema.names
        clock = [name for name in _CLOCK if name in self._in_file]
        # Rows whose number or time the file does not tell get one by their place.
        self._invents = "evt.num" not in clock or len(clock) == 1
        self.schema = self._laid(file.schema.remove_metadata().empty_table(), 0).schema
        self.names = self.schema.names

    @property
    def count(self) -> int:
        """How many rows there are."""
        return self.file.rows

    def parts(self) -> Iterator[Part]:
        """Yield the parts that hold rows."""
        first = 0
        for number, rows in enumerate(self.file.part_rows):
            if rows:
                yield Part(number, first, rows)
            first += rows

    def needed(self, names: Iterable[str]) -> list[str]:
        """Return the columns of the file from which those of ``names`` are made."""
        chosen: set[str] = set()
        for name in names:
            if name in self.names and name not in _CLOCK:
                chosen.add(name)
            elif name in BUILTIN_FIELDS:
                chosen.update(_CLOCK if name != "evt.num" else ("evt.num",))
                if name in _OF_RAW:
                    chosen.add("raw")
            else:
                chosen.add("raw")
        found = [name for name in self._in_file if name in chosen]
        return found or self._in_file[:1]

    def read(self, part: Part, columns: Sequence[str] | None) -> Iterator[pa.Table]:
        """Yield the rows of a part, laid out; ``columns``: of the file, None for all.

        Number and time are there only when the columns that they are made from were
        read, or when no column tells them. Raises CaptureFileError for damage, after
        the rows before.
        """
        at = part.first
        clock = self._invents or columns is None or not set(_CLOCK).isdisjoint(columns)
        for table in self.file.part(part.number, columns):
            yield self._laid(table, at) if clock else table
            at += table.num_rows

    def _laid(self, table: pa.Table, at: int) -> pa.Table:
        try:
            return with_number_and_time(table, at + 1)
        except (pa.ArrowException, MemoryError) as error:
            path = self.file.path
            text = f"cannot read {shortened(path)}: {shortened(str(error))}"
            raise CaptureFileError(text, path=path) from None

    def first_time(self) -> int:
        """Return the time of the first event of the source, 0 without one."""
        for part in self.parts():
            for table in self.file.head(part.number, self.needed(["evt.is_async"])):
                found = first_time(self._laid(table, part.first))
                if found is not None:
                    return found
        return 0
