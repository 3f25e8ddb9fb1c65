"""Ways to damage a good archive, each with the name of the check that has to report it."""

from __future__ import annotations

import contextlib
import hashlib
import json
import struct
import zipfile
import zlib
from collections.abc import Callable
from dataclasses import dataclass
from datetime import date
from pathlib import Path
from typing import Any

import geopandas as gpd
import numpy as np
import openpyxl
import pandas as pd
import pyarrow as pa
import pyarrow.parquet as pq
import rasterio
from rasterio.enums import Resampling
from rasterio.shutil import copy
from rasterio.transform import Affine
from shapely.errors import ShapelyError

from catalog.archive.layout import is_of_manifest
from catalog.archive.manifest import PARTS, SEAL, manifest_documents, sealed, whole_manifest
from catalog.stac.search_table import read_search_table, write_search_table
from schemas.glacier_extension import SCHEMA_PATH

Edit = Callable[[Path], None]

EC, MB = "test-elevation-change", "test-mass-balance"
EC_ITEM = f"{EC}/elevation-change/elevation-change.json"
MB_ITEM = f"{MB}/balance-2001/balance-2001.json"
DH, SIGMA = f"{EC}/elevation-change/elevation_change.tif", f"{EC}/elevation-change/elevation_change_sigma.tif"
CLASSES, BALANCE = f"{EC}/elevation-change/classification.tif", f"{MB}/balance-2001/balance.tif"


_OUTLINES_PARQUET = f"{EC}/elevation-change/outlines.parquet"

_EC_VISUAL, _MB_VISUAL = f"{EC}/elevation-change/visual.tif", f"{MB}/balance-2001/visual.tif"
_ZH, _MB_ITEM_ZH = f"{MB}/collection.zh.json", f"{MB}/balance-2001/balance-2001.zh.json"
_LANGUAGE = ("properties", "language")
_PART, _PART_ZH = f"{MB}/items-0001.json", f"{MB}/items-0001.zh.json"
_CRATE_PART = f"{MB}/metadata/files-0001/ro-crate-metadata.json"
# what the two languages of a document say each in its own way
_WORDS = {"title", "description", "keywords", "language", "languages", "links", "processing:lineage"}
_LAYOUT = ("tiled", "blockxsize", "blockysize", "compress")


@dataclass(frozen=True)
class Damage:
    """What is done to the archive, the check that has to see it, and whether checksums are made to fit afterwards.

    A ``parted`` one is done to an archive whose long lists stand in parts, as those of a large collection do.
    """

    name: str
    check: str
    edit: Edit
    sealed: bool = True
    parted: bool = False

    def apply(self, root: Path) -> None:
        self.edit(root)
        if self.sealed:
            reseal(root)


def reseal(root: Path) -> None:
    """Bring sizes and checksums in STAC, data packages and manifest up to date, as a careful forger would.

    Nothing that fits already is written again.
    """
    for package in root.glob("*/datapackage.json"):
        content = _load(package)
        if not isinstance(content, dict):
            continue
        for resource in content.get("resources", []):
            path = package.parent / str(resource.get("path"))
            if path.is_file():
                resource["bytes"] = path.stat().st_size
                resource["hash"] = f"sha256:{_sha256(path)}"
        _dump(package, content)
    for document in sorted(root.glob("*/collection*.json")) + sorted(root.glob("*/*/*.json")):
        content = _load(document)
        assets = content.get("assets") if isinstance(content, dict) else None
        for asset in assets.values() if isinstance(assets, dict) else ():
            path = document.parent / str(asset.get("href"))
            if path.is_file():
                asset["file:size"] = path.stat().st_size
                asset["file:checksum"] = f"1220{_sha256(path)}"
        if assets:
            _dump(document, content)
    manifest = whole_manifest(lambda name: (root / name).read_bytes() if (root / name).is_file() else None)
    known = _listed(manifest)
    if any(known.get(path.relative_to(root).as_posix()) != _sha256(path) for path in root.glob("*/*/*.json")):
        _search_table_again(root)
    _twins_again(root)
    if isinstance(manifest, dict) and "files" in manifest:
        for part in root.glob("manifest/*.json"):
            part.unlink()
        manifest.pop(PARTS, None)
        files = sorted((p.relative_to(root).as_posix(), p) for p in root.rglob("*") if p.is_file())
        manifest["files"] = [
            {"path": name, "size": path.stat().st_size, "sha256": _sha256(path)}
            for name, path in files
            if not is_of_manifest(name)
        ]
        for name, content in manifest_documents(manifest).items():
            (root / name).write_bytes(content)


def _listed(manifest: Any) -> dict[str, str]:
    """Checksum of each file that the manifest lists."""
    files = manifest.get("files") if isinstance(manifest, dict) else None
    entries = files if isinstance(files, list) else []
    return {str(entry.get("path")): str(entry.get("sha256")) for entry in entries if isinstance(entry, dict)}


def _twins_again(root: Path) -> None:
    """Bring the facts of the Chinese documents up to date with the English ones; their words stay."""
    for path in [root / "catalog.json", *root.glob("*/*.json"), *root.glob("*/*/*.json")]:
        twin = path.with_name(f"{path.stem}.zh.json")
        if twin.is_file() and (content := _load(path)) is not None:
            _dump(twin, _with_words_of(content, _load(twin)))


def _with_words_of(content: Any, twin: Any) -> Any:
    if isinstance(content, dict) and isinstance(twin, dict):
        said = {key: twin[key] for key in _WORDS & content.keys() & twin.keys()}
        return {key: said.get(key, _with_words_of(part, twin.get(key))) for key, part in content.items()}
    if isinstance(content, list) and isinstance(twin, list) and len(content) == len(twin):
        return [_with_words_of(one, other) for one, other in zip(content, twin, strict=True)]
    return content


def _search_table_again(root: Path) -> None:
    """Write the table of the items anew, where they can still be put into a table."""
    table = root / "items.parquet"
    documents = [root / str(row["collection"]) / str(row["id"]) for row in read_search_table(table)]
    items = [_load(folder / f"{folder.name}.json") for folder in documents]
    # an item that is damaged beyond a table's columns leaves the table as it is
    with contextlib.suppress(
        AttributeError, KeyError, LookupError, TypeError, ValueError, pa.ArrowException, ShapelyError
    ):
        write_search_table(table, items)


def _rows_of_the_search_table(change: Callable[[list[Any]], object]) -> Edit:
    def edit(root: Path) -> None:
        rows = list(read_search_table(root / "items.parquet"))
        change(rows)
        write_search_table(root / "items.parquet", rows)

    return edit


def in_json(file: str, change: Callable[[Any], object]) -> Edit:
    def edit(root: Path) -> None:
        content = _load(root / file)
        change(content)
        _dump(root / file, content)

    return edit


def setting(file: str, *keys: Any, to: Any) -> Edit:
    """Set one place of a JSON document."""

    def change(content: Any) -> None:
        for key in keys[:-1]:
            content = content[key]
        content[keys[-1]] = to

    return in_json(file, change)


def in_text(file: str, old: str, new: str) -> Edit:
    def edit(root: Path) -> None:
        text = (root / file).read_text(encoding="utf-8")
        assert old in text, f"{old!r} is not in {file}"
        (root / file).write_text(text.replace(old, new), encoding="utf-8", newline="\n")

    return edit


def in_table(file: str, row: int, column: str, value: str) -> Edit:
    """One cell of a CSV, everything else byte for byte."""

    def edit(root: Path) -> None:
        frame = pd.read_csv(root / file, dtype=str, keep_default_na=False)
        assert frame.loc[row, column] != value
        frame.loc[row, column] = value
        frame.to_csv(root / file, index=False, lineterminator="\n")

    return edit


def in_copies(collection: str, table: str, row: int, column: str, value: str) -> Edit:
    """One cell of a table in CSV, Parquet and Excel alike, so that the copies agree."""

    def edit(root: Path) -> None:
        folder = root / collection / "tables"
        in_table(f"{collection}/tables/{table}.csv", row, column, value)(root)
        frame = pd.read_parquet(folder / f"{table}.parquet").astype(object)
        frame.loc[row, column] = _typed(value, type(frame[column].dropna().iloc[0]))
        frame.to_parquet(folder / f"{table}.parquet", index=False)
        book = folder / f"{collection}.xlsx"
        workbook = openpyxl.load_workbook(book)
        sheet = workbook[table]
        place = [cell.value for cell in sheet[1]].index(column) + 1
        cell = sheet.cell(row + 3, place)
        cell.value = _typed(value, type(cell.value))
        workbook.save(book)

    return edit


def rewritten(file: str, **wanted: Any) -> Edit:
    """A raster written again with another profile, other tags or other pixels, overviews included."""

    def edit(root: Path) -> None:
        path, draft = root / file, root / "draft.tif"
        changes = dict(wanted)  # an edit may be made more than once
        with rasterio.open(path) as source:
            bands, profile = source.read(), source.profile
            tags, band_tags, units = source.tags(), [source.tags(k) for k in source.indexes], list(source.units)
        pixels = changes.pop("pixels", None)
        overviews = changes.pop("overviews", True)
        units = changes.pop("units", units)
        stale = changes.pop("overviews_of", None)
        tags = changes.pop("band_tags", band_tags), tags
        bands = bands if pixels is None else pixels(bands)
        profile.update(height=bands.shape[1], width=bands.shape[2])
        profile.update(changes)
        plain = {
            key: value for key, value in profile.items() if key not in ("tiled", "blockxsize", "blockysize", "compress")
        }
        with rasterio.open(draft, "w", **{**plain, "driver": "GTiff"}) as target:
            target.write(bands)
            target.units = units
            for index, tag in enumerate(tags[0], 1):
                target.update_tags(index, **tag)
            target.update_tags(**tags[1])
            if stale is not None:
                target.write(stale(bands))
                target.build_overviews([2], Resampling.nearest)
                target.write(bands)
            elif overviews and max(bands.shape[1:]) > 256:
                target.build_overviews([2], Resampling.nearest)
        layout = {key: profile[key] for key in _LAYOUT if key in profile}
        with rasterio.open(draft) as source:
            copy(source, path, driver="GTiff", copy_src_overviews=True, **layout)
        draft.unlink()

    return edit


