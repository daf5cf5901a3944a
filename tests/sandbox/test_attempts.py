"""Everything a stranger's plugin may try: what it gets, and what the user is told."""

from __future__ import annotations

import os
import platform
import signal

import pytest

import workbench as wb

# Attempts on a file of the user's: what they get, and how it is told; {} is the file.
ON_FILES = {
    "read {}": ("EACCES", "open {}"),
    "append {}": ("EACCES", "open {} for writing"),
    "cut {}": ("EACCES", "open {} for writing"),
    "openat2 {}": ("EACCES", "open {}"),
    "relative {}": ("EACCES", "({})"),
    "climb {}": ("EACCES", "({})"),
    "own_root {}": ("EACCES", "({})"),
    "symlink {}": ("EACCES", "({})"),
    "folder_link {}": ("EACCES", "({})"),
    "hardlink {}": ("EXDEV", "link {}"),
    "race {}": ("EACCES", "({})"),
    "by_handle {}": ("EPERM", "name_to_handle_at {}"),
    "truncate {}": ("EACCES", "truncate {}"),
    "unlink {}": ("EACCES", "unlink {}"),
    "rename_away {}": ("EACCES", "rename {}"),
    "rename_onto {}": ("EACCES", "{}: denied"),
    "chmod {}": ("EPERM", "chmod {}"),
    "chown {}": ("EPERM", "chown {}"),
    "utime {}": ("EPERM", "utime"),
    "setxattr {}": ("EPERM", "setxattr {}"),
    "list {dir}": ("EACCES", "open {dir}"),
    "nameless {dir}": ("EACCES", "open {dir} for writing"),
    "create {dir}/new": ("EACCES", "open {dir}/new for writing"),
    "mkdir {dir}/new": ("EACCES", "mkdir {dir}/new"),
    "mkfifo {dir}/new": ("EACCES", "mknod {dir}/new"),
}
# Attempts on the system and on other processes.
ON_OTHERS = {
    "read /etc/shadow": ("EACCES", "open /etc/shadow"),
    "read /etc/passwd": ("EACCES", "open /etc/passwd"),
    "append /etc/ld.so.cache": ("EACCES", "open /etc/ld.so.cache for writing"),
    "parent mem": ("EACCES", "/mem"),
    "parent environ": ("EACCES", "/environ"),
    "parent maps": ("EACCES", "/maps"),
    "parent_mem_write": ("EACCES", "/mem for writing"),
    "fork": ("EPERM", "fork"),
    "vfork": ("EPERM", "fork"),
    "clone3": ("ENOSYS", None),
    "namespace_thread": ("EPERM", "fork"),
    "exec /bin/true": ("EPERM", "execve /bin/true"),
    "spawn /bin/true": ("EPERM", "fork"),
    "fork_exec": ("997", "fork"),
    "exec_memory": ("EPERM", "execve"),
    "trace_parent": ("EPERM", "ptrace"),
    "trace_me": ("EPERM", "ptrace"),
    "read_parent": ("EPERM", "process_vm_readv"),
    "kill_parent 0": ("EPERM", "kill process {parent} with signal 0"),
    "kill_parent 9": ("EPERM", "kill process {parent} with signal 9"),
    "kill_all": ("EPERM", "kill process -1"),
    "kill_group": ("EPERM", "kill process 0"),
    "tkill": ("EPERM", "tkill"),
    "tgkill": ("EPERM", "tgkill process {parent}"),
    "sigqueue": ("EPERM", "rt_sigqueueinfo process {parent}"),
    "pidfd": ("EPERM", "pidfd_open"),
    "pidfd_getfd": ("EPERM", "pidfd_getfd"),
    "setown": ("EPERM", "fcntl 0x8"),
    "setsig": ("EPERM", "fcntl 0xa"),
    "siocspgrp": ("EPERM", "ioctl 0x8901"),
    "type_ahead": ("EPERM", "ioctl 0x5412"),
    "priority": ("EPERM", "setpriority"),
    "limits": ("EPERM", "prlimit64"),
    "affinity": ("EPERM", "sched_setaffinity"),
    "io_priority": ("EPERM", "ioprio_set"),
    "session": ("EPERM", "setsid"),
    "group": ("EPERM", "setpgid"),
    "hide": ("EPERM", f"prctl {4}"),
    "outlive": ("EPERM", f"prctl {1}"),
    "become_root": ("EPERM", "setuid"),
    "mount /mnt": ("EPERM", "mount /mnt"),
    "umount /proc": ("EPERM", "umount2 /proc"),
    "new_mount": ("EPERM", "fsopen"),
    "chroot /mnt": ("EPERM", "chroot /mnt"),
    "unshare_user": ("EPERM", "unshare"),
    "unshare_mounts": ("EPERM", "unshare"),
    "setns": ("EPERM", "setns"),
    "keyctl": ("EPERM", "keyctl"),
    "add_key": ("EPERM", "add_key"),
    "request_key": ("EPERM", "request_key"),
    "bpf": ("EPERM", "bpf"),
    "perf": ("EPERM", "perf_event_open"),
    "userfaultfd": ("EPERM", "userfaultfd"),
    "io_uring": ("EPERM", "io_uring_setup"),
    "seccomp": ("EPERM", "seccomp"),
    "load_module": ("EPERM", "init_module"),
    "kexec": ("EPERM", "kexec_load"),
    "reboot": ("EPERM", "reboot"),
    "kernel_log": ("EPERM", "syslog"),
    "shared_memory": ("EPERM", "shmget"),
    "message_queue": ("EPERM", "msgget"),
    "posix_queue": ("EPERM", "mq_open"),
    "personality": ("EPERM", "personality"),
    "hostname": ("EPERM", "sethostname"),
    "set_time": ("EPERM", "settimeofday"),
    "unknown": ("ENOSYS", None),
    "raw": ("EACCES", "socket AF_INET"),
    "packet": ("EACCES", "socket family 17"),
    "netlink 0": ("EACCES", "socket AF_NETLINK"),
    "listen": ("EACCES", "socket AF_INET"),
    "pair datagram": ("EPERM", "socketpair AF_UNIX"),
    "variable HOME_OF_SECRETS": ("ENOENT", None),
    "large_file 40": ("EFBIG", None),
    "descriptors 5000": ("EMFILE", None),
}
ALLOWED = [
    "temporary",
    "own_signal",
    "pair stream",
    "threads",
    "generate_code",
    "dlopen libm.so.6",
    "read /proc/self/maps",
    "read /dev/urandom",
    "append /dev/null",
    "read /etc/ld.so.cache",
    "variable PATH",
    "variable TMPDIR",
    "large_file 30",
]
# Attempts that have no lasting effect, and that succeed where nothing forbids them:
# so it is the sandbox that the others meet.
WORKS_OUTSIDE = [
    *("read {}", "openat2 {}", "relative {}", "symlink {}", "race {}", "list {dir}"),
    *("append {}", "create {dir}/free", "mkdir {dir}/free-folder", "utime {}"),
    *("fork", "vfork", "spawn /bin/true", "fork_exec", "kill_parent 0", "kill_group"),
    *("tkill", "tgkill", "pidfd", "setown", "setsig", "siocspgrp", "shared_memory"),
    *("message_queue", "netlink 0", "listen", "pair datagram", "personality"),
    *("variable HOME_OF_SECRETS", "large_file 40"),
]


