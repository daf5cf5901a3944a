"""The library file: is it one, is it for this machine, and a private copy to map.

1. Look at the file's head before dlopen does, so that a refusal says what to do.
2. Copy it into a memfd and map ``/proc/self/fd/N``: a rebuild or an overwrite of the
   file never changes or kills what runs here.
3. Where the copy cannot be mapped (libraries beside it, no executable memfds), map the
   file itself.
"""

from __future__ import annotations

import errno
import fcntl
import os
import stat
import struct

from workbench.wire.messages import HostError

TYPE_CHECKING = False
if TYPE_CHECKING:
    from workbench.host.handles import HostHandle, PluginHandle

__all__ = ["open_library"]

_ELF_MAGIC = b"\x7fELF"
_SHARED_OBJECT = 3
# ELF machine number → name, for the machines people have.
_MACHINES = {
    3: "i386",
    40: "arm",
    62: "x86_64",
    183: "aarch64",
    21: "ppc64",
    22: "s390x",
    243: "riscv64",
}
_OTHER_FORMATS = (
    (b"\xcf\xfa\xed\xfe", "a macOS library"),
    (b"\xca\xfe\xba\xbe", "a macOS universal library"),
    (b"MZ", "a Windows library"),
    (b"!<arch>", "a static archive (.a)"),
    (b"#!", "a script"),
    (b"PK", "a zip archive"),
    (b"\x1f\x8b", "a gzip archive"),
)
# Where no copy can be had, the file itself is loaded.
_NO_COPY = (
    *(errno.ENOSYS, errno.EPERM, errno.EACCES),
    *(errno.EMFILE, errno.EFBIG, errno.ENOSPC),
)
# Copies get descriptors from here on: a number is a name to the dynamic loader.
_FIRST_DESCRIPTOR = 100


def _refuse(path: str, problem: str, advice: str) -> HostError:
    message = f"cannot load plugin {path}: {problem}"
    if advice:
        message += f" ({advice})"
    return HostError("PluginLoadError", message, path=path, complaints=[problem])


def _open_file(path: str, file: str) -> int:
    try:
        # A FIFO would block, a terminal would become ours.
        fd = os.open(file, os.O_RDONLY | os.O_CLOEXEC | os.O_NONBLOCK | os.O_NOCTTY)
    except FileNotFoundError:
        if os.path.islink(file):  # noqa: PTH114 - the worker does not load pathlib
            raise _refuse(
                path,
                "the connection points to a missing file",
                "build it, or fix the connection",
            ) from None
        raise _refuse(
            path, "no such file", "check the path, or build the plugin first"
        ) from None
    except PermissionError:
        raise _refuse(
            path, "no permission to read it", f"try: chmod a+r {path}"
        ) from None
    except NotADirectoryError:
        raise _refuse(path, "a part of the path is not a folder", "") from None
    except OSError as error:
        raise _refuse(path, os.strerror(error.errno or 0), "") from None
    except ValueError:
        raise _refuse(path, "the path holds a NUL character", "") from None
    mode = os.fstat(fd).st_mode
    if stat.S_ISREG(mode):
        return fd
    os.close(fd)
    if stat.S_ISDIR(mode):
        raise _refuse(path, "is a folder", "name the .so file in it")
    raise _refuse(path, "is not a regular file", "name the plugin's .so file")


def _check_head(path: str, head: bytes, size: int) -> None:
    if not head:
        raise _refuse(path, "the file is empty", "build the plugin again")
    if not head.startswith(_ELF_MAGIC):
        for magic, what in _OTHER_FORMATS:
            if head.startswith(magic):
                advice = "a plugin here is a Linux shared library (.so)"
                raise _refuse(path, f"is {what}, not a Linux shared library", advice)
        raise _refuse(path, "is not a shared library", "name the plugin's .so file")
    if len(head) < 64:
        raise _refuse(path, "the file is truncated", "copy or build it again")
    bits, order = head[4], head[5]
    byte_order = "<" if order == 1 else ">"
    kind, machine = struct.unpack_from(byte_order + "HH", head, 16)
    ours = os.uname().machine
    theirs = _MACHINES.get(machine, f"ELF machine {machine}")
    if theirs != ours or bits != 2:
        width = {1: "32-bit", 2: "64-bit"}.get(bits, "odd-sized")
        raise _refuse(
            path,
            f"wrong architecture: built for {theirs} ({width}), this machine is {ours}",
            f"build it for {ours}, or fetch that release",
        )
    if kind != _SHARED_OBJECT:
        what = {1: "an object file", 2: "a program", 4: "a core dump"}.get(kind, "ELF")
        advice = "connection it with -shared"
        raise _refuse(path, f"is {what}, not a shared library", advice)
    end_of_headers = _end_of_file_parts(byte_order, head)
    if end_of_headers > size:
        raise _refuse(
            path,
            f"the file is truncated: {size} bytes, but its headers end at "
            f"{end_of_headers}",
            "copy or build it again",
        )


