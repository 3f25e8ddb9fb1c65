"""Fetching, against a local server that misbehaves in every way the real ones do."""

import hashlib
import io
import sys
import threading
import time
import tomllib
import zipfile
from collections.abc import Iterator
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

import httpx
import numpy as np
import pytest

from catalog import stac
from catalog.downloads import NoRanges, Patience, RangeFile, Remote, download
from catalog.fetch import (
    LOCK_TOML,
    STAC_SCHEMAS,
    Download,
    block_of,
    default_destination,
    parse_mirrors,
    plan_all,
    plan_fetch,
    read_lock,
    run_fetch,
    tile_names,
)
from schemas.definition import Extent, parse_definition
from schemas.errors import BadDefinition, BadInput

BODY = np.random.default_rng(3).bytes(300_000)


@dataclass
class Behaviour:
    """How the server answers one path; ``troubles`` are used up first, one a request."""

    body: bytes = BODY
    ranges: bool = True
    etag: str = '"v1"'
    content_type: str = "application/octet-stream"
    troubles: list = field(default_factory=list)
    redirect: str = ""
    token: str = ""


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

    def do_GET(self) -> None:
        self.server.asked.append((self.path, {name.lower(): value for name, value in self.headers.items()}))
        behaviour = self.server.paths.get(self.path)
        if behaviour is None:
            return self.answer(404, b"")
        if behaviour.troubles:
            return behaviour.troubles.pop(0)(self, behaviour)
        if behaviour.redirect:
            return self.answer(302, b"", {"Location": behaviour.redirect})
        if behaviour.token and self.headers.get("Authorization") != f"Bearer {behaviour.token}":
            return self.answer(401, b"")
        return self.send_body(behaviour)

    def send_body(self, behaviour: Behaviour, sent: int | None = None) -> None:
        body, asked = behaviour.body, self.headers.get("Range")
        headers = {"Content-Type": behaviour.content_type, **({"ETag": behaviour.etag} if behaviour.etag else {})}
        guard = self.headers.get("If-Range")
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
        self.wfile.write(body[:sent])
        if sent is not None:
            self.close_connection = True

    def log_message(self, *_) -> None:
        pass


def status(code: int, **headers):
    return lambda handler, behaviour: handler.answer(code, b"", headers)


def truncated(count: int):
    return lambda handler, behaviour: handler.send_body(behaviour, count)


def stalled(seconds: float):
    def stall(handler, behaviour):
        time.sleep(seconds)
        handler.close_connection = True

    return stall


@pytest.fixture
def server() -> Iterator[Server]:
    with Server() as running:
        threading.Thread(target=running.serve_forever, args=(0.01,), daemon=True).start()
        yield running
        running.shutdown()


@pytest.fixture
def client() -> Iterator[httpx.Client]:
    with httpx.Client(follow_redirects=True, timeout=0.5, trust_env=False) as session:
        yield session


@pytest.fixture
def waits() -> list[float]:
    return []


@pytest.fixture
def patience(waits) -> Patience:
    return Patience(attempts=4, sleep=waits.append)


@pytest.fixture
def fetch(client, patience, tmp_path):
    """Carry out a plan into ``tmp_path/inputs``."""

    def run(plan, **options):
        return run_fetch(plan, tmp_path / "inputs", client=client, patience=patience, **options)

    return run


def wanted(url: str, name: str = "file.bin", **more) -> Download:
    return Download(name, url, "CC0-1.0", **more)


def zip_of(members: dict[str, bytes], method: int = zipfile.ZIP_DEFLATED) -> bytes:
    content = io.BytesIO()
    with zipfile.ZipFile(content, "w", method) as archive:
        for name, body in members.items():
            archive.writestr(name, body)
    return content.getvalue()


# --- one file ----------------------------------------------------------------------------------------------------


