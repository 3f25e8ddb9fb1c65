"""The archive's web server, spoken to over a real socket by httpx and by GDAL."""

import asyncio
import os
import socket
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import httpx
import numpy as np
import pytest
import rasterio
from rasterio.windows import Window

from catalog.serve import file_answers, guarded_protocol
from catalog.serve.byte_ranges import asked_ranges
from catalog.serve.file_answers import ServedFiles
from catalog.serve.server import application, greeting, listen, serve, server_of
from schemas.errors import BadInput
from tests.made.tiny_archive import (
    COG_PATH,
    COLLECTION,
    CSV_PATH,
    ITEM_PATH,
    surface,
    write_archive,
    write_manifest,
    write_text,
)
from tests.root import ROOT


@contextmanager
def running(app) -> Iterator[str]:
    server, listener = server_of(app), listen("127.0.0.1", 0)
    thread = threading.Thread(target=server.run, kwargs={"sockets": [listener]})
    thread.start()
    try:
        yield f"http://127.0.0.1:{listener.getsockname()[1]}"
    finally:
        server.should_exit = True
        thread.join(10)
        listener.close()
    assert not thread.is_alive()


@pytest.fixture(scope="module")
def root(tmp_path_factory) -> Path:
    return write_archive(tmp_path_factory.mktemp("served") / "archive")


@pytest.fixture(scope="module")
def client(root) -> Iterator[httpx.Client]:
    with running(application(root)) as base, httpx.Client(base_url=base, trust_env=False) as session:
        yield session


def test_whole_file_is_the_file(client, root):
    answer = client.get(COG_PATH)
    assert answer.status_code == 200
    assert answer.content == (root / COG_PATH).read_bytes()
    assert answer.headers["accept-ranges"] == "bytes"


@pytest.mark.parametrize(
    ("asked", "first", "last"),
    [("bytes=0-99", 0, 99), ("bytes=1000-300999", 1000, 300_999), ("bytes=-64", -64, None), ("bytes=500-", 500, None)],
)
def test_single_range(client, root, asked, first, last):
    content = (root / COG_PATH).read_bytes()
    expected = content[first:] if last is None else content[first : last + 1]
    answer = client.get(COG_PATH, headers={"Range": asked})
    assert answer.status_code == 206
    assert answer.content == expected
    start = first % len(content)
    assert answer.headers["content-range"] == f"bytes {start}-{start + len(expected) - 1}/{len(content)}"
    assert answer.headers["content-length"] == str(len(expected))


def test_several_ranges_come_as_parts(client, root):
    content = (root / COG_PATH).read_bytes()
    answer = client.get(COG_PATH, headers={"Range": "bytes=0-9,100-119"})
    assert answer.status_code == 206
    boundary = answer.headers["content-type"].removeprefix("multipart/byteranges; boundary=").encode()
    parts = [part.partition(b"\r\n\r\n") for part in answer.content.split(b"--" + boundary)[1:-1]]
    assert [body.removesuffix(b"\r\n") for _, _, body in parts] == [content[:10], content[100:120]]
    assert b"Content-Range: bytes 100-119/" in parts[1][0]


@pytest.mark.parametrize(
    ("header", "expected"),
    [
        ("bytes=0-0", ((0, 1),)),
        ("bytes=90-200", ((90, 100),)),
        ("bytes=-200", ((0, 100),)),
        ("Bytes = 5-7", ((5, 8),)),
        ("bytes=80-89,0-9", ((80, 90), (0, 10))),  # as asked for
        ("bytes=0-9,5-19,40-49", ((0, 20), (40, 50))),
        ("bytes=0-9, ,10-19", ((0, 20),)),
        ("bytes=0-9,500-", ((0, 10),)),
        ("bytes=100-", ()),
        ("bytes=-0", ()),
        ("bytes=9-5", None),
        ("bytes=x-5", None),
        ("bytes=", None),
        ("bytes", None),
        ("items=0-5", None),
        ("bytes=1-2-3", None),
        ("bytes=٣-5", None),
        ("bytes=" + ",".join(f"{start}-{start}" for start in range(0, 202, 2)), None),
    ],
)
def test_range_header_is_read_as_the_standard_says(header, expected):
    assert asked_ranges(header, 100) == expected


