"""What a dataset needs from elsewhere: where it is to be had, under which licence, and getting it."""

from __future__ import annotations

import io
import json
import math
import os
import re
import shutil
import threading
import tomllib
import zipfile
from collections.abc import Iterable, Iterator, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager, nullcontext
from dataclasses import asdict, dataclass, field, replace
from fnmatch import fnmatchcase
from pathlib import Path, PurePosixPath
from typing import IO, Any, Literal
from urllib.parse import urlsplit

import httpx
from pyproj.datadir import get_user_data_dir  # type: ignore[attr-defined]  # documented; missing from its __all__

from catalog.downloads import NoRanges, Patience, RangeFile, Remote, download, open_client
from catalog.manifest import sha256_of
from pipeline.progress import Tell, silent
from schemas.definition import Definition, Extent, Source
from schemas.errors import BadDefinition, BadInput

What = Literal["inputs", "geoids", "schemas"]
LOCK_TOML = "inputs.lock.toml"
TOKEN_VARIABLE = "EARTHDATA_TOKEN"

SERVERS = {
    "srtm": "https://data.lpdaac.earthdatacloud.nasa.gov/lp-prod-protected/SRTMGL3.003/{tile}.SRTMGL3.hgt/{tile}.SRTMGL3.hgt.zip",
    "fabdem": "https://data.bris.ac.uk/datasets/s5hqmjcdj8yo2ibzi9b4ew3sn/{block}_FABDEM_V1-2.zip",
    "proj": "https://cdn.proj.org/{name}",
    "stac": "https://{name}",
}
_PLACEHOLDERS = {"srtm": "{tile}", "fabdem": "{block}", "proj": "{name}", "stac": "{name}"}

SRTM_LICENCE = "no restriction on use (NASA)"
SRTM_ATTRIBUTION = "NASA JPL (2013), SRTM Global 3 arc second V003, doi:10.5067/MEaSUREs/SRTM/SRTMGL3.003"
FABDEM_LICENCE = "CC BY-NC-SA 4.0 (non-commercial use only)"
FABDEM_ATTRIBUTION = (
    "Neal, J. and Hawker, L. (2023), FABDEM V1-2, University of Bristol, doi:10.5523/bris.s5hqmjcdj8yo2ibzi9b4ew3sn; "
    "derived from the Copernicus DEM"
)
GEOIDS = ("us_nga_egm96_15.tif", "us_nga_egm08_25.tif")
_CORE = "schemas.stacspec.org/v1.1.0"
_EXTENSIONS = (
    *(
        "classification/v1.1.0",
        "classification/v2.0.0",
        "contacts/v1.0.0",
        "file/v2.1.0",
        "item-assets/v1.0.0",
        "language/v1.0.0",
    ),
    *("processing/v1.2.0", "projection/v2.0.0", "raster/v2.0.0", "render/v2.0.0", "scientific/v1.0.0"),
    *("table/v1.2.0", "themes/v1.0.0", "timestamps/v1.1.0", "version/v1.2.0", "web-map-links/v1.2.0"),
)
# item.json and what it refers to
_ITEM_PARTS = ("bands", "basics", "common", "data-values", "datetime", "instrument", "item", "licensing", "provider")
STAC_SCHEMAS = (
    f"{_CORE}/catalog-spec/json-schema/catalog.json",
    f"{_CORE}/collection-spec/json-schema/collection.json",
    *(f"{_CORE}/item-spec/json-schema/{part}.json" for part in _ITEM_PARTS),
    *(f"stac-extensions.github.io/{extension}/schema.json" for extension in _EXTENSIONS),
    "geojson.org/schema/Feature.json",
    "geojson.org/schema/Geometry.json",
    "proj.org/schemas/v0.7/projjson.schema.json",
)
_EARTHDATA_REMEDY = (
    f"register at https://urs.earthdata.nasa.gov, make a token there and set {TOKEN_VARIABLE} to it; "
    "or name an open server with --mirror"
)
_BUFFER_BYTES = 1 << 20
_WILDCARD = re.compile(r"[*?\[]")
_TILE = re.compile(r"[NS]\d{2}[EW]\d{3}")


