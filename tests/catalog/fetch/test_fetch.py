"""Fetching, against a local server that misbehaves in every way the real ones do."""

import errno
import gzip
import hashlib
import http.server
import io
import json
import os
import resource
import shutil
import signal
import subprocess
import sys
import threading
import time
import tomllib
import types
import zipfile
import zlib
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from email.utils import format_datetime
from pathlib import Path

import httpx
import numpy as np
import pytest
from pystac.extensions.file import FileExtension
from pystac.extensions.projection import ProjectionExtension
from pystac.extensions.render import RenderExtension
from pystac.extensions.scientific import ScientificExtension
from pystac.extensions.table import TableExtension
from pystac.extensions.timestamps import TimestampsExtension
from pystac.extensions.version import VersionExtension
from rich.console import Console

from catalog.build.definitions import default_definitions
from catalog.fetch import downloads
from catalog.fetch.bars import transfer_bars
from catalog.fetch.downloads import NoRanges, RangeFile, Remote, download
from catalog.fetch.earthdata import earthdata_token
from catalog.fetch.fetch import (
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
from catalog.stac.documents import WITHOUT_CLASS
from pipeline.patience import Patience, asked_wait_s
from schemas.definition import Extent, parse_definition
from schemas.errors import BadDefinition, BadInput, ManyBadInputs
from tests.root import ROOT
from tests.system.misbehaving_server import (
    BODY,
    Behaviour,
    Handler,
    Server,
    dripping,
    running_server,
    stalled,
    status,
    truncated,
)

LOGIN_VARIABLES = ("EARTHDATA_TOKEN", "EARTHDATA_USERNAME", "EARTHDATA_PASSWORD", "NETRC")


@pytest.fixture(autouse=True)
def no_login(monkeypatch, tmp_path):
    """Nobody's own login, and none of this machine."""
    for name in LOGIN_VARIABLES:
        monkeypatch.delenv(name, raising=False)
    monkeypatch.setenv("HOME", str(tmp_path / "home"))


@pytest.fixture
def server() -> Iterator[Server]:
    with running_server() as running:
        yield running


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
    return Download(name=name, url=url, licence="CC0-1.0", **more)


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


def test_server_may_ask_for_a_longer_wait(server, fetch, waits):
    soon = format_datetime(datetime.now(UTC) + timedelta(seconds=90), usegmt=True)
    past = format_datetime(datetime.now(UTC) - timedelta(days=1), usegmt=True)
    asked = ["7", soon, past]
    fetch([wanted(server.give("/file.bin", troubles=[status(429, **{"Retry-After": after}) for after in asked]))])
    assert waits == [7.0, pytest.approx(90.0, abs=5.0), 4.0]


@pytest.mark.parametrize("digits", ["\u00b2", "\u0663", "9" * 5000], ids=["superscript", "arabic", "endless"])
def test_digits_that_are_no_number_of_seconds_are_not_read(digits):
    """Python calls them digits, and fails to make a number of the first and the last."""
    assert digits.isdigit()
    assert asked_wait_s(digits) is None


def test_server_that_asks_for_too_long_a_wait_is_left_alone(server, fetch, waits):
    url = server.give("/file.bin", troubles=[status(503, **{"Retry-After": "86400"})])
    with pytest.raises(BadInput, match=r"503 .*, to be asked again in 86400 s; .* run fetch again in 86400 s"):
        fetch([wanted(url)])
    assert waits == []


def test_what_moves_on_costs_no_patience(server, fetch, waits, tmp_path):
    """Nine broken transfers in a row, four attempts: each brings some of the file."""
    fetch([wanted(server.give("/file.bin", troubles=[truncated(30_000)] * 9))])
    assert (tmp_path / "inputs/file.bin").read_bytes() == BODY
    assert waits == [1.0] * 9


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


def test_server_that_ignores_the_condition_does_not_join_two_versions(server, fetch, tmp_path):
    def truncate_then_change(handler, behaviour):
        handler.send_body(behaviour, 100_000)
        behaviour.body, behaviour.etag = BODY[::-1], '"v2"'

    url = server.give("/file.bin", honours_if_range=False, troubles=[truncate_then_change])
    fetch([wanted(url)])
    assert (tmp_path / "inputs/file.bin").read_bytes() == BODY[::-1]


def test_drip_is_begun_again_where_it_stands(server, client, tmp_path):
    """A server that is never silent and never done."""
    patience = Patience(sleep=lambda _: None, slow_for_s=0.1, slowest_bytes_s=1e6)
    url = server.give("/file.bin", troubles=[dripping(100_000, 0.05)])
    download(Remote(client=client, url=url, patience=patience), tmp_path / "file.bin")
    assert (tmp_path / "file.bin").read_bytes() == BODY
    continued = server.headers_of("/file.bin")[1]["range"]
    assert 100_000 <= int(continued.removeprefix("bytes=").removesuffix("-")) < 300_000


TEXT_BODY = b"the same line over and over\n" * 9000


@pytest.mark.parametrize(
    ("encoding", "body"), [("gzip", gzip.compress(TEXT_BODY)), ("deflate", zlib.compress(TEXT_BODY))]
)
def test_compression_that_was_not_asked_for_is_undone(server, fetch, tmp_path, encoding, body):
    fetch([wanted(server.give("/file.bin", body=body, encoding=encoding))])
    assert (tmp_path / "inputs/file.bin").read_bytes() == TEXT_BODY
    assert server.headers_of("/file.bin")[0]["accept-encoding"] == "identity"


def test_compressed_body_that_breaks_off_is_fetched_again_whole(server, fetch, tmp_path, waits):
    packed = gzip.compress(TEXT_BODY)
    behaviour = {"body": packed, "encoding": "gzip"}
    short = lambda handler, given: handler.answer(200, packed[:-9], {"Content-Encoding": "gzip", "ETag": given.etag})  # noqa: E731 - beside its like
    fetch([wanted(server.give("/file.bin", **behaviour, troubles=[short, truncated(50)]))])
    assert (tmp_path / "inputs/file.bin").read_bytes() == TEXT_BODY
    assert all("range" not in headers for headers in server.headers_of("/file.bin"))
    assert len(waits) == 2


@pytest.mark.parametrize(("encoding", "message"), [("br", "the encoding 'br'"), ("gzip", "a damaged gzip stream")])
def test_compression_that_cannot_be_undone_is_refused(server, fetch, encoding, message):
    with pytest.raises(BadInput, match=message):
        fetch([wanted(server.give("/file.bin", encoding=encoding))])


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


def test_redirect_to_an_unencrypted_address_is_refused(tmp_path, patience):
    def answer(request):
        assert request.url.scheme == "https", "the unencrypted address was asked"
        return httpx.Response(302, headers={"Location": "http://data.example/file.bin"})

    with httpx.Client(transport=httpx.MockTransport(answer)) as session:
        remote = Remote(client=session, url="https://data.example/file.bin", patience=patience)
        with pytest.raises(BadInput, match=r"found a redirect to the unencrypted data\.example; expected https"):
            download(remote, tmp_path / "file.bin")


def test_endless_redirect_is_refused(server, fetch):
    with pytest.raises(BadInput, match="redirect"):
        fetch([wanted(server.give("/file.bin", redirect="/file.bin"))])


def test_refusals_do_not_keep_the_rest_and_come_together(server, fetch, tmp_path):
    """In the order of the plan, whatever the order they came in."""
    bad, good = server.give("/bad", troubles=[stalled(0.2), status(403)]), server.give("/good")
    with pytest.raises(ManyBadInputs) as caught:
        fetch([wanted(bad, "bad"), wanted(good, "good"), wanted(server.base + "/gone", "gone")], workers=2)
    assert [error.where for error in caught.value.errors] == [bad, server.base + "/gone"]
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


def test_login_server_confirms_the_token_and_no_other_sees_it(patience, tmp_path):
    """The way of NASA's servers: to the login server and back with a cookie, then on to a signed address."""
    seen = []

    def answer(request):
        seen.append((request.url.host, request.headers.get("authorization"), request.headers.get("cookie")))
        if request.url.host == "login.example":
            return httpx.Response(302, headers={"Location": "https://data.example/back"})
        if request.url.path == "/back":
            headers = {"Location": "/file.bin", "Set-Cookie": "session=1; Secure"}
            return httpx.Response(302, headers=headers)
        if request.url.host == "signed.example":
            return httpx.Response(200, stream=httpx.ByteStream(BODY))
        known = "session=1" in request.headers.get("cookie", "")
        onward = "https://signed.example/file.bin?signature=1" if known else "https://login.example/authorize"
        return httpx.Response(303, headers={"Location": onward})

    with httpx.Client(transport=httpx.MockTransport(answer)) as session:
        url = "https://data.example/file.bin"
        remote = Remote(client=session, url=url, token="secret", login_host="login.example", patience=patience)
        download(remote, tmp_path / "file.bin")
    assert (tmp_path / "file.bin").read_bytes() == BODY
    assert seen == [
        ("data.example", "Bearer secret", None),
        ("login.example", "Bearer secret", None),
        ("data.example", "Bearer secret", None),
        ("data.example", "Bearer secret", "session=1"),
        ("signed.example", None, None),
    ]
    assert "secret" not in repr(remote)


@pytest.mark.parametrize(
    "address",
    ["http://data.nasa.gov/x", "https://data.nasa.gov:444/x", "https://data.nasa.gov.evil/x", "http://login.nasa.gov/"],
)
def test_token_goes_to_no_address_that_only_looks_like_it(client, address):
    remote = Remote(client=client, url="https://data.nasa.gov/x", token="secret", login_host="login.nasa.gov")
    assert "Authorization" not in remote.headers(address=address)
    assert "Authorization" in remote.headers(address="https://login.nasa.gov/oauth")


def test_token_is_not_sent_unencrypted_over_a_network(client):
    assert "Authorization" not in Remote(client=client, url="http://data.nasa.gov/x", token="secret").headers()
    assert (
        Remote(client=client, url="https://data.nasa.gov/x", token="secret").headers()["Authorization"]
        == "Bearer secret"
    )


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


def test_login_page_with_another_media_type_is_not_taken_for_the_file(server, fetch, tmp_path):
    url = server.give("/nasa", body=b"\n <!DOCTYPE html><p>please log in", content_type="application/zip")
    with pytest.raises(BadInput, match="a web page of 127"):
        fetch([wanted(url, login="earthdata")])
    assert not list((tmp_path / "inputs").iterdir())


class LoginRefused(Exception):
    pass


class NoLogin(Exception):
    pass


def earthaccess_that(login) -> types.ModuleType:
    """What is used of the library: the login and its two exceptions."""
    module = types.ModuleType("earthaccess")
    module.Auth = lambda: types.SimpleNamespace(login=login)
    module.exceptions = types.SimpleNamespace(LoginAttemptFailure=LoginRefused, LoginStrategyUnavailable=NoLogin)
    return module


@pytest.fixture
def name_and_password(monkeypatch):
    monkeypatch.setenv("EARTHDATA_USERNAME", "me")
    monkeypatch.setenv("EARTHDATA_PASSWORD", "hidden")


def test_name_and_password_become_a_token_once(server, fetch, monkeypatch, name_and_password):
    asked = []

    def login(strategy):
        asked.append(strategy)
        return types.SimpleNamespace(token={"access_token": "granted"})

    monkeypatch.setitem(sys.modules, "earthaccess", earthaccess_that(login))
    names = ("a", "b", "c")
    fetch([wanted(server.give(f"/{name}", token="granted"), name, login="earthdata") for name in names])
    assert asked == ["environment"]


def test_netrc_is_found_where_it_is_named(monkeypatch, tmp_path):
    login = lambda strategy: types.SimpleNamespace(token={"access_token": f"by-{strategy}"})  # noqa: E731 - one line says it
    monkeypatch.setitem(sys.modules, "earthaccess", earthaccess_that(login))
    assert earthdata_token() == ""
    monkeypatch.setenv("NETRC", str(tmp_path / "mine"))
    (tmp_path / "mine").write_text("machine other.example login x password y\n")
    assert earthdata_token() == ""
    (tmp_path / "mine").write_text("machine urs.earthdata.nasa.gov login x password y\n")
    assert earthdata_token() == "by-netrc"
    (tmp_path / "mine").write_text("machines of all kinds")
    with pytest.raises(BadInput, match=r"mine: found no netrc file \(bad toplevel token"):
        earthdata_token()


def test_stated_token_needs_no_library(monkeypatch, name_and_password):
    monkeypatch.setitem(sys.modules, "earthaccess", None)  # importing it fails
    monkeypatch.setenv("EARTHDATA_TOKEN", " secret\n")
    assert earthdata_token() == "secret"
    monkeypatch.setenv("EARTHDATA_TOKEN", "two words")
    with pytest.raises(BadInput, match="variable EARTHDATA_TOKEN: found spaces") as caught:
        earthdata_token()
    assert "two words" not in str(caught.value)
    monkeypatch.delenv("EARTHDATA_TOKEN")
    with pytest.raises(BadInput, match=r"expected earthaccess; pip install 'glacier-archive\[earthdata\]'"):
        earthdata_token()


def _raise(error):
    raise error


@pytest.mark.parametrize(
    ("login", "message"),
    [
        (lambda strategy: _raise(LoginRefused("hidden")), "name and password refused; expected those of https://urs"),
        (lambda strategy: _raise(NoLogin("no entry")), "no entry; expected name and password"),
        (lambda strategy: _raise(ConnectionError("x")), "no connection; expected an answer of urs"),
        (lambda strategy: types.SimpleNamespace(token=None), "no token in the answer"),
    ],
)
def test_login_that_fails_is_explained(monkeypatch, name_and_password, login, message):
    monkeypatch.setitem(sys.modules, "earthaccess", earthaccess_that(login))
    with pytest.raises(BadInput, match=message) as caught:
        earthdata_token()
    assert "hidden" not in str(caught.value)


# --- checksums ---------------------------------------------------------------------------------------------------


def test_file_that_differs_from_the_record_is_refused_and_not_kept(server, fetch, tmp_path):
    url = server.give("/file.bin")
    fetch([wanted(url)])
    (tmp_path / "inputs/file.bin").unlink()
    server.paths["/file.bin"] = Behaviour(body=BODY[::-1], etag='"v2"')
    with pytest.raises(
        BadInput, match=r"found sha256 [0-9a-f]{64} .*; expected sha256 .* remove its entry from inputs"
    ):
        fetch([wanted(url)])
    assert [path.name for path in (tmp_path / "inputs").iterdir()] == [LOCK_TOML]


def test_file_of_another_size_than_recorded_is_refused_before_it_comes(server, fetch, tmp_path):
    url = server.give("/file.bin")
    fetch([wanted(url)])
    (tmp_path / "inputs/file.bin").unlink()
    server.paths["/file.bin"] = Behaviour(body=b"other bytes", etag='"v2"')
    with pytest.raises(
        BadInput, match="found 11 bytes; expected 300000 bytes, as known of this file; the source may have"
    ):
        fetch([wanted(url)])


@pytest.mark.parametrize(
    ("known", "message"),
    [
        ({"size": 300_001}, "found 300000 bytes; expected 300001 bytes"),
        ({"sha256": "0" * 64}, "expected sha256 0{64}, as the server lists it"),
    ],
)
def test_file_that_differs_from_what_is_known_is_refused(server, fetch, tmp_path, known, message):
    with pytest.raises(BadInput, match=message):
        fetch([wanted(server.give("/file.bin"), **known)])
    assert not list((tmp_path / "inputs").iterdir())


LISTED = {"name": "grid.gtx", "sha256sum": hashlib.sha256(BODY).hexdigest(), "file_size": len(BODY)}


def checksum_list(server, **changes) -> str:
    body = json.dumps({"features": [{"properties": LISTED | changes}]}).encode()
    return server.give("/files.geojson", body=body)


def test_file_is_checked_against_the_servers_own_list(server, fetch, tmp_path):
    fetch([wanted(server.give("/grid.gtx"), "grid.gtx", checksums=checksum_list(server))])
    assert {path.name for path in (tmp_path / "inputs").iterdir()} == {"grid.gtx", LOCK_TOML}
    fetch([wanted(server.give("/grid.gtx"), "grid.gtx", checksums=checksum_list(server, sha256sum="0" * 64))])
    (tmp_path / "inputs" / LOCK_TOML).unlink()
    with pytest.raises(BadInput, match=r"expected sha256 0{64}, as the server lists it"):
        fetch([wanted(server.give("/grid.gtx"), "grid.gtx", checksums=checksum_list(server, sha256sum="0" * 64))])


@pytest.mark.parametrize("body", [None, b"no json", b'{"features": [{"properties": {}}]}', b"[]"])
def test_without_a_list_of_checksums_the_file_is_recorded_as_it_is(server, fetch, tmp_path, body):
    address = server.give("/files.geojson", body=body) if body else f"{server.base}/files.geojson"
    said = []
    fetch([wanted(server.give("/grid.gtx"), "grid.gtx", checksums=address)], tell=said.append)
    assert any("no list of checksums" in line for line in said)
    assert read_lock(tmp_path / "inputs" / LOCK_TOML)["grid.gtx"].size == len(BODY)


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
    with pytest.raises(BadInput, match=r"no tile\.tif in the zip; expected that file; the product has no tile of sea"):
        fetch([wanted(url, "tile.tif", member="tile.tif", by_range=by_range)])


def test_damaged_member_is_found_by_its_checksum(server, fetch, tmp_path):
    content = bytearray(zip_of({"a.tif": TILE}, zipfile.ZIP_STORED))
    content[1_000_000] ^= 0xFF
    url = server.give("/block.zip", body=bytes(content))
    with pytest.raises(BadInput, match=r"a damaged zip \(Bad CRC-32"):
        fetch([wanted(url, "a.tif", member="a.tif", by_range=True)])
    assert not (tmp_path / "inputs/a.tif").exists()


def test_damaged_stream_and_locked_member_are_refused(server, fetch):
    content = bytearray(zip_of({"a.tif": b"x" * 100_000}))
    content[40:60] = b"\xff" * 20
    with pytest.raises(BadInput, match=r"a damaged zip \((Error -3|Bad CRC)"):
        fetch([wanted(server.give("/one.zip", body=bytes(content)), "a.tif", member="a.tif", by_range=True)])
    content = bytearray(zip_of({"a.tif": b"x" * 100_000}))
    content[6] |= 1  # the flag of encryption, there and in the directory
    content[content.index(b"PK\x01\x02") + 8] |= 1
    with pytest.raises(BadInput, match=r"a damaged zip \(.*encrypted"):
        fetch([wanted(server.give("/two.zip", body=bytes(content)), "a.tif", member="a.tif", by_range=True)])


def test_member_larger_than_it_can_be_is_not_unpacked(server, fetch, tmp_path):
    url = server.give("/tile.zip", body=zip_of({"a.hgt": bytes(9_000_000)}))
    with pytest.raises(BadInput, match=r"a\.hgt: found 9000000 bytes; expected at most 2884802 bytes"):
        fetch([wanted(url, "a.hgt", member="a.hgt", size=2_884_802)])
    assert not list((tmp_path / "inputs").iterdir())


def declared_size(content: bytes, size: int) -> bytes:
    """A zip whose only member is said to unpack to ``size`` bytes."""
    at = content.index(b"PK\x01\x02") + 24
    return content[:at] + size.to_bytes(4, "little") + content[at + 4 :]


def test_member_that_declares_more_than_four_gigabytes_is_not_unpacked(server, fetch, monkeypatch):
    monkeypatch.setattr("catalog.fetch.fetch._MOST_MEMBER_BYTES", 1 << 31)  # a plain zip can state no more than 4 GB
    content = declared_size(zip_of({"a.tif": b"x" * 1000}), (1 << 31) + 1)
    for size in (None, 1 << 40):  # whatever the record says
        with pytest.raises(BadInput, match=r"a\.tif: found 2147483649 bytes; expected at most 2147483648 bytes"):
            fetch([wanted(server.give("/big.zip", body=content), "a.tif", member="a.tif", size=size)])


DAMAGES = {
    "unknown packing": lambda content: patched(patched(content, b"PK\x01\x02", 10, b"\x63"), b"PK\x03\x04", 8, b"\x63"),
    "name in no encoding": lambda content: patched(
        patched(content, b"PK\x01\x02", 8, b"\x00\x08"), b"PK\x01\x02", 46, b"\xff"
    ),
    "member beyond the end": lambda content: patched(content, b"PK\x01\x02", 42, b"\xff\xff\xff\x7f"),
    "wrong local header": lambda content: patched(content, b"PK\x03\x04", 0, b"XX"),
}


def patched(content: bytes, record: bytes, offset: int, new: bytes) -> bytes:
    at = content.index(record) + offset
    return content[:at] + new + content[at + len(new) :]


@pytest.mark.parametrize("by_range", [True, False])
@pytest.mark.parametrize("damage", DAMAGES.values(), ids=DAMAGES)
def test_every_damage_of_a_zip_is_told_as_such(server, fetch, damage, by_range):
    content = damage(zip_of({"a.tif": b"x" * 1000, "b.tif": b"y"}))
    with pytest.raises(BadInput, match="a damaged zip"):
        fetch([wanted(server.give("/one.zip", body=content), "a.tif", member="a.tif", by_range=by_range)])


def test_a_full_disk_is_no_damaged_zip(server, fetch, monkeypatch):
    def full(*_):
        raise OSError(errno.ENOSPC, "No space left on device")

    monkeypatch.setattr("catalog.fetch.fetch._extract_member", full)
    with pytest.raises(BadInput, match="No space left on device; expected room for the files") as caught:
        fetch([wanted(server.give("/one.zip", body=zip_of({"a.tif": b"x"})), "a.tif", member="a.tif")])
    assert "a damaged zip" not in str(caught.value)


def test_member_that_differs_from_its_record_never_gets_its_name(server, fetch, tmp_path):
    url = server.give("/block.zip", body=zip_of({"a.tif": b"first"}))
    plan = [wanted(url, "a.tif", member="a.tif", by_range=True)]
    fetch(plan)
    (tmp_path / "inputs/a.tif").unlink()
    server.paths["/block.zip"] = Behaviour(body=zip_of({"a.tif": b"other"}), etag='"v2"')
    with pytest.raises(BadInput, match=r"found sha256 .* \(5 bytes\); expected sha256 .* \(5 bytes\), recorded"):
        fetch(plan)
    assert [path.name for path in (tmp_path / "inputs").iterdir()] == [LOCK_TOML]


def test_damaged_zip_does_not_stay_to_fail_again(server, fetch, tmp_path):
    url = server.give("/tile.zip", body=b"no zip at all")
    with pytest.raises(BadInput, match=r"a damaged zip \(File is not a zip file\)"):
        fetch([wanted(url, "a.hgt", member="a.hgt")])
    server.paths["/tile.zip"] = Behaviour(body=zip_of({"a.hgt": b"good"}), etag='"v2"')
    fetch([wanted(url, "a.hgt", member="a.hgt")])
    assert (tmp_path / "inputs/a.hgt").read_bytes() == b"good"


def test_range_file_reads_as_the_file_does(server, client, patience):
    local, remote = io.BytesIO(BODY), RangeFile(Remote(client=client, url=server.give("/file.bin"), patience=patience))
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
        RangeFile(Remote(client=client, url=server.give("/file.bin", ranges=False), patience=patience))


def test_bytes_are_counted_from_where_the_file_is_continued(server, client, patience, tmp_path):
    counted = []
    remote = Remote(client=client, url=server.give("/file.bin", troubles=[truncated(100_000)]), patience=patience)
    download(remote, tmp_path / "file.bin", meter=lambda *count: counted.append(count))
    assert {name for name, _, _ in counted} == {"file.bin"}
    assert {in_all for _, _, in_all in counted} == {len(BODY)}
    at_hand = [bytes_ for _, bytes_, _ in counted]
    assert at_hand == sorted(at_hand)
    assert at_hand[-1] == len(BODY)


def test_member_of_a_zip_is_counted(server, fetch):
    counted = []
    url = server.give("/block.zip", body=zip_of({"a.tif": TILE}))
    fetch([wanted(url, "x/a.tif", member="a.tif", by_range=True)], meter=lambda *count: counted.append(count))
    assert counted[-1] == ("a.tif", len(TILE), len(TILE))


def test_bars_show_bytes_on_a_terminal_only():
    screen = io.StringIO()
    with transfer_bars(False, Console(file=screen, force_terminal=True, width=120)) as (tell, meter):
        tell("[asking] again")
        meter("tile.hgt", 1_500_000, 3_000_000)
    assert "[asking] again" in screen.getvalue()
    assert "1.5/3.0 MB" in screen.getvalue()
    screen = io.StringIO()
    for quiet, terminal in ((True, True), (False, False)):
        with transfer_bars(quiet, Console(file=screen, force_terminal=terminal)) as (tell, meter):
            tell("asking")
            meter("tile.hgt", 1, None)
    assert screen.getvalue() == ""


# --- the destination ---------------------------------------------------------------------------------------------


def test_dry_run_asks_for_sizes_and_writes_nothing(server, fetch, tmp_path):
    url, zipped = server.give("/file.bin"), server.give("/block.zip", knows_head=False)
    plan = [
        wanted(url),
        *(wanted(zipped, name, member=name, by_range=True) for name in ("a.tif", "b.tif")),
        wanted(server.base + "/gone", "gone"),
        wanted("http://127.0.0.1:9/x", "x"),
        Download(name="y", url="", licence="", manual="get it by hand"),
    ]
    report = fetch(plan, dry_run=True)
    assert (report.fetched, report.manual) == (("file.bin", "a.tif", "b.tif", "gone", "x"), ("get it by hand",))
    assert report.lines() == [
        f"file.bin  <-  {url}  [CC0-1.0]  0.3 MB",
        f"a.tif  <-  {zipped}  [CC0-1.0]  in a zip of 0.3 MB",
        f"b.tif  <-  {zipped}  [CC0-1.0]  in a zip of 0.3 MB",
        f"gone  <-  {server.base}/gone  [CC0-1.0]  size unknown (404 Not Found)",
        "x  <-  http://127.0.0.1:9/x  [CC0-1.0]  size unknown (no connection ([Errno 111] Connection refused))",
        "to download: 2 of 0.6 MB in all, 2 of unknown size",
        "by hand: get it by hand",
    ]
    assert json.loads(json.dumps(report.to_dict()))["announced"][0]["size"] == len(BODY)
    assert [headers["method"] for headers in server.headers_of("/file.bin")] == ["HEAD"]
    assert [headers["method"] for headers in server.headers_of("/block.zip")] == ["HEAD", "GET"]
    assert server.headers_of("/block.zip")[1]["range"] == "bytes=0-0"
    assert not (tmp_path / "inputs").exists()


def test_dry_run_says_what_is_there_already(server, fetch):
    plan = [wanted(server.give("/file.bin"))]
    fetch(plan)
    assert fetch(plan, dry_run=True).lines() == [f"file.bin  <-  {server.base}/file.bin  [CC0-1.0]  there already"]


def test_dry_run_tells_of_a_missing_login(server, fetch):
    report = fetch([wanted(server.give("/nasa", token="secret"), login="earthdata")], dry_run=True)
    assert report.announced[0].note == "401 Unauthorized"
    assert report.lines()[-1] == "to download: 1 of unknown size"


def test_the_shipped_definitions_state_the_licence_and_attribution_of_all_that_is_fetched(tmp_path):
    """Else `fetch` would ask its user to edit a file of the installed package."""
    plan = plan_all(default_definitions(), "inputs", tmp_path)
    assert {file.name.rpartition(".")[2] for file in plan if not file.manual} >= {"hgt", "tif", "shp"}
    assert [file.name for file in plan if file.remark] == []
    assert all(file.licence and file.attribution for file in plan if not file.manual)


def test_one_fetch_at_a_time(server, fetch, tmp_path):
    plan = [wanted(server.give("/file.bin", troubles=[stalled(0.4)]))]
    inner = []

    def second_fetch(_message):
        if not inner:
            with pytest.raises(BadInput, match="found another fetch at work; expected one at a time"):
                fetch(plan)
            inner.append(True)

    fetch(plan, tell=second_fetch)
    assert inner
    assert (tmp_path / "inputs/file.bin").read_bytes() == BODY


def test_disk_that_is_full_is_explained_and_the_run_resumed(server, fetch, tmp_path):
    """The system refuses to let a file grow beyond 100 kB, as a full disk does."""
    plan = [wanted(server.give("/file.bin", troubles=[dripping(90_000, 0.0)]))]
    _, hard = resource.getrlimit(resource.RLIMIT_FSIZE)
    resource.setrlimit(resource.RLIMIT_FSIZE, (100_000, hard))
    try:
        with pytest.raises(
            BadInput, match=r"found File too large; expected room for the files; .* the next run goes on"
        ):
            fetch(plan)
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, (hard, hard))
    assert 90_000 <= (tmp_path / "inputs/.file.bin.part").stat().st_size <= 100_000
    fetch(plan)
    assert (tmp_path / "inputs/file.bin").read_bytes() == BODY
    assert int(server.headers_of("/file.bin")[1]["range"].removeprefix("bytes=").removesuffix("-")) >= 90_000


