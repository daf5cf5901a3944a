"""Rules files: verdicts, codes, places, alerts of the real engine."""

from __future__ import annotations

import json
from collections import defaultdict

import pytest

from workbench.rules import Target, load_rules, parse_rules
from workbench.rules.loader import load
from workbench.rules.loading.files import read_path
from workbench.rules.outputs.output import parse_output
from workbench.rules.running.alert_format import AlertFormat
from workbench.rules.running.alerts import Alerts
from workbench.rules.running.options import RunOptions

# Records in which the engine itself failed while running.
ENGINE_FAILURES = {"y0966"}


class Form(AlertFormat):
    """The form of the recorded run: evt.num is added to every alert."""

    def extra_fields(self, entry, fields):  # noqa: ARG002 - the same for all
        return (("evt.num", parse_output("*%evt.num", fields), True),)


@pytest.fixture(scope="module")
def records(conformance):
    path = conformance / "engine-0.62" / "rules.jsonl"
    found = [json.loads(line) for line in path.read_text().splitlines()]
    assert found
    return [r for r in found if r["group"] != "undefined-behaviour"]


@pytest.fixture(scope="module")
def target(probe):
    return Target({"probe": probe.fields}, {"probe": "1.2.3"})


@pytest.fixture(autouse=True)
def beside_the_files(conformance, monkeypatch):
    monkeypatch.chdir(conformance / "engine-0.62" / "rules")


def places(entry):
    return [
        (link["item_type"], link["item_name"], link["position"])
        for link in entry["context"]["locations"]
    ]


def fault(answer, got, known):
    """Say how the verdict on one file differs; "" when it does not."""
    data = got.engine_json()
    if data["successful"] != answer["successful"]:
        return f"successful {data['successful']}: {data['errors']}"
    for theirs, ours in zip(answer["errors"], data["errors"], strict=True):
        if theirs["code"] != ours["code"]:
            return f"{ours['code']}, the engine has {theirs['code']}"
        if places(theirs) != places(ours):
            return f"error at {places(ours)}, the engine's at {places(theirs)}"
    warned = {w["code"] for w in data["warnings"]}
    for warning in answer["warnings"]:
        if warning["code"] not in warned:
            return f"no {warning['code']}: {warned}"
    for entry in [*answer["errors"], *answer["warnings"]]:
        if entry["code"] not in known and not entry["code"].startswith("LOAD_UNUSED"):
            return f"{entry['code']} is not among all complaints"
    if data.get("schema_warnings", []) != answer.get("schema_warnings", []):
        return f"schema warnings {data.get('schema_warnings')}"
    if data.get("schema_valid") != answer.get("schema_valid"):
        return f"schema_valid {data.get('schema_valid')}"
    return ""


def test_every_file_gets_the_engines_verdict_codes_and_places(records, target):
    wrong = []
    for record in records:
        loaded = load([read_path(name) for name in record["files"]], target)
        if not record["validate"]:
            if loaded.successful != (record["exit_code"] == 0):
                wrong.append(f"{record['id']}: {loaded.successful}")
            continue
        known = {p.code for p in loaded.diagnostics}
        for answer, got in zip(record["validate"], loaded.results, strict=True):
            found = fault(answer, got, known)
            if found:
                wrong.append(f"{record['id']} {answer['name']}: {found}")
    assert not wrong, "\n".join(wrong)


def test_alerts_are_those_of_the_engine(records, target, probe):
    wrong = []
    for record in records:
        if record.get("alerts") is None or record["id"] in ENGINE_FAILURES:
            continue
        options = RunOptions(alert_format=Form(include_message=True))
        engine = load_rules(*record["files"]).engines(target, options)["probe"]
        table = probe.table(engine.columns)
        for every in (True, False):
            alerts = Alerts([engine.match(table, all_matches=every)])
            fired = defaultdict(list)
            order = defaultdict(list)
            for number, rule in alerts.pairs():
                fired[rule].append(number)
                order[number].append(rule)
            wanted = record["alerts"]
            if not every:
                wanted = record.get("alerts_first_match") or wanted
            if dict(fired) != wanted:
                wrong.append(f"{record['id']} all={every}: {dict(fired)}")
            if not every:
                continue
            first = {}
            for alert in alerts.to_dicts():
                first.setdefault(alert["rule"], alert)
            if first != record["first_alert"]:
                wrong.append(f"{record['id']}: {first}")
            told = record.get("alert_order")
            if told and order[told["event"]] != told["rules"]:
                wrong.append(f"{record['id']}: order {order[told['event']]}")
    assert not wrong, "\n".join(wrong)


def test_valid_files_survive_export_and_loading_again(records):
    wrong = []
    for record in records:
        if record["exit_code"]:
            continue
        rules = load_rules(*record["files"])
        items = [*rules.lists, *rules.macros]
        items += [r for r in rules.rules if r.output == r.output.strip()]
        back = parse_rules("".join(item.to_yaml() for item in items))
        same = [*back.lists, *back.macros, *back.rules] == items
        again = parse_rules(rules.to_yaml())
        if not same or (rules.rules, rules.macros, rules.lists) != (
            again.rules,
            again.macros,
            again.lists,
        ):
            wrong.append(record["id"])
    assert not wrong


# Cases of the newer engine whose answer is that engine's alone, with the reason.
NEWER_ENGINE = {
    "engine 0x3f": "asks for the newer engine's version",
    "engine 077": "asks for the newer engine's version",
    "depth199": "nesting is limited from 0.63 on",
}


def test_annotated_files_get_the_newer_engines_verdict(conformance):
    from workbench.fields.declarations import FieldInfo

    cases = conformance / "engine-0.63" / "rules-cases.jsonl"
    fields = {}
    for line in (cases.parent / "filter-cases.jsonl").read_text().splitlines():
        for text, spec in json.loads(line)["fields"].items():
            name, bracket, _ = text.partition("[")
            arg = {"isKey": True, "isIndex": True} if bracket else None
            fields[name] = FieldInfo.from_json(
                {
                    "name": name,
                    "type": spec["type"],
                    "isList": spec["list"],
                    "arg": arg,
                }
            )
    fields["ka.fake"] = FieldInfo("ka.fake", "string")
    target = Target({"tsrc": fields}, {"tplug": "1.2.3"})
    wrong = []
    for line in cases.read_text().splitlines():
        case = json.loads(line)
        if case.get("fatal") or case["name"] in NEWER_ENGINE:
            continue
        loaded = parse_rules(case["rules"]).loaded(target)
        ok = all(r.successful for r in loaded.results)
        codes = {p.code for p in loaded.diagnostics}
        missing = {e["code"] for e in [*case["errors"], *case["warnings"]]} - codes
        if "63" in case["rules"]:
            continue  # a required version that only the newer engine satisfies
        if ok != case["successful"] or missing:
            wrong.append(
                (case["name"], case["errors"], [p.message for p in loaded.diagnostics])
            )
    assert not wrong, "\n".join(map(str, wrong))
