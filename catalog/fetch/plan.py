"""What a dataset needs from elsewhere, file by file: where it is to be had, and under which licence."""

from __future__ import annotations

import math
import re
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from fnmatch import fnmatchcase
from pathlib import Path, PurePosixPath
from typing import Literal
from urllib.parse import urlsplit

from pyproj.datadir import get_user_data_dir  # type: ignore[attr-defined]  # documented; missing from its __all__

from catalog.fetch.addresses import without_secrets
from schemas.definition import Definition, Extent, Source
from schemas.errors import BadDefinition, BadInput

What = Literal["inputs", "geoids", "schemas"]

SERVERS = {
    "srtm": "https://data.lpdaac.earthdatacloud.nasa.gov/lp-prod-protected/SRTMGL3.003/{tile}.SRTMGL3.hgt/{tile}.SRTMGL3.hgt.zip",
    "fabdem": "https://data.bris.ac.uk/datasets/s5hqmjcdj8yo2ibzi9b4ew3sn/{block}_FABDEM_V1-2.zip",
    "rgi": "https://daacdata.apps.nsidc.org/pub/DATASETS/nsidc0770_rgi_v7/regional_files/RGI2000-v7.0-G/RGI2000-v7.0-G-{region}.zip",
    "proj": "https://cdn.proj.org/{name}",
    "stac": "https://{name}",
}
_PLACEHOLDERS = {"srtm": "{tile}", "fabdem": "{block}", "rgi": "{region}", "proj": "{name}", "stac": "{name}"}
_EARTHDATA_HOSTS = (".nasa.gov", ".nsidc.org")

SRTM_LICENCE = "no restriction on use (NASA)"
SRTM_ATTRIBUTION = "NASA JPL (2013), SRTM Global 3 arc second V003, doi:10.5067/MEaSUREs/SRTM/SRTMGL3.003"
_SRTM_BYTES = 1201 * 1201 * 2  # a tile of 3 arc seconds: as many posts a side, two bytes each
FABDEM_LICENCE = "CC BY-NC-SA 4.0 (non-commercial use only)"
FABDEM_ATTRIBUTION = (
    "Neal, J. and Hawker, L. (2023), FABDEM V1-2, University of Bristol, doi:10.5523/bris.s5hqmjcdj8yo2ibzi9b4ew3sn; "
    "derived from the Copernicus DEM"
)
RGI_LICENCE = "CC BY 4.0"
RGI_ATTRIBUTION = (
    "RGI 7.0 Consortium (2023), Randolph Glacier Inventory - A Dataset of Global Glacier Outlines, Version 7.0, NSIDC, "
    "doi:10.5067/F6JMOVY5NAVZ"
)
RGI_REGIONS = (
    *("01_alaska", "02_western_canada_usa", "03_arctic_canada_north", "04_arctic_canada_south"),
    *("05_greenland_periphery", "06_iceland", "07_svalbard_jan_mayen", "08_scandinavia", "09_russian_arctic"),
    *("10_north_asia", "11_central_europe", "12_caucasus_middle_east", "13_central_asia", "14_south_asia_west"),
    *("15_south_asia_east", "16_low_latitudes", "17_southern_andes", "18_new_zealand"),
    "19_subantarctic_antarctic_islands",
)
# Boxes (west, south, east, north) that lie in one first-order region; nearer to a border the definition names the file.
_RGI_INTERIORS = {
    "01_alaska": (-160.0, 58.0, -141.5, 66.0),
    "06_iceland": (-25.0, 63.0, -13.0, 67.0),
    "07_svalbard_jan_mayen": (10.0, 76.0, 34.0, 81.0),
    "08_scandinavia": (4.5, 60.0, 25.0, 71.0),
    "11_central_europe": (5.0, 44.0, 15.0, 48.0),
    "12_caucasus_middle_east": (40.0, 41.5, 48.5, 44.0),
    "13_central_asia": (68.0, 39.5, 94.0, 44.5),
    "17_southern_andes": (-75.5, -55.0, -68.0, -27.0),
    "18_new_zealand": (166.5, -46.5, 174.0, -40.5),
}
# of a shapefile; the last tells the encoding of the names
_SHAPEFILE_ENDINGS = (".shp", ".shx", ".dbf", ".prj", ".cpg")