@dataclass(frozen=True)
class Download:
    """One file to have.

    Attributes
    ----------
    name : path below the destination, forward slashes.
    url : where it comes from; with ``member``, the zip that holds it.
    licence, attribution : of its source.
    member : file name inside the zip, whatever folder it lies in there.
    by_range : read the member out of the remote zip instead of downloading the zip.
    login : "earthdata" where NASA's login is needed.
    manual : what the user must do, where nothing can be downloaded.
    """

    name: str
    url: str
    licence: str
    attribution: str = ""
    member: str = ""
    by_range: bool = False
    login: Literal["", "earthdata"] = ""
    manual: str = ""

    def line(self) -> str:
        """For a person: name, address, licence."""
        return f"{self.name}  <-  {self.url or 'no address'}  [{self.licence or 'licence not stated'}]"


@dataclass(frozen=True)
class FetchReport:
    """What was done, or with ``dry_run`` what would be.

    Attributes
    ----------
    plan : every file to have, with address and licence.
    fetched : names that were fetched.
    present : names that were there already, checked against their record.
    manual : what is left to the user.
    """

    destination: str
    plan: tuple[Download, ...]
    fetched: tuple[str, ...]
    present: tuple[str, ...]
    manual: tuple[str, ...]
    fetched_bytes: int
    dry_run: bool

    def to_dict(self) -> dict[str, Any]:
        """For JSON."""
        return asdict(self)

    def lines(self) -> list[str]:
        """For a person: the plan if nothing was done yet, else what was done; at the end what is left to do."""
        if self.dry_run:
            listed = [file.line() for file in self.plan if not file.manual]
            return [*listed, *(f"by hand: {manual}" for manual in self.manual)]
        done = (
            f"fetched {len(self.fetched)} ({self.fetched_bytes / 1e6:.1f} MB), {len(self.present)} were there already; "
            f"recorded in {self.destination}/{LOCK_TOML}"
        )
        return [done, *(f"by hand: {manual}" for manual in self.manual)]


@dataclass(frozen=True)
class Locked:
    """What was recorded of a file when it was first seen."""

    name: str
    url: str
    size: int
    sha256: str
    licence: str = ""
    attribution: str = ""


# --- the plan ----------------------------------------------------------------------------------------------------


def parse_mirrors(values: Iterable[str]) -> dict[str, str]:
    """``srtm=https://host/{tile}.zip`` and the like, by server name.

    Errors
    ------
    BadInput : an unknown server, no address, or an address without its placeholder.
    """
    mirrors = {}
    for value in values:
        server, _, url = value.partition("=")
        if server not in SERVERS:
            raise BadInput(f"--mirror {value}", f"server {server!r}", f"one of {', '.join(SERVERS)}")
        if urlsplit(url).scheme not in ("http", "https") or _PLACEHOLDERS[server] not in url:
            raise BadInput(f"--mirror {value}", repr(url), f"an http(s) address that holds {_PLACEHOLDERS[server]}")
        mirrors[server] = url
    return mirrors


def default_destination(what: What) -> Path:
    """Where geoids belong so that PROJ finds them; the present folder's ``inputs`` or ``stac-schemas`` otherwise."""
    return {
        "inputs": Path("inputs"),
        "geoids": Path(get_user_data_dir(create=False)),
        "schemas": Path("stac-schemas"),
    }[what]


def plan_fetch(
    definition: Definition | None, what: What, destination: Path, mirrors: Mapping[str, str] | None = None
) -> tuple[Download, ...]:
    """Every file to have, in order; nothing is asked of any server. Inputs lie below a folder of the dataset's name.

    ``mirrors`` replaces entries of ``SERVERS``; the placeholders are ``{tile}`` (``N43E086``), ``{block}``
    (``N40E080-N50E090``) and ``{name}``.

    Errors
    ------
    BadInput : inputs without a definition.
    BadDefinition : a source whose product covers no tile of the extent, or whose file name leaves the inputs folder.
    """
    servers = {**SERVERS, **(mirrors or {})}
    if what == "geoids":
        return tuple(Download(name, servers["proj"].replace("{name}", name), "public domain (NGA)") for name in GEOIDS)
    if what == "schemas":
        return tuple(Download(name, servers["stac"].replace("{name}", name), _of_schema(name)) for name in STAC_SCHEMAS)
    if definition is None:
        raise BadInput("fetch inputs", "no definition", "a dataset definition (TOML)", "name the dataset to fetch for")
    own = destination / definition.id  # each dataset reads its files below a folder of its name
    return tuple(
        replace(file, name=f"{definition.id}/{file.name}")
        for source in definition.sources
        for file in _of_source(source, definition.extent, servers, own)
    )