def test_file_arrives_whole_and_is_recorded(server, fetch, tmp_path):
    url = server.give("/file.bin")
    report = fetch([wanted(url, "folder/file.bin", attribution='said "so"')])
    assert (tmp_path / "inputs/folder/file.bin").read_bytes() == BODY
    assert (report.fetched, report.fetched_bytes) == (("folder/file.bin",), len(BODY))
    lock = tomllib.loads((tmp_path / "inputs" / LOCK_TOML).read_text())["file"]
    assert lock == [
        {
            "name": "folder/file.bin",
            "url": url,
            "size": len(BODY),
            "sha256": hashlib.sha256(BODY).hexdigest(),
            "licence": "CC0-1.0",
            "attribution": 'said "so"',
        }
    ]
    assert {path.name for path in (tmp_path / "inputs/folder").iterdir()} == {"file.bin"}


def test_second_run_asks_for_nothing(server, fetch):
    plan = [wanted(server.give("/file.bin"))]
    fetch(plan)
    asked = len(server.asked)
    report = fetch(plan)
    assert (report.fetched, report.present) == ((), ("file.bin",))
    assert len(server.asked) == asked


def test_lock_is_the_same_whatever_the_order(server, fetch, tmp_path):
    urls = {name: server.give(f"/{name}", body=name.encode()) for name in ("b", "a", "c")}
    fetch([wanted(url, name) for name, url in urls.items()], workers=3)
    first = (tmp_path / "inputs" / LOCK_TOML).read_bytes()
    (tmp_path / "inputs" / LOCK_TOML).unlink()
    for name in urls:
        (tmp_path / "inputs" / name).unlink()
    fetch([wanted(urls[name], name) for name in sorted(urls)], workers=1)
    assert (tmp_path / "inputs" / LOCK_TOML).read_bytes() == first
    assert list(read_lock(tmp_path / "inputs" / LOCK_TOML)) == ["a", "b", "c"]


def test_redirect_is_followed(server, fetch, tmp_path):
    server.give("/real.bin")
    fetch([wanted(server.give("/file.bin", redirect="/real.bin"))])
    assert (tmp_path / "inputs/file.bin").read_bytes() == BODY


@pytest.mark.parametrize("code", [429, 500, 502, 503, 504])
def test_passing_trouble_is_waited_out(server, fetch, waits, tmp_path, code):
    fetch([wanted(server.give("/file.bin", troubles=[status(code), status(code)]))])
    assert (tmp_path / "inputs/file.bin").read_bytes() == BODY
    assert waits == [1.0, 2.0]


def test_server_may_ask_for_a_longer_wait_within_bounds(server, fetch, waits):
    troubles = [status(429, **{"Retry-After": "7"}), status(429, **{"Retry-After": "86400"})]
    fetch([wanted(server.give("/file.bin", troubles=troubles))])
    assert waits == [7.0, 60.0]


def test_patience_ends(server, fetch, waits, tmp_path):
    url = server.give("/file.bin", troubles=[status(500)] * 9)
    with pytest.raises(BadInput, match=rf"{url}: found 500 Internal Server Error, 4 times; .* it resumes"):
        fetch([wanted(url)])
    assert waits == [1.0, 2.0, 4.0]
    assert not (tmp_path / "inputs/file.bin").exists()


def test_truncated_body_is_continued_where_it_broke_off(server, fetch, tmp_path):
    url = server.give("/file.bin", troubles=[truncated(100_000)])
    fetch([wanted(url)])
    assert (tmp_path / "inputs/file.bin").read_bytes() == BODY
    second = server.headers_of("/file.bin")[1]
    assert (second["range"], second["if-range"]) == ("bytes=100000-", '"v1"')


def test_truncated_body_without_ranges_is_fetched_again_whole(server, fetch, tmp_path):
    fetch([wanted(server.give("/file.bin", ranges=False, troubles=[truncated(100_000)]))])
    assert (tmp_path / "inputs/file.bin").read_bytes() == BODY


def test_truncated_body_of_a_file_that_changed_is_fetched_again_whole(server, fetch, tmp_path):
    def truncate_then_change(handler, behaviour):
        handler.send_body(behaviour, 100_000)
        behaviour.body, behaviour.etag = BODY[::-1], '"v2"'

    fetch([wanted(server.give("/file.bin", troubles=[truncate_then_change]))])
    assert (tmp_path / "inputs/file.bin").read_bytes() == BODY[::-1]


