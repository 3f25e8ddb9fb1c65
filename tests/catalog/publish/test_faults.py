"""Publication to an S3 server behind a line that fails: errors, silence, bytes lost, bytes changed, hang-ups."""

from __future__ import annotations

import base64
import hashlib
import http.client
import os
import socket
import struct
import subprocess
import sys
import threading
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

import httpx
import numpy as np
import obstore
import pytest
from moto.server import ThreadedMotoServer
from obstore.store import S3Store

from catalog.publish import destinations
from catalog.publish.upload import publish
from pipeline.patience import Patience
from schemas.errors import BadInput, FailedCheck
from tests.catalog.publish.test_publish import contents
from tests.made.tiny_archive import COG_PATH, CSV_PATH, write_archive, write_manifest
from tests.root import ROOT

# each starts a store of its own
pytestmark = pytest.mark.slow

BUCKET = "glaciers"
ADDRESS = f"s3://{BUCKET}/v1"
Fault = Callable[["Line", bytes], None]


class Line(BaseHTTPRequestHandler):
    """Passes every request on to the store, unless a fault is waiting for it."""

    protocol_version = "HTTP/1.1"
    disable_nagle_algorithm = True

    def handle_any(self) -> None:
        body = self.rfile.read(int(self.headers.get("Content-Length") or 0))
        self.server.asked.append((self.command, self.path))
        for waiting in self.server.faults:
            if waiting.count and self.command == waiting.method and waiting.part in self.path:
                waiting.count -= 1
                return waiting.fault(self, body)
        return self.pass_on(body)

    do_GET = do_PUT = do_POST = do_DELETE = do_HEAD = handle_any

    def ask_store(self, body: bytes) -> tuple[http.client.HTTPResponse, bytes]:
        connection = http.client.HTTPConnection(*self.server.store, timeout=30)
        headers = {name: value for name, value in self.headers.items() if name.lower() != "content-length"}
        connection.request(self.command, self.path, body or None, {**headers, "Content-Length": str(len(body))})
        answer = connection.getresponse()
        content = answer.read()
        connection.close()
        return answer, content

    def pass_on(self, body: bytes) -> None:
        answer, content = self.ask_store(body)
        self.send_response_only(answer.status)
        for name, value in answer.getheaders():
            if name.lower() not in ("content-length", "transfer-encoding", "connection"):
                self.send_header(name, value)
        length = answer.getheader("Content-Length") if self.command == "HEAD" else str(len(content))
        self.send_header("Content-Length", length or "0")
        self.end_headers()
        if self.command != "HEAD":
            self.wfile.write(content)

    def refuse(self, status: int, code: str) -> None:
        body = f"<Error><Code>{code}</Code><Message>x</Message></Error>".encode()
        self.send_response_only(status)
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)

    def log_message(self, *_) -> None:
        pass


def error(status: int, code: str) -> Fault:
    return lambda line, body: line.refuse(status, code)


def hang_up(line: Line, body: bytes) -> None:
    """Reset the connection, as a router does."""
    line.connection.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
    line.connection.close()
    line.close_connection = True


def stored_but_not_told(line: Line, body: bytes) -> None:
    """The store has the object, and its answer is lost."""
    line.ask_store(body)
    hang_up(line, body)


def slow(line: Line, body: bytes) -> None:
    time.sleep(0.5)
    line.pass_on(body)


def changed_on_the_way(line: Line, body: bytes) -> None:
    line.pass_on(body[:-1] + bytes([body[-1] ^ 1]))


