"""Record `data/access.log` and `data/timed.log` from a real nginx on loopback.

    python record_traffic.py            # about eight minutes; needs nginx

An unprivileged nginx serves a small site from a temporary folder; the requests of
`recording/scenarios.py` are sent to it at their times, from several loopback
addresses; its logs are kept. The mix is seeded, so that two recordings differ only
in their times and in the order of requests that fall together.
"""

from __future__ import annotations

import argparse
import asyncio
import contextlib
import random
import shutil
import socket
import subprocess
import sys
import tempfile
import time
from pathlib import Path

HERE = Path(__file__).resolve().parent
sys.path.insert(0, str(HERE / "recording"))

from scenarios import PRODUCTS, Request, everything  # noqa: E402 - needs the path

ANSWER_LIMIT_SEC = 5
AT_ONCE = 40


def build_site(folder: Path) -> None:
    """Write the pages, the passwords and the temporary folders nginx needs."""
    site = folder / "site"
    for name in ("products", "blog", "admin", "downloads"):
        (site / name).mkdir(parents=True)
    for name in ("index", "search", "login", "products/index", "admin/index"):
        (site / f"{name}.html").write_text(f"<h1>{name}</h1>\n" * 20)
    for number in range(PRODUCTS):
        page = site / "products" / f"{number}.html"
        page.write_text(f"<h1>product {number}</h1>\n" * (number + 1))
    (site / "blog" / "überraschung.html").write_text("<h1>Überraschung</h1>\n")
    (site / "style.css").write_text("body { margin: 2em }\n" * 60)
    (site / "shop.js").write_text("console.log('shop');\n" * 400)
    (site / "logo.svg").write_text("<svg xmlns='http://www.w3.org/2000/svg'/>\n")
    (site / "robots.txt").write_text("User-agent: *\nDisallow: /admin/\n")
    (site / "downloads" / "catalogue.txt").write_text("item, price\n" * 20_000)
    (folder / "users").write_text("admin:{PLAIN}correct horse\n")


def free_port() -> int:
    """Return a port that nobody listens on at the moment."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port: int = probe.getsockname()[1]
        return port


@contextlib.contextmanager
def nginx(folder: Path, port: int):  # type: ignore[no-untyped-def] # noqa: ANN201
    """Run nginx in `folder` until the block ends; fail loudly if it does not start."""
    program = shutil.which("nginx") or "/usr/sbin/nginx"
    text = (HERE / "recording" / "nginx.conf").read_text()
    (folder / "nginx.conf").write_text(text.replace("@PORT@", str(port)))
    command = [program, "-p", str(folder), "-c", "nginx.conf", "-e", "error.log"]
    server = subprocess.Popen(command)
    try:
        for _ in range(100):
            with (
                contextlib.suppress(OSError),
                socket.create_connection(("127.0.0.1", port), timeout=1),
            ):
                break
            if server.poll() is not None:
                sys.exit(f"nginx did not start: {(folder / 'error.log').read_text()}")
            time.sleep(0.05)
        yield
    finally:
        server.terminate()
        server.wait(10)


async def send(request: Request, port: int) -> None:
    """Send one request from its own address and read the answer to its end."""
    six = ":" in request.source
    host = "::1" if six else "127.0.0.1"
    reader, writer = await asyncio.open_connection(
        host, port, local_addr=None if six else (request.source, 0)
    )
    try:
        writer.write(request.data)
        await writer.drain()
        if request.hang_up:
            await reader.read(4096)
            return
        with contextlib.suppress(asyncio.TimeoutError):
            await asyncio.wait_for(reader.read(-1), ANSWER_LIMIT_SEC)
    except ConnectionError:
        pass  # the server refuses some of these on purpose
    finally:
        writer.close()
        with contextlib.suppress(ConnectionError):
            await writer.wait_closed()


async def play(requests: list[Request], port: int) -> None:
    """Send every request when it is due, at most `AT_ONCE` at the same time."""
    room = asyncio.Semaphore(AT_ONCE)
    started = time.monotonic()
    running: set[asyncio.Task[None]] = set()

    async def one(request: Request) -> None:
        async with room:
            await send(request, port)

    for number, request in enumerate(requests):
        wait = request.at - (time.monotonic() - started)
        if wait > 0:
            await asyncio.sleep(wait)
        task = asyncio.create_task(one(request))
        running.add(task)
        task.add_done_callback(running.discard)
        if number % 1000 == 0:
            print(f"{number} of {len(requests)} requests", file=sys.stderr)
    await asyncio.gather(*running)


def main() -> None:
    """Parse the arguments, record, and put the logs in place."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--seconds", type=float, default=480)
    parser.add_argument("--ordinary", type=int, default=13_000, metavar="N")
    parser.add_argument("--seed", type=int, default=44)
    parser.add_argument("--out", type=Path, default=HERE / "data")
    options = parser.parse_args()
    rng = random.Random(options.seed)
    requests = everything(rng, options.seconds, options.ordinary)
    with tempfile.TemporaryDirectory(prefix="weblog-") as name:
        folder, port = Path(name), free_port()
        build_site(folder)
        with nginx(folder, port):
            asyncio.run(play(requests, port))
        options.out.mkdir(parents=True, exist_ok=True)
        for log in ("access.log", "timed.log"):
            shutil.copyfile(folder / log, options.out / log)
            lines = (options.out / log).read_bytes().count(b"\n")
            print(f"{options.out / log}: {lines} lines")


if __name__ == "__main__":
    main()