def test_truncated_body_without_validator_is_not_continued(server, fetch, tmp_path):
    fetch([wanted(server.give("/file.bin", etag="", troubles=[truncated(100_000)]))])
    assert (tmp_path / "inputs/file.bin").read_bytes() == BODY
    assert "range" not in server.headers_of("/file.bin")[1]


def test_interrupted_run_is_resumed_by_the_next(server, fetch, tmp_path):
    url = server.give("/file.bin", troubles=[truncated(200_000), *[status(503)] * 3])
    with pytest.raises(BadInput, match="503"):
        fetch([wanted(url)])
    assert (tmp_path / "inputs/.file.bin.part").stat().st_size == 200_000
    fetch([wanted(url)])
    assert (tmp_path / "inputs/file.bin").read_bytes() == BODY
    assert server.headers_of("/file.bin")[-1]["range"] == "bytes=200000-"
    assert {path.name for path in (tmp_path / "inputs").iterdir()} == {"file.bin", LOCK_TOML}


def test_part_longer_than_the_file_is_thrown_away(server, fetch, tmp_path):
    (tmp_path / "inputs").mkdir()
    (tmp_path / "inputs/.file.bin.part").write_bytes(BODY + b"more")
    (tmp_path / "inputs/.file.bin.part.validator").write_text('"v1"')
    fetch([wanted(server.give("/file.bin"))])
    assert (tmp_path / "inputs/file.bin").read_bytes() == BODY


def test_silent_server_is_given_up_and_asked_again(server, fetch, tmp_path):
    fetch([wanted(server.give("/file.bin", troubles=[stalled(0.8)]))])
    assert (tmp_path / "inputs/file.bin").read_bytes() == BODY


@pytest.mark.parametrize(
    ("code", "message"),
    [
        (401, "found 401 Unauthorized; expected leave to download; get the file by hand"),
        (403, "found 403 Forbidden; expected leave to download"),
        (404, r"found 404 Not Found; expected the file; the server may have moved it: see docs/fetching\.md"),
        (410, "found 410 Gone; expected the file"),
    ],
)
def test_refusal_is_final_and_explained(server, fetch, waits, code, message):
    url = server.give("/file.bin", troubles=[status(code)])
    with pytest.raises(BadInput, match=rf"{url}: {message}"):
        fetch([wanted(url)])
    assert waits == []


def test_no_connection_is_explained(fetch):
    with pytest.raises(
        BadInput, match=r"http://127\.0\.0\.1:9/x: found no connection .*, 4 times; .* check the network"
    ):
        fetch([wanted("http://127.0.0.1:9/x")])


def test_wrong_scheme_is_refused_at_once(fetch, waits):
    with pytest.raises(BadInput, match="expected an http or https address"):
        fetch([wanted("ftp://127.0.0.1/x")])
    assert waits == []


def test_endless_redirect_is_refused(server, fetch):
    with pytest.raises(BadInput, match="redirect"):
        fetch([wanted(server.give("/file.bin", redirect="/file.bin"))])


def test_one_refusal_does_not_lose_what_else_arrived(server, fetch, tmp_path):
    good, bad = server.give("/good"), server.give("/bad", troubles=[status(403)])
    with pytest.raises(BadInput, match="/bad"):
        fetch([wanted(good, "good"), wanted(bad, "bad")], workers=1)
    assert list(read_lock(tmp_path / "inputs" / LOCK_TOML)) == ["good"]


# --- login -------------------------------------------------------------------------------------------------------


def test_token_is_sent_for_an_earthdata_file_only(server, fetch, monkeypatch):
    monkeypatch.setenv("EARTHDATA_TOKEN", "secret")
    fetch(
        [
            wanted(server.give("/nasa", token="secret"), "nasa", login="earthdata"),
            wanted(server.give("/other"), "other"),
        ]
    )
    assert server.headers_of("/nasa")[0]["authorization"] == "Bearer secret"
    assert "authorization" not in server.headers_of("/other")[0]