@pytest.mark.parametrize("asked", ["bytes=5-2", "bytes=abc", "lines=0-9"])
def test_range_that_means_nothing_is_ignored(client, root, asked):
    answer = client.get(COG_PATH, headers={"Range": asked})
    assert (answer.status_code, len(answer.content)) == (200, (root / COG_PATH).stat().st_size)


def test_head_tells_of_a_range_without_sending_it(client):
    answer = client.head(COG_PATH, headers={"Range": "bytes=10-19"})
    assert (answer.status_code, answer.content, answer.headers["content-length"]) == (206, b"", "10")


def test_range_beyond_the_end_is_refused(client, root):
    answer = client.get(COG_PATH, headers={"Range": "bytes=99999999-"})
    assert answer.status_code == 416
    assert answer.headers["content-range"].endswith(f"*/{(root / COG_PATH).stat().st_size}")


def test_etag_gives_not_modified_and_guards_a_resumed_range(client):
    etag = client.head(COG_PATH).headers["etag"]
    again = client.get(COG_PATH, headers={"If-None-Match": etag})
    assert (again.status_code, again.content, again.headers["etag"]) == (304, b"", etag)
    resumed = client.get(COG_PATH, headers={"Range": "bytes=10-19", "If-Range": etag})
    changed = client.get(COG_PATH, headers={"Range": "bytes=10-19", "If-Range": '"another"'})
    assert (resumed.status_code, changed.status_code) == (206, 200)


def test_date_gives_not_modified_and_guards_a_resumed_range(client):
    date = client.head(COG_PATH).headers["last-modified"]
    past = "Mon, 01 Jan 2001 00:00:00 GMT"
    assert client.get(COG_PATH, headers={"If-Modified-Since": date}).status_code == 304
    assert client.get(COG_PATH, headers={"If-Modified-Since": past}).status_code == 200
    assert client.get(COG_PATH, headers={"If-Modified-Since": "yesterday"}).status_code == 200
    assert client.get(COG_PATH, headers={"If-Modified-Since": date, "If-None-Match": '"x"'}).status_code == 200
    for guard, status in ((date, 206), (past, 200), ("nonsense", 200)):
        assert client.get(COG_PATH, headers={"Range": "bytes=0-9", "If-Range": guard}).status_code == status


def test_weak_etag_does_not_guard_a_resumed_range(client):
    weak = f"W/{client.head(COG_PATH).headers['etag']}"
    assert client.get(COG_PATH, headers={"Range": "bytes=0-9", "If-Range": weak}).status_code == 200
    assert client.get(COG_PATH, headers={"If-None-Match": f'"other", {weak}'}).status_code == 304


def test_replaced_raster_is_served_anew_though_it_was_open(tmp_path):
    root = write_archive(tmp_path / "archive", raster=False)
    with running(application(root)) as base, httpx.Client(base_url=base, trust_env=False) as client:
        before = client.get(COG_PATH, headers={"Range": "bytes=0-5"})
        (root / "new").write_bytes(b"REPLACED" * 10)
        (root / "new").replace(root / COG_PATH)
        after = client.get(COG_PATH, headers={"Range": "bytes=0-7"})
        (root / COG_PATH).unlink()
        gone = client.get(COG_PATH)
    assert (before.content, after.content, gone.status_code) == (b"raster", b"REPLACED", 404)
    assert before.headers["etag"] != after.headers["etag"]


def test_link_that_leads_elsewhere_is_followed_anew(tmp_path):
    root = write_archive(tmp_path / "archive", raster=False)
    (root / "a.tif").write_bytes(b"first")
    (root / "b.tif").write_bytes(b"second")
    (root / "now.tif").symlink_to("a.tif")
    write_manifest(root)
    (tmp_path / "secret.tif").write_bytes(b"not for the world")
    with running(application(root)) as base, httpx.Client(base_url=base, trust_env=False) as client:
        found = [client.get("now.tif").content]
        for target in ("b.tif", tmp_path / "secret.tif"):
            (root / "now.tif").unlink()
            (root / "now.tif").symlink_to(target)
            found.append(client.get("now.tif").content)
    assert found == [b"first", b"second", b"Not Found"]


