"""What strangers put into registries and indexes: one clear error, nothing installed."""

from __future__ import annotations

import gzip
import io
import json
import struct
import tarfile
from pathlib import Path

import pytest
from artifact_registry import LAYER, MANIFEST, OTHER, OURS, RULES, sha256, targz

import workbench as wb


@pytest.fixture
def refused(installed, home):
    """Fetch, expect ArtifactError of a stage, and nothing left; give the message."""

    def check(name, stage, **options):
        with pytest.raises(wb.ArtifactError) as caught:
            wb.get(name, insecure=True, **options)
        assert caught.value.stage == stage, caught.value
        assert installed() == []
        assert not list(home.glob(".staging*"))
        text = str(caught.value)
        assert len(text.splitlines()) == 1
        assert text.isprintable()
        return text

    return check


@pytest.fixture
def push_archive(registry, repository):
    """Push any bytes as an artifact's archive; give its reference."""

    def push(archive, kind="plugin", **options):
        registry.push_manifest(
            f"{repository}/it", archive, kind, tag="latest", **options
        )
        return f"{registry.host}/{repository}/it"

    return push


# -- digests -------------------------------------------------------------------------


def test_an_archive_changed_in_the_registry(registry, repository, weblog, refused):
    # the registry keeps equal blobs once: this one is of this test alone
    archive = targz({"libweblog.so": weblog.read_bytes(), "README": b"changed"})
    registry.push_plugin(f"{repository}/weblog", {OURS: archive})
    stored = registry.stored(sha256(archive))
    data = bytearray(stored.read_bytes())
    data[100] ^= 1
    stored.write_bytes(data)
    text = refused(f"{registry.host}/{repository}/weblog", "digest")
    assert "the archive is not what was announced" in text
    assert sha256(archive) in text
    assert sha256(bytes(data)) in text
    stored.write_bytes(archive)
    assert wb.get(f"{registry.host}/{repository}/weblog", insecure=True).exists()


def test_a_config_changed_in_the_registry(registry, repository, archive, refused):
    config = {"name": "weblog", "version": "0.1.0", "who": repository}
    registry.push_plugin(f"{repository}/weblog", {OURS: archive}, config=config)
    body = json.dumps(config).encode()
    registry.stored(sha256(body)).write_bytes(body.replace(b"0.1.0", b"0.1.1"))
    text = refused(f"{registry.host}/{repository}/weblog", "digest")
    assert "the config is not what was announced" in text


@pytest.mark.parametrize("asked", ["tag", "digest"])
def test_a_manifest_changed_on_the_way(
    registry, front, repository, archive, refused, asked
):
    about = registry.push_manifest(f"{repository}/weblog", archive, tag="latest")
    path = f"/v2/{repository}/weblog/manifests/"
    true = registry.stored(about["digest"]).read_bytes()
    headers = {
        "Content-Type": about["mediaType"],
        "Docker-Content-Digest": about["digest"],
    }
    false = true.replace(b'"schemaVersion": 2', b'"schemaVersion":  2')
    front.answers[path + "latest"] = (200, headers, false)
    front.answers[path + about["digest"]] = (200, {}, false)
    end = ":latest" if asked == "tag" else f"@{about['digest']}"
    text = refused(f"{front.host}/{repository}/weblog{end}", "digest")
    assert "the manifest is not what was announced" in text


def test_an_archive_longer_than_announced(
    front, registry, repository, archive, refused
):
    registry.push_manifest(f"{repository}/weblog", archive, tag="latest")
    path = f"/v2/{repository}/weblog/blobs/{sha256(archive)}"
    front.answers[path] = (200, {}, archive + b"and more")
    text = refused(f"{front.host}/{repository}/weblog", "digest")
    assert f"the archive has more than {len(archive):,} bytes" in text


# -- platforms -----------------------------------------------------------------------


