from __future__ import annotations

import json
from collections import Counter

import pyarrow as pa
import pytest

from tests.condition.reference_rows import reference_mask
from workbench.condition import compile_condition
from workbench.errors import ConditionError
from workbench.fields.declarations import ArgInfo, FieldInfo

# What our codes say of the three kinds of warning that the engine knows.
ENGINE_KINDS = {
    "regex-not-needed": "may be optimized with simpler operators",
    "value-looks-like-field": "may be a valid field misused",
    "value-looks-like-call": "may be a valid field transformer misused",
}

# Newer engines differ from the target here; the reason is what this says.
NEWER_ENGINE = {
    "nesting is limited from 0.63 on": lambda case: "G-DEPTH" in case["note"],
    "\\xHH escapes are known from 0.63 on": lambda case: "\\x" in case["condition"],
    "the engine fails at run time": lambda case: "class RT-" in case["note"],
    "regex repairs invalid UTF-8 from 0.63 on": lambda case: (
        " regex " in case["condition"]
        and any(isinstance(f["value"], dict) for f in case["fields"].values())
    ),
}


def vectors(path):
    return [json.loads(line) for line in path.read_text().splitlines()]


def kinds(case):
    return Counter(
        code
        for text in case.get("warnings", [])
        for code, words in ENGINE_KINDS.items()
        if words in text
    )


def judge(case, raw, probe):
    """Say in words how the answer differs from the engine's; "" when it does not."""
    try:
        compiled = compile_condition(raw, probe.fields)
    except ConditionError as error:
        if case["ok"]:
            return f"refused: {error.message}"
        if error.stage != case["stage"]:
            return f"{error.stage} error, the engine has {case['stage']}"
        if error.stage == "parse" and error.position != case["pos"]["idx"]:
            return f"stopped at {error.position}, the engine at {case['pos']['idx']}"
        return ""
    if not case["ok"]:
        return f"accepted; the engine says {case['error']}"
    if compiled.ast != case["ast"]:
        return f"prints as {compiled.ast}"
    ours = Counter(w.code for w in compiled.warnings if w.code in ENGINE_KINDS)
    if ours != kinds(case):
        return f"warns {dict(ours)}, the engine {dict(kinds(case))}"
    table = probe.table(compiled.columns)
    for name, mask in (
        ("fast", compiled.mask(table).to_pylist()),
        ("slow", reference_mask(compiled.bound.root, table)),
    ):
        found = [event for event, match in enumerate(mask, 1) if match]
        if found != case["matches"]:
            odd = sorted(set(found) ^ set(case["matches"]))
            return f"the {name} evaluator differs on events {odd[:10]}"
    return ""


def test_every_condition_gets_the_verdict_of_the_engine(conformance, probe, values):
    _, _, as_text = values
    cases = vectors(conformance / "engine-0.62" / "conditions.jsonl")
    judged = [case for case in cases if case["ok"] is not None]
    wrong = {}
    for case in judged:
        condition = case["condition"]
        raw = condition.encode() if isinstance(condition, str) else as_text(condition)
        difference = judge(case, raw, probe)
        if difference:
            wrong[case["id"]] = f"{condition}: {difference}"
    assert len(judged) > 6000
    assert not wrong, "\n".join(f"{id_} {text}" for id_, text in wrong.items())


def test_conditions_that_break_the_engine_get_some_answer(conformance, probe):
    cases = vectors(conformance / "engine-0.62" / "conditions.jsonl")
    for case in cases:
        if case["ok"] is None:
            compiled = compile_condition(case["condition"], probe.fields)
            mask = compiled.mask(probe.table(compiled.columns))
            assert len(mask) == len(probe.rows)
            assert mask.null_count == 0


def small_table(case, values):
    """Give the fields and the one-row table of a case of the newer engine."""
    plain, arrow_type, _ = values
    infos = {
        "t.key": FieldInfo("t.key", "string", arg=ArgInfo(required=True, key=True)),
        "t.idx": FieldInfo("t.idx", "string", arg=ArgInfo(required=True, index=True)),
    }
    columns = {
        "evt.num": pa.array([1], pa.uint64()),
        "evt.source": pa.array([b"t"]),
        "evt.is_async": pa.array([False]),
        "evt.asynctype": pa.array([None], pa.binary()),
        "evt.rawtime": pa.array([1], pa.uint64()),
        "evt.pluginname": pa.array([b"t"]),
        "evt.plugininfo": pa.array([b"t"]),
    }
    for text, spec in case["fields"].items():
        name, arg = text.partition("[")[0], spec.get("arg")
        info = FieldInfo(
            name,
            spec["type"],
            spec["list"],
            FieldInfo.from_json({"name": name, "type": "x", "arg": arg}).arg,
        )
        infos[name] = info
        columns[text] = pa.array([plain(info.type, spec["value"])], arrow_type(info))
    return infos, pa.table(columns)


def test_the_cases_of_the_newer_engine_agree_but_for_named_differences(
    conformance, values
):
    cases = vectors(conformance / "engine-0.63" / "filter-cases.jsonl")
    judged = 0
    wrong = []
    for number, case in enumerate(cases):
        if any(applies(case) for applies in NEWER_ENGINE.values()):
            continue
        judged += 1
        infos, table = small_table(case, values)
        try:
            compiled = compile_condition(case["condition"], infos)
            for name in compiled.columns:
                if name not in table.column_names:
                    table = table.append_column(name, pa.nulls(1, pa.binary()))
            verdict = compiled.mask(table).to_pylist()[0]
        except ConditionError:
            verdict = "error"
        if verdict != case["expect"]:
            wrong.append(f"{number} {case['condition']!r}: {verdict}, {case['note']}")
    assert judged > 840
    assert not wrong, "\n".join(wrong)


@pytest.mark.parametrize("reason", NEWER_ENGINE)
def test_named_differences_of_the_newer_engine_are_skipped(conformance, reason):
    cases = vectors(conformance / "engine-0.63" / "filter-cases.jsonl")
    left_out = [case["condition"] for case in cases if NEWER_ENGINE[reason](case)]
    assert 0 < len(left_out) < 12
    pytest.skip(f"{reason}: {len(left_out)} cases")
