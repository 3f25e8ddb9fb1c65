"""Elevations of stakes, pits, probings and given balances that nobody noted, from a DEM."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import numpy as np
import rasterio
from pyproj import Transformer
from rasterio.errors import RasterioError

from pipeline.grid import FloatArray
from pipeline.inputs.gdal_inputs import open_raster, require_local_mosaic
from pipeline.mass_balance.fieldwork import Correction, FieldData
from schemas.errors import BadInput
from schemas.input_files import require_plain_file

_TABLES = {"stakes": "stake_id", "snow_pits": "pit_id", "probings": "probing_id", "point_balances": "point_id"}


def lacks_elevations(data: FieldData) -> bool:
    """Whether some stake, pit or probing has a position and no elevation."""
    return any(_lacking(data, name).any() for name in _TABLES)


def with_elevations(data: FieldData, dem: Path) -> FieldData:
    """The fieldwork with the DEM's elevation, bilinear between its posts, where a position has none; each noted.

    A point off the DEM, or in a void of it, stays without.

    Parameters
    ----------
    data : the fieldwork; easting and northing in metres of its glacier's CRS.
    dem : any raster with a CRS.

    Errors
    ------
    BadInput : a DEM that cannot be read.
    """
    changed, notes = {}, []
    for name, key in _TABLES.items():
        lacking = _lacking(data, name)
        if not lacking.any():
            continue
        frame = getattr(data, name).copy()
        heights = _heights(dem, data.glacier.crs, frame.loc[lacking, ["easting", "northing"]].to_numpy(float))
        frame.loc[lacking, "elevation_m"] = heights
        changed[name] = frame
        for record, height in zip(np.flatnonzero(lacking), heights, strict=True):
            if np.isfinite(height):
                sheet, _, row = data.origins[name][record].rpartition("!")
                cell = f"{data.columns[name].get('elevation_m', data.columns[name][key])}{row}"
                notes.append(Correction(sheet, cell, "no elevation", f"{height:.1f} m, from the DEM"))
    return replace(data, **changed, corrections=(*data.corrections, *notes)) if changed else data


def _lacking(data: FieldData, name: str) -> np.ndarray[tuple[int, ...], np.dtype[np.bool_]]:
    frame = getattr(data, name)
    return np.asarray(frame["elevation_m"].isna() & frame[["easting", "northing"]].notna().all(axis=1), bool)


def _heights(dem: Path, crs: str, positions: FloatArray) -> FloatArray:
    """Elevation at some positions, shape (points,), NaN off the DEM and in its voids."""
    if not dem.exists():
        raise BadInput(dem.name, "no such file", "a DEM (GeoTIFF or any raster with a CRS)")
    require_plain_file(dem, dem.name, "a DEM (GeoTIFF or any raster with a CRS)")
    if dem.suffix.lower() == ".vrt":
        require_local_mosaic(dem)
    try:
        with rasterio.Env(), open_raster(str(dem.absolute())) as source:
            if source.crs is None:
                raise BadInput(dem.name, "no coordinate reference system", "a DEM with a CRS")
            place = Transformer.from_crs(crs, source.crs.to_wkt(), always_xy=True)
            column, row = (index - 0.5 for index in ~source.transform @ np.stack(place.transform(*positions.T)))
            return np.array([_bilinear(source, float(r), float(c)) for r, c in zip(row, column, strict=True)])
    except RasterioError as error:
        raise BadInput(dem.name, f"an unreadable raster ({str(error).splitlines()[0]})", "a DEM") from None


def _bilinear(source: rasterio.DatasetReader, row: float, column: float) -> float:
    """The first band between four pixels' middles; NaN where one of them is void or off the raster."""
    top, left = int(np.floor(row)), int(np.floor(column))
    if not (0 <= top < source.height - 1 and 0 <= left < source.width - 1):
        return float("nan")
    four = source.read(1, window=((top, top + 2), (left, left + 2)), masked=True).astype(float).filled(np.nan)
    down, right = row - top, column - left
    return float(np.array([1 - down, down]) @ four @ np.array([1 - right, right]))