def test_file_that_has_no_room_is_not_begun(server, fetch, tmp_path, monkeypatch):
    room = types.SimpleNamespace(free=100_000)
    monkeypatch.setattr(shutil, "disk_usage", lambda _folder: room)
    with pytest.raises(BadInput, match="only 0 MB free for 0 MB to come; expected room for the files; make room"):
        fetch([wanted(server.give("/file.bin"))])
    assert not (tmp_path / "inputs/file.bin").exists()


# --- the process ends mid-way --------------------------------------------------------------------------------------


def fetching_process(server, folder: Path) -> subprocess.Popen:
    command = [sys.executable, ROOT / "cli.py", "fetch", "schemas", "--to", folder, "--workers", "40"]
    return subprocess.Popen(
        [*command, "--mirror", f"stac={server.base}/{{name}}"], stderr=subprocess.PIPE, text=True, cwd=ROOT
    )


def wait_for_part(folder: Path, size: int) -> Path:
    until = time.monotonic() + 60
    while time.monotonic() < until:
        for part in folder.rglob(".*.part"):
            if part.name.startswith(".catalog.json") and part.stat().st_size >= size:
                return part
        time.sleep(0.02)
    raise AssertionError("nothing arrived within a minute")


@pytest.mark.slow
@pytest.mark.parametrize("how", [signal.SIGKILL, signal.SIGINT, signal.SIGTERM])
def test_fetch_that_is_ended_mid_way_is_resumed(server, fetch, tmp_path, how):
    for name in STAC_SCHEMAS:
        server.give(f"/{name}", body=b'{"$id": "%s"}' % name.encode())
    first, body = f"/{STAC_SCHEMAS[0]}", b'{"$id": "' + BODY.hex().encode() + b'"}'
    server.paths[first] = Behaviour(body=body, troubles=[dripping(100_000, 5.0)])
    with fetching_process(server, tmp_path / "inputs") as process:
        part = wait_for_part(tmp_path / "inputs", 100_000)
        process.send_signal(how)
        _, error = process.communicate(timeout=30)  # the drip goes on for minutes
    assert process.returncode == {signal.SIGINT: 130, signal.SIGTERM: 143}.get(how, -how)
    assert "Traceback" not in error
    assert not (tmp_path / "inputs" / STAC_SCHEMAS[0]).exists()
    assert body.startswith(part.read_bytes())
    fetch(plan_fetch(None, "schemas", tmp_path, {"stac": server.base + "/{name}"}))
    assert (tmp_path / "inputs" / STAC_SCHEMAS[0]).read_bytes() == body
    assert server.headers_of(first)[-1]["range"] == f"bytes={part.stat().st_size if part.exists() else 100_000}-"
    assert not list((tmp_path / "inputs").rglob(".*"))


