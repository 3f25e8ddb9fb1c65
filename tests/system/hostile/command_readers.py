"""Every command that takes an archive, as it meets one that others made: compared, traced, copied, shown, rebuilt."""

from __future__ import annotations

import asyncio
import hashlib
import os
import random
import shutil
import tempfile
from collections.abc import Callable, Sequence
from functools import partial
from pathlib import Path
from unittest import mock

import httpx

from catalog.archive.draft import open_draft
from catalog.build.verification import verify
from catalog.checks import validate
from catalog.publish.upload import publish
from catalog.runs.trace import PERIODS, PublishedTables, read_published_tables, trace_balance
from catalog.serve.server import application
from catalog.serve.stac_browser import configuration
from catalog.versions.data_versions import compare_versions, refuse_unversioned_change
from catalog.versions.proposed_changes import propose_changes
from pipeline.resources import open_resources
from schemas.errors import ArchiveError, BadInput
from tests.made.shared_archives import whole_archive
from tests.made.whole_archive import CODE_VERSION, ELEVATION_CHANGE, MASS_BALANCE
from tests.system.hostile import mutations as m
from tests.system.hostile.readers import Reader

YEARS = (2001, 2002, 2003)
_REBUILT = BadInput("rebuilding", "a manifest that can be followed", "no more of it here", "it takes a minute")


def _write_archive(folder: Path) -> None:
    shutil.copytree(whole_archive(), folder / "archive", copy_function=os.link)


def _each(*acts: Callable[[], object]) -> None:
    """Every act, whatever the ones before refused; then the first refusal."""
    refusals = []
    for act in acts:
        try:
            act()
        except ArchiveError as error:
            refusals.append(error)
    if refusals:
        raise refusals[0]


def _compare(old: Path, new: Path) -> None:
    found = compare_versions(old, new)
    _each(found.to_dict, found.lines, lambda: propose_changes(old, found).lines())


def _diff(folder: Path) -> None:
    archive = folder / "archive"
    _each(
        lambda: _compare(whole_archive(), archive),
        lambda: _compare(archive, whole_archive()),
        lambda: refuse_unversioned_change(archive, whole_archive()),
    )


def _trace(folder: Path) -> None:
    tables = read_published_tables(folder / "archive")
    _each(*(partial(_traced, tables, year, period) for year in YEARS for period in PERIODS))


def _traced(tables: PublishedTables, year: int, period: str) -> object:
    found = trace_balance(tables, year, period)
    return found.to_dict(), list(found.lines())


def _publish(folder: Path) -> None:
    with tempfile.TemporaryDirectory() as place:
        _each(
            lambda: publish(folder / "archive", f"{place}/new", workers=1),
            lambda: publish(whole_archive(), f"{place}/new", workers=1),
            lambda: publish(folder / "archive", f"{place}/new", workers=1, delete=True),
        )
        left = {path.name for path in Path(place).iterdir()}
        if left - {"new"}:
            raise AssertionError(f"written outside the destination: {left}")


def _serve(folder: Path) -> None:
    archive = folder / "archive"
    _each(lambda: asyncio.run(_asked(archive)), lambda: configuration(archive))


async def _asked(archive: Path) -> None:
    transport = httpx.ASGITransport(application(archive))
    async with httpx.AsyncClient(transport=transport, base_url="http://archive") as client:
        for path in (
            "",
            "catalog.json",
            "manifest.json",
            f"{MASS_BALANCE}/tables/readings.csv",
            "../secret",
            "%2e%2e/x",
        ):
            answer = await client.get(f"/{path}")
            if answer.status_code not in (200, 404):
                raise AssertionError(f"{path}: {answer.status_code}")


def _verify(folder: Path) -> None:
    with (
        open_resources(1, None, 400_000_000) as resources,
        mock.patch("catalog.build.verification.assemble", side_effect=_REBUILT),
    ):
        _each(
            lambda: verify(folder / "archive", None, resources, code_version=CODE_VERSION),
            lambda: verify(folder / "archive", folder, resources, code_version=CODE_VERSION),
        )


def _validate_url(folder: Path) -> None:
    """As behind a server that answers now and then what no server should; the damaged manifest draws which."""
    archive = folder / "archive"
    draw = random.Random(hashlib.sha256((archive / "manifest.json").read_bytes()).digest())
    client = partial(httpx.Client, transport=httpx.MockTransport(partial(_answer, archive, draw)))
    with mock.patch.object(httpx, "Client", client):
        report = validate("http://127.0.0.1:9/archive")
    report.to_dict(), report.to_junit(), report.lines()