def test_no_more_files_are_kept_open_than_allowed(tmp_path):
    files = ServedFiles(tmp_path)
    for number in range(200):
        (tmp_path / f"{number}.tif").write_bytes(b"x")
        assert files.find(f"/{number}.tif").size == 1
    open_here = [
        os.readlink(f"/proc/self/fd/{name}")
        for name in os.listdir("/proc/self/fd")
        if name.isdigit() and os.path.exists(f"/proc/self/fd/{name}")
    ]
    assert sum(str(tmp_path) in name for name in open_here) == 128


@pytest.mark.parametrize("from_cache_only", [True, False])
def test_file_cut_short_while_it_is_sent_is_not_told_as_whole(tmp_path, monkeypatch, from_cache_only):
    if not from_cache_only:
        monkeypatch.setattr(file_answers, "_FROM_CACHE_ONLY", 0)
    (tmp_path / "a.tif").write_bytes(b"x" * 600_000)
    file = ServedFiles(tmp_path).find("/a.tif")
    os.truncate(tmp_path / "a.tif", 300_000)
    sent = []

    async def send(message):
        sent.append(message)

    async def receive():
        await asyncio.Event().wait()

    asyncio.run(file_answers.answer(file, {"method": "GET", "headers": []}, receive, send))
    assert dict(sent[0]["headers"])[b"content-length"] == b"600000"
    assert [message["more_body"] for message in sent[1:]] == [True]
    assert len(sent[1]["body"]) == 262_144


def test_nothing_is_read_for_a_reader_who_has_hung_up(tmp_path):
    (tmp_path / "a.tif").write_bytes(b"x" * 5_000_000)
    sent = []

    async def send(message):
        sent.append(message)
        await asyncio.sleep(0)

    async def receive():
        return {"type": "http.disconnect"}

    file = ServedFiles(tmp_path).find("/a.tif")
    asyncio.run(file_answers.answer(file, {"method": "GET", "headers": []}, receive, send))
    assert 1 <= len(sent) <= 4


def test_slow_disk_is_read_in_a_thread(tmp_path, monkeypatch):
    """Where the page cache has nothing, the kernel says so instead of waiting."""

    def not_cached(*_):
        raise BlockingIOError

    monkeypatch.setattr(os, "preadv", not_cached)
    with running(application(write_archive(tmp_path / "archive", raster=False))) as base:
        assert httpx.get(f"{base}/{COG_PATH}", trust_env=False).content == b"raster bytes " * 100


def test_empty_file_is_served(tmp_path):
    root = write_archive(tmp_path / "archive", raster=False)
    (root / "empty.tif").write_bytes(b"")
    write_manifest(root)
    with running(application(root)) as base, httpx.Client(base_url=base, trust_env=False) as client:
        whole, part = client.get("empty.tif"), client.get("empty.tif", headers={"Range": "bytes=0-"})
    assert (whole.status_code, whole.content, whole.headers["content-length"]) == (200, b"", "0")
    assert (part.status_code, part.headers["content-range"]) == (416, "bytes */0")


def test_pipe_and_unreadable_file_do_not_stop_the_server(tmp_path):
    root = write_archive(tmp_path / "archive", raster=False)
    os.mkfifo(root / "pipe.tif")
    with running(application(root)) as base, httpx.Client(base_url=base, trust_env=False) as client:
        assert client.get("pipe.tif").status_code == 404
        assert client.get(f"{COG_PATH}/").status_code == 404
        assert client.get("catalog.json").status_code == 200


def test_etag_changes_with_the_file(tmp_path):
    root = write_archive(tmp_path / "archive", raster=False)
    with running(application(root)) as base, httpx.Client(base_url=base, trust_env=False) as client:
        before = client.head("catalog.json").headers["etag"]
        (root / "catalog.json").write_text('{"type": "Catalog"}')
        answer = client.get("catalog.json", headers={"If-None-Match": before})
    assert answer.status_code == 200
    assert answer.json() == {"type": "Catalog"}


