"""Events that tell a mutant from its rule, written as rule tests."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from workbench.errors import WorkbenchError
from workbench.fields.reference import resolve_column
from workbench.rules.target.value_text import raw_values
from workbench.rules.testing.labels import declared_types, written_value
from workbench.yamlcpp.emit import flow, scalar

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    import pyarrow as pa

    from workbench.fields.declarations import FieldInfo, FieldTable

__all__ = ["Witness", "tests_of", "witness_of"]


@dataclass(frozen=True, slots=True)
class Witness:
    """One event on which a rule and its mutant differ.

    ``origin``: where the event is from. ``fires``: whether the rule as it is fires on
    it. ``values``: column → its field and value, of the columns that the rule reads.
    """

    rule: str
    source: str
    origin: str
    event: int
    fires: bool
    values: tuple[tuple[str, FieldInfo, Any], ...]

    @property
    def sentence(self) -> str:
        """What happens on the event."""
        does, other = ("fires", "does not") if self.fires else ("is quiet", "fires")
        return f"on {self.origin} the rule {does} and the mutant {other}"

    def case_lines(self) -> Iterator[str]:
        """Yield the lines of a case to be added to a file of rule tests."""
        word = "fires" if self.fires else "quiet"
        yield f"  - name: {scalar(f'{self.rule} {word} on {self.origin}')}"
        yield f"    event:{'' if self.values else ' {}'}"
        for name, info, value in self.values:
            # absent is said, too: a test that leaves a field out may have forgotten it
            text = "null" if value is None else written_value(value, info)
            yield f"      {flow(name)}: {text}"
        yield f"    {word}: [{flow(self.rule)}]"

    def to_dict(self) -> dict[str, Any]:
        """Return what JSON shows."""
        return {
            "event": self.event,
            "origin": self.origin,
            "fires": self.fires,
            "test": "\n".join(self.case_lines()) + "\n",
        }


def witness_of(
    table: pa.Table,
    row: int,
    *,
    columns: Sequence[str],
    fields: FieldTable,
    **facts: Any,
) -> Witness:
    """Make a witness of one row; ``facts``: the other attributes but ``event``."""
    one = table.slice(row, 1)
    values = []
    for name in dict.fromkeys(map(_given_by, columns)):
        info = resolve_column(name, fields).info
        (value,) = raw_values(one.column(name), info.type, is_list=info.is_list)
        values.append((name, info, value))
    number = one.column("evt.num")[0].as_py()
    return Witness(event=number, values=tuple(values), **facts)


def _given_by(column: str) -> str:
    """Return the column that an event gives a built-in one with."""
    built_in = column.startswith("evt.") and column != "evt.num"
    return "evt.rawtime" if built_in else column


def tests_of(witnesses: Sequence[Witness], source: str | None) -> str:
    """Return a file of rule tests with a case for each of ``witnesses``."""
    chosen = [w for w in witnesses if source in (None, w.source)]
    sources = list(dict.fromkeys(w.source for w in chosen))
    if len(sources) > 1:
        raise WorkbenchError(
            f"these events are of several sources; name one of {', '.join(sources)}"
        )
    if not chosen:
        return ""
    lines = [f"source: {scalar(sources[0])}"]
    fields = {name: info for w in chosen for name, info, _ in w.values}
    lines += declared_types(fields)
    lines.append("cases:")
    unique = {(w.rule, w.origin, w.event): w for w in chosen}
    for witness in unique.values():
        lines += witness.case_lines()
    return "\n".join(lines) + "\n"
