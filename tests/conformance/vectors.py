"""The recorded answers of the real engine, in the one short form the tests read.

The full set keeps whatever the engine printed. Reading it here keeps what a test
compares; the slice in ``data/`` is stored in that short form (see its README).
"""

from __future__ import annotations

import json
import os
from functools import cache
from pathlib import Path

SLICE = Path(__file__).resolve().parent / "data"
BESIDE_THE_CLONE = Path(__file__).resolve().parents[3] / "shared" / "conformance"

# What the engine says in its warnings, and our codes for the same.
WARNINGS = {
    "regex-not-needed": "may be optimized with simpler operators",
    "value-looks-like-field": "may be a valid field misused",
    "value-looks-like-call": "may be a valid field transformer misused",
}

# Where a newer engine's answer is not the target's, with the reason.
NEWER_CONDITIONS = {
    "nesting is limited from 0.63 on": lambda case: "G-DEPTH" in case["note"],
    "\\xHH escapes are known from 0.63 on": lambda case: "\\x" in case["condition"],
    "the engine fails at run time": lambda case: "class RT-" in case["note"],
    "regex repairs invalid UTF-8 from 0.63 on": lambda case: (
        " regex " in case["condition"]
        and any(isinstance(f["value"], dict) for f in case["fields"].values())
    ),
}
NEWER_RULES = {
    "asks for the newer engine's version": lambda case: (
        "63" in case["rules"] or case["name"] in {"engine 0x3f", "engine 077"}
    ),
    "nesting is limited from 0.63 on": lambda case: case["name"] == "depth199",
    "blanks around comps are taken from 0.63 on": lambda case: (
        case["name"] == "comps with blanks"
    ),
    "ends the program": lambda case: bool(case.get("fatal")),
}


def pack_numbers(numbers) -> str:
    """Write ascending numbers as ranges: ``2-4 8``."""
    ranges: list[list[int]] = []
    for number in numbers:
        if ranges and ranges[-1][1] == number - 1:
            ranges[-1][1] = number
        else:
            ranges.append([number, number])
    return " ".join(str(a) if a == b else f"{a}-{b}" for a, b in ranges)


def unpack_numbers(text: str) -> list[int]:
    """Read what ``pack_numbers`` wrote."""
    numbers: list[int] = []
    for piece in text.split():
        first, _, last = piece.partition("-")
        numbers += range(int(first), int(last or first) + 1)
    return numbers


def raw(text) -> bytes:
    """Decode the form the vectors give a text: a string, or hex for any bytes."""
    return bytes.fromhex(text["hex"]) if isinstance(text, dict) else text.encode()


def _picked(case, *names):
    return {name: case[name] for name in names if name in case}


def _row(case, _folder):
    fields = {}
    for name, spec in case["fields"].items():
        if spec.get("present"):
            fields[name] = spec["value"]
        for argument, value in spec.get("args", {}).items():
            fields[f"{name}[{argument}]"] = value
    return {**_picked(case, "event", "ts", "note"), "fields": fields}


def _condition(case, _folder):
    short = _picked(case, "id", "group", "condition")
    if case["ok"] is None:
        return {**short, "engine": "fails while running"}
    if not case["ok"]:
        place = {"at": case["pos"]["idx"]} if case["stage"] == "parse" else {}
        return {**short, "refused": case["stage"], **place}
    short["matches"] = pack_numbers(case["matches"])
    if case["ast"] != case["condition"]:
        short["ast"] = case["ast"]
    warnings = [
        code
        for text in case.get("warnings", [])
        for code, words in WARNINGS.items()
        if words in text
    ]
    return {**short, "warnings": sorted(warnings)} if warnings else short


def _format(case, _folder):
    short = _picked(case, "id", "group", "format")
    if not case["ok"]:
        return {**short, "error": case["error"]}
    answers: dict[str, list[int]] = {}
    for number, answer in case["rows"].items():
        answers.setdefault(json.dumps([answer["text"], answer["json"]]), []).append(
            int(number)
        )
    rows = [[pack_numbers(n), *json.loads(a)] for a, n in answers.items()]
    return {**short, "names": case["names"], "rows": rows}


def _complaint(entry):
    """Keep a complaint's code and where it stands, outermost place first."""
    places = []
    for place in entry["context"]["locations"]:
        at = place["position"]
        numbers = (at["line"], at["column"], at["offset"])
        places.append([place["item_type"], place["item_name"], at["name"], *numbers])
    return [entry["code"], *places]


