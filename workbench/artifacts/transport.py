"""Requests to registries and index hosts: oras with what it leaves open closed.

``oras`` gives the session, its cookie policy, and the round of request, challenge and
second request. Added here, because it has none of it: limits of time and size, no
password to another host or over a connection that lost its encryption, ``.netrc`` left
alone, Basic challenges, identity tokens, tokens that expire on the way. Not used are
its pull (digests are not verified), its retries (two minutes for a closed port) and its
parsing of references (a dot in a repository makes it another host).
"""

from __future__ import annotations

import contextlib
import json
from typing import TYPE_CHECKING, Any, Final
from urllib.parse import urlsplit

import requests
from oras.auth.token import TokenAuth
from oras.auth.utils import parse_auth_header
from oras.provider import Registry as OrasRegistry
from requests import exceptions

from workbench.artifacts.faults import ArtifactFault

if TYPE_CHECKING:
    from collections.abc import Iterator

    from workbench.artifacts.credentials import Credentials

__all__ = ["RegistryTransport", "Session", "network_faults", "read_bounded"]

# Seconds until a connection stands, and between two pieces of an answer.
_TIMEOUT: Final = (10.0, 30.0)
_MAX_REDIRECTS: Final = 5
_READ_BYTES: Final = 1 << 16
_MAX_TOKEN_BYTES: Final = 1 << 18
_REFUSED: Final = (401, 403)


@contextlib.contextmanager
def network_faults(host: str, *, insecure: bool) -> Iterator[None]:
    """Turn what requests raises into ArtifactFault saying what to do."""
    try:
        yield
    except exceptions.SSLError as error:
        advice = (
            "a local registry without TLS needs insecure=True (--insecure); "
            "REQUESTS_CA_BUNDLE names the certificates of a private one"
        )
        text = f"{host} has no valid TLS connection: {_innermost(error)}"
        raise ArtifactFault("registry", text, "" if insecure else advice) from None
    except exceptions.Timeout:
        text = f"{host} does not answer"
        raise ArtifactFault("registry", text, "try again later") from None
    except exceptions.TooManyRedirects:
        text = f"{host} redirects more than {_MAX_REDIRECTS} times"
        raise ArtifactFault("registry", text) from None
    except (exceptions.RequestException, OSError) as error:
        text = f"{host} cannot be reached: {_innermost(error)}"
        advice = "check the network, the name and the port"
        raise ArtifactFault("registry", text, advice) from None


def _innermost(error: BaseException) -> str:
    """Return the plain reason inside the wrappings of several libraries."""
    seen = 0
    while seen < 10:
        inner = getattr(error, "reason", None) or error.__cause__ or error.__context__
        if isinstance(inner, str) and inner:
            return inner
        if not isinstance(inner, BaseException):
            break
        error, seen = inner, seen + 1
    reason = getattr(error, "strerror", None)
    return str(reason or error or type(error).__name__).partition("(")[0].strip()


def read_bounded(response: requests.Response, limit: int, what: str) -> bytes:
    """Return the body of an answer. Raises ArtifactFault beyond ``limit`` bytes."""
    body = bytearray()
    with contextlib.closing(response):
        for piece in response.iter_content(_READ_BYTES):
            body += piece
            if len(body) > limit:
                text = f"the {what} has more than {limit:,} bytes"
                raise ArtifactFault("layout", text)
    return bytes(body)


class Session(requests.Session):
    """A session that waits for a bounded time and follows redirects with care."""

    def __init__(self, *, insecure: bool = False) -> None:
        """Begin. ``insecure``: redirects to addresses without TLS are followed."""
        super().__init__()
        self.insecure = insecure
        self.max_redirects = _MAX_REDIRECTS
        self.headers["User-Agent"] = "falco-plugin-workbench"
        # The archives are compressed; their digests are of the bytes as they are.
        self.headers["Accept-Encoding"] = "identity"
        # requests would put what .netrc holds in the place of any authorization.
        self.auth = _leave_alone

    def send(self, request: Any, **options: Any) -> requests.Response:
        """Send with a limit of time."""
        options["timeout"] = options.get("timeout") or _TIMEOUT
        response: requests.Response = super().send(request, **options)
        return response

    def get_redirect_target(self, resp: Any) -> str | None:
        """Return where an answer points. Raises ArtifactFault when that has no TLS."""
        target: str | None = super().get_redirect_target(resp)
        if target is None:
            return None
        here, there = urlsplit(resp.url).scheme, urlsplit(target).scheme
        if here == "https" and there not in ("", "https") and not self.insecure:
            text = f"{urlsplit(resp.url).netloc} redirects to an address without TLS"
            raise ArtifactFault("registry", text)
        # Its body is of no interest, and may be endless.
        resp.close()
        return target

    def rebuild_auth(self, prepared_request: Any, response: Any) -> None:
        """Take the authorization off a request that goes to another host."""
        if self.should_strip_auth(response.request.url, prepared_request.url):
            prepared_request.headers.pop("Authorization", None)