def test_token_does_not_follow_a_redirect_to_another_host(server, fetch, monkeypatch):
    monkeypatch.setenv("EARTHDATA_TOKEN", "secret")
    server.give("/signed")
    elsewhere = f"http://localhost:{server.server_port}/signed"
    fetch([wanted(server.give("/nasa", redirect=elsewhere), login="earthdata")])
    assert server.headers_of("/nasa")[0]["authorization"] == "Bearer secret"
    assert "authorization" not in server.headers_of("/signed")[0]


def test_token_is_not_sent_unencrypted_over_a_network(client):
    assert "Authorization" not in Remote(client, "http://data.nasa.gov/x", "secret").headers()
    assert Remote(client, "https://data.nasa.gov/x", "secret").headers()["Authorization"] == "Bearer secret"


def test_missing_login_says_how_to_get_one(server, fetch, monkeypatch):
    monkeypatch.delenv("EARTHDATA_TOKEN", raising=False)
    url = server.give("/nasa", token="secret")
    with pytest.raises(BadInput, match=r"401 Unauthorized.*urs\.earthdata\.nasa\.gov.*set EARTHDATA_TOKEN.*--mirror"):
        fetch([wanted(url, login="earthdata")])


def test_login_page_is_not_taken_for_the_file(server, fetch, tmp_path):
    server.give("/login", body=b"<html>please log in</html>", content_type="text/html; charset=utf-8")
    url = server.give("/nasa", redirect="/login")
    with pytest.raises(BadInput, match=r"a web page of 127\.0\.0\.1 instead of the file; .*set EARTHDATA_TOKEN"):
        fetch([wanted(url, login="earthdata")])
    assert not (tmp_path / "inputs/file.bin").exists()


# --- checksums ---------------------------------------------------------------------------------------------------


def test_file_that_differs_from_the_record_is_refused_and_not_kept(server, fetch, tmp_path):
    url = server.give("/file.bin")
    fetch([wanted(url)])
    (tmp_path / "inputs/file.bin").unlink()
    server.paths["/file.bin"] = Behaviour(body=b"other bytes", etag='"v2"')
    with pytest.raises(BadInput, match=r"found sha256 [0-9a-f]{64}; expected sha256 .* remove its entry from inputs"):
        fetch([wanted(url)])
    assert not (tmp_path / "inputs/file.bin").exists()


def test_file_changed_by_hand_is_refused_and_left_alone(server, fetch, tmp_path):
    url = server.give("/file.bin")
    fetch([wanted(url)])
    (tmp_path / "inputs/file.bin").write_text("edited")
    with pytest.raises(BadInput, match=r"file\.bin: found sha256"):
        fetch([wanted(url)])
    assert (tmp_path / "inputs/file.bin").read_text() == "edited"


def test_file_that_was_there_before_is_recorded_without_an_address(server, fetch, tmp_path):
    (tmp_path / "inputs").mkdir()
    (tmp_path / "inputs/file.bin").write_text("the user's own")
    report = fetch([wanted(server.give("/file.bin"))])
    assert report.present == ("file.bin",)
    assert read_lock(tmp_path / "inputs" / LOCK_TOML)["file.bin"].url == ""
    assert server.asked == []


@pytest.mark.parametrize("content", ["no toml [", '[[file]]\nname = "x"\n', "[[file]]\ncolour = 1\n"])
def test_damaged_lock_is_refused(server, fetch, tmp_path, content):
    (tmp_path / "inputs").mkdir()
    (tmp_path / "inputs" / LOCK_TOML).write_text(content)
    with pytest.raises(BadInput, match=r"inputs\.lock\.toml: .* expected the lock file as fetch wrote it"):
        fetch([wanted(server.give("/file.bin"))])


# --- members of a zip --------------------------------------------------------------------------------------------

TILE = np.random.default_rng(5).bytes(2_500_000)
OTHER = np.random.default_rng(6).bytes(9_000_000)