def test_no_build_for_this_machine(registry, repository, archive, refused):
    builds = {OTHER: archive, "windows/amd64": archive}
    registry.push_plugin(f"{repository}/weblog", builds)
    text = refused(f"{registry.host}/{repository}/weblog", "platform")
    there = ", ".join(sorted(builds))
    assert f"there is no build for {OURS}, only for {there}" in text


def test_a_library_for_another_processor_under_our_name(push_archive, weblog, refused):
    library = bytearray(weblog.read_bytes())
    library[18:20] = struct.pack("<H", 243)
    text = refused(push_archive(targz({"libit.so": bytes(library)})), "platform")
    assert f"libit.so is built for another processor than {OURS}" in text


def test_a_processor_that_nothing_is_published_for(published, refused, monkeypatch):
    monkeypatch.setattr("platform.machine", lambda: "riscv64")
    text = refused(published, "platform")
    assert (
        "plugins are published for x86_64 and aarch64; this machine is riscv64" in text
    )


@pytest.mark.parametrize(
    ("content", "why"),
    [
        (b"", "is not a 64-bit Linux library"),
        (b"MZ" + bytes(100), "is not a 64-bit Linux library"),
        (b"\x7fELF\x01\x01" + bytes(100), "is not a 64-bit Linux library"),
        (b"\x7fELF\x02\x01" + bytes(10) + b"\x02\x00" + bytes(90), "is not a shared"),
    ],
)
def test_what_is_no_library_is_not_installed_as_one(
    push_archive, refused, content, why
):
    assert why in refused(push_archive(targz({"libit.so": content})), "archive")


# -- archives ------------------------------------------------------------------------


def member(name, kind=tarfile.REGTYPE, link="", data=b""):
    info = tarfile.TarInfo(name)
    info.type, info.linkname, info.size = kind, link, len(data)
    return info, data


def pax(name, **headers):
    info, data = member(name)
    info.pax_headers = headers
    return info, data


GOOD = member("rules.yaml", data=RULES)


@pytest.mark.parametrize(
    ("bad", "why"),
    [
        (member("../evil.yaml", data=RULES), "leads outside: ../evil.yaml"),
        (member("a/../../evil.yaml", data=RULES), "leads outside"),
        (member("..", tarfile.DIRTYPE), "leads outside: .."),
        (member("a\\..\\evil.yaml", data=RULES), "leads outside"),
        (member("/etc/evil.yaml", data=RULES), "absolute path: /etc/evil.yaml"),
        (member("C:\\evil.yaml", data=RULES), "absolute path"),
        (
            member("evil.yaml", tarfile.SYMTYPE, "/etc/passwd"),
            "holds a link: evil.yaml",
        ),
        (member("evil.yaml", tarfile.LNKTYPE, "rules.yaml"), "holds a link: evil.yaml"),
        (member("evil.yaml", tarfile.CHRTYPE), "holds a special file: evil.yaml"),
        (member("evil.yaml", tarfile.BLKTYPE), "holds a special file"),
        (member("evil.yaml", tarfile.FIFOTYPE), "holds a special file"),
        (member("evil.yaml", tarfile.GNUTYPE_SPARSE), "holds a special file"),
        (member("evil.yaml", b"Z"), "holds a special file"),
        (pax("rules.yaml", path="../../evil.yaml"), "leads outside: ../../evil.yaml"),
        (pax("rules.yaml", linkpath="/etc/passwd"), "holds rules.yaml twice"),
        (member("rules.yaml", data=b"again"), "holds rules.yaml twice"),
        (member("./rules.yaml", data=b"again"), "holds rules.yaml twice"),
        (member("e\x1b[31mvil/../..", data=b""), "leads outside: e\\x1b[31mvil"),
    ],
    ids=lambda v: None if isinstance(v, str) else f"{v[0].name}-{v[0].type.decode()}",
)
@pytest.mark.parametrize("first", [True, False])
def test_a_member_that_no_artifact_has(push_archive, refused, bad, why, first):
    members = [bad, GOOD] if first else [GOOD, bad]
    text = refused(push_archive(targz(members), "rulesfile"), "archive")
    assert why in text
    assert "nothing of it was installed" in text


