"""References and versions as people write them."""

from __future__ import annotations

import pytest

from workbench.artifacts.layout import Requirement
from workbench.artifacts.reference import parse_registry, parse_request
from workbench.artifacts.versions import (
    Version,
    check_requirements,
    newest,
    will_do,
)

DIGEST = "sha256:" + "0123456789abcdef" * 4


@pytest.mark.parametrize(
    ("text", "host", "repository", "name", "tag", "digest"),
    [
        ("k8saudit", "", "", "k8saudit", "", ""),
        ("k8saudit:0.7.0", "", "", "k8saudit", "0.7.0", ""),
        (f"k8saudit@{DIGEST}", "", "", "k8saudit", "", DIGEST),
        (f"k8saudit:1@{DIGEST}", "", "", "k8saudit", "1", DIGEST),
        ("ghcr.io/a/b", "ghcr.io", "a/b", "b", "", ""),
        ("GHCR.io/a/b:1", "ghcr.io", "a/b", "b", "1", ""),
        ("oci://ghcr.io/a/b:1", "ghcr.io", "a/b", "b", "1", ""),
        ("https://ghcr.io/a/b", "ghcr.io", "a/b", "b", "", ""),
        ("localhost/b", "localhost", "b", "b", "", ""),
        ("localhost:5000/b", "localhost:5000", "b", "b", "", ""),
        ("localhost:5000/b:1", "localhost:5000", "b", "b", "1", ""),
        (f"host:1/b@{DIGEST}", "host:1", "b", "b", "", DIGEST),
        ("[::1]:5000/b:1", "[::1]:5000", "b", "b", "1", ""),
        ("a.b/my.org/x__y/z-1", "a.b", "my.org/x__y/z-1", "z-1", "", ""),
    ],
)
def test_what_a_request_stands_for(text, host, repository, name, tag, digest):
    request = parse_request(text)
    assert (request.host, request.repository, request.name) == (host, repository, name)
    assert (request.tag, request.digest) == (tag, digest)
    place = request.reference("h", "r")
    assert str(place) == (f"h/r@{digest}" if digest else f"h/r:{tag or 'latest'}")


@pytest.mark.parametrize("version", ["0.7.0", "latest", DIGEST])
def test_a_version_is_a_tag_or_a_digest(version):
    assert parse_request("k8saudit", version).reference("h", "r").last == version


@pytest.mark.parametrize(
    ("text", "parts"),
    [
        ("localhost:5000", ("localhost:5000", "")),
        ("localhost:5000/", ("localhost:5000", "")),
        ("ghcr.io/a/b", ("ghcr.io", "a/b")),
        ("https://ghcr.io/a/", ("ghcr.io", "a")),
    ],
)
def test_a_registry_may_have_a_folder(text, parts):
    assert parse_registry(text) == parts


def test_versions_are_ordered_as_semver_says():
    texts = ["0.9.9", "1.0.0-alpha", "1.0.0-alpha.1", "1.0.0-alpha.beta", "1.0.0-beta"]
    texts += [
        "1.0.0-beta.2",
        "1.0.0-beta.11",
        "1.0.0-rc.1",
        "1.0.0",
        "v1.0.1",
        "10.0.0",
    ]
    versions = [Version.parse(text) for text in texts]
    assert versions == sorted(versions)
    assert Version.parse("1.2") == Version.parse("1.2.0+build")
    assert Version.parse("latest") is None
    assert Version.parse("1.2.3.4") is None
    assert Version.parse("9" * 5000 + ".1.1") is None
    assert newest(["latest", *texts], 3) == ["10.0.0", "v1.0.1", "1.0.0"]


@pytest.mark.parametrize(
    ("present", "wanted", "good"),
    [
        ("1.2.0", "1.2.0", True),
        ("1.3.0", "1.2.0", True),
        ("1.1.9", "1.2.0", False),
        ("2.0.0", "1.2.0", False),
        ("1.2.0-rc1", "1.2.0", False),
        ("0.8.0", "0.7.0", True),
        ("latest", "latest", True),
        ("", "0.1.0", False),
    ],
)
def test_what_will_do_for_what(present, wanted, good):
    assert will_do(present, wanted) is good


@pytest.mark.parametrize(
    ("name", "version"),
    [
        ("plugin_api_version", "0.1.0"),
        ("plugin_api_version", "2.0.0"),
        ("plugin_api_version", "3.12.0"),
        ("engine_version_semver", "0.26.0"),
        ("something_else", "99.0.0"),
        ("plugin_api_version", "soon"),
    ],
)
def test_requirements_that_are_met_or_unknown(name, version):
    check_requirements([Requirement(name, version)])