def test_kill_between_two_versions_does_not_join_them(server, client, patience, tmp_path, monkeypatch):
    """The bytes of the old version go before the name of the new one is written."""
    part = tmp_path / ".file.bin.part"
    part.write_bytes(BODY[:1000])
    (tmp_path / ".file.bin.part.validator").write_text('"v1"')
    remote = Remote(client=client, url=server.give("/file.bin", body=BODY[::-1], etag='"v2"'), patience=patience)
    remember = downloads._remember_validator

    def remember_and_die(*arguments):
        remember(*arguments)
        raise KeyboardInterrupt

    monkeypatch.setattr(downloads, "_remember_validator", remember_and_die)
    with pytest.raises(KeyboardInterrupt):
        download(remote, tmp_path / "file.bin")
    monkeypatch.undo()
    download(remote, tmp_path / "file.bin")
    assert (tmp_path / "file.bin").read_bytes() == BODY[::-1]


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


def test_licence_that_the_definition_does_not_carry_is_told(fetch, tmp_path):
    whole = definition(FILES)
    plan = plan_fetch(whole, "inputs", tmp_path)
    told = [line for line in fetch(plan[4:], dry_run=True).lines() if line.startswith("for the archive")]
    assert told == []
    remarks = {file.remark for file in plan if "FABDEM" in file.name}
    assert len(remarks) == 1
    assert "source 'later' of the definition does not say its licence (CC BY-NC-SA 4.0" in remarks.pop()
    sources = tuple(s.model_copy(update={"licence": "x", "attribution": "y"}) for s in whole.sources)
    plan = plan_fetch(whole.model_copy(update={"sources": sources}), "inputs", tmp_path)
    assert {file.remark for file in plan} == {""}


