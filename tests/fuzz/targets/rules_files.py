"""Rules files: read, checked against fields, and what falco.yaml says."""

from __future__ import annotations

import os
from pathlib import Path
from typing import TYPE_CHECKING

from tests.condition.conftest import FIELDS
from tests.fuzz.targets.yaml_texts import WORDS, made_of
from tests.rules.texts import BROKEN, FILE, TWO
from workbench.errors import WorkbenchError
from workbench.falco_config import read_falco_yaml
from workbench.rules import Target, parse_rules

if TYPE_CHECKING:
    from random import Random

_KEYS = (
    b"- rule: r\n", b"- macro: m\n", b"- list: l\n", b"  items: [a, l, 5]\n", b"  condition: t.string = a and m\n",
    b"  condition: t.uint64 in (l)\n", b"  output: x %t.string %t.key[a] %evt.time\n", b"  desc: d\n",
    b"  priority: INFO\n", b"  source: t\n", b"  tags: [a, b]\n", b"  enabled: no\n", b"  append: true\n",
    b"  override: {condition: append, items: replace}\n", b"- required_engine_version: 0.50.0\n",
    b"- required_plugin_versions: [{name: t, version: 1.0.0}]\n", b"  condition: >\n    t.string = a\n",
    b"  exceptions: [{name: e, fields: [t.string], comps: [in], values: [[a, b]]}]\n", b"rules_files: [a, b]\n",
    b"plugins: [{name: a, library_path: a.so, init_config: {a: 1}}]\n", b"load_plugins: [a]\n", b"json_output: true\n",
)  # fmt: skip
_SEEDS = tuple(text.encode() for text in (BROKEN, FILE, TWO))
_TARGET = Target({"t": FIELDS}, {"t": "1.2.3"})
_LONGEST_TEXT = 20_000


def make(dice: Random) -> bytes:
    return made_of(dice, _SEEDS, (*_KEYS, *_KEYS, *WORDS))


def check(data: bytes) -> None:
    """Everything wrong is a diagnostic; what Falco would refuse, one error."""
    try:
        ruleset = parse_rules(data)
        found = ruleset.check(_TARGET)
        ruleset.verdicts(_TARGET)
        repr(ruleset), repr(found), found._repr_html_()
    except WorkbenchError as error:
        assert len(str(error)) < _LONGEST_TEXT
    link = Path(f"/dev/shm/fuzz-{os.getpid()}.yaml")
    try:
        link.write_bytes(data)
        repr(read_falco_yaml(link))
    except WorkbenchError as error:
        assert len(str(error)) < _LONGEST_TEXT
    finally:
        link.unlink(missing_ok=True)
