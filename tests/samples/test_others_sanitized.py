"""The other samples under ASan and UBSan: sound runs, and payloads of any bytes."""

from __future__ import annotations

import json
import random

import pytest

pytestmark = pytest.mark.sanitizer


def payloads(count: int) -> list[bytes]:
    rng = random.Random(5)
    document = b'{"a": {"b/c": ["x", {"d~": null}], "n": -1.5e3}, "u": "\\u00e9"}'
    made = [b"", b"12", b"0", b"99999999999999999999", b"-1", document, b"[" * 5000]
    for _ in range(count):
        text = bytearray(document)
        for _ in range(rng.randrange(1, 5)):
            where = rng.randrange(len(text))
            text[where : where + rng.randrange(4)] = rng.randbytes(rng.randrange(4))
        made.append(bytes(text))
        made.append(rng.randbytes(rng.randrange(30)))
    return made


@pytest.mark.cpp
@pytest.mark.parametrize("library", ["libjson_extract.so", "libjson_extract_all.so"])
def test_json_extract_bears_any_payload(sanitized, tmp_path, library):
    driver = sanitized("json_extract", library)
    asked = ["jsonx.obj", "jsonx.value[/a/b~1c/1]", "jsonx.value[/a/n]"]
    given = payloads(2000)
    run = driver.extract(given, asked, tmp_path)
    assert (run.status, len(run.rows)) == (0, len(given))
    found = 0
    for whole, inner, number in run.rows:
        if whole is None:
            assert (inner, number) == (None, None)
            continue
        found += 1
        json.loads(whole.decode(errors="replace"))  # what it gives is JSON again
        if inner is not None:
            assert inner in whole
    assert run.rows[5] == [
        '{"a":{"b/c":["x",{"d~":null}],"n":-1.5e3},"u":"é"}'.encode(),
        b'{"d~":null}',
        b"-1.5e3",
    ]
    assert found > 50


@pytest.mark.cpp
def test_json_pointers_of_all_kinds(sanitized, tmp_path):
    document = json.dumps(
        {"": 0, "a/b": 1, "m~n": 2, " ": [3, {"x": "text"}], "k": {"": 4}, "d": 5}
    ).encode()
    answers = {
        "/": b"0",
        "/a~1b": b"1",
        "/m~0n": b"2",
        "/ /0": b"3",
        "/ /1/x": b"text",
        "/k/": b"4",
        "/ /01": None,
        "/ /-": None,
        "/ /2": None,
        "/ /99999999999999999999": None,
        "/d/0": None,
        "d": None,
    }
    driver = sanitized("json_extract")
    asked = [f"jsonx.value[{pointer}]" for pointer in answers]
    run = driver.extract([document, b'{"d": 1, "d": 6}'], asked, tmp_path)
    assert run.rows[0] == list(answers.values())
    twice = driver.extract([b'{"d": 1, "d": 6}'], ["jsonx.value[/d]"], tmp_path)
    assert twice.rows == [[b"6"]]


@pytest.mark.cpp
def test_dummy_c_bears_any_payload(sanitized, tmp_path):
    driver = sanitized("dummy_c")
    asked = [
        "dummy.value",
        "dummy.divisible[4]",
        "dummy.divisible[0]",
        "dummy.strvalue",
    ]
    given = [p for p in payloads(300) if b"\0" not in p]
    run = driver.extract(given, asked, tmp_path)
    assert (run.status, len(run.rows)) == (0, len(given))
    for payload, (value, by_four, by_zero, text) in zip(given, run.rows, strict=True):
        assert text == payload
        assert by_zero is None
        sound = payload.isdigit() and len(payload) < 20
        assert value == (int(payload) if sound else None)
        assert by_four == (int(int(payload) % 4 == 0) if sound else None)


@pytest.mark.parametrize(
    ("name", "library", "params", "asked", "count"),
    [
        ("faulty", None, "batch=7", "faulty.list faulty.address faulty.echo[k]", 1000),
        ("faulty", "libfaulty_live.so", "", "faulty.number faulty.text", 1000),
        ("legacy", "liblegacy_3_0.so", "250", "legacy.digits legacy.digit[2]", 250),
    ],
)
def test_a_sound_run_is_clean(sanitized, name, library, params, asked, count):
    run = sanitized(name, library).run(asked.split(), params=params)
    assert (run.status, len(run.rows)) == (0, count)
