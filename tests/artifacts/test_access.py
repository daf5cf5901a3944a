"""Who is let in: docker's credentials, helpers, tokens; and who never sees them."""

from __future__ import annotations

import base64
import json
import shutil
import ssl
import subprocess
from pathlib import Path

import pytest
from artifact_front import Front
from artifact_registry import OURS, PASSWORD, USER, targz

import workbench as wb


def basic(user, password):
    return base64.b64encode(f"{user}:{password}".encode()).decode()


@pytest.fixture
def private(guarded, repository, archive):
    """Push weblog into the guarded registry; give its reference."""
    guarded.push_plugin(f"{repository}/weblog", {OURS: archive})
    return f"{guarded.host}/{repository}/weblog"


@pytest.fixture
def helper(tmp_path, monkeypatch):
    """Write a credential helper, a real program; give the file it notes calls in."""

    def write(name, script):
        folder = tmp_path / "bin"
        folder.mkdir(exist_ok=True)
        path = folder / f"docker-credential-{name}"
        calls = tmp_path / f"{name}.calls"
        path.write_text(f'#!/bin/sh\nread host\necho "$1 $host" >>{calls}\n{script}\n')
        path.chmod(0o755)
        monkeypatch.setenv("PATH", str(folder), prepend=":")
        return calls

    return write


def denied(place, installed):
    with pytest.raises(wb.ArtifactError) as caught:
        wb.get(place, insecure=True)
    assert caught.value.stage == "registry"
    assert installed() == []
    assert PASSWORD not in str(caught.value)
    return str(caught.value)


# -- a registry that wants Basic -----------------------------------------------------


def test_without_credentials_the_way_to_log_in_is_said(private, guarded, installed):
    text = denied(private, installed)
    assert f"{guarded.host} refuses access" in text
    assert f"docker login {guarded.host}" in text


@pytest.mark.parametrize("form", ["{}", "https://{}", "http://{}/v2/"])
def test_dockers_config_file_opens_it(private, guarded, docker_login, form):
    entry = {"auth": basic(USER, PASSWORD)}
    docker_login(auths={form.format(guarded.host): entry})
    assert wb.get(private, insecure=True).name == "libweblog.so"


def test_user_and_password_in_plain_open_it(private, guarded, docker_login):
    docker_login(auths={guarded.host: {"username": USER, "password": PASSWORD}})
    assert wb.get(private, insecure=True).exists()


def test_a_wrong_password_is_refused(private, guarded, docker_login, installed):
    docker_login(auths={guarded.host: {"auth": basic(USER, "wrong")}})
    text = denied(private, installed)
    assert "refuses access; it was asked as falco" in text


def test_a_helper_for_the_registry_is_asked_first(
    private, guarded, docker_login, helper
):
    own = json.dumps({"Username": USER, "Secret": PASSWORD})
    asked = helper("own", f"echo '{own}'")
    common = helper("common", "exit 1")
    docker_login(
        credHelpers={guarded.host: "own"},
        credsStore="common",
        auths={guarded.host: {"auth": basic(USER, "wrong")}},
    )
    assert wb.get(private, insecure=True).exists()
    assert asked.read_text() == f"get {guarded.host}\n"
    assert not common.exists()


def test_the_common_store_is_asked_by_the_key_of_the_config(
    private, guarded, docker_login, helper
):
    answer = json.dumps({"Username": USER, "Secret": PASSWORD})
    asked = helper("common", f"echo '{answer}'")
    docker_login(credsStore="common", auths={f"https://{guarded.host}/v1/": {}})
    assert wb.get(private, insecure=True).exists()
    assert asked.read_text() == f"get https://{guarded.host}/v1/\n"


@pytest.mark.parametrize(
    ("script", "why"),
    [
        ("echo credentials not found; exit 1", "says: credentials not found"),
        ("echo no json", "gave no user and secret"),
        ("echo '{}'", "gave no user and secret"),
        ("echo '[]'", "gave no user and secret"),
        ("kill -9 $$", "the credential helper docker-credential-bad"),
    ],
)
def test_a_helper_that_fails_is_named(
    private, docker_login, helper, installed, script, why
):
    helper("bad", script)
    docker_login(credsStore="bad")
    text = denied(private, installed)
    assert why in text
    assert "docker login" in text


@pytest.mark.parametrize("name", ["absent", "../../bin/sh", "a b", "-x"])
def test_a_helper_that_is_not_there_is_named(private, docker_login, installed, name):
    docker_login(credsStore=name)
    assert "is not installed" in denied(private, installed)


