"""A kernel that lacks a part of the sandbox: refused in clear words, never weaker."""

from __future__ import annotations

import errno
import platform
import subprocess
import sys

import pytest

import workbench as wb
from workbench.host.confine import missing_layers

LANDLOCK = 444
SECCOMP = 317 if platform.machine() == "x86_64" else 277

LOAD = """
import sys, workbench as wb
try:
    plugin = wb.load(sys.argv[1], sandbox=True)
except wb.PluginLoadError as error:
    print(len(error.complaints), error.complaints[0])
    print(error)
else:
    print("loaded")
    print(plugin.sandbox)
    plugin.close()
"""


@pytest.fixture(scope="module")
def lacking(build, intruder):
    """Load a plugin in a sandbox where system calls are hidden; what was printed."""
    program = build("hide_calls", program=True)

    def run(*hidden: str, code: str = LOAD) -> list[str]:
        command = [program, *hidden, sys.executable, "-c", code, intruder]
        done = subprocess.run(command, capture_output=True, text=True, timeout=60)
        assert done.returncode == 0, done.stderr
        return done.stdout.splitlines()

    return run


@pytest.mark.any_kernel
@pytest.mark.parametrize(
    ("hidden", "words"),
    [
        (
            f"{LANDLOCK}:{errno.ENOSYS}",
            "this kernel has no Landlock; it needs Linux 5.13",
        ),
        (f"{LANDLOCK}:{errno.EOPNOTSUPP}", "Landlock is switched off in this kernel"),
        (f"{LANDLOCK}:{errno.EPERM}", "Landlock is forbidden here, probably by the"),
        (f"{LANDLOCK}:{errno.EIO}", "Landlock does not work here: Input/output error"),
        (f"{SECCOMP}:{errno.ENOSYS}", "this kernel has no seccomp"),
        (f"{SECCOMP}:{errno.EPERM}", "seccomp is forbidden here"),
        (f"{SECCOMP}:{errno.EOPNOTSUPP}", "seccomp is too old; it needs Linux 5.5"),
    ],
)
def test_what_is_missing_is_said(hidden, words, lacking):
    first, *rest = lacking(hidden)
    assert words in first
    assert rest[0] == "no sandbox can be made here, so nothing was loaded:"
    assert words in rest[1]
    assert "without sandbox=True a plugin runs with all your rights" in rest[-1]


@pytest.mark.any_kernel
def test_all_that_is_missing_is_said_at_once(lacking):
    first, *rest = lacking(f"{LANDLOCK}:{errno.ENOSYS}", f"{SECCOMP}:{errno.ENOSYS}")
    assert first.startswith("2 ")
    assert "Landlock" in rest[1]
    assert "seccomp" in rest[2]


@pytest.mark.parametrize(
    ("call", "what"), [(445, "allowing /"), (446, "Landlock failed: Operation")]
)
def test_a_layer_that_fails_halfway_refuses(call, what, lacking):
    first, *_ = lacking(f"{call}:{errno.EPERM}")
    assert what in first


def test_a_listener_of_somebody_else_costs_the_words_only(lacking, tmp_path):
    secret = tmp_path / "secret"
    secret.write_text("secret")
    printed = lacking("listen")
    assert printed[0] == "loaded"
    assert any("what is denied cannot be shown" in line for line in printed)
    code = (
        "import sys, workbench as wb\n"
        "try:\n"
        f"    wb.load(sys.argv[1], config='read {secret}\\nfork\\nkill_parent 0\\n"
        "tcp 9\\ntemporary\\nchmod /mnt', sandbox=True)\n"
        "except wb.PluginInitError as error:\n"
        "    print(error.last_error)\n"
    )
    answers = lacking("listen", code=code)[:6]
    assert answers == ["EACCES", "EPERM", "EPERM", "EACCES", "ok", "EPERM"]


@pytest.mark.any_kernel
def test_this_kernel_either_has_it_or_refuses(intruder):
    missing = missing_layers()
    if missing:
        with pytest.raises(wb.PluginLoadError) as caught:
            wb.load(intruder, sandbox=True)
        assert caught.value.complaints == missing
    else:
        wb.load(intruder, sandbox=True).close()
