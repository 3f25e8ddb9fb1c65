"""The archive over HTTP: byte ranges, ETags and CORS for browsers, GDAL and STAC clients."""

from __future__ import annotations

import html
import os
import socket
import stat
from contextlib import suppress
from pathlib import Path
from urllib.parse import quote

import anyio.to_thread
import uvicorn
from starlette.applications import Starlette
from starlette.datastructures import Headers, MutableHeaders
from starlette.exceptions import HTTPException
from starlette.middleware import Middleware
from starlette.middleware.cors import CORSMiddleware
from starlette.middleware.gzip import GZipMiddleware
from starlette.requests import Request
from starlette.responses import FileResponse, HTMLResponse, RedirectResponse, Response
from starlette.routing import BaseRoute, Mount, Route
from starlette.staticfiles import NotModifiedResponse, StaticFiles
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from catalog.layout import CATALOG_JSON, INDEX_HTML
from catalog.manifest import manifest_of
from catalog.media_types import is_compressible, media_type_of
from catalog.stac_browser import CONFIG_JS, built_browser, configuration
from pipeline.progress import Tell, silent
from schemas.errors import BadInput

EXPOSED_HEADERS = ("Accept-Ranges", "Content-Encoding", "Content-Length", "Content-Range", "ETag", "Last-Modified")
_LOOPBACK = ("127.0.0.1", "::1", "localhost")
_DAY_S = 86_400
_BROWSER = "browser"


def application(root: Path, browser: Path | None = None) -> Starlette:
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
    archive = Mount("/", app=_Compressed(_ArchiveFiles(root)))
    beside = _browser_routes(root, browser) if browser else []
    return Starlette(routes=[*beside, archive], middleware=[cross_origin])


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
    with listen(host, port) as listener:  # before the browser is built, for that takes minutes
        server = server_of(application(root, built_browser(tell=progress) if browser else None))
        for line in greeting(host, listener.getsockname()[1], browser=browser):
            tell(line)
        with suppress(KeyboardInterrupt):  # uvicorn passes the signal on after it has shut down
            server.run(sockets=[listener])


def server_of(app: Starlette) -> uvicorn.Server:
    """A server that logs only what goes wrong and does not name itself."""
    return uvicorn.Server(
        uvicorn.Config(
            app, log_level="warning", access_log=False, server_header=False, lifespan="off", timeout_graceful_shutdown=5
        )
    )


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


class _File(FileResponse):
    # larger pieces than starlette's: a raster tile then takes one read and one write
    chunk_size = 256 * 1024


class _ArchiveFiles(StaticFiles):
    """Static files with the archive's media types, and an index page for every folder.

    Starlette resolves each path and refuses what lies outside the root, through ``..`` or through a symbolic link.
    """

    def __init__(self, root: Path) -> None:
        super().__init__(directory=root)
        self.root = root

    async def get_response(self, path: str, scope: Scope) -> Response:
        try:
            full_path, status = await anyio.to_thread.run_sync(self.lookup_path, path)
            if status and stat.S_ISDIR(status.st_mode) and scope["method"] in ("GET", "HEAD"):
                return await self._folder(path, Path(full_path), scope)
            return await super().get_response(path, scope)
        except ValueError:  # a null byte
            raise HTTPException(404) from None
        except OSError as error:
            raise HTTPException(403 if isinstance(error, PermissionError) else 404) from None
        except HTTPException as error:
            # starlette says 401 of a file that may not be read, but there is nothing to log in to
            raise HTTPException(403 if error.status_code == 401 else error.status_code, headers=error.headers) from None

    async def _folder(self, path: str, folder: Path, scope: Scope) -> Response:
        if not scope["path"].endswith("/"):
            # relative, so that it holds behind a proxy and under a prefix
            return RedirectResponse(f"./{quote(folder.name)}/")
        index, status = await anyio.to_thread.run_sync(self.lookup_path, os.path.join(path, INDEX_HTML))
        if status and stat.S_ISREG(status.st_mode):
            return self.file_response(index, status, scope)
        return HTMLResponse(await anyio.to_thread.run_sync(listing, folder))

    def file_response(
        self, full_path: str | os.PathLike[str], stat_result: os.stat_result, scope: Scope, status_code: int = 200
    ) -> Response:
        path = Path(full_path).as_posix()
        headers = {"Cache-Control": "no-cache", "X-Content-Type-Options": "nosniff"}
        response = _File(path, status_code, headers, media_type_of(path), stat_result=stat_result)
        if self.is_not_modified(response.headers, Headers(scope=scope)):
            return NotModifiedResponse(response.headers)
        return response


class _Compressed:
    """gzip for text asked for whole; rasters and ranges pass untouched, for a range counts the file's own bytes."""

    def __init__(self, app: ASGIApp) -> None:
        self.plain = app
        self.zipped = GZipMiddleware(app, minimum_size=1024, compresslevel=6)

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        path = scope.get("path", "")
        text = path.endswith("/") or is_compressible(path)
        if scope["type"] != "http" or not text or "range" in Headers(scope=scope):
            await self.plain(scope, receive, send)
            return

        async def send_marked(message: Message) -> None:
            if message["type"] == "http.response.start":
                _mark_variant(MutableHeaders(raw=message["headers"]))
            await send(message)

        await self.zipped(scope, receive, send_marked)


def _mark_variant(headers: MutableHeaders) -> None:
    """Tell caches that two forms exist; a strong ETag stands for the file's own bytes, not for the compressed ones."""
    if "accept-encoding" not in headers.get("vary", "").lower():
        headers.add_vary_header("Accept-Encoding")
    etag = headers.get("etag")
    if headers.get("content-encoding") == "gzip" and etag and not etag.startswith("W/"):
        headers["etag"] = f"W/{etag}"


def listing(folder: Path) -> str:
    """A plain index page of a folder that has none: its folders, then its files, by name."""
    entries = sorted((not entry.is_dir(), entry.name) for entry in folder.iterdir() if not entry.is_symlink())
    names = [f"{name}{'' if is_file else '/'}" for is_file, name in entries]
    rows = "\n".join(f'<li><a href="./{quote(name)}">{html.escape(name)}</a></li>' for name in ("../", *names))
    title = html.escape(folder.name)
    return (
        f'<!doctype html>\n<html lang="en"><head><meta charset="utf-8"><title>{title}</title></head>\n'
        f"<body><h1>{title}</h1>\n<ul>\n{rows}\n</ul></body></html>\n"
    )
