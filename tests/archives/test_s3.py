"""A real S3-compatible server on loopback: moto's."""

from __future__ import annotations

import pytest

import workbench as wb
from tests.archives.conftest import CONDITIONS, RULES, make_events
from workbench.archives.failures import ArchiveError

pytestmark = [
    pytest.mark.filterwarnings("ignore::DeprecationWarning"),
    pytest.mark.filterwarnings("ignore::ResourceWarning"),
    pytest.mark.filterwarnings("ignore::pytest.PytestUnraisableExceptionWarning"),
]


@pytest.fixture(scope="module")
def server():
    """The address of the server, and options to reach it."""
    from moto.server import ThreadedMotoServer

    running = ThreadedMotoServer(ip_address="127.0.0.1", port=0)
    running.start()
    host, port = running.get_host_and_port()
    yield {
        "key": "test",
        "secret": "test",
        "client_kwargs": {"endpoint_url": f"http://{host}:{port}"},
    }
    running.stop()


@pytest.fixture
def bucket(server, folder):
    """The files of ``folder`` in a bucket."""
    import s3fs

    files = s3fs.S3FileSystem(**server, skip_instance_cache=True)
    files.mkdir("events")
    for path in folder.iterdir():
        files.put(str(path), f"events/months/{path.name}")
    yield files, server
    files.rm("events", recursive=True)


def test_an_object_store_gives_the_same_as_a_folder(bucket, folder, events, tmp_path):
    _, options = bucket
    found = wb.archive("s3://events/months", storage_options=options)
    assert len(found) == len(events)
    for condition in CONDITIONS[:3]:
        assert found.count(condition) == events.count(condition)
    rules = wb.parse_rules(RULES)
    first = rules.run(wb.archive(folder)).save(tmp_path / "a.parquet").read_bytes()
    again = rules.run(found).save(tmp_path / "b.parquet").read_bytes()
    assert again == first
    some = wb.archive("s3://events/months/*-000.parquet", storage_options=options)
    assert len(some) == 40


def test_a_cluster_over_an_object_store_gives_the_same_bytes(bucket, folder, tmp_path):
    from distributed import Client, LocalCluster

    _, options = bucket
    rules = wb.parse_rules(RULES)
    first = rules.run(wb.archive(folder)).save(tmp_path / "a.parquet").read_bytes()
    with (
        LocalCluster(
            n_workers=2,
            threads_per_worker=1,
            dashboard_address=None,
            silence_logs=50,
        ) as local,
        Client(local) as client,
    ):
        found = wb.archive("s3://events/months", client=client, storage_options=options)
        again = rules.run(found).save(tmp_path / "b.parquet").read_bytes()
    assert again == first


def test_an_expired_listing_is_noticed(bucket, tmp_path):
    files, options = bucket
    found = wb.archive("s3://events/months", storage_options=options)
    path = make_events(7).save(tmp_path / "x.parquet")
    files.put(str(path), "events/months/part-001.parquet")
    with pytest.raises(ArchiveError, match=r"part-001\.parquet"):
        found.count(CONDITIONS[0])
    assert len(found.refresh()) == 300 - 60 + 7
    with pytest.raises(wb.WorkbenchError, match=r"no capture files"):
        wb.archive("s3://events/nothing/*.parquet", storage_options=options)


def test_captures_are_copied_to_where_they_are_read(bucket, plugin, tmp_path):
    files, options = bucket
    with wb.load(plugin("probe")) as probe:
        events = probe.capture("n=30")
        events.save(tmp_path / "x.scap")
        files.put(str(tmp_path / "x.scap"), "events/raw/x.scap")
        found = wb.archive("s3://events/raw", plugins=probe, storage_options=options)
        assert found.count("probe.num > 10") == events.count("probe.num > 10")


def test_pieces_of_a_bucket_can_be_converted(bucket, events, tmp_path):
    from workbench.archives.convert import convert

    _, options = bucket
    found = wb.archive("s3://events/months", storage_options=options)
    assert convert(found, tmp_path / "out").rows == 300
    out = wb.archive(tmp_path / "out")
    assert out.count(CONDITIONS[1]) == events.count(CONDITIONS[1])
