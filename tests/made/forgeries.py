"""Forgeries: damages after which every size and checksum fits, in STAC, data packages, records and manifest alike.

They were written down before the checks were: what a stranger would try who knows the archive and not the checks.
"""

from __future__ import annotations

import json
import re
import struct
import zipfile
import zlib
from collections.abc import Callable
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import Any

import numpy as np
import openpyxl
import pandas as pd
import pyarrow.parquet as pq
import rasterio
from rasterio.transform import Affine

from tests.made.damage import (
    BALANCE,
    CLASSES,
    DH,
    EC,
    EC_ITEM,
    MB,
    MB_ITEM,
    SIGMA,
    Edit,
    add,
    drop,
    in_copies,
    in_json,
    reseal,
    rewritten,
    setting,
    swap,
)

FOREIGN = "99.1.0"
MEASURED = Path(__file__).with_name("forgeries.json")
KINDS = ("STAC", "raster", "table", "record", "page", "style", "picture", "file")
_EC, _MB = f"{EC}/elevation-change", f"{MB}/balance-2001"
_SECOND = f"{MB}/balance-2003"
_EC_COLLECTION, _MB_COLLECTION = f"{EC}/collection.json", f"{MB}/collection.json"
_STATISTICS = {"minimum": np.min, "maximum": np.max, "mean": np.mean, "stddev": np.std}


@dataclass(frozen=True, kw_only=True)
class Forgery:
    """What is done to an archive before everything that counts and sums is made to fit."""

    kind: str
    name: str
    edit: Edit

    @property
    def seen_by(self) -> str:
        """The check of facts that reports it, as last measured; empty where none does."""
        return str(_measured().get(self.name, {}).get("after", ""))

    def apply(self, root: Path, *, version: str = "") -> None:
        """With ``version``, the archive also says that another version of the software made it."""
        self.edit(root)
        if version:
            another_version(root, version)
        reseal(root, records=True)


@cache
def _measured() -> dict[str, dict[str, str]]:
    """By the name of each forgery the first check that reported it, before there were checks of facts and since."""
    content: dict[str, dict[str, str]] = json.loads(MEASURED.read_text(encoding="utf-8"))
    return content


def another_version(root: Path, version: str) -> None:
    """Let manifest and items alike say that another version of the software made the archive."""
    setting("manifest.json", "code_version", to=version)(root)
    for path in root.glob("*/*/*.json"):
        content = json.loads(path.read_text(encoding="utf-8"))
        software = content.get("properties", {}).get("processing:software") if isinstance(content, dict) else None
        if software:
            software["glacier-archive"] = version
            path.write_text(json.dumps(content, indent=2, ensure_ascii=False) + "\n", encoding="utf-8")


# --- how to forge ------------------------------------------------------------------------------------------------


def _all(*edits: Edit) -> Edit:
    def edit(root: Path) -> None:
        for one in edits:
            one(root)

    return edit


def _prop(item: str, *keys: Any, to: Any) -> Edit:
    return setting(item, "properties", *keys, to=to)


def _raster(file: str, **wanted: Any) -> Edit:
    """Another raster, whose statistics, shape and place are stated anew in the file and in STAC."""

    def edit(root: Path) -> None:
        rewritten(file, **wanted)(root)
        _state_again(root, file)

    return edit


def _state_again(root: Path, file: str) -> None:
    folder = Path(file).parent
    item = root / folder / f"{folder.name}.json"
    content = json.loads(item.read_text(encoding="utf-8"))
    asset = next(one for one in content["assets"].values() if one["href"].endswith(Path(file).name))
    with rasterio.open(root / file) as source:
        bands, nodata, transform = source.read(), source.nodata, source.transform
        asset["proj:shape"], asset["proj:bbox"] = list(source.shape), list(source.bounds)
        asset["proj:transform"] = list(transform)[:6]
    tags = []
    for band, values in zip(asset["bands"], bands, strict=True):
        valid = values[np.isfinite(values) & (values != nodata)].astype(float)
        stated = {name: float(function(valid)) for name, function in _STATISTICS.items()}
        band["statistics"] |= {**stated, "count": valid.size, "valid_percent": 100 * valid.size / values.size}
        tags.append({f"STATISTICS_{name.upper()}": str(value) for name, value in stated.items()})
    item.write_text(json.dumps(content, indent=2, ensure_ascii=False) + "\n", encoding="utf-8")
    with rasterio.open(root / file, "r+", IGNORE_COG_LAYOUT_BREAK="YES") as target:
        for index, own in enumerate(tags, 1):
            target.update_tags(index, **own)
    rewritten(file)(root)


