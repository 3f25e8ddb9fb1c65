"""Hostile files made by hand: each with the words in which it is refused, or none where it is harmless."""

from __future__ import annotations

import io
import json
import os
import sqlite3
import struct
import zipfile
import zlib
from collections.abc import Callable
from contextlib import closing
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import openpyxl
import rasterio
from rasterio.transform import Affine

from pipeline.elevation_change.dems.contents import require_relief, tile_contents
from pipeline.elevation_change.dems.tiles import open_mosaic
from pipeline.elevation_change.pairing.outlines import read_outlines
from pipeline.mass_balance.fieldwork.read import read_field_data
from pipeline.mass_balance.ground.hypsometry import read_surveys
from pipeline.mass_balance.ground.surveyed_outlines import read_surveyed_outlines
from schemas.definition import read_definition
from tests.made import field_workbook
from tests.made.synthetic_pairs import fractal, write_dem
from tests.system.hostile.readers import GRID, LOCK, OUTLINES, RECORD, _hgt, _outlines, read_lock, read_portal_record

ELSEWHERE = "http://127.0.0.1:9/dem.tif"


@dataclass(frozen=True)
class Case:
    """A hostile input.

    Attributes
    ----------
    make : writes it into a folder and gives its path.
    read : the reader that meets it.
    message : pattern that the refusal matches; None where the file is harmless and read.
    """

    name: str
    make: Callable[[Path], Path]
    read: Callable[[Path], object]
    message: str | None


def read_dem(path: Path) -> object:
    mosaic = open_mosaic(path, "earlier")
    contents = tile_contents(mosaic)
    require_relief(mosaic, contents)
    return contents


def read_shapes(path: Path) -> object:
    return read_outlines([path], GRID)


def read_glacier(path: Path) -> object:
    return read_surveyed_outlines(path, "G1", "EPSG:32645")


def written(name: str, content: bytes | str) -> Callable[[Path], Path]:
    def make(folder: Path) -> Path:
        (folder / name).write_bytes(content.encode() if isinstance(content, str) else content)
        return folder / name

    return make


def pipe(name: str) -> Callable[[Path], Path]:
    """A named pipe that nobody writes to: whoever opens it waits for ever."""

    def make(folder: Path) -> Path:
        (folder / name).parent.mkdir(exist_ok=True)
        os.mkfifo(folder / name)
        return folder / name

    return make


def endless(name: str) -> Callable[[Path], Path]:
    """A link to a device that never comes to an end."""

    def make(folder: Path) -> Path:
        (folder / name).symlink_to("/dev/zero")
        return folder / name

    return make


def sparse(name: str, size: int, head: bytes = b"") -> Callable[[Path], Path]:
    """A file of a size that takes no room on the disk."""

    def make(folder: Path) -> Path:
        (folder / name).parent.mkdir(exist_ok=True)
        with (folder / name).open("wb") as file:
            file.write(head)
            file.truncate(size)
        return folder / name

    return make


# --- elevation models ---------------------------------------------------------------------------------------------


def vrt(sources: str, name: str = "all.vrt", head: str = "") -> Callable[[Path], Path]:
    band = f'<VRTRasterBand dataType="Float32" band="1">{sources}</VRTRasterBand>'
    place = "<SRS>EPSG:32645</SRS><GeoTransform>400000,30,0,4800000,0,-25</GeoTransform>"
    return written(name, f'{head}<VRTDataset rasterXSize="40" rasterYSize="30">{place}{band}</VRTDataset>')


def source(filename: str) -> str:
    return f"<SimpleSource><SourceFilename>{filename}</SourceFilename><SourceBand>1</SourceBand></SimpleSource>"


def tif(name: str = "a.tif", **profile: object) -> Callable[[Path], Path]:
    """A GeoTIFF of noise with whatever profile."""

    def make(folder: Path) -> Path:
        shape = (24, 31)
        settings = {
            "height": shape[0],
            "width": shape[1],
            "count": 1,
            "dtype": "float32",
            "crs": "EPSG:32645",
            "transform": Affine(30, 0, 400_000, 0, -25, 4_800_000),
            **profile,
        }
        with rasterio.open(folder / name, "w", driver="GTiff", **settings) as target:
            target.write(np.arange(shape[0] * shape[1]).reshape(1, *shape).astype(settings["dtype"]))
        return folder / name

    return make


