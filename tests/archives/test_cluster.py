from __future__ import annotations

import os
import signal

import pytest

import workbench as wb
from tests.archives.conftest import CONDITIONS, RULES, make_events, save_cut

pytestmark = [
    pytest.mark.filterwarnings("ignore::DeprecationWarning"),
    pytest.mark.filterwarnings("ignore::ResourceWarning"),
    pytest.mark.filterwarnings("ignore::pytest.PytestUnraisableExceptionWarning"),
]


@pytest.fixture(scope="module")
def cluster():
    """A client of two worker processes on this machine."""
    from distributed import Client, LocalCluster

    with (
        LocalCluster(
            n_workers=2,
            threads_per_worker=1,
            processes=True,
            dashboard_address=None,
            silence_logs=50,
        ) as local,
        Client(local) as client,
    ):
        yield client


def test_a_cluster_gives_the_same_as_threads(folder, events, cluster, tmp_path):
    here, there = wb.archive(folder), wb.archive(folder, client=cluster)
    for condition in CONDITIONS:
        assert there.count(condition) == events.count(condition)
    assert there.funnel(CONDITIONS[0]) == here.funnel(CONDITIONS[0])
    assert there.values("web.path").equals(here.values("web.path"))
    rules = wb.parse_rules(RULES)
    mine, theirs = rules.run(here), rules.run(there)
    assert theirs.counts == mine.counts
    first = mine.save(tmp_path / "a.parquet").read_bytes()
    assert theirs.save(tmp_path / "b.parquet").read_bytes() == first


def test_the_job_reaches_the_workers_once(cluster, tmp_path):
    save_cut(make_events(400), list(range(20, 400, 20)), tmp_path / "many")
    counted = tmp_path / "loads"

    def watch():
        from workbench.archives.job import Job

        real = Job.__setstate__ if hasattr(Job, "__setstate__") else None

        def loading(self, state):
            with counted.open("a") as sink:
                sink.write("1")
            if real is not None:
                real(self, state)
            else:
                self.__dict__.update(state)

        Job.__setstate__ = loading

    def unwatch():
        from workbench.archives.job import Job

        del Job.__setstate__

    cluster.run(watch)
    try:
        found = wb.archive(tmp_path / "many", client=cluster)
        assert found.count(CONDITIONS[0]) == make_events(400).count(CONDITIONS[0])
    finally:
        cluster.run(unwatch)
    # Twenty files, two workers: each has it from the scheduler or from the other.
    assert 1 <= counted.stat().st_size <= 4


@pytest.mark.crash
def test_a_worker_that_is_killed_changes_no_result(cluster, tmp_path):
    events = make_events(600)
    save_cut(events, list(range(20, 600, 20)), tmp_path / "many")
    found = wb.archive(tmp_path / "many", client=cluster)
    pids = list(cluster.run(os.getpid).values())
    done = []

    def kill(part):
        done.append(part)
        if len(done) == 5:
            os.kill(pids[0], signal.SIGKILL)

    found.watch = kill
    rules = wb.parse_rules(RULES)
    alerts = rules.run(found)
    assert len(done) == 30
    assert alerts.counts == rules.run(events).counts
    cluster.wait_for_workers(2, timeout=60)


def test_plugins_are_loaded_in_each_worker(plugin, cluster, tmp_path):
    with wb.load(plugin("probe")) as probe:
        events = probe.capture("n=100")
        for n in range(4):
            events[n * 25 : n * 25 + 25].save(tmp_path / f"part-{n}.scap")
        found = wb.archive(tmp_path, plugins=probe, client=cluster)
        assert found.count("probe.num > 50") == events.count("probe.num > 50")