def plan_all(
    definitions: Sequence[Definition], what: What, destination: Path, mirrors: Mapping[str, str] | None = None
) -> tuple[Download, ...]:
    """The plan for several datasets; geoids and schemas are the same for all."""
    if what != "inputs" or not definitions:
        return plan_fetch(None, what, destination, mirrors)
    return tuple(file for definition in definitions for file in plan_fetch(definition, what, destination, mirrors))


def tile_names(extent: Extent, south: int = -90, north: int = 90) -> tuple[str, ...]:
    """Names of the 1-degree tiles, by their south-west corner, that overlap the extent between two latitudes."""
    rows = range(max(math.floor(extent.south), south), min(math.ceil(extent.north), north))
    columns = range(math.floor(extent.west), math.ceil(extent.east))
    return tuple(_corner(row, column) for row in rows for column in columns)


def block_of(tile: str) -> str:
    """The 10-degree block of FABDEM that holds a tile: ``N43E086`` -> ``N40E080-N50E090``."""
    latitude, longitude = _degrees(tile)
    south, west = latitude // 10 * 10, longitude // 10 * 10
    return f"{_corner(south, west)}-{_corner(south + 10, west + 10)}"


def _corner(latitude: int, longitude: int) -> str:
    east = longitude if longitude < 180 else longitude - 360  # the block east of 170 E ends at W180
    return f"{'S' if latitude < 0 else 'N'}{abs(latitude):02d}{'W' if east < 0 else 'E'}{abs(east):03d}"


def _degrees(tile: str) -> tuple[int, int]:
    latitude, longitude = int(tile[1:3]), int(tile[4:7])
    return (-latitude if tile[0] == "S" else latitude), (-longitude if tile[3] == "W" else longitude)


def _of_source(source: Source, extent: Extent, servers: Mapping[str, str], destination: Path) -> Iterator[Download]:
    """The files of one source: tiles of a product that is known, else what the user must do."""
    if any(pattern.endswith(".hgt") for pattern in source.files):
        covered = tile_names(extent, -56, 60)
        for folder, tile in _wanted(source, covered, ".hgt"):
            yield _srtm(source, folder, tile, servers["srtm"])
    elif any(pattern.endswith("_FABDEM_V1-2.tif") for pattern in source.files):
        covered = tile_names(extent, -60, 80)
        for folder, tile in _wanted(source, covered, "_FABDEM_V1-2.tif"):
            yield _fabdem(source, folder, tile, servers["fabdem"])
    else:
        yield _manual(source, destination)


def _wanted(source: Source, tiles: Sequence[str], ending: str) -> Iterator[tuple[str, str]]:
    """Folder and tile of every file that the patterns ask for: those they name, and those of the extent they match."""
    found = []
    for pattern in source.files:
        path = PurePosixPath(pattern)
        folder = "" if str(path.parent) == "." else f"{path.parent}/"
        named = [] if _WILDCARD.search(path.name) else [path.name.removesuffix(ending)]
        found += [
            (folder, tile)
            for tile in named or tiles
            if _TILE.fullmatch(tile) and fnmatchcase(f"{tile}{ending}", path.name) and not _WILDCARD.search(folder)
        ]
    if not found:
        raise BadDefinition(
            f"source {source.key}: files",
            ", ".join(source.files),
            f"the name of a tile of the extent ({', '.join(tiles[:3]) or 'the product covers none'})",
        )
    yield from sorted(set(found))


def _srtm(source: Source, folder: str, tile: str, template: str) -> Download:
    url = template.replace("{tile}", tile)
    host = urlsplit(url).hostname or ""
    return Download(
        name=f"{folder}{tile}.hgt",
        url=url,
        licence=_stated(source, SRTM_LICENCE),
        attribution=source.attribution or SRTM_ATTRIBUTION,
        member=f"{tile}.hgt",
        login="earthdata" if host.endswith(".nasa.gov") else "",
    )


def _fabdem(source: Source, folder: str, tile: str, template: str) -> Download:
    name = f"{tile}_FABDEM_V1-2.tif"
    return Download(
        name=f"{folder}{name}",
        url=template.replace("{block}", block_of(tile)),
        licence=_stated(source, FABDEM_LICENCE),
        attribution=source.attribution or FABDEM_ATTRIBUTION,
        member=name,
        by_range=True,
    )