def with_tag(tag: int, value: int) -> Callable[[Path], Path]:
    """A GeoTIFF one of whose tags says something else."""

    def make(folder: Path) -> Path:
        path = tif()(folder)
        content = bytearray(path.read_bytes())
        (start,) = struct.unpack_from("<I", content, 4)
        (count,) = struct.unpack_from("<H", content, start)
        for number in range(count):
            entry = start + 2 + 12 * number
            if struct.unpack_from("<H", content, entry)[0] == tag:
                struct.pack_into("<HII", content, entry + 2, 4, 1, value)
        path.write_bytes(content)
        return path

    return make


def zipped(name: str, *members: tuple[str, bytes]) -> Callable[[Path], Path]:
    def make(folder: Path) -> Path:
        with zipfile.ZipFile(folder / name, "w", zipfile.ZIP_DEFLATED, compresslevel=1) as archive:
            for member, content in members:
                archive.writestr(zipfile.ZipInfo(member, (1980, 1, 1, 0, 0, 0)), content)
        return folder / name

    return make


def claiming(size: int) -> Callable[[Path], Path]:
    """A zip archive whose member claims to be of some size when unpacked."""

    def make(folder: Path) -> Path:
        path = zipped("N43E086.hgt.zip", ("N43E086.hgt", _hgt()))(folder)
        content = bytearray(path.read_bytes())
        struct.pack_into("<I", content, content.index(b"PK\x01\x02") + 24, size)
        path.write_bytes(content)
        return path

    return make


def long_directory(folder: Path) -> Path:
    """The end of a zip archive that announces a list of members of 4 GB."""
    path = zipped("N43E086.hgt.zip", ("N43E086.hgt", b"x"))(folder)
    content = bytearray(path.read_bytes())
    struct.pack_into("<I", content, content.rindex(b"PK\x05\x06") + 12, 0xFFFFFFF0)
    path.write_bytes(content)
    return path


def recursive_zip(folder: Path) -> Path:
    """A zip archive within a zip archive, and so on."""
    content = b"end"
    for _ in range(30):
        packed = io.BytesIO()
        with zipfile.ZipFile(packed, "w", zipfile.ZIP_DEFLATED) as archive:
            archive.writestr("N43E086.hgt.zip", content)
        content = packed.getvalue()
    (folder / "N43E086.hgt.zip").write_bytes(content)
    return folder / "N43E086.hgt.zip"


ENTITIES = "<!DOCTYPE x [" + "".join(f'<!ENTITY e{n} "{f"&e{n - 1};" * 10 if n else "x" * 10}">' for n in range(10))
BOMB = f"{ENTITIES}]>"

