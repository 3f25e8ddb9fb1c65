"""Archives of others that mean harm: what each does to a good one, and the check that says so."""

from __future__ import annotations

import io
import json
import os
import zipfile
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pyarrow as pa
import pyarrow.parquet
import rasterio

from tests.system.hostile.cases import BOMB, EXTERNAL

CHANGE = "test-elevation-change"
ITEM = f"{CHANGE}/elevation-change/elevation-change.json"
RASTER = f"{CHANGE}/elevation-change/elevation_change.tif"
OUTSIDE = "secret.json"


@dataclass(frozen=True)
class Harm:
    """What is done to an archive, and the check that reports it; ``elsewhere`` is an address nobody may ask."""

    name: str
    do: Callable[[Path, str], object]
    check: str


def edit(path: str, change: Callable[[Any, str], object]) -> Callable[[Path, str], object]:
    """A change of a JSON document; it gets the address that nobody may ask."""

    def do(root: Path, elsewhere: str) -> None:
        content = json.loads((root / path).read_text(encoding="utf-8"))
        change(content, elsewhere)
        (root / path).write_text(json.dumps(content), encoding="utf-8")

    return do


def text(path: str, make: Callable[[str, str], str]) -> Callable[[Path, str], object]:
    def do(root: Path, elsewhere: str) -> None:
        (root / path).write_text(make((root / path).read_text(encoding="utf-8"), elsewhere), encoding="utf-8")

    return do


def href(value: str) -> Callable[[Any, str], object]:
    """The first asset somewhere else; {} is the address."""

    def change(content: Any, elsewhere: str) -> None:
        next(iter(content["assets"].values()))["href"] = value.format(elsewhere)

    return change


def link(value: str) -> Callable[[Any, str], object]:
    return lambda content, elsewhere: content["links"].append({"rel": "item", "href": value.format(elsewhere)})


def listed(path: str) -> Callable[[Any, str], object]:
    """One more file in the manifest."""
    return lambda content, _: content["files"].append({"path": path, "size": 1, "sha256": "0" * 64})


def linked(path: str, target: str) -> Callable[[Path, str], object]:
    """A symbolic link in the place of a file or folder."""

    def do(root: Path, _: str) -> None:
        place = root / path
        if place.exists():
            place.unlink()
        place.symlink_to(target)

    return do


def pipe(root: Path, _: str) -> None:
    os.mkfifo(root / CHANGE / "pipe.json")


def vrt(root: Path, elsewhere: str) -> None:
    """In the place of a raster, a list of addresses that GDAL would follow, on the grid of that raster."""
    with rasterio.open(root / RASTER) as raster:
        size = f'rasterXSize="{raster.width}" rasterYSize="{raster.height}"'
        place = f"<SRS>{raster.crs}</SRS><GeoTransform>{','.join(map(str, raster.transform.to_gdal()))}</GeoTransform>"
    source = (
        f"<SimpleSource><SourceFilename>/vsicurl/{elsewhere}</SourceFilename><SourceBand>1</SourceBand></SimpleSource>"
    )
    band = f'<VRTRasterBand dataType="Float32" band="1">{source}</VRTRasterBand>'
    (root / RASTER).unlink()
    (root / RASTER).write_text(f"<VRTDataset {size}>{place}{band}</VRTDataset>", encoding="utf-8")


def parquet_bomb(root: Path, _: str) -> None:
    """A few kilobytes that stand for twenty million rows."""
    column = pa.DictionaryArray.from_arrays(pa.array([0] * 20_000_000, pa.int8()), ["x"])
    packed = io.BytesIO()
    pyarrow.parquet.write_table(pa.table({f"c{n}": column for n in range(6)}), packed, compression="zstd")
    path = root / CHANGE / "tables/glaciers.parquet"
    path.unlink()
    path.write_bytes(packed.getvalue())


def workbook_bomb(root: Path, _: str) -> None:
    path = next((root / CHANGE / "tables").glob("*.xlsx"))
    with zipfile.ZipFile(path) as archive:
        members = [(entry.filename, archive.read(entry)) for entry in archive.infolist()]
    path.unlink()
    with zipfile.ZipFile(path, "w", zipfile.ZIP_DEFLATED) as archive:
        for name, body in members:
            archive.writestr(name, body.replace(b"<worksheet", BOMB.encode() + b"<worksheet", 1))


