"""A plain web server below a path, with byte ranges, that counts what it sends and fails where it is told to.

Run as a program, for GDAL holds the interpreter of its own process while it waits for an answer:
``python -m tests.system.counting_server ROOT PREFIX TROUBLES``, where the troubles are JSON: path to statuses, answered
in turn before the file itself; 0 stands for silence. ``/counts`` tells the bytes sent and requests made by path.
"""

from __future__ import annotations

import json
import re
import subprocess
import sys
import time
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any

import httpx

from tests.root import ROOT

SILENCE_S = 20.0


class _Server(ThreadingHTTPServer):
    daemon_threads = True

    def __init__(self, root: Path, prefix: str, troubles: dict[str, list[int]]) -> None:
        super().__init__(("127.0.0.1", 0), _Handler)
        self.root, self.prefix, self.troubles = root, prefix, troubles
        self.sent: dict[str, int] = {}

    def handle_error(self, request: Any, client_address: Any) -> None:
        if not isinstance(sys.exception(), ConnectionError):  # the client hangs up when it has waited enough
            super().handle_error(request, client_address)


class _Handler(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"
    server: _Server

    def do_HEAD(self) -> None:
        self.do_GET()

    def do_GET(self) -> None:
        if self.path == "/counts":
            return self.answer(200, json.dumps(self.server.sent).encode(), {})
        path = self.path.removeprefix(self.server.prefix).lstrip("/")
        if troubles := self.server.troubles.get(path):
            status = troubles[0] if len(troubles) == 1 else troubles.pop(0)  # the last stays
            if status == 0:
                time.sleep(SILENCE_S)
            if status != 200:
                return self.answer(status or 503, b"", {})
        file = self.server.root / path
        if not self.path.startswith(f"{self.server.prefix}/") or not file.is_file():
            return self.answer(404, b"", {})
        return self.send_file(path, file.read_bytes())

    def send_file(self, path: str, content: bytes) -> None:
        asked = re.fullmatch(r"bytes=(\d+)-(\d*)", self.headers.get("Range") or "")
        status, headers, body = 200, {"Accept-Ranges": "bytes"}, content
        if asked:
            start, stop = int(asked[1]), min(int(asked[2] or len(content)) + 1, len(content))
            if start >= len(content):
                return self.answer(416, b"", {})
            status, body = 206, content[start:stop]
            headers["Content-Range"] = f"bytes {start}-{stop - 1}/{len(content)}"
        if self.command != "HEAD":
            self.server.sent[path] = self.server.sent.get(path, 0) + len(body)
        return self.answer(status, body, headers)

    def answer(self, status: int, body: bytes, headers: Mapping[str, str]) -> None:
        self.send_response(status)
        for name, value in {**headers, "Content-Length": str(len(body))}.items():
            self.send_header(name, value)
        self.end_headers()
        if self.command != "HEAD":
            self.wfile.write(body)

    def log_message(self, *_: object) -> None:
        pass


@contextmanager
def counting_server(
    root: Path, prefix: str = "", troubles: Mapping[str, list[int]] | None = None
) -> Iterator[tuple[str, Any]]:
    """The address of a server of ``root`` in another process, without a slash at its end, and what tells its counts."""
    words = ["-m", "tests.system.counting_server", str(root), prefix, json.dumps(dict(troubles or {}))]
    process = subprocess.Popen([sys.executable, *words], cwd=ROOT, stdout=subprocess.PIPE, text=True)
    assert process.stdout is not None
    port = process.stdout.readline().strip()
    base = f"http://127.0.0.1:{port}"
    try:
        yield f"{base}{prefix}", lambda: httpx.get(f"{base}/counts").json()
    finally:
        process.terminate()
        process.communicate()


if __name__ == "__main__":
    running = _Server(Path(sys.argv[1]), sys.argv[2], json.loads(sys.argv[3]))
    print(running.server_port, flush=True)
    running.serve_forever(0.05)