def _pixels(change: Callable[[np.ndarray], np.ndarray]) -> Callable[[np.ndarray], np.ndarray]:
    """The valid pixels changed, the empty ones kept."""

    def changed(bands: np.ndarray) -> np.ndarray:
        return np.where(bands == -9999, bands, change(bands)).astype(bands.dtype)

    return changed


def _shuffled(bands: np.ndarray) -> np.ndarray:
    out, chance = bands.copy(), np.random.default_rng(1)
    for band in out:
        held = band != -9999
        band[held] = chance.permutation(band[held])
    return out


def _rolled(rows: int, columns: int) -> Callable[[np.ndarray], np.ndarray]:
    return lambda bands: np.roll(bands, (rows, columns), axis=(1, 2))


def _holed(bands: np.ndarray) -> np.ndarray:
    out = bands.copy()
    rows, columns = np.nonzero(out[0] != -9999)
    middle = len(rows) // 2
    out[0, rows[middle - 300 : middle], columns[middle - 300 : middle]] = -9999
    return out


def _raster_of(source: str, to: str) -> Edit:
    """The raster of another item, whose statistics are stated as its own."""

    def edit(root: Path) -> None:
        (root / to).write_bytes((root / source).read_bytes())
        _state_again(root, to)

    return edit


def _classes(old: int, new: int, share: float = 1.0) -> Callable[[np.ndarray], np.ndarray]:
    def changed(bands: np.ndarray) -> np.ndarray:
        out = bands.copy()
        places = np.argwhere(out[0] == old)
        for row, column in places[: int(share * len(places))]:
            out[0, row, column] = new
        return out

    return changed


def _moved(files: tuple[str, ...], easting: float, northing: float) -> Edit:
    """Rasters of an item on other ground, all alike."""

    def edit(root: Path) -> None:
        for file in files:
            with rasterio.open(root / file) as source:
                old = source.transform
            _raster(file, transform=Affine.translation(easting, northing) * old)(root)

    return edit


def _rows(collection: str, table: str, change: Callable[[pd.DataFrame], pd.DataFrame]) -> Edit:
    """Whole records of a table in CSV, Parquet and workbook alike."""

    def edit(root: Path) -> None:
        folder = root / collection / "tables"
        path = folder / f"{table}.csv"
        frame = pd.read_csv(path, dtype=str, keep_default_na=False)
        order = list(change(frame.assign(place=range(len(frame))))["place"])
        frame.iloc[order].to_csv(path, index=False, lineterminator="\n")
        packed = pq.read_table(folder / f"{table}.parquet")
        pq.write_table(packed.take(order), folder / f"{table}.parquet", compression="zstd")
        book = openpyxl.load_workbook(folder / f"{collection}.xlsx")
        sheet = book[table]
        cells = [[cell.value for cell in row] for row in sheet.iter_rows(min_row=3)]
        sheet.delete_rows(3, len(cells))
        for row in order:
            sheet.append(cells[row])
        book.save(folder / f"{collection}.xlsx")
        _count_again(root, collection, table, len(order))

    return edit


def _count_again(root: Path, collection: str, table: str, count: int) -> None:
    for name in ("collection.json", "collection.zh.json"):
        setting(f"{collection}/{name}", "assets", f"table_{table}", "table:row_count", to=count)(root)


def _scaled_column(collection: str, table: str, column: str, factor: float) -> Edit:
    """A whole column of a table in all copies."""

    def edit(root: Path) -> None:
        frame = pd.read_csv(root / collection / f"tables/{table}.csv", dtype=str, keep_default_na=False)
        for row, text in enumerate(frame[column]):
            if text and float(text):
                decimals = len(text.partition(".")[2])
                in_copies(collection, table, row, column, f"{factor * float(text):.{decimals}f}")(root)

    return edit


def _sheet(collection: str, sheet: str, cell: str, value: Any) -> Edit:
    def edit(root: Path) -> None:
        path = root / collection / "tables" / f"{collection}.xlsx"
        book = openpyxl.load_workbook(path)
        assert book[sheet][cell].value != value
        book[sheet][cell].value = value
        book.save(path)

    return edit


def _parquet(collection: str, table: str, change: Callable[[Any], Any]) -> Edit:
    def edit(root: Path) -> None:
        path = root / collection / f"tables/{table}.parquet"
        pq.write_table(change(pq.read_table(path)), path, compression="zstd")

    return edit


def _unit_in_parquet(packed: Any) -> Any:
    place = next(k for k, field in enumerate(packed.schema) if (field.metadata or {}).get(b"unit"))
    field = packed.schema.field(place)
    schema = packed.schema.set(place, field.with_metadata({**field.metadata, b"unit": b"ft"}))
    return packed.cast(schema)


