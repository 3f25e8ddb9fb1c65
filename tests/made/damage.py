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
from urllib.parse import unquote

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

from catalog.archive.layout import SIGNATURES_JSON, STATEMENT_JSON, is_of_manifest
from catalog.archive.manifest import PARTS, SEAL, manifest_documents, sealed, whole_manifest
from catalog.archive.statement import write_statement
from catalog.stac.item_lists import write_item_lists
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


@dataclass(frozen=True, kw_only=True)
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


def reseal(root: Path, *, records: bool = False) -> None:
    """Bring sizes and checksums in STAC, data packages and manifest up to date, as a careful forger would.

    With ``records`` those in RO-Crate, schema.org and the portal's record too. Nothing that fits already is written
    again.
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
        if records:
            _records_again(package.parent)
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
        # of a manifest that has lost its form nothing can be stated
        with contextlib.suppress(AttributeError, KeyError, TypeError):
            write_statement(root)


def _records_again(folder: Path) -> None:
    """State size, checksum and number of the data files of a collection as they are now."""
    metadata = folder / "metadata"
    crate, offer, portal = (
        _load(metadata / name) for name in ("ro-crate-metadata.json", "dataset.jsonld", "ncdc.json")
    )
    named = [(entry, metadata / unquote(str(entry.get("@id")))) for entry in crate["@graph"] if "sha256" in entry]
    named += [(entry, metadata / unquote(str(entry.get("contentUrl")))) for entry in offer["distribution"]]
    for entry, path in named:
        if path.is_file():
            unit = " B" if str(entry["contentSize"]).endswith(" B") else ""
            entry |= {"contentSize": f"{path.stat().st_size}{unit}", "sha256": _sha256(path)}
    data = {path.resolve() for _, path in named if path.is_file()}
    portal |= {"ds_files_count": len(data), "ds_total_size": sum(path.stat().st_size for path in data)}
    _dump(metadata / "ro-crate-metadata.json", crate)
    _dump(metadata / "dataset.jsonld", offer)
    _dump(metadata / "ncdc.json", portal)
    collection = _load(folder / "collection.json")
    stated = collection.get("glacier:ncdc") if isinstance(collection, dict) else None
    if isinstance(stated, dict):
        stated |= {key: portal[key] for key in ("ds_files_count", "ds_total_size")}
        _dump(folder / "collection.json", collection)


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
    """Write the lists of the items anew, where they can still be put into a table."""
    rows = read_search_table(root / "items.parquet")
    paths = [f"{row['collection']}/{row['id']}/{row['id']}.json" for row in rows]
    # an item that is damaged beyond a table's columns leaves the table as it is
    with contextlib.suppress(
        AttributeError, KeyError, LookupError, TypeError, ValueError, pa.ArrowException, ShapelyError
    ):
        write_item_lists(root, paths)


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
        packed = pq.read_table(folder / f"{table}.parquet")
        place, field = packed.schema.get_field_index(column), packed.schema.field(column)
        values = packed[column].to_pylist()
        known = next((value for value in values if value is not None), None)
        values[row] = _typed(value, type(known)) if known is not None else float(value)
        changed = packed.set_column(place, field, pa.array(values, field.type))
        pq.write_table(changed, folder / f"{table}.parquet", compression="zstd")
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
    # addresses
    Damage(
        name="address that the manifest does not name",
        check="addresses",
        edit=setting(MB_ITEM, "links", 0, to={"rel": "self", "href": "https://example.org/item.json"}),
    ),
    Damage(
        name="address of another archive in the manifest",
        check="addresses",
        edit=setting("manifest.json", "base_url", to="https://example.org/other"),
    ),
    # files
    Damage(name="catalogue removed", check="is-archive", edit=remove(_CATALOG)),
    Damage(name="manifest removed", check="is-archive", edit=remove("manifest.json"), sealed=False),
    Damage(
        name="manifest of another program",
        check="is-archive",
        edit=setting("manifest.json", "archive", to="other"),
        sealed=False,
    ),
    Damage(name="manifest cut short", check="is-archive", edit=truncate("manifest.json"), sealed=False),
    Damage(name="citation file removed", check="layout", edit=remove(f"{EC}/metadata/citation.txt")),
    Damage(name="ISO 19139 record removed", check="layout", edit=remove(f"{EC}/metadata/iso19139.xml")),
    Damage(name="README removed", check="layout", edit=remove(f"{MB}/README.md")),
    Damage(name="page of the archive removed", check="layout", edit=remove("index.html")),
    Damage(name="page of an item removed", check="layout", edit=remove(f"{MB}/balance-2001/index.html")),
    Damage(name="data package removed", check="layout", edit=remove(_EC_PACKAGE)),
    Damage(name="item document removed", check="layout", edit=remove(MB_ITEM)),
    Damage(name="collection document removed", check="layout", edit=remove(_MB_COLLECTION)),
    Damage(
        name="one bit of the manifest", check="manifest-intact", edit=flip_bit("manifest.json", 0.002), sealed=False
    ),
    Damage(
        name="one word of the definition in the manifest",
        check="manifest-intact",
        edit=setting("manifest.json", "datasets", 0, "definition", "original", "description", to="Other words."),
        sealed=False,
    ),
    Damage(
        name="setting altered in the manifest",
        check="manifest-intact",
        edit=setting("manifest.json", "datasets", 1, "settings", "sigma_reading_m", to=0.04),
        sealed=False,
    ),
    Damage(
        name="a blank more in the manifest",
        check="manifest-intact",
        edit=in_text("manifest.json", '"archive": ', '"archive":  '),
        sealed=False,
    ),
    Damage(
        name="own checksum taken out of the manifest",
        check="manifest-intact",
        edit=drop("manifest.json", SEAL),
        sealed=False,
    ),
    Damage(name="file removed, manifest kept", check="manifest-complete", edit=remove(f"{MB}/README.md"), sealed=False),
    Damage(name="stray file at the root", check="manifest-complete", edit=add("notes.txt"), sealed=False),
    Damage(name="stray hidden file", check="manifest-complete", edit=add(f"{EC}/.DS_Store"), sealed=False),
    Damage(name="symbolic link out of the tree", check="manifest-complete", edit=link_out),
    Damage(
        name="entry taken out of the manifest",
        check="manifest-complete",
        edit=drop("manifest.json", "files", 3),
        sealed=False,
    ),
    Damage(
        name="entry twice in the manifest",
        check="manifest-complete",
        edit=in_json("manifest.json", lambda m: m["files"].append(m["files"][0])),
        sealed=False,
    ),
    Damage(
        name="manifest out of order",
        check="manifest-complete",
        edit=in_json("manifest.json", lambda m: m["files"].reverse()),
        sealed=False,
    ),
    Damage(
        name="size in the manifest altered",
        check="manifest-sizes",
        edit=in_json("manifest.json", _file_entry(0, "size", 1)),
        sealed=False,
    ),
    Damage(name="file cut short", check="manifest-sizes", edit=truncate(f"{EC}/README.md"), sealed=False),
    Damage(
        name="checksum in the manifest altered",
        check="manifest-checksums",
        edit=in_json("manifest.json", _file_entry(0, "sha256", "0" * 64)),
        sealed=False,
    ),
    Damage(name="one bit of a raster", check="manifest-checksums", edit=flip_bit(DH, 0.7), sealed=False),
    Damage(name="one bit of a table", check="manifest-checksums", edit=flip_bit(_GLACIERS, 0.5), sealed=False),
    Damage(
        name="one bit of a picture",
        check="manifest-checksums",
        edit=flip_bit(f"{EC}/elevation-change/map.png", 0.5),
        sealed=False,
    ),
    Damage(name="one bit of a page", check="manifest-checksums", edit=flip_bit("index.html", 0.9), sealed=False),
    Damage(name="two files swapped", check="manifest-checksums", edit=swap(DH, SIGMA), sealed=False),
    Damage(
        name="code version taken out of the manifest",
        check="manifest-provenance",
        edit=drop("manifest.json", "code_version"),
    ),
    Damage(
        name="inputs taken out of the manifest",
        check="manifest-provenance",
        edit=setting("manifest.json", "datasets", 0, "inputs", to=[]),
    ),
    Damage(
        name="checksum of an input cut short",
        check="manifest-provenance",
        edit=setting("manifest.json", "datasets", 0, "inputs", 0, "sha256", to="abc"),
    ),
    Damage(
        name="settings taken out of the manifest",
        check="manifest-provenance",
        edit=setting("manifest.json", "datasets", 0, "settings", to={}),
    ),
    Damage(
        name="dataset taken out of the manifest", check="manifest-provenance", edit=drop("manifest.json", "datasets", 1)
    ),
    Damage(name="JSON cut short", check="json-parses", edit=truncate(f"{EC}/metadata/ncdc.json")),
    Damage(
        name="NaN in JSON",
        check="json-parses",
        edit=in_text(f"{EC}/metadata/ncdc.json", '"ds_acq_alt_high": 4500.0', '"ds_acq_alt_high": NaN'),
    ),
    Damage(
        name="a key twice in JSON",
        check="json-parses",
        edit=in_text(_CATALOG, '"type": "Catalog",', '"type": "Catalog", "type": "Catalog",'),
    ),
    Damage(
        name="JSON in UTF-16",
        check="json-parses",
        edit=lambda root: (root / EC / "metadata/datacite.json").write_bytes("{}".encode("utf-16")) and None,
    ),
    Damage(name="XML cut short", check="xml-parses", edit=truncate(f"{EC}/metadata/iso19139.xml")),
    Damage(
        name="XML with an entity bomb",
        check="xml-parses",
        edit=add(f"{EC}/metadata/datacite.xml", b'<!DOCTYPE a [<!ENTITY b "boom">]><a>&b;</a>'),
    ),
    Damage(
        name="absolute path in a README",
        check="texts-portable",
        edit=in_text(f"{EC}/README.md", "## Files", "## Files in /home/me/archive"),
    ),
    Damage(
        name="file URL in a document",
        check="texts-portable",
        edit=setting(_CATALOG, "description", to="see file:///data/x"),
    ),
    Damage(name="carriage returns", check="texts-portable", edit=_carriage_returns),
    Damage(
        name="README in GBK",
        check="texts-portable",
        edit=lambda root: (root / EC / "README.md").write_bytes("冰川".encode("gbk")) and None,
    ),
    Damage(name="picture cut short", check="images", edit=truncate(f"{EC}/elevation-change/map.png")),
    Damage(
        name="text called a picture", check="images", edit=add(f"{EC}/elevation-change/thumbnail.png", b"no picture")
    ),
    Damage(name="thumbnail too large", check="images", edit=huge_thumbnail),
    Damage(
        name="synthetic flag turned off in STAC",
        check="synthetic-stated",
        edit=setting(EC_ITEM, "properties", "glacier:synthetic", to=False),
    ),
    Damage(
        name="synthetic flag turned off in the manifest",
        check="synthetic-stated",
        edit=setting("manifest.json", "datasets", 0, "synthetic", to=False),
    ),
    # STAC
    Damage(
        name="collection that calls itself a catalogue",
        check="stac-type",
        edit=setting(_EC_COLLECTION, "type", to="Catalog"),
    ),
    Damage(name="another STAC version", check="stac-type", edit=setting(EC_ITEM, "stac_version", to="1.0.0")),
    Damage(name="item with another id than its folder", check="stac-type", edit=setting(EC_ITEM, "id", to="other")),
    Damage(name="item of another collection", check="stac-type", edit=setting(MB_ITEM, "collection", to=EC)),
    Damage(name="licence removed", check="stac-schema", edit=drop(_EC_COLLECTION, "license")),
    Damage(name="geometry of no kind", check="stac-schema", edit=setting(EC_ITEM, "geometry", "type", to="Blob")),
    Damage(name="links as an object", check="stac-schema", edit=setting(EC_ITEM, "links", to={})),
    Damage(name="share above one", check="stac-schema", edit=setting(MB_ITEM, "properties", "glacier:aar", to=1.5)),
    Damage(
        name="unknown field of ours",
        check="stac-schema",
        edit=setting(MB_ITEM, "properties", "glacier:mood", to="fine"),
    ),
    Damage(
        name="checksum that is no multihash",
        check="stac-schema",
        edit=setting(EC_ITEM, "assets", "visual", "file:checksum", to="xyz"),
        sealed=False,
    ),
    Damage(
        name="child link to nowhere", check="links-resolve", edit=link_of(_CATALOG, "child", "./gone/collection.json")
    ),
    Damage(name="absolute parent link", check="links-resolve", edit=link_of(EC_ITEM, "parent", "/collection.json")),
    Damage(name="link out of the tree", check="links-resolve", edit=link_of(EC_ITEM, "root", "../../../catalog.json")),
    Damage(
        name="parent link to a web server",
        check="links-resolve",
        edit=link_of(EC_ITEM, "parent", "https://example.org/c.json"),
    ),
    Damage(name="child link removed", check="links-both-ways", edit=without_link(_CATALOG, "child")),
    Damage(name="item link removed", check="links-both-ways", edit=without_link(_MB_COLLECTION, "item")),
    Damage(name="parent link removed", check="links-both-ways", edit=without_link(MB_ITEM, "parent")),
    Damage(name="root link removed", check="links-both-ways", edit=without_link(_EC_COLLECTION, "root")),
    Damage(
        name="item of the one collection linked from the other",
        check="links-both-ways",
        edit=link_of(_MB_COLLECTION, "item", f"../{EC}/elevation-change/elevation-change.json"),
    ),
    Damage(
        name="asset of no file",
        check="assets-exist",
        edit=setting(EC_ITEM, "assets", "visual", "href", to="./gone.tif"),
    ),
    Damage(
        name="asset outside the tree",
        check="assets-exist",
        edit=setting(EC_ITEM, "assets", "visual", "href", to="../../../x.tif"),
    ),
    Damage(
        name="asset on this machine",
        check="assets-exist",
        edit=setting(EC_ITEM, "assets", "visual", "href", to="/x.tif"),
    ),
    Damage(name="asset taken out of an item", check="assets-exist", edit=drop(EC_ITEM, "assets", "outlines")),
    Damage(
        name="file beside an item that no asset names",
        check="assets-exist",
        edit=add(f"{EC}/elevation-change/extra.txt"),
    ),
    Damage(
        name="file removed with its manifest entry",
        check="assets-exist",
        edit=remove(f"{MB}/balance-2001/isolines.geojson"),
    ),
    Damage(
        name="size of an asset altered",
        check="asset-checksums",
        edit=setting(EC_ITEM, "assets", "visual", "file:size", to=5),
        sealed=False,
    ),
    Damage(
        name="checksum of an asset altered",
        check="asset-checksums",
        edit=setting(EC_ITEM, "assets", "visual", "file:checksum", to="1220" + "0" * 64),
        sealed=False,
    ),
    Damage(name="swapped corners", check="item-extent", edit=in_json(EC_ITEM, _swap_corners)),
    Damage(name="bbox unlike the geometry", check="item-extent", edit=in_json(EC_ITEM, _shift_bbox)),
    Damage(name="bbox off the globe", check="item-extent", edit=setting(EC_ITEM, "bbox", to=[86, 43, 587, 44])),
    Damage(name="bbox of three numbers", check="item-extent", edit=setting(EC_ITEM, "bbox", to=[86, 43, 87])),
    Damage(name="end before start", check="item-time", edit=in_json(MB_ITEM, _swap_days)),
    Damage(
        name="datetime outside the period",
        check="item-time",
        edit=setting(MB_ITEM, "properties", "datetime", to="1990-01-01T00:00:00Z"),
    ),
    Damage(
        name="change dated by the claimed period",
        check="item-dates",
        edit=setting(EC_ITEM, "properties", "end_datetime", to="2010-12-31T23:59:59Z"),
    ),
    Damage(
        name="rate of other days",
        check="item-dates",
        edit=setting(EC_ITEM, "properties", "glacier:rate_period", "start", to="2000-01-01"),
    ),
    Damage(
        name="claimed period not listed",
        check="collection-union",
        edit=setting(_EC_COLLECTION, "extent", "temporal", "interval", 1, to=["2000-02-11T00:00:00Z", None]),
    ),
    Damage(
        name="time without a zone",
        check="item-time",
        edit=setting(MB_ITEM, "properties", "start_datetime", to="2000-08-28T00:00:00"),
    ),
    Damage(
        name="time that is none", check="item-time", edit=setting(MB_ITEM, "properties", "end_datetime", to="yesterday")
    ),
    Damage(
        name="collection smaller than its items",
        check="collection-extent",
        edit=setting(_EC_COLLECTION, "extent", "spatial", "bbox", to=[[86.5, 43.28, 86.51, 43.29]]),
    ),
    Damage(
        name="collection ends before its items",
        check="collection-extent",
        edit=setting(_MB_COLLECTION, "extent", "temporal", "interval", 0, 1, to="2001-01-01T00:00:00Z"),
    ),
    Damage(
        name="collection larger than its items",
        check="collection-union",
        edit=setting(_EC_COLLECTION, "extent", "spatial", "bbox", to=[[80, 40, 90, 50]]),
    ),
    Damage(
        name="render of an absent asset",
        check="renders",
        edit=setting(EC_ITEM, "properties", "renders", "visual", "assets", to=["gone"]),
    ),
    Damage(name="Chinese item removed", check="language-twins", edit=remove(_MB_ITEM_ZH)),
    Damage(name="Chinese collection unnamed", check="language-twins", edit=without_link(_MB_COLLECTION, "alternate")),
    Damage(
        name="Chinese collection that names another twin",
        check="language-twins",
        edit=link_of(_ZH, "alternate", "./x.json"),
    ),
    Damage(
        name="Chinese item called English",
        check="language-twins",
        edit=setting(_MB_ITEM_ZH, *_LANGUAGE, "code", to="en"),
    ),
    Damage(
        name="parent link into the other language",
        check="links-both-ways",
        edit=link_of(_ZH, "parent", "../catalog.json"),
    ),
    Damage(
        name="another value in Chinese",
        check="twins-equal",
        edit=setting(_MB_ITEM_ZH, "properties", "glacier:balance", "annual_m_we", to=0.3),
        sealed=False,
    ),
    Damage(
        name="asset missing in Chinese", check="twins-equal", edit=drop(_MB_ITEM_ZH, "assets", "balance"), sealed=False
    ),
    Damage(
        name="licence link missing in Chinese", check="twins-equal", edit=without_link(_ZH, "license"), sealed=False
    ),
    Damage(
        name="text without end",
        check="document-size",
        edit=setting(EC_ITEM, "properties", "description", to="x" * 1_000_001),
    ),
    Damage(name="table of items removed", check="search-table", edit=remove("items.parquet"), sealed=False),
    Damage(name="table of items cut short", check="search-table", edit=truncate("items.parquet"), sealed=False),
    Damage(
        name="row of an item removed",
        check="search-table",
        edit=_rows_of_the_search_table(lambda rows: rows.pop()),
        sealed=False,
    ),
    Damage(
        name="row of an item twice",
        check="search-table",
        edit=_rows_of_the_search_table(lambda rows: rows.append(rows[0])),
        sealed=False,
    ),
    Damage(
        name="value of an item altered in the table",
        check="search-table",
        edit=_rows_of_the_search_table(lambda rows: rows[0]["properties"].update(version="0.0.1")),
        sealed=False,
    ),
    Damage(name="list of items removed", check="search-table", edit=remove("items.json"), sealed=False),
    Damage(
        name="asset of an item that leads astray from the list",
        check="search-table",
        edit=in_json(
            "items.json", lambda listed: listed["features"][0]["assets"]["visual"].update(href="./visual.tif")
        ),
        sealed=False,
    ),
    Damage(
        name="mean change for search unlike that of the totals",
        check="flat-fields",
        edit=setting(EC_ITEM, "properties", "glacier:mean_dh_m", to=1.0),
    ),
    Damage(
        name="summary of a field that no item has",
        check="collection-summaries",
        edit=setting(_MB_COLLECTION, "summaries", "glacier:mean_dh_m", to={"minimum": -1.0, "maximum": 1.0}),
    ),
    Damage(
        name="infinity in STAC",
        check="numbers-finite",
        edit=setting(EC_ITEM, "properties", "glacier:shift_m", "east", to=float("inf")),
    ),
    # rasters
    Damage(name="raster cut short", check="raster-opens", edit=truncate(DH)),
    Damage(name="text called a raster", check="raster-opens", edit=add(DH, b"no raster")),
    Damage(
        name="one bit within a tile, checksums made to fit",
        check="raster-statistics",
        edit=rewritten(DH, pixels=_raise_pixel),
    ),
    Damage(name="raster without tiles", check="cog-structure", edit=rewritten(DH, tiled=False, blockysize=16)),
    Damage(name="tiles of another size", check="cog-structure", edit=rewritten(DH, blockxsize=128, blockysize=128)),
    Damage(name="another compression", check="cog-structure", edit=rewritten(DH, compress="lzw")),
    Damage(name="transform in GDAL's order", check="raster-georeference", edit=in_json(EC_ITEM, _gdal_order)),
    Damage(name="shape as columns and rows", check="raster-georeference", edit=in_json(EC_ITEM, _reverse_shape)),
    Damage(
        name="another CRS in STAC",
        check="raster-georeference",
        edit=setting(EC_ITEM, "assets", "elevation_change", "proj:code", to="EPSG:32644"),
    ),
    Damage(
        name="another projected bbox",
        check="raster-georeference",
        edit=setting(EC_ITEM, "assets", "elevation_change", "proj:bbox", to=[0, 0, 1, 1]),
    ),
    Damage(
        name="raster moved by a pixel",
        check="raster-georeference",
        edit=rewritten(DH, transform=Affine(30.0, 0.0, 460050.0, 0.0, -30.0, 4794000.0)),
    ),
    Damage(name="raster in another CRS", check="raster-georeference", edit=rewritten(DH, crs="EPSG:32644")),
    Damage(name="item moved away from its raster", check="raster-georeference", edit=in_json(EC_ITEM, _shift_all)),
    Damage(
        name="another nodata in STAC",
        check="raster-bands",
        edit=setting(EC_ITEM, "assets", "elevation_change", "bands", 0, "nodata", to=0),
    ),
    Damage(name="another nodata in the raster", check="raster-bands", edit=rewritten(DH, nodata=-32768)),
    Damage(
        name="another unit in STAC",
        check="raster-bands",
        edit=setting(EC_ITEM, "assets", "elevation_change", "bands", 0, "unit", to="cm"),
    ),
    Damage(name="unit lost from the raster", check="raster-bands", edit=rewritten(DH, units=("",))),
    Damage(
        name="another data type in STAC",
        check="raster-bands",
        edit=setting(EC_ITEM, "assets", "elevation_change", "bands", 0, "data_type", to="float64"),
    ),
    Damage(name="band taken out of STAC", check="raster-bands", edit=drop(EC_ITEM, "assets", "visual", "bands", 2)),
    Damage(
        name="stale mean in STAC",
        check="raster-statistics",
        edit=in_json(EC_ITEM, _statistic("elevation_change", "mean", 1.0)),
    ),
    Damage(
        name="minimum above maximum",
        check="raster-statistics",
        edit=in_json(EC_ITEM, _statistic("elevation_change", "minimum", 9999.0)),
    ),
    Damage(
        name="stale standard deviation",
        check="raster-statistics",
        edit=in_json(MB_ITEM, _statistic("balance", "stddev", 9.0)),
    ),
    Damage(
        name="stale share of valid pixels",
        check="raster-statistics",
        edit=in_json(MB_ITEM, _statistic("balance", "valid_percent", 100.0)),
    ),
    Damage(
        name="stale count of pixels",
        check="raster-statistics",
        edit=in_json(MB_ITEM, _statistic("balance", "count", 3)),
    ),
    Damage(
        name="statistics taken out",
        check="raster-statistics",
        edit=drop(MB_ITEM, "assets", "balance", "bands", 0, "statistics"),
    ),
    Damage(
        name="stale statistics in the file",
        check="raster-statistics",
        edit=rewritten(DH, band_tags=[{"STATISTICS_MEAN": "12", "STATISTICS_MINIMUM": "0"}]),
    ),
    Damage(name="rasters of two products swapped", check="raster-statistics", edit=swap(DH, SIGMA)),
    Damage(
        name="class that the legend does not know",
        check="raster-classes",
        edit=rewritten(CLASSES, pixels=_strange_class),
    ),
    Damage(
        name="class taken out of the legend",
        check="raster-classes",
        edit=drop(EC_ITEM, "assets", "classification", "classification:classes", 2),
    ),
    # tables
    Damage(
        name="table that the data package does not name",
        check="datapackage-complete",
        edit=add(f"{EC}/tables/extra.csv", b"a\n1\n"),
    ),
    Damage(
        name="table taken out of the data package", check="datapackage-complete", edit=drop(_EC_PACKAGE, "resources", 0)
    ),
    Damage(
        name="table named twice",
        check="datapackage-complete",
        edit=in_json(_EC_PACKAGE, lambda p: p["resources"].append(p["resources"][0])),
    ),
    Damage(
        name="size of a table altered",
        check="datapackage-complete",
        edit=setting(_EC_PACKAGE, "resources", 0, "bytes", to=1),
        sealed=False,
    ),
    Damage(
        name="hash of a table altered",
        check="datapackage-complete",
        edit=setting(_EC_PACKAGE, "resources", 0, "hash", to="sha256:" + "0" * 64),
        sealed=False,
    ),
    Damage(
        name="another unit of a column",
        check="table-schemas",
        edit=in_json(_EC_PACKAGE, _field("glaciers", "mean_dh_m", "unit", "cm")),
    ),
    Damage(
        name="another type of a column",
        check="table-schemas",
        edit=in_json(_EC_PACKAGE, _field("glaciers", "mean_dh_m", "type", "string")),
    ),
    Damage(
        name="limits of a column loosened",
        check="table-schemas",
        edit=in_json(_MB_PACKAGE, _field("point_balances", "balance_m_we", "constraints", {})),
    ),
    Damage(
        name="another primary key",
        check="table-schemas",
        edit=in_json(_EC_PACKAGE, _schema_key("glaciers", "primaryKey", ["glacier_name"])),
    ),
    Damage(
        name="foreign key taken out",
        check="table-schemas",
        edit=in_json(_MB_PACKAGE, _schema_key("readings", "foreignKeys", [])),
    ),
    Damage(name="two columns swapped", check="table-header", edit=_swap_columns(_GLACIERS)),
    Damage(name="column renamed", check="table-header", edit=in_text(_GLACIERS, "mean_dh_m", "mean_change_m")),
    Damage(name="text in a number column", check="table-cells", edit=in_table(_GLACIERS, 0, "mean_dh_m", "much")),
    Damage(name="NaN in a number column", check="table-cells", edit=in_table(_GLACIERS, 0, "mean_dh_m", "NaN")),
    Damage(name="number beyond its limit", check="table-cells", edit=in_table(_POINTS, 0, "balance_m_we", "-99.00")),
    Damage(
        name="negative standard deviation",
        check="table-cells",
        edit=in_table(_GLACIERS, 0, "sigma_mean_dh_m", "-0.400"),
    ),
    Damage(
        name="share above one in a table", check="table-cells", edit=in_table(_GLACIERS, 0, "observed_share", "1.5000")
    ),
    Damage(name="value outside a list", check="table-cells", edit=in_table(_POINTS, 0, "bound", "~")),
    Damage(name="required cell empty", check="table-cells", edit=in_table(_POINTS, 0, "begin_date", "")),
    Damage(
        name="day that is in no calendar", check="table-cells", edit=in_table(_POINTS, 0, "begin_date", "2001-02-30")
    ),
    Damage(
        name="fraction in an integer column",
        check="table-cells",
        edit=in_table(f"{EC}/tables/accuracy.csv", 0, "count", "4000.5"),
    ),
    Damage(name="record twice", check="table-primary-keys", edit=_repeat_record(_GLACIERS)),
    Damage(name="key empty", check="table-primary-keys", edit=in_table(_GLACIERS, 0, "glacier_id", "")),
    Damage(
        name="reference to no record",
        check="table-foreign-keys",
        edit=in_table(f"{MB}/tables/readings.csv", 0, "stake_id", "99"),
    ),
    Damage(
        name="cell of a table edited, copies kept",
        check="table-copies",
        edit=in_table(_GLACIERS, 0, "median_dh_m", "1.000"),
    ),
    Damage(name="cell of the Parquet copy edited", check="table-copies", edit=_parquet_cell),
    Damage(name="cell of the workbook edited", check="table-copies", edit=_excel_cell),
    Damage(name="workbook cut short", check="table-copies", edit=truncate(f"{EC}/tables/{EC}.xlsx")),
    Damage(name="Parquet cut short", check="table-copies", edit=truncate(f"{EC}/tables/glaciers.parquet")),
    Damage(
        name="meaning altered in the data dictionary",
        check="data-dictionary",
        edit=in_copies(EC, "data_dictionary", 4, "meaning", "something else"),
    ),
    Damage(name="unit altered in the data dictionary", check="data-dictionary", edit=_unit_in_dictionary),
    Damage(
        name="line taken out of the data dictionary",
        check="data-dictionary",
        edit=_shorter(f"{EC}/tables/data_dictionary.csv"),
    ),
    Damage(name="GeoParquet without its metadata", check="geoparquet-metadata", edit=_plain_parquet(_OUTLINES_PARQUET)),
    Damage(
        name="GeoParquet in another CRS",
        check="geoparquet-metadata",
        edit=_geo(_OUTLINES_PARQUET, "crs", {"name": "nowhere"}),
    ),
    Damage(
        name="bounds of a GeoParquet altered",
        check="geoparquet-metadata",
        edit=_geo(_OUTLINES_PARQUET, "bbox", [0, 0, 1, 1]),
    ),
    Damage(
        name="kinds of geometry altered",
        check="geoparquet-metadata",
        edit=_geo(_OUTLINES_PARQUET, "geometry_types", ["Point"]),
    ),
    Damage(name="stakes moved", check="geoparquet-places", edit=_moved(f"{MB}/tables/stakes.parquet")),
    Damage(name="glaciers moved", check="geoparquet-places", edit=_moved(f"{EC}/tables/glaciers.parquet")),
    Damage(name="outlines moved", check="geoparquet-places", edit=_moved(_OUTLINES_PARQUET)),
    Damage(name="outlines of other epochs", check="geoparquet-places", edit=_renamed_epochs),
    Damage(name="outline of a year moved", check="balance-in-outline", edit=_moved_outline),
    Damage(
        name="outline of a year in GeoParquet moved",
        check="geoparquet-places",
        edit=_moved(f"{MB}/balance-2001/outline.parquet"),
    ),
    Damage(
        name="style of a raster removed",
        check="style-of-raster",
        edit=remove(f"{EC}/elevation-change/elevation_change.qml"),
    ),
    Damage(
        name="style of another range",
        check="style-of-raster",
        edit=in_text(f"{MB}/balance-2001/balance.qml", 'classificationMax="', 'classificationMax="9'),
    ),
    Damage(
        name="styles of two rasters swapped",
        check="style-of-raster",
        edit=swap(f"{MB}/balance-2001/balance.qml", f"{MB}/balance-2001/balance_sigma.qml"),
    ),
    Damage(
        name="class taken out of a style",
        check="style-of-raster",
        edit=in_text(f"{EC}/elevation-change/classification.qml", 'value="2"', 'value="7"'),
    ),
    Damage(
        name="style that no asset names", check="style-of-raster", edit=drop(EC_ITEM, "assets", "classification_style")
    ),
    Damage(
        name="style that is no XML", check="style-of-raster", edit=truncate(f"{EC}/elevation-change/classification.qml")
    ),
    Damage(name="another colour table", check="colour-table", edit=_other_colours),
    Damage(
        name="epoch taken out of a style",
        check="style-of-features",
        edit=in_text(f"{EC}/elevation-change/outlines.qml", 'value="2000"', 'value="1999"'),
    ),
    Damage(
        name="style by a property that is not there",
        check="style-of-features",
        edit=in_text(f"{MB}/balance-2001/isolines.qml", 'fieldName="balance_m_we"', 'fieldName="ela"'),
    ),
    Damage(
        name="style of features removed", check="style-of-features", edit=remove(f"{EC}/elevation-change/glaciers.qml")
    ),
    Damage(name="ragged row", check="datapackage-form", edit=in_text(_GATES, "stable terrain", "stable terrain,extra")),
    Damage(
        name="absolute path in the data package",
        check="datapackage-form",
        edit=setting(_EC_PACKAGE, "resources", 0, "path", to="/etc/hostname"),
    ),
    # across files
    Damage(
        name="volume that is not area times mean",
        check="volume-is-area-times-mean",
        edit=in_copies(EC, "glaciers", 0, "volume_change_m3", "123456789"),
    ),
    Damage(
        name="mass that grows where ice is lost",
        check="rates-follow-changes",
        edit=_negate(EC, "glaciers", 0, "mass_change_kg"),
    ),
    Damage(
        name="annual balance unlike its seasons",
        check="annual-is-winter-plus-summer",
        edit=in_copies(MB, "glacier_balances", 0, "winter_balance_m_we", "1.21"),
    ),
    Damage(
        name="zone altered",
        check="zones-make-the-glacier",
        edit=in_copies(MB, "zone_balances", 0, "annual_balance_m_we", "2.50"),
    ),
    Damage(
        name="zones that overlap", check="zones-in-order", edit=in_copies(MB, "zone_balances", 1, "lower_m", "3520")
    ),
    Damage(name="zone upside down", check="zones-in-order", edit=in_copies(MB, "zone_balances", 0, "upper_m", "3400")),
    Damage(
        name="year that ends before it begins",
        check="periods-in-order",
        edit=in_copies(MB, "glacier_balances", 0, "end_date", "1999-08-30"),
    ),
    Damage(
        name="item of a year that no table has",
        check="years-have-items",
        edit=setting(MB_ITEM, "properties", "glacier:year", to=1999),
    ),
    Damage(
        name="balance in STAC unlike the table",
        check="balance-table-is-in-stac",
        edit=setting(MB_ITEM, "properties", "glacier:balance", "annual_m_we", to=0.3),
    ),
    Damage(
        name="sigma in STAC unlike the table",
        check="balance-table-is-in-stac",
        edit=setting(MB_ITEM, "properties", "glacier:balance", "sigma_annual_m_we", to=0.01),
    ),
    Damage(
        name="equilibrium line in STAC unlike the table",
        check="balance-table-is-in-stac",
        edit=setting(MB_ITEM, "properties", "glacier:ela", "altitude_m", to=3000),
    ),
    Damage(
        name="balance raster unlike the table",
        check="field-mean-is-in-table",
        edit=rewritten(BALANCE, pixels=_plus(0.5)),
    ),
    Damage(
        name="totals unlike the glaciers",
        check="totals-follow-glaciers",
        edit=setting(EC_ITEM, "properties", "glacier:totals", "area_km2", to=99.0),
    ),
    Damage(
        name="number of glaciers altered",
        check="totals-follow-glaciers",
        edit=setting(EC_ITEM, "properties", "glacier:totals", "count", to=3),
    ),
    Damage(
        name="value of a glacier in GeoJSON altered",
        check="glaciers-in-geojson",
        edit=setting(f"{EC}/elevation-change/glaciers.geojson", "features", 0, "properties", "mean_dh_m", to=9.0),
    ),
    Damage(
        name="glacier taken out of GeoJSON",
        check="glaciers-in-geojson",
        edit=drop(f"{EC}/elevation-change/glaciers.geojson", "features", 0),
    ),
    Damage(
        name="raster unlike the table of glaciers",
        check="glacier-means-are-in-raster",
        edit=rewritten(DH, pixels=_plus(3.0)),
    ),
    Damage(name="raster mirrored", check="glacier-means-are-in-raster", edit=rewritten(DH, pixels=_mirror)),
    Damage(name="gate that failed", check="quality-gates", edit=in_copies(EC, "quality_gates", 0, "passed", "false")),
    Damage(
        name="value beyond the limit of a gate",
        check="quality-gates",
        edit=in_copies(EC, "quality_gates", 0, "value", "5.0000"),
    ),
    Damage(
        name="verdict in STAC unlike the table",
        check="quality-gates",
        edit=setting(_EC_COLLECTION, "glacier:gates", 0, "passed", to=False),
    ),
    Damage(
        name="gate value unlike what was measured",
        check="gates-follow-data",
        edit=in_copies(EC, "quality_gates", 0, "value", "0.0100"),
    ),
    Damage(
        name="gate value unlike the sigma of the year",
        check="gates-follow-data",
        edit=in_copies(MB, "quality_gates", 0, "value", "20.0000"),
    ),
    Damage(
        name="another version of the collection",
        check="versions-equal",
        edit=setting(_EC_COLLECTION, "version", to="9.9.9"),
    ),
    Damage(
        name="another version of an item",
        check="versions-equal",
        edit=setting(MB_ITEM, "properties", "version", to="9.9.9"),
    ),
    Damage(
        name="another version of the data package",
        check="versions-equal",
        edit=setting(_EC_PACKAGE, "version", to="9.9.9"),
    ),
    Damage(
        name="setting altered in STAC",
        check="versions-equal",
        edit=setting(EC_ITEM, "properties", "glacier:settings", "outlier_nmad", to=9.0),
    ),
    Damage(
        name="row count in STAC altered",
        check="tables-in-stac",
        edit=setting(_EC_COLLECTION, "assets", "table_glaciers", "table:row_count", to=3),
    ),
    Damage(
        name="column in STAC renamed",
        check="tables-in-stac",
        edit=setting(_EC_COLLECTION, "assets", "table_glaciers", "table:columns", 0, "name", to="id"),
    ),
    *(
        Damage(
            name=f"citation altered in {file}",
            check="citation-equal",
            edit=in_text(file, "version 1.2.0", "version 1.3.0"),
        )
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
        name="portal field in STAC altered",
        check="ncdc-equal",
        edit=setting(_EC_COLLECTION, "glacier:ncdc", "ds_quality", to="0.1 m"),
    ),
    Damage(
        name="portal field missing in STAC",
        check="ncdc-equal",
        edit=setting(f"{EC}/metadata/ncdc.json", "ds_share_type", to="open"),
    ),
    # metadata and vectors
    Damage(
        name="schema of our fields loosened",
        check="own-schema",
        edit=setting(SCHEMA_PATH, "definitions", "fields", "properties", to={}),
    ),
    Damage(name="schema of our fields removed", check="own-schema", edit=remove(SCHEMA_PATH)),
    Damage(
        name="features of another type",
        check="geojson",
        edit=setting(f"{EC}/elevation-change/outlines.geojson", "type", to="x"),
    ),
    Damage(
        name="outline without corners",
        check="geojson",
        edit=setting(f"{EC}/elevation-change/outlines.geojson", "features", 0, "geometry", "coordinates", to=[[]]),
    ),
    Damage(
        name="outline that crosses itself",
        check="geojson",
        edit=setting(
            f"{EC}/elevation-change/outlines.geojson",
            "features",
            0,
            "geometry",
            "coordinates",
            to=[[[86.51, 43.28], [86.52, 43.29], [86.52, 43.28], [86.51, 43.29], [86.51, 43.28]]],
        ),
    ),
    Damage(
        name="outline on another continent",
        check="geojson",
        edit=setting(
            f"{EC}/elevation-change/outlines.geojson",
            "features",
            0,
            "geometry",
            "coordinates",
            to=[[[7, 46], [8, 46], [8, 47], [7, 46]]],
        ),
    ),
    Damage(
        name="isolines no longer called synthetic",
        check="geojson",
        edit=setting(f"{MB}/balance-2001/isolines.geojson", "synthetic", to=False),
    ),
    Damage(
        name="DataCite record without titles",
        check="metadata-standards",
        edit=drop(f"{EC}/metadata/datacite.json", "titles"),
    ),
    Damage(
        name="field taken out of the NCDC record",
        check="metadata-standards",
        edit=drop(f"{EC}/metadata/ncdc.json", "ds_quality"),
    ),
    Damage(
        name="title altered in the NCDC record",
        check="metadata-agrees",
        edit=setting(f"{EC}/metadata/ncdc.json", "title_en", to="x"),
    ),
    Damage(
        name="corners swapped in the NCDC record",
        check="metadata-agrees",
        edit=setting(f"{EC}/metadata/ncdc.json", "ds_acq_lon_west", to=87.5),
    ),
    Damage(
        name="period altered in DataCite",
        check="metadata-agrees",
        edit=setting(f"{EC}/metadata/datacite.json", "dates", 1, "date", to="2001-01-01/2010-12-31"),
    ),
    Damage(
        name="version altered in schema.org",
        check="metadata-agrees",
        edit=setting(f"{EC}/metadata/dataset.jsonld", "version", to="9.9.9"),
    ),
    *(
        Damage(name=f"{what} altered in {file}", check="metadata-agrees", edit=in_text(f"{EC}/{file}", old, new))
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
        name="DOI invented in one rendering",
        check="metadata-agrees",
        edit=setting(f"{EC}/metadata/datacite.json", "doi", to="10.12072/ncdc.1"),
    ),
    Damage(name="changelog removed", check="changelog", edit=remove(f"{MB}/CHANGELOG.md")),
    Damage(
        name="changelog altered",
        check="changelog",
        edit=in_text(f"{EC}/CHANGELOG.md", "The first version.", "Nothing has changed."),
    ),
    Damage(name="definition of another version in the manifest", check="changelog", edit=_definition_version),
    Damage(
        name="citation altered in the README",
        check="metadata-texts-agree",
        edit=in_text(f"{EC}/README.md", "version 1.2.0", "version 1.3.0"),
    ),
    Damage(
        name="extent altered in the citation text",
        check="metadata-texts-agree",
        edit=in_text(f"{EC}/metadata/citation.txt", ": 86.5 43.0", ": 86.4 43.0"),
    ),
    Damage(
        name="licence altered in the README",
        check="metadata-texts-agree",
        edit=in_text(f"{EC}/README.md", "Licence: ", "Licence: CC0 "),
    ),
    Damage(
        name="publication year altered in DataCite",
        check="metadata-is-dated",
        edit=setting(f"{EC}/metadata/datacite.json", "publicationYear", to="2023"),
    ),
    Damage(
        name="synthetic mark taken out of the NCDC record",
        check="metadata-is-dated",
        edit=setting(f"{MB}/metadata/ncdc.json", "synthetic", to=False),
    ),
    Damage(
        name="formula in a CSV", check="no-formulas", edit=in_table(f"{MB}/tables/stakes.csv", 0, "remarks", "=1+1")
    ),
    Damage(name="formula in the workbook", check="no-formulas", edit=_excel_formula),
    Damage(
        name="checksum altered in RO-Crate",
        check="metadata-files",
        edit=in_text(f"{EC}/metadata/ro-crate-metadata.json", '"sha256": "', '"sha256": "f'),
    ),
    Damage(
        name="file taken out of schema.org",
        check="metadata-files",
        edit=drop(f"{EC}/metadata/dataset.jsonld", "distribution", 0),
    ),
    Damage(
        name="total size altered in the NCDC record",
        check="metadata-files",
        edit=setting(f"{EC}/metadata/ncdc.json", "ds_total_size", to=1),
    ),
    Damage(
        name="format of the manifest altered",
        check="manifest-provenance",
        edit=setting("manifest.json", "format", to=2),
    ),
    # whole files and packages
    Damage(
        name="one bit of a picture, checksums made to fit",
        check="images",
        edit=flip_bit(f"{EC}/elevation-change/map.png", 0.5),
    ),
    Damage(
        name="one bit of a workbook, checksums made to fit",
        check="workbooks",
        edit=flip_bit(f"{MB}/tables/{MB}.xlsx", 0.5),
    ),
    Damage(name="list of sheets taken out of a workbook", check="workbooks", edit=_without_part),
    Damage(name="text called a workbook", check="workbooks", edit=add(f"{EC}/tables/{EC}.xlsx", b"no workbook")),
    Damage(name="one bit of a tile, checksums made to fit", check="raster-tiles", edit=flip_bit_of_tile(DH)),
    Damage(name="one bit of a tile of colours", check="raster-tiles", edit=flip_bit_of_tile(_MB_VISUAL)),
    Damage(
        name="pictures of two years swapped", check="manifest-checksums", edit=swap(_MAP_2001, _MAP_2003), sealed=False
    ),
    Damage(
        name="tables of two collections swapped", check="manifest-sizes", edit=swap(_GATES, _MB_GATES), sealed=False
    ),
    # what STAC says of files
    Damage(
        name="media type of a raster altered",
        check="asset-types",
        edit=setting(EC_ITEM, *_DH_ASSET, "type", to="image/png"),
    ),
    Damage(name="asset without a role", check="asset-types", edit=drop(EC_ITEM, *_DH_ASSET, "roles")),
    Damage(name="asset without a title", check="asset-types", edit=drop(_EC_COLLECTION, "assets", "readme", "title")),
    Damage(
        name="another pixel size in STAC",
        check="raster-georeference",
        edit=setting(EC_ITEM, *_DH_ASSET, "raster:spatial_resolution", to=90.0),
    ),
    Damage(
        name="transform of five numbers",
        check="raster-georeference",
        edit=drop(EC_ITEM, *_DH_ASSET, "proj:transform", 5),
    ),
    Damage(name="transform taken out", check="raster-georeference", edit=drop(EC_ITEM, *_DH_ASSET, "proj:transform")),
    Damage(name="CRS taken out of STAC", check="raster-georeference", edit=_no_code),
    Damage(name="north and south swapped in STAC", check="raster-georeference", edit=in_json(EC_ITEM, _flip_north)),
    Damage(name="picture moved by a pixel", check="picture-on-grid", edit=rewritten(_EC_VISUAL, transform=_MOVED)),
    Damage(
        name="picture with rows of another place",
        check="picture-on-grid",
        edit=rewritten(_EC_VISUAL, pixels=_more_rows),
    ),
    Damage(
        name="picture painted beyond its edge",
        check="picture-on-grid",
        edit=rewritten(_MB_VISUAL, pixels=_painted_edge),
    ),
    Damage(name="overviews of another raster", check="raster-overviews", edit=rewritten(DH, overviews_of=_plus(90.0))),
    Damage(
        name="overviews of a mirrored picture",
        check="raster-overviews",
        edit=rewritten(_MB_VISUAL, overviews_of=_mirror),
    ),
    Damage(
        name="collection longer than its items",
        check="collection-union",
        edit=setting(_MB_COLLECTION, "extent", "temporal", "interval", 0, 0, to="1990-01-01T00:00:00Z"),
    ),
    Damage(
        name="period of a collection open", check="collection-union", edit=setting(_MB_COLLECTION, *_FIRST_DAY, to=None)
    ),
    Damage(
        name="range of years in a summary altered",
        check="collection-summaries",
        edit=setting(_MB_COLLECTION, "summaries", "glacier:year", "maximum", to=2030),
    ),
    Damage(
        name="CRS in a summary altered",
        check="collection-summaries",
        edit=setting(_EC_COLLECTION, *_CODES, to=["EPSG:32644"]),
    ),
    Damage(
        name="asset that its collection does not describe",
        check="collection-summaries",
        edit=drop(_EC_COLLECTION, *_ITEM_DH),
    ),
    # glaciers and balances across tables
    Damage(
        name="mass unlike volume times density",
        check="mass-is-volume-times-density",
        edit=in_copies(EC, "glaciers", 0, "mass_change_kg", "-1"),
    ),
    Damage(
        name="density in the settings altered",
        check="mass-is-volume-times-density",
        edit=setting("manifest.json", "datasets", 0, "settings", "ice_density_kg_m3", to=900.0),
    ),
    Damage(
        name="rate of other years",
        check="rates-are-changes-per-year",
        edit=in_copies(EC, "glaciers", 0, "mean_dhdt_m_a", "-0.9000"),
    ),
    Damage(
        name="date of a DEM altered",
        check="rates-are-changes-per-year",
        edit=in_copies(EC, "dates", 1, "date", "2010-12-31"),
    ),
    Damage(
        name="filled share altered", check="shares-add-up", edit=in_copies(EC, "glaciers", 0, "filled_share", "0.5000")
    ),
    Damage(
        name="blunders beyond what is filled",
        check="shares-add-up",
        edit=in_copies(EC, "region", 0, "outlier_share", "0.9500"),
    ),
    Damage(
        name="number of glaciers of the region altered",
        check="region-is-the-sum",
        edit=in_copies(EC, "region", 0, "count", "8"),
    ),
    Damage(
        name="volume of the region altered",
        check="region-is-the-sum",
        edit=in_copies(EC, "region", 0, "volume_change_m3", "-11111111"),
    ),
    Damage(
        name="area of a zone altered",
        check="zones-fill-the-glacier",
        edit=in_copies(MB, "zone_balances", 0, "area_km2", "0.50000"),
    ),
    Damage(
        name="area of a band of the hypsometry altered",
        check="zones-fill-the-glacier",
        edit=in_copies(MB, "hypsometry", 0, "area_km2", "0.50000"),
    ),
    Damage(
        name="error of the ELA altered",
        check="balance-table-is-in-stac",
        edit=in_copies(MB, "glacier_balances", 0, "sigma_ela_m", "90"),
    ),
    Damage(
        name="error of the AAR altered",
        check="balance-table-is-in-stac",
        edit=in_copies(MB, "glacier_balances", 0, "sigma_aar", "0.900"),
    ),
    Damage(
        name="AAR altered",
        check="accumulation-and-ablation-area",
        edit=in_copies(MB, "glacier_balances", 0, "aar", "0.900"),
    ),
    Damage(
        name="ablation area altered",
        check="accumulation-and-ablation-area",
        edit=in_copies(MB, "glacier_balances", 0, "ablation_area_km2", "0.10000"),
    ),
    Damage(
        name="point balance altered",
        check="points-make-the-zones",
        edit=in_copies(MB, "point_balances", 0, "balance_m_we", "5.00"),
    ),
    Damage(
        name="point moved up the glacier",
        check="points-make-the-zones",
        edit=in_copies(MB, "point_balances", 4, "elevation_m", "3510.0"),
    ),
    Damage(
        name="points of a zone miscounted",
        check="points-make-the-zones",
        edit=in_copies(MB, "zone_balances", 5, "n_points", "9"),
    ),
    Damage(
        name="cumulative balance altered",
        check="cumulative-is-running-sum",
        edit=in_copies(MB, "cumulative_balances", 0, "cumulative_balance_m_we", "9.99"),
    ),
    Damage(
        name="annual balance of the series altered",
        check="cumulative-is-running-sum",
        edit=in_copies(MB, "cumulative_balances", 0, "annual_balance_m_we", "-9.99"),
    ),
    Damage(
        name="year that begins before the one before",
        check="years-follow-each-other",
        edit=in_copies(MB, "glacier_balances", 2, "begin_date", "2000-01-01"),
    ),
    Damage(
        name="year that ends in another",
        check="years-follow-each-other",
        edit=in_copies(MB, "glacier_balances", 0, "end_date", "2002-08-30"),
    ),
    Damage(
        name="first day of an item altered",
        check="item-period-is-in-table",
        edit=setting(MB_ITEM, "properties", "start_datetime", to="2000-09-15T00:00:00Z"),
    ),
    Damage(
        name="point of a reading that is not there",
        check="points-name-their-readings",
        edit=in_copies(MB, "point_balances", 0, "readings", "1/1/1999-01-01"),
    ),
    Damage(
        name="point without readings",
        check="points-name-their-readings",
        edit=in_copies(MB, "point_balances", 0, "readings", ""),
    ),
    *(
        Damage(
            name=f"balance altered in {table}", check="wgms-forms-agree", edit=in_copies(MB, table, 0, column, value)
        )
        for table, column, value in (
            ("fog2026_mass_balance", "annual_balance", "-0.99"),
            ("fog2026_mass_balance_band", "annual_balance", "-0.99"),
            ("fog2023_mass_balance", "ANNUAL_BALANCE", "-990"),
        )
    ),
    Damage(
        name="year added to a form",
        check="wgms-forms-agree",
        edit=in_copies(MB, "fog2026_mass_balance", 0, "year", "1999"),
    ),
    Damage(
        name="balance by one method in STAC altered",
        check="balance-table-is-in-stac",
        edit=setting(MB_ITEM, "properties", "glacier:by_method", "zone", to=0.5),
    ),
    Damage(
        name="area in STAC altered",
        check="balance-table-is-in-stac",
        edit=setting(MB_ITEM, "properties", "glacier:area_km2", to=0.5),
    ),
    # where everything comes from
    Damage(
        name="checksum of an input altered in an item",
        check="provenance-chain",
        edit=setting(EC_ITEM, *_INPUTS, 0, "sha256", to="f" * 64),
    ),
    Damage(
        name="checksum of an input altered in the manifest",
        check="provenance-chain",
        edit=setting("manifest.json", "datasets", 0, "inputs", 0, "sha256", to="f" * 64),
    ),
    Damage(name="input taken out of an item", check="provenance-chain", edit=drop(MB_ITEM, *_INPUTS, 0)),
    Damage(name="inputs taken out of an item", check="provenance-chain", edit=drop(MB_ITEM, *_INPUTS)),
    Damage(
        name="settings taken out of an item",
        check="provenance-chain",
        edit=drop(EC_ITEM, "properties", "glacier:settings"),
    ),
    Damage(
        name="lineage taken out of an item",
        check="provenance-chain",
        edit=drop(EC_ITEM, "properties", "processing:lineage"),
    ),
    Damage(
        name="steps taken out of an item",
        check="provenance-chain",
        edit=drop(MB_ITEM, "properties", "processing:expression"),
    ),
    Damage(
        name="version of a library altered in the manifest",
        check="software-equal",
        edit=setting("manifest.json", "tools", "rasterio", to="0.1"),
    ),
    Damage(
        name="code version altered in an item",
        check="software-equal",
        edit=setting(EC_ITEM, "properties", "processing:software", "glacier-archive", to="9.9.9"),
    ),
    Damage(
        name="definition of another dataset",
        check="definition-agrees",
        edit=setting("manifest.json", "datasets", 0, "definition", "id", to="other"),
    ),
    Damage(
        name="kind of a dataset altered",
        check="definition-agrees",
        edit=setting("manifest.json", "datasets", 0, "kind", to="mass_balance"),
    ),
    Damage(
        name="licence of the definition altered",
        check="definition-agrees",
        edit=setting("manifest.json", "datasets", 1, "definition", "licence", to="CC0-1.0"),
    ),
    # pages
    Damage(
        name="link of a page to nowhere",
        check="page-links",
        edit=in_text("index.html", 'href="catalog.json"', 'href="gone.json"'),
    ),
    Damage(
        name="page that loads a script from elsewhere",
        check="page-links",
        edit=in_text("index.html", "</main>", '<script src="https://example.org/x.js"></script></main>'),
    ),
    Damage(
        name="page that loads a picture from elsewhere",
        check="page-links",
        edit=in_text("index.html", "</main>", '<img src="//example.org/x.png" alt=""></main>'),
    ),
    Damage(
        name="link of a page out of the tree",
        check="page-links",
        edit=in_text("index.html", 'href="catalog.json"', 'href="../x.json"'),
    ),
    Damage(
        name="script written into a page",
        check="page-scripts",
        edit=in_text("index.html", "</main>", "<script>alert(1)</script></main>"),
    ),
    Damage(
        name="page that allows more",
        check="page-scripts",
        edit=in_text("index.html", "script-src 'self'", "script-src *"),
    ),
    Damage(
        name="handler in a page",
        check="page-scripts",
        edit=in_text("index.html", '<main id="main">', '<main id="main" onclick="x()">'),
    ),
    Damage(
        name="item lost from the search", check="page-search", edit=in_text("search.js", "balance-2003", "balance-2004")
    ),
    Damage(name="year changed in the search", check="page-search", edit=in_text("search.js", "2003]", "2004]")),
    Damage(name="search data of another shape", check="page-search", edit=in_text("search.js", "window.", "other.")),
    # lists in parts
    Damage(name="sub-catalogue removed", check="links-resolve", edit=remove(_PART), parted=True),
    Damage(
        name="sub-catalogue removed, and every link to it",
        check="links-both-ways",
        edit=_without_sub_catalogue,
        parted=True,
    ),
    Damage(
        name="sub-catalogue that calls itself a collection",
        check="stac-type",
        edit=setting(_PART, "type", to="Collection"),
        parted=True,
    ),
    Damage(
        name="sub-catalogue of another id", check="stac-type", edit=setting(_PART, "id", to="items-0002"), parted=True
    ),
    Damage(
        name="sub-catalogue without a description", check="stac-schema", edit=drop(_PART, "description"), parted=True
    ),
    Damage(
        name="item link taken out of a sub-catalogue",
        check="links-both-ways",
        edit=without_link(_PART, "item"),
        parted=True,
    ),
    Damage(
        name="item of another sub-catalogue",
        check="links-both-ways",
        edit=link_of(_PART, "item", "./balance-2003/balance-2003.json"),
        parted=True,
    ),
    Damage(
        name="sub-catalogue with another parent",
        check="links-both-ways",
        edit=link_of(_PART, "parent", "../catalog.json"),
        parted=True,
    ),
    Damage(
        name="child link to a sub-catalogue removed",
        check="links-both-ways",
        edit=without_link(_MB_COLLECTION, "child"),
        parted=True,
    ),
    Damage(
        name="item that calls another sub-catalogue its parent",
        check="links-both-ways",
        edit=link_of(MB_ITEM, "parent", "../items-0002.json"),
        parted=True,
    ),
    Damage(name="Chinese sub-catalogue removed", check="language-twins", edit=remove(_PART_ZH), parted=True),
    Damage(
        name="Chinese sub-catalogue called English",
        check="language-twins",
        edit=setting(_PART_ZH, "language", "code", to="en"),
        parted=True,
    ),
    Damage(
        name="item link missing in the Chinese sub-catalogue",
        check="twins-equal",
        edit=without_link(_PART_ZH, "item"),
        sealed=False,
        parted=True,
    ),
    Damage(
        name="sub-catalogue in Chinese that leads into English",
        check="links-both-ways",
        edit=link_of(_PART_ZH, "parent", "./collection.json"),
        parted=True,
    ),
    Damage(
        name="sub-catalogue without end",
        check="document-size",
        edit=setting(_PART, "description", to="x" * 1_000_001),
        parted=True,
    ),
    Damage(
        name="part of the manifest removed",
        check="manifest-complete",
        edit=remove("manifest/0002.json"),
        sealed=False,
        parted=True,
    ),
    Damage(
        name="part of the manifest cut short",
        check="manifest-sizes",
        edit=truncate("manifest/0002.json"),
        sealed=False,
        parted=True,
    ),
    Damage(
        name="one bit of a part of the manifest",
        check="manifest-checksums",
        edit=flip_bit("manifest/0002.json", 0.4),
        sealed=False,
        parted=True,
    ),
    Damage(
        name="file listed by two parts of the manifest",
        check="manifest-complete",
        edit=_listed_twice,
        sealed=False,
        parted=True,
    ),
    Damage(
        name="entry taken out of a part of the manifest",
        check="manifest-complete",
        edit=drop("manifest/0001.json", "files", 3),
        sealed=False,
        parted=True,
    ),
    Damage(
        name="part taken out of the manifest",
        check="manifest-complete",
        edit=drop("manifest.json", PARTS, 1),
        sealed=False,
        parted=True,
    ),
    Damage(
        name="part that the manifest does not name",
        check="manifest-complete",
        edit=_copied("manifest/0001.json", "manifest/9999.json"),
        sealed=False,
        parted=True,
    ),
    Damage(
        name="checksum of a part altered in the manifest",
        check="manifest-intact",
        edit=setting("manifest.json", PARTS, 0, "sha256", to="0" * 64),
        sealed=False,
        parted=True,
    ),
    Damage(
        name="other manifest in the statement",
        check="statement",
        edit=setting(STATEMENT_JSON, "subject", 0, "digest", "sha256", to="0" * 64),
        sealed=False,
    ),
    Damage(
        name="signatures that are none",
        check="signatures",
        edit=add(SIGNATURES_JSON, b'{"signatures": []}'),
        sealed=False,
    ),
    Damage(name="part of a crate removed", check="metadata-files", edit=remove(_CRATE_PART), parted=True),
    Damage(name="part taken out of a crate", check="metadata-files", edit=_without_crate_part, parted=True),
    Damage(name="one bit of a part of a crate", check="metadata-files", edit=flip_bit(_CRATE_PART, 0.5), parted=True),
    Damage(
        name="checksum altered in a part of a crate",
        check="metadata-files",
        edit=_in_crate_part(lambda graph, _: _file_of(graph).update(sha256="0" * 64)),
        parted=True,
    ),
    Damage(
        name="file that no part of a crate names",
        check="metadata-files",
        edit=_in_crate_part(lambda graph, _: graph.remove(_file_of(graph))),
        parted=True,
    ),
    Damage(
        name="file that two parts of a crate name",
        check="metadata-files",
        edit=_in_crate_part(lambda graph, other: graph.append(_file_of(other))),
        parted=True,
    ),
    Damage(
        name="number of files altered in schema.org",
        check="metadata-files",
        edit=setting(f"{MB}/metadata/dataset.jsonld", "size", to="1 files, 2 bytes"),
        parted=True,
    ),
    Damage(
        name="table of items taken out of schema.org",
        check="metadata-files",
        edit=in_text(f"{MB}/metadata/dataset.jsonld", "../../items.parquet", "../README.md"),
        parted=True,
    ),
)