def cut_on_the_way(line: Line, body: bytes) -> None:
    line.pass_on(body[: len(body) // 2])


def silent(line: Line, body: bytes) -> None:
    """Answer nothing for longer than anybody waits."""
    line.server.released.wait(10)
    line.close_connection = True


@dataclass
class Waiting:
    """A fault for the next ``count`` requests of a method whose address contains ``part``."""

    fault: Fault
    part: str = ""
    method: str = "PUT"
    count: int = 1


@dataclass
class Store:
    """The line to the store, and the store itself without it."""

    endpoint: str
    line: ThreadingHTTPServer
    plain: S3Store
    faults: list[Waiting] = field(default_factory=list)

    def objects(self) -> dict[str, bytes]:
        names = [entry["path"] for entry in obstore.list(self.plain, "v1").collect()]
        return {name.removeprefix("v1/"): bytes(obstore.get(self.plain, name).bytes()) for name in names}

    def fails(self, fault: Fault, part: str = "", method: str = "PUT", count: int = 1) -> None:
        self.line.faults.append(Waiting(fault, part, method, count))


@pytest.fixture(scope="module")
def moto() -> Iterator[tuple[str, int]]:
    server = ThreadedMotoServer("127.0.0.1", 0, verbose=False)
    server.start()
    yield server.get_host_and_port()
    server.stop()


@pytest.fixture
def store(moto, monkeypatch) -> Iterator[Store]:
    for name in list(os.environ):
        if name.startswith("AWS_"):
            monkeypatch.delenv(name)
    monkeypatch.setenv("AWS_ACCESS_KEY_ID", "test")
    monkeypatch.setenv("AWS_SECRET_ACCESS_KEY", "test")
    monkeypatch.setattr(destinations, "PATIENCE", Patience(first_wait_s=0.02, longest_wait_s=0.1))
    real = f"http://{moto[0]}:{moto[1]}"
    httpx.post(f"{real}/moto-api/reset", trust_env=False)
    signed = {"Authorization": "AWS4-HMAC-SHA256 Credential=test/20200101/us-east-1/s3/aws4_request, Signature=0"}
    httpx.put(f"{real}/{BUCKET}", headers=signed, trust_env=False).raise_for_status()
    with ThreadingHTTPServer(("127.0.0.1", 0), Line) as line:
        line.daemon_threads = True
        line.store, line.faults, line.asked, line.released = moto, [], [], threading.Event()
        threading.Thread(target=line.serve_forever, args=(0.01,), daemon=True).start()
        plain = S3Store(BUCKET, endpoint=real, client_options={"allow_http": True})
        yield Store(f"http://127.0.0.1:{line.server_port}", line, plain)
        line.released.set()
        line.shutdown()


@pytest.fixture
def archive(tmp_path) -> Path:
    return write_archive(tmp_path / "archive", raster=False)


@pytest.fixture
def large(archive, monkeypatch) -> Path:
    """The archive with a file of three parts of the least size that a store takes."""
    monkeypatch.setattr(destinations, "PART_BYTES", 5 << 20)
    (archive / "large.tif").write_bytes(np.random.default_rng(1).bytes(2 * destinations.PART_BYTES + 12_345))
    write_manifest(archive)
    return archive


@pytest.mark.parametrize(
    "fault",
    [error(500, "InternalError"), error(503, "SlowDown"), hang_up, stored_but_not_told, slow],
    ids=["500", "503", "reset", "answer lost", "slow"],
)
@pytest.mark.parametrize("part", [CSV_PATH, "manifest.json", "catalog.json"])
def test_passing_trouble_is_overcome(archive, store, fault, part):
    store.fails(fault, part)
    publish(archive, ADDRESS, endpoint_url=store.endpoint)
    assert store.objects() == contents(archive)
    assert store.line.faults[0].count == 0


@pytest.mark.slow
@pytest.mark.parametrize("fault", [error(500, "InternalError"), hang_up], ids=["500", "reset"])
@pytest.mark.parametrize(
    ("method", "part"),
    [
        ("POST", "large.tif?uploads"),
        ("PUT", "large.tif?partNumber=2"),
        ("POST", "large.tif?uploadId"),
        ("GET", "list-type"),
    ],
)
def test_passing_trouble_with_a_file_in_parts_is_overcome(large, store, fault, method, part):
    store.fails(fault, part, method)
    publish(large, ADDRESS, endpoint_url=store.endpoint)
    assert store.objects() == contents(large)
    assert store.line.faults[0].count == 0


@pytest.mark.slow
@pytest.mark.parametrize("fault", [changed_on_the_way, cut_on_the_way])
@pytest.mark.parametrize("part", [COG_PATH, "large.tif?partNumber=2"])
def test_what_is_damaged_on_the_way_is_never_published(large, store, fault, part):
    """Whether the store refuses the bytes or takes them: no reader is led to them, and the next run sends them anew."""
    store.fails(fault, part, count=99)
    with pytest.raises((FailedCheck, BadInput), match=part.partition("?")[0]):
        publish(large, ADDRESS, endpoint_url=store.endpoint)
    there = store.objects()
    assert "catalog.json" not in there
    assert part.partition("?")[0] not in there
    store.line.faults.clear()
    publish(large, ADDRESS, endpoint_url=store.endpoint)
    assert store.objects() == contents(large)


def test_every_upload_carries_the_checksum_that_the_store_can_prove(large, store):
    seen = []

    def watch(line, body):
        seen.append((line.path, line.headers.get("x-amz-checksum-sha256"), body))
        line.pass_on(body)

    store.fails(watch, count=999)
    publish(large, ADDRESS, endpoint_url=store.endpoint)
    assert sum("partNumber" in path for path, _, _ in seen) == 3
    for path, checksum, body in seen:
        assert checksum == base64.b64encode(hashlib.sha256(body).digest()).decode(), path


def test_lasting_trouble_ends_in_one_line_and_the_next_run_continues(archive, store):
    store.fails(error(503, "SlowDown"), CSV_PATH, count=999)
    with pytest.raises(BadInput, match=r"glaciers\.csv: found 503 Service Unavailable.*publish again") as caught:
        publish(archive, ADDRESS, endpoint_url=store.endpoint, workers=1)
    assert "\n" not in str(caught.value)
    assert "catalog.json" not in store.objects()
    store.line.faults.clear()
    assert COG_PATH in publish(archive, ADDRESS, endpoint_url=store.endpoint).unchanged
    assert store.objects() == contents(archive)


@pytest.mark.slow
def test_killed_publication_is_continued(archive, store):
    """The process is killed while the store is silent about one file; what had arrived is not sent again."""
    store.fails(silent, "collection.json", count=1)
    code = (
        "import sys; from pathlib import Path; from catalog.publish.upload import publish\n"
        "publish(Path(sys.argv[1]), sys.argv[2], endpoint_url=sys.argv[3])"
    )
    root = ROOT
    command = [sys.executable, "-c", code, str(archive), ADDRESS, store.endpoint]
    with subprocess.Popen(command, env={**os.environ, "PYTHONPATH": str(root)}) as process:
        while not any("collection.json" in path and method == "PUT" for method, path in store.line.asked):
            assert process.poll() is None
            time.sleep(0.05)
        process.kill()
    assert process.returncode == -9
    before = store.objects()
    assert COG_PATH in before
    assert "catalog.json" not in before
    report = publish(archive, ADDRESS, endpoint_url=store.endpoint)
    assert set(report.unchanged) == set(before) - {".glacier-publishing.json", ".glacier-publishing.lock"}
    assert store.objects() == contents(archive)