DEMS = (
    Case("a folder without rasters", lambda f: f, read_dem, "no raster tile in the folder"),
    Case("a pipe as DEM", pipe("a.tif"), read_dem, r"a\.tif: found a named pipe; expected a raster"),
    Case("a pipe among tiles", lambda f: pipe("a.tif")(f).parent, read_dem, r"a\.tif: found a named pipe"),
    Case("a device as DEM", endless("a.tif"), read_dem, r"a\.tif: found a device; expected a raster"),
    Case("a device as zip", endless("a.zip"), read_dem, r"a\.zip: found a device"),
    Case("a device as gz", endless("N43E086.hgt.gz"), read_dem, "found a device"),
    Case("a name with a null", lambda f: f / "a\0.tif", read_dem, "no such file"),
    Case("a VRT in a GeoTIFF's clothes", vrt(source(ELSEWHERE), "dem.tif"), read_dem, "not recognized as being"),
    Case("a VRT of a web address", vrt(source(ELSEWHERE)), read_dem, r"source http.*: found no plain file"),
    Case("a VRT of a remote file", vrt(source(f"/vsicurl/{ELSEWHERE}")), read_dem, "found no plain file"),
    Case("a VRT of a bucket", vrt(source("/vsis3/bucket/dem.tif")), read_dem, "found no plain file"),
    Case("a VRT of a remote zip", vrt(source(f"/vsizip/vsicurl/{ELSEWHERE}")), read_dem, "found no plain file"),
    Case("a VRT of inline XML", vrt(source("&lt;GDAL_WMS/&gt;")), read_dem, "found no plain file"),
    Case("a VRT of itself", vrt(source("all.vrt")), read_dem, r"source all\.vrt: found another VRT"),
    Case("a VRT of a device", vrt(source("/dev/zero")), read_dem, "source /dev/zero: found a device"),
    Case("a VRT with code", vrt("<PixelFunctionCode>1</PixelFunctionCode>"), read_dem, "found a pixel function"),
    Case(
        "a VRT with entities", vrt("<a>&e9;</a>", head=BOMB), read_dem, r"all\.vrt: found (a document type|broken XML)"
    ),
    Case("a VRT cut off", written("a.vrt", "<VRTDataset>"), read_dem, "found broken XML"),
    Case("a VRT of 1 GB", sparse("a.vrt", 10**9), read_dem, "found 1000000000 bytes; expected a VRT"),
    Case("two thousand million columns", with_tag(256, 2_000_000_000), read_dem, "pixels declared in a file of"),
    Case("a strip of many rows", with_tag(257, 70_000_000), read_dem, "pixels declared in a file of"),
    Case("a pixel of no width", tif(transform=Affine(1e-300, 0, 4e5, 0, -25, 4.8e6)), read_dem, "a pixel size"),
    Case(
        "an infinite origin",
        tif(transform=Affine(30, 0, np.inf, 0, -25, 4.8e6)),
        read_dem,
        "a pixel size and an origin",
    ),
    Case(
        "an origin of NaN", tif(transform=Affine(30, 0, np.nan, 0, -25, 4.8e6)), read_dem, "a pixel size and an origin"
    ),
    Case("off the Earth", tif(transform=Affine(30, 0, 1e30, 0, -25, 4.8e6)), read_dem, "nowhere on Earth"),
    Case("complex heights", tif(dtype="complex64"), read_dem, "values of type complex64"),
    Case(
        "an infinite height",
        lambda f: write_dem(f / "a.tif", np.where(np.eye(24, 31) > 0, np.inf, fractal((24, 31)))),
        read_dem,
        None,
    ),
    Case(
        "a member that leads out", zipped("a.zip", ("../../N43E086.hgt", b"x")), read_dem, "a name that leads elsewhere"
    ),
    Case("an absolute member", zipped("a.zip", ("/etc/N43E086.hgt", b"x")), read_dem, "a name that leads elsewhere"),
    Case(
        "a member that closes GDAL's brace",
        zipped("a.zip", ("}/../x.tif", b"x")),
        read_dem,
        "a name that leads elsewhere",
    ),
    Case(
        "a member that is a VRT", zipped("a.zip", ("a.vrt", b"<VRTDataset/>")), read_dem, "a name that leads elsewhere"
    ),
    Case("a zip in a zip", recursive_zip, read_dem, "no raster among its 1 files"),
    Case("a member of 4.2 GB by its claim", claiming(4_200_000_000), read_dem, "4200000000 bytes when unpacked"),
    Case("a list of members of 4 GB", long_directory, read_dem, "a list of members of 4294967280 bytes"),
    Case("an empty hgt", written("N43E086.hgt", b""), read_dem, "; expected a raster that GDAL can read"),
)

# --- outlines -----------------------------------------------------------------------------------------------------


def features(*geometries: object, head: str = "") -> str:
    listed = [
        {"type": "Feature", "properties": {"glac_id": f"G{n}"}, "geometry": g} for n, g in enumerate(geometries, 1)
    ]
    return head + json.dumps({"type": "FeatureCollection", "features": listed})


def square(value: float = 85.765, west: float = 85.76) -> dict[str, object]:
    return {
        "type": "Polygon",
        "coordinates": [[[west, 43.33], [value, 43.33], [value, 43.34], [west, 43.34], [west, 43.33]]],
    }