@pytest.mark.parametrize("method", [zipfile.ZIP_STORED, zipfile.ZIP_DEFLATED])
def test_member_is_read_out_of_the_remote_zip(server, fetch, tmp_path, method):
    content = zip_of({"sub/folder/other.tif": OTHER, "sub/folder/tile.tif": TILE}, method)
    url = server.give("/block.zip", body=content)
    fetch([wanted(url, "tile.tif", member="tile.tif", by_range=True)])
    assert (tmp_path / "inputs/tile.tif").read_bytes() == TILE
    moved = 0
    for headers in server.headers_of("/block.zip"):
        first, last = headers["range"].removeprefix("bytes=").split("-")
        moved += int(last) - int(first) + 1
    assert moved < len(TILE) + 4_000_000 < len(content)
    assert len(server.asked) < 12


def test_two_members_share_one_zip(server, fetch, tmp_path):
    url = server.give("/block.zip", body=zip_of({"a.tif": b"a" * 50, "b.tif": b"b" * 60}))
    report = fetch([wanted(url, f"in/{name}", member=name, by_range=True) for name in ("a.tif", "b.tif")])
    assert (tmp_path / "inputs/in/b.tif").read_bytes() == b"b" * 60
    assert report.fetched_bytes == 110
    assert sum(headers["range"] == "bytes=0-0" for headers in server.headers_of("/block.zip")) == 1


def test_server_without_ranges_gives_the_whole_zip_once(server, fetch, tmp_path):
    url = server.give("/block.zip", ranges=False, body=zip_of({"a.tif": b"a" * 50, "b.tif": b"b" * 60}))
    said = []
    fetch([wanted(url, name, member=name, by_range=True) for name in ("a.tif", "b.tif")], tell=said.append)
    assert (tmp_path / "inputs/a.tif").read_bytes() == b"a" * 50
    assert any("offers no ranges" in line for line in said)
    assert len(server.asked) == 2
    assert {path.name for path in (tmp_path / "inputs").iterdir()} == {"a.tif", "b.tif", LOCK_TOML}


def test_trouble_between_ranges_is_waited_out(server, fetch, tmp_path, waits):
    url = server.give("/block.zip", body=zip_of({"a.tif": TILE}))
    behaviour = server.paths["/block.zip"]
    behaviour.troubles = [Handler.send_body, status(429), truncated(10)]
    fetch([wanted(url, "a.tif", member="a.tif", by_range=True)])
    assert (tmp_path / "inputs/a.tif").read_bytes() == TILE
    assert waits == [1.0, 2.0]


def test_zip_that_changes_while_it_is_read_is_refused(server, fetch):
    def change(handler, behaviour):
        handler.send_body(behaviour)
        behaviour.etag = '"v2"'

    url = server.give("/block.zip", body=zip_of({"a.tif": TILE}), troubles=[change])
    with pytest.raises(BadInput, match="a file that changed while it was read"):
        fetch([wanted(url, "a.tif", member="a.tif", by_range=True)])


@pytest.mark.parametrize("by_range", [True, False])
def test_zip_without_the_member_is_explained(server, fetch, by_range):
    url = server.give("/block.zip", body=zip_of({"other.tif": b"x"}))
    with pytest.raises(BadInput, match=r"no tile\.tif in the zip; expected that tile; the product has no tile of sea"):
        fetch([wanted(url, "tile.tif", member="tile.tif", by_range=by_range)])


def test_damaged_member_is_found_by_its_checksum(server, fetch, tmp_path):
    content = bytearray(zip_of({"a.tif": TILE}, zipfile.ZIP_STORED))
    content[1_000_000] ^= 0xFF
    url = server.give("/block.zip", body=bytes(content))
    with pytest.raises(BadInput, match=r"a damaged zip \(Bad CRC-32"):
        fetch([wanted(url, "a.tif", member="a.tif", by_range=True)])
    assert not (tmp_path / "inputs/a.tif").exists()


def test_damaged_zip_does_not_stay_to_fail_again(server, fetch, tmp_path):
    url = server.give("/tile.zip", body=b"no zip at all")
    with pytest.raises(BadInput, match=r"a damaged zip \(File is not a zip file\)"):
        fetch([wanted(url, "a.hgt", member="a.hgt")])
    server.paths["/tile.zip"] = Behaviour(body=zip_of({"a.hgt": b"good"}), etag='"v2"')
    fetch([wanted(url, "a.hgt", member="a.hgt")])
    assert (tmp_path / "inputs/a.hgt").read_bytes() == b"good"


