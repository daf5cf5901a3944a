"""Each layer alone: what it forbids without the others, and what it leaves."""

from __future__ import annotations

import subprocess
import sys

import pytest
from workbench.native._core import lib

PROLOGUE = """
import os, socket, sys
from workbench.native._core import lib
def attempt(what):
    try:
        what()
    except OSError as error:
        return os.strerror(error.errno)
    return "ok"
def must(code):
    assert code >= 0, os.strerror(-code)
    return code
def fork():
    if not os.fork():
        os._exit(0)
secret, folder = sys.argv[1:]
def read():
    open(secret).close()
def write():
    open(folder + "/new", "w").close()
def show():
    print(attempt(read), attempt(write), attempt(fork), attempt(socket.socket), sep=",")
"""


@pytest.fixture
def bound(tmp_path):
    """Run code in a process that binds itself; what it printed."""
    secret, folder = tmp_path / "secret", tmp_path / "own"
    secret.write_text("secret")
    folder.mkdir()

    def run(code: str) -> list[str]:
        command = [sys.executable, "-c", PROLOGUE + code, secret, folder]
        done = subprocess.run(command, capture_output=True, text=True, timeout=60)
        assert done.returncode == 0, done.stderr
        return done.stdout.strip().split(",")

    return run


DENIED, FORBIDDEN = "Permission denied", "Operation not permitted"


@pytest.mark.any_kernel
def test_without_layers_all_is_allowed(bound):
    assert bound("show()") == ["ok", "ok", "ok", "ok"]


@pytest.mark.any_kernel
def test_landlock_alone_binds_files(bound):
    if lib.wb_landlock_version() < 0:
        pytest.skip("no Landlock in this kernel")
    rules = "rules = must(lib.wb_landlock_new(0))\n"
    enforce = "must(lib.wb_landlock_enforce(rules))\nshow()"
    assert bound(rules + enforce) == [DENIED, DENIED, "ok", "ok"]
    read = "must(lib.wb_landlock_allow(rules, secret.encode(), 0))\n"
    assert bound(rules + read + enforce) == ["ok", DENIED, "ok", "ok"]
    write = "must(lib.wb_landlock_allow(rules, folder.encode(), 2))\n"
    assert bound(rules + write + enforce) == [DENIED, "ok", "ok", "ok"]


@pytest.mark.any_kernel
@pytest.mark.parametrize(
    ("network", "expected"), [(0, "Permission denied"), (1, "Connection refused")]
)
def test_landlock_alone_binds_tcp(network, expected, bound):
    if lib.wb_landlock_version() < 4:
        pytest.skip("no Landlock with network rules in this kernel")
    code = (
        f"must(lib.wb_landlock_enforce(must(lib.wb_landlock_new({network}))))\n"
        "print(attempt(lambda: socket.socket().connect(('127.0.0.1', 1))))"
    )
    assert bound(code) == [expected]


@pytest.mark.any_kernel
@pytest.mark.parametrize(("network", "sockets"), [(0, DENIED), (1, "ok")])
def test_the_filter_alone_binds_calls(network, sockets, bound):
    if lib.wb_seccomp_check() < 0:
        pytest.skip("no seccomp in this kernel")
    code = f"must(lib.wb_filter_enforce({network}, 7, 0))\nshow()"
    assert bound(code) == ["ok", "ok", FORBIDDEN, sockets]


@pytest.mark.any_kernel
def test_an_old_landlock_is_helped_by_the_filter(bound):
    # Before its third version Landlock does not know of truncating.
    if lib.wb_seccomp_check() < 0:
        pytest.skip("no seccomp in this kernel")
    cut = "print(attempt(lambda: os.open(secret, os.O_RDONLY | os.O_TRUNC)), "
    cut += "attempt(lambda: os.truncate(secret, 0)), attempt(write), sep=',')"
    for version, expected in ((2, [DENIED, FORBIDDEN, "ok"]), (3, ["ok", "ok", "ok"])):
        code = f"must(lib.wb_filter_enforce(0, {version}, 0))\n" + cut
        assert bound(code) == expected


@pytest.mark.any_kernel
def test_capabilities_are_gone(bound):
    code = (
        "must(lib.wb_drop_capabilities())\n"
        "words = dict(line.split(':\\t') for line in open('/proc/self/status')"
        " if line.startswith('Cap'))\n"
        "print(*(int(words[n], 16) & ~4 for n in ('CapEff', 'CapPrm', 'CapInh',"
        " 'CapAmb')), sep=',')"
    )
    assert bound(code) == ["0", "0", "0", "0"]