def test_a_helper_is_a_program_on_the_path_and_no_file_here(
    private, docker_login, installed, tmp_path, monkeypatch
):
    folder = tmp_path / "docker-credential-here"
    folder.mkdir()
    (folder / "evil").write_text(f"#!/bin/sh\ntouch {tmp_path}/ran\n")
    (folder / "evil").chmod(0o755)
    monkeypatch.chdir(tmp_path)
    docker_login(credsStore="here/evil")
    assert "is not installed" in denied(private, installed)
    assert not (tmp_path / "ran").exists()


@pytest.mark.parametrize("text", ["{", "[]", "null", '{"auths": []}', '{"auths": 7}'])
def test_a_broken_config_file_is_no_bug_of_ours(private, tmp_path, installed, text):
    folder = tmp_path / "docker"
    folder.mkdir()
    (folder / "config.json").write_text(text)
    said = denied(private, installed)
    assert ("config.json is not valid JSON" in said) == (text == "{")


def test_entries_of_other_hosts_and_shapes_do_not_count(
    private, guarded, docker_login, installed
):
    docker_login(
        auths={
            f"{guarded.host}.evil": {"auth": basic(USER, PASSWORD)},
            f"x{guarded.host}": {"auth": basic(USER, PASSWORD)},
            guarded.host: {"auth": "not base64!"},
        }
    )
    assert "docker login" in denied(private, installed)


def test_the_homes_netrc_is_left_alone(private, tmp_path, monkeypatch, installed):
    monkeypatch.setenv("HOME", str(tmp_path))
    (tmp_path / ".netrc").write_text(
        f'machine 127.0.0.1 login {USER} password "{PASSWORD}"\n'
    )
    denied(private, installed)


def test_credentials_never_show():
    from workbench.artifacts.credentials import Credentials

    text = repr(Credentials("me", "hidden", "token"))
    assert "me" in text
    assert "hidden" not in text
    assert "token=" not in text


# -- a registry that wants tokens ----------------------------------------------------


@pytest.fixture
def tokens(front, published):
    """Put a server that wants tokens before weblog; give its reference."""
    front.users = {USER: PASSWORD}
    return f"{front.host}/{published.partition('/')[2]}"


def test_a_token_is_fetched_with_dockers_credentials(tokens, front, docker_login):
    docker_login(auths={front.host: {"auth": basic(USER, PASSWORD)}})
    assert wb.get(tokens, insecure=True).name == "libweblog.so"
    (asked,) = front.paths("/token")
    assert asked["authorization"] == f"Basic {basic(USER, PASSWORD)}"
    (path,) = [p for p, _ in front.seen if p.startswith("/token")]
    assert "service=tests" in path
    assert "scope=repository%3Aplugins%2Fweblog%3Apull" in path
    # the password goes nowhere else
    others = [h for p, h in front.seen if not p.startswith("/token")]
    assert not [h for h in others if "Basic" in h.get("authorization", "")]


def test_a_token_for_everybody_needs_no_credentials(tokens, front):
    front.users[""] = ""
    assert wb.get(tokens, insecure=True).exists()
    assert all("authorization" not in h for h in front.paths("/token"))


def test_tokens_that_expire_are_fetched_again(tokens, front, docker_login):
    front.uses = 1
    docker_login(auths={front.host: {"auth": basic(USER, PASSWORD)}})
    assert wb.get(tokens, insecure=True).exists()
    assert len(front.paths("/token")) >= 3


def test_an_identity_token_is_exchanged(tokens, front, docker_login, helper):
    answer = json.dumps({"Username": "<token>", "Secret": "identity"})
    helper("identity", f"echo '{answer}'")
    docker_login(credHelpers={front.host: "identity"})
    assert wb.get(tokens, insecure=True).exists()
    docker_login(auths={front.host: {"identitytoken": "identity"}})
    assert wb.get(tokens, version="latest", insecure=True).exists()


def test_wrong_credentials_get_no_token(tokens, front, docker_login, installed):
    docker_login(auths={front.host: {"auth": basic(USER, "wrong")}})
    assert "gave no token" in denied(tokens, installed)


@pytest.mark.parametrize(
    "body",
    [
        b"",
        b"no json",
        b"[]",
        b"{}",
        b'{"token": 7}',
        b'{"token": "a\\r\\nX: y"}',
        b"[" * 100_000,
        b" " * (1 << 20),
    ],
    ids=["empty", "text", "list", "none", "number", "header", "deep", "long"],
)
def test_a_token_server_that_talks_nonsense(tokens, front, installed, body, request):
    front.answers["/token"] = (200, {}, body)
    with pytest.raises(wb.ArtifactError) as caught:
        wb.get(tokens, insecure=True)
    assert installed() == []
    long = request.node.callspec.id == "long"
    why = "the answer has more than 262,144 bytes" if long else "gave no token"
    assert why in str(caught.value)