def _end_of_file_parts(order: str, head: bytes) -> int:
    """Return the end of what the ELF header points to: program and section headers."""
    program_at, section_at = struct.unpack_from(order + "QQ", head, 32)
    sizes = struct.unpack_from(order + "HHHH", head, 54)
    program_size, program_count, section_size, section_count = sizes
    end_of_programs: int = program_at + program_size * program_count
    end_of_sections: int = section_at + section_size * section_count
    return max(end_of_programs, end_of_sections)


def _segments_fit(fd: int, head: bytes, size: int) -> bool:
    """Whether every mapped segment lies in the file: else mapping it kills us."""
    (program_at,) = struct.unpack_from("<Q", head, 32)
    entry_size, count = struct.unpack_from("<HH", head, 54)
    table = os.pread(fd, entry_size * count, program_at)
    for i in range(count):
        at = i * entry_size
        if entry_size < 56 or at + 56 > len(table):
            return False
        kind, _, offset, _, _, length = struct.unpack_from("<IIQQQQ", table, at)
        if kind == 1 and offset + length > size:
            return False
    return True


def _private_copy(fd: int, path: str) -> int:
    # /proc/PID/maps, debuggers and library constructors see the name of the memfd.
    name = os.fsencode(path).rpartition(b"/")[2][:200]
    copy = os.memfd_create(os.fsdecode(name), os.MFD_CLOEXEC)
    try:
        at = 0
        size = os.fstat(fd).st_size
        while at < size:
            sent = os.sendfile(copy, fd, at, size - at)
            if not sent:
                break
            at += sent
        try:
            return fcntl.fcntl(copy, fcntl.F_DUPFD_CLOEXEC, _FIRST_DESCRIPTOR)
        except OSError as error:
            if error.errno != errno.EINVAL:
                raise
            # So high a number is beyond the limit of open files.
            return fcntl.fcntl(copy, fcntl.F_DUPFD_CLOEXEC, 0)
    finally:
        os.close(copy)


def open_library(host: HostHandle, path: str, file: str, index: int) -> PluginHandle:
    """Check and map the library ``file``, called ``path`` by the user.

    Raises HostError (PluginLoadError).
    """
    fd = _open_file(path, file)
    try:
        size = os.fstat(fd).st_size
        head = os.pread(fd, 64, 0)
        _check_head(path, head, size)
        if not _segments_fit(fd, head, size):
            raise _refuse(path, "the file is truncated", "copy or build it again")
        return _map(host, fd, path, file, index)
    finally:
        os.close(fd)


def _map(host: HostHandle, fd: int, path: str, file: str, index: int) -> PluginHandle:
    try:
        copy = _private_copy(fd, path)
    except OSError as error:
        if error.errno not in _NO_COPY:
            raise
        copy = -1
    if copy >= 0:
        # The descriptor stays open for life: its number is the library's name now.
        try:
            return host.open(f"/proc/self/fd/{copy}", path, index)
        except OSError:
            os.close(copy)
    real = os.path.abspath(file)  # noqa: PTH100 - the worker does not load pathlib
    try:
        return host.open(real, path, index)
    except OSError as error:
        problem = f"can't load plugin dynamic library: {error}"
        raise _refuse(path, problem, _advice(str(error))) from None


def _advice(problem: str) -> str:
    if "undefined symbol" in problem:
        return "connection it with every library it uses, and build it with -fPIC"
    if "cannot open shared object file" in problem:
        return "install the library it needs, or set LD_LIBRARY_PATH"
    if "GLIBC" in problem or "GLIBCXX" in problem:
        return "it was built on a newer system: build it on this one"
    if "static TLS" in problem:
        return "load fewer plugins together"
    return ""
