"""Make the slice in ``data/`` from a full set: ``python -m tests.conformance.slice``.

The choice depends on the set alone. What somebody wrote for a reason is kept; of the
rest, the shortest cases that show something which the others do not.
"""

from __future__ import annotations

import argparse
import json
import re
import sys
from collections import Counter
from pathlib import Path

from tests.conformance.vectors import KINDS, SLICE, FullSet, full_set

WORD_OPERATORS = (
    "in|intersects|exists|contains|icontains|bcontains|startswith|bstartswith|"
    "endswith|glob|iglob|regex|pmatch"
)
# A check in canonical text: calls, field, argument, operator, modifier, right side.
CHECK = re.compile(
    r"(?P<calls>(?:[a-z0-9]+\()*)(?P<field>[A-Za-z_][\w.-]*)(?P<argument>\[[^\]]*\])?"
    rf"[^ ]* (?P<operator>[=!<>]=?|(?:{WORD_OPERATORS})\b) ?"
    r"(?P<modifier>oneof|anyof|allof)? ?(?P<right>[a-z0-9]+\(|\(|\"|\d)?"
)
KEY = re.compile(r"^[\s-]*([a-z_]+):", re.MULTILINE)


def error_kind(text):
    """Return an error without what belongs to the one text it is about."""
    return re.sub(r"\S*[^A-Za-z\s]\S*", "_", text)


def checks_shown(text, types):
    """Return operators, types, transformers and connectives of a condition."""
    shown = set()
    for check in CHECK.finditer(text):
        type_ = types.get(check["field"], "other")
        shown |= {
            (check["operator"], type_),
            (check["operator"], check["modifier"], check["right"]),
            (check["calls"][:24], type_),
            (check["field"], bool(check["argument"])),
        }
    words = Counter(re.findall(r"\b(?:and|or|not)\b", text))
    return shown | {(word, min(count, 3)) for word, count in words.items()}


def condition_shows(short, recorded, types):
    if recorded["ok"]:
        warnings = {("warning", code) for code in short.get("warnings", ())}
        return warnings | checks_shown(recorded["ast"], types)
    error = error_kind(recorded.get("error", "the engine fails"))
    return {(short["group"].partition("-")[0], error)}


def newer_condition_shows(short, recorded, _types):
    types = {
        name.partition("[")[0]: f"{spec['type']} {spec['list']}"
        for name, spec in recorded["fields"].items()
    }
    error = recorded["note"].partition("error class ")[2][:8]
    return {short["expect"], error} | checks_shown(recorded["condition"], types)


def rules_show(short, _recorded, _types):
    shown = {short["group"], ("exit", short["exit_code"]), len(short["files"])}
    shown |= {name for name in short if name.startswith("alert")}
    for text in short["files"].values():
        shown |= {("key", key) for key in KEY.findall(str(text))}
    for verdict in short.get("verdicts", ()):
        for kind in ("errors", "warnings"):
            for code, *places in verdict.get(kind, ()):
                shown.add((kind, code, places[-1][0]))
        for text in verdict.get("schema_warnings", ()):
            shown.add(re.sub(r"<.*?>|'.*?'|\d+", "", text))
    return shown


def newer_rules_show(short, _recorded, _types):
    keys = {("key", key) for key in KEY.findall(short["rules"])}
    return keys | {*short["codes"], short.get("successful")}


def names_of_surprises(full):
    """Return the ids that the description of the set points out as surprising."""
    text = (full.folder / "FORMAT.md").read_text()
    return set(re.findall(r"\b[hsrfyc]\d{3,4}\b", text))


def by_intent(short, named):
    """Whether somebody chose a case: h are written by hand, s systematic products."""
    return short["id"][0] in "hs" or short["id"] in named


def a_difference(short, _named):
    return "differs" in short


# Kind → (what is always kept, what a case shows, how often each thing is wanted).
# The other kinds are kept whole.
CHOICE = {
    "conditions": (by_intent, condition_shows, 1),
    "rules": (by_intent, rules_show, 3),
    "newer-conditions": (a_difference, newer_condition_shows, 1),
    "newer-rules": (a_difference, newer_rules_show, 3),
}


def chosen(kind, full):
    """Return the cases of a kind that the slice holds, in their order."""
    cases = full.cases(kind)
    if kind not in CHOICE:
        return cases
    always, shows, wanted = CHOICE[kind]
    named = names_of_surprises(full)
    types = {f["name"]: f"{f['type']} {f.get('isList')}" for f in full.fields}
    recorded = full.recorded(kind)
    seen: Counter = Counter()
    kept = set()

    def rank(number):
        return not always(cases[number], named), len(json.dumps(cases[number])), number

    for number in sorted(range(len(cases)), key=rank):
        shown = shows(cases[number], recorded[number], types)
        if always(cases[number], named) or any(seen[thing] < wanted for thing in shown):
            kept.add(number)
            seen.update(shown)
    return [case for number, case in enumerate(cases) if number in kept]


def write_slice(full: FullSet, folder: Path) -> None:
    """Write the slice of a full set into a folder, replacing what is there."""

    def line(value):
        return json.dumps(value, separators=(",", ":"))

    folder.mkdir(parents=True, exist_ok=True)
    fields = ",\n".join(map(line, full.fields))
    (folder / "fields.json").write_text(f"[\n{fields}\n]\n")
    for kind in KINDS:
        lines = [line(case) + "\n" for case in chosen(kind, full)]
        (folder / f"{kind}.jsonl").write_text("".join(lines))


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("full", nargs="?", type=Path, help="folder of the full set")
    parser.add_argument("--out", type=Path, default=SLICE)
    args = parser.parse_args()
    full = FullSet(args.full) if args.full else full_set()
    if full is None:
        print("No full set here: name its folder", file=sys.stderr)
        return 2
    write_slice(full, args.out)
    return 0


if __name__ == "__main__":
    raise SystemExit(main())
