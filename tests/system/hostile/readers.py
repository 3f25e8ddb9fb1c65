"""Every reader of files that others made: a good file for it, how to damage it, and how to read it in this process."""

from __future__ import annotations

import atexit
import gzip
import io
import json
import os
import shutil
import tempfile
import zipfile
from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from functools import cache
from pathlib import Path

import geopandas as gpd
import numpy as np
import shapely

from catalog.build.definitions import DATASETS
from catalog.checks import validate
from catalog.fetch.fetch import read_lock
from catalog.start.ncdc_record import read_portal_record
from catalog.start.start import init_from_ncdc
from pipeline.elevation_change.dems.tiles import open_mosaic
from pipeline.elevation_change.pairing.observations import Request, check_inputs, observe
from pipeline.elevation_change.pairing.outlines import read_outlines
from pipeline.grid import Grid
from pipeline.mass_balance.chain import mass_balance
from pipeline.mass_balance.fieldwork.read import read_field_data
from pipeline.mass_balance.ground.surveyed_outlines import read_surveyed_outlines
from pipeline.resources import open_resources
from schemas.definition import read_definition
from schemas.settings import ElevationChangeSettings, MassBalanceSettings
from tests.made import field_workbook
from tests.made.shared_archives import change_archive
from tests.made.synthetic_pairs import fractal, write_dem
from tests.system.hostile import mutations as m

SHAPE = (26, 33)


@dataclass(frozen=True, kw_only=True)
class Reader:
    """One reader.

    Attributes
    ----------
    name : of the reader; part of every seed.
    file : name of the file that is damaged, below a folder of the case's own.
    make : writes good files into the folder.
    read : reads from the folder; ends well or with an ArchiveError.
    cases : how many damaged files of it are tried.
    """

    name: str
    file: str
    make: Callable[[Path], object]
    read: Callable[[Path], object]
    mutations: Sequence[m.Mutation]
    cases: int


# --- elevation models ---------------------------------------------------------------------------------------------


def _write_later(folder: Path) -> None:
    write_dem(folder / "partner.tif", fractal(SHAPE, seed=2))


def _write_tif(folder: Path) -> None:
    _write_later(folder)
    write_dem(folder / "earlier.tif", fractal(SHAPE))


def _difference(name: str) -> Callable[[Path], object]:
    """The DEM opened, looked into, and brought onto the grid it shares with a good one."""

    def read(folder: Path) -> object:
        request = Request(earlier=folder / name, later=folder / "partner.tif")
        with open_resources(1, None, 400_000_000) as resources:
            observed = observe(request, ElevationChangeSettings(), resources)
            return check_inputs(observed, resources), observed.pair.unmoved[0:1, 0:1]

    return read


