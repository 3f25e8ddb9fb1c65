"""A server that answers whatever bytes it is told to: headers that lie, pages, loops, streams without end."""

from __future__ import annotations

import gzip
import random
import socket
import threading
import zlib
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from itertools import chain, repeat

from tests.system.hostile.mutations import BYTES, NUMBERS, WORDS, mutated

FILE = bytes(range(256)) * 40
# of the first line of a request and the address of this server, the bytes that are sent
Answer = Callable[[bytes, str], Iterator[bytes]]
_ENDLESS_BYTES = 200_000_000


def answer(status: str = "200 OK", body: bytes = FILE, **headers: str) -> Answer:
    """One answer, sent as it stands; Content-Length only where it is named, and nothing is put right.

    ``{}`` in a header is the address of the server; ``_`` in its name stands for ``-``.
    """

    def make(_: bytes, address: str) -> Iterator[bytes]:
        lines = [f"HTTP/1.1 {status}", *(f"{key.replace('_', '-')}: {value}" for key, value in headers.items())]
        yield "\r\n".join(lines).replace("{}", address).encode("latin-1", "replace") + b"\r\n\r\n" + body

    return make


def endless(piece: bytes, status: str = "200 OK", **headers: str) -> Answer:
    """An answer of the same piece over and over."""

    def make(request: bytes, address: str) -> Iterator[bytes]:
        return chain(answer(status, b"", **headers)(request, address), repeat(piece, _ENDLESS_BYTES // len(piece)))

    return make


def in_turn(*answers: Answer) -> Answer:
    """One after the other, the last again and again."""
    waiting = list(answers)

    def make(request: bytes, address: str) -> Iterator[bytes]:
        return (waiting.pop(0) if len(waiting) > 1 else waiting[0])(request, address)

    return make


def swollen(unpacked: int) -> bytes:
    """A gzip stream of a thousandth of what it unpacks to."""
    packer = zlib.compressobj(9, zlib.DEFLATED, 31)
    piece = bytes(1 << 20)
    return b"".join([*(packer.compress(piece) for _ in range(unpacked >> 20)), packer.flush()])


def drawn(seed: str) -> Answer:
    """An answer drawn from a seed, none of whose parts need fit the others."""
    draw = random.Random(seed)
    return in_turn(*(_drawn_once(draw) for _ in range(draw.choice((1, 2, 3)))))


_STATUSES = (
    *(["200 OK"] * 4 + ["206 Partial Content"] * 4 + ["302 Found"] * 2),
    *("100 Continue", "204 No Content", "205 Reset", "301 Moved", "304 Same", "308 There", "416 No", "429 Wait"),
    *("503 Busy", "999 What", "0 None", "200", "abc", "-200 OK", "20000 OK", "404 \xff\x00"),
)
_LENGTHS = ("0", "-1", "+5", "5, 6", "x", "", "10240", "10239", "10241", "9" * 30, "1e3", "0x10", "\u00b2", " 10240 ")
_RANGES = (
    *("bytes 0-0/10240", "bytes 0-10239/10240", "bytes 0-0/*", "bytes */10240", "bytes 5-1/3", "bytes -1-2/3"),
    *("bytes 0-0/" + "9" * 18, "bytes 0-0/" + "9" * 40, "items 0-0/3", "bytes x-y/z", "", "bytes 100-200/10240"),
)
_LOCATIONS = (
    *("{}/file.bin", "", "/", "//", "http://", "http://[", "http://[::1", "file:///etc/hostname", "ftp://127.0.0.1/x"),
    *("javascript:1", "{}:99999/x", "http://127.0.0.1:x/", "http://\xff\xfe/", "?", "#", "data:,x", "http://xn--0.x/"),
    *("http://" + "a" * 300 + ".invalid/", "{}/" + "a" * 70_000, "http://127.0.0.1:-1/", "http://%00/", "\\\\x\\y"),
)
_OTHERS = (
    *(("Content-Encoding", value) for value in ("gzip", "deflate", "br", "zstd", "identity", "gzip, gzip", "", "x")),
    *(("ETag", value) for value in ('"v1"', 'W/"v1"', "\xff\xfe", "", '"' + "e" * 5000 + '"', "a\tb")),
    *(("Last-Modified", value) for value in ("Thu, 01 Jan 1970 00:00:00 GMT", "yesterday", "\xe9")),
    *(("Retry-After", value) for value in ("0", "-1", "9" * 17, "9" * 400, "Thu, 99 Foo 99999 99:99:99 +9999", "x")),
    *(("Retry-After", value) for value in ("Fri, 31 Dec 9999 23:59:59 -2359", "Mon, 01 Jan 0001 00:00:00 +2359")),
    *(("Content-Type", value) for value in ("text/html", "\xff", "application/octet-stream; charset=utf-16")),
    *(("Transfer-Encoding", value) for value in ("chunked", "gzip", "chunked, chunked", "x")),
    *(("Connection", value) for value in ("close", "upgrade", "x")),
    *(("", "x"), ("A b", "x"), ("X-Long", "x" * 30_000), ("X", "\x00"), ("Set-Cookie", "a=b; Domain=\xff")),
)


def _drawn_once(draw: random.Random) -> Answer:
    headers = {"Content-Length": draw.choice((*_LENGTHS, *["10240"] * 6))} if draw.random() < 0.8 else {}
    if draw.random() < 0.5:
        headers["Content-Range"] = draw.choice(_RANGES)
    if draw.random() < 0.4:
        headers["Location"] = draw.choice(_LOCATIONS)
    headers |= dict(draw.choice(_OTHERS) for _ in range(draw.choice((0, 1, 1, 2))))
    if draw.random() < 0.1:
        headers[draw.choice(list(headers) or ["X"])] = draw.choice((*NUMBERS, *WORDS)).decode("latin-1")
    packed = gzip.compress(FILE, 1, mtime=0)
    bodies = (FILE, FILE, b"", FILE[:-7], FILE * 2, packed, packed[:-5], b"<!DOCTYPE html><p>log in", b"5\r\nab")
    body = draw.choice((*bodies, mutated(packed, BYTES, str(draw.random()))))
    return answer(draw.choice(_STATUSES), body, **headers)


@contextmanager
def answering(make: Answer) -> Iterator[str]:
    """The address of a server on loopback that gives these answers, a connection each."""
    with socket.create_server(("127.0.0.1", 0)) as listening:
        address = f"http://127.0.0.1:{listening.getsockname()[1]}"
        threading.Thread(target=_serve, args=(listening, make, address), daemon=True).start()
        try:
            yield address
        finally:
            listening.shutdown(socket.SHUT_RDWR)


def _serve(listening: socket.socket, make: Answer, address: str) -> None:
    while True:
        try:
            connection, _ = listening.accept()
        except OSError:  # shut down
            return
        # the client hangs up when it has seen enough
        with connection, suppress(OSError):
            request = b""
            while b"\r\n\r\n" not in request and (piece := connection.recv(65_536)):
                request += piece
            for piece in make(request.partition(b"\r\n")[0], address):
                connection.sendall(piece)
