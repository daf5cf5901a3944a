"""The life of a plugin as a picture: drawn from real traces, sound and escaped."""

from __future__ import annotations

import itertools
from xml.etree import ElementTree as ET

import pytest

import workbench as wb
from workbench.plugins.trace import Trace
from workbench.session.types import TraceCall

SVG = "{http://www.w3.org/2000/svg}"


def boxes(picture):
    """Text of each function's box → whether it is filled, and its frame."""
    root = ET.fromstring(picture._repr_svg_())
    shapes = list(root)
    return {
        text.text: (shape.get("fill") == "#dbeafe", shape.attrib)
        for shape, text in itertools.pairwise(shapes)
        if shape.tag == f"{SVG}rect" and shape.get("stroke")
    }


def texts(picture):
    root = ET.fromstring(picture._repr_svg_())
    return ["".join(node.itertext()) for node in root.iter(f"{SVG}text")]


def test_the_picture_of_a_capture_has_its_calls_and_what_was_not_called(sample):
    with wb.load(sample("weblog")) as plugin:
        plugin.capture(max_events=1000)
        counts = plugin.trace.to_pandas().groupby("function")["count"].sum()
        drawn = boxes(plugin.trace.picture())
    extracted = f"extract_fields ×{counts['plugin_extract_fields']:,}"
    assert drawn[extracted][0]
    assert drawn["init"][0]
    assert drawn["init"][1]["stroke-width"] == "2.5"
    assert drawn["open"][0]
    assert "stroke-dasharray" not in drawn["open"][1]
    assert not drawn["event_to_string"][0]
    assert drawn["event_to_string"][1]["stroke-dasharray"]
    assert not drawn["destroy"][0]
    assert "parse_event" not in drawn, "the plugin has no such capability"


def test_the_functions_and_owners_are_those_of_the_plugins_own_version(sample):
    sample("legacy", "liblegacy_0_1.so")
    with wb.load(sample("legacy", "liblegacy_0_1.so")) as plugin:
        plugin.capture("5")
        old = plugin.trace.picture()
    with wb.load(sample("legacy", "liblegacy_3_0.so")) as plugin:
        plugin.capture("5")
        new = plugin.trace.picture()
    assert {"get_type", "free_mem"} <= {t.split(" ")[0] for t in boxes(old)}
    assert "get_type" not in boxes(new)
    assert "dump_state" not in boxes(new)
    assert "host’s, until the host frees it" in texts(old)
    assert "host’s, until the host frees it" not in texts(new)
    assert "API 0.1" in texts(old)[0]


def test_it_is_written_as_a_file_and_as_text(sample, tmp_path):
    with wb.load(sample("weblog")) as plugin:
        picture = plugin.trace.picture()
    assert "init     init" in repr(picture)
    path = picture.save(tmp_path / "life.svg")
    assert path.read_text() == picture._repr_svg_()
    with pytest.raises(wb.WorkbenchError, match="no_such_folder"):
        picture.save(tmp_path / "no_such_folder" / "life.svg")


def test_names_from_a_plugin_are_text_and_nothing_else():
    evil = "</text><script>alert(1)</script>\x1b\u202e" + "x" * 500
    calls = Trace(
        [
            TraceCall(
                function="plugin_get_required_api_version",
                seq=1,
                plugin=evil,
                return_code=evil,
                arguments=evil,
                start_ns=1,
                duration_ns=1,
                count=1,
            )
        ]
    )
    picture = calls.picture()
    assert "<script" not in picture._repr_svg_()
    assert "\x1b" not in picture._repr_svg_() + repr(picture)
    assert "\u202e" not in picture._repr_svg_() + repr(picture)
    assert "API 3.12" in texts(picture)[0]


def test_without_calls_it_shows_what_there_would_be():
    picture = Trace().picture()
    assert not any(filled for filled, _ in boxes(picture).values())


def test_one_plugin_of_several_is_drawn_by_its_name(sample):
    with wb.Workbench() as bench:
        bench.load(sample("weblog"))
        bench.load(sample("sessions"))
        bench.capture(max_events=50)
        trace = next(iter(bench.plugins.values())).trace
        names = {call.plugin for call in trace}
        for name in names:
            assert name in texts(trace.picture(name))[0]
        with pytest.raises(wb.WorkbenchError, match="expected a plugin of this trace"):
            trace.picture("other")