def endless_view(folder: Path) -> Path:
    """A GeoPackage whose layer computes its records without end."""
    path = folder / OUTLINES[0]
    _outlines().to_file(path)
    with closing(sqlite3.connect(path)) as base:
        columns = ", ".join(row[1] for row in base.execute("PRAGMA table_info(outlines)"))
        base.execute("ALTER TABLE outlines RENAME TO kept")
        base.execute(
            f"CREATE VIEW outlines AS WITH RECURSIVE c(x) AS (SELECT 1 UNION ALL SELECT x + 1 FROM c) "
            f"SELECT {columns} FROM kept, c WHERE x < 0"
        )
        base.commit()
    return path


OGR_VRT = (
    "<OGRVRTDataSource><OGRVRTLayer name='x'>"
    f"<SrcDataSource>/vsicurl/{ELSEWHERE}</SrcDataSource></OGRVRTLayer></OGRVRTDataSource>"
)
GML = (
    "<gml:FeatureCollection xmlns:gml='http://www.opengis.net/gml' "
    f"xsi:schemaLocation='x {ELSEWHERE}' xmlns:xsi='http://www.w3.org/2001/XMLSchema-instance'/>"
)


def _for_both(name: str, make: Callable[[Path], Path], first: str | None, second: str | None) -> tuple[Case, Case]:
    return Case(name, make, read_shapes, first), Case(f"{name}, one glacier", make, read_glacier, second)


SHAPES = (
    *_for_both("a pipe as outlines", pipe("o.geojson"), "found a named pipe", "found a named pipe"),
    *_for_both("a device as outlines", endless("o.gpkg"), "found a device", "found a device"),
    *_for_both(
        "a list of addresses as outlines", written("o.geojson", OGR_VRT), "may lead elsewhere", "may lead elsewhere"
    ),
    *_for_both("GML with a remote schema", written("o.gml", GML), "may lead elsewhere", "may lead elsewhere"),
    *_for_both("UTF-16 XML", written("o.gpkg", OGR_VRT.encode("utf-16")), "may lead elsewhere", "may lead elsewhere"),
    *_for_both("a view without end", endless_view, "found the view 'outlines'", "found the view 'outlines'"),
    *_for_both(
        "nested deeply", written("o.geojson", features(None)[:-3] + '{"a":' * 100_000), "; expected", "; expected"
    ),
    *_for_both("NaN coordinates", written("o.geojson", features(square(float("nan")))), "; expected", "; expected"),
    *_for_both("huge coordinates", written("o.geojson", features(square(1e308))), "; expected", "; expected"),
    *_for_both("UTF-16 GeoJSON", written("o.geojson", features(square()).encode("utf-16")), "; expected", "; expected"),
    *_for_both(
        "a line",
        written("o.geojson", features({"type": "LineString", "coordinates": [[86, 43], [87, 44]]})),
        "; expected",
        "; expected",
    ),
    *_for_both("an empty file", written("o.fgb", b""), "; expected", "; expected"),
    Case(
        "over the globe",
        lambda f: _surface(f, square(120.0, 50.0)),
        lambda p: read_surveys(p.parent / "a.tif", p, ("G1", "EPSG:32645"), 30.0, 50.0),
        "km wide",
    ),
)


def _surface(folder: Path, geometry: object) -> Path:
    tif()(folder)
    return written("o.geojson", features(geometry))(folder)


# --- field data ---------------------------------------------------------------------------------------------------


def workbook(
    change: Callable[[str, bytes], bytes] = lambda _, body: body, *added: tuple[str, bytes]
) -> Callable[[Path], Path]:
    """The small field workbook with its members changed."""

    def make(folder: Path) -> Path:
        path = field_workbook.write_workbook(folder / "field.xlsx", field_workbook.sheets())
        with zipfile.ZipFile(path) as archive:
            members = [(entry.filename, archive.read(entry)) for entry in archive.infolist()]
        with zipfile.ZipFile(path, "w", zipfile.ZIP_DEFLATED) as archive:
            for name, body in (*members, *added):
                archive.writestr(name, change(name, body))
        return path

    return make


