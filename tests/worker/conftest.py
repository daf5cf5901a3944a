from __future__ import annotations

import pyarrow as pa
import pytest

from workbench.host.local import LocalSession
from workbench.worker.client import WorkerSession
from workbench.worker.protocol.columns import unify_batches
from workbench.worker.session import CaptureOptions, ColumnRequest


@pytest.fixture(params=["worker", "local"])
def session(request):
    """A host without plugins: a worker process, then this process."""
    made = WorkerSession() if request.param == "worker" else LocalSession()
    yield made
    made.close()


@pytest.fixture
def worker():
    """A worker process without plugins."""
    made = WorkerSession()
    yield made
    made.close()


def request_columns(manifest, *texts, plugin=0, offsets=False):
    """Requests for fields written as users write them; all without argument if none."""
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
