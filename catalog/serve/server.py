"""The archive over HTTP: byte ranges, ETags and CORS for browsers, GDAL and STAC clients."""

from __future__ import annotations

import html
import logging
import os
import socket
from collections.abc import Callable
from contextlib import suppress
from pathlib import Path
from types import FrameType
from urllib.parse import quote

import anyio.to_thread
import uvicorn
from starlette.applications import Starlette
from starlette.datastructures import MutableHeaders
from starlette.exceptions import HTTPException
from starlette.middleware import Middleware
from starlette.middleware.cors import CORSMiddleware
from starlette.middleware.gzip import GZipMiddleware
from starlette.requests import Request
from starlette.responses import HTMLResponse, RedirectResponse, Response
from starlette.routing import BaseRoute, Mount, Route
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from catalog.archive import CATALOG_JSON, INDEX_HTML, is_compressible, manifest_of, media_type_of
from catalog.serve.file_answers import EXPOSED_HEADERS, ServedFiles, answer
from catalog.serve.guarded_protocol import GuardedProtocol, allow_many_files
from catalog.serve.listed_paths import ListedPaths
from catalog.serve.stac_browser import CONFIG_JS, built_browser, configuration
from pipeline.progress import Tell, silent
from schemas.errors import BadInput

_LOOPBACK = ("127.0.0.1", "::1", "localhost")
_DAY_S = 86_400
_BROWSER = "browser"
# what is under way may take so long after Ctrl-C
_FAREWELL_S = 1


def application(root: Path, browser: Path | None = None) -> ASGIApp:
    """The web application over one archive; only GET, HEAD and CORS preflight are answered.

    Arguments
    ---------
    browser : folder of a built STAC Browser, shown under ``/browser/`` with the settings of this archive.

    Errors
    ------
    BadInput : ``root`` is not an archive; a catalogue document cannot be read for the browser's settings.
    """
    _require_archive(root)
    cross_origin = Middleware(
        CORSMiddleware,
        allow_origins=["*"],
        allow_methods=["GET", "HEAD", "OPTIONS"],
        allow_headers=["*"],
        expose_headers=list(EXPOSED_HEADERS),
        max_age=_DAY_S,
    )
    files = _ArchiveFiles(root, ListedPaths(root))
    archive = Mount("/", app=_Compressed(files))
    beside = _browser_routes(root, browser) if browser else []
    return _Direct(files.files, Starlette(routes=[*beside, archive], middleware=[cross_origin]))


def _require_archive(root: Path) -> None:
    if manifest_of(root) is None:
        raise BadInput(
            str(root),
            "no such folder" if not root.is_dir() else "a folder without a manifest.json of ours",
            "the root folder of an archive",
            "build one with the build command",
        )


def _browser_routes(root: Path, browser: Path) -> list[BaseRoute]:
    """STAC Browser beside the archive: its own files, and the settings that lead it to this archive."""
    if (root / _BROWSER).exists():
        raise BadInput(str(root / _BROWSER), "a folder of the archive", f"/{_BROWSER}/ to be free for STAC Browser")
    settings = configuration(root)

    async def config(_request: Request) -> Response:
        return Response(settings, media_type=media_type_of(CONFIG_JS), headers={"Cache-Control": "no-cache"})

    async def folder(_request: Request) -> Response:
        return RedirectResponse(f"./{_BROWSER}/")

    return [
        Route(f"/{_BROWSER}", folder),
        Route(f"/{_BROWSER}/{CONFIG_JS}", config),
        Mount(f"/{_BROWSER}", app=_Compressed(_ArchiveFiles(browser))),
    ]