def _sub(file: str, pattern: str, new: str) -> Edit:
    """The first place of a text where a pattern fits."""

    def edit(root: Path) -> None:
        text = (root / file).read_text(encoding="utf-8")
        changed, count = re.subn(pattern, new, text, count=1, flags=re.DOTALL)
        assert count == 1, f"{pattern!r} is not in {file}"
        assert changed != text
        (root / file).write_text(changed, encoding="utf-8", newline="\n")

    return edit


def _png(width: int, height: int, shade: int) -> bytes:
    head = struct.pack(">IIBBBBB", width, height, 8, 0, 0, 0, 0)
    rows = (b"\x00" + bytes([shade]) * width) * height
    chunks = [(b"IHDR", head), (b"IDAT", zlib.compress(rows)), (b"IEND", b"")]
    parts = (struct.pack(">I", len(d)) + k + d + struct.pack(">I", zlib.crc32(k + d)) for k, d in chunks)
    return b"\x89PNG\r\n\x1a\n" + b"".join(parts)


def _png_chunk(file: str, kind: bytes, data: bytes) -> Edit:
    """One chunk more before the end of a picture."""

    def edit(root: Path) -> None:
        content = (root / file).read_bytes()
        chunk = struct.pack(">I", len(data)) + kind + data + struct.pack(">I", zlib.crc32(kind + data))
        (root / file).write_bytes(content[:-12] + chunk + content[-12:])

    return edit


def _copy(source: str, to: str) -> Edit:
    return lambda root: (root / to).write_bytes((root / source).read_bytes()) and None


def _repacked(source: str, to: str) -> Edit:
    """The pixels of a picture in the place of another, packed anew: no two files are the same."""

    def edit(root: Path) -> None:
        from PIL import Image

        with Image.open(root / source) as picture:
            picture.save(root / to, compress_level=1)

    return edit


def _resized(file: str, share: float) -> Edit:
    def edit(root: Path) -> None:
        from PIL import Image

        with Image.open(root / file) as picture:
            size = tuple(int(share * side) for side in picture.size)
            small = picture.resize(size)
        small.save(root / file)

    return edit


def _flipped(file: str) -> Edit:
    def edit(root: Path) -> None:
        from PIL import Image, ImageOps

        with Image.open(root / file) as picture:
            turned = ImageOps.mirror(picture)
        turned.save(root / file)

    return edit


def _appended(file: str, content: bytes) -> Edit:
    return lambda root: (root / file).write_bytes((root / file).read_bytes() + content) and None


def _in_zip(file: str, name: str, content: bytes) -> Edit:
    def edit(root: Path) -> None:
        with zipfile.ZipFile(root / file, "a") as book:
            book.writestr(name, content)

    return edit


def _made(file: str, content: bytes) -> Edit:
    def edit(root: Path) -> None:
        (root / file).parent.mkdir(parents=True, exist_ok=True)
        add(file, content)(root)

    return edit


def _as_asset(item: str, file: str, content: bytes, media_type: str) -> Edit:
    """A file beside an item, which the item names as an asset of its own and the collection describes."""
    key = Path(file).stem

    def edit(root: Path) -> None:
        (root / item).parent.joinpath(file).write_bytes(content)
        asset = {"href": f"./{file}", "title": "More", "type": media_type, "roles": ["data"]}
        in_json(item, lambda one: one["assets"].update({key: dict(asset)}))(root)
        collection = f"{item.partition('/')[0]}/collection.json"
        described = {name: value for name, value in asset.items() if name != "href"}
        in_json(collection, lambda one: one["item_assets"].update({key: described}))(root)

    return edit


def _reversed_ramp(file: str) -> Edit:
    """The colours of a style from the other end."""

    def edit(root: Path) -> None:
        text = (root / file).read_text(encoding="utf-8")
        pattern = re.compile(r'(<item\b[^>]*\bcolor=")([^"]*)(")')
        colours = iter([match[2] for match in pattern.finditer(text)][::-1])
        changed = pattern.sub(lambda match: f"{match[1]}{next(colours)}{match[3]}", text)
        assert changed != text
        (root / file).write_text(changed, encoding="utf-8", newline="\n")

    return edit


def _graph(collection: str, change: Callable[[dict[str, Any]], object]) -> Edit:
    """The entities of a crate by their names."""
    file = f"{collection}/metadata/ro-crate-metadata.json"
    return in_json(file, lambda crate: change({one["@id"]: one for one in crate["@graph"]}))


def _link_title(file: str, rel: str, title: str) -> Edit:
    def change(content: Any) -> None:
        next(link for link in content["links"] if link["rel"] == rel)["title"] = title

    return in_json(file, change)


