"""Files of a folder as HTTP answers: whole, by byte ranges, or not at all where the reader has them already.

The way of a byte range is short, since a map asks for hundreds of them: one ``stat``, one read from the page cache, two
messages to the server. Starlette's own file answer takes a change of thread for each step of that.
"""

from __future__ import annotations

import asyncio
import os
import stat
from collections import OrderedDict
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from email.utils import formatdate, parsedate_to_datetime
from pathlib import Path
from secrets import token_hex

from starlette.types import Receive, Scope, Send

from catalog.archive import media_type_of
from catalog.serve.byte_ranges import asked_ranges
from catalog.serve.listed_paths import ListedPaths
from schemas.inside import leads_inside, lies_inside

EXPOSED_HEADERS = ("Accept-Ranges", "Content-Encoding", "Content-Length", "Content-Range", "ETag", "Last-Modified")
PIECE_BYTES = 256 * 1024
_MOST_OPEN = 128
# Linux reads what the page cache holds and nothing else when asked so; elsewhere every read changes the thread
_FROM_CACHE_ONLY = getattr(os, "RWF_NOWAIT", 0)
_ALWAYS = (
    (b"accept-ranges", b"bytes"),
    (b"cache-control", b"no-cache"),
    (b"x-content-type-options", b"nosniff"),
    (b"access-control-allow-origin", b"*"),
    (b"access-control-expose-headers", ", ".join(EXPOSED_HEADERS).encode()),
)
Header = tuple[bytes, bytes]
# what is sent: bytes of ours, or a range of the file
Part = bytes | tuple[int, int]


@dataclass(frozen=True, kw_only=True)
class OpenFile:
    """A file that is open for reading; the descriptor is closed when nobody reads from it any more.

    Attributes
    ----------
    identity : device, inode, size and time of change, by which a later look sees that it is still the same.
    modified_s : time of modification, whole seconds since 1970.
    """

    path: str
    descriptor: int
    identity: tuple[int, ...]
    size: int
    modified_s: int
    etag: bytes
    media_type: bytes

    def __del__(self) -> None:
        os.close(self.descriptor)

    @property
    def headers(self) -> list[Header]:
        """Of every answer about the file, but its length."""
        return [
            (b"content-type", self.media_type),
            (b"last-modified", formatdate(self.modified_s, usegmt=True).encode()),
            (b"etag", self.etag),
            *_ALWAYS,
        ]


class ServedFiles:
    """The regular files below a folder, by their path in an address; those asked for last are kept open.

    A path with ``..`` names nothing, nor does a symbolic link that leads out of the folder, nor what is not ``listed``.
    """

    def __init__(self, root: Path, listed: ListedPaths | None = None) -> None:
        self.root = os.path.realpath(root)
        self._listed = listed
        self._open: OrderedDict[str, OpenFile] = OrderedDict()

    def place_of(self, path: str) -> str | None:
        """Where a path leads to, links followed; None where that is outside. Nothing need stand there."""
        parts = [part for part in path.split("/") if part not in ("", ".")]
        if parts and not leads_inside("/".join(parts)):
            return None
        place = os.path.realpath(os.path.join(self.root, *parts))
        return place if lies_inside(place, self.root) else None

    def find(self, path: str) -> OpenFile | None:
        """The regular file that a path names, or None.

        Errors
        ------
        OSError : it cannot be read, or its name cannot be.
        """
        known = self._open.get(path)
        if known is not None and _leads_to(self.root + path, known):
            self._open.move_to_end(path)
            return known
        self._open.pop(path, None)
        is_listed = self._listed is None or self._listed.is_file(_plainly(path))
        place = self.place_of(path) if is_listed else None
        opened = _opened(place) if place else None
        if opened is not None:
            self._open[path] = opened
            if len(self._open) > _MOST_OPEN:
                self._open.popitem(last=False)
        return opened

    def folder_of(self, path: str) -> str | None:
        """Where the path of a folder leads to; None where it holds nothing that is listed."""
        is_listed = self._listed is None or self._listed.is_folder(_plainly(path))
        return self.place_of(path) if is_listed else None

    def shows_in(self, path: str) -> Callable[[str, bool], bool]:
        """Whether a file (or else a folder) of a name in that folder is listed."""
        listed, folder = self._listed, _plainly(path)
        if listed is None:
            return lambda _name, _is_file: True
        return lambda name, is_file: (listed.is_file if is_file else listed.is_folder)(f"{folder}/{name}".lstrip("/"))