def _answer(archive: Path, draw: random.Random, request: httpx.Request) -> httpx.Response:
    path = archive / request.url.path.removeprefix("/archive/")
    if not path.is_relative_to(archive) or ".." in path.parts or not path.is_file():
        return httpx.Response(404)
    content = path.read_bytes()
    good = httpx.Response(200, content=content)
    return draw.choice(_ODD_ANSWERS)(request, content, draw) if draw.random() < 0.02 else good


def _packed(_request: httpx.Request, content: bytes, _draw: random.Random) -> httpx.Response:
    """Said to be compressed, and is not."""
    return httpx.Response(200, stream=httpx.ByteStream(content), headers={"content-encoding": "gzip"})


_LENGTHS, _RANGES = ("-1", "x", "9" * 30, "0", ""), ("bytes */*", "x", "bytes 0-0/-5")
_ELSEWHERE = ("", "http://[", "file:///etc/hostname")
_ODD_ANSWERS: tuple[Callable[[httpx.Request, bytes, random.Random], httpx.Response], ...] = (
    _packed,
    lambda _, content, draw: httpx.Response(200, content=content[: draw.randrange(len(content))]),
    lambda _, content, draw: httpx.Response(200, content=content, headers={"content-length": draw.choice(_LENGTHS)}),
    lambda _, content, draw: httpx.Response(200, text="<html>Please log in</html>"),
    lambda _, content, draw: httpx.Response(206, content=b"x", headers={"content-range": draw.choice(_RANGES)}),
    lambda _, content, draw: httpx.Response(draw.choice((204, 301, 304, 401, 418, 599))),
    lambda request, _, draw: httpx.Response(302, headers={"location": draw.choice(_ELSEWHERE) or str(request.url)}),
)


def _replace(folder: Path) -> None:
    """As a build that finds the archive at its target."""
    with open_draft(folder / "archive"):
        pass


_ITEM = f"{ELEVATION_CHANGE}/elevation-change"
_TABLES = f"{MASS_BALANCE}/tables"
_DIFFED: tuple[tuple[str, Sequence[m.Mutation], int], ...] = (
    ("manifest.json", m.JSON, 20),
    ("catalog.json", m.JSON, 4),
    (f"{MASS_BALANCE}/collection.json", m.JSON, 8),
    (f"{MASS_BALANCE}/datapackage.json", m.JSON, 30),
    (f"{_TABLES}/glacier_balances.csv", m.CSV, 20),
    (f"{_TABLES}/glacier_balances.parquet", m.BYTES, 4),
    (f"{_TABLES}/{MASS_BALANCE}.xlsx", m.BYTES, 4),
    (f"{_ITEM}/elevation_change.tif", m.TIFF, 30),
    (f"{_ITEM}/elevation-change.json", m.JSON, 8),
    (f"{_ITEM}/thumbnail.png", m.BYTES, 10),
    (f"{_ITEM}/outlines.geojson", m.JSON, 8),
    (f"{MASS_BALANCE}/metadata/iso19139.xml", m.TEXT, 4),
)
_TRACED = ("glacier_balances", "zone_balances", "point_balances", "readings", "snow_pits", "pit_layers", "stakes")


def _reader(command: str, read: Callable[[Path], object], file: str, kinds: Sequence[m.Mutation], cases: int) -> Reader:
    return Reader(
        name=f"{command} {file.rpartition('/')[2]}",
        file=f"archive/{file}",
        make=_write_archive,
        read=read,
        mutations=kinds,
        cases=cases,
    )


COMMAND_READERS: tuple[Reader, ...] = (
    *(_reader("diff", _diff, *entry) for entry in _DIFFED),
    *(_reader("trace", _trace, f"{_TABLES}/{name}.csv", m.CSV, 20) for name in _TRACED),
    _reader("trace", _trace, "manifest.json", m.JSON, 20),
    _reader("publish", _publish, "manifest.json", m.JSON, 30),
    _reader("serve", _serve, "manifest.json", m.JSON, 10),
    _reader("serve", _serve, "catalog.json", m.JSON, 20),
    _reader("serve", _serve, f"{MASS_BALANCE}/collection.json", m.JSON, 20),
    _reader("verify", _verify, "manifest.json", m.JSON, 40),
    _reader("validate-url", _validate_url, "manifest.json", m.JSON, 12),
    _reader("build-over", _replace, "manifest.json", m.JSON, 20),
)