def test_cross_origin_reading_is_allowed_and_headers_are_exposed(client):
    for path, asked in ((COG_PATH, {"Range": "bytes=0-9"}), ("catalog.json", {}), ("absent.tif", {})):
        answer = client.get(path, headers={"Origin": "https://viewer.example", **asked})
        assert answer.headers.get_list("access-control-allow-origin") == ["*"], path
        exposed = {name.strip() for name in answer.headers["access-control-expose-headers"].split(",")}
        assert {"Content-Range", "Accept-Ranges", "ETag", "Content-Length"} <= exposed


def test_preflight_is_answered(client):
    asked = {
        "Origin": "https://viewer.example",
        "Access-Control-Request-Method": "GET",
        "Access-Control-Request-Headers": "range,if-none-match",
    }
    answer = client.options(COG_PATH, headers=asked)
    assert answer.status_code == 200
    assert answer.headers["access-control-allow-origin"] == "*"
    assert "range" in answer.headers["access-control-allow-headers"].lower()
    refused = client.options(COG_PATH, headers={**asked, "Access-Control-Request-Method": "DELETE"})
    assert refused.status_code == 400


@pytest.mark.parametrize(
    ("path", "media_type"),
    [
        (COG_PATH, "image/tiff; application=geotiff; profile=cloud-optimized"),
        ("catalog.json", "application/json"),
        (f"{COLLECTION}/collection.json", "application/json"),
        (ITEM_PATH, "application/geo+json"),
        (f"{COLLECTION}/elevation-change/outlines.geojson", "application/geo+json"),
        (f"{COLLECTION}/metadata/dataset.jsonld", "application/ld+json"),
        (f"{COLLECTION}/metadata/CITATION.cff", "text/yaml; charset=utf-8"),
        (f"{COLLECTION}/tables/glaciers.parquet", "application/vnd.apache.parquet"),
        (CSV_PATH, "text/csv; charset=utf-8"),
        ("", "text/html; charset=utf-8"),
    ],
)
def test_media_types(client, path, media_type):
    assert client.get(path).headers["content-type"] == media_type


@pytest.mark.parametrize("path", ["catalog.json", CSV_PATH, ""])
def test_text_is_compressed_on_request(client, root, path):
    zipped = client.get(path, headers={"Accept-Encoding": "gzip"})
    plain = client.get(path, headers={"Accept-Encoding": "identity"})
    assert zipped.headers["content-encoding"] == "gzip"
    assert "content-encoding" not in plain.headers
    assert zipped.content == plain.content == (root / (path or "index.html")).read_bytes()
    assert zipped.headers["vary"].count("Accept-Encoding") == plain.headers["vary"].count("Accept-Encoding") == 1
    assert zipped.headers["etag"] == f"W/{plain.headers['etag']}"
    again = client.get(path, headers={"Accept-Encoding": "gzip", "If-None-Match": zipped.headers["etag"]})
    assert again.status_code == 304


def test_neither_rasters_nor_ranges_are_compressed(client):
    raster = client.get(COG_PATH, headers={"Accept-Encoding": "gzip"})
    part = client.get(CSV_PATH, headers={"Accept-Encoding": "gzip", "Range": "bytes=0-2999"})
    assert "content-encoding" not in raster.headers
    assert part.status_code == 206
    assert "content-encoding" not in part.headers
    assert len(part.content) == 3000


def test_folder_shows_its_page_and_is_redirected_to_its_slash(client):
    assert "collection" in client.get(f"{COLLECTION}/").text
    answer = client.get(COLLECTION)
    assert (answer.status_code, answer.headers["location"]) == (307, f"./{COLLECTION}/")
    assert str(client.get(f"{COLLECTION}/tables", follow_redirects=True).url).endswith(f"{COLLECTION}/tables/")


def test_folder_without_a_page_is_listed(client):
    page = client.get(f"{COLLECTION}/tables/").text
    assert '<a href="./glaciers.csv">glaciers.csv</a>' in page
    assert "metadata" not in page


