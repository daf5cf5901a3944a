"""Requests to registries and index hosts: requests and oras, with bounds added.

The token flow is that of ``oras``. Added, because it has none of it: limits of time and
size, no password to another host or over a connection that lost its encryption, Basic
challenges, identity tokens, tokens that expire on the way. Not used are its pull
(digests are not verified), its retries (two minutes for a closed port), its parsing of
references (a dot in a repository makes it another host), its reading of docker's config
(``DOCKER_CONFIG`` does not count).
"""

from __future__ import annotations

import contextlib
from http.cookiejar import DefaultCookiePolicy
from typing import TYPE_CHECKING, Any, Final
from urllib.parse import urljoin, urlsplit

import requests
from oras.auth.token import TokenAuth
from oras.auth.utils import parse_auth_header
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
# Of an answer that is not read in pieces: those with tokens.
_MAX_BODY_BYTES: Final = 1 << 18
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
        # Some registries take a client that keeps cookies for a browser.
        self.cookies.set_policy(DefaultCookiePolicy(allowed_domains=[]))

    def send(self, request: Any, **options: Any) -> requests.Response:
        """Send with a limit of time, and read what is read at once within bounds."""
        options["timeout"] = options.get("timeout") or _TIMEOUT
        whole = not options.get("stream")
        response: requests.Response = super().send(
            request, **{**options, "stream": True}
        )
        if whole:
            body = read_bounded(response, _MAX_BODY_BYTES, "answer")
            response._content = body  # noqa: SLF001 - what requests itself would do
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


class _Auth(TokenAuth):
    """Answers what a registry asks: Basic, or Bearer with a token fetched for it."""

    def __init__(
        self, host: str, session: Session, credentials: Credentials | None
    ) -> None:
        super().__init__()
        self.host = host
        self.session = session
        self.credentials = credentials
        self.prefix = "http" if session.insecure else "https"
        self._tls_verify = True
        if credentials is not None and credentials.user:
            self.set_basic_auth(credentials.user, credentials.password)

    def answer(self, refused: requests.Response) -> dict[str, str]:
        """Return the headers that a refusal asks for. Raises ArtifactFault."""
        # Whoever a redirect led to gets no password of this registry.
        if urlsplit(refused.url).netloc != self.host:
            raise self.denied("it sent us to a host that refuses")
        challenge = refused.headers.get("Www-Authenticate", "")
        scheme = challenge.partition(" ")[0].lower()
        known = self.credentials
        if scheme == "basic" and known is not None and known.user:
            return {"Authorization": f"Basic {self._basic_auth}"}
        if scheme != "bearer":
            raise self.denied()
        self.token = self._fetch_token(parse_auth_header(challenge))
        headers: dict[str, str] = self.get_auth_header()
        return headers

    def denied(self, why: str = "") -> ArtifactFault:
        """Return the fault of a registry that lets nobody in, or not this user."""
        text = f"{self.host} refuses access" + (f": {why}" if why else "")
        if self.credentials is None:
            advice = f"is the name right? To log in: docker login {self.host}"
        else:
            user = self.credentials.user or "an identity token"
            advice = (
                f"it was asked as {user}; is the name right, may that user read it?"
            )
        return ArtifactFault("registry", text, advice)

    def _fetch_token(self, asked: Any) -> str:
        """Ask the realm of a challenge for a token, with the credentials there are."""
        where = urlsplit(asked.realm or "")
        if where.scheme != "https" and (where.scheme, self.prefix) != ("http", "http"):
            text = f"its tokens come from {asked.realm!r}, an address without TLS"
            raise self.denied(text)
        try:
            if self.credentials is not None and self.credentials.identity_token:
                token = self._exchange(asked, self.credentials.identity_token)
            else:
                token = self.request_token(asked)
        except (ValueError, RecursionError, AttributeError):
            # the library trusts the answer to be a JSON object
            token = None
        if not isinstance(token, str) or not token.isascii() or not token.isprintable():
            raise self.denied(f"{where.netloc} gave no token")
        return token

    def _exchange(self, asked: Any, identity_token: str) -> Any:
        """Return the token that a realm gives for an identity token."""
        form = {
            "grant_type": "refresh_token",
            "refresh_token": identity_token,
            "client_id": "falco-plugin-workbench",
            "service": asked.service,
            "scope": asked.scope,
        }
        answer = self.session.post(asked.realm, data=form, allow_redirects=False)
        if answer.status_code != requests.codes.ok:
            return None
        data = answer.json()
        return data.get("access_token") or data.get("token")


class RegistryTransport:
    """Requests to one registry, authorised as it asks."""

    def __init__(
        self, host: str, *, insecure: bool, credentials: Credentials | None
    ) -> None:
        """Begin. ``insecure``: HTTP instead of HTTPS."""
        self._session = Session(insecure=insecure)
        self._auth = _Auth(host, self._session, credentials)
        self._base = f"{self._auth.prefix}://{host}/v2/"

    def get(self, path: str, headers: dict[str, str]) -> requests.Response:
        """Return the answer to a request below ``/v2/``, its body still to be read.

        Raises ArtifactFault for access refused; other refusals are in the status.
        """
        return self.send("GET", path, headers=headers)

    def send(
        self,
        method: str,
        path: str,
        *,
        headers: dict[str, str] | None = None,
        body: bytes | None = None,
    ) -> requests.Response:
        """Return the answer to any request, as :meth:`get` does.

        ``path``: below ``/v2/``, or the whole address that the registry itself gave
        for an upload; one at another host is refused.
        """
        given: dict[str, str] = self._auth.get_auth_header()
        address = urljoin(self._base, path)
        if urlsplit(address)[:2] != urlsplit(self._base)[:2]:
            text = f"{self._auth.host} sends uploads to {urlsplit(address).netloc}"
            raise ArtifactFault("registry", text, "that host gets no password of it")
        for _ in range(2):
            response = self._session.request(
                method,
                address,
                headers={**(headers or {}), **given},
                data=body,
                stream=True,
                allow_redirects=method in ("GET", "HEAD"),
            )
            if response.status_code not in _REFUSED:
                return response
            response.close()
            # also when a token was sent: it may have expired, or be for another place
            given = self._auth.answer(response)
        raise self._auth.denied()

    def close(self) -> None:
        """Close the connections (idempotent)."""
        self._session.close()