def test_named_tile_is_planned_even_beyond_the_extent(tmp_path):
    plan = plan_fetch(definition(FILES | {"earlier": ["N44E086.hgt"]}), "inputs", tmp_path)
    assert plan[0].name == "range-x/N44E086.hgt"


def test_patterns_narrow_the_tiles(tmp_path):
    plan = plan_fetch(definition(FILES | {"earlier": ["*E087.hgt"]}), "inputs", tmp_path)
    assert [file.name for file in plan if file.name.endswith(".hgt")] == ["range-x/N43E087.hgt"]


def outlines_plan(tmp_path, pattern, title="Randolph Glacier Inventory 7", box=(86.5, 43.0, 87.5, 43.3)):
    whole = definition(FILES | {"outlines": [pattern]}, box)
    sources = tuple(
        source.model_copy(update={"title": title}) if source.key == "outlines" else source for source in whole.sources
    )
    plan = plan_fetch(whole.model_copy(update={"sources": sources}), "inputs", tmp_path)
    return [file for file in plan if not file.name.endswith((".hgt", "V1-2.tif"))]


@pytest.mark.parametrize(
    ("pattern", "title", "box", "region"),
    [
        ("outlines/*.shp", "Randolph Glacier Inventory 7", (86.5, 43.0, 87.5, 43.3), "13_central_asia"),
        ("outlines/*.shp", "RGI 7", (7.0, 45.0, 8.0, 46.0), "11_central_europe"),
        ("outlines/*.shp", "RGI 7", (-73.2, -49.1, -72.9, -48.9), "17_southern_andes"),
        ("outlines/RGI2000-v7.0-G-10_north_asia.shp", "any", (86.5, 49.0, 87.5, 49.3), "10_north_asia"),
    ],
)
def test_outlines_come_from_the_region_of_the_inventory(tmp_path, pattern, title, box, region):
    plan = outlines_plan(tmp_path, pattern, title, box)
    names = [f"RGI2000-v7.0-G-{region}{ending}" for ending in (".shp", ".shx", ".dbf", ".prj", ".cpg")]
    assert [file.name for file in plan] == [f"range-x/outlines/{name}" for name in names]
    assert [file.member for file in plan] == names
    assert {(file.login, file.licence) for file in plan} == {("earthdata", "CC BY 4.0")}
    assert {file.url for file in plan} == {
        "https://daacdata.apps.nsidc.org/pub/DATASETS/nsidc0770_rgi_v7/regional_files/RGI2000-v7.0-G/"
        f"RGI2000-v7.0-G-{region}.zip"
    }
    assert "doi:10.5067/F6JMOVY5NAVZ" in plan[0].attribution


