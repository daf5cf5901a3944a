"""Checks of extracted values: repeatable, replayable, readable."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pyarrow as pa
import pyarrow.compute as pc

from workbench.authoring.check.feeding import compare_columns, field_texts
from workbench.authoring.check.initialising import CALL_TIMEOUT_SEC
from workbench.authoring.check.report import first_line
from workbench.errors import PluginCrashed, PluginHung, WorkbenchError
from workbench.plugins.plugin import load

if TYPE_CHECKING:
    from collections.abc import Mapping

    from workbench.authoring.check.feeding import Feeding
    from workbench.authoring.check.report import CheckReport

__all__ = ["check_columns", "check_values"]


def check_values(
    report: CheckReport, feeding: Feeding, raw: pa.Array, options: Mapping[str, Any]
) -> None:
    """Extract every field twice here and once in a new process, and compare.

    ``options``: further keywords of ``load``.
    """
    plugin, manifest = feeding.plugin, feeding.plugin.info
    options = {**options, "call_timeout_sec": CALL_TIMEOUT_SEC}
    texts = field_texts(manifest)
    try:
        first = pa.table(feeding.columns(raw, texts))
        again = pa.table(feeding.columns(raw, texts))
    except (PluginCrashed, PluginHung) as error:
        report.add_crash("extraction", error)
        return
    except WorkbenchError as error:
        report.add("EXTRACT_FAILED", "extraction", first_line(error))
        return
    check_columns(report, first)
    _compare(report, "NOT_REPEATABLE", first, again, "let fields depend on events only")
    try:
        with load(plugin.path, config=plugin.config, **options) as fresh:
            other = type(feeding)(fresh)
            other.source = feeding.source
            replayed = pa.table(other.columns(raw, texts))
        hint = "put what a field needs into the event, or rebuild state when parsing"
        _compare(report, "NOT_REPLAYABLE", first, replayed, hint)
    except WorkbenchError as error:
        report.add("CHECK_FAILED", "replay", first_line(error))
    report.done.append(f"values of {len(texts)} fields in {len(raw)} events")


def check_columns(report: CheckReport, table: pa.Table, *, empty: bool = True) -> None:
    """Look at the values of each string field; with ``empty`` at absent ones, too."""
    fields = report.manifest.fields
    for name in table.column_names:
        info = fields.get(name.partition("[")[0])
        column = table.column(name)
        if info is None:
            continue
        if column.null_count == len(column):
            if empty:
                said = "absent in every event seen"
                report.add("FIELD_EMPTY", f"field {name}", said)
        elif info.type == "string" and not info.is_list:
            _check_bytes(report, name, column)


def _check_bytes(report: CheckReport, name: str, column: pa.ChunkedArray) -> None:
    for value in pc.unique(column[:5000]).drop_null().to_pylist():
        try:
            value.decode("utf-8")
        except UnicodeDecodeError:
            said = f"a value is not UTF-8: {value[:40]!r}"
            report.add("NOT_UTF8", f"field {name}", said)
            return


def _compare(
    report: CheckReport, code: str, left: pa.Table, right: pa.Table, hint: str
) -> None:
    result = compare_columns(left, right)
    for difference in result.differences:
        value = difference.first[0]
        said = (
            f"{difference.count} of {left.num_rows} events; event "
            f"{value.event_number}: {value.left!r}, then {value.right!r}"
        )
        report.add(code, f"field {difference.field}", said, hint)
