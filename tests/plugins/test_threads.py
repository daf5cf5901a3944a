"""Several threads at one plugin: nothing lost, nothing twice, nothing raised."""

from __future__ import annotations

import itertools
import threading
import time

import pytest

import workbench as wb
from tests.support.compiled import compiled
from workbench.wire.shared_page import IN_FLIGHT


@pytest.fixture(scope="session")
def probe(request):
    """Give a function: names for the preprocessor, to a build of the probe."""

    def build(**names):
        source = request.config.rootpath / "tests" / "support" / "plugins" / "probe.c"
        named = [f"-D{name}={value}" for name, value in names.items()]
        flags = ("-O1", "-g", "-fPIC", "-shared", *named)
        return compiled("libprobe.so", *flags, source, libraries=("-lpthread",))

    return build


def at_once(*acts, seconds=1.5):
    """Call every act over and over, each in a thread of its own; return how often."""
    errors: list[BaseException] = []
    limit = time.monotonic() + seconds
    counts = [0] * len(acts)

    def repeat(which, act):
        try:
            while time.monotonic() < limit and not errors:
                time.sleep(0.002)
                act()
                counts[which] += 1
        except BaseException as error:  # noqa: BLE001 - raised below
            errors.append(error)

    threads = [
        threading.Thread(target=repeat, args=(n, act)) for n, act in enumerate(acts)
    ]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(60)
        assert not thread.is_alive()
    if errors:
        raise errors[0]
    return counts


def test_everything_at_once(probe):
    with wb.load(probe()) as plugin:
        stored = plugin.capture("n=500", fields=["probe.num"])
        counts = at_once(
            lambda: plugin.capture("n=200", fields=["probe.num"]),
            lambda: plugin.trace,
            lambda: plugin.trace,
            lambda: plugin.log,
            lambda: plugin.metrics,
            lambda: stored.extract("probe.user").table,
            lambda: repr(plugin),
        )
        assert min(counts) > 0
        assert len(plugin.capture("n=7")) == 7


def test_the_trace_has_every_call_once(probe):
    with wb.load(probe()) as plugin:
        tracer = plugin.pool._sessions[0].session._connection.tracer
        at_once(
            lambda: plugin.capture("n=5", fields=["probe.num"]),
            tracer.drain,
            tracer.drain,
            lambda: tracer.calls(None),
            seconds=2,
        )
        tracer.drain()
        numbers = [slot[0] for slot in tracer._slots]
        assert len(numbers) > 20
        assert numbers == list(range(numbers[0], numbers[0] + len(numbers)))
        assert not [slot for slot in tracer._slots if slot[6] == IN_FLIGHT]


def test_the_log_has_every_line_once(probe):
    with wb.load(probe()) as plugin:
        logs = plugin.pool._sessions[0].session._connection.logs
        lines = 20000

        def drained():
            logs.catch_up()
            return [x.message for x in logs.lines() if x.message.startswith("line ")]

        done = threading.Event()
        threads = [
            threading.Thread(
                target=lambda: [drained() for _ in iter(done.is_set, True)]
            )
            for _ in range(3)
        ]
        for thread in threads:
            thread.start()
        plugin.capture("n=5;chatter")
        done.set()
        for thread in threads:
            thread.join()
        numbers = [int(text.split()[1]) for text in drained()]
        # Bounded: the last ten thousand, in order.
        assert numbers == list(range(lines - len(numbers), lines))
        assert len(numbers) > 9000


def test_a_capture_that_others_look_at_and_stop(probe):
    with wb.load(probe()) as plugin:
        for _ in range(5):
            capture = plugin.open("n=100000000;batch=20", fields=["probe.num"])
            rows = []

            def read(capture=capture, rows=rows):
                while (batch := capture.read()) is not None:
                    rows.append(batch.num_rows)

            reader = threading.Thread(target=read)
            reader.start()
            at_once(
                lambda c=capture: c.progress,
                lambda c=capture: c.waiting_call,
                lambda c=capture: repr(c),
                lambda: plugin.trace,
                seconds=0.2,
            )
            stoppers = [threading.Thread(target=capture.stop) for _ in range(4)]
            for thread in stoppers:
                thread.start()
            for thread in [*stoppers, reader]:
                thread.join(30)
                assert not thread.is_alive()
            assert capture.end_reason == "cancelled"
            assert capture.count == sum(rows)
            capture.close()


def test_closing_from_several_threads(probe):
    for _ in range(5):
        plugin = wb.load(probe())
        capture = plugin.open("n=100000000;batch=20", fields=["probe.num"])
        capture.read()
        closers = [threading.Thread(target=plugin.close) for _ in range(4)]
        closers += [threading.Thread(target=capture.close) for _ in range(4)]
        for thread in closers:
            thread.start()
        for thread in closers:
            thread.join(30)
            assert not thread.is_alive()
        assert plugin.closed
        assert capture.closed


def test_plugins_loaded_at_once_are_loaded_once_each(probe):
    libraries = [
        probe(PLUGIN_NAME=f'"{name}"', PLUGIN_ID=1000 + n, SOURCE=f'"{name}"')
        for n, name in enumerate(("one", "two", "three"))
    ]
    with wb.Workbench() as bench:
        # One of each of them is taken, the second is refused as in Falco.
        refused = []

        def load(path):
            try:
                bench.load(path)
            except wb.PluginLoadError as error:
                refused.append(str(error))

        threads = [
            threading.Thread(target=load, args=(path,))
            for path in itertools.chain(libraries, libraries)
        ]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join(60)
        assert sorted(bench.plugins) == ["one", "three", "two"]
        assert len(refused) == 3
        order = bench.pool.loaded_plugins
        for pooled in bench.pool._sessions:
            assert pooled.loaded_plugins == order[: len(pooled.loaded_plugins)]
        for source in bench.sources:
            assert len(bench.capture("n=3", source=source, fields=[])) == 3
