"""A real HTTP server before a registry: it asks for tokens, redirects and breaks off."""

from __future__ import annotations

import base64
import json
import threading
import time
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from urllib.parse import parse_qs, urlsplit

import requests


class Front:
    """Passes requests on to ``target``; its attributes say how it misbehaves.

    ``cut``: bytes after which the next archives break off, one entry each.
    ``ranges``: whether partial requests are honoured. ``pause``: seconds between pieces
    of an archive. ``redirect``: host to which archives are redirected. ``users``: user →
    password for tokens (None: no tokens are asked for). ``uses``: requests that a token
    is good for. ``answers``: path → (status, headers, body) given as they are.
    """

    def __init__(self, target: str = "") -> None:
        self.target = target
        self.cut: list[int] = []
        self.ranges = True
        self.pause = 0.0
        self.redirect = ""
        self.users: dict[str, str] | None = None
        self.uses = 1000
        self.answers: dict[str, tuple[int, dict[str, str], bytes]] = {}
        self.seen: list[tuple[str, dict[str, str]]] = []
        self._tokens: dict[str, int] = {}
        front = self

        class Handler(BaseHTTPRequestHandler):
            protocol_version = "HTTP/1.1"

            def do_GET(self):
                front.handle(self)

            def do_POST(self):
                front.handle(self)

            def log_message(self, *_):
                pass

        class Server(ThreadingHTTPServer):
            daemon_threads = True

            def handle_error(self, *_):
                """Say nothing: clients are meant to hang up here."""

        self.server = Server(("127.0.0.1", 0), Handler)
        self.host = f"127.0.0.1:{self.server.server_address[1]}"
        self.thread = threading.Thread(target=self.server.serve_forever, daemon=True)
        self.thread.start()

    def close(self) -> None:
        self.server.shutdown()
        self.server.server_close()
        self.thread.join()

    def paths(self, part: str) -> list[dict[str, str]]:
        """Give the headers of the requests whose path holds ``part``."""
        return [headers for path, headers in self.seen if part in path]

    # -- one request -----------------------------------------------------------------

    def handle(self, request) -> None:
        headers = {k.lower(): v for k, v in request.headers.items()}
        self.seen.append((request.path, headers))
        try:
            path = urlsplit(request.path).path
            if path in self.answers:
                self._send(request, *self.answers[path])
            elif path == "/token":
                self._token(request, headers)
            elif self.users is not None and not self._authorised(headers):
                scope = "repository:plugins/weblog:pull"
                ask = f'Bearer realm="http://{self.host}/token",service="tests",scope="{scope}"'
                self._send(request, 401, {"WWW-Authenticate": ask}, b"{}")
            elif "/blobs/" in path and self.redirect:
                place = f"http://{self.redirect}{request.path}"
                self._send(request, 307, {"Location": place}, b"gone there")
            else:
                self._pass_on(request, headers, path)
        except (BrokenPipeError, ConnectionResetError):
            request.close_connection = True

    def _authorised(self, headers) -> bool:
        scheme, _, token = headers.get("authorization", "").partition(" ")
        left = self._tokens.get(token, 0) if scheme == "Bearer" else 0
        if left:
            self._tokens[token] = left - 1
        return left > 0

    def _token(self, request, headers) -> None:
        if request.command == "POST":
            size = int(headers.get("content-length", 0))
            form = parse_qs(request.rfile.read(size).decode())
            good = form.get("refresh_token") == ["identity"]
        else:
            scheme, _, packed = headers.get("authorization", "").partition(" ")
            user, _, password = base64.b64decode(packed).decode().partition(":")
            good = scheme == "Basic" and self.users.get(user) == password
            good = good or (not packed and "" in self.users)
        if not good:
            self._send(request, 401, {}, b'{"errors": []}')
            return
        token = f"token{len(self._tokens)}"
        self._tokens[token] = self.uses
        self._send(request, 200, {}, json.dumps({"token": token}).encode())

    def _send(self, request, status, headers, body) -> None:
        request.send_response(status)
        for key, value in headers.items():
            request.send_header(key, value)
        if "Content-Length" not in headers:
            request.send_header("Content-Length", str(len(body)))
        request.end_headers()
        request.wfile.write(body)

    def _pass_on(self, request, headers, path) -> None:
        passed = {k: v for k, v in headers.items() if k in ("accept", "range")}
        if not self.ranges:
            passed.pop("range", None)
        with requests.Session() as session:
            session.trust_env = False
            answer = session.get(
                f"http://{self.target}{request.path}", headers=passed, timeout=30
            )
        body = answer.content
        request.send_response(answer.status_code)
        for key in ("Content-Type", "Docker-Content-Digest", "Content-Range"):
            if key in answer.headers:
                request.send_header(key, answer.headers[key])
        request.send_header("Content-Length", str(len(body)))
        request.end_headers()
        if "/blobs/" in path and self.cut and len(body) > 1000:
            request.wfile.write(body[: self.cut.pop(0)])
            request.wfile.flush()
            request.close_connection = True
            return
        if self.pause and "/blobs/" in path:
            for start in range(0, len(body), 4096):
                request.wfile.write(body[start : start + 4096])
                time.sleep(self.pause)
            return
        request.wfile.write(body)