def test_listing_escapes_names(tmp_path):
    root = write_archive(tmp_path / "archive", raster=False)
    (root / "odd").mkdir()
    (root / "odd" / "<b>&#.txt").write_text("x")
    write_manifest(root)
    with running(application(root)) as base:
        page = httpx.get(f"{base}/odd/", trust_env=False).text
    assert '<a href="./%3Cb%3E%26%23.txt">&lt;b&gt;&amp;#.txt</a>' in page


def raw_request(base: str, target: str) -> bytes:
    """The answer to a request line sent as it stands, which no client library would send."""
    host, _, port = base.removeprefix("http://").partition(":")
    with socket.create_connection((host, int(port)), timeout=5) as connection:
        connection.sendall(f"GET {target} HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n".encode())
        received = b""
        while piece := connection.recv(65_536):
            received += piece
    return received


@pytest.mark.parametrize(
    "target",
    ["/../secret.txt", "/%2e%2e/secret.txt", "/..%2fsecret.txt", f"/{COLLECTION}/../../secret.txt", "//../secret.txt"],
)
def test_no_way_out_of_the_archive(client, root, target):
    (root.parent / "secret.txt").write_text("not for the world")
    answer = raw_request(str(client.base_url).rstrip("/"), target)
    assert answer.startswith(b"HTTP/1.1 404")
    assert b"not for the world" not in answer


def test_null_byte_and_overlong_name_are_not_found(client):
    base = str(client.base_url).rstrip("/")
    assert raw_request(base, "/catalog%00.json").startswith(b"HTTP/1.1 404")
    assert raw_request(base, "/" + "a" * 5000).startswith(b"HTTP/1.1 404")


def test_symbolic_link_out_of_the_archive_is_refused(tmp_path):
    root = write_archive(tmp_path / "archive", raster=False)
    (tmp_path / "secret.txt").write_text("not for the world")
    (root / "link.txt").symlink_to(tmp_path / "secret.txt")
    write_manifest(root)
    (root / "folder").symlink_to(tmp_path)
    with running(application(root)) as base, httpx.Client(base_url=base, trust_env=False) as client:
        answers = [client.get("link.txt"), client.get("folder/secret.txt"), client.get("folder/")]
    assert [answer.status_code for answer in answers] == [404, 404, 404]


@pytest.mark.parametrize("method", ["POST", "PUT", "DELETE"])
def test_nothing_can_be_written(client, method):
    answer = client.request(method, "catalog.json")
    assert answer.status_code == 405
    assert answer.headers["allow"] == "GET, HEAD"


def test_missing_file_is_not_found(client):
    assert client.get(f"{COLLECTION}/absent.tif").status_code == 404


def test_small_answers_are_not_delayed():
    """asyncio turns Nagle's algorithm, 40 ms an answer, off only on a socket whose protocol is named."""
    with listen("127.0.0.1", 0) as listener:
        assert listener.proto == socket.IPPROTO_TCP


def test_gdal_reads_a_window_in_four_requests(root):
    app, asked = application(root), []

    async def counted(scope, receive, send):
        asked.append((scope["method"], scope["path"]))
        await app(scope, receive, send)

    with running(counted) as base:
        options = {"GDAL_DISABLE_READDIR_ON_OPEN": "EMPTY_DIR", "GDAL_HTTP_PROXY": "", "NO_PROXY": "127.0.0.1"}
        with rasterio.Env(**options), rasterio.open(f"/vsicurl/{base}/{COG_PATH}") as raster:
            window = raster.read(1, window=Window(256, 512, 256, 256))
    np.testing.assert_array_equal(window, surface()[512:768, 256:512])
    assert 1 <= len(asked) <= 4, asked


def test_folder_that_is_no_archive_is_refused(tmp_path):
    with pytest.raises(BadInput, match=r"a folder without a manifest\.json of ours; expected the root folder of an"):
        application(tmp_path)
    with pytest.raises(BadInput, match="no such folder"):
        application(tmp_path / "absent")


def test_taken_port_is_refused(root):
    with listen("127.0.0.1", 0) as taken:
        port = taken.getsockname()[1]
        with pytest.raises(BadInput, match=rf"127\.0\.0\.1:{port}: found .*in use.*another --host or --port"):
            serve(root, port=port)


