"""One measurement of bench_pump in a process of its own; prints JSON."""

from __future__ import annotations

import gc
import json
import os
import resource
import statistics
import subprocess
import sys
import threading
import time
from pathlib import Path


def cpu_ns(session) -> float:
    """CPU time of this process and of the session's worker."""
    spent = time.process_time_ns()
    pid = getattr(session, "pid", None)
    if pid and pid != os.getpid():
        tasks = Path(f"/proc/{pid}/task").iterdir()
        spent += sum(int((t / "schedstat").read_text().split()[0]) for t in tasks)
    return spent


def rss() -> int:
    pages = int(Path("/proc/self/statm").read_text().split()[1])
    return pages * resource.getpagesize()


def new_session(isolation: str = "process", **limits):
    from workbench.session import new_session as make

    return make(isolation, **limits)


def requests(manifest):
    from workbench.session.types import ColumnRequest

    return [
        ColumnRequest(f.name, 0, i, f.name, f.type, f.is_list)
        for i, f in enumerate(manifest.fields.values())
        if not f.arg and not f.name.endswith(".fails")
    ]


def opened(path: str, params: str, isolation: str = "process", **options):
    from workbench.session.types import CaptureOptions

    limits = {"call_timeout_sec": options.pop("call_timeout_sec", None)}
    session = new_session(isolation, **limits)
    index, manifest = session.load(path)
    session.init(index, "")
    start = cpu_ns(session)
    session.open(index, params, requests(manifest), CaptureOptions(**options))
    return session, start


def pump(path: str, events: str, isolation: str, kind: str):
    """Pump everything into a DataFrame of Arrow-backed columns."""
    import pandas as pd
    import pyarrow as pa

    from workbench.session.chunk_reader import unify_batches

    session, _ = opened(path, "2000", isolation)
    batches = [read.batch for read in iter(session.read, None) if read.batch]
    pa.Table.from_batches(unify_batches(batches)).to_pandas(types_mapper=pd.ArrowDtype)
    session.close()
    session, start = opened(path, events, isolation, dictionaries=kind == "dict")
    batches = []
    while (chunk := session.read()).end is None:
        batches.append(chunk.batch)
    table = pa.Table.from_batches(unify_batches(batches))
    frame = table.to_pandas(types_mapper=pd.ArrowDtype)
    spent = cpu_ns(session) - start
    session.close()
    assert len(frame) == int(events)
    return {"cpu_ns": spent / len(frame), "bytes_per_event": table.nbytes / len(frame)}


def child() -> int:
    """Return the number of the one child process, whichever thread started it."""
    tasks = Path("/proc/self/task").glob("*/children")
    return int(" ".join(path.read_text() for path in tasks).split()[0])


def frame(path: str, events: str):
    """What people call: capture, then the frame."""
    import workbench as wb

    plugin = wb.load(path)
    plugin.capture("1000", keep_events=False, progress=False).frame  # noqa: B018 - warm

    class Worker:
        pid = child()

    start = cpu_ns(Worker)
    shown = plugin.capture(events, keep_events=False, progress=False).frame
    spent = cpu_ns(Worker) - start
    plugin.close()
    return {"cpu_ns": spent / len(shown)}


def python(path: str, events: str):
    """The loop everybody writes first: cffi, lists, a DataFrame."""
    import cffi
    import pandas as pd

    ffi = cffi.FFI()
    ffi.cdef(
        """
        typedef struct { const char *config; void *a, *b, *c, *d; } init_input;
        typedef struct { void *evt; uint64_t num; const char *src; } event_input;
        typedef struct { uint32_t len; const void *ptr; } buffer;
        typedef struct { void *res; uint64_t res_len; uint32_t field_id;
            const char *field; const char *key; uint64_t index; uint32_t present;
            uint32_t type; uint32_t list; } field;
        typedef struct { void *owner, *error; uint32_t n; field *fields; void *t[6]; }
            extract_input;
        void *plugin_init(init_input *, int32_t *);
        void *plugin_open(void *, const char *, int32_t *);
        int32_t plugin_next_batch(void *, void *, uint32_t *, void ***);
        int32_t plugin_extract_fields(void *, event_input *, extract_input *);
        """
    )
    lib = ffi.dlopen(path)
    rc = ffi.new("int32_t *")
    state = lib.plugin_init(ffi.new("init_input *", {"config": ffi.NULL}), rc)
    instance = lib.plugin_open(state, events.encode(), rc)
    names = ("a", "b", "user", "verb", "path", "ip", "tags", "flag")
    kinds = (8, 8, 9, 9, 9, 40, 9, 25)
    fields = ffi.new("field[8]")
    for i, kind in enumerate(kinds):
        fields[i].field_id, fields[i].type, fields[i].list = i, kind, i == 6
    extract = ffi.new("extract_input *", {"n": 8, "fields": fields})
    event = ffi.new("event_input *")
    count, batch = ffi.new("uint32_t *"), ffi.new("void ***")
    columns: dict[str, list] = {name: [] for name in ("num", *names)}

    def value(kind, f, j):
        if kind == 9:
            return ffi.string(ffi.cast("char **", f.res)[j]).decode("utf-8", "replace")
        if kind == 40:
            one = ffi.cast("buffer *", f.res)[j]
            return bytes(ffi.buffer(one.ptr, one.len))
        if kind == 25:
            return bool(ffi.cast("uint32_t *", f.res)[j])
        return int(ffi.cast("uint64_t *", f.res)[j])

    gc.collect()
    before, start, number, code = rss(), time.process_time_ns(), 0, 0
    while code == 0:
        code = lib.plugin_next_batch(state, instance, count, batch)
        for k in range(count[0]):
            number += 1
            event.evt, event.num = batch[0][k], number
            lib.plugin_extract_fields(state, event, extract)
            columns["num"].append(number)
            for i, kind in enumerate(kinds):
                f = fields[i]
                if i == 6:
                    cell = [value(kind, f, j) for j in range(f.res_len)]
                else:
                    cell = value(kind, f, 0) if f.res_len else None
                columns[names[i]].append(cell)
    table = pd.DataFrame(columns)
    spent, grown = time.process_time_ns() - start, rss() - before
    return {"cpu_ns": spent / len(table), "bytes_per_event": grown / len(table)}