def _leave_alone(request: requests.PreparedRequest) -> requests.PreparedRequest:
    return request


class _Challenges(TokenAuth):  # type: ignore[misc, unused-ignore]
    """Answers what a registry asks: Basic, or Bearer with a token fetched for it."""

    def __init__(self, host: str, credentials: Credentials | None) -> None:
        super().__init__()
        self.host = host
        self.credentials = credentials
        self.session: requests.Session = requests.Session()

    def authenticate_request(
        self,
        original: requests.Response,
        headers: dict[str, str],
        refresh: bool = False,  # noqa: FBT001, FBT002 - the library's signature
    ) -> tuple[dict[str, str], bool]:
        """Return headers that answer the challenge. Raises ArtifactFault."""
        # Whoever a redirect led to gets no password of this registry.
        if urlsplit(original.url).netloc != self.host:
            raise self._denied("it sent us to a host that refuses")
        challenge = original.headers.get("Www-Authenticate", "")
        original.close()
        scheme = challenge.partition(" ")[0].lower()
        if scheme == "basic" and self.credentials and not refresh:
            given = {"Authorization": f"Basic {self.credentials.basic}"}
        elif scheme == "bearer" and not refresh:
            self.token = self._fetch_token(challenge)
            given = {"Authorization": f"Bearer {self.token}"}
        else:
            raise self._denied("")
        return {**(headers or {}), **given}, True

    def _denied(self, why: str) -> ArtifactFault:
        text = f"{self.host} refuses access" + (f": {why}" if why else "")
        if self.credentials is None:
            return ArtifactFault(
                "registry", text, f"is the name right? Log in: docker login {self.host}"
            )
        user = self.credentials.user or "an identity token"
        advice = f"it was asked as {user}; is the name right, may that user read it?"
        return ArtifactFault("registry", text, advice)

    def _fetch_token(self, challenge: str) -> str:
        """Ask the realm of a challenge for a token, with the credentials there are."""
        asked = parse_auth_header(challenge)
        realm = asked.realm or ""
        where = urlsplit(realm)
        if where.scheme != "https" and (
            where.scheme != "http" or self.prefix != "http"
        ):
            raise self._denied(
                f"its tokens come from {realm!r}, an address without TLS"
            )
        facts = {"service": asked.service, "scope": asked.scope}
        params = {key: value for key, value in facts.items() if value}
        answer = self._ask_realm(realm, params)
        with contextlib.closing(answer):
            if answer.status_code in _REFUSED:
                raise self._denied("it gives no token")
            body = read_bounded(answer, _MAX_TOKEN_BYTES, "answer with the token")
        token = None
        with contextlib.suppress(ValueError, RecursionError, AttributeError):
            data = json.loads(body)
            token = data.get("token") or data.get("access_token")
        if answer.status_code != requests.codes.ok or not isinstance(token, str):
            raise self._denied(f"{where.netloc} gave no token")
        return token

    def _ask_realm(self, realm: str, params: dict[str, str]) -> requests.Response:
        known = self.credentials
        if known is not None and known.identity_token:
            form = {
                **params,
                "grant_type": "refresh_token",
                "refresh_token": known.identity_token,
                "client_id": "falco-plugin-workbench",
            }
            return self.session.post(
                realm, data=form, stream=True, allow_redirects=False
            )
        headers = {"Authorization": f"Basic {known.basic}"} if known else {}
        return self.session.get(realm, params=params, headers=headers, stream=True)


class RegistryTransport(OrasRegistry):  # type: ignore[misc, unused-ignore]
    """Requests to one registry, authorised as it asks."""

    session: requests.Session

    def __init__(
        self, host: str, *, insecure: bool, credentials: Credentials | None
    ) -> None:
        """Begin. ``insecure``: HTTP instead of HTTPS."""
        super().__init__(hostname=host, insecure=insecure)
        session = Session(insecure=insecure)
        session.cookies = self.session.cookies
        self.session = session
        self.auth = _Challenges(host, credentials)
        self.auth.session = self.session
        self.auth.prefix = self.prefix
        self.host = host

    def get(self, path: str, headers: dict[str, str]) -> requests.Response:
        """Return the answer to a request below ``/v2/``, its body still to be read.

        Raises ArtifactFault for access refused; other refusals are in the status.
        """
        url = f"{self.prefix}://{self.host}/v2/{path}"
        # The function inside the retries: those sleep for two minutes in all.
        once = OrasRegistry.do_request.__wrapped__
        response: requests.Response = once(
            self, url, "GET", headers=dict(headers), stream=True
        )
        if response.status_code in _REFUSED:
            response.close()
            raise self.auth._denied("")  # noqa: SLF001 - of this module
        return response

    def close(self) -> None:
        """Close the connections (idempotent)."""
        self.session.close()
