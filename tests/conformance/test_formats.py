"""Output formats: text and JSON of the real engine, event by event."""

from __future__ import annotations

import json

from workbench.errors import RulesError
from workbench.fields.declarations import ArgInfo, FieldInfo
from workbench.rules import compile_output


def lines(path):
    return [json.loads(line) for line in path.read_text().splitlines()]


def raw(text):
    if text is None:
        return None
    if isinstance(text, dict):
        return bytes.fromhex(text["hex"])
    return text.encode()


def fault(case, probe):
    """Say how an answer differs from the engine's; "" when it does not."""
    try:
        output = compile_output(case["format"], probe.fields)
    except RulesError as error:
        message = error.diagnostics[0].message
        if case["ok"] or message != case["error"]:
            return f"refused: {message}"
        return ""
    if not case["ok"]:
        return f"accepted; the engine says {case['error']}"
    if output.names != case["names"]:
        return f"names {output.names}, not {case['names']}"
    table = probe.table(output.columns)
    texts, objects = output.render(table), output.json(table)
    for number, answer in case["rows"].items():
        row = int(number) - 1
        text = texts[row]
        shown = None if text is None else text.encode("utf-8", "surrogateescape")
        if shown != raw(answer["text"]):
            return f"event {number}: {text!r}, not {answer['text']!r}"
        if objects[row] != answer["json"]:
            return f"event {number}: {objects[row]!r}, not {answer['json']!r}"
    return ""


def test_formats_render_as_in_the_engine(conformance, probe):
    cases = lines(conformance / "engine-0.62" / "formats.jsonl")
    assert cases
    wrong = {c["id"]: found for c in cases if (found := fault(c, probe))}
    assert not wrong


def test_annotated_formats_render_as_in_the_newer_engine(conformance, values):
    import pyarrow as pa

    plain, arrow_type, _ = values
    # what the plugin of these cases declares
    arguments = {
        "t.key": ArgInfo(required=True, key=True),
        "t.idx": ArgInfo(required=True, index=True),
        "t.opt": ArgInfo(required=False, key=True),
        "t.both": ArgInfo(required=True, index=True, key=True),
    }
    wrong = []
    for case in lines(conformance / "engine-0.63" / "format-cases.jsonl"):
        fields, columns = {}, {}
        for text, spec in case["fields"].items():
            name = text.partition("[")[0]
            info = FieldInfo(name, spec["type"], spec["list"], arguments.get(name))
            fields[name] = info
            value = spec["value"]
            columns[text] = pa.array([plain(spec["type"], value)], arrow_type(info))
        try:
            output = compile_output(case["format"], fields)
        except RulesError:
            if case["expect"] != "error":
                wrong.append((case["format"], "refused"))
            continue
        if case["expect"] == "error":
            wrong.append((case["format"], "accepted"))
            continue
        missing = [n for n in output.columns if n not in columns]
        if any(n.startswith("evt.") for n in missing):
            continue  # the moment of that run is not part of the case
        for name in missing:
            info = fields[name.partition("[")[0]]
            columns[name] = pa.array([None], arrow_type(info))
        table = pa.table(columns or {"evt.num": pa.array([1], pa.uint64())})
        text = output.render(table)[0]
        if "t.both" in case["format"]:
            continue  # its value shows how that plugin was asked
        if text != case["text"]:
            wrong.append((case["format"], text, case["text"]))
    assert not wrong
