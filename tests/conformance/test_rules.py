"""Rules files: verdicts, codes, places, alerts of the real engine."""

from __future__ import annotations

from collections import defaultdict

import pytest

from tests.conformance.vectors import pack_numbers, raw
from workbench.fields.declarations import FieldInfo
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


@pytest.fixture
def records(vectors):
    found = [r for r in vectors.cases("rules") if r["group"] != "undefined-behaviour"]
    assert found
    return found


@pytest.fixture(scope="module")
def target(probe):
    return Target({"probe": probe.fields}, {"probe": "1.2.3"})


@pytest.fixture(scope="module")
def files(vectors, tmp_path_factory):
    """The folder with the rules files of all records."""
    folder = tmp_path_factory.mktemp("rules")
    for record in vectors.cases("rules"):
        for name, text in record["files"].items():
            (folder / name).write_bytes(raw(text))
    return folder


@pytest.fixture(autouse=True)
def beside_the_files(files, monkeypatch):
    """Complaints name a file as it was named, so work where they lie."""
    monkeypatch.chdir(files)


def places(entry):
    """Give the places of one of our complaints in the form of the vectors."""
    found = []
    for link in entry["context"]["locations"]:
        at = link["position"]
        numbers = (at["line"], at["column"], at["offset"])
        found.append([link["item_type"], link["item_name"], at["name"], *numbers])
    return found


def fault(answer, got, known):
    """Say how the verdict on one file differs; "" when it does not."""
    data = got.engine_json()
    errors, warnings = answer.get("errors", []), answer.get("warnings", [])
    if data["successful"] != answer["successful"]:
        return f"successful {data['successful']}: {data['errors']}"
    for (code, *told), ours in zip(errors, data["errors"], strict=True):
        if code != ours["code"]:
            return f"{ours['code']}, the engine has {code}"
        if told != places(ours):
            return f"error at {places(ours)}, the engine's at {told}"
    warned = {w["code"] for w in data["warnings"]}
    for code, *_ in warnings:
        if code not in warned:
            return f"no {code}: {warned}"
    for code, *_ in [*errors, *warnings]:
        if code not in known and not code.startswith("LOAD_UNUSED"):
            return f"{code} is not among all complaints"
    if data.get("schema_warnings", []) != answer.get("schema_warnings", []):
        return f"schema warnings {data.get('schema_warnings')}"
    if data.get("schema_valid") != answer.get("schema_valid"):
        return f"schema_valid {data.get('schema_valid')}"
    return ""


def test_every_file_gets_the_engines_verdict_codes_and_places(records, target):
    wrong = []
    for record in records:
        loaded = load([read_path(name) for name in record["files"]], target)
        if "verdicts" not in record:
            if loaded.successful != (record["exit_code"] == 0):
                wrong.append(f"{record['id']}: {loaded.successful}")
            continue
        known = {p.code for p in loaded.diagnostics}
        for answer, got in zip(record["verdicts"], loaded.results, strict=True):
            found = fault(answer, got, known)
            if found:
                wrong.append(f"{record['id']} {answer['name']}: {found}")
    assert not wrong, "\n".join(wrong)


def test_alerts_are_those_of_the_engine(records, target, probe):
    wrong = []
    for record in records:
        if "alerts" not in record or record["id"] in ENGINE_FAILURES:
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
            if {rule: pack_numbers(n) for rule, n in fired.items()} != wanted:
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


def newer_target(conditions):
    """Give the plugin of the newer cases: the fields that its conditions name."""
    fields = {"ka.fake": FieldInfo("ka.fake", "string")}
    for case in conditions:
        for text, spec in case["fields"].items():
            name, bracket, _ = text.partition("[")
            fields[name] = FieldInfo.from_json(
                {
                    "name": name,
                    "type": spec["type"],
                    "isList": spec["list"],
                    "arg": {"isKey": True, "isIndex": True} if bracket else None,
                }
            )
    return Target({"tsrc": fields}, {"tplug": "1.2.3"})


def test_annotated_files_get_the_newer_engines_verdict(vectors):
    target = newer_target(vectors.cases("newer-conditions"))
    wrong = []
    for case in vectors.cases("newer-rules"):
        if "differs" in case:
            continue
        loaded = parse_rules(case["rules"]).loaded(target)
        ok = all(r.successful for r in loaded.results)
        missing = set(case["codes"]) - {p.code for p in loaded.diagnostics}
        if ok != case["successful"] or missing:
            told = [p.message for p in loaded.diagnostics]
            wrong.append((case["name"], case["codes"], told))
    assert not wrong, "\n".join(map(str, wrong))