def flip_bit(file: str, place: float) -> Edit:
    """One bit of a file, at a share of its length."""

    def edit(root: Path) -> None:
        content = bytearray((root / file).read_bytes())
        content[int(place * (len(content) - 1))] ^= 0x10
        (root / file).write_bytes(bytes(content))

    return edit


def flip_bit_of_tile(file: str) -> Edit:
    """One bit in the middle of the first tile of a raster."""

    def edit(root: Path) -> None:
        with rasterio.open(root / file) as source:
            start, size = (int(source.get_tag_item(f"BLOCK_{what}_0_0", "TIFF", bidx=1)) for what in ("OFFSET", "SIZE"))
        content = bytearray((root / file).read_bytes())
        content[start + size // 2] ^= 0x10
        (root / file).write_bytes(bytes(content))

    return edit


def swap(one: str, other: str) -> Edit:
    def edit(root: Path) -> None:
        first, second = (root / one).read_bytes(), (root / other).read_bytes()
        (root / one).write_bytes(second)
        (root / other).write_bytes(first)

    return edit


def remove(file: str) -> Edit:
    return lambda root: (root / file).unlink()


def add(file: str, content: bytes = b"x") -> Edit:
    return lambda root: (root / file).write_bytes(content) and None


def link_out(root: Path) -> None:
    (root / EC / "README.md").unlink()
    (root / EC / "README.md").symlink_to("/etc/hostname")


def truncate(file: str, share: float = 0.5) -> Edit:
    def edit(root: Path) -> None:
        content = (root / file).read_bytes()
        (root / file).write_bytes(content[: int(len(content) * share)])

    return edit


def drop(file: str, *keys: Any) -> Edit:
    def change(content: Any) -> None:
        for key in keys[:-1]:
            content = content[key]
        del content[keys[-1]]

    return in_json(file, change)


def link_of(file: str, rel: str, href: str) -> Edit:
    """Point the first link of a kind elsewhere."""

    def change(content: Any) -> None:
        next(link for link in content["links"] if link["rel"] == rel)["href"] = href

    return in_json(file, change)


def without_link(file: str, rel: str) -> Edit:
    def change(content: Any) -> None:
        content["links"].remove(next(link for link in content["links"] if link["rel"] == rel))

    return in_json(file, change)


def huge_thumbnail(root: Path) -> None:
    """A PNG of 700 x 700 pixels."""
    head = struct.pack(">IIBBBBB", 700, 700, 8, 0, 0, 0, 0)
    chunks = [(b"IHDR", head), (b"IDAT", zlib.compress(bytes(701 * 700))), (b"IEND", b"")]
    parts = (
        struct.pack(">I", len(data)) + kind + data + struct.pack(">I", zlib.crc32(kind + data)) for kind, data in chunks
    )
    (root / EC / "elevation-change/thumbnail.png").write_bytes(b"\x89PNG\r\n\x1a\n" + b"".join(parts))


def _negate(collection: str, table: str, row: int, column: str) -> Edit:
    def edit(root: Path) -> None:
        frame = pd.read_csv(root / collection / f"tables/{table}.csv", dtype=str, keep_default_na=False)
        text = frame.loc[row, column]
        in_copies(collection, table, row, column, text[1:] if text.startswith("-") else f"-{text}")(root)

    return edit


def _plus(amount: float) -> Callable[[np.ndarray], np.ndarray]:
    return lambda bands: np.where(bands == -9999, bands, bands + np.float32(amount)).astype(bands.dtype)


def _swap_corners(content: Any) -> None:
    west, south, east, north = content["bbox"]
    content["bbox"] = [east, north, west, south]


def _definition_version(root: Path) -> None:
    def change(manifest: Any) -> None:
        manifest["datasets"][0]["definition"]["version"] = "1.2.1"

    in_json("manifest.json", change)(root)


def _gdal_order(content: Any) -> None:
    a, b, c, d, e, f = content["assets"]["elevation_change"]["proj:transform"]
    content["assets"]["elevation_change"]["proj:transform"] = [c, a, b, f, d, e]


def _flip_north(content: Any) -> None:
    content["assets"]["elevation_change"]["proj:transform"][4] *= -1


def _no_code(root: Path) -> None:
    def change(content: Any) -> None:
        del content["assets"]["elevation_change"]["proj:code"]
        del content["properties"]["proj:code"]

    in_json(EC_ITEM, change)(root)


def _reverse_shape(content: Any) -> None:
    content["assets"]["elevation_change"]["proj:shape"].reverse()


def _shift_bbox(content: Any) -> None:
    content["bbox"] = [value + 0.1 for value in content["bbox"]]


def _shift_all(content: Any) -> None:
    """Bbox and geometry agree with each other and not with the raster."""
    _shift_bbox(content)
    ring = content["geometry"]["coordinates"][0]
    content["geometry"]["coordinates"][0] = [[x + 0.1, y + 0.1] for x, y in ring]


def _swap_days(content: Any) -> None:
    properties = content["properties"]
    properties["start_datetime"], properties["end_datetime"] = properties["end_datetime"], properties["start_datetime"]


def _statistic(asset: str, name: str, value: float, band: int = 0) -> Callable[[Any], None]:
    def change(content: Any) -> None:
        content["assets"][asset]["bands"][band]["statistics"][name] = value

    return change


def _field(table: str, column: str, key: str, value: Any) -> Callable[[Any], None]:
    def change(content: Any) -> None:
        resource = next(resource for resource in content["resources"] if resource["name"] == table)
        next(field for field in resource["schema"]["fields"] if field["name"] == column)[key] = value

    return change


def _schema_key(table: str, key: str, value: Any) -> Callable[[Any], None]:
    def change(content: Any) -> None:
        next(resource for resource in content["resources"] if resource["name"] == table)["schema"][key] = value

    return change


def _raise_pixel(bands: np.ndarray) -> np.ndarray:
    valid = np.argwhere(bands[0] != -9999)
    bands[0][tuple(valid[0])] += 500
    return bands


def _painted_edge(bands: np.ndarray) -> np.ndarray:
    bands[:, -1, -5:] = 200
    return bands


def _more_rows(bands: np.ndarray) -> np.ndarray:
    return np.pad(bands, ((0, 0), (0, 8), (0, 0)))


def _mirror(bands: np.ndarray) -> np.ndarray:
    return np.ascontiguousarray(bands[:, :, ::-1])


def _strange_class(bands: np.ndarray) -> np.ndarray:
    bands[0, 5, 5] = 77
    return bands


def _file_entry(index: int, key: str, value: Any) -> Callable[[Any], None]:
    def change(content: Any) -> None:
        content["files"][index][key] = value

    return change


def _repeat_record(file: str) -> Edit:
    def edit(root: Path) -> None:
        lines = (root / file).read_text(encoding="utf-8").splitlines()
        (root / file).write_text("\n".join([*lines, lines[-1], ""]), encoding="utf-8", newline="\n")

    return edit


def _swap_columns(file: str) -> Edit:
    def edit(root: Path) -> None:
        frame = pd.read_csv(root / file, dtype=str, keep_default_na=False)
        frame[[*frame.columns[1::-1], *frame.columns[2:]]].to_csv(root / file, index=False, lineterminator="\n")

    return edit


def _parquet_cell(root: Path) -> None:
    path = root / EC / "tables/glaciers.parquet"
    frame = pd.read_parquet(path)
    frame.loc[0, "mean_dh_m"] += 1
    frame.to_parquet(path, index=False)


def _plain_parquet(file: str) -> Edit:
    """The same columns without what makes them GeoParquet."""

    def edit(root: Path) -> None:
        table = pq.read_table(root / file)
        pq.write_table(table.replace_schema_metadata({}), root / file)

    return edit


def _geo(file: str, key: str, value: Any) -> Edit:
    """One place of the GeoParquet metadata of the geometry."""

    def edit(root: Path) -> None:
        table = pq.read_table(root / file)
        geo = json.loads(table.schema.metadata[b"geo"])
        geo["columns"]["geometry"][key] = value
        pq.write_table(table.replace_schema_metadata({"geo": json.dumps(geo)}), root / file)

    return edit


def _moved(file: str) -> Edit:
    """Every geometry a thousandth of a degree further east, the bounds with them."""

    def edit(root: Path) -> None:
        frame = gpd.read_parquet(root / file)
        frame["geometry"] = frame.translate(0.001, 0)
        frame.to_parquet(root / file, index=False)

    return edit


def _moved_outline(root: Path) -> None:
    """Both files of the outline alike: only the balance tells that it stood elsewhere."""
    place = root / MB / "balance-2001"
    content = json.loads((place / "outline.geojson").read_text(encoding="utf-8"))
    for feature in content["features"]:
        parts = feature["geometry"]["coordinates"]
        rings = parts if feature["geometry"]["type"] == "Polygon" else [ring for part in parts for ring in part]
        for point in (point for ring in rings for point in ring):
            point[0] = round(point[0] + 0.001, 6)
    (place / "outline.geojson").write_text(json.dumps(content), encoding="utf-8")
    _moved(f"{MB}/balance-2001/outline.parquet")(root)


def _renamed_epochs(root: Path) -> None:
    frame = gpd.read_parquet(root / _OUTLINES_PARQUET)
    frame["epoch"] = "1965"
    frame.to_parquet(root / _OUTLINES_PARQUET, index=False)


def _other_colours(root: Path) -> None:
    with rasterio.open(root / CLASSES, "r+", IGNORE_COG_LAYOUT_BREAK="YES") as raster:
        raster.write_colormap(1, {value: (value, 0, 0, 255) for value in range(4)})


def _shorter(file: str) -> Edit:
    """A table without its last record."""

    def edit(root: Path) -> None:
        lines = (root / file).read_text(encoding="utf-8").splitlines()
        (root / file).write_text("\n".join([*lines[:-1], ""]), encoding="utf-8", newline="\n")

    return edit


def _excel_cell(root: Path) -> None:
    path = root / EC / f"tables/{EC}.xlsx"
    workbook = openpyxl.load_workbook(path)
    workbook["glaciers"]["H3"].value = 99.0
    workbook.save(path)


def _unit_in_dictionary(root: Path) -> None:
    """The first unit of metres made feet, in all copies."""
    frame = pd.read_csv(root / EC / "tables/data_dictionary.csv", dtype=str, keep_default_na=False)
    in_copies(EC, "data_dictionary", int(frame.index[frame["unit"] == "m"][0]), "unit", "ft")(root)


def _without_part(root: Path) -> None:
    """The workbook without the list of its sheets."""
    path = root / EC / f"tables/{EC}.xlsx"
    with zipfile.ZipFile(path) as book:
        parts = {name: book.read(name) for name in book.namelist() if name != "xl/workbook.xml"}
    with zipfile.ZipFile(path, "w") as book:
        for name, content in parts.items():
            book.writestr(name, content)


def _excel_formula(root: Path) -> None:
    path = root / MB / f"tables/{MB}.xlsx"
    workbook = openpyxl.load_workbook(path)
    workbook["README"]["B3"].value = "=1+1"
    workbook.save(path)


def _listed_twice(root: Path) -> None:
    """Put the first file of the manifest's first part into the second too, whose size and checksum are made to fit."""
    first, second = root / "manifest/0001.json", root / "manifest/0002.json"
    content = _load(second)
    content["files"].insert(0, _load(first)["files"][0])
    _dump(second, content)
    manifest = _load(root / "manifest.json")
    manifest[PARTS][1].update(size=second.stat().st_size, sha256=_sha256(second))
    (root / "manifest.json").write_bytes(sealed(manifest))


def _crate_again(root: Path) -> None:
    """State size and checksum of the parts of a crate as they are, as a careful forger would."""
    folder = root / MB / "metadata"
    crate = _load(folder / "ro-crate-metadata.json")
    for entry in crate["@graph"]:
        if entry["@id"].endswith("/ro-crate-metadata.json"):
            part = folder / entry["@id"]
            entry.update(contentSize=str(part.stat().st_size), sha256=_sha256(part))
    _dump(folder / "ro-crate-metadata.json", crate)


def _in_crate_part(change: Callable[[Any, Any], object]) -> Edit:
    """Change the first part of a crate, given its entities and those of the second; its checksum is made to fit."""

    def edit(root: Path) -> None:
        first, second = (root / MB / f"metadata/files-000{number}/ro-crate-metadata.json" for number in (1, 2))
        content = _load(first)
        change(content["@graph"], _load(second)["@graph"])
        _dump(first, content)
        _crate_again(root)

    return edit


def _file_of(graph: Any) -> Any:
    """The first file that a crate describes."""
    return next(entity for entity in graph if entity["@type"] == "File")


def _without_crate_part(root: Path) -> None:
    path = root / MB / "metadata/ro-crate-metadata.json"
    crate = _load(path)
    crate["@graph"] = [entity for entity in crate["@graph"] if "files-0001" not in entity["@id"]]
    _dump(path, crate)


def _without_sub_catalogue(root: Path) -> None:
    """Remove a sub-catalogue in both languages, with the links of the collection to it; its items stay."""
    for name in ("items-0001.json", "items-0001.zh.json"):
        collection = name.replace("items-0001", "collection")
        (root / MB / name).unlink()
        in_json(f"{MB}/{collection}", lambda content, name=name: _drop_links(content, name))(root)


def _drop_links(content: Any, target: str) -> None:
    content["links"] = [link for link in content["links"] if link["href"] != f"./{target}"]


def _copied(file: str, to: str) -> Edit:
    return lambda root: (root / to).write_bytes((root / file).read_bytes()) and None


def _carriage_returns(root: Path) -> None:
    path = root / MB / "README.md"
    path.write_bytes(path.read_bytes().replace(b"\n", b"\r\n"))


def _load(path: Path) -> Any:
    try:
        return json.loads(path.read_text(encoding="utf-8"))
    except (ValueError, OSError):
        return None


def _dump(path: Path, content: Any) -> None:
    written = (json.dumps(content, indent=2, ensure_ascii=False) + "\n").encode("utf-8")
    if not path.is_file() or path.read_bytes() != written:
        path.write_bytes(written)


def _sha256(path: Path) -> str:
    return hashlib.sha256(path.read_bytes()).hexdigest()


def _typed(text: str, kind: type) -> Any:
    """A cell's text in the type that a copy of the table holds it in."""
    if text == "":
        return None
    if kind is bool:
        return text == "true"
    if kind is int:  # what a workbook makes of 20.0
        return float(text)
    if issubclass(kind, date):
        return kind.fromisoformat(text)
    return kind(text)


_CATALOG, _EC_COLLECTION, _MB_COLLECTION = "catalog.json", f"{EC}/collection.json", f"{MB}/collection.json"
_EC_PACKAGE, _MB_PACKAGE = f"{EC}/datapackage.json", f"{MB}/datapackage.json"
_BALANCES, _ZONES = f"{MB}/tables/glacier_balances.csv", f"{MB}/tables/zone_balances.csv"
_POINTS, _GLACIERS, _GATES = (
    f"{MB}/tables/point_balances.csv",
    f"{EC}/tables/glaciers.csv",
    f"{EC}/tables/quality_gates.csv",
)
_MB_GATES = f"{MB}/tables/quality_gates.csv"
_MAP_2001, _MAP_2003 = f"{MB}/balance-2001/map.png", f"{MB}/balance-2003/map.png"
_DH_ASSET, _ITEM_DH = ("assets", "elevation_change"), ("item_assets", "elevation_change")
_FIRST_DAY, _CODES = ("extent", "temporal", "interval", 0, 0), ("summaries", "proj:code")
_INPUTS = ("properties", "glacier:inputs")
_MOVED = Affine(30.0, 0.0, 460050.0, 0.0, -30.0, 4794000.0)

DAMAGES = (
    # files
    Damage("catalogue removed", "is-archive", remove(_CATALOG)),
    Damage("manifest removed", "is-archive", remove("manifest.json"), sealed=False),
    Damage("manifest of another program", "is-archive", setting("manifest.json", "archive", to="other"), sealed=False),
    Damage("manifest cut short", "is-archive", truncate("manifest.json"), sealed=False),
    Damage("citation file removed", "layout", remove(f"{EC}/metadata/citation.txt")),
    Damage("ISO 19139 record removed", "layout", remove(f"{EC}/metadata/iso19139.xml")),
    Damage("README removed", "layout", remove(f"{MB}/README.md")),
    Damage("page of the archive removed", "layout", remove("index.html")),
    Damage("page of an item removed", "layout", remove(f"{MB}/balance-2001/index.html")),
    Damage("data package removed", "layout", remove(_EC_PACKAGE)),
    Damage("item document removed", "layout", remove(MB_ITEM)),
    Damage("collection document removed", "layout", remove(_MB_COLLECTION)),
    Damage("one bit of the manifest", "manifest-intact", flip_bit("manifest.json", 0.002), sealed=False),
    Damage(
        "one word of the definition in the manifest",
        "manifest-intact",
        setting("manifest.json", "datasets", 0, "definition", "original", "description", to="Other words."),
        sealed=False,
    ),
    Damage(
        "setting altered in the manifest",
        "manifest-intact",
        setting("manifest.json", "datasets", 1, "settings", "sigma_reading_m", to=0.04),
        sealed=False,
    ),
    Damage(
        "a blank more in the manifest",
        "manifest-intact",
        in_text("manifest.json", '"archive": ', '"archive":  '),
        sealed=False,
    ),
    Damage("own checksum taken out of the manifest", "manifest-intact", drop("manifest.json", SEAL), sealed=False),
    Damage("file removed, manifest kept", "manifest-complete", remove(f"{MB}/README.md"), sealed=False),
    Damage("stray file at the root", "manifest-complete", add("notes.txt"), sealed=False),
    Damage("stray hidden file", "manifest-complete", add(f"{EC}/.DS_Store"), sealed=False),
    Damage("symbolic link out of the tree", "manifest-complete", link_out),
    Damage("entry taken out of the manifest", "manifest-complete", drop("manifest.json", "files", 3), sealed=False),
    Damage(
        "entry twice in the manifest",
        "manifest-complete",
        in_json("manifest.json", lambda m: m["files"].append(m["files"][0])),
        sealed=False,
    ),
    Damage(
        "manifest out of order",
        "manifest-complete",
        in_json("manifest.json", lambda m: m["files"].reverse()),
        sealed=False,
    ),
    Damage(
        "size in the manifest altered",
        "manifest-sizes",
        in_json("manifest.json", _file_entry(0, "size", 1)),
        sealed=False,
    ),
    Damage("file cut short", "manifest-sizes", truncate(f"{EC}/README.md"), sealed=False),
    Damage(
        "checksum in the manifest altered",
        "manifest-checksums",
        in_json("manifest.json", _file_entry(0, "sha256", "0" * 64)),
        sealed=False,
    ),
    Damage("one bit of a raster", "manifest-checksums", flip_bit(DH, 0.7), sealed=False),
    Damage("one bit of a table", "manifest-checksums", flip_bit(_GLACIERS, 0.5), sealed=False),
    Damage("one bit of a picture", "manifest-checksums", flip_bit(f"{EC}/elevation-change/map.png", 0.5), sealed=False),
    Damage("one bit of a page", "manifest-checksums", flip_bit("index.html", 0.9), sealed=False),
    Damage("two files swapped", "manifest-checksums", swap(DH, SIGMA), sealed=False),
    Damage("code version taken out of the manifest", "manifest-provenance", drop("manifest.json", "code_version")),
    Damage(
        "inputs taken out of the manifest",
        "manifest-provenance",
        setting("manifest.json", "datasets", 0, "inputs", to=[]),
    ),
    Damage(
        "checksum of an input cut short",
        "manifest-provenance",
        setting("manifest.json", "datasets", 0, "inputs", 0, "sha256", to="abc"),
    ),
    Damage(
        "settings taken out of the manifest",
        "manifest-provenance",
        setting("manifest.json", "datasets", 0, "settings", to={}),
    ),
    Damage("dataset taken out of the manifest", "manifest-provenance", drop("manifest.json", "datasets", 1)),
    Damage("JSON cut short", "json-parses", truncate(f"{EC}/metadata/ncdc.json")),
    Damage(
        "NaN in JSON",
        "json-parses",
        in_text(f"{EC}/metadata/ncdc.json", '"ds_acq_alt_high": 4500.0', '"ds_acq_alt_high": NaN'),
    ),
    Damage(
        "a key twice in JSON",
        "json-parses",
        in_text(_CATALOG, '"type": "Catalog",', '"type": "Catalog", "type": "Catalog",'),
    ),
    Damage(
        "JSON in UTF-16",
        "json-parses",
        lambda root: (root / EC / "metadata/datacite.json").write_bytes("{}".encode("utf-16")) and None,
    ),
    Damage("XML cut short", "xml-parses", truncate(f"{EC}/metadata/iso19139.xml")),
    Damage(
        "XML with an entity bomb",
        "xml-parses",
        add(f"{EC}/metadata/datacite.xml", b'<!DOCTYPE a [<!ENTITY b "boom">]><a>&b;</a>'),
    ),
    Damage(
        "absolute path in a README",
        "texts-portable",
        in_text(f"{EC}/README.md", "## Files", "## Files in /home/me/archive"),
    ),
    Damage("file URL in a document", "texts-portable", setting(_CATALOG, "description", to="see file:///data/x")),
    Damage("carriage returns", "texts-portable", _carriage_returns),
    Damage(
        "README in GBK",
        "texts-portable",
        lambda root: (root / EC / "README.md").write_bytes("冰川".encode("gbk")) and None,
    ),
    Damage("picture cut short", "images", truncate(f"{EC}/elevation-change/map.png")),
    Damage("text called a picture", "images", add(f"{EC}/elevation-change/thumbnail.png", b"no picture")),
    Damage("thumbnail too large", "images", huge_thumbnail),
    Damage(
        "synthetic flag turned off in STAC",
        "synthetic-stated",
        setting(EC_ITEM, "properties", "glacier:synthetic", to=False),
    ),
    Damage(
        "synthetic flag turned off in the manifest",
        "synthetic-stated",
        setting("manifest.json", "datasets", 0, "synthetic", to=False),
    ),
    # STAC
    Damage("collection that calls itself a catalogue", "stac-type", setting(_EC_COLLECTION, "type", to="Catalog")),
    Damage("another STAC version", "stac-type", setting(EC_ITEM, "stac_version", to="1.0.0")),
    Damage("item with another id than its folder", "stac-type", setting(EC_ITEM, "id", to="other")),
    Damage("item of another collection", "stac-type", setting(MB_ITEM, "collection", to=EC)),
    Damage("licence removed", "stac-schema", drop(_EC_COLLECTION, "license")),
    Damage("geometry of no kind", "stac-schema", setting(EC_ITEM, "geometry", "type", to="Blob")),
    Damage("links as an object", "stac-schema", setting(EC_ITEM, "links", to={})),
    Damage("share above one", "stac-schema", setting(MB_ITEM, "properties", "glacier:aar", to=1.5)),
    Damage("unknown field of ours", "stac-schema", setting(MB_ITEM, "properties", "glacier:mood", to="fine")),
    Damage(
        "checksum that is no multihash",
        "stac-schema",
        setting(EC_ITEM, "assets", "visual", "file:checksum", to="xyz"),
        sealed=False,
    ),
    Damage("child link to nowhere", "links-resolve", link_of(_CATALOG, "child", "./gone/collection.json")),
    Damage("absolute parent link", "links-resolve", link_of(EC_ITEM, "parent", "/collection.json")),
    Damage("link out of the tree", "links-resolve", link_of(EC_ITEM, "root", "../../../catalog.json")),
    Damage("parent link to a web server", "links-resolve", link_of(EC_ITEM, "parent", "https://example.org/c.json")),
    Damage("child link removed", "links-both-ways", without_link(_CATALOG, "child")),
    Damage("item link removed", "links-both-ways", without_link(_MB_COLLECTION, "item")),
    Damage("parent link removed", "links-both-ways", without_link(MB_ITEM, "parent")),
    Damage("root link removed", "links-both-ways", without_link(_EC_COLLECTION, "root")),
    Damage(
        "item of the one collection linked from the other",
        "links-both-ways",
        link_of(_MB_COLLECTION, "item", f"../{EC}/elevation-change/elevation-change.json"),
    ),
    Damage("asset of no file", "assets-exist", setting(EC_ITEM, "assets", "visual", "href", to="./gone.tif")),
    Damage("asset outside the tree", "assets-exist", setting(EC_ITEM, "assets", "visual", "href", to="../../../x.tif")),
    Damage("asset on this machine", "assets-exist", setting(EC_ITEM, "assets", "visual", "href", to="/x.tif")),
    Damage("asset taken out of an item", "assets-exist", drop(EC_ITEM, "assets", "outlines")),
    Damage("file beside an item that no asset names", "assets-exist", add(f"{EC}/elevation-change/extra.txt")),
    Damage("file removed with its manifest entry", "assets-exist", remove(f"{MB}/balance-2001/isolines.geojson")),
    Damage(
        "size of an asset altered",
        "asset-checksums",
        setting(EC_ITEM, "assets", "visual", "file:size", to=5),
        sealed=False,
    ),
    Damage(
        "checksum of an asset altered",
        "asset-checksums",
        setting(EC_ITEM, "assets", "visual", "file:checksum", to="1220" + "0" * 64),
        sealed=False,
    ),
    Damage("swapped corners", "item-extent", in_json(EC_ITEM, _swap_corners)),
    Damage("bbox unlike the geometry", "item-extent", in_json(EC_ITEM, _shift_bbox)),
    Damage("bbox off the globe", "item-extent", setting(EC_ITEM, "bbox", to=[86, 43, 587, 44])),
    Damage("bbox of three numbers", "item-extent", setting(EC_ITEM, "bbox", to=[86, 43, 87])),
    Damage("end before start", "item-time", in_json(MB_ITEM, _swap_days)),
    Damage(
        "datetime outside the period",
        "item-time",
        setting(MB_ITEM, "properties", "datetime", to="1990-01-01T00:00:00Z"),
    ),
    Damage(
        "time without a zone", "item-time", setting(MB_ITEM, "properties", "start_datetime", to="2000-08-28T00:00:00")
    ),
    Damage("time that is none", "item-time", setting(MB_ITEM, "properties", "end_datetime", to="yesterday")),
    Damage(
        "collection smaller than its items",
        "collection-extent",
        setting(_EC_COLLECTION, "extent", "spatial", "bbox", to=[[86.5, 43.28, 86.51, 43.29]]),
    ),
    Damage(
        "collection ends before its items",
        "collection-extent",
        setting(_MB_COLLECTION, "extent", "temporal", "interval", 0, 1, to="2001-01-01T00:00:00Z"),
    ),
    Damage(
        "collection larger than its items",
        "collection-union",
        setting(_EC_COLLECTION, "extent", "spatial", "bbox", to=[[80, 40, 90, 50]]),
    ),
    Damage(
        "render of an absent asset",
        "renders",
        setting(EC_ITEM, "properties", "renders", "visual", "assets", to=["gone"]),
    ),
    Damage("Chinese item removed", "language-twins", remove(_MB_ITEM_ZH)),
    Damage("Chinese collection unnamed", "language-twins", without_link(_MB_COLLECTION, "alternate")),
    Damage("Chinese collection that names another twin", "language-twins", link_of(_ZH, "alternate", "./x.json")),
    Damage("Chinese item called English", "language-twins", setting(_MB_ITEM_ZH, *_LANGUAGE, "code", to="en")),
    Damage("parent link into the other language", "links-both-ways", link_of(_ZH, "parent", "../catalog.json")),
    Damage(
        "another value in Chinese",
        "twins-equal",
        setting(_MB_ITEM_ZH, "properties", "glacier:balance", "annual_m_we", to=0.3),
        sealed=False,
    ),
    Damage("asset missing in Chinese", "twins-equal", drop(_MB_ITEM_ZH, "assets", "balance"), sealed=False),
    Damage("licence link missing in Chinese", "twins-equal", without_link(_ZH, "license"), sealed=False),
    Damage("text without end", "document-size", setting(EC_ITEM, "properties", "description", to="x" * 1_000_001)),
    Damage("table of items removed", "search-table", remove("items.parquet"), sealed=False),
    Damage("table of items cut short", "search-table", truncate("items.parquet"), sealed=False),
    Damage("row of an item removed", "search-table", _rows_of_the_search_table(lambda rows: rows.pop()), sealed=False),
    Damage(
        "row of an item twice",
        "search-table",
        _rows_of_the_search_table(lambda rows: rows.append(rows[0])),
        sealed=False,
    ),
    Damage(
        "value of an item altered in the table",
        "search-table",
        _rows_of_the_search_table(lambda rows: rows[0]["properties"].update(version="0.0.1")),
        sealed=False,
    ),
    Damage(
        "infinity in STAC", "numbers-finite", setting(EC_ITEM, "properties", "glacier:shift_m", "east", to=float("inf"))
    ),
    # rasters
    Damage("raster cut short", "raster-opens", truncate(DH)),
    Damage("text called a raster", "raster-opens", add(DH, b"no raster")),
    Damage("one bit within a tile, checksums made to fit", "raster-statistics", rewritten(DH, pixels=_raise_pixel)),
    Damage("raster without tiles", "cog-structure", rewritten(DH, tiled=False, blockysize=16)),
    Damage("tiles of another size", "cog-structure", rewritten(DH, blockxsize=128, blockysize=128)),
    Damage("another compression", "cog-structure", rewritten(DH, compress="lzw")),
    Damage("transform in GDAL's order", "raster-georeference", in_json(EC_ITEM, _gdal_order)),
    Damage("shape as columns and rows", "raster-georeference", in_json(EC_ITEM, _reverse_shape)),
    Damage(
        "another CRS in STAC",
        "raster-georeference",
        setting(EC_ITEM, "assets", "elevation_change", "proj:code", to="EPSG:32644"),
    ),
    Damage(
        "another projected bbox",
        "raster-georeference",
        setting(EC_ITEM, "assets", "elevation_change", "proj:bbox", to=[0, 0, 1, 1]),
    ),
    Damage(
        "raster moved by a pixel",
        "raster-georeference",
        rewritten(DH, transform=Affine(30.0, 0.0, 460050.0, 0.0, -30.0, 4794000.0)),
    ),
    Damage("raster in another CRS", "raster-georeference", rewritten(DH, crs="EPSG:32644")),
    Damage("item moved away from its raster", "raster-georeference", in_json(EC_ITEM, _shift_all)),
    Damage(
        "another nodata in STAC",
        "raster-bands",
        setting(EC_ITEM, "assets", "elevation_change", "bands", 0, "nodata", to=0),
    ),
    Damage("another nodata in the raster", "raster-bands", rewritten(DH, nodata=-32768)),
    Damage(
        "another unit in STAC",
        "raster-bands",
        setting(EC_ITEM, "assets", "elevation_change", "bands", 0, "unit", to="cm"),
    ),
    Damage("unit lost from the raster", "raster-bands", rewritten(DH, units=("",))),
    Damage(
        "another data type in STAC",
        "raster-bands",
        setting(EC_ITEM, "assets", "elevation_change", "bands", 0, "data_type", to="float64"),
    ),
    Damage("band taken out of STAC", "raster-bands", drop(EC_ITEM, "assets", "visual", "bands", 2)),
    Damage("stale mean in STAC", "raster-statistics", in_json(EC_ITEM, _statistic("elevation_change", "mean", 1.0))),
    Damage(
        "minimum above maximum",
        "raster-statistics",
        in_json(EC_ITEM, _statistic("elevation_change", "minimum", 9999.0)),
    ),
    Damage("stale standard deviation", "raster-statistics", in_json(MB_ITEM, _statistic("balance", "stddev", 9.0))),
    Damage(
        "stale share of valid pixels",
        "raster-statistics",
        in_json(MB_ITEM, _statistic("balance", "valid_percent", 100.0)),
    ),
    Damage("stale count of pixels", "raster-statistics", in_json(MB_ITEM, _statistic("balance", "count", 3))),
    Damage("statistics taken out", "raster-statistics", drop(MB_ITEM, "assets", "balance", "bands", 0, "statistics")),
    Damage(
        "stale statistics in the file",
        "raster-statistics",
        rewritten(DH, band_tags=[{"STATISTICS_MEAN": "12", "STATISTICS_MINIMUM": "0"}]),
    ),
    Damage("rasters of two products swapped", "raster-statistics", swap(DH, SIGMA)),
    Damage("class that the legend does not know", "raster-classes", rewritten(CLASSES, pixels=_strange_class)),
    Damage(
        "class taken out of the legend",
        "raster-classes",
        drop(EC_ITEM, "assets", "classification", "classification:classes", 2),
    ),
    # tables
    Damage(
        "table that the data package does not name", "datapackage-complete", add(f"{EC}/tables/extra.csv", b"a\n1\n")
    ),
    Damage("table taken out of the data package", "datapackage-complete", drop(_EC_PACKAGE, "resources", 0)),
    Damage(
        "table named twice",
        "datapackage-complete",
        in_json(_EC_PACKAGE, lambda p: p["resources"].append(p["resources"][0])),
    ),
    Damage(
        "size of a table altered",
        "datapackage-complete",
        setting(_EC_PACKAGE, "resources", 0, "bytes", to=1),
        sealed=False,
    ),
    Damage(
        "hash of a table altered",
        "datapackage-complete",
        setting(_EC_PACKAGE, "resources", 0, "hash", to="sha256:" + "0" * 64),
        sealed=False,
    ),
    Damage(
        "another unit of a column", "table-schemas", in_json(_EC_PACKAGE, _field("glaciers", "mean_dh_m", "unit", "cm"))
    ),
    Damage(
        "another type of a column",
        "table-schemas",
        in_json(_EC_PACKAGE, _field("glaciers", "mean_dh_m", "type", "string")),
    ),
    Damage(
        "limits of a column loosened",
        "table-schemas",
        in_json(_MB_PACKAGE, _field("point_balances", "balance_m_we", "constraints", {})),
    ),
    Damage(
        "another primary key",
        "table-schemas",
        in_json(_EC_PACKAGE, _schema_key("glaciers", "primaryKey", ["glacier_name"])),
    ),
    Damage("foreign key taken out", "table-schemas", in_json(_MB_PACKAGE, _schema_key("readings", "foreignKeys", []))),
    Damage("two columns swapped", "table-header", _swap_columns(_GLACIERS)),
    Damage("column renamed", "table-header", in_text(_GLACIERS, "mean_dh_m", "mean_change_m")),
    Damage("text in a number column", "table-cells", in_table(_GLACIERS, 0, "mean_dh_m", "much")),
    Damage("NaN in a number column", "table-cells", in_table(_GLACIERS, 0, "mean_dh_m", "NaN")),
    Damage("number beyond its limit", "table-cells", in_table(_POINTS, 0, "balance_m_we", "-99.00")),
    Damage("negative standard deviation", "table-cells", in_table(_GLACIERS, 0, "sigma_mean_dh_m", "-0.400")),
    Damage("share above one in a table", "table-cells", in_table(_GLACIERS, 0, "observed_share", "1.5000")),
    Damage("value outside a list", "table-cells", in_table(_POINTS, 0, "bound", "~")),
    Damage("required cell empty", "table-cells", in_table(_POINTS, 0, "begin_date", "")),
    Damage("day that is in no calendar", "table-cells", in_table(_POINTS, 0, "begin_date", "2001-02-30")),
    Damage("fraction in an integer column", "table-cells", in_table(f"{EC}/tables/accuracy.csv", 0, "count", "4000.5")),
    Damage("record twice", "table-primary-keys", _repeat_record(_GLACIERS)),
    Damage("key empty", "table-primary-keys", in_table(_GLACIERS, 0, "glacier_id", "")),
    Damage("reference to no record", "table-foreign-keys", in_table(f"{MB}/tables/readings.csv", 0, "stake_id", "99")),
    Damage("cell of a table edited, copies kept", "table-copies", in_table(_GLACIERS, 0, "median_dh_m", "1.000")),
    Damage("cell of the Parquet copy edited", "table-copies", _parquet_cell),
    Damage("cell of the workbook edited", "table-copies", _excel_cell),
    Damage("workbook cut short", "table-copies", truncate(f"{EC}/tables/{EC}.xlsx")),
    Damage("Parquet cut short", "table-copies", truncate(f"{EC}/tables/glaciers.parquet")),
    Damage(
        "meaning altered in the data dictionary",
        "data-dictionary",
        in_copies(EC, "data_dictionary", 4, "meaning", "something else"),
    ),
    Damage("unit altered in the data dictionary", "data-dictionary", _unit_in_dictionary),
    Damage("line taken out of the data dictionary", "data-dictionary", _shorter(f"{EC}/tables/data_dictionary.csv")),
    Damage("GeoParquet without its metadata", "geoparquet-metadata", _plain_parquet(_OUTLINES_PARQUET)),
    Damage("GeoParquet in another CRS", "geoparquet-metadata", _geo(_OUTLINES_PARQUET, "crs", {"name": "nowhere"})),
    Damage("bounds of a GeoParquet altered", "geoparquet-metadata", _geo(_OUTLINES_PARQUET, "bbox", [0, 0, 1, 1])),
    Damage("kinds of geometry altered", "geoparquet-metadata", _geo(_OUTLINES_PARQUET, "geometry_types", ["Point"])),
    Damage("stakes moved", "geoparquet-places", _moved(f"{MB}/tables/stakes.parquet")),
    Damage("glaciers moved", "geoparquet-places", _moved(f"{EC}/tables/glaciers.parquet")),
    Damage("outlines moved", "geoparquet-places", _moved(_OUTLINES_PARQUET)),
    Damage("outlines of other epochs", "geoparquet-places", _renamed_epochs),
    Damage("outline of a year moved", "balance-in-outline", _moved_outline),
    Damage("outline of a year in GeoParquet moved", "geoparquet-places", _moved(f"{MB}/balance-2001/outline.parquet")),
    Damage("style of a raster removed", "style-of-raster", remove(f"{EC}/elevation-change/elevation_change.qml")),
    Damage(
        "style of another range",
        "style-of-raster",
        in_text(f"{MB}/balance-2001/balance.qml", 'classificationMax="', 'classificationMax="9'),
    ),
    Damage(
        "styles of two rasters swapped",
        "style-of-raster",
        swap(f"{MB}/balance-2001/balance.qml", f"{MB}/balance-2001/balance_sigma.qml"),
    ),
    Damage(
        "class taken out of a style",
        "style-of-raster",
        in_text(f"{EC}/elevation-change/classification.qml", 'value="2"', 'value="7"'),
    ),
    Damage("style that no asset names", "style-of-raster", drop(EC_ITEM, "assets", "classification_style")),
    Damage("style that is no XML", "style-of-raster", truncate(f"{EC}/elevation-change/classification.qml")),
    Damage("another colour table", "colour-table", _other_colours),
    Damage(
        "epoch taken out of a style",
        "style-of-features",
        in_text(f"{EC}/elevation-change/outlines.qml", 'value="2000"', 'value="1999"'),
    ),
    Damage(
        "style by a property that is not there",
        "style-of-features",
        in_text(f"{MB}/balance-2001/isolines.qml", 'fieldName="balance_m_we"', 'fieldName="ela"'),
    ),
    Damage("style of features removed", "style-of-features", remove(f"{EC}/elevation-change/glaciers.qml")),
    Damage("ragged row", "datapackage-conforms", in_text(_GATES, "stable terrain", "stable terrain,extra")),
    Damage(
        "absolute path in the data package",
        "datapackage-conforms",
        setting(_EC_PACKAGE, "resources", 0, "path", to="/etc/hostname"),
    ),
    # across files
    Damage(
        "volume that is not area times mean",
        "volume-is-area-times-mean",
        in_copies(EC, "glaciers", 0, "volume_change_m3", "123456789"),
    ),
    Damage("mass that grows where ice is lost", "rates-follow-changes", _negate(EC, "glaciers", 0, "mass_change_kg")),
    Damage(
        "annual balance unlike its seasons",
        "annual-is-winter-plus-summer",
        in_copies(MB, "glacier_balances", 0, "winter_balance_m_we", "1.21"),
    ),
    Damage("zone altered", "zones-make-the-glacier", in_copies(MB, "zone_balances", 0, "annual_balance_m_we", "2.50")),
    Damage("zones that overlap", "zones-in-order", in_copies(MB, "zone_balances", 1, "lower_m", "3520")),
    Damage("zone upside down", "zones-in-order", in_copies(MB, "zone_balances", 0, "upper_m", "3400")),
    Damage(
        "year that ends before it begins",
        "periods-in-order",
        in_copies(MB, "glacier_balances", 0, "end_date", "1999-08-30"),
    ),
    Damage(
        "item of a year that no table has", "years-have-items", setting(MB_ITEM, "properties", "glacier:year", to=1999)
    ),
    Damage(
        "balance in STAC unlike the table",
        "balance-table-is-in-stac",
        setting(MB_ITEM, "properties", "glacier:balance", "annual_m_we", to=0.3),
    ),
    Damage(
        "sigma in STAC unlike the table",
        "balance-table-is-in-stac",
        setting(MB_ITEM, "properties", "glacier:balance", "sigma_annual_m_we", to=0.01),
    ),
    Damage(
        "equilibrium line in STAC unlike the table",
        "balance-table-is-in-stac",
        setting(MB_ITEM, "properties", "glacier:ela", "altitude_m", to=3000),
    ),
    Damage("balance raster unlike the table", "field-mean-is-in-table", rewritten(BALANCE, pixels=_plus(0.5))),
    Damage(
        "totals unlike the glaciers",
        "totals-follow-glaciers",
        setting(EC_ITEM, "properties", "glacier:totals", "area_km2", to=99.0),
    ),
    Damage(
        "number of glaciers altered",
        "totals-follow-glaciers",
        setting(EC_ITEM, "properties", "glacier:totals", "count", to=3),
    ),
    Damage(
        "value of a glacier in GeoJSON altered",
        "glaciers-in-geojson",
        setting(f"{EC}/elevation-change/glaciers.geojson", "features", 0, "properties", "mean_dh_m", to=9.0),
    ),
    Damage(
        "glacier taken out of GeoJSON",
        "glaciers-in-geojson",
        drop(f"{EC}/elevation-change/glaciers.geojson", "features", 0),
    ),
    Damage("raster unlike the table of glaciers", "glacier-means-are-in-raster", rewritten(DH, pixels=_plus(3.0))),
    Damage("raster mirrored", "glacier-means-are-in-raster", rewritten(DH, pixels=_mirror)),
    Damage("gate that failed", "quality-gates", in_copies(EC, "quality_gates", 0, "passed", "false")),
    Damage("value beyond the limit of a gate", "quality-gates", in_copies(EC, "quality_gates", 0, "value", "5.0000")),
    Damage(
        "verdict in STAC unlike the table",
        "quality-gates",
        setting(_EC_COLLECTION, "glacier:gates", 0, "passed", to=False),
    ),
    Damage(
        "gate value unlike what was measured", "gates-follow-data", in_copies(EC, "quality_gates", 0, "value", "0.0100")
    ),
    Damage(
        "gate value unlike the sigma of the year",
        "gates-follow-data",
        in_copies(MB, "quality_gates", 0, "value", "20.0000"),
    ),
    Damage("another version of the collection", "versions-equal", setting(_EC_COLLECTION, "version", to="9.9.9")),
    Damage("another version of an item", "versions-equal", setting(MB_ITEM, "properties", "version", to="9.9.9")),
    Damage("another version of the data package", "versions-equal", setting(_EC_PACKAGE, "version", to="9.9.9")),
    Damage(
        "setting altered in STAC",
        "versions-equal",
        setting(EC_ITEM, "properties", "glacier:settings", "outlier_nmad", to=9.0),
    ),
    Damage(
        "row count in STAC altered",
        "tables-in-stac",
        setting(_EC_COLLECTION, "assets", "table_glaciers", "table:row_count", to=3),
    ),
    Damage(
        "column in STAC renamed",
        "tables-in-stac",
        setting(_EC_COLLECTION, "assets", "table_glaciers", "table:columns", 0, "name", to="id"),
    ),
    *(
        Damage(f"citation altered in {file}", "citation-equal", in_text(file, "version 1.2.0", "version 1.3.0"))
        for file in (
            _EC_COLLECTION,
            f"{EC}/index.html",
            f"{EC}/metadata/citation.txt",
            f"{EC}/metadata/ncdc.json",
            f"{EC}/metadata/datacite.json",
            f"{EC}/metadata/iso19139.xml",
            f"{EC}/metadata/dataset.jsonld",
            f"{EC}/metadata/ro-crate-metadata.json",
        )
    ),
    Damage(
        "portal field in STAC altered", "ncdc-equal", setting(_EC_COLLECTION, "glacier:ncdc", "ds_quality", to="0.1 m")
    ),
    Damage(
        "portal field missing in STAC", "ncdc-equal", setting(f"{EC}/metadata/ncdc.json", "ds_share_type", to="open")
    ),
    # metadata and vectors
    Damage(
        "schema of our fields loosened",
        "own-schema",
        setting(SCHEMA_PATH, "definitions", "fields", "properties", to={}),
    ),
    Damage("schema of our fields removed", "own-schema", remove(SCHEMA_PATH)),
    Damage("features of another type", "geojson", setting(f"{EC}/elevation-change/outlines.geojson", "type", to="x")),
    Damage(
        "outline without corners",
        "geojson",
        setting(f"{EC}/elevation-change/outlines.geojson", "features", 0, "geometry", "coordinates", to=[[]]),
    ),
    Damage(
        "outline that crosses itself",
        "geojson",
        setting(
            f"{EC}/elevation-change/outlines.geojson",
            "features",
            0,
            "geometry",
            "coordinates",
            to=[[[86.51, 43.28], [86.52, 43.29], [86.52, 43.28], [86.51, 43.29], [86.51, 43.28]]],
        ),
    ),
    Damage(
        "outline on another continent",
        "geojson",
        setting(
            f"{EC}/elevation-change/outlines.geojson",
            "features",
            0,
            "geometry",
            "coordinates",
            to=[[[7, 46], [8, 46], [8, 47], [7, 46]]],
        ),
    ),
    Damage(
        "isolines no longer called synthetic",
        "geojson",
        setting(f"{MB}/balance-2001/isolines.geojson", "synthetic", to=False),
    ),
    Damage("DataCite record without titles", "metadata-standards", drop(f"{EC}/metadata/datacite.json", "titles")),
    Damage("field taken out of the NCDC record", "metadata-standards", drop(f"{EC}/metadata/ncdc.json", "ds_quality")),
    Damage(
        "title altered in the NCDC record", "metadata-agrees", setting(f"{EC}/metadata/ncdc.json", "title_en", to="x")
    ),
    Damage(
        "corners swapped in the NCDC record",
        "metadata-agrees",
        setting(f"{EC}/metadata/ncdc.json", "ds_acq_lon_west", to=87.5),
    ),
    Damage(
        "period altered in DataCite",
        "metadata-agrees",
        setting(f"{EC}/metadata/datacite.json", "dates", 1, "date", to="2001-01-01/2010-12-31"),
    ),
    Damage(
        "version altered in schema.org",
        "metadata-agrees",
        setting(f"{EC}/metadata/dataset.jsonld", "version", to="9.9.9"),
    ),
    *(
        Damage(f"{what} altered in {file}", "metadata-agrees", in_text(f"{EC}/{file}", old, new))
        for file, what, old, new in (
            ("metadata/datacite.xml", "contact", "Min Yufang", "Max Yufang"),
            ("metadata/datacite.xml", "keyword", ">Earth Science<", ">Mars Science<"),
            ("metadata/iso19139.xml", "telephone", "09314967596", "09314967597"),
            ("metadata/iso19139.xml", "project", "2023NCDC008", "2023NCDC009"),
            ("metadata/CITATION.cff", "period", "Period: 2000-01-01", "Period: 2001-01-01"),
            ("metadata/CITATION.cff", "list of authors", "authors:\n", "authors: [\n"),
            ("metadata/ro-crate-metadata.json", "extent", "43.0 86.5 43.3 87.5", "43.0 86.5 43.4 87.5"),
            ("metadata/ro-crate-metadata.json", "title", "[SYNTHETIC SAMPLE] ", ""),
            ("datapackage.json", "e-mail", "ncdc@lzb.ac.cn", "other@lzb.ac.cn"),
            ("datapackage.json", "citation", "2024, version 1.2.0.", "2025, version 1.2.0."),
            ("collection.json", "keyword", '"Earth Science"', '"Mars Science"'),
            ("index.html", "version in the JSON-LD", '"version":"1.2.0"', '"version":"1.2.1"'),
            ("index.html", "kind of the JSON-LD", "application/ld+json", "application/json"),
        )
    ),
    Damage(
        "DOI invented in one rendering",
        "metadata-agrees",
        setting(f"{EC}/metadata/datacite.json", "doi", to="10.12072/ncdc.1"),
    ),
    Damage("changelog removed", "changelog", remove(f"{MB}/CHANGELOG.md")),
    Damage(
        "changelog altered", "changelog", in_text(f"{EC}/CHANGELOG.md", "The first version.", "Nothing has changed.")
    ),
    Damage("definition of another version in the manifest", "changelog", _definition_version),
    Damage(
        "citation altered in the README",
        "metadata-texts-agree",
        in_text(f"{EC}/README.md", "version 1.2.0", "version 1.3.0"),
    ),
    Damage(
        "extent altered in the citation text",
        "metadata-texts-agree",
        in_text(f"{EC}/metadata/citation.txt", ": 86.5 43.0", ": 86.4 43.0"),
    ),
    Damage(
        "licence altered in the README",
        "metadata-texts-agree",
        in_text(f"{EC}/README.md", "Licence: ", "Licence: CC0 "),
    ),
    Damage(
        "publication year altered in DataCite",
        "metadata-is-dated",
        setting(f"{EC}/metadata/datacite.json", "publicationYear", to="2023"),
    ),
    Damage(
        "synthetic mark taken out of the NCDC record",
        "metadata-is-dated",
        setting(f"{MB}/metadata/ncdc.json", "synthetic", to=False),
    ),
    Damage("formula in a CSV", "no-formulas", in_table(f"{MB}/tables/stakes.csv", 0, "remarks", "=1+1")),
    Damage("formula in the workbook", "no-formulas", _excel_formula),
    Damage(
        "checksum altered in RO-Crate",
        "metadata-files",
        in_text(f"{EC}/metadata/ro-crate-metadata.json", '"sha256": "', '"sha256": "f'),
    ),
    Damage("file taken out of schema.org", "metadata-files", drop(f"{EC}/metadata/dataset.jsonld", "distribution", 0)),
    Damage(
        "total size altered in the NCDC record",
        "metadata-files",
        setting(f"{EC}/metadata/ncdc.json", "ds_total_size", to=1),
    ),
    Damage("format of the manifest altered", "manifest-provenance", setting("manifest.json", "format", to=2)),
    # whole files and packages
    Damage("one bit of a picture, checksums made to fit", "images", flip_bit(f"{EC}/elevation-change/map.png", 0.5)),
    Damage("one bit of a workbook, checksums made to fit", "workbooks", flip_bit(f"{MB}/tables/{MB}.xlsx", 0.5)),
    Damage("list of sheets taken out of a workbook", "workbooks", _without_part),
    Damage("text called a workbook", "workbooks", add(f"{EC}/tables/{EC}.xlsx", b"no workbook")),
    Damage("one bit of a tile, checksums made to fit", "raster-tiles", flip_bit_of_tile(DH)),
    Damage("one bit of a tile of colours", "raster-tiles", flip_bit_of_tile(_MB_VISUAL)),
    Damage("pictures of two years swapped", "manifest-checksums", swap(_MAP_2001, _MAP_2003), sealed=False),
    Damage("tables of two collections swapped", "manifest-sizes", swap(_GATES, _MB_GATES), sealed=False),
    # what STAC says of files
    Damage("media type of a raster altered", "asset-types", setting(EC_ITEM, *_DH_ASSET, "type", to="image/png")),
    Damage("asset without a role", "asset-types", drop(EC_ITEM, *_DH_ASSET, "roles")),
    Damage("asset without a title", "asset-types", drop(_EC_COLLECTION, "assets", "readme", "title")),
    Damage(
        "another pixel size in STAC",
        "raster-georeference",
        setting(EC_ITEM, *_DH_ASSET, "raster:spatial_resolution", to=90.0),
    ),
    Damage("transform of five numbers", "raster-georeference", drop(EC_ITEM, *_DH_ASSET, "proj:transform", 5)),
    Damage("transform taken out", "raster-georeference", drop(EC_ITEM, *_DH_ASSET, "proj:transform")),
    Damage("CRS taken out of STAC", "raster-georeference", _no_code),
    Damage("north and south swapped in STAC", "raster-georeference", in_json(EC_ITEM, _flip_north)),
    Damage("picture moved by a pixel", "picture-on-grid", rewritten(_EC_VISUAL, transform=_MOVED)),
    Damage("picture with rows of another place", "picture-on-grid", rewritten(_EC_VISUAL, pixels=_more_rows)),
    Damage("picture painted beyond its edge", "picture-on-grid", rewritten(_MB_VISUAL, pixels=_painted_edge)),
    Damage("overviews of another raster", "raster-overviews", rewritten(DH, overviews_of=_plus(90.0))),
    Damage("overviews of a mirrored picture", "raster-overviews", rewritten(_MB_VISUAL, overviews_of=_mirror)),
    Damage(
        "collection longer than its items",
        "collection-union",
        setting(_MB_COLLECTION, "extent", "temporal", "interval", 0, 0, to="1990-01-01T00:00:00Z"),
    ),
    Damage("period of a collection open", "collection-union", setting(_MB_COLLECTION, *_FIRST_DAY, to=None)),
    Damage(
        "range of years in a summary altered",
        "collection-summaries",
        setting(_MB_COLLECTION, "summaries", "glacier:year", "maximum", to=2030),
    ),
    Damage("CRS in a summary altered", "collection-summaries", setting(_EC_COLLECTION, *_CODES, to=["EPSG:32644"])),
    Damage("asset that its collection does not describe", "collection-summaries", drop(_EC_COLLECTION, *_ITEM_DH)),
    # glaciers and balances across tables
    Damage(
        "mass unlike volume times density",
        "mass-is-volume-times-density",
        in_copies(EC, "glaciers", 0, "mass_change_kg", "-1"),
    ),
    Damage(
        "density in the settings altered",
        "mass-is-volume-times-density",
        setting("manifest.json", "datasets", 0, "settings", "ice_density_kg_m3", to=900.0),
    ),
    Damage(
        "rate of other years", "rates-are-changes-per-year", in_copies(EC, "glaciers", 0, "mean_dhdt_m_a", "-0.9000")
    ),
    Damage("date of a DEM altered", "rates-are-changes-per-year", in_copies(EC, "dates", 1, "date", "2010-12-31")),
    Damage("filled share altered", "shares-add-up", in_copies(EC, "glaciers", 0, "filled_share", "0.5000")),
    Damage("blunders beyond what is filled", "shares-add-up", in_copies(EC, "region", 0, "outlier_share", "0.9500")),
    Damage("number of glaciers of the region altered", "region-is-the-sum", in_copies(EC, "region", 0, "count", "8")),
    Damage(
        "volume of the region altered", "region-is-the-sum", in_copies(EC, "region", 0, "volume_change_m3", "-11111111")
    ),
    Damage(
        "area of a zone altered", "zones-fill-the-glacier", in_copies(MB, "zone_balances", 0, "area_km2", "0.50000")
    ),
    Damage(
        "area of a band of the hypsometry altered",
        "zones-fill-the-glacier",
        in_copies(MB, "hypsometry", 0, "area_km2", "0.50000"),
    ),
    Damage(
        "error of the ELA altered",
        "balance-table-is-in-stac",
        in_copies(MB, "glacier_balances", 0, "sigma_ela_m", "90"),
    ),
    Damage(
        "error of the AAR altered",
        "balance-table-is-in-stac",
        in_copies(MB, "glacier_balances", 0, "sigma_aar", "0.900"),
    ),
    Damage("AAR altered", "accumulation-and-ablation-area", in_copies(MB, "glacier_balances", 0, "aar", "0.900")),
    Damage(
        "ablation area altered",
        "accumulation-and-ablation-area",
        in_copies(MB, "glacier_balances", 0, "ablation_area_km2", "0.10000"),
    ),
    Damage(
        "point balance altered", "points-make-the-zones", in_copies(MB, "point_balances", 0, "balance_m_we", "5.00")
    ),
    Damage(
        "point moved up the glacier",
        "points-make-the-zones",
        in_copies(MB, "point_balances", 4, "elevation_m", "3510.0"),
    ),
    Damage("points of a zone miscounted", "points-make-the-zones", in_copies(MB, "zone_balances", 5, "n_points", "9")),
    Damage(
        "cumulative balance altered",
        "cumulative-is-running-sum",
        in_copies(MB, "cumulative_balances", 0, "cumulative_balance_m_we", "9.99"),
    ),
    Damage(
        "annual balance of the series altered",
        "cumulative-is-running-sum",
        in_copies(MB, "cumulative_balances", 0, "annual_balance_m_we", "-9.99"),
    ),
    Damage(
        "year that begins before the one before",
        "years-follow-each-other",
        in_copies(MB, "glacier_balances", 2, "begin_date", "2000-01-01"),
    ),
    Damage(
        "year that ends in another",
        "years-follow-each-other",
        in_copies(MB, "glacier_balances", 0, "end_date", "2002-08-30"),
    ),
    Damage(
        "first day of an item altered",
        "item-period-is-in-table",
        setting(MB_ITEM, "properties", "start_datetime", to="2000-09-15T00:00:00Z"),
    ),
    Damage(
        "point of a reading that is not there",
        "points-name-their-readings",
        in_copies(MB, "point_balances", 0, "readings", "1/1/1999-01-01"),
    ),
    Damage("point without readings", "points-name-their-readings", in_copies(MB, "point_balances", 0, "readings", "")),
    *(
        Damage(f"balance altered in {table}", "wgms-forms-agree", in_copies(MB, table, 0, column, value))
        for table, column, value in (
            ("fog2026_mass_balance", "annual_balance", "-0.99"),
            ("fog2026_mass_balance_band", "annual_balance", "-0.99"),
            ("fog2023_mass_balance", "ANNUAL_BALANCE", "-990"),
        )
    ),
    Damage("year added to a form", "wgms-forms-agree", in_copies(MB, "fog2026_mass_balance", 0, "year", "1999")),
    Damage(
        "balance by one method in STAC altered",
        "balance-table-is-in-stac",
        setting(MB_ITEM, "properties", "glacier:by_method", "zone", to=0.5),
    ),
    Damage(
        "area in STAC altered", "balance-table-is-in-stac", setting(MB_ITEM, "properties", "glacier:area_km2", to=0.5)
    ),
    # where everything comes from
    Damage(
        "checksum of an input altered in an item",
        "provenance-chain",
        setting(EC_ITEM, *_INPUTS, 0, "sha256", to="f" * 64),
    ),
    Damage(
        "checksum of an input altered in the manifest",
        "provenance-chain",
        setting("manifest.json", "datasets", 0, "inputs", 0, "sha256", to="f" * 64),
    ),
    Damage("input taken out of an item", "provenance-chain", drop(MB_ITEM, *_INPUTS, 0)),
    Damage("inputs taken out of an item", "provenance-chain", drop(MB_ITEM, *_INPUTS)),
    Damage("settings taken out of an item", "provenance-chain", drop(EC_ITEM, "properties", "glacier:settings")),
    Damage("lineage taken out of an item", "provenance-chain", drop(EC_ITEM, "properties", "processing:lineage")),
    Damage("steps taken out of an item", "provenance-chain", drop(MB_ITEM, "properties", "processing:expression")),
    Damage(
        "version of a library altered in the manifest",
        "software-equal",
        setting("manifest.json", "tools", "rasterio", to="0.1"),
    ),
    Damage(
        "code version altered in an item",
        "software-equal",
        setting(EC_ITEM, "properties", "processing:software", "glacier-archive", to="9.9.9"),
    ),
    Damage(
        "definition of another dataset",
        "definition-agrees",
        setting("manifest.json", "datasets", 0, "definition", "id", to="other"),
    ),
    Damage(
        "kind of a dataset altered",
        "definition-agrees",
        setting("manifest.json", "datasets", 0, "kind", to="mass_balance"),
    ),
    Damage(
        "licence of the definition altered",
        "definition-agrees",
        setting("manifest.json", "datasets", 1, "definition", "licence", to="CC0-1.0"),
    ),
    # pages
    Damage("link of a page to nowhere", "page-links", in_text("index.html", 'href="catalog.json"', 'href="gone.json"')),
    Damage(
        "page that loads a script from elsewhere",
        "page-links",
        in_text("index.html", "</main>", '<script src="https://example.org/x.js"></script></main>'),
    ),
    Damage(
        "page that loads a picture from elsewhere",
        "page-links",
        in_text("index.html", "</main>", '<img src="//example.org/x.png" alt=""></main>'),
    ),
    Damage(
        "link of a page out of the tree", "page-links", in_text("index.html", 'href="catalog.json"', 'href="../x.json"')
    ),
    Damage(
        "script written into a page",
        "page-scripts",
        in_text("index.html", "</main>", "<script>alert(1)</script></main>"),
    ),
    Damage("page that allows more", "page-scripts", in_text("index.html", "script-src 'self'", "script-src *")),
    Damage(
        "handler in a page", "page-scripts", in_text("index.html", '<main id="main">', '<main id="main" onclick="x()">')
    ),
    Damage("item lost from the search", "page-search", in_text("search.js", "balance-2003", "balance-2004")),
    Damage("year changed in the search", "page-search", in_text("search.js", "2003]", "2004]")),
    Damage("search data of another shape", "page-search", in_text("search.js", "window.", "other.")),
    # lists in parts
    Damage("sub-catalogue removed", "links-resolve", remove(_PART), parted=True),
    Damage("sub-catalogue removed, and every link to it", "links-both-ways", _without_sub_catalogue, parted=True),
    Damage(
        "sub-catalogue that calls itself a collection",
        "stac-type",
        setting(_PART, "type", to="Collection"),
        parted=True,
    ),
    Damage("sub-catalogue of another id", "stac-type", setting(_PART, "id", to="items-0002"), parted=True),
    Damage("sub-catalogue without a description", "stac-schema", drop(_PART, "description"), parted=True),
    Damage("item link taken out of a sub-catalogue", "links-both-ways", without_link(_PART, "item"), parted=True),
    Damage(
        "item of another sub-catalogue",
        "links-both-ways",
        link_of(_PART, "item", "./balance-2003/balance-2003.json"),
        parted=True,
    ),
    Damage(
        "sub-catalogue with another parent", "links-both-ways", link_of(_PART, "parent", "../catalog.json"), parted=True
    ),
    Damage(
        "child link to a sub-catalogue removed", "links-both-ways", without_link(_MB_COLLECTION, "child"), parted=True
    ),
    Damage(
        "item that calls another sub-catalogue its parent",
        "links-both-ways",
        link_of(MB_ITEM, "parent", "../items-0002.json"),
        parted=True,
    ),
    Damage("Chinese sub-catalogue removed", "language-twins", remove(_PART_ZH), parted=True),
    Damage(
        "Chinese sub-catalogue called English",
        "language-twins",
        setting(_PART_ZH, "language", "code", to="en"),
        parted=True,
    ),
    Damage(
        "item link missing in the Chinese sub-catalogue", "twins-equal", without_link(_PART_ZH, "item"), False, True
    ),
    Damage(
        "sub-catalogue in Chinese that leads into English",
        "links-both-ways",
        link_of(_PART_ZH, "parent", "./collection.json"),
        parted=True,
    ),
    Damage(
        "sub-catalogue without end", "document-size", setting(_PART, "description", to="x" * 1_000_001), parted=True
    ),
    Damage("part of the manifest removed", "manifest-complete", remove("manifest/0002.json"), False, True),
    Damage("part of the manifest cut short", "manifest-sizes", truncate("manifest/0002.json"), False, True),
    Damage("one bit of a part of the manifest", "manifest-checksums", flip_bit("manifest/0002.json", 0.4), False, True),
    Damage("file listed by two parts of the manifest", "manifest-complete", _listed_twice, False, True),
    Damage(
        "entry taken out of a part of the manifest",
        "manifest-complete",
        drop("manifest/0001.json", "files", 3),
        False,
        True,
    ),
    Damage("part taken out of the manifest", "manifest-complete", drop("manifest.json", PARTS, 1), False, True),
    Damage(
        "part that the manifest does not name",
        "manifest-complete",
        _copied("manifest/0001.json", "manifest/9999.json"),
        False,
        True,
    ),
    Damage(
        "checksum of a part altered in the manifest",
        "manifest-intact",
        setting("manifest.json", PARTS, 0, "sha256", to="0" * 64),
        False,
        True,
    ),
    Damage("part of a crate removed", "metadata-files", remove(_CRATE_PART), parted=True),
    Damage("part taken out of a crate", "metadata-files", _without_crate_part, parted=True),
    Damage("one bit of a part of a crate", "metadata-files", flip_bit(_CRATE_PART, 0.5), parted=True),
    Damage(
        "checksum altered in a part of a crate",
        "metadata-files",
        _in_crate_part(lambda graph, _: _file_of(graph).update(sha256="0" * 64)),
        parted=True,
    ),
    Damage(
        "file that no part of a crate names",
        "metadata-files",
        _in_crate_part(lambda graph, _: graph.remove(_file_of(graph))),
        parted=True,
    ),
    Damage(
        "file that two parts of a crate name",
        "metadata-files",
        _in_crate_part(lambda graph, other: graph.append(_file_of(other))),
        parted=True,
    ),
    Damage(
        "number of files altered in schema.org",
        "metadata-files",
        setting(f"{MB}/metadata/dataset.jsonld", "size", to="1 files, 2 bytes"),
        parted=True,
    ),
    Damage(
        "table of items taken out of schema.org",
        "metadata-files",
        in_text(f"{MB}/metadata/dataset.jsonld", "../../items.parquet", "../README.md"),
        parted=True,
    ),
)