def test_a_link_that_files_would_be_written_through(push_archive, refused, tmp_path):
    link = member("sub", tarfile.SYMTYPE, str(tmp_path))
    through = member("sub/evil.yaml", data=RULES)
    text = refused(push_archive(targz([link, through]), "rulesfile"), "archive")
    assert "holds a link: sub" in text
    assert not (tmp_path / "evil.yaml").exists()


def test_what_is_not_expected_is_left_out(push_archive, installed):
    members = [
        member("docs", tarfile.DIRTYPE),
        member("docs/extra.yaml.txt", data=b"text"),
        member(".hidden.yaml", data=RULES),
        member("README.md", data=b"text"),
        GOOD,
    ]
    wb.get(push_archive(targz(members), "rulesfile"), insecure=True)
    assert installed() == ["installed/it.json", "rules/it/rules.yaml"]


def test_an_archive_without_anything_expected(push_archive, refused):
    archive = targz({"README.md": b"x", "lib/libit.so": b"x"})
    text = refused(push_archive(archive), "archive")
    assert "holds no .so file, only: README.md, lib/libit.so" in text
    text = refused(push_archive(targz({}), "rulesfile"), "archive")
    assert "holds no .yaml or .yml file, only: nothing" in text


def test_a_bomb_is_stopped_as_it_unpacks(push_archive, refused):
    out = io.BytesIO()
    with gzip.GzipFile(fileobj=out, mode="wb") as packed:
        info = tarfile.TarInfo("rules.yaml")
        info.size = 200 << 20
        packed.write(info.tobuf())
        for _ in range(200):
            packed.write(bytes(1 << 20))
    assert len(out.getvalue()) < 1 << 20
    text = refused(push_archive(out.getvalue(), "rulesfile"), "archive")
    assert "the archive unpacks to more than 67,108,864 bytes" in text


def test_a_bomb_in_a_member_that_is_left_out(push_archive, refused):
    out = io.BytesIO()
    with gzip.GzipFile(fileobj=out, mode="wb") as packed:
        info = tarfile.TarInfo("README.md")
        info.size = 200 << 20
        packed.write(info.tobuf())
        for _ in range(200):
            packed.write(bytes(1 << 20))
    text = refused(push_archive(out.getvalue(), "rulesfile"), "archive")
    assert "the archive unpacks to more than 67,108,864 bytes" in text


def test_a_header_of_many_megabytes(push_archive, refused):
    info = tarfile.TarInfo("rules.yaml")
    info.pax_headers = {"comment": "x" * (8 << 20)}
    out = io.BytesIO()
    with gzip.GzipFile(fileobj=out, mode="wb") as packed:
        packed.write(info.tobuf(tarfile.PAX_FORMAT))
    text = refused(push_archive(out.getvalue(), "rulesfile"), "archive")
    assert "a header of more than a megabyte" in text


def test_a_member_with_a_negative_size(push_archive, refused):
    info = tarfile.TarInfo("rules.yaml")
    info.size = 512
    head = bytearray(info.tobuf(tarfile.GNU_FORMAT))
    # base-256, negative: a reader that seeks by it goes round in circles
    head[124:136] = b"\xff" * 10 + b"\xfc\x00"
    head[148:156] = b" " * 8
    head[148:156] = b"%06o\0 " % sum(head[:512])
    out = gzip.compress(bytes(head) + bytes(2048))
    text = refused(push_archive(out, "rulesfile"), "archive")
    assert "nothing of it was installed" in text


