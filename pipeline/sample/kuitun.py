"""The embedded synthetic sample of Haxilegen Glacier No. 51, Kuitun River: workbook, DEM and outline, no truth."""

from __future__ import annotations

import json
from pathlib import Path

import numpy as np
import rasterio
from pyproj import Transformer
from shapely.geometry import Polygon, mapping

from pipeline.grid import FloatArray
from pipeline.progress import Tell, silent
from pipeline.sample.kuitun_balance import DEFAULT_SEED
from pipeline.sample.kuitun_fieldwork import fieldwork
from pipeline.sample.kuitun_surveys import surveys
from pipeline.sample.kuitun_terrain import CRS, GLACIER_ID, GLACIER_NAME, Terrain, kuitun_terrain
from pipeline.sample.workbook import write_workbook

WORKBOOK_NAME = "kuitun51_field_workbook.xlsx"
DEM_NAME = "kuitun51_dem.tif"
EARLIER_DEM_NAME, LATER_DEM_NAME = "kuitun51_dem_2000.tif", "kuitun51_dem_2011.tif"
OUTLINE_NAME = "kuitun51_outline.geojson"
README_NAME = "README.txt"
NODATA = -9999.0
_README = f"""SYNTHETIC sample data: not observations. Computed by a generator with a fixed seed.

Haxilegen Glacier No. 51 of the Kuitun River, Tianshan (inventory {GLACIER_ID}), in its published position,
aspect, altitude range and area; terrain, outline and balances are invented.

{WORKBOOK_NAME}  stakes, readings, snow pits and probings, August 1999 to August 2011
{DEM_NAME}             surface elevation, 10 m, {CRS}, metres
{OUTLINE_NAME}     glacier outline, EPSG:4326
{EARLIER_DEM_NAME}, {LATER_DEM_NAME}   surveys of late August 2000 and 2011, 10 m, {CRS}, metres:
                         for the geodetic check
"""


def write_kuitun_inputs(folder: Path, seed: int = DEFAULT_SEED, tell: Tell = silent) -> None:
    """Write the raw inputs of the mass-balance chain into a folder, byte for byte the same for the same seed.

    Parameters
    ----------
    folder : made if absent.
    seed : of weather, visits and reading errors; the terrain is always the same.
    tell : told what is being made.
    """
    folder.mkdir(parents=True, exist_ok=True)
    tell("synthetic Glacier No. 51: terrain")
    terrain = kuitun_terrain()
    _write_dem(folder / DEM_NAME, terrain, terrain.surface_m)
    _write_outline(folder / OUTLINE_NAME, terrain)
    tell("synthetic Glacier No. 51: two surveys")
    for name, survey in zip((EARLIER_DEM_NAME, LATER_DEM_NAME), surveys(seed), strict=True):
        # centimetres are more than a survey tells, and compress well
        _write_dem(folder / name, terrain, np.round(survey.surface_m, 1), survey.day.strftime("%Y:%m:%d 12:00:00"))
    tell("synthetic Glacier No. 51: twelve years of fieldwork")
    write_workbook(folder / WORKBOOK_NAME, fieldwork(seed))
    (folder / README_NAME).write_text(_README, encoding="utf-8", newline="\n")


def _write_dem(path: Path, terrain: Terrain, surface_m: FloatArray, taken: str = "") -> None:
    """A surface as a GeoTIFF: float32, nodata -9999, tagged SYNTHETIC, and with the day it was taken."""
    rows, columns = terrain.grid.shape
    profile = {
        "driver": "GTiff",
        "height": rows,
        "width": columns,
        "count": 1,
        "dtype": "float32",
        "crs": terrain.grid.crs,
        "transform": terrain.grid.transform,
        "nodata": NODATA,
        "compress": "deflate",
        "predictor": 3,
    }
    with rasterio.open(path, "w", **profile) as dataset:
        dataset.write(surface_m.astype(np.float32), 1)
        dataset.update_tags(SYNTHETIC="YES", TIFFTAG_IMAGEDESCRIPTION="SYNTHETIC sample, not observations")
        if taken:
            dataset.update_tags(TIFFTAG_DATETIME=taken)


def _write_outline(path: Path, terrain: Terrain) -> None:
    """The outline as GeoJSON in degrees, to 1e-6."""
    to_degrees = Transformer.from_crs(terrain.grid.crs, "EPSG:4326", always_xy=True)
    corners = np.asarray(terrain.outline.exterior.coords)
    degrees = np.round(np.column_stack(to_degrees.transform(corners[:, 0], corners[:, 1])), 6)
    feature = {
        "type": "Feature",
        "properties": {"glacier_id": GLACIER_ID, "name": GLACIER_NAME, "remarks": "SYNTHETIC sample, not surveyed"},
        "geometry": mapping(Polygon(degrees)),
    }
    collection = {"type": "FeatureCollection", "name": path.stem, "features": [feature]}
    path.write_text(json.dumps(collection, indent=1) + "\n", encoding="utf-8", newline="\n")