@pytest.mark.parametrize(
    ("pattern", "box"),
    [
        ("rgi.shp", (86.5, 43.0, 87.5, 43.3)),
        ("*/*.shp", (86.5, 43.0, 87.5, 43.3)),
        ("outlines/*.shp", (86.5, 45.0, 87.5, 47.0)),  # between Central and North Asia
        ("outlines/RGI2000-v7.0-G-20_atlantis.shp", (0.0, 20.0, 1.0, 21.0)),
    ],
)
def test_outlines_that_are_not_certain_are_left_to_the_user(tmp_path, pattern, box):
    (only,) = outlines_plan(tmp_path, pattern, box=box)
    assert "https://nsidc.org/data/nsidc-0770/versions/7 behind a NASA Earthdata login" in only.manual
    assert 'files = ["outlines/RGI2000-v7.0-G-13_central_asia.shp"]' in only.manual


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
        ("aster=https://x/{tile}", "server 'aster'; expected one of srtm, fabdem, rgi, proj, stac"),
        ("srtm=https://x/", r"an http\(s\) address that holds \{tile\}"),
        ("srtm=ftp://x/{tile}", r"an http\(s\) address"),
        ("srtm", r"found ''; expected an http\(s\) address"),
        ("srtm=https://me:secret@x/{tile}", "--mirror srtm: found a name or password in the address"),
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
    classes = (
        FileExtension, ProjectionExtension, RenderExtension, ScientificExtension, TableExtension, TimestampsExtension,
        VersionExtension,
    )  # fmt: skip
    declared = {f"stac-extensions.github.io/{version}/schema.json" for version in WITHOUT_CLASS.values()}
    declared |= {extension.get_schema_uri().removeprefix("https://") for extension in classes}
    assert declared <= set(STAC_SCHEMAS)