def in_member(ending: str, old: bytes, new: bytes) -> Callable[[Path], Path]:
    return workbook(lambda name, body: body.replace(old, new, 1) if name.endswith(ending) else body)


STYLES, SHEET = "styles.xml", "worksheets/sheet3.xml"
EXTERNAL = '<!DOCTYPE x [<!ENTITY e SYSTEM "file:///etc/hostname">]>'


def merged(folder: Path) -> Path:
    """Ten thousand merged ranges, one over the other, each over all rows."""
    ranges = b'<mergeCells count="1">' + b'<mergeCell ref="A1:A1048576"/>' * 10_000 + b"</mergeCells>"
    return in_member(SHEET, b"</sheetData>", b"</sheetData>" + ranges)(folder)


def wide_rows(folder: Path) -> Path:
    """A thousand rows with one cell each, in the last column that a spreadsheet has."""
    rows = b"".join(b'<row r="%d"><c r="XFD%d"><v>1</v></c></row>' % (n, n) for n in range(100, 1100))
    return in_member(SHEET, b"</sheetData>", rows + b"</sheetData>")(folder)


def csv_folder(name: str = "readings.csv", content: bytes | None = None, **how: str) -> Callable[[Path], Path]:
    def make(folder: Path) -> Path:
        path = field_workbook.write_folder(folder / "field", field_workbook.sheets(), **how)
        if content is not None:
            (path / name).write_bytes(content)
        return path

    return make


def csv_made(make: Callable[[Path], Path]) -> Callable[[Path], Path]:
    """The field folder with one table made by ``make``, which names it ``field/readings.csv``."""

    def made(folder: Path) -> Path:
        path = csv_folder()(folder)
        (path / "readings.csv").unlink()
        make(folder)
        return path

    return made


FIELD = (
    Case(
        "entities in a workbook",
        in_member(STYLES, b"<styleSheet", BOMB.encode() + b"<styleSheet"),
        read_field_data,
        rf"a document type in xl/{STYLES}",
    ),
    Case(
        "an outside entity",
        in_member(SHEET, b"<worksheet", EXTERNAL.encode() + b"<worksheet"),
        read_field_data,
        "a document type in xl/worksheets",
    ),
    Case(
        "entities in UTF-16",
        workbook(
            lambda n, b: (
                f"{BOMB}{b.decode().partition('?>')[2] or b.decode()}".encode("utf-16") if n.endswith(STYLES) else b
            )
        ),
        read_field_data,
        "a document type",
    ),
    Case(
        "a row number beyond all",
        in_member(SHEET, b'<row r="2"', b'<row r="999999999"'),
        read_field_data,
        "more than 1000000 cells",
    ),
    Case("cells at the edge", wide_rows, read_field_data, "more than 1000000 cells"),
    Case("merged over and over", merged, read_field_data, "; expected"),
    Case(
        "a row that is a tree",
        in_member(SHEET, b"</sheetData>", b'<row r="99">' + b"<c/>" * 3_000_000 + b"</row></sheetData>"),
        read_field_data,
        "bytes of XML without a row",
    ),
    Case(
        "styles that are a tree",
        in_member("styles.xml", b"</styleSheet>", b"<x/>" * 3_000_000 + b"</styleSheet>"),
        read_field_data,
        "bytes of XML without a row in xl/styles",
    ),
    Case(
        "200 MB of blanks",
        workbook(lambda _, b: b, ("xl/media/image1.png", bytes(200_000_000))),
        read_field_data,
        "bytes when unpacked; expected at most",
    ),
    Case("members that lead out", workbook(lambda _, b: b, ("../../escaped.xml", b"<x/>")), read_field_data, None),
    Case(
        "a workbook of 1 GB",
        sparse("field.xlsx", 10**9, b"PK\x03\x04"),
        read_field_data,
        "found 1000000000 bytes; expected a field workbook",
    ),
    Case(
        "an old workbook of 1 GB",
        sparse("field.xls", 10**9, bytes.fromhex("D0CF11E0A1B11AE1")),
        read_field_data,
        "found 1000000000 bytes",
    ),
    Case(
        "an old workbook of its head alone",
        written("field.xls", bytes.fromhex("D0CF11E0A1B11AE1") * 200),
        read_field_data,
        "; expected an .xlsx or .xls workbook",
    ),
    Case("a pipe as workbook", pipe("field.xlsx"), read_field_data, "found a named pipe"),
    Case("a device as workbook", endless("field.xlsx"), read_field_data, "found a device"),
    Case(
        "a single line of 1 GB",
        csv_made(sparse("field/readings.csv", 10**9)),
        read_field_data,
        "found 1000000000 bytes; expected a CSV file",
    ),
    Case(
        "a single line of 30 MB",
        csv_folder(content=b"," * 30_000_000),
        read_field_data,
        "a row of more than 1000000 characters",
    ),
    Case(
        "a row over many lines",
        csv_folder(content=b'"\n",' * 600_000),
        read_field_data,
        "a row of more than 1000000 characters",
    ),
    Case("many empty rows", csv_folder(content=b"\n" * 2_000_000), read_field_data, "more than 1000000 cells"),
    Case("null characters", csv_folder(content=b"\0" * 1000), read_field_data, "; expected"),
    Case("a cell of 1 MB", csv_folder(content=b"x" * 120_000), read_field_data, "a cell of more than 100000"),
    Case(
        "a pipe as table", csv_made(pipe("field/readings.csv")), read_field_data, r"readings\.csv: found a named pipe"
    ),
    Case(
        "a link to nowhere as table",
        csv_made(lambda f: (f / "field/readings.csv").symlink_to("/nonexistent") or f),
        read_field_data,
        "no such file",
    ),
    Case("UTF-16", csv_folder(encoding="utf-16"), read_field_data, None),
    Case("GBK", csv_folder(encoding="gbk"), read_field_data, None),
    Case("broken UTF-16", csv_folder(content=b"\xff\xfe\x00\xd8\x00"), read_field_data, "broken UTF-16"),
    Case("neither UTF-8 nor GBK", csv_folder(content=b"stake,\xff\xff\xff"), read_field_data, "no header row"),
)