def _feature(file: str, number: int, key: str, value: Any) -> Edit:
    return setting(file, "features", number, "properties", key, to=value)


def _stated_in_stac(name: str, *path: Any, to: Any) -> Forgery:
    return Forgery(kind="STAC", name=name, edit=_prop(path[0], *path[1:], to=to))


_MB_GATE = ("glacier:gates", 0)
_STAC = (
    _stated_in_stac("title of an item", MB_ITEM, "title", to="Mass balance of another glacier, 2001"),
    _stated_in_stac("description of an item", MB_ITEM, "description", to="Annual mass balance of Elsewhere."),
    _stated_in_stac("keywords of an item", MB_ITEM, "keywords", to=["Volcano"]),
    _stated_in_stac("licence of an item", MB_ITEM, "license", to="CC0-1.0"),
    _stated_in_stac("day of publication of an item", MB_ITEM, "published", to="2019-01-01T00:00:00Z"),
    _stated_in_stac("date of an item", EC_ITEM, "datetime", to="2005-06-30T23:59:59Z"),
    _stated_in_stac("name of the glacier", MB_ITEM, "glacier:glacier_name", to="Glacier No. 1"),
    _stated_in_stac("identity of the glacier", MB_ITEM, "glacier:glacier_id", to="CN5Y730C0029"),
    _stated_in_stac("provenance of a year", MB_ITEM, "glacier:provenance", to="reconstructed"),
    _stated_in_stac("time system of a year", MB_ITEM, "glacier:time_system", to="FXD"),
    _stated_in_stac("flags of a year", MB_ITEM, "glacier:flags", to=[]),
    _stated_in_stac("value of a gate in STAC", MB_ITEM, *_MB_GATE, "value", to=40.0),
    _stated_in_stac("limit of a gate in STAC", MB_ITEM, *_MB_GATE, "limit", to=900.0),
    _stated_in_stac("shift of the DEMs", EC_ITEM, "glacier:shift_m", "east", to=1.5),
    _stated_in_stac("bias of stable terrain", EC_ITEM, "glacier:stable_terrain", "after", "median_m", to=0.0),
    _stated_in_stac("NMAD of stable terrain", EC_ITEM, "glacier:stable_terrain", "after", "nmad_m", to=0.9),
    _stated_in_stac("mass change of all glaciers", EC_ITEM, "glacier:totals", "mass_change_kg", to=-1.0e9),
    _stated_in_stac("mean change of all glaciers", EC_ITEM, "glacier:totals", "mean_dh_m", to=-0.2),
    _stated_in_stac(
        "what the correction takes off", EC_ITEM, "glacier:resolution_correction", "taken_off", "glaciers_m", to=-0.01
    ),
    _stated_in_stac("days that the source supports", EC_ITEM, "glacier:supported_period", "end", to="2010-12-31"),
    _stated_in_stac("days that the source claims", EC_ITEM, "glacier:claimed_period", "end", to="2020-12-31"),
    _stated_in_stac("accuracy of the measurement", EC_ITEM, "accuracy:measurement_relative", to=0.1),
    _stated_in_stac("lineage", EC_ITEM, "processing:lineage", to="Synthetic sample inputs. Drawn by hand."),
    _stated_in_stac("formula of a step", MB_ITEM, "processing:expression", "expression", 0, "expression", to="b = 0"),
    Forgery(
        kind="STAC",
        name="title of an asset",
        edit=setting(EC_ITEM, "assets", "elevation_change", "title", to="Elevation gain"),
    ),
    Forgery(
        kind="STAC",
        name="title of a link",
        edit=_link_title("catalog.json", "child", "[SYNTHETIC SAMPLE] Something else"),
    ),
    Forgery(
        kind="STAC", name="abstract of a collection", edit=setting(_EC_COLLECTION, "description", to="synthetic; none")
    ),
    Forgery(
        kind="STAC",
        name="altitudes of a collection",
        edit=setting(_EC_COLLECTION, "glacier:altitude_m", "high", to=8848.0),
    ),
    Forgery(kind="STAC", name="summary taken out", edit=drop(_MB_COLLECTION, "summaries", "glacier:annual_m_we")),
    Forgery(
        kind="STAC", name="provider of a collection", edit=setting(_MB_COLLECTION, "providers", 0, "name", to="Nobody")
    ),
)


_BALANCES = (BALANCE, f"{_MB}/balance_sigma.tif")
_CHANGES = (DH, SIGMA, CLASSES)


def _raster_forgery(name: str, edit: Edit) -> Forgery:
    return Forgery(kind="raster", name=name, edit=edit)


