"""The format of rule tests, from the schema that files are held against."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import workbench

__all__ = ["rule_tests_page"]

_INTRODUCTION = """\
# Rule test files

A YAML file, mostly called `*_rule_tests.yaml`: events, and the rules that must or must
not fire on them. `workbench test FILE` runs it, or pytest with
`workbench_rule_tests = true`; `RuleSet.write_tests` writes one from labelled events.

```yaml
source: weblog
rules: weblog_rules.yaml
fields:
  weblog.status: uint64
  weblog.path: string
cases:
  - name: a climbing request that was refused
    event: {weblog.status: 403, weblog.path: /a/../../etc/passwd}
    fires: Path traversal refused
  - name: an ordinary request
    event: {weblog.status: 200, weblog.path: /index.html}
    quiet: Path traversal refused
```

An event is given in one of three ways: its fields' values (`event`), the plugin's own
bytes (`payload`), or event numbers of a saved capture (`events`). Every case says what
must happen: `fires`, `quiet`, or `exactly` (these rules and no others). A field that is
not given is absent. A case that lacks what a rule reads is *not decided*, and never
counts as passed.
"""


def rule_tests_page() -> str:
    """Return the page: an example, the keys, the whole schema."""
    path = Path(workbench.__file__).parent / "rules" / "rule_tests.schema.json"
    text = path.read_text("utf-8")
    schema: dict[str, Any] = json.loads(text)
    case = schema["properties"]["cases"]["items"]["properties"]
    return "\n\n".join(
        [
            _INTRODUCTION,
            "## Keys of the file",
            _table(schema["properties"]),
            "## Keys of a case",
            _table(case),
            f"## The schema\n\n```json\n{text.rstrip()}\n```\n",
        ]
    )


def _table(properties: dict[str, Any]) -> str:
    rows = [
        f"| `{name}` | {_kind(facts)} | {facts.get('description', '')} |"
        for name, facts in properties.items()
    ]
    return "\n".join(["| key | value | meaning |", "|---|---|---|", *rows])


def _kind(facts: dict[str, Any]) -> str:
    if "$ref" in facts:
        return {"names": "a name, or a list of names", "bytes": "text, or hex: …"}[
            facts["$ref"].rsplit("/", 1)[-1]
        ]
    kind = facts.get("type") or [k for o in facts.get("oneOf", ()) for k in [o["type"]]]
    kinds = [kind] if isinstance(kind, str) else kind
    flat = [k for one in kinds for k in ([one] if isinstance(one, str) else one)]
    return " or ".join(dict.fromkeys(flat))