def _plainly(path: str) -> str:
    return "/".join(part for part in path.split("/") if part not in ("", "."))


def _leads_to(path: str, file: OpenFile) -> bool:
    """Whether a path still leads to the file that is open, unchanged; the same file through any link is the same."""
    try:
        return _identity(os.stat(path)) == file.identity
    except OSError:
        return False


def _identity(status: os.stat_result) -> tuple[int, ...]:
    return status.st_dev, status.st_ino, status.st_size, status.st_mtime_ns, status.st_ctime_ns


def _opened(place: str) -> OpenFile | None:
    """A regular file, opened; not waiting for a writer where a pipe stands."""
    try:
        descriptor = os.open(place, os.O_RDONLY | os.O_CLOEXEC | os.O_NOFOLLOW | os.O_NONBLOCK)
    except (FileNotFoundError, NotADirectoryError):
        return None
    status = os.fstat(descriptor)
    if not stat.S_ISREG(status.st_mode):
        os.close(descriptor)
        return None
    etag = f'"{status.st_mtime_ns:x}-{status.st_size:x}"'
    media_type = media_type_of(Path(place).as_posix())
    return OpenFile(
        path=place,
        descriptor=descriptor,
        identity=_identity(status),
        size=status.st_size,
        modified_s=int(status.st_mtime),
        etag=etag.encode(),
        media_type=media_type.encode(),
    )


async def answer(file: OpenFile, scope: Scope, receive: Receive, send: Send) -> None:
    """Answer GET or HEAD with the file, the ranges asked for, 304, 412 or 416."""
    asked = {name: value for name, value in scope["headers"] if name in _ASKED}
    if _is_another(file, asked):
        await _send_empty(send, 412, [header for header in file.headers if header[0] != b"content-type"])
        return
    if _is_known(file, asked):
        await _send_empty(send, 304, [header for header in file.headers if header[0] != b"content-type"])
        return
    ranges = None
    if b"range" in asked and _may_continue(file, asked.get(b"if-range")):
        ranges = asked_ranges(asked[b"range"].decode("latin-1"), file.size)
    if ranges is None:
        headers = [*file.headers, (b"content-length", b"%d" % file.size)]
        parts: Sequence[Part] = [(0, file.size)]
    elif not ranges:
        await _send_empty(send, 416, [*file.headers, (b"content-range", b"bytes */%d" % file.size)])
        return
    elif len(ranges) == 1:
        headers = [*file.headers, (b"content-range", _content_range(ranges[0], file))]
        headers.append((b"content-length", b"%d" % (ranges[0][1] - ranges[0][0])))
        parts = ranges
    else:
        headers, parts = _multipart(file, ranges)
    await send({"type": "http.response.start", "status": 200 if ranges is None else 206, "headers": headers})
    if scope["method"] == "HEAD":
        await send({"type": "http.response.body", "body": b""})
    else:
        await _send_parts(file, parts, receive, send)


_ASKED = frozenset({b"range", b"if-range", b"if-match", b"if-unmodified-since", b"if-none-match", b"if-modified-since"})


def _is_another(file: OpenFile, asked: dict[bytes, bytes]) -> bool:
    """Whether the reader wants the file as it was only (RFC 9110, section 13.2.2); a weak ETag matches none."""
    tags = asked.get(b"if-match")
    if tags is not None:
        return tags.strip() != b"*" and file.etag not in [tag.strip() for tag in tags.split(b",")]
    since = asked.get(b"if-unmodified-since")
    return since is not None and file.modified_s > _seconds(since, file.modified_s)


def _is_known(file: OpenFile, asked: dict[bytes, bytes]) -> bool:
    """Whether the reader has this very file; the date counts only where no ETag is given."""
    tags = asked.get(b"if-none-match")
    if tags is not None:
        return tags.strip() == b"*" or file.etag in [tag.strip().removeprefix(b"W/") for tag in tags.split(b",")]
    since = asked.get(b"if-modified-since")
    return since is not None and file.modified_s <= _seconds(since, file.modified_s - 1)