_RASTERS = (
    _raster_forgery("uncertainty of the change halved", _raster(SIGMA, pixels=_pixels(lambda b: b * 0.5))),
    _raster_forgery("uncertainty of the change tenfold", _raster(SIGMA, pixels=_pixels(lambda b: b * 10))),
    _raster_forgery("uncertainty of a balance tenth", _raster(_BALANCES[1], pixels=_pixels(lambda b: b * 0.1))),
    _raster_forgery("change shuffled", _raster(DH, pixels=_shuffled)),
    _raster_forgery("balance shuffled", _raster(BALANCE, pixels=_shuffled)),
    _raster_forgery("change rolled by five rows", _raster(DH, pixels=_rolled(5, 0))),
    _raster_forgery("balance turned upside down", _raster(BALANCE, pixels=lambda b: b[:, ::-1].copy())),
    _raster_forgery("change with its sign turned", _raster(DH, pixels=_pixels(lambda b: -b))),
    _raster_forgery("change off the glaciers smoothed", _raster(DH, pixels=_pixels(lambda b: np.round(b * 0.9, 2)))),
    _raster_forgery("rasters of the change moved east", _moved(_CHANGES, 90.0, 0.0)),
    _raster_forgery("uncertainty moved by a pixel", _moved((SIGMA,), 30.0, 0.0)),
    _raster_forgery("classes moved by a pixel", _moved((CLASSES,), 0.0, 30.0)),
    _raster_forgery("rasters of a balance moved north", _moved(_BALANCES, 0.0, 40.0)),
    _raster_forgery("glacier called stable", _raster(CLASSES, pixels=_classes(2, 1, 0.3))),
    _raster_forgery("stable terrain called excluded", _raster(CLASSES, pixels=_classes(1, 3, 0.5))),
    _raster_forgery("void called stable", _raster(CLASSES, pixels=_classes(0, 1))),
    _raster_forgery(
        "unit of the change in STAC and file",
        _all(
            _raster(DH, units=("ft",)),
            setting(EC_ITEM, "assets", "elevation_change", "bands", 0, "unit", to="ft"),
            setting(_EC_COLLECTION, "item_assets", "elevation_change", "bands", 0, "unit", to="ft"),
        ),
    ),
    _raster_forgery("bytes behind the last tile", _appended(DH, b"MZ" + bytes(4000))),
    _raster_forgery("balance of the other year", _raster_of(f"{_SECOND}/balance.tif", BALANCE)),
    _raster_forgery("hole in a balance", _raster(BALANCE, pixels=_holed)),
    _raster_forgery("balance a tenth too high", _raster(BALANCE, pixels=_pixels(lambda b: b + np.float32(0.1)))),
)

_TOTALS = (EC, "region", 0)


def _cell(collection: str, table: str, row: int, column: str, value: str) -> Forgery:
    return Forgery(kind="table", name=f"{column} of {table}", edit=in_copies(collection, table, row, column, value))


_TABLES = (
    _cell(*_TOTALS, "mean_dh_m", "-0.205"),
    _cell(*_TOTALS, "mass_change_kg", "-1"),
    _cell(*_TOTALS, "observed_share", "0.5000"),
    _cell(EC, "glaciers", 4, "sigma_volume_change_m3", "1"),
    _cell(EC, "glaciers", 4, "sigma_mean_dh_m", "0.001"),
    _cell(EC, "glaciers", 4, "area_earlier_km2", "0.95805"),
    _cell(EC, "glaciers", 4, "longitude", "86.123456"),
    _cell(EC, "elevation_bands", 3, "area_km2", "9.60000"),
    _cell(EC, "elevation_bands", 3, "mean_dh_m", "6.000"),
    _cell(EC, "accuracy", 3, "rmse_m", "0.100"),
    _cell(EC, "accuracy", 3, "mean_m", "0.000"),
    _cell(EC, "coregistration", 3, "shift_east_m", "1.5000"),
    _cell(EC, "resolution", 12, "taken_off_m", "-0.001"),
    _cell(EC, "dem_checks", 0, "value", "90.000000"),
    _cell(MB, "glacier_balances", 0, "sigma_annual_m_we", "0.01"),
    _cell(MB, "glacier_balances", 0, "contour_balance_m_we", "-0.10"),
    _cell(MB, "glacier_balances", 0, "provenance", "reconstructed"),
    _cell(MB, "point_balances", 2, "sigma_balance_m_we", "0.01"),
    _cell(MB, "zone_balances", 2, "area_km2", "0.20720"),
    _cell(MB, "quality_gates", 0, "limit", "900.0000"),
    _cell(MB, "fog2023_mass_balance_point", 2, "POINT_BALANCE", "0"),
    Forgery(kind="table", name="glacier left out", edit=_rows(EC, "glaciers", lambda f: f.drop(index=3))),
    Forgery(kind="table", name="glaciers in another order", edit=_rows(EC, "glaciers", lambda f: f[::-1])),
    Forgery(kind="table", name="stakes in another order", edit=_rows(MB, "stakes", lambda f: f[::-1])),
    Forgery(kind="table", name="point left out", edit=_rows(MB, "point_balances", lambda f: f.drop(index=5))),
    Forgery(kind="table", name="unit of a column in the workbook", edit=_sheet(EC, "glaciers", "H2", "ft")),
    Forgery(kind="table", name="title in the workbook", edit=_sheet(MB, "README", "B1", "Another dataset")),
    Forgery(kind="table", name="meaning of a column in Parquet", edit=_parquet(EC, "glaciers", _unit_in_parquet)),
    Forgery(
        kind="table",
        name="a column of sigma halved",
        edit=_scaled_column(MB, "glacier_balances", "sigma_annual_m_we", 0.5),
    ),
)