def _verdict(answer):
    short = _picked(answer, "name", "successful", "schema_valid")
    for kind in ("errors", "warnings"):
        if answer[kind]:
            short[kind] = [_complaint(entry) for entry in answer[kind]]
    if answer.get("schema_warnings"):
        short["schema_warnings"] = answer["schema_warnings"]
    return short


def _text(path):
    content = path.read_bytes()
    try:
        return content.decode()
    except UnicodeDecodeError:
        return {"hex": content.hex()}


def _rules(case, folder):
    short = _picked(case, "id", "group")
    short["files"] = {name: _text(folder / "rules" / name) for name in case["files"]}
    short["exit_code"] = case["exit_code"]
    if case["validate"]:
        short["verdicts"] = [_verdict(answer) for answer in case["validate"]]
    for name in ("alerts", "alerts_first_match"):
        if case.get(name) is not None:
            short[name] = {rule: pack_numbers(n) for rule, n in case[name].items()}
    return {**short, **_picked(case, "first_alert", "alert_order")}


def _config(case, _folder):
    return _picked(
        case, "id", "group", "config", "exit_code", "alerts", "init_config_seen"
    )


def _with_difference(short, case, reasons):
    differs = [reason for reason, applies in reasons.items() if applies(case)]
    return {**short, "differs": differs[0]} if differs else short


def _newer_condition(case, _folder):
    short = _picked(case, "condition", "fields", "expect")
    if case["note"]:
        short["note"] = case["note"]
    return _with_difference(short, case, NEWER_CONDITIONS)


def _newer_format(case, _folder):
    return _picked(case, "format", "fields", "expect", "text")


def _newer_rules(case, _folder):
    short = _picked(case, "name", "rules", "successful")
    entries = [*case.get("errors", []), *case.get("warnings", [])]
    short["codes"] = sorted({entry["code"] for entry in entries})
    return _with_difference(short, case, NEWER_RULES)


# Kind → (file of the full set, what is kept of a line of it).
KINDS = {
    "rows": ("engine-0.62/rows.jsonl", _row),
    "conditions": ("engine-0.62/conditions.jsonl", _condition),
    "formats": ("engine-0.62/formats.jsonl", _format),
    "rules": ("engine-0.62/rules.jsonl", _rules),
    "configs": ("engine-0.62/configs.jsonl", _config),
    "newer-conditions": ("engine-0.63/filter-cases.jsonl", _newer_condition),
    "newer-formats": ("engine-0.63/format-cases.jsonl", _newer_format),
    "newer-rules": ("engine-0.63/rules-cases.jsonl", _newer_rules),
}


def _lines(path):
    return [json.loads(line) for line in path.read_text().splitlines()]


class Slice:
    """The part of the answers that belongs to the project."""

    def __init__(self, folder: Path = SLICE) -> None:
        self.folder = folder

    @cache  # noqa: B019 - two sets live as long as the test process
    def cases(self, kind: str) -> list[dict]:
        """Return the cases of a kind (a key of ``KINDS``), in their stored order."""
        return _lines(self.folder / f"{kind}.jsonl")

    @property
    def fields(self) -> list[dict]:
        """Return the field declarations of the plugin ``probe``."""
        return json.loads((self.folder / "fields.json").read_text())


class FullSet(Slice):
    """A set as it was recorded, shortened while it is read."""

    @cache  # noqa: B019 - as above
    def recorded(self, kind: str) -> list[dict]:
        """Return the cases of a kind with everything that was recorded."""
        return _lines(self.folder / KINDS[kind][0])

    @cache  # noqa: B019 - as above
    def cases(self, kind: str) -> list[dict]:
        """Return the cases of a kind in the form of the slice."""
        name, shortened = KINDS[kind]
        folder = (self.folder / name).parent
        return [shortened(case, folder) for case in self.recorded(kind)]

    @property
    def fields(self) -> list[dict]:
        """Return the field declarations of the plugin ``probe``."""
        return json.loads((self.folder / "engine-0.62" / "fields.json").read_text())


def full_set() -> FullSet | None:
    """Return the full set beside the clone or where WORKBENCH_CONFORMANCE points.

    Raise FileNotFoundError when that variable names something else than a folder.
    """
    named = os.environ.get("WORKBENCH_CONFORMANCE")
    folder = Path(named) if named else BESIDE_THE_CLONE
    if folder.is_dir():
        return FullSet(folder)
    if named:
        message = f"WORKBENCH_CONFORMANCE names {named}, which is not a folder"
        raise FileNotFoundError(message)
    return None