def endless_pattern(content: Any, _: str) -> None:
    """A pattern that takes time with the power of the text's length."""
    for field in content["resources"][0]["schema"]["fields"]:
        field["constraints"] = {**field.get("constraints", {}), "pattern": "(.*.*)*(.*.*)*(.*.*)*x"}


def resource(**keys: Any) -> Callable[[Any, str], object]:
    def change(content: Any, elsewhere: str) -> None:
        content["resources"][0].update(
            {key: value.format(elsewhere) if isinstance(value, str) else value for key, value in keys.items()}
        )

    return change


HARMS: tuple[Harm, ...] = (
    Harm("an asset out of the archive", edit(ITEM, href("../../../" + OUTSIDE)), "assets-exist"),
    Harm("an asset of this machine", edit(ITEM, href("/etc/hostname")), "assets-exist"),
    Harm("an asset by file address", edit(ITEM, href("file:///etc/hostname")), "assets-exist"),
    Harm("an asset on the web", edit(ITEM, href("{}")), "assets-exist"),
    Harm("a link out of the archive", edit("catalog.json", link("../" + OUTSIDE)), "links-resolve"),
    Harm("a link to the web", edit("catalog.json", link("{}")), "links-resolve"),
    Harm("an extension of the web", edit(ITEM, lambda c, a: c["stac_extensions"].append(a)), "manifest-checksums"),
    Harm("a listed file outside", edit("manifest.json", listed("../" + OUTSIDE)), "manifest-complete"),
    Harm("a listed file of this machine", edit("manifest.json", listed("/etc/hostname")), "manifest-complete"),
    Harm(
        "a link in place of a table",
        linked(f"{CHANGE}/tables/glaciers.csv", "../../../" + OUTSIDE),
        "manifest-complete",
    ),
    Harm("a link in place of the manifest", linked("manifest.json", "../" + OUTSIDE), "is-archive"),
    Harm("a link to a folder outside", linked(f"{CHANGE}/more", "../.."), "manifest-complete"),
    Harm("a pipe in the archive", pipe, "manifest-complete"),
    Harm("a raster that is a list of addresses", vrt, "raster-opens"),
    Harm(
        "entities in a record",
        text(f"{CHANGE}/metadata/iso19139.xml", lambda t, _: BOMB + t.partition("?>")[2]),
        "xml-parses",
    ),
    Harm(
        "an outside entity",
        text(f"{CHANGE}/metadata/datacite.xml", lambda t, _: EXTERNAL + t.partition("?>")[2]),
        "xml-parses",
    ),
    Harm("deep lists", text(f"{CHANGE}/metadata/ncdc.json", lambda *_: "[" * 1_000_000), "json-parses"),
    Harm("a key twice", text(ITEM, lambda t, _: '{"type": "Feature",' + t.lstrip()[1:]), "json-parses"),
    Harm("NaN", text(ITEM, lambda t, _: t.replace('"stac_version"', '"x": NaN, "stac_version"', 1)), "json-parses"),
    Harm("a table of the web", edit(f"{CHANGE}/datapackage.json", resource(path="{}")), "datapackage-form"),
    Harm("a table outside", edit(f"{CHANGE}/datapackage.json", resource(path="../../" + OUTSIDE)), "datapackage-form"),
    Harm("a schema of the web", edit(f"{CHANGE}/datapackage.json", resource(schema="{}")), "datapackage-form"),
    Harm("a dialect of the web", edit(f"{CHANGE}/datapackage.json", resource(scheme="http")), "datapackage-form"),
    Harm(
        "a profile of the web",
        edit(f"{CHANGE}/datapackage.json", lambda c, a: c.update(profile=a)),
        "datapackage-form",
    ),
    Harm("a pattern without end", edit(f"{CHANGE}/datapackage.json", endless_pattern), "datapackage-form"),
    Harm("a table of many rows", parquet_bomb, "table-copies"),
    Harm("a workbook with entities", workbook_bomb, "table-copies"),
    Harm("numbers that are none", edit(ITEM, lambda c, _: c.update(bbox=[1e999, "x", None, []])), "item-extent"),
)