@pytest.fixture(scope="module")
def secret(tmp_path_factory):
    file = tmp_path_factory.mktemp("home") / "secret"
    file.write_text("secret")
    return file


@pytest.fixture(scope="module")
def places(secret):
    """What stands for the braces in the tables."""

    def fill(text: str) -> str:
        filled = text.replace("{dir}", str(secret.parent)).replace("{}", str(secret))
        return filled.replace("{parent}", str(os.getpid()))

    return fill


@pytest.fixture(scope="module")
def sandboxed(attempt, places):
    """All attempts, made in a few workers: line → answer, and what was told."""
    answers: dict[str, str] = {}
    told: list[str] = []
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("HOME_OF_SECRETS", "a token")
        lines = [*ON_FILES, *ON_OTHERS, *ALLOWED]
        for begin in range(0, len(lines), 20):
            part = lines[begin : begin + 20]
            found, error = attempt(*map(places, part), sandbox=True)
            assert len(found) == len(part), found
            answers |= dict(zip(part, found, strict=True))
            told += error.message.splitlines()
    return answers, told


@pytest.mark.parametrize("line", [*ON_FILES, *ON_OTHERS])
def test_what_is_forbidden_fails(line, sandboxed):
    expected, _ = {**ON_FILES, **ON_OTHERS}[line]
    assert sandboxed[0][line] == expected