def iterate(path: str, events: str):
    """Look at every batch and let it go."""
    session, _ = opened(path, events)
    session.read()
    before, most, rows = rss(), 0, 0
    private = 0
    while (chunk := session.read()).end is None:
        rows += chunk.batch.num_rows
        for column in chunk.batch.columns:
            touch(column)
        most = max(most, rss())
        if not private and rows > int(events) // 2:
            private = private_bytes(session.pid)
    session.close()
    return {
        "grown_mib": (most - before) / (1 << 20),
        "worker_mib": private / (1 << 20),
    }


def touch(column) -> None:
    """Bring every page of a column into this process."""
    for buffer in column.buffers():
        if buffer is not None:
            memoryview(buffer)[:: resource.getpagesize()].tobytes()


def private_bytes(pid: int) -> int:
    lines = Path(f"/proc/{pid}/smaps_rollup").read_text().splitlines()[1:]
    fields = dict(line.split(":") for line in lines)
    kinds = ("Private_Clean", "Private_Dirty")
    return sum(int(fields[k].split()[0]) * 1024 for k in kinds)


def first(path: str, rounds: str):
    """From nothing to the first rows; the interpreter is warm."""
    spent = []
    for _ in range(int(rounds) + 1):
        begin = time.perf_counter()
        session, _ = opened(path, "100000")
        session.read()
        spent.append(time.perf_counter() - begin)
        session.close()
    return {"ms": statistics.median(spent[1:]) * 1e3}


def crash(path: str, rounds: str):
    """From the fault to the error in hand."""
    spent, lost = [], 0
    for _ in range(int(rounds)):
        session, _ = opened(path, "n=60000;fault=segv@extract:50001")
        rows = 0
        while True:
            begin = time.perf_counter()
            chunk = session.read()
            if chunk.batch is not None:
                rows += chunk.batch.num_rows
            if chunk.end:
                break
            if rows < 50000:
                waited = begin
        spent.append(time.perf_counter() - waited)
        lost += 50000 - rows
        session.close()
    return {"ms": statistics.median(spent) * 1e3, "lost": lost}


def hang(path: str):
    """How late a hang is told, after its limit of one second."""
    session, _ = opened(path, "n=10;fault=hang@extract:5", call_timeout_sec=1.0)
    begin = time.perf_counter()
    while session.read().end is None:
        pass
    late = time.perf_counter() - begin - 1.0
    session.close()
    return {"late_ms": late * 1e3}


def interrupt(path: str, rounds: str):
    """From Ctrl-C in read() to everything read, with a source that sleeps for ever."""
    import _thread

    spent = []
    for _ in range(int(rounds)):
        session, _ = opened(path, "n=10;fault=hang@next:0")
        struck: list[float] = []

        def strike(struck=struck):
            struck.append(time.perf_counter())
            _thread.interrupt_main()

        threading.Timer(0.05, strike).start()
        try:
            session.read()
        except KeyboardInterrupt:
            session.stop()
            while session.read().end is None:
                pass
            session.close_capture()
        spent.append(time.perf_counter() - struck[0])
        session.close()
    return {"ms": statistics.median(spent) * 1e3}


def import_():
    """``import workbench`` in a bare interpreter, less the interpreter itself."""

    def took(code: str) -> float:
        begin = time.perf_counter()
        subprocess.run([sys.executable, "-c", code], check=True)
        return time.perf_counter() - begin

    rounds = [(took("import workbench"), took("pass")) for _ in range(7)]
    return {"ms": statistics.median(a - b for a, b in rounds) * 1e3}


if __name__ == "__main__":
    name = {"import": "import_"}.get(sys.argv[1], sys.argv[1])
    print(json.dumps(globals()[name](*sys.argv[2:])))
