"""Output formats: text and JSON of the real engine, event by event."""

from __future__ import annotations

import pyarrow as pa

from tests.conformance.probe import arrow_type, plain
from tests.conformance.vectors import raw, unpack_numbers
from workbench.errors import RulesError
from workbench.fields.declarations import ArgInfo, FieldInfo
from workbench.rules import compile_output


def fault(case, probe):
    """Say how an answer differs from the engine's; "" when it does not."""
    try:
        output = compile_output(case["format"], probe.fields)
    except RulesError as error:
        message = error.diagnostics[0].message
        return "" if message == case.get("error") else f"refused: {message}"
    if "error" in case:
        return f"accepted; the engine says {case['error']}"
    if output.names != case["names"]:
        return f"names {output.names}, not {case['names']}"
    table = probe.table(output.columns)
    texts, objects = output.render(table), output.json(table)
    for numbers, told_text, told_object in case["rows"]:
        told = None if told_text is None else raw(told_text)
        for number in unpack_numbers(numbers):
            text = texts[number - 1]
            shown = None if text is None else text.encode("utf-8", "surrogateescape")
            if shown != told:
                return f"event {number}: {text!r}, not {told_text!r}"
            if objects[number - 1] != told_object:
                return f"event {number}: {objects[number - 1]!r}, not {told_object!r}"
    return ""


def test_formats_render_as_in_the_engine(vectors, probe):
    cases = vectors.cases("formats")
    assert cases
    wrong = {c["id"]: found for c in cases if (found := fault(c, probe))}
    assert not wrong


def test_annotated_formats_render_as_in_the_newer_engine(vectors):
    # what the plugin of these cases declares
    arguments = {
        "t.key": ArgInfo(required=True, key=True),
        "t.idx": ArgInfo(required=True, index=True),
        "t.opt": ArgInfo(required=False, key=True),
        "t.both": ArgInfo(required=True, index=True, key=True),
    }
    wrong = []
    for case in vectors.cases("newer-formats"):
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