GEOIDS = ("us_nga_egm96_15.tif", "us_nga_egm08_25.tif")
_CORE = "schemas.stacspec.org/v1.1.0"
_EXTENSIONS = (
    *(
        "accuracy/v1.0.0-beta.1",
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
_WILDCARD = re.compile(r"[*?\[]")
_TILE = re.compile(r"[NS]\d{2}[EW]\d{3}")
_RGI_FILE = re.compile(r"RGI2000-v7\.0-G-(\d\d_[a-z_]+)\.shp")


@dataclass(frozen=True, kw_only=True)
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
    size, sha256 : what is known of the file beforehand; 0 and "" where nothing is.
    remark : what the definition should say so that the archive carries the licence and attribution of the source.
    checksums : address of a list of checksums that the server keeps of its files, in the form of cdn.proj.org.
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
    size: int = 0
    sha256: str = ""
    checksums: str = ""
    remark: str = ""

    def line(self) -> str:
        """For a person: name, address, licence."""
        return f"{self.name}  <-  {without_secrets(self.url) or 'no address'}  [{self.licence or 'licence not stated'}]"


def parse_mirrors(values: Iterable[str]) -> dict[str, str]:
    """``srtm=https://host/{tile}.zip`` and the like, by server name.

    Errors
    ------
    BadInput : an unknown server, no address, an address without its placeholder, or with a name and password in it.
    """
    mirrors = {}
    for value in values:
        server, _, url = value.partition("=")
        if server not in SERVERS:
            raise BadInput(f"--mirror {value}", f"server {server!r}", f"one of {', '.join(SERVERS)}")
        if urlsplit(url).scheme not in ("http", "https") or _PLACEHOLDERS[server] not in url:
            raise BadInput(f"--mirror {value}", repr(url), f"an http(s) address that holds {_PLACEHOLDERS[server]}")
        if "@" in urlsplit(url).netloc:  # it would be written into the lock file; so it is not repeated here either
            raise BadInput(f"--mirror {server}", "a name or password in the address", "an address without them")
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
    (``N40E080-N50E090``), ``{region}`` (``13_central_asia``) and ``{name}``.

    Errors
    ------
    BadInput : inputs without a definition.
    BadDefinition : a source whose product covers no tile of the extent, or whose file name leaves the inputs folder.
    """
    servers = {**SERVERS, **(mirrors or {})}
    if what == "geoids":
        return tuple(_geoid(name, servers["proj"]) for name in GEOIDS)
    if what == "schemas":
        return tuple(
            Download(name=name, url=servers["stac"].replace("{name}", name), licence=_of_schema(name))
            for name in STAC_SCHEMAS
        )
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
    """The files of one source: tiles of a known product, outlines of the inventory, else what the user must do."""
    if any(pattern.endswith(".hgt") for pattern in source.files):
        covered = tile_names(extent, -56, 60)
        for folder, tile in _wanted(source, covered, ".hgt"):
            yield _srtm(source, folder, tile, servers["srtm"])
    elif any(pattern.endswith("_FABDEM_V1-2.tif") for pattern in source.files):
        covered = tile_names(extent, -60, 80)
        for folder, tile in _wanted(source, covered, "_FABDEM_V1-2.tif"):
            yield _fabdem(source, folder, tile, servers["fabdem"])
    elif asked := _inventory_region(source, extent):
        folder, region = asked
        yield from _outlines(source, folder, region, servers["rgi"])
    else:
        yield _manual(source, destination)


def _wanted(source: Source, tiles: Sequence[str], ending: str) -> Iterator[tuple[str, str]]:
    """Folder and tile of every file that the patterns ask for: those they name, and those of the extent they match."""
    files = []
    for pattern in source.files:
        path = PurePosixPath(pattern)
        folder = "" if str(path.parent) == "." else f"{path.parent}/"
        named = [] if _WILDCARD.search(path.name) else [path.name.removesuffix(ending)]
        files += [
            (folder, tile)
            for tile in named or tiles
            if _TILE.fullmatch(tile) and fnmatchcase(f"{tile}{ending}", path.name) and not _WILDCARD.search(folder)
        ]
    if not files:
        raise BadDefinition(
            f"source {source.key}: files",
            ", ".join(source.files),
            f"the name of a tile of the extent ({', '.join(tiles[:3]) or 'the product covers none'})",
        )
    yield from sorted(set(files))


def _srtm(source: Source, folder: str, tile: str, template: str) -> Download:
    url = template.replace("{tile}", tile)
    return Download(
        name=f"{folder}{tile}.hgt",
        url=url,
        licence=_stated(source, SRTM_LICENCE),
        attribution=source.attribution or SRTM_ATTRIBUTION,
        member=f"{tile}.hgt",
        remark=_remark(source, SRTM_LICENCE, SRTM_ATTRIBUTION),
        login=_login(url),
        size=_SRTM_BYTES,
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
        remark=_remark(source, FABDEM_LICENCE, FABDEM_ATTRIBUTION),
    )


def _inventory_region(source: Source, extent: Extent) -> tuple[str, str] | None:
    """Folder and region of the inventory's shapefile that a source asks for; None where it asks for no such.

    A pattern names the file of a region, or a source that speaks of the inventory leaves it to the extent.
    """
    for pattern in source.files:
        path = PurePosixPath(pattern)
        folder = "" if str(path.parent) == "." else f"{path.parent}/"
        if _WILDCARD.search(folder):
            continue
        named = _RGI_FILE.fullmatch(path.name)
        if named and named.group(1) in RGI_REGIONS:
            return folder, named.group(1)
        region = _region_of(extent) if _is_inventory(source) else ""
        if region and fnmatchcase(f"RGI2000-v7.0-G-{region}.shp", path.name):
            return folder, region
    return None


def _region_of(extent: Extent) -> str:
    for region, (west, south, east, north) in _RGI_INTERIORS.items():
        if west <= extent.west and extent.east <= east and south <= extent.south and extent.north <= north:
            return region
    return ""


def _is_inventory(source: Source) -> bool:
    return any(word in source.title.lower() for word in ("randolph", "rgi"))


def _outlines(source: Source, folder: str, region: str, template: str) -> Iterator[Download]:
    url = template.replace("{region}", region)
    for ending in _SHAPEFILE_ENDINGS:
        name = f"RGI2000-v7.0-G-{region}{ending}"
        yield Download(
            name=f"{folder}{name}",
            url=url,
            licence=_stated(source, RGI_LICENCE),
            attribution=source.attribution or RGI_ATTRIBUTION,
            member=name,
            login=_login(url),
            remark=_remark(source, RGI_LICENCE, RGI_ATTRIBUTION),
        )


def _geoid(name: str, template: str) -> Download:
    url = template.replace("{name}", name)
    return Download(
        name=name, url=url, licence="public domain (NGA)", checksums=template.replace("{name}", "files.geojson")
    )


def _login(url: str) -> Literal["", "earthdata"]:
    return "earthdata" if (urlsplit(url).hostname or "").endswith(_EARTHDATA_HOSTS) else ""


def _remark(source: Source, licence: str, attribution: str) -> str:
    missing = {
        **({} if source.licence else {"licence": licence}),
        **({} if source.attribution else {"attribution": attribution}),
    }
    said = " and ".join(f"{key} ({value})" for key, value in missing.items())
    return f"source {source.key!r} of the definition does not say its {said}: write it there" if missing else ""


def _stated(source: Source, licence: str) -> str:
    return source.licence if source.licence not in ("", "other") else licence


def _manual(source: Source, destination: Path) -> Download:
    name = ", ".join(source.files) or source.key
    wish = "if you have it, get" if source.optional else "get"
    how = f"{wish} {source.title!r} and put it at {destination}/{source.files[0] if source.files else source.key}"
    if _is_inventory(source):
        how += (
            "; or let fetch get RGI 7.0: name the shapefile of its region in the definition, as "
            'files = ["outlines/RGI2000-v7.0-G-13_central_asia.shp"], or have it at '
            "https://nsidc.org/data/nsidc-0770/versions/7 behind a NASA Earthdata login"
        )
    return Download(name=name, url=source.url, licence=source.licence, attribution=source.attribution, manual=how)


def _of_schema(name: str) -> str:
    return {"geojson.org": "as published by geojson.org", "proj.org": "MIT"}.get(name.partition("/")[0], "Apache-2.0")