def test_whole_job_plan_and_run(server, fetch, tmp_path, monkeypatch):
    """SRTM and the inventory from whole zips, FABDEM from a remote one; one outline left to the user."""
    monkeypatch.setenv("EARTHDATA_TOKEN", "secret")
    height = bytes(2_884_802)
    for tile in ("N43E086", "N43E087"):
        server.give(f"/srtm/{tile}.zip", body=zip_of({f"{tile}.hgt": height}))
    members = {f"{tile}_FABDEM_V1-2.tif": tile.encode() * 200 for tile in ("N43E086", "N43E087", "N44E086")}
    server.give("/fabdem/N40E080-N50E090.zip", body=zip_of(members, zipfile.ZIP_STORED))
    stem = "RGI2000-v7.0-G-13_central_asia"
    endings = (".shp", ".shx", ".dbf", ".prj", ".cpg", "-attributes.csv")
    server.give(
        "/rgi/13_central_asia.zip", body=zip_of({f"{stem}/{stem}{ending}": ending.encode() for ending in endings})
    )
    mirrors = {
        "srtm": server.base + "/srtm/{tile}.zip",
        "fabdem": server.base + "/fabdem/{block}.zip",
        "rgi": server.base + "/rgi/{region}.zip",
    }
    files = FILES | {"outlines": [f"rgi/{stem}.shp"], "later_outlines": ["own.shp"]}
    report = fetch(plan_fetch(definition(files), "inputs", tmp_path / "inputs", mirrors))
    assert len(report.fetched) == 9
    assert len(report.manual) == 1
    assert report.lines()[0].startswith("fetched 9 (5.8 MB), 0 were there already; recorded in ")
    assert sum("does not say its licence" in line for line in report.lines()) == 3
    own = tmp_path / "inputs/range-x"
    assert (own / "srtm/N43E087.hgt").read_bytes() == height
    assert (own / "N43E086_FABDEM_V1-2.tif").read_bytes() == b"N43E086" * 200
    assert (own / f"rgi/{stem}.dbf").read_bytes() == b".dbf"
    lock = read_lock(tmp_path / "inputs" / LOCK_TOML)
    assert "CC BY-NC-SA" in lock["range-x/N43E086_FABDEM_V1-2.tif"].licence
    assert not list((tmp_path / "inputs").rglob(".*"))
    assert not any("authorization" in headers for _, headers in server.asked), "a mirror is asked without a login"


