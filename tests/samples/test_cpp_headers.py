"""The C++ SDK header and the JSON reader, compiled and run under the sanitizers."""

from __future__ import annotations

import json
import random
import re
import struct
import subprocess
from pathlib import Path

import pytest

pytestmark = [pytest.mark.sanitizer, pytest.mark.cpp]

HERE = Path(__file__).resolve().parent
NUMBER, TEXT = "guide.number[1]", "guide.text"


@pytest.fixture(scope="module")
def guide(driver_program, compile_sanitized, require, request):
    require("cpp")
    shared = ("-std=c++11", "-fPIC", "-shared")
    library = compile_sanitized(HERE / "guide_plugin.cpp", "libguide.so", *shared)
    return type(request.getfixturevalue("sanitized")("weblog"))(driver_program, library)


@pytest.mark.parametrize("standard", ["c++11", "c++17", "c++20"])
def test_a_plugin_written_to_the_guide_compiles_unchanged(
    compile_sanitized, require, standard
):
    require("cpp")
    flags = (f"-std={standard}", "-fPIC", "-shared", "-fvisibility=hidden")
    library = compile_sanitized(
        HERE / "guide_plugin.cpp", f"lib{standard}.so", *flags, plain=True
    )
    listed = subprocess.run(
        ["nm", "-D", "--defined-only", str(library)], capture_output=True, text=True
    )
    exported = {
        line.split()[-1] for line in listed.stdout.splitlines() if "plugin_" in line
    }
    assert {
        "plugin_get_required_api_version",
        "plugin_init",
        "plugin_destroy",
        "plugin_open",
        "plugin_close",
        "plugin_next_batch",
        "plugin_get_id",
        "plugin_get_event_source",
        "plugin_get_progress",
        "plugin_list_open_params",
        "plugin_event_to_string",
        "plugin_get_init_schema",
        "plugin_get_fields",
        "plugin_extract_fields",
    } <= exported


def test_a_required_argument_is_text(guide):
    first = guide.fields[0]
    assert first["name"] == "guide.number"
    assert first["arg"] == {"isRequired": True, "isKey": True}
    assert "arg" not in guide.fields[1]
    run = guide.run(["guide.number[40]", TEXT])
    assert run.rows == [[40 + n, str(n).encode()] for n in range(1, 6)]
    assert run.status == 0
    assert "progress 10000 done" in run.words
    assert 'params [{"value": "3"}]' in run.words


def test_what_the_plugin_throws_becomes_an_error(guide):
    for config, words in [
        ("fail", "init: asked to fail"),
        ("throw", "init: the plugin threw something that is no std::exception"),
        ("throw std", "init: thrown in init"),
    ]:
        run = guide.run(config=config)
        assert run.status == 3
        assert words in run.words
        assert f"destroy {config}" in run.words
    for params, words in [
        ("fail", "open: asked to fail in open"),
        ("throw", "open: thrown in open"),
    ]:
        run = guide.run(params=params)
        assert run.status == 4
        assert words in run.words
        assert "close" not in run.words
    run = guide.run(["guide.number[x]", TEXT])
    assert [str(row[0]) for row in run.rows] == ["stoi"] * 5
    assert [row[1] for row in run.rows] == [b"1", b"2", b"3", b"4", b"5"]
    assert run.strings == [b"<1>", b"<2>", b"", b"<4>", b"<5>"]


@pytest.mark.parametrize(
    ("params", "count", "words"),
    [
        ("timeout", 4, "close timeout"),
        ("end badly", 5, "end: the source broke"),
        ("throw at the end", 5, "end: thrown in next"),
    ],
)
def test_events_before_an_end_are_delivered(guide, params, count, words):
    run = guide.run([TEXT], params=params)
    assert len(run.rows) == count
    assert run.status == (0 if params == "timeout" else 5)
    assert words in run.words


def test_two_states_and_instances_are_apart(compile_sanitized, require):
    require("cpp")
    program = compile_sanitized(HERE / "two_states.cpp", "two", "-std=c++11")
    done = subprocess.run([program], capture_output=True, text=True)
    assert done.returncode == 0, done.stderr
    assert done.stdout.splitlines() == ["id 999", "one one", "two two", "1 1 2 2 3 3"]


def _read_all(program: Path, documents: list[bytes]) -> list[bytes]:
    packed = b"".join(struct.pack("<I", len(one)) + one for one in documents)
    done = subprocess.run([program], input=packed, capture_output=True)
    assert done.returncode == 0, done.stderr
    assert done.stderr == b""
    return done.stdout.split(b"\n")[:-1]


def _strict(text: bytes):
    def refuse(word: str):
        raise ValueError(word)

    return json.loads(text.decode(errors="surrogateescape"), parse_constant=refuse)


@pytest.fixture(scope="module")
def json_echo(compile_sanitized, require) -> Path:
    require("cpp")
    return compile_sanitized(HERE / "json_echo.cpp", "json_echo", "-std=c++11")


def test_the_json_reader_agrees_with_python(json_echo):
    rng = random.Random(11)
    sound = [
        b'{"a": [1, -2.5e+3, 0, 1E5], "b": {"c": null, "d": [true, false]}}',
        '"caf\u00e9 \\u00e9 \\ud83d\\ude00 \\n \\/ \\\\ \U0001f600"'.encode(),
        b'[[[[[]]]], {"": {}}, "", "\\"", -0, 12345678901234567890]',
        b" \t\r\n7\n",
    ]
    documents = list(sound)
    for _ in range(6000):
        text = bytearray(rng.choice(sound))
        for _ in range(rng.randrange(1, 4)):
            where = rng.randrange(len(text))
            if rng.random() < 0.5:
                text[where : where + 1] = rng.choice(
                    [b"", b"[", b"]", b"{", b"}", b",", b'"', b"0", b"e", b"\\", b"-"]
                )
            else:
                del text[where : where + rng.randrange(6)]
            if not text:
                break
        documents.append(bytes(text))
    documents += [b"[" * 150 + b"]" * 150, b"", b"\x00", b"nul", b"01", b"1.", b"+1"]
    agreed = 0
    for text, answer in zip(documents, _read_all(json_echo, documents), strict=True):
        try:
            wanted = _strict(text)
        except (ValueError, RecursionError):
            assert answer == b"error", text
            continue
        if re.search(
            "[\ud800-\udc7f\udd00-\udfff]", json.dumps(wanted, ensure_ascii=False)
        ):
            continue  # half a surrogate pair: Python keeps it, UTF-8 cannot
        assert answer != b"error", text
        assert _strict(answer) == wanted, text
        agreed += 1
    assert agreed > 500


def test_the_json_reader_bears_any_bytes(json_echo):
    rng = random.Random(12)
    documents = [bytes(rng.randrange(256) for _ in range(40)) for _ in range(2000)]
    documents += [b"[" * 100_000, b'{"a":' * 100_000, b'"' + b"\xff\xfe" * 9 + b'"']
    answers = _read_all(json_echo, documents)
    assert len(answers) == len(documents)
    assert answers[-3:] == [b"error", b"error", b'"' + b"\xff\xfe" * 9 + b'"']