def serve(
    root: Path,
    host: str = "127.0.0.1",
    port: int = 8000,
    tell: Tell = silent,
    *,
    browser: bool = False,
    progress: Tell = silent,
) -> None:
    """Serve an archive until interrupted; port 0 takes any free one.

    Arguments
    ---------
    tell : gets the addresses to open.
    browser : show the archive in STAC Browser too; it is built the first time.
    progress : gets what the building does.

    Errors
    ------
    BadInput : ``root`` is not an archive; host or port cannot be listened on; STAC Browser cannot be built.
    """
    _require_archive(root)
    allow_many_files()
    with listen(host, port) as listener:  # before the browser is built, for that takes minutes
        server = server_of(application(root, built_browser(tell=progress) if browser else None))
        for line in greeting(host, listener.getsockname()[1], browser=browser):
            tell(line)
        with suppress(KeyboardInterrupt):  # uvicorn passes the signal on after it has shut down
            server.run(sockets=[listener])


def server_of(app: ASGIApp) -> uvicorn.Server:
    """A server that logs only what goes wrong and does not name itself."""
    settings = uvicorn.Config(
        app,
        http=GuardedProtocol,  # over httptools: h11 takes three times as long over a range
        ws="none",
        loop="asyncio",  # uvloop was no faster with pieces of this size
        log_level="warning",
        access_log=False,
        server_header=False,
        lifespan="off",
        timeout_graceful_shutdown=_FAREWELL_S,
    )
    return _Server(settings)


class _Server(uvicorn.Server):
    """A server that says nothing of the transfers that its own end cuts short."""

    def handle_exit(self, sig: int, frame: FrameType | None) -> None:
        logging.getLogger("uvicorn.error").setLevel(logging.CRITICAL)
        super().handle_exit(sig, frame)


def listen(host: str, port: int) -> socket.socket:
    """A listening socket.

    Errors
    ------
    BadInput : the port is taken, needs more rights, or the host is no address of this machine.
    """
    where = f"{host}:{port}"
    if not 0 <= port <= 65_535:
        raise BadInput(where, f"port {port}", "a port from 0 to 65535")
    listener = None
    try:
        family, kind, protocol, _, address = socket.getaddrinfo(host, port, type=socket.SOCK_STREAM)[0]
        # with the protocol named, asyncio turns Nagle's delay off: 40 ms a request otherwise
        listener = socket.socket(family, kind, protocol)
        listener.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        listener.bind(address)
        listener.listen(2048)
        return listener
    except OSError as error:  # gaierror is one of them
        if listener:
            listener.close()
        raise BadInput(
            where, error.strerror or str(error), "an address to listen on", "choose another --host or --port"
        ) from None


def greeting(host: str, port: int, *, browser: bool = False) -> tuple[str, ...]:
    """What to say once the server listens: the addresses to open."""
    shown = f"[{host}]" if ":" in host else host
    base = f"http://{shown}:{port}"
    beside = (f"browser    {base}/{_BROWSER}/",) if browser else ()
    lines = (f"pages      {base}/", f"catalogue  {base}/{CATALOG_JSON}", *beside, "stop with Ctrl-C")
    if host in _LOOPBACK:
        return lines
    return (*lines, f"warning: {host} can be reached from other machines, and everybody there can read this archive")


class _ArchiveFiles:
    """The files of a folder and an index page for every folder in it; 404 for what lies outside."""

    def __init__(self, root: Path, listed: ListedPaths | None = None) -> None:
        self.files = ServedFiles(root, listed)

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] != "http":
            raise HTTPException(404)
        if scope["method"] not in ("GET", "HEAD"):
            raise HTTPException(405, headers={"Allow": "GET, HEAD"})
        path = scope["path"].removeprefix(scope.get("root_path", ""))
        try:
            file = self.files.find(path + INDEX_HTML if path.endswith("/") else path)
            folder = None if file else await self._folder(path)
        except OSError as error:
            raise HTTPException(403 if isinstance(error, PermissionError) else 404) from None
        if file:
            await answer(file, scope, receive, send)
        elif folder:
            await folder(scope, receive, send)
        else:
            raise HTTPException(404)

    async def _folder(self, path: str) -> Response | None:
        place = self.files.folder_of(path)
        if place is None or not os.path.isdir(place):
            return None
        if not path.endswith("/"):
            # relative, so that it holds behind a proxy and under a prefix
            return RedirectResponse(f"./{quote(path.rpartition('/')[2])}/")
        return HTMLResponse(await anyio.to_thread.run_sync(listing, Path(place), self.files.shows_in(path)))


