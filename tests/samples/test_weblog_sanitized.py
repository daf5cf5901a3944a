"""weblog under ASan and UBSan, against a reader of the log written in Python."""

from __future__ import annotations

import ipaddress
import json
import random
import re
import subprocess
from datetime import datetime
from pathlib import Path
from urllib.parse import unquote_to_bytes

import pytest

pytestmark = pytest.mark.sanitizer

DATA = Path(__file__).resolve().parents[2] / "sample_plugins" / "weblog" / "data"
FIELDS = [
    "weblog.client",
    "weblog.net",
    "weblog.user",
    "weblog.time",
    "weblog.method",
    "weblog.uri",
    "weblog.path",
    "weblog.segment[0]",
    "weblog.query",
    "weblog.query[id]",
    "weblog.query[q]",
    "weblog.params",
    "weblog.proto",
    "weblog.status",
    "weblog.bytes",
    "weblog.referer",
    "weblog.agent",
    "weblog.is_error",
    "weblog.duration",
    "weblog.malformed",
    "weblog.raw",
]
LINE = re.compile(
    rb'(\S+) \S+ (.*?) \[([^\]]+)\] "((?:\\.|[^"\\])*)" (\d+) (\d+|-) '
    rb'"((?:\\.|[^"\\])*)" "((?:\\.|[^"\\])*)"(?: (\d+\.\d+))?'
)


def unescape(text: bytes) -> bytes:
    def one(found: re.Match) -> bytes:
        return bytes([int(found[1], 16)]) if found[1] else found[0][1:]

    return re.sub(rb'\\x(?!00)([0-9a-fA-F]{2})|\\["\\]', one, text)


def unpercent(text: bytes) -> bytes:
    parts = re.split(rb"(%00)", text)
    return b"".join(p if p == b"%00" else unquote_to_bytes(p) for p in parts)


def pairs(query: bytes) -> list[tuple[bytes, bytes]]:
    found = []
    for part in query.split(b"&"):
        if part:
            name, _, value = part.partition(b"=")
            found.append(
                tuple(
                    unpercent(unescape(one).replace(b"+", b" "))
                    for one in (name, value)
                )
            )
    return found


def expected(line: bytes) -> dict[str, object]:
    """What the fields of one line are, by other means."""
    row: dict[str, object] = dict.fromkeys(FIELDS)
    row["weblog.raw"] = line
    found = LINE.fullmatch(line)
    assert found, line
    client, user, when, request, status, size, referer, agent, seconds = found.groups()
    stamp = datetime.strptime(when.decode(), "%d/%b/%Y:%H:%M:%S %z")
    row["weblog.client"] = ipaddress.ip_address(client.decode()).packed
    row["weblog.net"] = row["weblog.client"]
    row["weblog.time"] = int(stamp.timestamp()) * 10**9
    for name, text in (("user", user), ("referer", referer), ("agent", agent)):
        row[f"weblog.{name}"] = None if text in (b"-", b"") else unescape(text)
    row["weblog.status"] = int(status)
    row["weblog.bytes"] = None if size == b"-" else int(size)
    row["weblog.is_error"] = int(int(status) >= 400)
    if seconds:
        whole, _, rest = seconds.partition(b".")
        row["weblog.duration"] = int(whole) * 10**9 + int(rest.ljust(9, b"0"))
    http = re.fullmatch(rb"([A-Za-z_-]+) (.+?)(?: (HTTP/\S*))?", request, re.DOTALL)
    row["weblog.malformed"] = int(http is None)
    if http is None:
        return row
    method, target, proto = http.groups()
    row["weblog.method"], row["weblog.uri"] = method, unescape(target)
    row["weblog.proto"] = proto
    local = target
    if target.startswith(b"http://"):
        local = b"/" + target[7:].partition(b"/")[2]
    path, mark, query = local.partition(b"#")[0].partition(b"?")
    row["weblog.path"] = unpercent(unescape(path))
    segments = [part for part in path.split(b"/") if part]
    if segments:
        row["weblog.segment[0]"] = unpercent(unescape(segments[0]))
    if mark:
        row["weblog.query"] = unescape(query)
        for name, value in reversed(pairs(query)):
            if name in (b"id", b"q"):
                row[f"weblog.query[{name.decode()}]"] = value
        names = [name for name, _ in pairs(query)]
        row["weblog.params"] = names or None
    return row


@pytest.mark.parametrize("name", ["access.log", "timed.log"])
def test_every_value_of_every_recorded_line(sanitized, name):
    lines = (DATA / name).read_bytes().splitlines()
    run = sanitized("weblog").run(FIELDS, params=str(DATA / name))
    assert run.status == 0
    assert len(run.rows) == len(lines)
    for line, row, (_, ts) in zip(lines, run.rows, run.numbers, strict=True):
        want = expected(line)
        assert dict(zip(FIELDS, row, strict=True)) == want
        assert ts == want["weblog.time"]
    assert f"metric lines {len(lines)}" in run.words
    assert "progress 10000 100.00%" in run.words


def test_the_recorded_log_is_large_and_mixed():
    lines = (DATA / "access.log").read_bytes().splitlines()
    assert len(lines) >= 20_000
    assert sum(path.stat().st_size for path in DATA.iterdir()) < 5_000_000
    statuses = {row.split(b'" ')[1][:3] for row in lines if row.count(b'" ') >= 2}
    assert {b"200", b"206", b"304", b"401", b"404", b"429", b"502"} <= statuses