def _record(name: str, edit: Edit) -> Forgery:
    return Forgery(kind="record", name=name, edit=edit)


def _portal(key: str, value: Any) -> Edit:
    return setting(f"{EC}/metadata/ncdc.json", key, to=value)


_RECORDS = (
    _record("abstract of the portal record", _portal("ds_abstract", "Nothing was measured.")),
    _record("quality in the portal record", _portal("ds_quality", "0.1 meters")),
    _record("processing in the portal record", _portal("ds_process_way", "guessing")),
    _record("sources in the portal record", _portal("ds_source", "hearsay")),
    _record("altitudes in the portal record", _portal("ds_acq_alt_high", 8848.0)),
    _record("resolution in the portal record", _portal("ds_space_res", "1 m")),
    _record("Chinese title of the portal record", _portal("title_cn", "[合成样本] 另一数据集")),
    _record(
        "computed quality in the portal record", _sub(f"{EC}/metadata/ncdc.json", r'"nmad_m": 4\.2', '"nmad_m": 0.2')
    ),
    _record("citation in Chinese", _sub(f"{EC}/metadata/citation.txt", "2024，", "1999，")),
    _record("keywords of the citation text", _sub(f"{EC}/metadata/citation.txt", "关键词: Glacier", "关键词: Volcano")),
    _record("abstract in DataCite", _sub(f"{EC}/metadata/datacite.json", "Elevation change: desc", "Nothing: desc")),
    _record(
        "abstract in the XML of DataCite", _sub(f"{EC}/metadata/datacite.xml", "Elevation change: desc", "No desc")
    ),
    _record("format in DataCite", _sub(f"{EC}/metadata/datacite.json", "image/tiff", "image/jpeg")),
    _record("abstract in ISO 19139", _sub(f"{EC}/metadata/iso19139.xml", "Elevation change: desc", "Nothing: desc")),
    _record("altitude in ISO 19139", _sub(f"{EC}/metadata/iso19139.xml", "4500", "8848")),
    _record(
        "lineage in ISO 19139",
        _sub(f"{EC}/metadata/iso19139.xml", "Elevation change: processing", "Guessing: processing"),
    ),
    _record("abstract in schema.org", setting(f"{EC}/metadata/dataset.jsonld", "description", to="synthetic: none")),
    _record("variable in schema.org", setting(f"{EC}/metadata/dataset.jsonld", "variableMeasured", 0, "name", to="x")),
    _record("abstract in CITATION.cff", _sub(f"{EC}/metadata/CITATION.cff", "Elevation change: desc", "Nothing: desc")),
    _record("abstract in RO-Crate", _graph(EC, lambda g: g["./"].update(description="synthetic: none"))),
    _record("abstract of the data package", setting(f"{EC}/datapackage.json", "description", to="synthetic: none")),
    _record("source of the data package", setting(f"{EC}/datapackage.json", "sources", 0, "title", to="hearsay")),
)


def _page(name: str, edit: Edit) -> Forgery:
    return Forgery(kind="page", name=name, edit=edit)


