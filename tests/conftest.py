from __future__ import annotations

import os
import shutil
import signal
from pathlib import Path

import pytest

from tests.support.compiled import compiled, make_sample

ROOT = Path(__file__).resolve().parent.parent

# Tool → (how to look for it, what is skipped without it).
_TOOLS = {
    "cpp": lambda: shutil.which(os.environ.get("CXX", "c++")),
    "go": lambda: shutil.which("go"),
    "rust": lambda: shutil.which("cargo"),
    "node": lambda: shutil.which("node"),
    "chromium": lambda: shutil.which("chromium") or shutil.which("chromium-browser"),
    "docker": lambda: shutil.which("dockerd", path=os.environ["PATH"] + ":/usr/sbin"),
    "registry": lambda: shutil.which("docker-registry"),
    "clang": lambda: shutil.which("clang"),
    "musl": lambda: shutil.which("musl-gcc"),
}


def _require(tool: str) -> str:
    """Give the path of an optional tool, or skip (fail where it must be present)."""
    found = _TOOLS[tool]()
    if found:
        return found
    line = f"{tool} is not installed here: what needs it is skipped"
    if tool in os.environ.get("WORKBENCH_REQUIRE", "").split(","):
        pytest.fail(f"WORKBENCH_REQUIRE lists {tool}, but it is missing")
    pytest.skip(line)


@pytest.fixture(scope="session")
def require():
    """Call with a tool's name to get its path or skip."""
    return _require


_SAMPLE_TOOLS = {
    "dummy_c": "cpp",
    "json_extract": "cpp",
    "sessions": "cpp",
    "dummy_go": "go",
    "docker": "go",
    "hello_rs": "rust",
}


@pytest.fixture(scope="session")
def sample():
    """Build a sample plugin once and give the path of its library.

    ``sample("weblog")``, or ``sample("json_extract", "libjson_extract_all.so")``.
    """

    def build(name: str, library: str | None = None) -> Path:
        if name in _SAMPLE_TOOLS:
            _require(_SAMPLE_TOOLS[name])
        folder = ROOT / "sample_plugins" / name
        make_sample(folder)
        return folder / (library or f"lib{name}.so")

    return build


@pytest.fixture(scope="session")
def plugin():
    """Compile a plugin of tests/support/plugins with definitions; the same ones only once.

    ``plugin("probe")``, or ``plugin("old", FAMILY=1, API='"0.1.0"')``. The library is
    shared between tests and test processes: copy it before changing it.
    """

    def build(name: str, **definitions: object) -> Path:
        named = [
            f"-D{k}" if v is True else f"-D{k}={v}" for k, v in definitions.items()
        ]
        return compiled(
            f"lib{name}.so",
            *("-O1", "-g", "-fPIC", "-shared", *named),
            ROOT / "tests" / "support" / "plugins" / f"{name}.c",
            libraries=("-lpthread",),
        )

    return build


@pytest.fixture(scope="session", autouse=True)
def interruptible():
    """Answer SIGINT as Python does, in child processes too.

    A shell starts its background jobs with SIGINT ignored. A test that interrupts an
    endless source would then wait for ever, and keep all that it reads.
    """
    if signal.getsignal(signal.SIGINT) == signal.SIG_IGN:
        signal.signal(signal.SIGINT, signal.default_int_handler)


@pytest.fixture(params=["worker", "local"])
def session(request):
    """A host without plugins: a worker process, then this process."""
    from workbench.session.local_session import LocalSession
    from workbench.session.worker_session import WorkerSession

    made = WorkerSession() if request.param == "worker" else LocalSession()
    yield made
    made.close()


@pytest.fixture
def worker():
    """A worker process without plugins."""
    from workbench.session.worker_session import WorkerSession

    made = WorkerSession()
    yield made
    made.close()


def request_columns(manifest, *texts, plugin=0, offsets=False):
    """Requests for fields written as users write them; all without argument if none."""
    from workbench.session.types import ColumnRequest

    names = list(manifest.fields)
    if not texts:
        texts = [n for n in names if not n.endswith((".arg", ".bad", ".fails"))]
    requests = []
    for text in texts:
        name, _, rest = text.partition("[")
        info = manifest.fields[name]
        arg = rest.removesuffix("]") if rest else None
        index = int(arg) if arg and arg.isdigit() and info.arg.index else 2**64 - 1
        requests.append(
            ColumnRequest(
                column=text,
                plugin=plugin,
                field_id=names.index(name),
                field=name,
                type=info.type,
                is_list=info.is_list,
                arg_present=arg is not None,
                arg_key=arg.encode() if arg is not None and info.arg.key else None,
                arg_index=index,
                offsets=offsets,
            )
        )
    return requests


def collect(session, plugin, params, columns=(), **options):
    """Open, read to the end, close: the table (None without rows), end and error."""
    import pyarrow as pa

    from workbench.session.chunk_reader import unify_batches
    from workbench.session.types import CaptureOptions

    session.open(plugin, params, columns, CaptureOptions(**options))
    batches = []
    while True:
        chunk = session.read()
        if chunk.batch is not None:
            batches.append(chunk.batch)
        if chunk.end:
            break
    session.close_capture()
    table = pa.Table.from_batches(unify_batches(batches)) if batches else None
    if table is not None:
        table.validate(full=True)
    return table, chunk.end, chunk.error


@pytest.fixture
def columns():
    return request_columns


@pytest.fixture
def read():
    return collect