def _may_continue(file: OpenFile, guard: bytes | None) -> bool:
    """Whether what the reader has of the file belongs to it as it is now; a weak ETag does not prove that."""
    return guard is None or guard.strip() == file.etag or _seconds(guard, -1) == file.modified_s


def _seconds(date: bytes, otherwise: int) -> int:
    """An HTTP date in seconds since 1970."""
    try:
        return int(parsedate_to_datetime(date.decode("latin-1")).timestamp())
    except (ValueError, OverflowError):
        return otherwise


def _content_range(part: tuple[int, int], file: OpenFile) -> bytes:
    return b"bytes %d-%d/%d" % (part[0], part[1] - 1, file.size)


def _multipart(file: OpenFile, ranges: tuple[tuple[int, int], ...]) -> tuple[list[Header], list[Part]]:
    """Headers, and the bytes and ranges to send in turn, of an answer in parts."""
    boundary = token_hex(16).encode()
    parts: list[Part] = []
    for part in ranges:
        head = b"--%s\r\nContent-Type: %s\r\nContent-Range: %s\r\n\r\n"
        parts += [head % (boundary, file.media_type, _content_range(part, file)), part, b"\r\n"]
    parts.append(b"--%s--\r\n" % boundary)
    length = sum(len(part) if isinstance(part, bytes) else part[1] - part[0] for part in parts)
    headers = [header for header in file.headers if header[0] != b"content-type"]
    headers += [(b"content-type", b"multipart/byteranges; boundary=" + boundary), (b"content-length", b"%d" % length)]
    return headers, parts


async def _send_empty(send: Send, status: int, headers: list[Header]) -> None:
    length = [] if status == 304 else [(b"content-length", b"0")]
    await send({"type": "http.response.start", "status": status, "headers": [*headers, *length]})
    await send({"type": "http.response.body", "body": b""})


async def _send_parts(file: OpenFile, parts: Sequence[Part], receive: Receive, send: Send) -> None:
    """Send bytes and ranges of the file, in pieces.

    Nothing more is sent once the reader has hung up, or where the file cannot be read to its end: the server then
    closes the connection before the length it has promised, and the reader sees that.
    """
    pieces = [piece for part in parts for piece in ([part] if isinstance(part, bytes) else _pieces(*part))]
    gone = asyncio.ensure_future(_hung_up(receive)) if len(pieces) > 1 else None
    try:
        for number, piece in enumerate(pieces, 1):
            if gone and gone.done():
                return
            body = piece if isinstance(piece, bytes) else await _read(file, *piece)
            await send({"type": "http.response.body", "body": body, "more_body": number < len(pieces)})
    except (EOFError, OSError):
        return
    finally:
        if gone:
            gone.cancel()


async def _hung_up(receive: Receive) -> None:
    while (await receive())["type"] != "http.disconnect":
        pass


def _pieces(start: int, stop: int) -> Sequence[tuple[int, int]]:
    """Never none: the answer for an empty file needs an end too."""
    return (
        [(start, stop)]
        if start == stop
        else [(first, min(first + PIECE_BYTES, stop)) for first in range(start, stop, PIECE_BYTES)]
    )


async def _read(file: OpenFile, start: int, stop: int) -> bytes | bytearray:
    """Bytes of a file: at once where the page cache holds them, else in a thread, so that a slow disk delays nobody.

    Errors
    ------
    EOFError : the file was cut short meanwhile.
    OSError : the disk failed.
    """
    if _FROM_CACHE_ONLY:
        buffer = bytearray(stop - start)
        try:
            if os.preadv(file.descriptor, [buffer], start, _FROM_CACHE_ONLY) == stop - start:
                return buffer
        except OSError:  # not in the cache, or a file system that does not know the question
            pass
    return await asyncio.to_thread(_read_waiting, file, start, stop)


def _read_waiting(file: OpenFile, start: int, stop: int) -> bytes:
    pieces = []
    while start < stop:
        piece = os.pread(file.descriptor, stop - start, start)
        if not piece:
            raise EOFError(f"{file.path} was cut short while it was sent")
        pieces.append(piece)
        start += len(piece)
    return b"".join(pieces)