def test_values_stand_where_the_offsets_say(sanitized, tmp_path):
    line = (
        b'192.0.2.9 - - [21/Nov/2026:08:00:09 +0100] "GET /a/b%20c?x=1&y=%41 HTTP/1.1" '
        b'404 12 "-" "agent"'
    )
    log = tmp_path / "one.log"
    log.write_bytes(line)
    driver = sanitized("weblog")
    asked = ["weblog.path", "weblog.query[y]", "weblog.params", "weblog.referer"]
    run = driver.run(asked, params=str(log))
    assert run.rows == [[b"/a/b c", b"A", [b"x", b"y"], None]]
    spelled = driver._call(
        str(driver.library), "", str(log), "6:9:0:weblog.path", "9:9:1:weblog.params"
    )
    path, params = spelled.stdout.split(b"\t")[2:4]
    event = bytes(38) + line

    def slices(text: bytes) -> list[bytes]:
        found = re.findall(rb"@(\d+)\+(\d+)", text)
        return [event[int(a) : int(a) + int(n)] for a, n in found]

    assert slices(path) == [b"/a/b%20c"]
    assert slices(params) == [b"x", b"y"]


def test_any_bytes_are_lines(sanitized, tmp_path):
    rng = random.Random(7)
    sound = (DATA / "access.log").read_bytes().splitlines()[:50]
    payloads = [b"", b" ", b"-", b"a b c [", b'"' * 50, b"x" * 70_000, b"\\x" * 9]
    for _ in range(4000):
        line = bytearray(rng.choice(sound))
        for _ in range(rng.randrange(1, 6)):
            where = rng.randrange(len(line))
            what = rng.randrange(4)
            if what == 0:
                line[where] = rng.randrange(256)
            elif what == 1:
                del line[where : where + rng.randrange(20)]
            elif what == 2:
                line[where:where] = rng.choice([b'"', b"[", b"]", b"%", b"\\", b"&"])
            else:
                line = line[:where]
            if not line:
                break
        payloads.append(bytes(line))
    run = sanitized("weblog").extract(payloads, FIELDS, tmp_path)
    assert run.status == 0
    assert len(run.rows) == len(payloads)
    assert all(row[-2] in (0, 1) for row in run.rows)


def test_odd_files(sanitized, tmp_path):
    log = tmp_path / "odd.log"
    long = b"y" * 200_000
    log.write_bytes(b"\n\r\nfirst\r\n" + long + b"\nlast without newline")
    run = sanitized("weblog").run(["weblog.raw"], params=str(log))
    raws = [row[0] for row in run.rows]
    assert raws[0] == b"first"
    assert raws[1] == long[:65536]
    assert raws[2:] == [b"last without newline"]
    assert "metric cut_lines 1" in run.words
    log.write_bytes(b"")
    assert sanitized("weblog").run(["weblog.raw"], params=str(log)).rows == []


@pytest.mark.parametrize(
    ("config", "words"),
    [
        ('{"folow": true}', "there is no option 'folow'"),
        ('{"error_status": 99}', "expected an integer from 100 to 599"),
        ('{"error_status": 1e3}', "expected an integer from 100 to 599"),
        ('{"follow": 1}', "expected true or false"),
        ('{"follow": true,}', "expected an option after the comma"),
        ('{"log_dir": "a', "string not closed or too long"),
        ('{"log_dir": "\\u00"}', "expected an escape of JSON"),
        ("[]", "expected {"),
        ("{} x", "expected the end"),
    ],
)
def test_bad_config_is_named(sanitized, config, words):
    run = sanitized("weblog").run(config=config)
    assert run.status == 3
    assert words in run.words


@pytest.mark.parametrize(
    ("params", "words"),
    [
        ("nowhere.log", "cannot open the log nowhere.log: No such file"),
        (str(DATA), "is a folder: name a log file in it"),
        ("x" * 5000, "longer than"),
    ],
)
def test_bad_params_are_named(sanitized, params, words):
    run = sanitized("weblog").run(params=params)
    assert run.status == 4
    assert words in run.words


def test_config_changes_what_an_error_is_and_where_logs_are(sanitized, tmp_path):
    name = 'a "b".log'
    (tmp_path / name).write_bytes(
        b'::1 - - [21/Nov/2026:08:00:09 +0000] "GET / HTTP/1.1" 404 -\n'
    )
    config = json.dumps({"error_status": 500, "log_dir": str(tmp_path)})
    run = sanitized("weblog").run(
        ["weblog.is_error", "weblog.bytes", "weblog.malformed"],
        config=config,
        params=str(tmp_path / name),
    )
    assert run.rows == [[0, None, 0]]
    listed = next(w for w in run.words.splitlines() if w.startswith("params "))
    values = [one["value"] for one in json.loads(listed.removeprefix("params "))]
    assert values == [str(tmp_path / name)]


def test_a_followed_log_survives_truncation_and_rotation(
    driver_program, sanitized, tmp_path
):
    log = tmp_path / "grow.log"
    log.write_text("one\n")
    config = '{"follow": true, "poll_ms": 5}'
    command = [driver_program, sanitized("weblog").library, config, log]
    with subprocess.Popen(
        [*map(str, command), "18:9:0:weblog.raw"],
        stdout=subprocess.PIPE,
        stderr=subprocess.DEVNULL,
        text=True,
    ) as process:

        def next_line() -> str:
            return process.stdout.readline().split("\t")[2].partition("@")[0]

        try:
            assert next_line() == "one"
            with log.open("a") as more:
                more.write("two\nthr")
                more.flush()
                assert next_line() == "two"
                more.write("ee\n")
            assert next_line() == "three"
            log.write_text("4\n")
            assert next_line() == "4"
            log.rename(tmp_path / "grow.log.1")
            log.write_text("five\n")
            assert next_line() == "five"
        finally:
            process.kill()
