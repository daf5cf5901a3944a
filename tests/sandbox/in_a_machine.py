"""Run the attempts on another kernel or processor, in a virtual machine. Not for CI.

    python tests/sandbox/in_a_machine.py KERNEL [--cc aarch64-linux-gnu-gcc]
        [--qemu 'qemu-system-aarch64 -M virt -cpu cortex-a57'] [--console ttyAMA0]

KERNEL: an image such as /boot/vmlinuz-… of a distribution. It needs QEMU and a compiler
for the kernel's processor that can link statically. The binding is that of the C core;
its first process is in_a_machine.c.
"""

from __future__ import annotations

import argparse
import gzip
import shlex
import stat
import subprocess
import sys
import tempfile
from pathlib import Path

HERE = Path(__file__).resolve().parent
ROOT = HERE.parents[1]
CORE = ROOT / "workbench" / "native" / "src"
sys.path.insert(0, str(HERE))
from test_attempts import ALLOWED, ON_FILES, ON_OTHERS  # noqa: E402

SECRET = "/home/secret"
# What a bare machine does not have.
SKIPPED = {
    *("dlopen libm.so.6", "read /etc/ld.so.cache", "variable HOME_OF_SECRETS"),
    *("descriptors 5000", "large_file 40", "capability", "read /etc/passwd"),
    *("read /etc/shadow", "append /etc/ld.so.cache", "variable PATH"),
    *("race {}", "exec_memory"),
}
# Where Landlock does not know of truncating, the filter refuses what would.
BEFORE_TRUNCATE = {"truncate {}": "EPERM", "openat2 {}": "ENOSYS", "temporary": "EPERM"}


def filled(text: str) -> str:
    text = text.replace("{dir}", "/home").replace("{}", SECRET)
    return text.replace("{parent}", "1")


def entry(name: str, data: bytes, mode: int) -> bytes:
    """One file of a cpio archive in the form that kernels unpack."""
    head = [0, mode, 0, 0, 1, 0, len(data), 0, 0, 0, 0, len(name) + 1, 0]
    raw = b"070701" + b"".join(b"%08X" % n for n in head) + name.encode() + b"\0"
    raw += b"\0" * (-len(raw) % 4) + data
    return raw + b"\0" * (-len(raw) % 4)


def archive(program: bytes, lines: list[str]) -> bytes:
    folder, file = stat.S_IFDIR | 0o755, stat.S_IFREG | 0o644
    parts = [
        entry(name, b"", folder)
        for name in ("proc", "dev", "home", "own", "lib", "mnt", "tmp")
    ]
    parts.append(entry("home/secret", b"secret", file))
    parts.append(entry("attempts", "\n".join(lines).encode() + b"\n", file))
    parts.append(entry("init", program, stat.S_IFREG | 0o755))
    return gzip.compress(b"".join([*parts, entry("TRAILER!!!", b"", 0)]))


def build(compiler: str, out: Path) -> bytes:
    sources = [HERE / "in_a_machine.c", *sorted((CORE / "sandbox").glob("*.c"))]
    sources.append(CORE / "host" / "support.c")
    flags = [
        "-O1",
        "-g",
        "-static",
        "-w",
        f"-I{CORE}",
        f"-I{ROOT}/workbench/authoring/include",
    ]
    subprocess.run(
        [*shlex.split(compiler), *flags, "-o", out, *sources, "-lpthread"], check=True
    )
    return out.read_bytes()


def boot(options: argparse.Namespace, initrd: Path) -> list[str]:
    words = f"console={options.console} panic=-1 quiet"
    serial = initrd.with_name("serial")
    machine = [*("-m", "512"), *("-smp", "2"), *("-display", "none"), "-no-reboot"]
    machine += ["-monitor", "none", "-serial", f"file:{serial}"]
    start = ["-kernel", options.kernel, "-initrd", initrd, "-append", words]
    command = [*shlex.split(options.qemu), *machine, *start]
    subprocess.run(command, stdin=subprocess.DEVNULL, timeout=900, check=True)
    return serial.read_text(errors="replace").replace("\r", "").splitlines()


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("kernel")
    parser.add_argument("--cc", default="cc")
    parser.add_argument("--qemu", default="qemu-system-x86_64")
    parser.add_argument("--console", default="ttyS0")
    options = parser.parse_args()
    expected = {line: verdict for line, (verdict, _) in (ON_FILES | ON_OTHERS).items()}
    expected |= dict.fromkeys(ALLOWED, "ok")
    expected = {k: v for k, v in expected.items() if k not in SKIPPED}
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        program = build(options.cc, folder / "init")
        initrd = folder / "initrd"
        initrd.write_bytes(archive(program, [filled(line) for line in expected]))
        printed = boot(options, initrd)
    return report(printed, expected)


def report(printed: list[str], expected: dict[str, str]) -> int:
    versions = [line for line in printed if line.startswith("landlock ")]
    if not versions:
        print(*printed[-40:], sep="\n")
        return 1
    print(versions[0])
    if int(versions[0].split()[1].rstrip(",")) < 3:
        expected |= BEFORE_TRUNCATE
    rows = [line.split("\t") for line in printed if line.startswith("ANSWER\t")]
    answers = {line: answer for _, line, answer in rows}
    told = [line for line in printed if line.startswith("TOLD\t")]
    wrong = [
        f"{line}: {answers.get(filled(line))}, not {verdict}"
        for line, verdict in expected.items()
        if answers.get(filled(line)) != verdict
    ]
    print(*wrong, sep="\n")
    done = [line for line in printed if line.startswith("DONE\t")]
    print(f"{len(rows)} attempts, {len(wrong)} unexpected, {len(told)} told, {done}")
    for line in told[:5]:
        print(line)
    return 1 if wrong or not told or done != ["DONE\t0\t1"] else 0


if __name__ == "__main__":
    raise SystemExit(main())