_EC_PAGE, _MB_PAGE, _EC_TOP, _MB_TOP = (f"{place}/index.html" for place in (_EC, _MB, EC, MB))
_PAGES = (
    _page("annual balance on its page", _sub(_MB_PAGE, "−0.48 ± 0.14", "−0.08 ± 0.14")),
    _page("error of the balance on its page", _sub(_MB_PAGE, "−0.48 ± 0.14", "−0.48 ± 0.04")),
    _page("equilibrium line on its page", _sub(_MB_PAGE, "3,838 ± 14", "3,538 ± 14")),
    _page("accumulation area on its page", _sub(_MB_PAGE, "35 ± 3", "75 ± 3")),
    _page("gate on the page of a year", _sub(_MB_PAGE, "140 kg", "40 kg")),
    _page("mean change on its page", _sub(_EC_PAGE, "−2.20 ± 0.31", "−0.20 ± 0.31")),
    _page("volume on its page", _sub(_EC_PAGE, "−12.0 ± 3.0", "−1.2 ± 0.3")),
    _page("stable pixels on its page", _sub(_EC_PAGE, r"[\d,]+ stable pixels", "41,999 stable pixels")),
    _page("NMAD on its page", _sub(_EC_PAGE, r"8\.50 → 4\.20", "8.50 → 0.20")),
    _page("mean of the years on their page", _sub(_MB_TOP, "<b>−0.21</b>", "<b>0.21</b>")),
    _page("label of a bar", _sub(_MB_TOP, "2001: −0.48 ± 0.14 m w.e.", "2001: 0.48 ± 0.14 m w.e.")),
    _page("card of the front page", _sub("index.html", "−2.20 ± 0.31", "−0.10 ± 0.31")),
    _page("other number of the page on its card", _sub("index.html", "−2.20 ± 0.31", "9 ± 0.31")),
    _page("number in Chinese alone", _sub(_EC_PAGE, r"稳定像元 [\d,]+ 个", "稳定像元 91,234 个")),
    _page("heading of a page", _sub(_MB_PAGE, "Mass balance 2001", "Mass balance 2002")),
    _page("heading in Chinese", _sub(_MB_PAGE, "2001 年物质平衡", "2002 年物质平衡")),
    _page("dates on a page", _sub(_MB_PAGE, "2000-08-28 – 2001-08-30", "2000-08-28 – 2001-09-30")),
    _page("version on a page", _sub(_MB_TOP, "</span> 1.2.0</span>", "</span> 9.2.0</span>")),
    _page("failed gate called passed", _sub(_MB_PAGE, '<li class="passed">', '<li class="failed">')),
    _page("mean change in README", _sub(f"{EC}/README.md", "−2.20 ± 0.31", "−0.20 ± 0.31")),
    _page("highest year in README", _sub(f"{MB}/README.md", "0.07 ± 0.14", "0.97 ± 0.14")),
    _page("gate in README", _sub(f"{MB}/README.md", r"\| 140 kg", "| 40 kg")),
    _page("records in README", _sub(f"{MB}/README.md", r"`stakes` \| 18", "`stakes` | 81")),
    _page("altitudes in README", _sub(f"{EC}/README.md", "2500 to 4500", "2500 to 8848")),
    _page("abstract in README", _sub(f"{EC}/README.md", "Elevation change: description", "Nothing was measured")),
    _page("scale of the map on a page", _sub(_EC_PAGE, '"meridian":87\\.0', '"meridian":93.0')),
    _page("keyword of the search", _sub("search.js", '"Tianshan Mountains"', '"Andes"')),
)


def _style(name: str, edit: Edit) -> Forgery:
    return Forgery(kind="style", name=name, edit=edit)


_STYLES = (
    _style("colours of the change reversed", _reversed_ramp(f"{_EC}/elevation_change.qml")),
    _style("colours of a balance reversed", _reversed_ramp(f"{_MB}/balance.qml")),
    _style("colours of an uncertainty reversed", _reversed_ramp(f"{_MB}/balance_sigma.qml")),
    _style(
        "one colour of the change", _sub(f"{_EC}/elevation_change.qml", r'color="#[0-9a-fA-F]{6}"', 'color="#00ff00"')
    ),
    _style("label of a stop", _sub(f"{_EC}/elevation_change.qml", r'label="[^"]+"', 'label="99 m"')),
    _style("expression in a style", _sub(f"{_EC}/outlines.qml", r"<qgis ", '<qgis onload="x" ')),
    _style(
        "action in a style",
        _sub(
            f"{_EC}/glaciers.qml",
            "</qgis>",
            '<attributeactions><actionsetting type="1" action="import os"/></attributeactions></qgis>',
        ),
    ),
    _style("colour of the outlines", _sub(f"{_EC}/outlines.qml", r"\d+,\d+,\d+,255", "0,255,0,255")),
    _style("pictures coloured the other way", _raster(f"{_EC}/visual.tif", pixels=lambda b: b[::-1].copy())),
    _style("picture of a balance in grey", _raster(f"{_MB}/visual.tif", pixels=lambda b: np.repeat(b[:1], 3, axis=0))),
    _style("style sheet of the pages", _appended("site.css", b"b{display:none}\n")),
    _style("line style of the isolines", _sub(f"{_MB}/isolines.qml", r"\d+,\d+,\d+,255", "0,255,0,255")),
)