def test_impossible_address_is_refused():
    with pytest.raises(BadInput, match="found port 70000; expected a port from 0 to 65535"):
        listen("127.0.0.1", 70_000)
    with pytest.raises(BadInput, match="an address to listen on"):
        listen("203.0.113.7", 0)


def test_greeting_names_the_addresses_and_warns_beyond_loopback():
    assert greeting("::1", 8000)[1] == "catalogue  http://[::1]:8000/catalog.json"
    assert "can be reached from other machines" in greeting("0.0.0.0", 80)[-1]
    assert not any("warning" in line for line in greeting("127.0.0.1", 80))


def test_serve_runs_until_interrupted(root, tmp_path):
    """The blocking call of the command line, in a process of its own: it greets, answers, and ends on SIGINT."""
    import signal
    import subprocess
    import sys

    code = (
        "import sys; from pathlib import Path; from catalog.serve.server import serve\n"
        "serve(Path(sys.argv[1]), port=0, tell=lambda line: print(line, flush=True))"
    )
    environment = {**os.environ, "PYTHONPATH": str(ROOT)}
    with subprocess.Popen(
        [sys.executable, "-c", code, str(root)],
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
        env=environment,
    ) as process:
        address = process.stdout.readline().split()[-1]
        deadline = time.monotonic() + 10
        answer = httpx.get(f"{address}catalog.json", trust_env=False, timeout=10)
        process.send_signal(signal.SIGINT)
        _, errors = process.communicate(timeout=max(1, deadline - time.monotonic()))
    assert answer.json()["type"] == "Catalog"
    assert (process.returncode, errors) == (0, "")


def test_only_what_the_manifest_lists_is_served(tmp_path):
    """Neither what else lies in the folder nor what is hidden, listed or not; a kept version by its own manifest."""
    root = write_archive(tmp_path / "archive", raster=False)
    for place in (".git/config", f"{COLLECTION}/.htaccess", ".env"):
        write_text(root, place, "secret")
    write_manifest(root)  # lists what is hidden too
    write_archive(root / "versions/1.0.0", raster=False)
    for place in ("notes.txt", "private/key.pem", f"{COLLECTION}/draft.csv", "versions/1.0.0/notes.txt"):
        write_text(root, place, "secret")
    refused = (
        ".git/config", ".git/", f"{COLLECTION}/.htaccess", ".env", "notes.txt", "private/key.pem", "private/",
        f"{COLLECTION}/draft.csv", "versions/1.0.0/notes.txt", "versions/2.0.0/catalog.json",
    )  # fmt: skip
    with running(application(root)) as base, httpx.Client(base_url=base, trust_env=False) as client:
        codes = {place: client.get(place).status_code for place in refused}
        ranged = [client.get(place, headers={"Range": "bytes=0-1"}).status_code for place in refused]
        kept, tables = client.get(f"versions/1.0.0/{CSV_PATH}"), client.get(f"{COLLECTION}/tables/").text
        write_text(root, f"{COLLECTION}/tables/added.csv", "x")
        write_manifest(root)
        added = client.get(f"{COLLECTION}/tables/added.csv")
    assert codes == dict.fromkeys(refused, 404)
    assert set(ranged) == {404}
    assert (kept.status_code, added.status_code) == (200, 200)
    assert "glaciers.csv" in tables


def test_if_match_asks_for_the_file_as_it_was(client):
    now = client.get(COG_PATH, headers={"Range": "bytes=0-0"}).headers
    asked = {
        now["etag"]: 200, "*": 200, f'"other", {now["etag"]}': 200, '"other"': 412, f"W/{now['etag']}": 412,
    }  # fmt: skip
    assert {tag: client.get(COG_PATH, headers={"If-Match": tag}).status_code for tag in asked} == asked
    since = {now["last-modified"]: 200, "Mon, 01 Jan 2001 00:00:00 GMT": 412, "no date": 200}
    got = {date: client.get(COG_PATH, headers={"If-Unmodified-Since": date}).status_code for date in since}
    assert got == since
    assert client.get(CSV_PATH, headers={"If-Match": '"other"', "Range": "bytes=0-9"}).status_code == 412