@cache
def _hgt() -> bytes:
    rows, columns = np.mgrid[0:1201, 0:1201]
    return (3000 + rows // 40 * 7 + columns // 50 * 5).astype(">i2").tobytes()


def _opened(name: str) -> Callable[[Path], object]:
    def read(folder: Path) -> object:
        mosaic = open_mosaic(folder / name, "earlier")
        from pipeline.elevation_change.dems.contents import require_relief, tile_contents

        contents = tile_contents(mosaic)
        require_relief(mosaic, contents)
        return contents

    return read


def _zip_of_hgt(folder: Path) -> None:
    packed = io.BytesIO()
    with zipfile.ZipFile(packed, "w", zipfile.ZIP_DEFLATED, compresslevel=1) as archive:
        archive.writestr(zipfile.ZipInfo("N43E086.hgt", (1980, 1, 1, 0, 0, 0)), _hgt(), zipfile.ZIP_DEFLATED, 1)
    (folder / "N43E086.SRTMGL3.hgt.zip").write_bytes(packed.getvalue())


# --- outlines -----------------------------------------------------------------------------------------------------

GRID = Grid.covering((399_900, 4_798_000, 401_500, 4_800_100), 30.0, "EPSG:32645")


def _outlines() -> gpd.GeoDataFrame:
    shapes = [shapely.box(400_050 + 300 * n, 4_799_300, 400_250 + 300 * n, 4_799_900 - 50 * n) for n in range(3)]
    columns = {"glac_id": ["G1", "G2", "G3"], "glac_name": ["一号冰川", "", "No. 3"], "src_date": ["2000-08-01"] * 3}
    return gpd.GeoDataFrame(columns, geometry=shapes, crs="EPSG:32645")


def _write_outlines(name: str) -> Callable[[Path], object]:
    def make(folder: Path) -> None:
        frame = _outlines().to_crs("EPSG:4326") if name.endswith(".geojson") else _outlines()
        frame.to_file(folder / name)

    return make


def _read_outlines(name: str) -> Callable[[Path], object]:
    return lambda folder: (
        read_outlines([folder / name], GRID),
        read_surveyed_outlines(folder / name, "G1", "EPSG:32645"),
    )


def _damaged_elsewhere(name: str) -> Callable[[Path], object]:
    """Both readers of outlines, the second also where the first refuses."""

    def read(folder: Path) -> object:
        try:
            return read_outlines([folder / name], GRID)
        finally:
            read_surveyed_outlines(folder / name, "G1", "EPSG:32645")

    return read


# --- field data ---------------------------------------------------------------------------------------------------


def _balance(name: str) -> Callable[[Path], object]:
    def read(folder: Path) -> object:
        return mass_balance(read_field_data(folder / name), MassBalanceSettings())

    return read


def _folder_of_csv(folder: Path) -> None:
    field_workbook.write_folder(folder / "field", field_workbook.sheets())


# --- documents ----------------------------------------------------------------------------------------------------

RECORD = {
    "id": "x-1",
    "title_cn": "乌鲁木齐河源冰川 2000-2010",
    "title_en": "Glaciers <b>2000</b>-2010",
    "doi_value": "10.1234/abc",
    "ds_abstract": "A text with &nbsp; entities.",
    "ds_source": "SRTM",
    "ds_process_way": "by hand",
    "ds_quality": "good",
    "ds_acq_place": "Tianshan",
    "created": "2020-01-01 10:00:00",
    "ds_acq_start_time": "2000-02-11 00:00:00",
    "ds_acq_end_time": "2010-01-01",
    "ds_acq_lon_west": 86.1,
    "ds_acq_lat_south": 43.0,
    "ds_acq_lon_east": "87.2",
    "ds_acq_lat_north": 43.9,
    "ds_acq_alt_low": 3000,
    "ds_acq_alt_high": 4500,
    "ds_projects": [{"number": "1", "name": "P"}],
    "authors": [{"name_en": "A. Author", "name_cn": "作者"}],
    "keywords": "glacier, 冰川",
    "ds_format": ["tif", "csv"],
}


def _write_record(folder: Path) -> None:
    (folder / "record.json").write_text(json.dumps(RECORD, ensure_ascii=False, indent=1), encoding="utf-8")


def _read_record(folder: Path) -> object:
    read_portal_record(folder / "record.json")
    with tempfile.TemporaryDirectory() as target:
        return init_from_ncdc(folder / "record.json", "a-dataset", Path(target), None)


def _copy_definition(name: str) -> Callable[[Path], object]:
    return lambda folder: shutil.copyfile(sorted(DATASETS.glob("*.toml"))[0], folder / name)


LOCK = """[[file]]
name = "N43E086.hgt"
url = "https://example.org/N43E086.hgt.zip"
size = 25934402
sha256 = "0f0e"
licence = "none"
attribution = "NASA"
"""


def _archive(folder: Path) -> None:
    # the dataset of rasters and outlines alone: half the time of both
    shutil.copytree(change_archive(), folder / "archive", copy_function=_link)


def _validate(folder: Path) -> object:
    report = validate(folder / "archive")
    return report.to_dict(), report.to_junit(), report.lines()


@cache
def _template(reader: Reader) -> Path:
    """Good files of a reader, made once in a process."""
    folder = kept_folder()
    reader.make(folder)
    return folder


def kept_folder() -> Path:
    """A temporary folder that stays as long as this process."""
    folder = Path(tempfile.mkdtemp(prefix="hostile-"))
    atexit.register(shutil.rmtree, folder, ignore_errors=True)
    return folder


def place(reader: Reader, folder: Path, seed: str) -> None:
    """Write a reader's good files into ``folder``, the one file damaged as the seed says."""
    template = _template(reader)
    shutil.copytree(template, folder, dirs_exist_ok=True, copy_function=_link)
    path = folder / reader.file
    content = path.read_bytes()
    path.unlink()
    path.write_bytes(m.mutated(content, reader.mutations, seed))


def _link(source: str, target: str) -> None:
    """A hard link: no reader writes into what it reads, and a copied archive would be slow."""
    os.link(source, target)


OUTLINES = ("outlines.gpkg", "outlines.geojson", "outlines.fgb")

READERS: tuple[Reader, ...] = (
    Reader(
        name="geotiff",
        file="earlier.tif",
        make=_write_tif,
        read=_difference("earlier.tif"),
        mutations=m.TIFF,
        cases=300,
    ),
    Reader(
        name="hgt",
        file="N43E086.hgt",
        make=lambda f: (f / "N43E086.hgt").write_bytes(_hgt()),
        read=_opened("N43E086.hgt"),
        mutations=m.BYTES,
        cases=25,
    ),
    Reader(
        name="hgt.gz",
        file="N43E086.hgt.gz",
        make=lambda f: (f / "N43E086.hgt.gz").write_bytes(gzip.compress(_hgt(), 1, mtime=0)),
        read=_opened("N43E086.hgt.gz"),
        mutations=(*m.BYTES, m.within_gzip(m.truncate, m.splice)),
        cases=30,
    ),
    Reader(
        name="zip",
        file="N43E086.SRTMGL3.hgt.zip",
        make=_zip_of_hgt,
        read=_opened("N43E086.SRTMGL3.hgt.zip"),
        mutations=(*m.BYTES, m.within_zip(m.truncate, m.splice)),
        cases=40,
    ),
    *(
        Reader(
            name=f"shapefile{suffix}",
            file=f"outlines{suffix}",
            make=_write_outlines("outlines.shp"),
            read=_damaged_elsewhere("outlines.shp"),
            mutations=kinds,
            cases=60,
        )
        for suffix, kinds in ((".shp", m.BYTES), (".dbf", m.BYTES), (".shx", m.BYTES), (".prj", m.TEXT))
    ),
    Reader(
        name="geopackage",
        file=OUTLINES[0],
        make=_write_outlines(OUTLINES[0]),
        read=_damaged_elsewhere(OUTLINES[0]),
        mutations=m.BYTES,
        cases=120,
    ),
    Reader(
        name="geojson",
        file=OUTLINES[1],
        make=_write_outlines(OUTLINES[1]),
        read=_damaged_elsewhere(OUTLINES[1]),
        mutations=m.JSON,
        cases=160,
    ),
    Reader(
        name="flatgeobuf",
        file=OUTLINES[2],
        make=_write_outlines(OUTLINES[2]),
        read=_damaged_elsewhere(OUTLINES[2]),
        mutations=m.BYTES,
        cases=120,
    ),
    Reader(
        name="xlsx",
        file="field.xlsx",
        make=lambda f: field_workbook.write_workbook(f / "field.xlsx", field_workbook.sheets()),
        read=_balance("field.xlsx"),
        mutations=(m.within_zip(*m.TEXT), m.within_zip(*m.TEXT), *m.BYTES),
        cases=300,
    ),
    Reader(
        name="xls",
        file="field.xls",
        make=lambda f: field_workbook.write_legacy_workbook(f / "field.xls", field_workbook.sheets()),
        read=_balance("field.xls"),
        mutations=m.BYTES,
        cases=200,
    ),
    *(
        Reader(
            name=f"csv {name}",
            file=f"field/{name}.csv",
            make=_folder_of_csv,
            read=_balance("field"),
            mutations=m.CSV,
            cases=60,
        )
        for name in ("readings", "stakes", "glacier", "hypsometry", "snow_pits", "pit_layers")
    ),
    Reader(
        name="definition",
        file="d.toml",
        make=_copy_definition("d.toml"),
        read=lambda f: read_definition(f / "d.toml"),
        mutations=m.TEXT,
        cases=200,
    ),
    Reader(name="record", file="record.json", make=_write_record, read=_read_record, mutations=m.JSON, cases=200),
    Reader(
        name="lock",
        file="inputs.lock.toml",
        make=lambda f: (f / "inputs.lock.toml").write_text(LOCK, encoding="utf-8"),
        read=lambda f: read_lock(f / "inputs.lock.toml"),
        mutations=m.TEXT,
        cases=60,
    ),
)

_CHANGE = "test-elevation-change"
ARCHIVE_FILES: tuple[tuple[str, Sequence[m.Mutation], int], ...] = (
    ("manifest.json", m.JSON, 8),
    ("catalog.json", m.JSON, 4),
    (f"{_CHANGE}/collection.json", m.JSON, 6),
    (f"{_CHANGE}/elevation-change/elevation-change.json", m.JSON, 10),
    (f"{_CHANGE}/datapackage.json", m.JSON, 8),
    (f"{_CHANGE}/elevation-change/elevation_change.tif", m.TIFF, 8),
    (f"{_CHANGE}/elevation-change/outlines.geojson", m.JSON, 3),
    (f"{_CHANGE}/tables/glaciers.csv", m.CSV, 5),
    (f"{_CHANGE}/tables/glaciers.parquet", m.BYTES, 6),
    (f"{_CHANGE}/metadata/ncdc.json", m.JSON, 4),
    (f"{_CHANGE}/metadata/datacite.json", m.JSON, 4),
    (f"{_CHANGE}/metadata/dataset.jsonld", m.JSON, 3),
    (f"{_CHANGE}/metadata/iso19139.xml", m.TEXT, 3),
    (f"{_CHANGE}/index.html", m.TEXT, 3),
)

_OF_ARCHIVE = Reader(name="archive", file="", make=_archive, read=_validate, mutations=(), cases=0)
ARCHIVE_READERS: tuple[Reader, ...] = tuple(
    replace(
        _OF_ARCHIVE, name=f"archive {file.rpartition('/')[2]}", file=f"archive/{file}", mutations=kinds, cases=cases
    )
    for file, kinds, cases in ARCHIVE_FILES
)