def _picture(name: str, edit: Edit) -> Forgery:
    return Forgery(kind="picture", name=name, edit=edit)


_PICTURES = (
    _picture("map of another year", _copy(f"{_SECOND}/map.png", f"{_MB}/map.png")),
    _picture("map of another year, packed anew", _repacked(f"{_SECOND}/map.png", f"{_MB}/map.png")),
    _picture("maps of two years swapped", swap(f"{_SECOND}/map.png", f"{_MB}/map.png")),
    _picture("thumbnail of another year", _repacked(f"{_SECOND}/thumbnail.png", f"{_MB}/thumbnail.png")),
    _picture("thumbnails of two years swapped", swap(f"{_SECOND}/thumbnail.png", f"{_MB}/thumbnail.png")),
    _picture("picture in colour of another year", _raster_of(f"{_SECOND}/visual.tif", f"{_MB}/visual.tif")),
    _picture("grey map", _made(f"{_MB}/map.png", _png(768, 1145, 128))),
    _picture("map of another size", _resized(f"{_MB}/map.png", 0.5)),
    _picture("thumbnail of one pixel", _made(f"{_MB}/thumbnail.png", _png(1, 1, 128))),
    _picture("map mirrored", _flipped(f"{_EC}/map.png")),
    _picture("thumbnail mirrored", _flipped(f"{_EC}/thumbnail.png")),
    _picture("diagram in place of another", _repacked(f"{_EC}/aspect.png", f"{_EC}/curvature.png")),
    _picture("two diagrams swapped", swap(f"{_EC}/aspect.png", f"{_EC}/curvature.png")),
    _picture("text within a picture", _png_chunk(f"{_MB}/map.png", b"tEXt", b"Comment\x00not what it seems")),
    _picture("chunk of no known kind in a picture", _png_chunk(f"{_MB}/map.png", b"evIl", bytes(2000))),
    _picture("picture of a profile of another year", _repacked(f"{_SECOND}/profile.png", f"{_MB}/profile.png")),
)


def _file(name: str, edit: Edit) -> Forgery:
    return Forgery(kind="file", name=name, edit=edit)


_EXE = b"MZ" + bytes(500)
_FILES = (
    _file("program at the root", _made("setup.exe", _EXE)),
    _file("program in a collection", _made(f"{EC}/setup.exe", _EXE)),
    _file("program among the tables", _made(f"{EC}/tables/setup.exe", _EXE)),
    _file("program among the records", _made(f"{EC}/metadata/run.sh", b"#!/bin/sh\n")),
    _file("program beside an item, as its asset", _as_asset(MB_ITEM, "setup.exe", _EXE, "application/octet-stream")),
    _file("macro workbook among the tables", _made(f"{EC}/tables/more.xlsm", b"PK\x03\x04")),
    _file("workbook more among the tables", _copy(f"{EC}/tables/{EC}.xlsx", f"{EC}/tables/more.xlsx")),
    _file("table more in Parquet", _copy(f"{EC}/tables/glaciers.parquet", f"{EC}/tables/more.parquet")),
    _file("page more at the root", _copy("index.html", "read-me-first.html")),
    _file("script more at the root", _made("more.js", b"alert(1)\n")),
    _file("hidden file", _made(".htaccess", b"Redirect / https://example.org/\n")),
    _file("picture more in a collection", _copy(f"{MB}/balance_series.png", f"{EC}/more.png")),
    _file("script of the pages changed", _appended("site.js", b"fetch('more.js')\n")),
    _file("script of the rasters changed", _sub("cog.js", r"return ", "return 0 || ")),
    _file("script of the map changed", _appended("map.js", b"// more\n")),
    _file("schema more", _made("schemas/glacier/v9.0.0/schema.json", b"{}\n")),
    _file("program among earlier versions", _made("versions/setup.exe", _EXE)),
    _file("program in an earlier version", _made("versions/1.0.0/setup.exe", _EXE)),
    _file("page of an earlier version that is none", _made("versions/1.0.0/index.html", b"<script>alert(1)</script>")),
    _file("part more in the workbook", _in_zip(f"{EC}/tables/{EC}.xlsx", "xl/media/setup.exe", _EXE)),
    _file("bytes behind the workbook", _appended(f"{EC}/tables/{EC}.xlsx", bytes(100))),
    _file(
        "sidecar of a raster", _as_asset(EC_ITEM, "elevation_change.tif.aux.xml", b"<PAMDataset/>", "application/xml")
    ),
)

FORGERIES = (*_STAC, *_RASTERS, *_TABLES, *_RECORDS, *_PAGES, *_STYLES, *_PICTURES, *_FILES)