@pytest.mark.parametrize(
    ("asked", "encoding"),
    [
        ("gzip", "gzip"), ("br, gzip;q=0.5", "gzip"), ("x-gzip", "gzip"), ("*", None),
        ("gzip;q=0", None), ("gzip; q=0.000, *", None), ("*;q=0", None), ("identity", None), ("br", None),
    ],
)  # fmt: skip
def test_a_weight_of_nothing_means_no_compression(client, root, asked, encoding):
    answer = client.get(CSV_PATH, headers={"Accept-Encoding": asked})
    assert (answer.headers.get("content-encoding"), answer.content) == (encoding, (root / CSV_PATH).read_bytes())
    assert "accept-encoding" in answer.headers["vary"].lower()


@contextmanager
def connections(base: str, count: int, sent: bytes) -> Iterator[list[socket.socket]]:
    host, _, port = base.removeprefix("http://").partition(":")
    opened = [socket.create_connection((host, int(port)), timeout=5) for _ in range(count)]
    try:
        for one in opened:
            one.sendall(sent)
        yield opened
    finally:
        for one in opened:
            one.close()


@pytest.mark.parametrize(
    "sent",
    [
        b"", b"GET", b"GET / HTTP/1.1\r\nHost: x\r\nX-Slow: ",
        b"POST / HTTP/1.1\r\nHost: x\r\nContent-Length: 9\r\n\r\na",
        b"GET /catalog.json HTTP/1.1\r\nHost: x\r\n\r\nGET /half",
    ],
    ids=["nothing", "a word", "half a header", "half a body", "half a second request"],
)  # fmt: skip
def test_what_is_sent_by_halves_ends(root, monkeypatch, sent):
    """While two hundred such connections stand, others are answered."""
    monkeypatch.setattr(guarded_protocol, "SECONDS_FOR_A_REQUEST", 0.5)
    with running(application(root)) as base, connections(base, 200, sent) as opened:
        begun = time.monotonic()
        assert httpx.get(f"{base}/{CSV_PATH}", trust_env=False).status_code == 200
        assert time.monotonic() - begun < 0.4
        for one in opened:
            try:
                while one.recv(65_536):
                    pass
            except ConnectionResetError:
                pass
        assert time.monotonic() - begun < 4


def test_the_longest_waiting_goes_where_there_are_too_many(root, monkeypatch):
    monkeypatch.setattr(guarded_protocol, "MOST_CONNECTIONS", 50)
    with running(application(root)) as base, connections(base, 200, b"GET / HTTP/1.1\r\n"):
        answers = [httpx.get(f"{base}/{CSV_PATH}", trust_env=False).status_code for _ in range(3)]
    assert answers == [200, 200, 200]


@pytest.mark.parametrize(
    "head",
    [
        b"GET /" + b"a" * 100_000 + b" HTTP/1.1\r\n\r\n",
        b"GET / HTTP/1.1\r\n" + b"X: " + b"a" * 100_000 + b"\r\n\r\n",
        b"GET / HTTP/1.1\r\n" + b"X-A: b\r\n" * 20_000 + b"\r\n",
    ],
    ids=["address", "header", "headers"],
)
def test_heads_are_bounded(root, head):
    with running(application(root)) as base, connections(base, 1, head) as (one,):
        try:
            answer = one.recv(65_536)
        except ConnectionResetError:
            answer = b""
    assert answer == b"" or answer.startswith(b"HTTP/1.1 400")


def test_reader_that_takes_nothing_is_let_go(tmp_path, monkeypatch):
    monkeypatch.setattr(guarded_protocol, "SECONDS_OF_STANDSTILL", 0.3)
    root = write_archive(tmp_path / "archive", raster=False)
    with (root / "large.tif").open("wb") as large:
        large.truncate(200_000_000)
    write_manifest(root)
    asked = b"GET /large.tif HTTP/1.1\r\nHost: x\r\n\r\n"
    with running(application(root)) as base, connections(base, 1, asked) as (one,):
        time.sleep(1.0)
        received = 0
        try:
            while piece := one.recv(1 << 20):
                received += len(piece)
        except ConnectionResetError:
            pass
    assert received < 100_000_000