def test_range_file_reads_as_the_file_does(server, client, patience):
    local, remote = io.BytesIO(BODY), RangeFile(Remote(client, server.give("/file.bin"), patience=patience))
    generator = np.random.default_rng(11)
    for _ in range(60):
        offset, count = int(generator.integers(0, len(BODY) + 50)), int(generator.integers(0, 5000))
        whence = int(generator.integers(0, 3))
        step = -min(offset, len(BODY)) if whence == io.SEEK_END else offset if whence == io.SEEK_SET else 7
        assert remote.seek(step, whence) == local.seek(step, whence)
        assert remote.read(count) == local.read(count)
        assert remote.tell() == local.tell()
    with pytest.raises(ValueError, match="before the start"):
        remote.seek(-1)


def test_range_file_needs_ranges(server, client, patience):
    with pytest.raises(NoRanges):
        RangeFile(Remote(client, server.give("/file.bin", ranges=False), patience=patience))


def test_download_says_how_far_it_is(server, client, patience, tmp_path, monkeypatch):
    monkeypatch.setattr("catalog.downloads._TELL_BYTES", 100_000)
    said = []
    download(Remote(client, server.give("/file.bin"), patience=patience), tmp_path / "file.bin", said.append)
    assert said
    assert all(line.startswith("file.bin: ") and line.endswith("MB of 0") for line in said)


# --- the destination ---------------------------------------------------------------------------------------------


def test_dry_run_asks_and_writes_nothing(server, fetch, tmp_path):
    report = fetch([wanted(server.give("/file.bin")), Download("x", "", "", manual="get it by hand")], dry_run=True)
    assert (report.fetched, report.manual, report.dry_run) == (("file.bin",), ("get it by hand",), True)
    assert report.lines() == [f"file.bin  <-  {server.base}/file.bin  [CC0-1.0]", "by hand: get it by hand"]
    assert report.to_dict()["plan"][0]["licence"] == "CC0-1.0"
    assert server.asked == []
    assert not (tmp_path / "inputs").exists()


def test_destination_that_cannot_be_written_is_explained(server, fetch, tmp_path):
    (tmp_path / "inputs").write_text("a file in the way")
    with pytest.raises(BadInput, match="expected a folder that can be written to; choose another destination"):
        fetch([wanted(server.give("/file.bin"))])


# --- the plan ----------------------------------------------------------------------------------------------------


def extent(west, south, east, north) -> Extent:
    return Extent(west=west, south=south, east=east, north=north, origin="source")


@pytest.mark.parametrize(
    ("box", "names"),
    [
        ((86.5, 43.0, 87.5, 43.3), ("N43E086", "N43E087")),
        ((86.0, 43.0, 87.0, 44.0), ("N43E086",)),
        ((-0.5, -0.5, 0.5, 0.5), ("S01W001", "S01E000", "N00W001", "N00E000")),
        ((-73.2, -49.1, -72.9, -48.9), ("S50W074", "S50W073", "S49W074", "S49W073")),
    ],
)
def test_tiles_that_an_extent_needs(box, names):
    assert tile_names(extent(*box)) == names


@pytest.mark.parametrize(
    ("tile", "block"),
    [
        ("N43E086", "N40E080-N50E090"),
        ("S50W074", "S50W080-S40W070"),
        ("S01W001", "S10W010-N00E000"),
        ("N65E175", "N60E170-N70W180"),
        ("N00E000", "N00E000-N10E010"),
    ],
)
def test_block_that_holds_a_tile(tile, block):
    assert block_of(tile) == block


TEXT = {"en": "text"}


def definition(files: dict[str, list[str]], box=(86.5, 43.0, 87.5, 43.3), **sources):
    raw = {
        "kind": "elevation_change",
        "id": "range-x",
        "version": "1.0.0",
        "publication_date": "2020-01-01",
        "publisher": "x",
        "publisher_url": "https://example.org",
        "licence": "CC-BY-4.0",
        "title": TEXT,
        "original": {"description": "", "data_source": "", "processing_method": "", "data_quality": ""},
        "reading": dict.fromkeys(
            ("description", "data_source", "processing_method", "data_quality", "collect_place", "data_format"), TEXT
        ),
        "extent": dict(zip(("west", "south", "east", "north"), box, strict=True), origin="source"),
        "period": {"start": "2000-01-01", "end": "2010-12-31"},
        "altitude": {"low": 1, "high": 2},
        "crs": "EPSG:32645",
        "sources": [{"key": key, "title": f"the {key}", "files": names} for key, names in files.items()],
        "gates": [],
        "processing": {},
    }
    return parse_definition(raw, "test")