def test_the_reader_goes_forward_only():
    from workbench.artifacts.archive import _Unpacked
    from workbench.artifacts.faults import ArtifactFault

    source = _Unpacked(gzip.GzipFile(fileobj=io.BytesIO(gzip.compress(b"x" * 100))), 50)
    assert source.seek(20) == 20
    for where in ((10,), (0, io.SEEK_END), (0, io.SEEK_CUR)):
        with pytest.raises(ArtifactFault, match="contradictory headers"):
            source.seek(*where)
    with pytest.raises(ArtifactFault, match="more than 50 bytes"):
        source.seek(100)


def test_too_many_members(push_archive, refused):
    many = [member(f"{n}.txt") for n in range(10_001)]
    text = refused(push_archive(targz(many), "rulesfile"), "archive")
    assert "more than 10,000 members" in text


@pytest.mark.parametrize(
    ("data", "why"),
    [
        (b"no gzip at all", "the archive is damaged (Not a gzipped file"),
        (gzip.compress(b"no tar " * 200), "the archive is not a tar file"),
        (gzip.compress(b""), "the archive is not a tar file"),
        (targz({"rules.yaml": RULES * 50})[:-200], "the archive is truncated"),
        (targz({"rules.yaml": RULES * 50})[:40] + bytes(100), "the archive is damaged"),
    ],
    ids=["text", "no tar", "empty", "cut", "damaged"],
)
def test_what_is_no_archive(push_archive, refused, data, why):
    assert why in refused(push_archive(data, "rulesfile"), "archive")


@pytest.mark.parametrize(
    ("size", "stage", "why"),
    [
        (600 << 20, "archive", "the archive has 629,145,600 bytes"),
        (-1, "layout", "is not a number of bytes"),
        ("9", "layout", "is not a number of bytes"),
    ],
)
def test_an_archive_whose_manifest_says_it_is_huge(
    front, registry, repository, refused, size, stage, why
):
    place = f"{repository}/it"
    layer = registry.push_blob(place, b"x", LAYER.format("plugin"))
    document = {
        "schemaVersion": 2,
        "mediaType": MANIFEST,
        "config": registry.push_blob(place, b"{}", "application/json"),
        "layers": [{**layer, "size": size}],
    }
    body = json.dumps(document).encode()
    headers = {"Content-Type": MANIFEST}
    front.answers[f"/v2/{place}/manifests/latest"] = (200, headers, body)
    assert why in refused(f"{front.host}/{place}", stage)
    assert not front.paths(layer["digest"])


# -- layout --------------------------------------------------------------------------


def test_another_media_type_is_no_artifact(push_archive, archive, refused):
    image = "application/vnd.oci.image.layer.v1.tar+gzip"
    text = refused(push_archive(archive, layer_type=image), "layout")
    assert (
        f"neither a plugin nor a rules file: its content is of media type {image}"
        in text
    )
    asset = LAYER.format("asset")
    assert asset in refused(push_archive(archive, layer_type=asset), "layout")


@pytest.mark.parametrize(
    ("body", "why"),
    [
        (b"", "the manifest is not valid JSON"),
        (b"<html>", "the manifest is not valid JSON"),
        (b"[]", "the manifest is not a JSON object"),
        (b'{"a":' * 100_000, "the manifest is not valid JSON"),
        (b'{"layers": []}', "the manifest has no layers"),
        (b'{"layers": {}}', "the manifest has no layers"),
        (b'{"layers": [1]}', "holds something that is not an object"),
        (b'{"layers": [{"size": 1, "digest": "md5:1"}]}', "is not a sha256 or sha512"),
        (b'{"layers": [{"size": true}]}', "is not a number of bytes"),
        (b'{"manifests": [{"size": 1, "digest": "../../x"}]}', "sha256 or sha512"),
        (b" " * (5 << 20), "the manifest has more than 4,194,304 bytes"),
    ],
    ids=lambda v: v[:24] if isinstance(v, bytes) else "",
)
def test_a_manifest_that_is_none(front, repository, refused, body, why):
    front.answers[f"/v2/{repository}/it/manifests/latest"] = (200, {}, body)
    assert why in refused(f"{front.host}/{repository}/it", "layout")