# --- documents ----------------------------------------------------------------------------------------------------

RECORD_TEXT = json.dumps(RECORD, ensure_ascii=False)
DOCUMENTS = (
    Case("deep lists in TOML", written("d.toml", "a = " + "[" * 100_000), read_definition, "nested too deeply"),
    Case("deep tables in TOML", written("d.toml", "a = " + "{a=" * 50_000), read_definition, "; expected"),
    Case(
        "a key of many parts",
        written("d.toml", "a." * 100_000 + "a = 1"),
        read_definition,
        "a key of more than 32 parts",
    ),
    Case(
        "a key of many quoted parts",
        written("d.toml", '"a" . ' * 100_000 + "a = 1"),
        read_definition,
        "more than 32 parts",
    ),
    Case("a heading of many parts", written("d.toml", "[" + "a." * 1000 + "a]"), read_definition, "more than 32 parts"),
    Case("a number of 5000 digits", written("d.toml", "a = " + "1" * 5000), read_definition, "broken TOML"),
    Case("a key twice", written("d.toml", "kind = 'x'\nkind = 'y'"), read_definition, "broken TOML"),
    Case("TOML in UTF-16", written("d.toml", "kind = 'x'".encode("utf-16")), read_definition, "not UTF-8"),
    Case("TOML in GBK", written("d.toml", "kind = '冰川'".encode("gbk")), read_definition, "not UTF-8"),
    Case("TOML of 1 GB", sparse("d.toml", 10**9), read_definition, "found 1000000000 bytes"),
    Case("a pipe as definition", pipe("d.toml"), read_definition, "found a named pipe"),
    Case("a device as definition", endless("d.toml"), read_definition, "found a device"),
    Case("a folder as definition", lambda f: f, read_definition, "found a directory"),
    Case("deep lists in a record", written("r.json", "[" * 1_000_000), read_portal_record, "no JSON"),
    Case(
        "a key of a record twice",
        written("r.json", '{"title_en": "a", "title_en": "b"}'),
        read_portal_record,
        "the key 'title_en' more than once",
    ),
    Case(
        "a number of 5000 digits in a record",
        written("r.json", '{"title_en": "a", "x": ' + "1" * 5000 + "}"),
        read_portal_record,
        "no JSON",
    ),
    Case(
        "NaN and infinity in a record",
        written("r.json", RECORD_TEXT.replace("86.1", "NaN").replace("43.9", "-Infinity")),
        read_portal_record,
        None,
    ),
    Case("a record in UTF-16", written("r.json", RECORD_TEXT.encode("utf-16")), read_portal_record, None),
    Case("a record in GBK", written("r.json", RECORD_TEXT.encode("gbk")), read_portal_record, "no JSON"),
    Case("a record of 1 GB", sparse("r.json", 10**9), read_portal_record, "found 1000000000 bytes"),
    Case("a pipe as record", pipe("r.json"), read_portal_record, "found a named pipe"),
    Case(
        "a lock of another form",
        written("l.toml", LOCK.replace("[[file]]", "[file]")),
        read_lock,
        "; expected the lock file",
    ),
)