FILES = {"earlier": ["srtm/*.hgt"], "later": ["*_FABDEM_V1-2.tif"], "outlines": ["rgi.shp"]}


def test_inputs_are_planned_from_extent_and_patterns(tmp_path):
    plan = plan_fetch(definition(FILES), "inputs", tmp_path)
    assert [file.name for file in plan[:4]] == [
        "range-x/srtm/N43E086.hgt",
        "range-x/srtm/N43E087.hgt",
        "range-x/N43E086_FABDEM_V1-2.tif",
        "range-x/N43E087_FABDEM_V1-2.tif",
    ]
    assert plan[0].url == (
        "https://data.lpdaac.earthdatacloud.nasa.gov/lp-prod-protected/SRTMGL3.003/"
        "N43E086.SRTMGL3.hgt/N43E086.SRTMGL3.hgt.zip"
    )
    assert (plan[0].member, plan[0].login, plan[0].by_range) == ("N43E086.hgt", "earthdata", False)
    assert plan[2].url.endswith("/N40E080-N50E090_FABDEM_V1-2.zip")
    assert plan[2].by_range
    assert "non-commercial" in plan[2].licence
    assert "put it at" in plan[4].manual
    assert str(tmp_path / "range-x" / "rgi.shp") in plan[4].manual


def test_named_tile_is_planned_even_beyond_the_extent(tmp_path):
    plan = plan_fetch(definition(FILES | {"earlier": ["N44E086.hgt"]}), "inputs", tmp_path)
    assert plan[0].name == "range-x/N44E086.hgt"


def test_patterns_narrow_the_tiles(tmp_path):
    plan = plan_fetch(definition(FILES | {"earlier": ["*E087.hgt"]}), "inputs", tmp_path)
    assert [file.name for file in plan if file.name.endswith(".hgt")] == ["range-x/N43E087.hgt"]


def test_outlines_of_the_inventory_name_their_login(tmp_path):
    files = definition(FILES).model_copy(update={})
    sources = tuple(
        source.model_copy(update={"title": "Randolph Glacier Inventory 7"}) if source.key == "outlines" else source
        for source in files.sources
    )
    plan = plan_fetch(files.model_copy(update={"sources": sources}), "inputs", tmp_path)
    assert "https://nsidc.org/data/nsidc-0770/versions/7 behind a NASA Earthdata login" in plan[-1].manual


@pytest.mark.parametrize(
    ("pattern", "box", "message"),
    [
        (
            "X*.hgt",
            (86.5, 43.0, 87.5, 43.3),
            r"found X\*\.hgt; expected the name of a tile of the extent \(N43E086, N43",
        ),
        ("dem.hgt", (86.5, 43.0, 87.5, 43.3), r"found dem\.hgt; expected the name of a tile"),
        ("*.hgt", (10.0, 78.0, 11.0, 79.0), "the product covers none"),
    ],
)
def test_patterns_that_ask_for_no_tile_are_refused(tmp_path, pattern, box, message):
    with pytest.raises(BadDefinition, match=message):
        plan_fetch(definition(FILES | {"earlier": [pattern]}, box), "inputs", tmp_path)


def test_inputs_need_a_definition(tmp_path):
    with pytest.raises(BadInput, match="no definition"):
        plan_fetch(None, "inputs", tmp_path)


def test_mirror_replaces_a_server_and_needs_no_login(tmp_path):
    mirrors = parse_mirrors(["srtm=https://mirror.example/{tile}.SRTMGL3.hgt.zip"])
    plan = plan_fetch(definition(FILES), "inputs", tmp_path, mirrors)
    assert (plan[0].url, plan[0].login) == ("https://mirror.example/N43E086.SRTMGL3.hgt.zip", "")