def _stated(source: Source, licence: str) -> str:
    return source.licence if source.licence not in ("", "other") else licence


def _manual(source: Source, destination: Path) -> Download:
    name = ", ".join(source.files) or source.key
    how = f"get {source.title!r} and put it at {destination}/{source.files[0] if source.files else source.key}"
    if any(word in source.title.lower() for word in ("randolph", "rgi")):
        how += (
            "; RGI 7.0 is at https://nsidc.org/data/nsidc-0770/versions/7 behind a NASA Earthdata login, one zip a "
            "region (13 is Central Asia, file RGI2000-v7.0-G-13_central_asia.zip)"
        )
    return Download(name, source.url, source.licence, source.attribution, manual=how)


def _of_schema(name: str) -> str:
    return {"geojson.org": "as published by geojson.org", "proj.org": "MIT"}.get(name.partition("/")[0], "Apache-2.0")


# --- carrying it out ---------------------------------------------------------------------------------------------


@dataclass
class _Fetch:
    """One run: where to, with what client, and the lock file that the threads share."""

    destination: Path
    client: httpx.Client
    patience: Patience
    tell: Tell
    locked: dict[str, Locked]
    guard: threading.Lock = field(default_factory=threading.Lock)

    def remote(self, wanted: Download) -> Remote:
        token = os.environ.get(TOKEN_VARIABLE, "") if wanted.login == "earthdata" else ""
        remote = Remote(self.client, wanted.url, token, patience=self.patience)
        return replace(remote, login_remedy=_EARTHDATA_REMEDY) if wanted.login == "earthdata" else remote

    def record(self, wanted: Download, url: str) -> int:
        """Check a file against what was recorded of it; record it at first sight. Its size (bytes).

        ``url`` is where it came from; empty for a file that was there before.
        """
        path = self.destination / wanted.name
        size, digest = path.stat().st_size, sha256_of(path)
        known = self.locked.get(wanted.name)
        if known and known.sha256 != digest:
            raise BadInput(
                str(path),
                f"sha256 {digest}",
                f"sha256 {known.sha256}, recorded in {LOCK_TOML}",
                f"if the source has changed and this is meant, remove its entry from {LOCK_TOML}",
            )
        if known is None:
            with self.guard:
                self.locked[wanted.name] = Locked(wanted.name, url, size, digest, wanted.licence, wanted.attribution)
                write_lock(self.destination / LOCK_TOML, self.locked.values())
        return size


def run_fetch(
    plan: Sequence[Download],
    destination: Path,
    *,
    dry_run: bool = False,
    workers: int = 4,
    tell: Tell = silent,
    patience: Patience | None = None,
    client: httpx.Client | None = None,
) -> FetchReport:
    """Carry out a plan: what is there is checked, what is missing is fetched, all is recorded in ``inputs.lock.toml``.

    Errors
    ------
    BadInput : a refusal, no connection, a zip without the member, a file that differs from what was recorded, a
        destination that cannot be written.
    """
    automatic = [wanted for wanted in plan if not wanted.manual]
    present = [wanted for wanted in automatic if (destination / wanted.name).is_file()]
    missing = [wanted for wanted in automatic if wanted not in present]
    report = FetchReport(
        destination=str(destination),
        plan=tuple(plan),
        fetched=tuple(wanted.name for wanted in missing),
        present=tuple(wanted.name for wanted in present),
        manual=tuple(wanted.manual for wanted in plan if wanted.manual),
        fetched_bytes=0,
        dry_run=dry_run,
    )
    if dry_run:
        return report
    with _explained(destination), nullcontext(client) if client else open_client() as session:
        run = _Fetch(destination, session, patience or Patience(), tell, read_lock(destination / LOCK_TOML))
        for wanted in present:
            run.record(wanted, url="")
        return replace(report, fetched_bytes=_fetch_all(run, missing, workers))


def _fetch_all(run: _Fetch, missing: Sequence[Download], workers: int) -> int:
    """Fetch address by address, so that a zip with several members is opened once; the bytes written."""
    addresses: dict[str, list[Download]] = {}
    for wanted in missing:
        addresses.setdefault(wanted.url, []).append(wanted)
        (run.destination / wanted.name).parent.mkdir(parents=True, exist_ok=True)
    with ThreadPoolExecutor(max_workers=max(1, workers)) as pool:
        futures = [pool.submit(_fetch_address, run, group) for group in addresses.values()]
        try:
            return sum(future.result() for future in futures)
        except BaseException:
            for future in futures:
                future.cancel()
            raise