# --- what is no file, and what nobody may read --------------------------------------------------------------------


class Answering(http.server.BaseHTTPRequestHandler):
    """Answers with what the server was told: status, headers, body."""

    def do_GET(self) -> None:
        status, headers, body = self.server.answer
        self.send_response(status)
        for name, value in {"Content-Length": str(len(body)), **headers}.items():
            self.send_header(name, value)
        self.end_headers()
        self.wfile.write(body)

    def log_message(self, *_: object) -> None: ...


TIFF = b"II*\0" + bytes(200)


@pytest.mark.parametrize(
    ("status", "headers", "body", "name", "message"),
    [
        (203, {}, TIFF, "a.tif", "found 203 "),
        (204, {"Content-Length": "0"}, b"", "a.bin", "found 204 "),
        (205, {}, b"x", "a.bin", "found 205 "),
        (226, {}, b"x", "a.bin", "found 226 "),
        (300, {}, b"x", "a.bin", "found 300 "),
        (200, {"Content-Type": "application/xhtml+xml"}, b"<x/>", "a.bin", "a web page of 127.0.0.1"),
        (
            200,
            {"Content-Type": "application/json"},
            b'{"error": 1}',
            "a.tif",
            "a message of the server",
        ),
        (200, {"Content-Type": "text/xml; charset=utf-8"}, b"<Error/>", "a.zip", "a message of the server"),
        (200, {}, b"<Error/>", "a.tif", "a file that is no tif by its first bytes"),
        (200, {}, b"\x1f\x8b\x08", "a.tif", "a file that is no tif by its first bytes"),
        (200, {}, b"no json", "a.json", "a file that is no json by its first bytes"),
        (206, {"Content-Range": "bytes 0-203/9000"}, TIFF, "a.tif", "204 of 9000 bytes"),
    ],
)
def test_what_is_no_file_is_never_taken_for_one(fetch, tmp_path, status, headers, body, name, message):
    with http.server.ThreadingHTTPServer(("127.0.0.1", 0), Answering) as answering:
        answering.answer = (status, headers, body)
        threading.Thread(target=answering.serve_forever, args=(0.01,), daemon=True).start()
        with pytest.raises(BadInput, match=message):
            fetch([wanted(f"http://127.0.0.1:{answering.server_port}/{name}", name)])
        answering.shutdown()
    assert not (tmp_path / "inputs" / name).exists()
    assert not (tmp_path / "inputs" / LOCK_TOML).exists()