@pytest.mark.parametrize(
    ("value", "message"),
    [
        ("aster=https://x/{tile}", "server 'aster'; expected one of srtm, fabdem, proj, stac"),
        ("srtm=https://x/", r"an http\(s\) address that holds \{tile\}"),
        ("srtm=ftp://x/{tile}", r"an http\(s\) address"),
        ("srtm", r"found ''; expected an http\(s\) address"),
    ],
)
def test_wrong_mirrors_are_refused(value, message):
    with pytest.raises(BadInput, match=message):
        parse_mirrors([value])


def test_plan_of_several_datasets(tmp_path):
    one, two = definition(FILES), definition(FILES).model_copy(update={"id": "range-y"})
    names = [file.name for file in plan_all([one, two], "inputs", tmp_path)]
    assert {"range-x/srtm/N43E086.hgt", "range-y/srtm/N43E086.hgt"} <= set(names)
    assert plan_all([one, two], "geoids", tmp_path) == plan_fetch(None, "geoids", tmp_path)
    with pytest.raises(BadInput, match="no definition"):
        plan_all([], "inputs", tmp_path)


def test_geoids_go_where_proj_looks(tmp_path):
    plan = plan_fetch(None, "geoids", tmp_path)
    assert [file.url for file in plan] == [
        "https://cdn.proj.org/us_nga_egm96_15.tif",
        "https://cdn.proj.org/us_nga_egm08_25.tif",
    ]
    assert default_destination("geoids").name == "proj"


def test_schemas_are_laid_out_by_address(server, fetch, tmp_path):
    plan = plan_fetch(None, "schemas", tmp_path, {"stac": server.base + "/{name}"})
    assert [file.name for file in plan] == list(STAC_SCHEMAS)
    assert plan_fetch(None, "schemas", tmp_path)[0].url == f"https://{STAC_SCHEMAS[0]}"
    for name in STAC_SCHEMAS:
        server.give(f"/{name}", body=b'{"$id": "%s"}' % name.encode())
    fetch(plan)
    path = "schemas.stacspec.org/v1.1.0/item-spec/json-schema/item.json"
    assert (tmp_path / "inputs" / path).read_bytes() == b'{"$id": "%s"}' % path.encode()


def test_schema_list_covers_what_the_archive_declares():
    versions = {version for versions in stac._DECLARED.values() for version in versions}
    assert {f"stac-extensions.github.io/{version}/schema.json" for version in versions} <= set(STAC_SCHEMAS)


def test_whole_job_plan_and_run(server, fetch, tmp_path):
    """SRTM from a whole zip, FABDEM from a remote one, outlines left to the user."""
    for tile in ("N43E086", "N43E087"):
        server.give(f"/srtm/{tile}.zip", body=zip_of({f"{tile}.hgt": tile.encode() * 100}))
    members = {f"{tile}_FABDEM_V1-2.tif": tile.encode() * 200 for tile in ("N43E086", "N43E087", "N44E086")}
    server.give("/fabdem/N40E080-N50E090.zip", body=zip_of(members, zipfile.ZIP_STORED))
    mirrors = {"srtm": server.base + "/srtm/{tile}.zip", "fabdem": server.base + "/fabdem/{block}.zip"}
    report = fetch(plan_fetch(definition(FILES), "inputs", tmp_path / "inputs", mirrors))
    assert len(report.fetched) == 4
    assert len(report.manual) == 1
    assert report.lines()[0].startswith("fetched 4 (0.0 MB), 0 were there already; recorded in ")
    own = tmp_path / "inputs/range-x"
    assert (own / "srtm/N43E087.hgt").read_bytes() == b"N43E087" * 100
    assert (own / "N43E086_FABDEM_V1-2.tif").read_bytes() == b"N43E086" * 200
    lock = read_lock(tmp_path / "inputs" / LOCK_TOML)
    assert "CC BY-NC-SA" in lock["range-x/N43E086_FABDEM_V1-2.tif"].licence
    assert not list((tmp_path / "inputs").rglob(".*"))
