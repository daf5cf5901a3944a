"""State tables, texts of events and the shared page, whatever stands in them."""

from __future__ import annotations

import struct
from typing import TYPE_CHECKING

from tests.fuzz.material import recording
from tests.fuzz.mutation import damaged
from workbench.plugins.state_tables import StateTables
from workbench.session.call_trace import Tracer
from workbench.session.crash_report import ExitFacts, crash_error, hang_error
from workbench.session.event_block import decode_texts
from workbench.session.table_decoder import decode_tables
from workbench.wire.shared_page import PAGE_BYTES, SharedPage

if TYPE_CHECKING:
    from random import Random

_KINDS = ("tables", "texts", "page")
_LONGEST = 20_000


def prepare() -> None:
    assert recording().memory["tables"]


def make(dice: Random) -> tuple[str, bytes]:
    kind = dice.choice(_KINDS)
    if kind == "tables":
        return kind, damaged(dice, recording().memory["tables"])
    if kind == "texts":
        return kind, damaged(dice, recording().memory["event_strings"])
    return kind, dice.randbytes(400) + damaged(dice, bytes(dice.randrange(2_000)))


def check(made: tuple[str, bytes]) -> None:
    kind, data = made
    try:
        if kind == "tables":
            _use_tables(data)
        elif kind == "texts":
            decode_texts(data, 3).validate(full=True)
        else:
            _use_page(data)
    except (ValueError, struct.error):
        if kind == "page":
            raise


def _use_tables(data: bytes) -> None:
    tables = StateTables(decode_tables(data))
    repr(tables)
    tables._repr_html_()
    for name in tables:
        repr(tables[name])


def _use_page(data: bytes) -> None:
    """Every word of a page may be a plugin's."""
    memory = bytearray(PAGE_BYTES)
    memory[: min(200, len(data))] = data[:200]
    memory[4096 : 4096 + len(data)] = data
    memory[16384 : 16384 + 2 * len(data)] = data * 2
    page = SharedPage(memory)
    page.waiting(), page.exited(), page.lost(), page.log_dropped(), page.counters()
    tracer = Tracer(page)
    tracer.names, tracer.plugins = ["", "plugin_init"], {0: "a", 1: "b"}
    tracer.drain()
    for call in tracer.calls(None, dead=True):
        repr(call)
    facts = ExitFacts(
        shared_page=page,
        exit_code=-11 if data[0] % 2 else 3,
        calls=["", "plugin_init", "plugin_open"],
        plugins={0: "a"},
        log_tail=["last"],
        crash_text=data.decode("utf-8", "replace"),
    )
    for error in (crash_error(facts), hang_error(facts, 1.0)):
        assert len(str(error)) < _LONGEST
