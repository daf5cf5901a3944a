"""Reading capture files piece by piece."""

from __future__ import annotations

import os
from typing import TYPE_CHECKING, Any, Final

import pyarrow as pa
import pyarrow.compute as pc

from workbench.captures.files import ByteSource, file_errors
from workbench.captures.framing import (
    CUT,
    END,
    MAX_BLOCK_BYTES,
    MORE,
    Block,
    Scanner,
)
from workbench.closing import Closing
from workbench.errors import CaptureFileError

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

__all__ = ["ScapReader"]

_PIECE_BYTES: Final = 8 << 20
# Most plugin ids that get a note of their own.
_MAX_IDS: Final = 5
_LEADING: Final = (
    "async events before the first ordinary event are not shown: "
    "as in Falco they are state that plugins parse"
)
_SOURCE_TYPE: Final = pa.dictionary(pa.int32(), pa.utf8())


class ScapReader(Closing):
    """Iterates over a capture file as record batches of bounded size.

    Batches have ``evt.num`` (uint64), ``evt.rawtime`` (uint64, ns), ``evt.source``
    (dictionary of utf8), ``raw`` (binary, whole 3.x events) and, with ``state``, a
    bool ``state_only``. ``notes``, ``hostname`` and ``plugin_ids`` (plugin id → events)
    are complete once the iteration ends.

    Raises CaptureFileError: on opening when the file cannot be read, while iterating
    at damage. A file cut short ends quietly, with a note.
    """

    def __init__(
        self,
        path: str | os.PathLike[str],
        *,
        sources: Mapping[int, str] | None = None,
        state: bool = False,
        keep_other: bool = False,
        piece_bytes: int = _PIECE_BYTES,
        max_block_bytes: int = MAX_BLOCK_BYTES,
    ) -> None:
        """Open the file; see :func:`read_scap` for the options."""
        self._path = os.fspath(path)
        self._sources = {0: "syscall", **(sources or {})}
        self._state = state
        self._scanner = Scanner(keep_other=keep_other, max_block=max_block_bytes)
        self._buffer = bytearray(max(64, piece_bytes))
        self._held = 0
        self._hidden = {"leading": 0, "flagged": 0}
        self._stopped: str | None = None
        self._visible = 0
        self.plugin_ids: dict[int, int] = {}
        columns: list[tuple[str, Any]] = [
            ("evt.num", pa.uint64()),
            ("evt.rawtime", pa.uint64()),
            ("evt.source", _SOURCE_TYPE),
            ("raw", pa.binary()),
        ]
        if state:
            columns.append(("state_only", pa.bool_()))
        self.schema = pa.schema(columns)
        with file_errors(path, "read"):
            self._file = ByteSource(path)

    def __iter__(self) -> Iterator[pa.RecordBatch]:
        """Yield the batches that are left."""
        while self._stopped is None:
            at_end = not self._fill()
            view = memoryview(self._buffer)[: self._held]
            block, used, why = self._scanner.scan(view, at_end=at_end)
            view.release()
            self._held -= used
            # The unread rest moves to the front for the next piece.
            self._buffer[: self._held] = self._buffer[used : used + self._held]
            if block is not None:
                batch = self._batch(block)
                if batch.num_rows:
                    self._visible += batch.num_rows
                    yield batch
            if why < 0:
                self._stopped = self._scanner.damage(why)
                raise self._error()
            if why == END:
                self._stopped = ""
                if not self._scanner.state.sections:
                    self._stopped = "it is empty, a section header was expected"
                    raise self._error()
            elif why == CUT:
                self._stopped = ""
                self._cut()
            elif why == MORE and self._held == len(self._buffer):
                self._buffer.extend(bytes(len(self._buffer)))

    def _fill(self) -> bool:
        """Read until the buffer is full; False at the end of the file."""
        with file_errors(self._path, "read"):
            while self._held < len(self._buffer):
                with memoryview(self._buffer) as view:
                    got = self._file.readinto(view[self._held :])
                if not got:
                    return False
                self._held += got
        return True

    def _cut(self) -> None:
        """Accept an end inside a block, unless nothing was there before it."""
        if not self._scanner.state.sections:
            self._stopped = "it ends inside its section header"
            raise self._error()

    def _error(self) -> CaptureFileError:
        state = self._scanner.state
        text = f"{self._path} is no sound capture file: {self._stopped}"
        text += f" (byte {state.offset}, after {state.number} events)"
        if self._file.cut:
            text += f"; {self._file.cut}"
        return CaptureFileError(text, path=self._path, offset=int(state.offset))

    def _batch(self, block: Block) -> pa.RecordBatch:
        for entry in pc.value_counts(block.ids).to_pylist():
            number = entry["values"]
            self.plugin_ids[number] = self.plugin_ids.get(number, 0) + entry["counts"]
        ids = block.ids.dictionary_encode()
        names = [self._sources.get(number) for number in ids.dictionary.to_pylist()]
        known = sorted({name for name in names if name is not None})
        places = [None if name is None else known.index(name) for name in names]
        indices = pa.array(places, pa.int32()).take(ids.indices)
        source = pa.DictionaryArray.from_arrays(indices, pa.array(known, pa.utf8()))
        columns = [block.numbers, block.times, source, block.raw]
        plain = pc.equal(block.marks, pa.scalar(0, pa.uint8()))
        if self._state:
            columns.append(pc.invert(plain))
        batch = pa.RecordBatch.from_arrays(columns, schema=self.schema)
        if pc.all(plain).as_py():
            return batch
        flagged = pc.not_equal(
            pc.bit_wise_and(block.marks, pa.scalar(1, pa.uint8())),
            pa.scalar(0, pa.uint8()),
        )
        count = pc.sum(flagged).as_py()
        self._hidden["flagged"] += count
        self._hidden["leading"] += pc.sum(pc.invert(plain)).as_py() - count
        return batch if self._state else batch.filter(plain)

    @property
    def hostname(self) -> str | None:
        """Return the recording machine's name, None when the file does not tell."""
        return self._scanner.hostname

    @property
    def notes(self) -> list[str]:
        """Return what a reader should know about the file, one sentence each."""
        state = self._scanner.state
        notes = []
        for count, text in (
            (state.metadata_blocks, "blocks of machine state were skipped"),
            (state.unknown_blocks, "blocks of unknown type were skipped"),
            (state.other_events, "events that are not a plugin's were skipped"),
            (state.old_events, "events of the old layout were skipped"),
            (state.newer_events, "events of a type newer than known were skipped"),
            (state.malformed_events, "malformed plugin or async events were skipped"),
            (
                self._hidden["leading"],
                _LEADING,
            ),
            (self._hidden["flagged"], "events marked as state only are not shown"),
        ):
            if count:
                notes.append(f"{count} {text}")
        notes += self._strange_ids()
        if self._held and self._stopped == "":
            notes.append(
                f"the file ends inside a block at byte {state.offset}: "
                "the last event was cut off"
            )
        if self._file.cut:
            notes.append(f"the file was cut short: {self._file.cut}")
        if self._stopped is not None and not state.number:
            notes.append("the file holds no events; Falco refuses such a file")
        return notes

    def _strange_ids(self) -> list[str]:
        """Return which plugin ids nobody knows; of many only how many."""
        strange = sorted(i for i in self.plugin_ids if i not in self._sources)
        notes = [
            f"{self.plugin_ids[number]} events carry plugin id {number}, which no "
            "plugin given here has: their source and fields are absent"
            for number in strange[:_MAX_IDS]
        ]
        rest = strange[_MAX_IDS:]
        if rest:
            events = sum(self.plugin_ids[number] for number in rest)
            notes.append(f"{events} events carry {len(rest)} further such plugin ids")
        return notes

    def close(self) -> None:
        """Close the file (idempotent)."""
        self._file.close()