@pytest.mark.parametrize(
    "challenge",
    ["", "Bearer", "Negotiate", 'Bearer realm=""', 'Bearer realm="ftp://x/token"'],
)
def test_a_challenge_that_nobody_can_answer(tokens, front, installed, challenge):
    path = "/v2/" + tokens.partition("/")[2] + "/manifests/latest"
    front.answers[path] = (401, {"WWW-Authenticate": challenge}, b"")
    assert "refuses access" in denied(tokens, installed)


# -- where credentials must not go ---------------------------------------------------


def test_archives_may_lie_on_another_host_that_sees_no_token(
    tokens, front, registry, docker_login
):
    other = Front(registry.host)
    try:
        front.redirect = other.host
        docker_login(auths={front.host: {"auth": basic(USER, PASSWORD)}})
        assert wb.get(tokens, insecure=True).exists()
        assert len(other.paths("/blobs/")) == 2
        assert not [h for _, h in other.seen if "authorization" in h]
    finally:
        other.close()


def test_a_host_that_was_redirected_to_gets_no_password(
    front, published, registry, docker_login, installed
):
    thief = Front(registry.host)
    try:
        thief.users = {USER: PASSWORD}
        front.redirect = thief.host
        docker_login(auths={front.host: {"auth": basic(USER, PASSWORD)}})
        text = denied(f"{front.host}/{published.partition('/')[2]}", installed)
        assert "it sent us to a host that refuses" in text
        assert not [h for _, h in thief.seen if "authorization" in h]
    finally:
        thief.close()


def test_redirects_in_circles_end(front, published, installed):
    front.redirect = front.host
    text = denied(f"{front.host}/{published.partition('/')[2]}", installed)
    assert "redirects more than 5 times" in text


# -- TLS -----------------------------------------------------------------------------


@pytest.fixture
def secure(front, tmp_path, monkeypatch):
    """Put TLS before the front, with a certificate that requests trusts here."""
    openssl = shutil.which("openssl")
    if openssl is None:
        pytest.skip("openssl is not installed here: what needs it is skipped")
    key, certificate = tmp_path / "key.pem", tmp_path / "certificate.pem"
    subprocess.run(
        [
            *(openssl, "req", "-x509", "-newkey", "rsa:2048", "-nodes", "-days", "2"),
            *("-subj", "/CN=tests", "-addext", "subjectAltName=IP:127.0.0.1"),
            *("-keyout", str(key), "-out", str(certificate)),
        ],
        check=True,
        capture_output=True,
    )
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(certificate, key)
    front.server.socket = context.wrap_socket(front.server.socket, server_side=True)
    monkeypatch.setenv("REQUESTS_CA_BUNDLE", str(certificate))
    return front


def test_tls_is_the_usual_way(secure, published, write_index):
    place = published.partition("/")[2]
    assert wb.get(f"{secure.host}/{place}").exists()
    index = Path(write_index({"weblog": ("plugin", secure.host, place)})).read_bytes()
    secure.answers["/index.yaml"] = (200, {}, index)
    assert wb.get("weblog", index=f"https://{secure.host}/index.yaml").exists()


def test_a_certificate_that_nobody_signed_is_refused(
    secure, published, installed, monkeypatch
):
    monkeypatch.delenv("REQUESTS_CA_BUNDLE")
    place = published.partition("/")[2]
    with pytest.raises(wb.ArtifactError) as caught:
        wb.get(f"{secure.host}/{place}")
    assert "has no valid TLS connection" in str(caught.value)
    assert "REQUESTS_CA_BUNDLE" in str(caught.value)
    assert installed() == []


def test_plain_http_is_refused_unless_it_is_allowed(published, installed):
    with pytest.raises(wb.ArtifactError) as caught:
        wb.get(published)
    assert "has no valid TLS connection" in str(caught.value)
    assert "needs insecure=True (--insecure)" in str(caught.value)
    assert installed() == []


def test_nothing_leads_from_tls_to_plain_http(secure, published, registry, installed):
    secure.redirect = registry.host
    place = published.partition("/")[2]
    with pytest.raises(wb.ArtifactError, match="redirects to an address without TLS"):
        wb.get(f"{secure.host}/{place}")
    # nor do passwords go to a token server without it
    secure.redirect = ""
    secure.users = {USER: PASSWORD}
    with pytest.raises(wb.ArtifactError, match="its tokens come from 'http://127"):
        wb.get(f"{secure.host}/{place}")
    assert not secure.paths("/token")
    assert installed() == []


def test_rules_need_no_credentials_of_other_registries(
    registry, repository, docker_login
):
    docker_login(auths={"registry.invalid": {"auth": basic(USER, PASSWORD)}})
    files = targz({"a.yaml": b"- list: a\n  items: []\n"})
    registry.push_rules(f"{repository}/rules", files)
    assert wb.get(f"{registry.host}/{repository}/rules", insecure=True).exists()