class _Direct:
    """The short way for bytes as they stand in a file: a range, or a file that is never compressed.

    The middlewares of ``everything`` cost more than such an answer; what is not found here is theirs to say.
    """

    def __init__(self, files: ServedFiles, everything: ASGIApp) -> None:
        self.files, self.everything = files, everything

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        file = None
        if scope["type"] == "http" and scope["method"] == "GET" and not _has_two_forms(scope):
            with suppress(OSError):
                file = self.files.find(scope["path"])
        if file:
            await answer(file, scope, receive, send)
        else:
            await self.everything(scope, receive, send)


def _has_two_forms(scope: Scope) -> bool:
    """Whether the answer may be compressed: text asked for whole."""
    path = scope["path"]
    text = path.endswith("/") or is_compressible(path)
    return text and not any(name == b"range" for name, _ in scope["headers"])


class _Compressed:
    """gzip for text asked for whole; rasters and ranges pass untouched, for a range counts the file's own bytes."""

    def __init__(self, app: ASGIApp) -> None:
        self.plain = app
        self.zipped = GZipMiddleware(app, minimum_size=1024, compresslevel=6)

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] != "http" or not _has_two_forms(scope):
            await self.plain(scope, receive, send)
            return

        async def send_marked(message: Message) -> None:
            if message["type"] == "http.response.start":
                _mark_variant(MutableHeaders(raw=message["headers"]))
            await send(message)

        if not _takes_gzip(scope):
            await self.plain(scope, receive, send_marked)
            return
        await self.zipped(scope, receive, send_marked)


def _takes_gzip(scope: Scope) -> bool:
    """Whether the reader takes gzip (RFC 9110, section 12.5.3): a weight of 0 says that it does not."""
    asked = ",".join(value.decode("latin-1") for name, value in scope["headers"] if name == b"accept-encoding")
    weights = {}
    for part in asked.lower().split(","):
        coding, *parameters = (word.strip() for word in part.split(";"))
        stated = [word.removeprefix("q=") for word in parameters if word.startswith("q=")]
        weights[coding] = not stated or bool(stated[0].strip("0."))
    return weights.get("gzip", weights.get("x-gzip", weights.get("*", False)))


def _mark_variant(headers: MutableHeaders) -> None:
    """Tell caches that two forms exist; a strong ETag stands for the file's own bytes, not for the compressed ones."""
    if "accept-encoding" not in headers.get("vary", "").lower():
        headers.add_vary_header("Accept-Encoding")
    etag = headers.get("etag")
    if headers.get("content-encoding") == "gzip" and etag and not etag.startswith("W/"):
        headers["etag"] = f"W/{etag}"


def listing(folder: Path, shows: Callable[[str, bool], bool] = lambda name, is_file: True) -> str:
    """A plain index page of a folder that has none: its folders, then its files, by name, as far as they are shown."""
    there = sorted((not entry.is_dir(), entry.name) for entry in folder.iterdir() if not entry.is_symlink())
    entries = [(is_file, name) for is_file, name in there if shows(name, is_file)]
    names = [f"{name}{'' if is_file else '/'}" for is_file, name in entries]
    rows = "\n".join(f'<li><a href="./{quote(name)}">{html.escape(name)}</a></li>' for name in ("../", *names))
    title = html.escape(folder.name)
    return (
        f'<!doctype html>\n<html lang="en"><head><meta charset="utf-8"><title>{title}</title></head>\n'
        f"<body><h1>{title}</h1>\n<ul>\n{rows}\n</ul></body></html>\n"
    )
