"""Field texts → the columns to ask plugins for."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from workbench.arguments import wrong
from workbench.errors import WorkbenchError
from workbench.fields.builtin import ASYNC_FIELDS, BUILTIN_FIELDS
from workbench.fields.reference import ResolvedField, resolve
from workbench.formatting.printable import printable
from workbench.plugins.compatibility import fields_of
from workbench.session.types import ColumnRequest

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

    from workbench.manifest import Manifest

__all__ = ["Selection", "default_fields", "select_columns"]

# Asked for by name like a field: the plugin's own bytes of each event.
PAYLOAD = "payload"
_OWN_COLUMNS = {PAYLOAD, "raw"}


@dataclass(frozen=True, slots=True)
class Selection:
    """What a request for fields comes to.

    ``requests``: columns that plugins extract. ``generic``: ``evt.*`` columns asked
    for. ``payload``: whether the plugin's bytes were asked for. ``columns``: all names
    in the order asked for, each once.
    """

    requests: tuple[ColumnRequest, ...]
    generic: tuple[str, ...]
    payload: bool
    columns: tuple[str, ...]


def default_fields(manifests: Sequence[Manifest], source: str) -> list[ResolvedField]:
    """Return the fields extracted from ``source`` that need no argument.

    Also those with names that no condition can spell: they are columns like any other.
    """
    table, _ = fields_of(manifests, source)
    return [
        ResolvedField(info, name)
        for name, info in table.items()
        if not (info.arg and info.arg.required) and name not in _OWN_COLUMNS
    ]


def select_columns(
    texts: Iterable[str | ResolvedField] | None,
    manifests: Sequence[Manifest],
    source: str,
) -> Selection:
    """Resolve field texts for events of ``source``; None means the default fields.

    What is resolved already is taken as it is.

    Raises ConditionError for an unknown field or a wrong argument.
    """
    table, owners = fields_of(manifests, source)
    if texts is None:
        texts = [*default_fields(manifests, source)]
        if any("async" in m.capabilities for m in manifests):
            texts += ASYNC_FIELDS
    elif isinstance(texts, str):
        raise wrong("open", "fields", "a list of field texts", texts)
    columns: dict[str, ResolvedField | None] = {}
    for text in texts:
        if text == PAYLOAD:
            columns.setdefault(PAYLOAD, None)
            continue
        resolved = resolve(text, table) if isinstance(text, str) else text
        columns.setdefault(resolved.column, resolved)
    requests = [
        _request(r, owners[r.info.name], manifests)
        for r in columns.values()
        if r is not None and r.info.name not in BUILTIN_FIELDS
    ]
    return Selection(
        requests=tuple(requests),
        generic=tuple(c for c in columns if c in BUILTIN_FIELDS),
        payload=PAYLOAD in columns,
        columns=tuple(columns),
    )


def _request(
    resolved: ResolvedField, plugin: int, manifests: Sequence[Manifest]
) -> ColumnRequest:
    info = resolved.info
    if _unwritable(resolved.column):
        raise WorkbenchError(
            f"the argument of field {printable(resolved.column)} is not UTF-8: no "
            "column of a table can be named like that"
        )
    return ColumnRequest(
        column=resolved.column,
        plugin=plugin,
        field_id=manifests[plugin].fields.field_id(info.name),
        field=info.name,
        type=info.type,
        is_list=info.is_list,
        arg_present=resolved.arg_present,
        arg_key=resolved.arg_key,
        arg_index=resolved.arg_index,
    )


def _unwritable(name: str) -> bool:
    try:
        name.encode()
    except UnicodeEncodeError:
        return True
    return False
