"""Inputs that lead elsewhere: every one is refused, or read without it, before anybody is asked.

A listener on loopback counts who connects; nobody may.
"""

import http.server
import io
import json
import shutil
import sqlite3
import threading
import zipfile
from collections.abc import Callable
from contextlib import closing
from pathlib import Path

import geopandas as gpd
import numpy as np
import openpyxl
import pytest
import rasterio
from rasterio.transform import from_origin
from shapely.geometry import box

from pipeline.elevation_change.dems.tiles import open_mosaic
from pipeline.inputs.find import Inputs
from pipeline.inputs.gdal_inputs import open_raster
from pipeline.inputs.xlsx_packages import require_harmless_package
from pipeline.mass_balance.ground.surveyed_outlines import read_surveyed_outlines
from schemas.errors import BadInput
from tests.system.hostile.cases import features, read_dem, read_shapes, square

ROWS, COLUMNS = 30, 40
HDR = (
    f"NROWS {ROWS}\nNCOLS {COLUMNS}\nNBANDS 1\nNBITS 16\nBYTEORDER I\nPIXELTYPE SIGNEDINT\n"
    "ULXMAP 400000\nULYMAP 4800000\nXDIM 30\nYDIM 30\n"
)


@pytest.fixture(scope="module")
def listener():
    """(address, what was asked of it)"""
    asked = []

    class Handler(http.server.BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            asked.append(self.path)
            self.send_error(404)

        do_HEAD = do_POST = do_GET

        def log_message(self, *_: object) -> None: ...

    with http.server.ThreadingHTTPServer(("127.0.0.1", 0), Handler) as server:
        threading.Thread(target=server.serve_forever, args=(0.01,), daemon=True).start()
        yield f"http://127.0.0.1:{server.server_port}", asked
        server.shutdown()


def write(path: Path, content: str | bytes) -> Path:
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_bytes(content.encode() if isinstance(content, str) else content)
    return path


def dem(path: Path) -> Path:
    path.parent.mkdir(parents=True, exist_ok=True)
    heights = np.random.default_rng(1).normal(3000, 50, (ROWS, COLUMNS)).astype("float32")
    profile = {"driver": "GTiff", "width": COLUMNS, "height": ROWS, "count": 1, "dtype": "float32", "nodata": -9999}
    place = from_origin(400_000, 4_800_000, 30, 30)
    with rasterio.open(path, "w", **profile, crs="EPSG:32645", transform=place) as target:
        target.write(heights, 1)
    return path


def vrt(inner: str = "", *, band: str = "", kind: str = "", srs: str = "EPSG:32645", extra: str = "") -> str:
    return (
        f'<VRTDataset rasterXSize="{COLUMNS}" rasterYSize="{ROWS}" {kind}><SRS>{srs}</SRS>'
        f"<GeoTransform>400000,30,0,4800000,0,-30</GeoTransform>{extra}"
        f'<VRTRasterBand dataType="Float32" band="1" {band}>{inner}</VRTRasterBand></VRTDataset>'
    )


def joined(name: str, relative: int = 1) -> str:
    return (
        f'<SimpleSource><SourceFilename relativeToVRT="{relative}">{name}</SourceFilename>'
        "<SourceBand>1</SourceBand></SimpleSource>"
    )


def wms(address: str) -> str:
    return (
        f'<GDAL_WMS><Service name="TMS"><ServerUrl>{address}/${{z}}/${{x}}/${{y}}</ServerUrl></Service><DataWindow>'
        "<UpperLeftX>400000</UpperLeftX><UpperLeftY>4800000</UpperLeftY><LowerRightX>401200</LowerRightX>"
        "<LowerRightY>4799100</LowerRightY><TileLevel>1</TileLevel></DataWindow><Projection>EPSG:32645</Projection>"
        f"<BlockSizeX>{COLUMNS}</BlockSizeX><BlockSizeY>{ROWS}</BlockSizeY><BandsCount>1</BandsCount>"
        "<DataType>Float32</DataType></GDAL_WMS>"
    )


def remote_vrt(address: str) -> str:
    return vrt(joined(f"/vsicurl/{address}/x.tif", 0))


def beside(suffix: str, content: Callable[[str], str]) -> Callable[[Path, str], Path]:
    def make(folder: Path, address: str) -> Path:
        write(folder / f"d.tif{suffix}", content(address))
        return dem(folder / "d.tif")

    return make


def a_vrt(content: Callable[[str], str], **tiles: Callable[[str], str]) -> Callable[[Path, str], Path]:
    def make(folder: Path, address: str) -> Path:
        dem(folder / "t.tif")
        for name, tile in tiles.items():
            write(folder / f"{name}.tif", tile(address))
        return write(folder / "all.vrt", content(address))

    return make


def zipped(members: Callable[[str], dict[str, str]], whole: str = "") -> Callable[[Path, str], Path]:
    def make(folder: Path, address: str) -> Path:
        with zipfile.ZipFile(folder / "a.zip", "w") as archive:
            if whole:
                archive.write(dem(folder / whole), whole)
            for name, content in members(address).items():
                archive.writestr(name, content)
        return folder / "a.zip"

    return make


def header_only(folder: Path, address: str) -> Path:
    """A mosaic of a file that is raw by its header, and a web map by its bytes."""
    write(folder / "d.hdr", HDR)
    write(folder / "d.bil", wms(address).encode().ljust(2 * ROWS * COLUMNS, b"\0"))
    return write(folder / "all.vrt", vrt(joined("d.bil")))


def notes(domain: str) -> Callable[[str], str]:
    return lambda address: (
        f"<PAMDataset><Metadata{domain}<MDI key='OVERVIEW_FILE'>/vsicurl/{address}/o.tif</MDI></Metadata></PAMDataset>"
    )


ANY_CLASS = 'subClass="VRTRawRasterBand"'
RAW = '<SourceFilename relativetoVRT="0">/etc/passwd</SourceFilename><ImageOffset>0</ImageOffset>'
WARPED = (
    '<GDALWarpOptions><SourceDataset relativeToVRT="1">t.tif</SourceDataset><Transformer><GenImgProjTransformer>'
    "<SrcRPCTransformer><RPCTransformer><DEMPath>/vsicurl/{0}/d.tif</DEMPath></RPCTransformer></SrcRPCTransformer>"
    "</GenImgProjTransformer></Transformer></GDALWarpOptions>"
)
RASTERS = {
    "tile that is a web map": (a_vrt(lambda _: vrt(joined("w.tif")), w=wms), "not recognized as being"),
    "tile that is a VRT": (a_vrt(lambda _: vrt(joined("r.tif")), r=remote_vrt), "found another VRT"),
    "tile that is a tile index": (
        a_vrt(lambda _: vrt(joined("i.tif")), i=lambda a: f"<GDALTileIndexDataset><IndexDataset>/vsicurl/{a}/i.gpkg"),
        "not recognized as being",
    ),
    "raw tile that is a web map": (header_only, None),
    "tile elsewhere": (a_vrt(lambda _: vrt(joined("../t.tif"))), "a file outside of its folder"),
    "tile of another prefix": (a_vrt(lambda _: vrt(joined("MEM:::DATAPOINTER=1", 0))), "no plain file"),
    "source in an attribute": (
        a_vrt(lambda a: vrt(f'<SimpleSource SourceFilename="/vsicurl/{a}/x.tif"/>')),
        "found 'SourceFilename'",
    ),
    "source behind a comment": (
        a_vrt(lambda a: vrt(f"<SimpleSource><SourceFilename><!-- -->/vsicurl/{a}/x</SourceFilename></SimpleSource>")),
        "no plain file",
    ),
    "source in small letters": (
        a_vrt(lambda a: vrt(f"<SimpleSource><sourcefilename>/vsicurl/{a}/x</sourcefilename></SimpleSource>")),
        "found 'sourcefilename'",
    ),
    "raw band over any file": (a_vrt(lambda _: vrt(RAW, band=ANY_CLASS)), "found the class 'VRTRawRasterBand'"),
    "DEM of a transformer": (
        a_vrt(lambda a: vrt(kind='subClass="VRTWarpedDataset"', extra=WARPED.format(a))),
        "found 'SrcRPCTransformer'",
    ),
    "CRS that is an address": (a_vrt(lambda a: vrt(joined("t.tif"), srs=f"{a}/crs")), "no coordinate reference system"),
    "mask that is a VRT": (beside(".msk", remote_vrt), r"d\.tif\.msk: found a mask or overviews that are no TIFF"),
    "mask that is a web map": (beside(".msk", wms), "a mask or overviews that are no TIFF"),
    "overviews that are a VRT": (beside(".ovr", remote_vrt), "a mask or overviews that are no TIFF"),
    "overviews of the mask": (beside(".msk.ovr", remote_vrt), "a mask or overviews that are no TIFF"),
    "notes that lead away": (beside(".aux.xml", notes(" domain='OVERVIEWS'>")), "metadata of the domain 'OVERVIEWS'"),
    "notes in small letters": (beside(".aux.xml", notes(" Domain='overviews'>")), "metadata of the domain 'overviews'"),
    "notes in an element": (beside(".aux.xml", notes("><domain>OVERVIEWS</domain>")), "metadata of the domain"),
    "notes with entities": (beside(".aux.xml", lambda a: f"<!DOCTYPE x SYSTEM '{a}/d'><x/>"), "a document type"),
    "CRS of notes": (
        beside(".aux.xml", lambda a: f"<PAMDataset><SRS>{a}/crs</SRS></PAMDataset>"),
        "found no coordinate",
    ),
    "zip of a VRT": (zipped(lambda a: {"a.tif": remote_vrt(a)}), "not recognized as being"),
    "zip of a web map": (zipped(lambda a: {"a.tif": wms(a)}), "not recognized as being"),
    "zip with a mask that is a VRT": (zipped(lambda a: {"q.tif.msk": remote_vrt(a)}, "q.tif"), "no TIFF"),
    "web map by its bytes": (lambda folder, a: write(folder / "w.tif", wms(a)), "not recognized as being"),
}


def geojson(crs: object, key: str = "crs") -> str:
    return json.dumps({"type": "FeatureCollection", key: crs, "features": json.loads(features(square()))["features"]})


def link(address: str) -> str:
    return geojson({"type": "link", "properties": {"href": f"{address}/crs", "type": "proj4"}})


def ogr_vrt(address: str) -> str:
    layer = f"<OGRVRTLayer name='x'><SrcDataSource>/vsicurl/{address}/a.shp</SrcDataSource></OGRVRTLayer>"
    return f"<OGRVRTDataSource><!-- <kml -->{layer}</OGRVRTDataSource>"


def wfs(address: str) -> str:
    return f"<OGRWFSDataSource><!-- <kml --><URL>{address}/wfs</URL></OGRWFSDataSource>"


def geopackage(folder: Path) -> Path:
    path = folder / "o.gpkg"
    shape = box(400_200, 4_799_200, 400_400, 4_799_600)
    gpd.GeoDataFrame({"glac_id": ["G1"]}, geometry=[shape], crs=32645).to_file(path)
    return path


def virtual_table(folder: Path, address: str) -> Path:
    path = geopackage(folder)
    table = f"CREATE VIRTUAL TABLE v USING VirtualOGR('/vsicurl/{address}/a.shp')"
    with closing(sqlite3.connect(path)) as base:
        base.execute("PRAGMA writable_schema=1")
        base.execute(
            "INSERT INTO sqlite_master(type, name, tbl_name, rootpage, sql) VALUES ('table', 'v', 'v', 0, ?)", (table,)
        )
        base.commit()
    return path


def known_system(folder: Path, address: str) -> Path:
    path = geopackage(folder)
    with closing(sqlite3.connect(path)) as base:
        change = "UPDATE gpkg_spatial_ref_sys SET definition = ?, organization = 'x', organization_coordsys_id = 99"
        base.execute(f"{change} WHERE srs_id = 32645", (f"{address}/crs",))
        base.commit()
    return path


def a_file(name: str, content: Callable[[str], str]) -> Callable[[Path, str], Path]:
    return lambda folder, address: write(folder / name, content(address))


ADDRESS = "a coordinate reference system that is an address"
SHAPES = {
    "linked CRS": (a_file("o.geojson", link), ADDRESS),
    "linked CRS in escapes": (a_file("o.json", lambda a: link(a).replace('"crs"', '"\\u0063r\\u0053"')), ADDRESS),
    "linked CRS in a zip": (zipped(lambda a: {"a.geojson": link(a)}), ADDRESS),
    "CRS of JSON-FG": (a_file("o.json", lambda a: geojson(f"{a}/crs", "coordRefSys")), ADDRESS),
    "list of addresses as KML": (a_file("o.kml", ogr_vrt), r"parsing kml|not recognized"),
    "WFS as KML": (a_file("o.kml", wfs), r"parsing kml|not recognized"),
    "commands": (
        a_file("o.json", lambda a: json.dumps({"type": "gdal_streamed_alg", "command_line": f"gdal vector read {a}"})),
        "not recognized",
    ),
    "zip of a list of addresses": (zipped(lambda a: {"a.kml": ogr_vrt(a)}), r"parsing kml|not recognized"),
    "zip of a WFS": (
        zipped(lambda a: {"b.geojson": wfs(a).replace("<kml", "")}),
        "an XML file that may lead elsewhere",
    ),
    "virtual table": (virtual_table, "found the virtual table 'v'"),
    "CRS of a GeoPackage": (known_system, r"without a CRS|no coordinate reference system"),
}


def read_glacier(path: Path) -> object:
    return read_surveyed_outlines(path, "G1", "EPSG:32645")


@pytest.mark.parametrize(
    ("reader", "make", "message"),
    [
        *(pytest.param(read_dem, *case, id=name) for name, case in RASTERS.items()),
        *(pytest.param(read_shapes, *case, id=name) for name, case in SHAPES.items()),
        *(pytest.param(read_glacier, *case, id=f"{name}, one glacier") for name, case in SHAPES.items()),
    ],
)
def test_nobody_is_asked(tmp_path, listener, reader, make, message):
    address, asked = listener
    path = make(tmp_path, address)
    if message is None:
        reader(path)
    else:
        with pytest.raises(BadInput, match=message):
            reader(path)
    assert asked == []


def test_the_listener_hears_who_connects(listener):
    """Without what is refused here, the tests above would find nothing."""
    address, asked = listener
    with pytest.raises(rasterio.errors.RasterioIOError):
        rasterio.open(f"/vsicurl/{address}/x.tif")
    assert asked
    asked.clear()


def test_what_gdal_itself_writes_is_read(tmp_path):
    """A mosaic and its notes, an attribute called crs, a CRS by name."""
    dem(tmp_path / "t.tif")
    write(tmp_path / "t.tif.aux.xml", '<PAMDataset><Metadata domain="IMAGE_STRUCTURE"/></PAMDataset>')
    write(tmp_path / "all.vrt", vrt(f"<NoDataValue>-9999</NoDataValue>{joined('t.tif')}"))
    assert open_mosaic(tmp_path / "all.vrt", "earlier").grid().shape == (ROWS, COLUMNS)
    named = geojson({"type": "name", "properties": {"name": "urn:ogc:def:crs:OGC:1.3:CRS84"}})
    assert read_glacier(write(tmp_path / "o.geojson", named.replace('"glac_id": "G1"', '"crs": "x", "glac_id": "G1"')))


@pytest.mark.parametrize("suffix", [".aux.xml", ".msk", ".ovr", ".tfw", ".tab", ".imd", "_rpc.txt"])
def test_what_is_read_with_a_raster_is_an_input(tmp_path, suffix):
    path = dem(tmp_path / "d.tif")
    name = f"d.tif{suffix}" if suffix in (".aux.xml", ".msk", ".ovr") else f"d{suffix}"
    if suffix in (".msk", ".ovr"):
        shutil.copy(path, tmp_path / name)
    else:
        write(tmp_path / name, "<PAMDataset/>" if suffix == ".aux.xml" else "30\n0\n0\n-30\n400015\n4799985\n")
    write(tmp_path / "other.tfw", "of another raster")
    inputs = Inputs(tmp_path, {"earlier": (path,)})
    assert [file.name for _, file in inputs.all_files()] == sorted(["d.tif", name])


def test_whatever_gdal_names_is_an_input(tmp_path):
    """The files that GDAL says it read are compared with those that are recorded."""
    path = dem(tmp_path / "d.tif")
    for suffix in (".tif.aux.xml", ".tfw", ".IMD", ".RPB", "_RPC.TXT"):
        write(
            tmp_path / f"d{suffix}", "<PAMDataset/>" if suffix.endswith("xml") else "30\n0\n0\n-30\n400015\n4799985\n"
        )
    with open_raster(str(path)) as opened:
        read = {Path(file).name for file in opened.files}
    assert read <= {file.name for _, file in Inputs(tmp_path, {"earlier": (path,)}).all_files()}


@pytest.mark.parametrize(
    ("member", "before", "elements"),
    [
        ("xl/styles.xml", b"</cellXfs>", b"<xf/>" * 1_500_000),
        ("xl/worksheets/sheet1.xml", b"</row>", b"<c/>" * 1_900_000),
        ("xl/worksheets/sheet1.xml", b"<sheetData>", b"<x/>" * 1_900_000),
    ],
)
def test_workbook_of_many_small_elements_is_refused_before_it_is_built(tmp_path, member, before, elements):
    """16 kB that would take 0.9 GB as a tree."""
    content = io.BytesIO()
    workbook = openpyxl.Workbook()
    workbook.active["A1"] = "x"
    workbook.save(content)
    with zipfile.ZipFile(content) as old, zipfile.ZipFile(tmp_path / "a.xlsx", "w", zipfile.ZIP_DEFLATED) as new:
        for name in old.namelist():
            text = old.read(name)
            new.writestr(name, text.replace(before, elements + before) if name == member else text)
    assert (tmp_path / "a.xlsx").stat().st_size < 40_000
    with pytest.raises(BadInput, match=rf"found \d+ tags of XML without a row in {member}"):
        require_harmless_package(tmp_path / "a.xlsx", "a.xlsx")
