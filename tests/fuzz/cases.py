"""One target written in Python: ``python -m tests.fuzz.cases TARGET ROUNDS FIRST SECONDS``.

The same command line and the same words as the fuzzers in C, see ``chance.h``. The cases
run in a child, so that the number of the one at work survives any death of it.
"""

from __future__ import annotations

import faulthandler
import importlib
import itertools
import mmap
import os
import resource
import signal
import struct
import sys
import time
import traceback
from pathlib import Path
from random import Random
from typing import Any

# Target → its module, which has make(dice) and check(input). Both come from one case.
MODULES = {
    "session": "session",
    "chunks": "chunks",
    "rescue": "rescue",
    "snapshots": "snapshots",
    "scap-files": "scap_files",
    "arrow-files": "arrow_files",
    "parquet-files": "parquet_files",
    "yaml": "yaml_texts",
    "rules": "rules_files",
    "conditions": "conditions",
    "condition-texts": "condition_texts",
    "outputs": "outputs",
    "schemas": "schemas",
}
_NUMBER = struct.Struct("<QQ")
# One case may take so long, on a machine that is busy.
_LONGEST_SEC = 60
_MEMORY_BYTES = 3 << 30


def module_of(target: str) -> Any:
    """Return the module with ``make`` and ``check`` of a target."""
    return importlib.import_module(f"tests.fuzz.targets.{MODULES[target]}")


def run_cases(target: str, rounds: int, first: int, seconds: float, page: Any) -> None:
    """Run cases from number ``first`` on; the ``page`` tells number and count."""
    faulthandler.enable()
    resource.setrlimit(resource.RLIMIT_DATA, (_MEMORY_BYTES, _MEMORY_BYTES))
    resource.setrlimit(resource.RLIMIT_CORE, (0, 0))
    module = module_of(target)
    if hasattr(module, "prepare"):
        module.prepare()
    until = time.monotonic() + seconds if seconds else None
    for count in itertools.count():
        if (rounds and count >= rounds) or (until and time.monotonic() >= until):
            break
        _NUMBER.pack_into(page, 0, first + count, count + 1)
        module.check(module.make(Random(first + count)))


def _child(target: str, rounds: int, first: int, seconds: float, page: Any) -> int:
    try:
        run_cases(target, rounds, first, seconds, page)
    except BaseException:  # noqa: BLE001 - told by its traceback
        traceback.print_exc()
        return 1
    return 0


def _wait(pid: int, page: Any) -> int:
    """Wait for the child's end, and end it when one case does not."""
    seen, since = None, time.monotonic()
    while True:
        done, status = os.waitpid(pid, os.WNOHANG)
        if done:
            return os.waitstatus_to_exitcode(status)
        if page[:8] != seen:
            seen, since = page[:8], time.monotonic()
        elif time.monotonic() - since > _LONGEST_SEC:
            print(f"no end within {_LONGEST_SEC} s", file=sys.stderr)
            os.kill(pid, signal.SIGABRT)
            since = time.monotonic()
        time.sleep(0.02)


def main(arguments: list[str]) -> int:
    """Run a target; 0 when no case failed."""
    target = arguments[0]
    rounds, first, seconds = (int(word) for word in arguments[1:])
    page = mmap.mmap(-1, mmap.PAGESIZE)
    _NUMBER.pack_into(page, 0, first, 0)
    pid = os.fork()
    if not pid:
        code = _child(target, rounds, first, seconds, page)
        sys.stdout.flush()
        sys.stderr.flush()
        os._exit(code)
    code = _wait(pid, page)
    number, count = _NUMBER.unpack_from(page)
    print(f"{count} cases, {count} inputs")
    if code:
        ended = f" (ended by {signal.Signals(-code).name})" if code < 0 else ""
        print(f"failed: case {number}{ended}", file=sys.stderr)
    return int(code != 0)


def input_of(target: str, case: int) -> bytes:
    """Return the input of one case, as bytes or as Python would write it."""
    module = module_of(target)
    if hasattr(module, "prepare"):
        module.prepare()
    made = module.make(Random(case))
    return made if isinstance(made, bytes) else repr(made).encode("utf-8", "replace")


if __name__ == "__main__":
    if sys.argv[1] == "--input":
        Path(sys.argv[4]).write_bytes(input_of(sys.argv[2], int(sys.argv[3])))
    else:
        sys.exit(main(sys.argv[1:]))