def test_secrets_in_addresses_are_neither_recorded_nor_told(server, fetch, tmp_path):
    told = []
    url = server.give("/file.bin")
    secret = f"{url.replace('http://', 'http://me:word@')}?token=hush#hush"
    server.paths["/file.bin?token=hush"] = server.paths["/file.bin"]
    report = fetch([wanted(secret)], tell=told.append)
    refused = wanted(secret.replace("file.bin", "gone.bin"), "gone.bin")
    with pytest.raises(BadInput) as error:
        fetch([refused], tell=told.append)
    dry = fetch([refused], dry_run=True)
    everything = [
        (tmp_path / "inputs" / LOCK_TOML).read_text(), json.dumps(report.to_dict()), json.dumps(dry.to_dict()),
        *report.lines(), *dry.lines(), str(error.value), *told,
    ]  # fmt: skip
    assert not [text for text in everything if "hush" in text or "word" in text]
    assert url in everything[0]


@pytest.mark.parametrize(
    "content",
    ['[[file]]\nname = 3\nurl = ""\nsize = 1\nsha256 = ""\n', "file = 7\n", "file = [[1]]\n", "a = " + "[" * 3000],
)
def test_lock_of_another_kind_is_refused(fetch, server, tmp_path, content):
    (tmp_path / "inputs").mkdir()
    (tmp_path / "inputs" / LOCK_TOML).write_text(content)
    with pytest.raises(BadInput, match=r"inputs\.lock\.toml: .*expected the lock file as fetch wrote it"):
        fetch([wanted(server.give("/file.bin"))])


@pytest.mark.parametrize("kind", ["folder", "device", "pipe"])
def test_what_stands_in_the_locks_place_is_said(fetch, server, tmp_path, kind):
    (tmp_path / "inputs").mkdir()
    lock = tmp_path / "inputs" / LOCK_TOML
    {"folder": lock.mkdir, "device": lambda: lock.symlink_to("/dev/zero"), "pipe": lambda: os.mkfifo(lock)}[kind]()
    with pytest.raises(BadInput, match=r"inputs\.lock\.toml: found a (directory|device|named pipe)"):
        fetch([wanted(server.give("/file.bin"))])