@pytest.mark.parametrize(
    ("config", "why"),
    [
        (b"no json", "the config is not valid JSON"),
        (b'{"name": 7}', "name of the config is not a short text"),
        (b'{"name": "../../x"}', "cannot be the name of an artifact"),
        (b'{"dependencies": "all"}', "dependencies of the config is not a list"),
        (b'{"dependencies": [{"name": "../x", "version": "1"}]}', "not the name and"),
        (b'{"dependencies": [{"name": "x", "version": "1/../2"}]}', "not the name and"),
        (json.dumps({"requirements": [{}] * 300}).encode(), "a list of at most 256"),
    ],
)
def test_a_config_that_is_none(push_archive, archive, refused, config, why):
    assert why in refused(push_archive(archive, config=config), "layout")


def test_a_config_cannot_take_the_place_of_another_artifact(
    published, registry, repository, weblog, installed
):
    wb.get(published, insecure=True)
    archive = targz({"libweblog.so": weblog.read_bytes() + b"evil"})
    config = {"name": "weblog", "version": "9.9.9"}
    registry.push_plugin(f"{repository}/evil", {OURS: archive}, config=config)
    with pytest.raises(wb.ArtifactError) as caught:
        wb.get(f"{registry.host}/{repository}/evil", insecure=True)
    assert "its file libweblog.so would take the place of that of weblog" in str(
        caught.value
    )
    assert wb.inspect("weblog").version == "1.0.0"
    assert installed() == ["installed/weblog.json", "plugins/libweblog.so"]


def test_a_file_put_there_by_hand_stays(published, home, installed):
    mine = home / "plugins" / "libweblog.so"
    mine.parent.mkdir(parents=True)
    mine.write_bytes(b"mine")
    with pytest.raises(
        wb.ArtifactError, match="no workbench get put it there"
    ) as caught:
        wb.get(published, insecure=True)
    assert caught.value.stage == "install"
    assert mine.read_bytes() == b"mine"
    assert installed() == ["plugins/libweblog.so"]


# -- indexes -------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("text", "why"),
    [
        ("- [", "is not valid YAML"),
        ("\t- x", "is not valid YAML"),
        ("a: b", "is not a list"),
        ("- a\n- {b: c}", "names no artifact"),
        ("- {name: weblog, type: plugin}", "names no artifact"),
        ("- {name: ../../evil, registry: r, repository: p}", "names no artifact"),
        ("[" * 3000, "is not valid YAML"),
        ("", "has no 'weblog'"),
        (
            "- {name: other, type: plugin, registry: r, repository: p}",
            "has no 'weblog'",
        ),
    ],
)
def test_an_index_that_is_none(tmp_path, refused, text, why):
    (tmp_path / "index.yaml").write_text(text)
    index = str(tmp_path / "index.yaml")
    assert why in refused("weblog", "index", index=index)


@pytest.mark.parametrize(
    ("names", "why"),
    [
        ("abcdefghi", "aliases blow the document up"),
        ("abcdef", "more than 500,000 val"),
    ],
)
def test_an_index_whose_aliases_blow_up(tmp_path, refused, names, why):
    lines = ["- &a [x, x, x, x, x, x, x, x, x, x]"]
    for here, there in zip(names[1:], names[:-1], strict=True):
        lines.append(f"- &{here} [{', '.join([f'*{there}'] * 10)}]")
    (tmp_path / "index.yaml").write_text("\n".join(lines))
    text = refused("weblog", "index", index=str(tmp_path / "index.yaml"))
    assert why in text


def test_a_huge_index(tmp_path, front, refused):
    (tmp_path / "index.yaml").write_bytes(b"#" * (9 << 20))
    text = refused("weblog", "index", index=str(tmp_path / "index.yaml"))
    assert "has more than 8,388,608 bytes" in text
    front.answers["/index.yaml"] = (200, {}, b"#" * (9 << 20))
    text = refused("weblog", "index", index=f"http://{front.host}/index.yaml")
    assert "the index has more than 8,388,608 bytes" in text


