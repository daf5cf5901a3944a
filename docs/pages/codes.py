"""The codes of diagnostics: each with its example, run while the page is written."""

from __future__ import annotations

import tomllib
from pathlib import Path
from typing import TYPE_CHECKING, Any

from workbench.authoring.check.codes import CODES
from workbench.condition import check_condition
from workbench.rules import Target, load_rules, parse_rules
from workbench.rules.model.rule_diagnostic import CODE_DESCRIPTIONS

if TYPE_CHECKING:
    from collections.abc import Iterator

    from workbench.diagnostics import Diagnostic

__all__ = ["FIELDS", "codes_page", "condition_text", "diagnose", "examples"]

FIELDS: list[dict[str, Any]] = [
    {"name": "web.path", "type": "string", "desc": "the path asked for"},
    {"name": "web.query", "type": "string", "desc": "what follows the ?"},
    {"name": "web.status", "type": "uint64", "desc": "the status answered"},
    {"name": "web.secure", "type": "bool", "desc": "over TLS"},
    {"name": "web.client", "type": "ipaddr", "desc": "who asked"},
    {"name": "web.network", "type": "ipnet", "desc": "the client's network"},
    {"name": "web.tags", "type": "string", "isList": True, "desc": "several words"},
    {
        "name": "web.header",
        "type": "string",
        "arg": {"isKey": True, "isRequired": True},
        "desc": "a header by name",
    },
    {
        "name": "web.part",
        "type": "string",
        "arg": {"isIndex": True, "isRequired": True},
        "desc": "a part of the path by number",
    },
    {"name": "ka.verb", "type": "string", "desc": "a field of another plugin"},
    {"name": "web.future", "type": "float", "desc": "of a type that is not known"},
]
_INTRODUCTION = """\
# Diagnostics

Every complaint is a `Diagnostic`: a severity, a code, a message, a location, a hint.
Codes in capitals are Falco's own; the others are the workbench's. Warnings and hints of
the workbench are switched off by `# workbench: ignore[code]` in a rules file,
`check(ignore=…)` or `workbench validate --ignore code`.

Each message below was made by running the wrong example when this page was built. The
fields of the examples:
"""


def examples() -> dict[str, dict[str, Any]]:
    """Return the table of examples, as in ``codes.toml``."""
    path = Path(__file__).with_name("codes.toml")
    return tomllib.loads(path.read_text("utf-8"))


def condition_text(entry: dict[str, Any]) -> str:
    """Return the wrong condition of an entry; long ones are made of repetitions."""
    if "wrong_repeat" in entry:
        before, count, middle, after = entry["wrong_repeat"]
        if isinstance(after, int):
            return str(before) + str(middle) * after
        return before * count + middle + after * count
    return str(entry["wrong"])


def diagnose(kind: str, entry: dict[str, Any], side: str) -> list[Diagnostic]:
    """Run the wrong or the right example (``side``) of an entry."""
    if kind == "conditions":
        text = condition_text(entry) if side == "wrong" else entry["right"]
        return check_condition(text, FIELDS)
    target = Target({"web": FIELDS}, {"web": "0.1.0"})  # type: ignore[dict-item]
    if "file" in entry:
        return list(load_rules(entry["file"]).check(target))
    return list(parse_rules(entry[side].lstrip("\n")).check(target))


def codes_page() -> str:
    """Return the page."""
    table = examples()
    rows = [
        f"| `{f['name']}` | {'list of ' if f.get('isList') else ''}{f['type']} "
        f"| {f['desc']} |"
        for f in FIELDS
    ]
    parts = [
        _INTRODUCTION,
        "\n".join(["| field | type | is |", "|---|---|---|", *rows]),
    ]
    parts += ["## Conditions", *_sections("conditions", table["conditions"])]
    parts += ["## Rules files", *_sections("rules", table["rules"])]
    parts += ["## Only in larger surroundings"]
    parts += [f"`{code}`\n: {why}" for code, why in table["elsewhere"].items()]
    parts += ["## Conformance of plugins", "Found by `workbench check PLUGIN`."]
    checks = [f"| `{c}` | {f.severity} | {f.reason} |" for c, f in CODES.items()]
    parts.append("\n".join(["| code | severity | why |", "|---|---|---|", *checks]))
    return "\n\n".join(parts) + "\n"


def _sections(kind: str, entries: dict[str, dict[str, Any]]) -> Iterator[str]:
    for code, entry in sorted(entries.items()):
        yield f"### {code}"
        if code in CODE_DESCRIPTIONS:
            yield f"*{CODE_DESCRIPTIONS[code]}*".replace("<", "\\<")
        yield entry["why"]
        found = [d for d in diagnose(kind, entry, "wrong") if d.code == code]
        yield _block(
            "text", "\n".join(dict.fromkeys(_short(str(d)) for d in found[:2]))
        )
        if "file" in entry:
            continue
        language = "yaml" if kind == "rules" else "text"
        wrong = entry["wrong"] if "wrong" in entry else condition_text(entry)
        yield "Wrong:\n\n" + _block(language, _short(wrong.strip("\n")) or " ")
        yield "Right:\n\n" + _block(language, entry["right"].strip("\n"))


def _short(text: str, longest: int = 700) -> str:
    return text if len(text) <= longest else text[:60] + "…" + text[-20:]


def _block(language: str, text: str) -> str:
    return f"```{language}\n{text}\n```"
