"""A server on loopback that misbehaves in every way the real ones do, and remembers what it was asked."""

import sys
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

import numpy as np

BODY = np.random.default_rng(3).bytes(300_000)


@dataclass(kw_only=True)
class Behaviour:
    """How the server answers one path; ``troubles`` are used up first, one a request."""

    body: bytes = BODY
    ranges: bool = True
    etag: str = '"v1"'
    content_type: str = "application/octet-stream"
    troubles: list = field(default_factory=list)
    redirect: str = ""
    token: str = ""
    cookie: str = ""
    honours_if_range: bool = True
    encoding: str = ""
    knows_head: bool = True


class Server(ThreadingHTTPServer):
    daemon_threads = True

    def __init__(self) -> None:
        super().__init__(("127.0.0.1", 0), Handler)
        self.paths: dict[str, Behaviour] = {}
        self.asked: list[tuple[str, dict[str, str]]] = []
        self.base = f"http://127.0.0.1:{self.server_port}"

    def give(self, path: str, **behaviour) -> str:
        self.paths[path] = Behaviour(**behaviour)
        return self.base + path

    def handle_error(self, request, address) -> None:
        if not isinstance(sys.exception(), ConnectionError):  # the client hangs up when it has seen enough
            super().handle_error(request, address)

    def headers_of(self, path: str) -> list[dict[str, str]]:
        return [headers for asked, headers in self.asked if asked == path]


class Handler(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"
    disable_nagle_algorithm = True

    def do_HEAD(self) -> None:
        return self.do_GET()

    def do_GET(self) -> None:
        asked = {name.lower(): value for name, value in self.headers.items()}
        self.server.asked.append((self.path, asked | {"method": self.command}))
        behaviour = self.server.paths.get(self.path)
        if behaviour is None:
            return self.answer(404, b"")
        if behaviour.troubles:
            return behaviour.troubles.pop(0)(self, behaviour)
        if self.command == "HEAD" and not behaviour.knows_head:
            return self.answer(405, b"")
        if behaviour.token and self.headers.get("Authorization") != f"Bearer {behaviour.token}":
            return self.answer(401, b"")
        if behaviour.redirect and not (behaviour.cookie and behaviour.cookie in (self.headers.get("Cookie") or "")):
            return self.answer(302, b"", {"Location": behaviour.redirect})
        return self.send_body(behaviour)

    def send_body(self, behaviour: Behaviour, sent: int | None = None) -> None:
        body, asked = behaviour.body, self.headers.get("Range")
        headers = {"Content-Type": behaviour.content_type, **({"ETag": behaviour.etag} if behaviour.etag else {})}
        if behaviour.encoding:
            headers["Content-Encoding"] = behaviour.encoding
        guard = self.headers.get("If-Range") if behaviour.honours_if_range else None
        if asked and behaviour.ranges and guard in (None, behaviour.etag):
            first, _, last = asked.removeprefix("bytes=").partition("-")
            start, stop = int(first), min(int(last or len(body)) + 1, len(body))
            if start >= len(body):
                return self.answer(416, b"")
            headers["Content-Range"] = f"bytes {start}-{stop - 1}/{len(body)}"
            return self.answer(206, body[start:stop], headers, sent)
        return self.answer(200, body, headers, sent)

    def answer(self, status: int, body: bytes, headers: dict | None = None, sent: int | None = None) -> None:
        self.send_response(status)
        for name, value in {"Content-Length": str(len(body)), **(headers or {})}.items():
            self.send_header(name, value)
        self.end_headers()
        if self.command != "HEAD":
            self.wfile.write(body[:sent])
        if sent is not None:
            self.close_connection = True

    def log_message(self, *_) -> None:
        pass


def status(code: int, **headers):
    return lambda handler, behaviour: handler.answer(code, b"", headers)


def truncated(count: int):
    return lambda handler, behaviour: handler.send_body(behaviour, count)


def dripping(count: int, pause_s: float):
    """Send ``count`` bytes at once and the rest, a hundredth at a time, with a pause after each."""

    def drip(handler, behaviour):
        body = behaviour.body
        handler.send_response(200)
        handler.send_header("Content-Length", str(len(body)))
        handler.send_header("ETag", behaviour.etag)
        handler.end_headers()
        handler.wfile.write(body[:count])
        step = len(body) // 100
        for start in range(count, len(body), step):
            handler.wfile.flush()
            time.sleep(pause_s)
            handler.wfile.write(body[start : start + step])

    return drip


def stalled(seconds: float):
    def stall(handler, behaviour):
        time.sleep(seconds)
        handler.close_connection = True

    return stall


@contextmanager
def running_server() -> Iterator[Server]:
    with Server() as running:
        threading.Thread(target=running.serve_forever, args=(0.01,), daemon=True).start()
        yield running
        running.shutdown()