def _fetch_address(run: _Fetch, group: Sequence[Download]) -> int:
    first = group[0]
    run.tell(f"fetching {', '.join(wanted.name for wanted in group)} from {first.url}")
    remote = run.remote(first)
    if not first.member:
        target = run.destination / first.name
        download(remote, target, run.tell)
        return _keep(run, first, target)
    if first.by_range:
        try:
            reader = RangeFile(remote, run.tell)
        except NoRanges:
            run.tell(f"{first.url}: the server offers no ranges; downloading the whole zip")
        else:
            with io.BufferedReader(reader, _BUFFER_BYTES) as content:
                return _extract(run, group, content)
    whole = run.destination / f".{first.url.rpartition('/')[2]}"
    if not whole.is_file():
        download(remote, whole, run.tell)
    try:
        with whole.open("rb") as content:
            return _extract(run, group, content)
    finally:
        whole.unlink()


def _extract(run: _Fetch, group: Sequence[Download], content: IO[bytes]) -> int:
    """Take the members out of a zip, each checked by its CRC before it gets its name."""
    url = group[0].url
    size = 0
    try:
        with zipfile.ZipFile(content) as archive:
            for wanted in group:
                size += _extract_member(run, archive, wanted)
    except (zipfile.BadZipFile, NotImplementedError, EOFError) as error:
        raise BadInput(url, f"a damaged zip ({error})", "a zip", "run fetch again; try another --mirror") from None
    return size


def _extract_member(run: _Fetch, archive: zipfile.ZipFile, wanted: Download) -> int:
    names = [name for name in archive.namelist() if PurePosixPath(name).name == wanted.member]
    if not names:
        raise BadInput(
            f"{wanted.url}",
            f"no {wanted.member} in the zip",
            "that tile",
            "the product has no tile of sea only; correct the definition's extent or files",
        )
    target = run.destination / wanted.name
    part = target.with_name(f".{target.name}.part")
    with archive.open(names[0]) as member, part.open("wb") as file:
        shutil.copyfileobj(member, file, _BUFFER_BYTES)
    part.replace(target)
    return _keep(run, wanted, target)


def _keep(run: _Fetch, wanted: Download, target: Path) -> int:
    """Record what arrived; what differs from an earlier record is not kept."""
    try:
        return run.record(wanted, wanted.url)
    except BadInput:
        target.unlink()
        raise


@contextmanager
def _explained(destination: Path) -> Iterator[None]:
    try:
        destination.mkdir(parents=True, exist_ok=True)
        yield
    except OSError as error:
        where = error.filename or destination
        raise BadInput(
            str(where), error.strerror or str(error), "a folder that can be written to", "choose another destination"
        ) from None


# --- the lock file -----------------------------------------------------------------------------------------------


def read_lock(path: Path) -> dict[str, Locked]:
    """What was recorded, by name; empty where nothing was yet.

    Errors
    ------
    BadInput : not TOML, or not our form.
    """
    if not path.is_file():
        return {}
    try:
        entries = [Locked(**entry) for entry in tomllib.loads(path.read_text(encoding="utf-8")).get("file", [])]
    except (tomllib.TOMLDecodeError, UnicodeDecodeError, TypeError) as error:
        raise BadInput(str(path), str(error), "the lock file as fetch wrote it", "correct it, or remove it") from None
    return {entry.name: entry for entry in entries}


def write_lock(path: Path, entries: Iterable[Locked]) -> None:
    """Write the records, sorted by name, by one rename."""
    lines = [
        "# What was fetched, as first seen; a file that differs from this is refused. Keep it with the definition."
    ]
    for entry in sorted(entries, key=lambda entry: entry.name):
        lines += ["", "[[file]]", *(f"{key} = {_toml(value)}" for key, value in asdict(entry).items())]
    part = path.with_name(f".{path.name}.part")
    part.write_text("\n".join(lines) + "\n", encoding="utf-8", newline="\n")
    part.replace(path)


def _toml(value: str | int) -> str:
    # JSON's escapes are among TOML's; only DEL must be escaped there and need not here
    return json.dumps(value, ensure_ascii=False).replace("\x7f", "\\u007F")