CASES = (*DEMS, *SHAPES, *FIELD, *DOCUMENTS)


# --- small files that would become huge, for a process of limited memory ------------------------------------------


def gzip_bomb(folder: Path, unpacked: int = 4_500_000_000) -> Path:
    """Some 4 MB that unpack to more than may be unpacked: a piece of zeros is packed once and written many times."""
    piece, times = bytes(1 << 24), -(-unpacked // (1 << 24))
    packer, checksum = zlib.compressobj(9, zlib.DEFLATED, -zlib.MAX_WBITS), 0
    # after a full flush nothing refers to what was before
    packed = packer.compress(piece) + packer.flush(zlib.Z_FULL_FLUSH)
    for _ in range(times):
        checksum = zlib.crc32(piece, checksum)
    trailer = struct.pack("<II", checksum, times * len(piece) % (1 << 32))
    head = b"\x1f\x8b\x08\x00\x00\x00\x00\x00\x02\xff"  # RFC 1952: deflate, no name, no time
    (folder / "N43E086.hgt.gz").write_bytes(head + packed * times + packer.flush() + trailer)
    return folder / "N43E086.hgt.gz"


def large_sheet(folder: Path) -> Path:
    """A workbook of 60 kB with a sheet of 20 MB."""
    rows = b'<row r="9"><c r="A9"><v>1</v></c></row>' * 500_000
    return in_member(SHEET, b"</sheetData>", rows + b"</sheetData>")(folder)


def wrong_rows(folder: Path) -> Path:
    """A workbook with as many rows as are read, none of them with a date: each is told."""
    cells = '<c r="A{0}"><v>1</v></c><c r="B{0}"><v>1</v></c><c r="D{0}"><v>50</v></c><c r="E{0}"><v>400</v></c>'
    rows = "".join(f'<row r="{n}">{cells.format(n)}</row>' for n in range(50, 100_000))
    return in_member(SHEET, b"</sheetData>", rows.encode() + b"</sheetData>")(folder)


def many_sheets(folder: Path) -> Path:
    """A workbook with a thousand sheets of nothing but their names."""
    book = openpyxl.Workbook()
    for number in range(1000):
        book.create_sheet(f"s{number}")
    book.save(folder / "field.xlsx")
    return folder / "field.xlsx"


BOMBS: tuple[tuple[str, Callable[[Path], Path], str], ...] = (
    ("gzip", gzip_bomb, "difference"),
    ("sheet", large_sheet, "balance"),
    ("sheets", many_sheets, "balance"),
    ("wrong rows", wrong_rows, "balance"),
    ("line", csv_made(sparse("field/readings.csv", 10**9)), "balance"),
    ("commas", csv_folder(content=b"," * 31_000_000), "balance"),
    ("wide signs", csv_folder(content=("𝄞" + "冰" * 10_000_000).encode()), "balance"),
    ("columns", with_tag(256, 2_000_000_000), "difference"),
    ("view", endless_view, "difference --glaciers"),
)