def test_an_endless_index_is_not_read_to_its_end(front, refused):
    # it claims a terabyte; what comes is counted
    front.answers["/index.yaml"] = (
        200,
        {"Content-Length": str(1 << 40)},
        b"#" * (9 << 20),
    )
    text = refused("weblog", "index", index=f"http://{front.host}/index.yaml")
    assert "the index has more than 8,388,608 bytes" in text


@pytest.mark.parametrize(
    ("host", "place"),
    [
        ("127.0.0.1:1@evil", "p"),
        ("127.0.0.1:1/../x", "p"),
        ("127.0.0.1:1?", "p"),
        ("127.0.0.1:1", "../p"),
        ("127.0.0.1:1", "p?x=1"),
        ("127.0.0.1:1", "P"),
        ("127.0.0.1:1", "p@sha256:1"),
        ("h\u202eost", "p"),
    ],
)
def test_a_place_in_the_index_that_is_none(write_index, refused, host, place):
    index = write_index({"weblog": ("plugin", f"'{host}'", f"'{place}'")})
    text = refused("weblog", "index", index=index)
    assert "its place in the index is unusable" in text


def test_an_asset_is_neither(write_index, refused):
    index = write_index({"logo": ("asset", "localhost:1", "logo")})
    assert "it is an asset" in refused("logo", "layout", index=index)


@pytest.mark.parametrize(
    ("where", "why"),
    [
        ("/nowhere/index.yaml", "cannot be read: No such file or directory"),
        ("/", "cannot be read: Is a directory"),
        ("s3://bucket/index.yaml", "an index at s3:// cannot be read"),
        (
            "http://127.0.0.1:1/index.yaml",
            "127.0.0.1:1 cannot be reached: Connection ref",
        ),
    ],
)
def test_an_index_that_is_not_there(refused, where, why):
    assert why in refused("weblog", "index", index=where)


def test_an_index_without_tls_needs_to_be_allowed():
    with pytest.raises(wb.ArtifactError, match="would come without TLS") as caught:
        wb.get("weblog", index="http://127.0.0.1:1/index.yaml")
    assert caught.value.stage == "index"


# -- what is asked for ---------------------------------------------------------------


@pytest.mark.parametrize(
    ("name", "why"),
    [
        ("", "'' is not the name of an artifact"),
        ("../evil", "'..' is not a registry"),
        ("a/b", "'a/b' names no registry"),
        ("weblog:", "'' is not a version"),
        ("weblog:a b", "'a b' is not a version"),
        ("weblog@sha256:12", "'sha256:12' is not a digest"),
        ("localhost/UPPER", "'UPPER' is not a repository"),
        ("localhost:5000/a//b", "'a//b' is not a repository"),
        ("user@localhost:5000/a", "'localhost:5000/a' is not a digest"),
        ("http://localhost/a", "write 'localhost/a' and insecure=True"),
        ("web\x1blog", "'web\\x1blog' is not the name"),
    ],
)
def test_a_name_that_is_none(refused, name, why):
    assert why in refused(name, "name").replace("\\\\", "\\")


def test_a_version_given_twice(refused):
    text = refused("weblog:1.0.0", "name", version="2.0.0")
    assert "names a version already; give it once" in text


def test_a_registry_that_is_none(refused):
    text = refused("weblog", "name", registry="not a host")
    assert "'not a host' is not a registry; write HOST or HOST:PORT" in text


def test_the_error_survives_as_data(published):
    import pickle

    with pytest.raises(wb.ArtifactError) as caught:
        wb.get(f"{published}:9", insecure=True)
    copy = pickle.loads(pickle.dumps(caught.value))
    assert (copy.artifact, copy.stage) == (f"{published}:9", "registry")
    assert str(copy) == str(caught.value)
    assert Path(copy.artifact).name == "weblog:9"