@pytest.mark.parametrize("line", ALLOWED)
def test_what_plugins_need_works(line, sandboxed):
    assert sandboxed[0][line] == "ok"


@pytest.mark.usefixtures("sandboxed")
def test_the_file_is_as_it_was(secret):
    assert secret.read_text() == "secret"
    assert [p.name for p in secret.parent.iterdir()] == ["secret"]


@pytest.mark.parametrize(
    ("line", "text"),
    [(k, v[1]) for k, v in {**ON_FILES, **ON_OTHERS}.items() if v[1]],
)
def test_what_was_denied_is_told(line, text, attempt, places):
    answers, error = attempt(places(line), sandbox=True)
    told = [x for x in error.message.splitlines() if ": denied by the sandbox" in x]
    assert answers != ["ok"]
    assert any(places(text) in x for x in told), error.message
    assert all("(in plugin_init)" in x for x in told)


def test_what_is_forbidden_works_outside(attempt, places, secret, monkeypatch):
    monkeypatch.setenv("HOME_OF_SECRETS", "a token")
    free = secret.parent / "free-tmp"
    free.mkdir()
    monkeypatch.setenv("TMPDIR", str(free))
    answers, error = attempt(*map(places, WORKS_OUTSIDE))
    assert dict(zip(WORKS_OUTSIDE, answers, strict=True)) == dict.fromkeys(
        WORKS_OUTSIDE, "ok"
    )
    assert "sandbox" not in error.message


@pytest.mark.parametrize("kind", ["tcp", "udp", "unix", "abstract"])
def test_nobody_is_reached(kind, attempt, servers):
    answers, error = attempt(servers[kind], sandbox=True)
    assert answers == ["EACCES"]
    assert "socket AF_" in error.message
    assert attempt(servers[kind])[0] == ["ok"]


def test_the_network_can_be_allowed(attempt, servers):
    lines = [servers[kind] for kind in ("tcp", "udp", "unix", "abstract")]
    lines += ["netlink 0", "netlink 9", "resolve localhost", "listen", "raw", "packet"]
    answers, error = attempt(*lines, sandbox=True, sandbox_network=True)
    # Sockets of this machine's services give more than the network: never.
    assert answers[:8] == [
        *("ok", "ok", "EACCES", "EACCES"),
        "ok",
        "EACCES",
        "ok",
        "ok",
    ]
    assert set(answers[8:]) <= {"EACCES", "EPERM"}
    assert "socket AF_UNIX: denied by the sandbox" in error.message


@pytest.mark.skipif(platform.machine() != "x86_64", reason="x86-64 has more doors")
@pytest.mark.parametrize("door", ["int80", "x32"])
def test_other_calling_conventions_end_the_worker(door, intruder):
    with pytest.raises(wb.PluginCrashed) as caught:
        wb.load(intruder, config=door, sandbox=True)
    assert caught.value.signal == signal.SIGSYS
    assert "system call of another architecture" in caught.value.message


def test_a_crash_is_reported_as_ever(intruder):
    with pytest.raises(wb.PluginCrashed) as caught:
        wb.load(intruder, config="read /etc/shadow\nabort", sandbox=True)
    assert caught.value.signal == signal.SIGABRT
    assert "plugin intruder killed by SIGABRT in plugin_init" in caught.value.message
    assert any("libintruder" in frame for frame in caught.value.backtrace)
    assert "open /etc/shadow: denied by the sandbox" in caught.value.message


def test_root_keeps_no_rights_of_root(attempt, secret):
    if os.geteuid():
        pytest.skip("only root has rights to lose")
    assert attempt(f"capability 0 {secret}", sandbox=True)[0] == ["EPERM"]
